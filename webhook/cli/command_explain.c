/* 'explain': why a target is here, or not: its discovered labels, each rule and what it changed,
 * the verdict, and the collector that gets it. The owner comes from the same strategy arithmetic as
 * the server's, over the targets of the whole Collector CR. */
#include "webhook/cli/command.h"

#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/walk.h"
#include "allocator/discovery/targetnode.h"
#include "allocator/scrape/verdict.h"
#include "allocator/shard/fleet.h"
#include "webhook/cli/findings.h"
#include "webhook/cli/input.h"

#include <stdlib.h>

struct candidate { /* a target as it was discovered */
    const struct scrapejob *job;
    uint32_t job_index;
    size_t section;
    struct span source, address; /* texts are in the findings or the arena */
    struct label *labels;
    size_t n_labels;
    struct verdict verdict;
    struct span final_address;
    size_t position; /* among all of the tenant */
    const struct candidate
        *served;          /* the one that is served for this identity: itself, or an earlier one */
    uint32_t slot, owner; /* in the fleet */
};

struct explanation {
    const struct options *o;
    const struct command_io *io;
    const struct tenant *tenant;
    struct strpool *pool;
    struct arena arena;
    struct label_builder lb;
    struct label_builder before;
    const struct str *address_name;
    VEC(struct candidate *) all;
    struct fleet *fleet;
    size_t n_shown;
};

/* ---- collecting */

static void set_labels(struct label_builder *lb, const struct candidate *c)
{
    label_builder_clear(lb);
    for (size_t i = 0; i < c->n_labels; i++) {
        if (c->labels[i].value.len > 0) {
            label_builder_append(lb, c->labels[i].name, c->labels[i].value);
        }
    }
}

static void add_candidate(struct explanation *x, const struct scrapejob *job, uint32_t job_index,
                          const struct finding *f, const struct sd_group *g, struct span address)
{
    struct candidate *c = arena_zalloc(&x->arena, sizeof(*c));

    c->job = job;
    c->job_index = job_index;
    c->section = f->section;
    c->source =
        f->arrival == NULL ? SPAN_LIT("") : arena_span(&x->arena, span_of(f->arrival->source));
    c->address = arena_span(&x->arena, address);
    c->labels = arena_alloc(&x->arena, (g->shape->n + 1) * sizeof(*c->labels));
    for (uint32_t i = 0; i < g->shape->n; i++) {
        c->labels[c->n_labels++] =
            (struct label){ g->shape->fields[i].name, arena_span(&x->arena, g->values[i]) };
    }
    c->labels[c->n_labels++] = (struct label){ x->address_name, c->address };
    labels_sort(c->labels, c->n_labels);
    set_labels(&x->lb, c);
    verdict_reach(job, &x->lb, &c->verdict);
    c->final_address = arena_span(&x->arena, label_builder_get(&x->lb, x->address_name));
    c->owner = FLEET_NONE;
    c->position = x->all.n;
    *vec_push(&x->all) = c;
}

static int collect_job(struct explanation *x, uint32_t job_index)
{
    const struct scrapejob *job = x->tenant->jobs.v[job_index];
    const struct findings_options how = { .timeout_ms = x->o->timeout_ms };
    struct findings findings;
    struct sd_batch batch;
    struct err err;

    if (findings_discover_once(job, &how, &findings, &err) < 0) {
        fprintf(x->io->errout, "otel-ta: %s\n", err.text);
        return EXIT_CANNOT;
    }
    findings_report_gaps(job, &findings, x->io->errout);
    sd_batch_init(&batch, x->pool);
    vec_each(&findings.list, f) {
        if (findings_digest(job, f, &batch, &err) < 0) {
            fprintf(x->io->errout, "otel-ta: %s\n", err.text);
            continue;
        }
        vec_each(&batch.groups, g) {
            for (uint32_t i = 0; i < g->n_targets; i++) {
                add_candidate(x, job, job_index, f, g, g->targets[i]);
            }
        }
    }
    sd_batch_fini(&batch);
    findings_fini(&findings);
    return EXIT_OK;
}

/* ---- owners */

/* Equal identities of a job stand together, the one that is served first. */
static int compare_identities(const void *a, const void *b)
{
    const struct candidate *x = *(struct candidate *const *)a, *y = *(struct candidate *const *)b;
    if (x->job_index != y->job_index) {
        return x->job_index < y->job_index ? -1 : 1;
    }
    if (x->verdict.identity != y->verdict.identity) {
        return x->verdict.identity < y->verdict.identity ? -1 : 1;
    }
    return (x->position > y->position) - (x->position < y->position);
}

static uint64_t node_hash(const struct candidate *c)
{
    struct span values[TARGETNODE_LABELS] = { 0 };

    for (size_t k = 0; k < TARGETNODE_LABELS; k++) {
        for (size_t i = 0; i < c->n_labels; i++) {
            if (span_is(str_span(c->labels[i].name), targetnode_labels[k])) {
                values[k] = c->labels[i].value;
            }
        }
    }
    struct span node = targetnode_pick(values);
    return node.len == 0 ? 0 : hash64(node);
}

static void assign(struct explanation *x)
{
    struct candidate **kept = mem_array(x->all.n + 1, sizeof(struct candidate *));
    size_t n = 0;

    vec_each(&x->all, place) {
        if ((*place)->verdict.kind == VERDICT_KEPT) {
            kept[n++] = *place;
        }
    }
    qsort(kept, n, sizeof(struct candidate *), compare_identities);
    for (size_t i = 0; i < n; i++) {
        struct candidate *c = kept[i], *last = i == 0 ? NULL : kept[i - 1];
        if (last != NULL && last->job_index == c->job_index &&
            last->verdict.identity == c->verdict.identity) {
            c->served = last->served;
            continue;
        }
        c->served = c;
        const struct fleet_target t = { hash64(c->address), node_hash(c),
                                        c->verdict.identity ^ scrapejob_receiver_hash(c->job),
                                        c->job_index, c };
        c->slot = fleet_add(x->fleet, &t, &c->owner);
    }
    fleet_settle(x->fleet, NULL, NULL);
    for (size_t i = 0; i < n; i++) {
        if (kept[i]->served == kept[i]) {
            kept[i]->owner = fleet_owner(x->fleet, kept[i]->slot);
        }
    }
    mem_free(kept);
}

static int make_fleet(struct explanation *x, struct err *err)
{
    const struct tenant *t = x->tenant;
    struct fleet_options options = { t->strategy, t->fallback, t->is_v0 };

    int rc = fleet_new(&options, &x->fleet, err);
    if (rc == 0) {
        fleet_set_collectors(x->fleet, t->collectors.v, t->collectors.n, NULL, NULL);
    }
    return rc;
}

/* ---- output */

static void print_label(const struct explanation *x, const char *indent, struct span name,
                        struct span value)
{
    AUTO_BUF text;

    buf_init(&text, LIMIT_LABEL_VALUE * 8);
    buf_add_json(&text, value);
    fprintf(x->io->out, "%s%.*s = %s\n", indent, SPAN_ARG(name), text.p);
}

static void remember(struct explanation *x)
{
    label_builder_clear(&x->before);
    for (size_t i = 0; i < x->lb.n; i++) {
        label_builder_append(&x->before, x->lb.v[i].name, x->lb.v[i].value);
    }
}

/* What is different from what was remembered; true when anything is. */
static bool print_changes(struct explanation *x)
{
    bool has_changed = false;

    label_builder_sort(&x->lb);
    label_builder_sort(&x->before);
    for (size_t i = 0; i < x->before.n; i++) {
        if (label_builder_get(&x->lb, x->before.v[i].name).len == 0) {
            fprintf(x->io->out, "      - %s\n", x->before.v[i].name->text);
            has_changed = true;
        }
    }
    for (size_t i = 0; i < x->lb.n; i++) {
        struct span old = label_builder_get(&x->before, x->lb.v[i].name);
        if (!span_eq(old, x->lb.v[i].value)) {
            print_label(x, old.len == 0 ? "      + " : "      ~ ", str_span(x->lb.v[i].name),
                        x->lb.v[i].value);
            has_changed = true;
        }
    }
    return has_changed;
}

static void print_seeds(struct explanation *x, const struct scrapejob *job)
{
    bool has_title = false;

    for (size_t i = 0; i < job->n_seeds; i++) {
        if (label_builder_get(&x->lb, job->seeds[i].name).len > 0 || job->seeds[i].value.len == 0) {
            continue;
        }
        if (!has_title) {
            fprintf(x->io->out, "  added from the scrape config:\n");
            has_title = true;
        }
        print_label(x, "    ", str_span(job->seeds[i].name), job->seeds[i].value);
        label_builder_set(&x->lb, job->seeds[i].name, job->seeds[i].value);
    }
}

static void print_rules(struct explanation *x, const struct scrapejob *job)
{
    size_t n = job->rules == NULL ? 0 : relabel_count(job->rules);

    for (size_t i = 0; i < n; i++) {
        fprintf(x->io->out, "  rule %zu: %s\n", i, relabel_describe(job->rules, i));
        remember(x);
        if (relabel_run_one(job->rules, i, &x->lb) == RELABEL_DROP) {
            fprintf(x->io->out, "      dropped\n");
            return;
        }
        if (!print_changes(x)) {
            fprintf(x->io->out, "      no change\n");
        }
    }
}

static void print_verdict(const struct explanation *x, const struct candidate *c)
{
    if (c->verdict.kind == VERDICT_DROPPED) {
        fprintf(x->io->out, "  => dropped by rule %zu\n", c->verdict.rule);
        return;
    }
    if (c->verdict.kind == VERDICT_INVALID) {
        fprintf(x->io->out, "  => not usable: %s\n", c->verdict.reason);
        return;
    }
    fprintf(x->io->out, "  => kept, identity %016llx", (unsigned long long)c->verdict.identity);
    if (c->served != c) {
        fprintf(x->io->out, ", the same as %.*s before it, which is served\n",
                SPAN_ARG(c->served->address));
        return;
    }
    if (c->owner == FLEET_NONE) {
        fprintf(x->io->out, ", no collector (%s, %zu collectors)\n", fleet_strategy(x->fleet),
                fleet_collectors(x->fleet));
        return;
    }
    fprintf(x->io->out, ", collector %.*s (%s)\n",
            SPAN_ARG(fleet_collector_name(x->fleet, c->owner)), fleet_strategy(x->fleet));
}

static void print_candidate(struct explanation *x, const struct candidate *c)
{
    const struct sdconfig *section = &c->job->sds[c->section];

    fprintf(x->io->out, "%sjob %.*s", x->n_shown++ > 0 ? "\n" : "", SPAN_ARG(c->job->name));
    if (x->tenant->name.len > 0) {
        fprintf(x->io->out, " of %.*s%s%.*s", SPAN_ARG(x->tenant->ns),
                x->tenant->ns.len > 0 ? "/" : "", SPAN_ARG(x->tenant->name));
    }
    fprintf(x->io->out, ", target %.*s\n  from %s[%zu]%s%.*s\n  discovered labels:\n",
            SPAN_ARG(c->address), section->section, section->index, c->source.len > 0 ? " " : "",
            SPAN_ARG(c->source));
    for (size_t i = 0; i < c->n_labels; i++) {
        print_label(x, "    ", str_span(c->labels[i].name), c->labels[i].value);
    }
    if (c->job->filter == SCRAPE_FILTER_RELABEL) {
        set_labels(&x->lb, c);
        print_seeds(x, c->job);
        if (c->job->disable_sharding) { /* as the verdict does: rules that shard let everything pass
                                         */
            label_builder_set(&x->lb, strpool_intern(x->pool, SPAN_LIT("__tmp_disable_sharding")),
                              SPAN_LIT("true"));
        }
        print_rules(x, c->job);
    }
    print_verdict(x, c);
}

static bool is_asked_for(const struct explanation *x, const struct candidate *c)
{
    if (x->o->job != NULL && !span_is(c->job->name, x->o->job)) {
        return false;
    }
    return x->o->target == NULL || span_is(c->address, x->o->target) ||
           span_is(c->final_address, x->o->target);
}

/* ---- command */

static int explain_tenant(struct explanation *x)
{
    struct err err = { 0 };
    int code = EXIT_OK;

    if (make_fleet(x, &err) < 0) {
        fprintf(x->io->errout, "otel-ta: %s\n", err.text);
        return EXIT_FAULTS;
    }
    for (uint32_t i = 0; code == EXIT_OK && i < x->tenant->jobs.n; i++) {
        code = collect_job(x, i);
    }
    if (code == EXIT_OK) {
        assign(x);
        vec_each(&x->all, c) {
            if (is_asked_for(x, *c)) {
                print_candidate(x, *c);
            }
        }
    }
    vec_fini(&x->all);
    fleet_free(&x->fleet);
    return code;
}

/* Nothing was printed: there is no such job, or no such target in it, or no target at all. */
static void report_nothing(struct explanation *x, const struct input *input)
{
    const struct tenants *tenants = &input->tenants;
    const char *job = x->o->job;
    size_t n = 0, n_jobs = 0;

    for (size_t i = 0; i < tenants->n; i++) {
        n_jobs += tenants->v[i]->jobs.n;
    }
    const char **names = mem_array(n_jobs + 1, sizeof(*names));
    bool is_known = job == NULL;
    for (size_t i = 0; i < tenants->n; i++) {
        for (size_t k = 0; k < tenants->v[i]->jobs.n; k++) {
            struct span name = tenants->v[i]->jobs.v[k]->name;
            names[n++] = arena_strndup(&x->arena, name.p, name.len);
            is_known = is_known || span_is(name, job);
        }
    }
    names[n] = NULL;
    const char *nearest = is_known ? NULL : walk_nearest(span_of(job), names);
    if (n_jobs == 0 && (is_known || tenants->passed_over.n > 0)) {
        input_report_jobless(input, "otel-ta explain: ", x->io->errout);
    } else if (!is_known) {
        fprintf(x->io->errout, "otel-ta explain: there is no job '%s'%s%s%s\n", job,
                nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
                nearest == NULL ? "" : "'?");
    } else if (x->o->target != NULL) {
        fprintf(x->io->errout, "otel-ta explain: no target '%s' was discovered\n", x->o->target);
    } else {
        fprintf(x->io->errout, "otel-ta explain: no target was discovered\n");
    }
    mem_free(names);
}

int command_explain(const struct options *o, const struct command_io *io)
{
    struct tenants_options options = o->tenants;
    struct input input;

    options.needs_no_collectors = true;
    int code = input_load(&options, input_paths(o), &input, io->errout);
    if (code != EXIT_OK) {
        return code;
    }
    struct explanation x = { .o = o, .io = io, .pool = &input.pool };
    arena_init(&x.arena);
    label_builder_init(&x.lb, x.pool, &x.arena);
    label_builder_init(&x.before, x.pool, &x.arena);
    x.address_name = strpool_intern(x.pool, SPAN_LIT("__address__"));
    for (size_t i = 0; code == EXIT_OK && i < input.tenants.n; i++) {
        x.tenant = input.tenants.v[i];
        code = explain_tenant(&x);
    }
    if (code == EXIT_OK && x.n_shown == 0) {
        report_nothing(&x, &input);
        code = EXIT_FAULTS;
    }
    label_builder_fini(&x.lb);
    label_builder_fini(&x.before);
    arena_fini(&x.arena);
    input_fini(&input);
    return code;
}

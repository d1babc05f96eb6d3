#include "allocator/tenant/receivers.h"

#include "allocator/base/mem.h"
#include "allocator/base/vec.h"
#include "allocator/codec/nodecopy.h"
#include "allocator/codec/nodeedit.h"
#include "allocator/codec/walk.h"
#include "allocator/scrape/scrapefields.h"
#include "allocator/tenant/collectoradvice.h"
#include "allocator/tenant/jobadvice.h"
#include "allocator/tenant/originals.h"
#include "allocator/tenant/wire.h"

bool receivers_is(struct span name)
{
    return span_is(name, WIRE_DEFAULT_RECEIVER) || span_has_prefix(name, WIRE_DEFAULT_RECEIVER "/");
}

void left_jobs_fini(struct left_jobs *left)
{
    vec_each(left, it) {
        mem_free(it->receiver);
        mem_free(it->job);
        mem_free(it->why);
    }
    vec_fini(left);
}

/* What reading the receivers of one CR needs. */
struct reader {
    struct originals originals;
    bool is_unread; /* there is an annotation that nobody can read */
    struct takable takable;
    bool is_served;       /* somebody judges its jobs */
    struct spanmap names; /* of all jobs, by receiver */
    const struct scrape_options *options;
    struct strpool *pool;
    struct arena *arena;
    struct faults *f;
    struct scrapejobs *out;
    struct left_jobs *left; /* or NULL */
};

/* ---- which jobs are taken */

static void leave(const struct reader *r, struct span receiver, struct span job, size_t index,
                  const struct left *left)
{
    size_t mark = faults_push(r->f, "scrape_configs");

    faults_push_index(r->f, index);
    takable_report(left, job, FAULT_WARNING, r->f);
    faults_pop(r->f, mark);
    if (r->left != NULL) {
        *vec_push(r->left) = (struct left_job){ .receiver = mem_strndup(receiver.p, receiver.len),
                                                .job = mem_strndup(job.p, job.len),
                                                .why = takable_sentence(left, job),
                                                .kind = left->kind };
    }
}

/* As the allocator parses it; NULL: it is left. */
static const struct node *take(struct reader *r, struct span receiver, const struct node *job,
                               const struct node *global, size_t index)
{
    const struct node *filled = takable_fill(&r->takable, job);
    struct jobname_written written = { { NULL, 0 } };
    struct left left;

    if (jobname_of(job, &written)) {
        struct jobname_read read = jobname_read(written, r->arena);
        (void)spanmap_put(&r->names, written.text, job);
        (void)spanmap_put(&r->names, read.text, job);
        (void)spanmap_put_in(&r->names, receiver, read.text, job);
    }
    struct span name = written.text;
    bool is_taken = !r->is_served || takable_judge(&r->takable, receiver, filled, global, &left);
    if (r->is_served) {
        size_t mark = faults_push(r->f, "scrape_configs");
        faults_push_index(r->f, index);
        const struct jobadvice about = { name, is_taken, r->takable.needs_nodes };
        jobadvice_give(filled, &about, r->f);
        faults_pop(r->f, mark);
    }
    if (!is_taken) {
        leave(r, receiver, name, index, &left);
        return NULL;
    }
    return takable_readable(&r->takable, filled, global);
}

static bool is_lost(const struct spanmap *lost, const struct node *job, struct arena *arena)
{
    struct jobname_written name;

    return jobname_of(job, &name) && spanmap_has(lost, jobname_read(name, arena).text);
}

/* The list with nothing in place of the jobs that are left. */
static const struct node *take_all(struct reader *r, struct span receiver, const struct node *list,
                                   const struct node *global, const struct spanmap *lost)
{
    if (list == NULL || list->type != NODE_LIST) {
        return list;
    }
    struct node *taken = nodeedit_copy(r->arena, list);
    for (size_t i = 0; i < list->n; i++) {
        const struct node *job = list->items[i];
        if (!node_is_null(job) && !is_lost(lost, job, r->arena)) {
            taken->items[i] = (struct node *)(uintptr_t)take(r, receiver, job, global, i);
        }
    }
    return taken;
}

static void drop_lost(const struct reader *r, const struct spanmap *lost, size_t from)
{
    for (size_t i = from; i < r->out->n;) {
        if (spanmap_has(lost, r->out->v[i]->name)) {
            scrapejobs_refuse(r->out, i, originals_loss(r->out->v[i]->name));
        } else {
            i++;
        }
    }
}

/* The "config" of one receiver, NULL when it has none; 'f' stands there. */
static void read_config(struct reader *r, const struct node_pair *receiver,
                        const struct node *config)
{
    bool strict = r->options->strict;
    struct scrape_globals globals;
    struct spanmap lost;
    size_t from = r->out->n;

    if (config != NULL) {
        schema_check(scrapefields_file, config, strict ? FAULT_ERROR : FAULT_WARNING, r->f);
    }
    collectoradvice_of_config(config, r->f);
    const struct node *written = takable_fill_global(&r->takable, node_get(config, "global"));
    const struct node *global = nodecopy(takable_readable_global(&r->takable, written),
                                         r->options->unescape_dollars, r->arena);
    size_t mark = faults_push(r->f, "global");
    scrape_globals_parse(global, strict, r->f, &globals);
    faults_pop(r->f, mark);
    spanmap_init(&lost, r->arena);
    const struct node *found = node_get(config, "scrape_configs");
    mark = faults_push(r->f, "scrape_configs");
    bool is_template = takable_is_template(found, FAULT_WARNING, r->f);
    faults_pop(r->f, mark);
    size_t n_errors = r->f->n_errors;
    const struct node *list =
        originals_put_back(&r->originals, receiver, is_template ? NULL : found, r->f, &lost);
    r->out->n_errors += r->f->n_errors - n_errors;
    const struct node *taken = take_all(r, receiver->key->text, list, written, &lost);
    struct scrape_options options = *r->options;
    options.receiver = receiver->key->text;
    scrapejobs_parse(taken, &globals, &options, r->pool, r->f, r->out);
    drop_lost(r, &lost, from);
    spanmap_fini(&lost);
}

/* Its jobs may all be in the annotation: that there are none is not to be believed. */
static void check_block(const struct reader *r, const struct node *receiver)
{
    const struct node *block = node_get(receiver, "target_allocator");

    if (r->is_unread && originals_is_our_block(block, r->arena)) {
        size_t mark = faults_push(r->f, "target_allocator");
        faults_add(r->f, FAULT_ERROR, block->line, "%s", ORIGINALS_BLOCK_LOSS);
        faults_pop(r->f, mark);
    }
}

static void read_receiver(struct reader *r, const struct node_pair *pair)
{
    const struct node *config = NULL;

    if (node_is_null(pair->value) || takable_is_template(pair->value, FAULT_WARNING, r->f)) {
        return;
    }
    if (pair->value->type != NODE_MAP) {
        faults_add(r->f, FAULT_ERROR, pair->value->line, "must be a mapping, not %s",
                   node_type_name(pair->value));
        return;
    }
    check_block(r, pair->value);
    const struct node *written = node_get(pair->value, "config");
    size_t mark = faults_push(r->f, "config");
    bool is_template = takable_is_template(written, FAULT_WARNING, r->f);
    faults_pop(r->f, mark);
    if (is_template ||
        (!walk_map(pair->value, "config", r->f, &config) && !node_is_null(written))) {
        return;
    }
    mark = faults_push(r->f, "config");
    read_config(r, pair, config);
    faults_pop(r->f, mark);
}

static void read_receivers(struct reader *r, const struct node *receivers)
{
    size_t mark = faults_push(r->f, "receivers");

    for (size_t i = 0; i < receivers->n; i++) {
        const struct node_pair *pair = &receivers->pairs[i];
        if (receivers_is(pair->key->text)) {
            size_t inner = faults_push(r->f, "%.*s", SPAN_ARG(pair->key->text));
            read_receiver(r, pair);
            faults_pop(r->f, inner);
        }
    }
    faults_pop(r->f, mark);
}

/* ---- the Collector */

/* Its lines are those of a text that nobody sees.
 * NOLINTNEXTLINE(misc-no-recursion): documents are at most LIMIT_DEPTH deep. */
static void forget_lines(struct node *n)
{
    n->line = 0;
    for (size_t i = 0; n->type == NODE_LIST && i < n->n; i++) {
        forget_lines(n->items[i]);
    }
    for (size_t i = 0; n->type == NODE_MAP && i < n->n; i++) {
        n->pairs[i].key->line = 0;
        forget_lines(n->pairs[i].value);
    }
}

/* An unreadable one costs the jobs whose originals it has, one of a newer version the Collector. */
static int read_annotation(const struct collector *c, struct arena *arena, struct faults *f,
                           struct node **out)
{
    struct span json;
    struct err err;
    int rc = collector_annotation(c, arena, out, &json, &err);

    if (rc < 0) {
        collector_report_annotation(c, rc, &err,
                                    rc == ERR_UNSUPPORTED ? FAULT_ERROR : FAULT_WARNING, f);
    } else if (*out != NULL) {
        forget_lines(*out);
    }
    return rc;
}

static void read_collector(struct reader *r, const struct collector *c)
{
    const struct node *receivers = NULL, *written = node_get(c->config, "receivers");
    size_t mark = faults_push(r->f, "spec");

    faults_push(r->f, "config");
    spanmap_init(&r->names, r->arena);
    size_t inner = faults_push(r->f, "receivers");
    bool is_template = takable_is_template(written, FAULT_WARNING, r->f);
    faults_pop(r->f, inner);
    if (!is_template && walk_map(c->config, "receivers", r->f, &receivers)) {
        read_receivers(r, receivers);
    }
    faults_pop(r->f, mark);
    if (r->is_served) {
        takable_report_strangers(&r->takable, &r->names, r->f);
    }
    spanmap_fini(&r->names);
}

bool receivers_jobs(const struct collector *c, const struct receivers_options *options,
                    struct strpool *pool, struct faults *f, struct scrapejobs *out,
                    struct left_jobs *out_left)
{
    struct node *annotation = NULL;
    struct scrape_options own = options->scrape;
    struct regex_budget patterns = regex_budget_new();
    struct collector opened = *c;
    struct arena arena, judged;
    struct label_builder labels;
    struct reader r = { .options = &own,
                        .is_served = collector_is_served(c),
                        .pool = pool,
                        .arena = &arena,
                        .f = f,
                        .out = out,
                        .left = out_left };

    own.unescape_dollars = true;
    own.patterns = &patterns; /* of all receivers together */
    own.labels = &labels;
    arena_init(&arena);
    arena_init(&judged);
    label_builder_init(&labels, pool, &judged);
    int rc = read_annotation(c, &arena, f, &annotation);
    bool is_usable = rc != ERR_UNSUPPORTED && c->name.len > 0;
    r.is_unread = rc < 0;
    takable_init(&r.takable, c, &options->takable, &arena);
    if (collector_open_config(&opened, &arena, FAULT_ERROR, f) == 0 && is_usable) {
        originals_init(&r.originals, annotation, &arena);
        read_collector(&r, &opened);
        originals_fini(&r.originals);
    }
    label_builder_fini(&labels);
    arena_fini(&judged);
    arena_fini(&arena);
    return is_usable;
}

#include "allocator/engine/explain.h"

#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/discovery/targetgroup.h"
#include "allocator/engine/state_fields.h"

#include <stdlib.h>

struct holding { /* what one source brought */
    struct table_node node;
    uint64_t want;
    struct arrival *arrival; /* the last that could be read; NULL: none could */
    char *source;
    char *fault; /* of the last that came and could not; NULL: it could */
    bool has_failed;
};

struct explain {
    struct state *state;
    struct table holdings;
    struct sd_batch batch;  /* of the source that is looked at */
    struct sd_batch served; /* of the one target that is served in place of another */
};

struct explain *explain_new(struct state *s)
{
    struct explain *x = mem_zalloc(sizeof(*x));

    x->state = s;
    table_init(&x->holdings);
    sd_batch_init(&x->batch, &s->pool);
    sd_batch_init(&x->served, &s->pool);
    return x;
}

static void free_holding(struct holding *h)
{
    arrival_free(&h->arrival);
    mem_free(h->source);
    mem_free(h->fault);
    mem_free(h);
}

static struct holding *next_holding(const struct explain *x, struct holding *h)
{
    struct table_node *node = table_next(&x->holdings, h == NULL ? NULL : &h->node);

    return node == NULL ? NULL : CONTAINER_OF(node, struct holding, node);
}

void explain_free(struct explain **explain)
{
    struct explain *x = *explain;

    if (x == NULL) {
        return;
    }
    for (struct holding *h = next_holding(x, NULL), *next; h != NULL; h = next) {
        next = next_holding(x, h);
        free_holding(h);
    }
    table_fini(&x->holdings);
    sd_batch_fini(&x->batch);
    sd_batch_fini(&x->served);
    mem_free(x);
    *explain = NULL;
}

/* ---- arrivals */

/* 'a' is for the section; NULL: the section says it all itself. */
static struct provider_input input_of(const struct sdconfig *section, const struct arrival *a)
{
    struct provider_input in = { .section = section };

    if (a != NULL) {
        in.source = span_of(a->source);
        in.body = span_make(a->body, a->body_len);
    }
    return in;
}

static int digest(const struct provider_input *in, struct sd_batch *out, struct err *err)
{
    sd_batch_reset(out);
    return provider_find(in->section)->digest(in, out, err);
}

static bool is_holding(const struct table_node *node, const void *key)
{
    const struct holding *h = CONTAINER_OF(node, struct holding, node);
    const struct arrival *a = key;

    return h->want == a->want && strcmp(h->source, a->source) == 0;
}

static struct holding *need_holding(struct explain *x, const struct arrival *a)
{
    uint64_t hash = hash_mix(hash_fast(span_of(a->source)) + a->want);
    struct table_node *node = table_find(&x->holdings, hash, is_holding, a);

    if (node != NULL) {
        return CONTAINER_OF(node, struct holding, node);
    }
    struct holding *h = mem_zalloc(sizeof(*h));
    h->want = a->want;
    h->source = mem_strdup(a->source);
    table_put(&x->holdings, &h->node, hash);
    return h;
}

static void hold(struct explain *x, const struct want_entry *e, struct arrival **a)
{
    const struct want_user *first = &e->users.v[0];
    struct holding *h = need_holding(x, *a);
    const struct provider_input in = input_of(&first->job->config->sds[first->section], *a);
    struct err err;

    h->has_failed = false;
    mem_free(h->fault);
    h->fault = NULL;
    if (digest(&in, &x->batch, &err) < 0) {
        h->fault = mem_strdup(err.text);
        return;
    }
    arrival_free(&h->arrival);
    h->arrival = *a;
    *a = NULL;
}

static void drop(struct explain *x, const struct arrival *a)
{
    struct holding *h = need_holding(x, a);

    table_del(&x->holdings, &h->node);
    free_holding(h);
}

void explain_arrive(struct explain *x, struct arrival **a)
{
    const struct want_entry *e = wants_find(&x->state->wants, (*a)->want);

    state_arrive(x->state, *a);
    if (e == NULL) {
        arrival_free(a);
        return;
    }
    switch ((*a)->status) {
    case ARRIVAL_OK:
        hold(x, e, a);
        break;
    case ARRIVAL_VANISHED:
        drop(x, *a);
        break;
    case ARRIVAL_FAILED:
        if ((*a)->source != NULL) {
            need_holding(x, *a)->has_failed = true;
        }
        break;
    case ARRIVAL_BLIND:
    case ARRIVAL_SIGHTED:
    case ARRIVAL_SETTLED:
        break;
    }
    arrival_free(a);
}

/* ---- which source serves which section */

struct place {
    const struct job *job;
    uint32_t section;
    const struct holding *holding; /* NULL: nothing is asked, or */
    uint64_t joined;               /* the state has the objects: the want; else 0 */
};
typedef VEC(struct place) place_list;

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->job != y->job) {
        return x->job->row < y->job->row ? -1 : 1;
    }
    if (x->section != y->section) {
        return x->section < y->section ? -1 : 1;
    }
    return x->holding == NULL || y->holding == NULL
               ? 0
               : strcmp(x->holding->source, y->holding->source);
}

static const struct tenancy *find_tenancy(const struct state *s, struct span ns, struct span name)
{
    for (size_t i = 0; i < s->tenancies.n; i++) {
        const struct tenancy *t = s->tenancies.v[i];
        if (tenant_compare(t->ns, t->name, ns, name) == 0) {
            return t;
        }
    }
    return NULL;
}

/* In force: not one that is served until another can be. */
static bool has_job(const struct tenancy *t, const struct job *j)
{
    return j->fleet == t->fleet && j->handover.to == NULL;
}

/* The sections that use a want, with what one source brought or with what the state has of it. */
static void add_users(const struct tenancy *t, const struct want_entry *e, const struct holding *h,
                      uint64_t joined, place_list *out)
{
    for (size_t i = 0; e != NULL && i < e->users.n; i++) {
        const struct want_user *user = &e->users.v[i];
        if (has_job(t, user->job)) {
            *vec_push(out) = (struct place){ user->job, user->section, h, joined };
        }
    }
}

/* Those of the jobs in force of one tenant, in their order. */
static void find_places(const struct explain *x, const struct tenancy *t, place_list *out)
{
    vec_each(&t->jobs, place) {
        const struct job *j = *place;
        for (uint32_t i = 0; i < j->config->n_sds; i++) {
            const struct provider_ops *ops = provider_find(&j->config->sds[i]);
            if (ops != NULL && ops->carrier == CARRIER_NONE) {
                *vec_push(out) = (struct place){ j, i, NULL, 0 };
            }
        }
    }
    for (struct holding *h = next_holding(x, NULL); h != NULL; h = next_holding(x, h)) {
        add_users(t, wants_find(&x->state->wants, h->want), h, 0, out);
    }
    for (struct table_node *node = table_next(&x->state->wants.by_id, NULL); node != NULL;
         node = table_next(&x->state->wants.by_id, node)) {
        const struct want_entry *e = CONTAINER_OF(node, struct want_entry, by_id);
        if (e->ops->carrier == CARRIER_JOIN) {
            add_users(t, e, NULL, e->id, out);
        }
    }
    if (out->n > 1) {
        qsort(out->v, out->n, sizeof(*out->v), compare_places);
    }
}

/* ---- the steps of a verdict */

struct tracing {
    struct explain *x;
    const struct explain_question *question;
    explain_target_fn *fn;
    void *arg;
    struct arena arena; /* of one target */
    struct label_builder lb;
    struct labels before; /* the last thing that was looked at */
    struct explain_step *steps;
    struct explain_target out;
};

static struct labels sorted_copy(struct tracing *t, const struct label_builder *lb)
{
    struct label *v = arena_alloc(&t->arena, (lb->n + 1) * sizeof(*v));

    if (lb->n > 0) {
        memcpy(v, lb->v, lb->n * sizeof(*v));
        labels_sort(v, lb->n);
    }
    return (struct labels){ v, lb->n };
}

static int compare_names(const struct label *a, const struct label *b)
{
    return span_cmp(str_span(a->name), str_span(b->name));
}

/* What tells 'after' from 'before', both by name. */
static size_t compare_labels(struct labels before, struct labels after, struct explain_change *out)
{
    size_t n = 0, i = 0, k = 0;

    while (i < before.n || k < after.n) {
        int c = i == before.n ? 1 : k == after.n ? -1 : compare_names(&before.v[i], &after.v[k]);
        struct explain_change change = { .name = c <= 0 ? before.v[i].name : after.v[k].name };
        change.before = c <= 0 ? before.v[i].value : SPAN_LIT("");
        change.after = c >= 0 ? after.v[k].value : SPAN_LIT("");
        if (!span_eq(change.before, change.after)) {
            out[n++] = change;
        }
        i += c <= 0;
        k += c >= 0;
    }
    return n;
}

static int compare_changes(const void *a, const void *b)
{
    const struct explain_change *x = a, *y = b;

    if ((x->after.len == 0) != (y->after.len == 0)) {
        return x->after.len == 0 ? -1 : 1;
    }
    return span_cmp(str_span(x->name), str_span(y->name));
}

/* Since the last look, those that remove a label first. */
static struct explain_change *find_changes(struct tracing *t, const struct label_builder *lb,
                                           size_t *out_n)
{
    struct labels now = sorted_copy(t, lb);
    struct explain_change *changes =
        arena_alloc(&t->arena, (t->before.n + now.n + 1) * sizeof(*changes));

    *out_n = compare_labels(t->before, now, changes);
    if (*out_n > 1) {
        qsort(changes, *out_n, sizeof(*changes), compare_changes);
    }
    return changes;
}

static void note_seeds(void *arg, const struct label_builder *lb)
{
    struct tracing *t = arg;
    size_t n;
    const struct explain_change *changes = find_changes(t, lb, &n);
    struct explain_seed *seeds = arena_alloc(&t->arena, (n + 1) * sizeof(*seeds));

    for (size_t i = 0; i < n; i++) {
        const struct label label = { changes[i].name, changes[i].after };
        seeds[i] =
            (struct explain_seed){ label, scrapejob_is_default_seed(&label) &&
                                              !relabel_mentions(t->out.job->rules, label.name) };
    }
    t->out.seeds = seeds;
    t->out.n_seeds = n;
}

static void note_before(void *arg, size_t rule, const struct label_builder *lb)
{
    struct tracing *t = arg;

    (void)rule;
    t->before = sorted_copy(t, lb);
}

static void note_step(void *arg, size_t rule, enum relabel_outcome outcome,
                      struct label_builder *lb)
{
    struct tracing *t = arg;
    struct explain_step *step = &t->steps[t->out.n_steps++];

    *step = (struct explain_step){ .rule = rule,
                                   .description = relabel_describe(t->out.job->rules, rule),
                                   .outcome = outcome };
    step->changes = find_changes(t, lb, &step->n_changes);
    if (outcome == RELABEL_KEEP && step->n_changes == 0) {
        step->idle = relabel_idle(t->out.job->rules, rule, lb);
    }
}

/* ---- one target */

/* As they came, empty ones too. */
static void list_labels(struct tracing *t, const struct sd_group *g, struct span address)
{
    struct label *v = arena_alloc(&t->arena, (g->shape->n + 1) * sizeof(*v));
    size_t n = 0;

    for (uint32_t i = 0; i < g->shape->n; i++) {
        v[n++] = (struct label){ g->shape->fields[i].name, g->values[i] };
    }
    v[n++] = (struct label){ t->x->batch.address, address };
    labels_sort(v, n);
    t->out.labels = v;
    t->out.n_labels = n;
}

static void reach(struct tracing *t, const struct sd_group *g, struct span address)
{
    const struct scrapejob *job = t->out.job;
    const struct verdict_watch watch = { note_seeds, note_before, note_step, t };
    size_t n_rules = job->rules == NULL ? 0 : relabel_count(job->rules);

    t->steps = arena_alloc(&t->arena, (n_rules + 1) * sizeof(*t->steps));
    t->out.steps = t->steps;
    sd_batch_labels(&t->x->batch, g, address, true, &t->lb);
    t->before = sorted_copy(t, &t->lb);
    verdict_watch(job, &t->lb, &watch, &t->out.verdict);
    t->out.final_address = label_builder_get(&t->lb, t->x->batch.address);
    struct labels final = sorted_copy(t, &t->lb);
    t->out.final_labels = final.v;
    t->out.n_final_labels = final.n;
}

static int compare_indices(const void *key, const void *item)
{
    uint32_t index = *(const uint32_t *)key, its = (*(struct target *const *)item)->index;

    return (index > its) - (index < its);
}

/* What the state has of the target at this place of a source; NULL: nothing. */
static const struct target *find_target(const struct place *p, struct span source, uint32_t index)
{
    const struct source *s = job_find_source(p->job, p->section, source);
    struct target *const *found =
        s == NULL || s->n == 0
            ? NULL
            : bsearch(&index, s->targets, s->n, sizeof(struct target *), compare_indices);

    return found == NULL ? NULL : *found;
}

/* As it is served: the first text of the first list of its group. */
static struct span address_of(struct tracing *t, const struct target *target)
{
    struct sd_batch *batch = &t->x->served;
    struct buf text;

    buf_init(&text, SIZE_MAX / 2);
    buf_add_char(&text, '[');
    buf_add_span(&text, span_from(span_make(target->own, target->own_len), 1));
    buf_add(&text, target->tail->text, target->tail->len);
    buf_add_char(&text, ']');
    struct span copy = arena_span(&t->arena, buf_span(&text));
    buf_fini(&text);
    sd_batch_reset(batch);
    if (targetgroup_parse_json(copy, NULL, batch, NULL) < 0 || batch->groups.n == 0) {
        return SPAN_LIT("");
    }
    return batch->groups.v[0].targets[0];
}

static void find_owner(struct tracing *t, const struct place *p, uint32_t index)
{
    struct explain_target *out = &t->out;
    const struct target *target = find_target(p, out->source, index);
    const struct job *j = p->job;

    if (target == NULL) {
        out->verdict =
            (struct verdict){ .kind = VERDICT_INVALID, .reason = "it is too big to be served" };
        return;
    }
    out->verdict.identity = target_identity(target);
    const struct target *head = job_find_head(j, target_identity(target));
    out->is_served = head == target;
    if (!out->is_served) {
        out->served = address_of(t, head);
        return;
    }
    out->served = out->address;
    uint32_t owner = fleet_owner(j->fleet, target->slot);
    if (owner != FLEET_NONE) {
        out->owner = fleet_collector_name(j->fleet, owner);
    }
}

static bool is_asked_for(const struct tracing *t)
{
    struct span wanted = t->question->target;

    return wanted.p == NULL || span_eq(t->out.address, wanted) ||
           span_eq(t->out.final_address, wanted);
}

static void trace_target(struct tracing *t, const struct place *p, const struct sd_group *g,
                         struct span address, uint32_t index)
{
    const struct job *j = p->job;
    struct explain_target frame = t->out; /* what all targets of the source have */

    arena_reset(&t->arena);
    t->out.address = address;
    list_labels(t, g, address);
    reach(t, g, address);
    if (is_asked_for(t)) {
        t->out.strategy = fleet_strategy(j->fleet);
        t->out.n_collectors = fleet_collectors(j->fleet);
        if (t->out.verdict.kind == VERDICT_KEPT) {
            find_owner(t, p, index);
        }
        t->fn(t->arg, &t->out);
    }
    t->out = frame;
}

struct source_tracing {
    struct tracing *t;
    const struct place *place;
};

static void trace_source(void *arg, const struct provider_input *in)
{
    const struct source_tracing *s = arg;
    struct sd_batch *batch = &s->t->x->batch;
    uint32_t index = 0;

    s->t->out.source = in->source;
    bool is_known = job_find_source(s->place->job, s->place->section, in->source) != NULL;
    if (!is_known || digest(in, batch, NULL) < 0) {
        return; /* a job that is new waits until the source is read once more */
    }
    vec_each(&batch->groups, g) {
        for (uint32_t i = 0; i < g->n_targets; i++) {
            trace_target(s->t, s->place, g, g->targets[i], index++);
        }
    }
}

static void trace_object(void *arg, struct span name, const struct role_input *object)
{
    const struct source_tracing *s = arg;
    const struct provider_input in = { .section = s->t->out.section,
                                       .source = name,
                                       .object = object };

    if (object != NULL) {
        trace_source(arg, &in);
    }
}

static void trace_place(struct tracing *t, const struct place *p)
{
    const struct arrival *a = p->holding == NULL ? NULL : p->holding->arrival;
    struct source_tracing s = { t, p };

    t->out.job = p->job->config;
    t->out.section = &p->job->config->sds[p->section];
    if (p->joined != 0) {
        joins_show(&t->x->state->joins, p->joined, trace_object, &s);
    } else if (p->holding == NULL || a != NULL) {
        const struct provider_input in = input_of(t->out.section, a);
        trace_source(&s, &in);
    }
}

void explain_targets(struct explain *x, const struct explain_question *q, explain_target_fn *fn,
                     void *arg)
{
    const struct tenancy *tenancy = find_tenancy(x->state, q->ns, q->name);
    struct tracing t = { .x = x, .question = q, .fn = fn, .arg = arg };
    place_list places = { 0 };

    if (tenancy == NULL) {
        return;
    }
    t.out = (struct explain_target){ .ns = tenancy->ns, .name = tenancy->name };
    arena_init(&t.arena);
    label_builder_init(&t.lb, &x->state->pool, &t.arena);
    find_places(x, tenancy, &places);
    vec_each(&places, p) {
        if (q->job.p == NULL || span_eq(p->job->config->name, q->job)) {
            trace_place(&t, p);
        }
    }
    vec_fini(&places);
    label_builder_fini(&t.lb);
    arena_fini(&t.arena);
}

/* ---- what is missing */

/* By row of a job: its sections that have not been answered, or not in time. */
static size_t *count_missing(const struct state *s)
{
    size_t *counts = mem_array(s->jobs.n + 1, sizeof(*counts));

    memset(counts, 0, (s->jobs.n + 1) * sizeof(*counts));
    for (struct table_node *node = table_next(&s->wants.by_id, NULL); node != NULL;
         node = table_next(&s->wants.by_id, node)) {
        const struct want_entry *e = CONTAINER_OF(node, struct want_entry, by_id);
        for (size_t i = 0; e->n_asked + e->n_late > 0 && i < e->users.n; i++) {
            const struct job *j = e->users.v[i].job;
            counts[j->row] += j->handover.to == NULL;
        }
    }
    return counts;
}

/* 'p' is the first place of the job, if it has any; gives the first of the next job. */
static const struct place *tell_job(const struct job *j, size_t n_missing, const struct place *p,
                                    const struct place *end, explain_job_fn *fn, void *arg)
{
    struct explain_job out = { .job = j->config, .n_missing = n_missing };
    VEC(const char *) faults = { 0 };
    struct arena arena;

    arena_init(&arena);
    for (; p < end && p->job == j; p++) {
        const struct holding *h = p->holding;
        out.n_failed += h != NULL && h->has_failed;
        if (h != NULL && h->fault != NULL) {
            *vec_push(&faults) = arena_printf(&arena, "%s: %s", h->source, h->fault);
        }
    }
    out.faults = faults.v;
    out.n_faults = faults.n;
    fn(arg, &out);
    vec_fini(&faults);
    arena_fini(&arena);
    return p;
}

void explain_jobs(struct explain *x, struct span ns, struct span name, explain_job_fn *fn,
                  void *arg)
{
    const struct tenancy *t = find_tenancy(x->state, ns, name);
    place_list places = { 0 };

    if (t == NULL) {
        return;
    }
    size_t *n_missing = count_missing(x->state);
    find_places(x, t, &places);
    const struct place *p = places.v, *end = p + places.n;
    vec_each(&t->jobs, j) {
        p = tell_job(*j, n_missing[(*j)->row], p, end, fn, arg);
    }
    vec_fini(&places);
    mem_free(n_missing);
}

#include "webhook/rewrite/kept.h"

#include "webhook/rewrite/annotations.h"

#include "allocator/base/limits.h"
#include "allocator/codec/nodeedit.h"
#include "allocator/codec/spanmap.h"

#define MAX_NAMES 8 /* a sentence does not need more */

/* ---- names for people */

struct names {
    struct buf out;
    size_t n;
};

static void names_init(struct names *names, struct arena *arena)
{
    names->n = 0;
    buf_init_in(&names->out, arena, LIMIT_DOCUMENT_BYTES);
}

/* No job: all of the receiver. */
static void add_name(struct names *names, struct span receiver, struct span job)
{
    struct buf *out = &names->out;

    if (++names->n > MAX_NAMES) {
        return;
    }
    buf_add_str(out, names->n > 1 ? ", " : "");
    if (job.p != NULL) {
        buf_addf(out, "job '%.*s'", SPAN_ARG(job));
    } else {
        buf_addf(out, "all jobs of receiver %.*s", SPAN_ARG(receiver));
    }
    if (job.p != NULL && !span_is(receiver, WIRE_DEFAULT_RECEIVER)) {
        buf_addf(out, " of %.*s", SPAN_ARG(receiver));
    }
}

static struct span names_end(struct names *names)
{
    if (names->n > MAX_NAMES) {
        buf_addf(&names->out, " and %zu more", names->n - MAX_NAMES);
    }
    return buf_span(&names->out);
}

struct span kept_lost_names(const struct plan *plan, struct arena *arena)
{
    struct names names;

    names_init(&names, arena);
    for (size_t i = 0; i < plan->n_receivers; i++) {
        const struct plan_receiver *r = &plan->receivers[i];
        if (r->is_block_lost) {
            add_name(&names, r->name, (struct span){ NULL, 0 });
        }
        for (size_t j = 0; j < r->n_jobs; j++) {
            if (r->jobs[j].is_lost) {
                struct span name = r->jobs[j].name.text;
                add_name(&names, r->name, name.p == NULL ? SPAN_LIT("") : name);
            }
        }
    }
    return names_end(&names);
}

/* ---- which are kept */

struct search {
    const struct plan *plan;
    const struct node *records;
    bool is_restore;
    struct arena *arena;
    struct spanmap jobs; /* of the plan, by receiver and name as it is read */
    struct spanmap used; /* by where it is stored: the job that has it back */
    struct names names;
    struct kept *out;
};

static void index_jobs(struct search *s)
{
    for (size_t i = 0; i < s->plan->n_receivers; i++) {
        const struct plan_receiver *r = &s->plan->receivers[i];
        for (size_t j = 0; j < r->n_jobs; j++) {
            const struct plan_job *job = &r->jobs[j];
            (void)spanmap_put_in(&s->jobs, r->name, jobname_read(job->name, s->arena).text, job);
            if (job->original != NULL) {
                (void)spanmap_put_in(&s->used, job->original->receiver, job->original->job.text,
                                     job);
            }
        }
    }
}

static bool is_kept(const struct search *s, struct span receiver, struct jobname_written name)
{
    const struct plan_job *job =
        spanmap_get_in(&s->jobs, receiver, jobname_read(name, s->arena).text);

    if (spanmap_get_in(&s->used, receiver, name.text) != NULL ||
        (job != NULL && job->sections.n > 0)) {
        return false;
    }
    return s->is_restore || s->plan->n_lost > 0 || job != NULL;
}

/* Adds a member to a tree that is being made: receivers are few. */
static const struct node *with(struct search *s, const struct node *tree, struct span receiver,
                               const char *key, const struct node *value)
{
    const struct node *inner =
        nodeedit_member(s->arena, node_get_span(tree, receiver), span_of(key), value);

    return nodeedit_member(s->arena, tree, receiver, inner);
}

/* The records of those jobs. */
static void keep_records(struct search *s, struct span receiver, const struct spanmap *kept)
{
    const struct node *records = node_get_span(s->records, receiver);
    size_t n = 0;

    if (records == NULL || records->type != NODE_MAP) {
        return;
    }
    struct node_pair *pairs = arena_alloc(s->arena, (records->n + 1) * sizeof(*pairs));
    for (size_t i = 0; i < records->n; i++) {
        if (spanmap_has(kept, records->pairs[i].key->text)) {
            pairs[n++] = records->pairs[i];
        }
    }
    if (n > 0) {
        s->out->records =
            nodeedit_member(s->arena, s->out->records, receiver, nodeedit_map(s->arena, pairs, n));
    }
}

static void keep_jobs(struct search *s, struct span receiver, const struct node *jobs)
{
    struct node_pair *pairs = arena_alloc(s->arena, (jobs->n + 1) * sizeof(*pairs));
    struct spanmap kept;
    size_t n = 0;

    spanmap_init(&kept, NULL);
    for (size_t i = 0; i < jobs->n; i++) {
        const struct jobname_written name = { jobs->pairs[i].key->text };
        if (is_kept(s, receiver, name)) {
            pairs[n++] = jobs->pairs[i];
            (void)spanmap_put(&kept, name.text, jobs);
            add_name(&s->names, receiver, name.text);
        }
    }
    if (n > 0) {
        s->out->receivers =
            with(s, s->out->receivers, receiver, "jobs", nodeedit_map(s->arena, pairs, n));
        keep_records(s, receiver, &kept);
    }
    spanmap_fini(&kept);
}

static const struct plan_receiver *receiver_of(const struct search *s, struct span name)
{
    for (size_t i = 0; i < s->plan->n_receivers; i++) {
        if (span_eq(s->plan->receivers[i].name, name)) {
            return &s->plan->receivers[i];
        }
    }
    return NULL;
}

/* Jobs that block style took whole: they are kept one and all, or not. */
static void keep_list(struct search *s, struct span receiver, const struct node *stored)
{
    const struct node *list = node_get(stored, "scrape_configs");
    const struct plan_receiver *now = receiver_of(s, receiver);
    struct jobname_written name;

    if (list == NULL || list->n == 0 || (now != NULL && now->has_stored_list)) {
        return;
    }
    bool is_list_kept = now != NULL && now->n_jobs == 0; /* nothing has come in their place */
    for (size_t i = 0; i < list->n && !is_list_kept; i++) {
        is_list_kept = jobname_of(list->items[i], &name) && is_kept(s, receiver, name);
    }
    if (!is_list_kept) {
        return;
    }
    const struct node *jobs = node_get(node_get_span(s->out->receivers, receiver), "jobs");
    const struct node *whole = nodeedit_member(
        s->arena, stored, SPAN_LIT("jobs"), jobs == NULL ? nodeedit_map(s->arena, NULL, 0) : jobs);
    s->out->receivers = nodeedit_member(s->arena, s->out->receivers, receiver, whole);
    add_name(&s->names, receiver, (struct span){ NULL, 0 });
    const struct node *record = node_get_span(node_get_span(s->records, receiver), SPAN_LIT(""));
    if (record != NULL) {
        s->out->records = with(s, s->out->records, receiver, "", record);
    }
}

void kept_find(const struct plan *plan, const struct node *annotation, bool is_restore,
               struct arena *arena, struct kept *out)
{
    const struct node *receivers = node_get(annotation, "receivers");
    struct search s = { .plan = plan,
                        .records = node_get(annotation, "text"),
                        .is_restore = is_restore,
                        .arena = arena,
                        .out = out };

    *out = (struct kept){ .receivers = NULL };
    if (receivers == NULL) {
        return;
    }
    spanmap_init(&s.jobs, NULL);
    spanmap_init(&s.used, NULL);
    names_init(&s.names, arena);
    index_jobs(&s);
    for (size_t i = 0; i < receivers->n; i++) {
        const struct node_pair *receiver = &receivers->pairs[i];
        keep_jobs(&s, receiver->key->text, node_get(receiver->value, "jobs"));
        keep_list(&s, receiver->key->text, receiver->value);
    }
    const struct node *empty = node_get(node_get(s.records, ""), ANNOTATIONS_RECORD);
    if (out->receivers != NULL && empty != NULL) {
        out->records = with(&s, out->records, SPAN_LIT(""), ANNOTATIONS_RECORD, empty);
    }
    out->names = names_end(&s.names);
    spanmap_fini(&s.jobs);
    spanmap_fini(&s.used);
}

/* ---- into the new annotation */

/* What 'map' has counts; members that both have are joined likewise, down to 'depth'.
 * NOLINTNEXTLINE(misc-no-recursion): as deep as 'depth' */
static const struct node *join(const struct node *map, const struct node *kept, unsigned depth,
                               struct arena *arena)
{
    struct spanmap theirs;

    if (depth == 0 || map == NULL || map->type != NODE_MAP || kept->type != NODE_MAP) {
        return map == NULL ? kept : map;
    }
    struct node_pair *pairs = arena_alloc(arena, (map->n + kept->n + 1) * sizeof(*pairs));
    size_t n = 0;
    spanmap_init(&theirs, NULL);
    for (size_t i = 0; i < map->n; i++) {
        pairs[n] = map->pairs[i];
        (void)spanmap_put(&theirs, pairs[n].key->text, &pairs[n]);
        n++;
    }
    for (size_t i = 0; i < kept->n; i++) {
        struct node_pair *both = (struct node_pair *)(uintptr_t)spanmap_get_in(
            &theirs, SPAN_LIT(""), kept->pairs[i].key->text);
        if (both == NULL) {
            pairs[n++] = kept->pairs[i];
        } else {
            both->value =
                (struct node *)(uintptr_t)join(both->value, kept->pairs[i].value, depth - 1, arena);
        }
    }
    spanmap_fini(&theirs);
    return nodeedit_map(arena, pairs, n);
}

void kept_join(const struct kept *k, struct arena *arena, struct buf *json)
{
    struct node *root = NULL;
    const struct node *whole;

    if (k->receivers == NULL || buf_error(json) != 0 ||
        node_from_json(arena_span(arena, buf_span(json)), 0, arena, &root, NULL) < 0) {
        return;
    }
    whole = nodeedit_member(arena, root, SPAN_LIT("receivers"),
                            join(node_get(root, "receivers"), k->receivers, 3, arena));
    if (k->records != NULL) {
        whole = nodeedit_member(arena, whole, SPAN_LIT("text"),
                                join(node_get(root, "text"), k->records, 2, arena));
    }
    buf_clear(json);
    node_write_json(whole, json);
}

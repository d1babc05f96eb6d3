#include "allocator/engine/job.h"

#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/metric.h"
#include "allocator/discovery/provider.h"
#include "allocator/discovery/targetnode.h"
#include "allocator/engine/render.h"

#include <assert.h>
#include <stdlib.h>

/* ---- life */

struct job *job_new(struct scrapejob *config, const char *label, struct fleet *fleet,
                    uint32_t fleet_job, struct tails *tails, struct label_builder *labels)
{
    struct job *j = mem_zalloc(sizeof(*j));

    j->config = config;
    j->label = mem_strdup(label);
    j->fleet = fleet;
    j->fleet_job = fleet_job;
    j->receiver_hash = scrapejob_receiver_hash(config);
    j->tails = tails;
    j->labels = labels;
    j->has_news = true;
    table_init(&j->sources);
    table_init(&j->heads);
    pages_init(&j->pages, tails->publisher);
    return j;
}

static void retire_target(struct job *j, struct target *t) ON(engine)
{
    t->slot = FLEET_NONE;
    j->tails->used_bytes -= target_weight(t->own_len);
    tails_unref(j->tails, t->tail);
    publisher_retire(j->tails->publisher, t, mem_size(t), mem_free);
}

/* ---- sources */

struct source_key {
    uint32_t section;
    struct span name;
};

static bool is_source(const struct table_node *node, const void *key)
{
    const struct source *s = CONTAINER_OF(node, struct source, node);
    const struct source_key *k = key;
    return s->section == k->section && span_eq(span_of(s->name), k->name);
}

static uint64_t hash_source(const struct source_key *key)
{
    return hash_mix(hash_fast(key->name) + key->section);
}

struct source *job_find_source(const struct job *j, uint32_t section, struct span name)
{
    struct source_key key = { section, name };
    struct table_node *node = table_find(&j->sources, hash_source(&key), is_source, &key);
    return node == NULL ? NULL : CONTAINER_OF(node, struct source, node);
}

static struct source *need_source(struct job *j, uint32_t section, struct span name)
{
    struct source *s = job_find_source(j, section, name);

    if (s == NULL) {
        struct source_key key = { section, name };
        s = mem_zalloc(sizeof(*s));
        s->job = j;
        s->section = section;
        s->name = mem_strndup(name.p, name.len);
        table_put(&j->sources, &s->node, hash_source(&key));
    }
    return s;
}

static int compare_sources(const struct source *a, const struct source *b)
{
    if (a->section != b->section) {
        return a->section < b->section ? -1 : 1;
    }
    return a == b ? 0 : span_cmp(span_of(a->name), span_of(b->name));
}

static void free_source(struct source *s)
{
    leftover_unref(&s->leftover);
    mem_free(s->targets);
    mem_free(s->name);
    mem_free(s);
}

static void count_source(struct job *j, const struct source *s, bool is_leaving)
{
    const size_t sign = is_leaving ? (size_t)-1 : 1; /* unsigned arithmetic wraps on purpose */

    j->n_discovered += sign * s->n_discovered;
    j->n_dropped += sign * s->n_dropped;
    j->n_invalid += sign * s->n_invalid;
    j->n_kept += sign * s->n;
}

/* ---- chains of targets with one identity */

static bool any_node(const struct table_node *node, const void *key)
{
    (void)node;
    (void)key;
    return true; /* the identity is the hash */
}

struct target *job_find_head(const struct job *j, uint64_t identity)
{
    struct table_node *node = table_find(&j->heads, identity, any_node, NULL);
    return node == NULL ? NULL : CONTAINER_OF(node, struct target, node);
}

static void enter_fleet(struct job *j, struct target *t)
{
    uint32_t owner;

    const struct fleet_target ft = { t->address_hash, t->node_hash,
                                     target_identity(t) ^ j->receiver_hash, j->fleet_job, t };
    t->slot = fleet_add(j->fleet, &ft, &owner);
    pages_add(&j->pages, owner, t);
}

static void leave_fleet(struct job *j, struct target *t)
{
    pages_touch(&j->pages, fleet_owner(j->fleet, t->slot), target_identity(t));
    fleet_remove(j->fleet, t->slot);
    t->slot = FLEET_NONE;
}

/* 'to' is served instead of 'from', whose identity it has. It keeps the owner unless its address or
 * node say otherwise. */
static void replace_head(struct job *j, struct target *from, struct target *to)
{
    table_del(&j->heads, &from->node);
    table_put(&j->heads, &to->node, to->node.hash);
    if (from->address_hash != to->address_hash) {
        leave_fleet(j, from);
        enter_fleet(j, to);
        return;
    }
    uint32_t slot = from->slot;
    pages_touch(&j->pages, fleet_owner(j->fleet, slot), target_identity(from));
    from->slot = FLEET_NONE;
    to->slot = slot;
    fleet_replace(j->fleet, slot, to);
    pages_add(&j->pages, fleet_update(j->fleet, slot, to->node_hash), to);
}

/* 'head' is the chain of t's identity or NULL. After those of its own source, before those of
 * later ones. */
static void insert_target(struct job *j, struct target *head, struct target *t)
{
    if (head == NULL) {
        table_put(&j->heads, &t->node, t->node.hash);
        enter_fleet(j, t);
        return;
    }
    if (compare_sources(t->source, head->source) < 0) {
        t->next = head;
        replace_head(j, head, t);
        return;
    }
    while (head->next != NULL && compare_sources(head->next->source, t->source) <= 0) {
        head = head->next;
    }
    t->next = head->next;
    head->next = t;
}

/* Takes 't' out of its chain; with 'instead' (may be NULL) in its place. */
static void remove_target(struct job *j, struct target *t, struct target *instead) ON(engine)
{
    struct target *head = job_find_head(j, target_identity(t));

    assert(head != NULL);
    if (instead != NULL) {
        instead->next = t->next;
    }
    struct target *successor = instead != NULL ? instead : t->next;
    if (head == t && successor == NULL) {
        table_del(&j->heads, &t->node);
        leave_fleet(j, t);
    } else if (head == t) {
        replace_head(j, t, successor);
    } else {
        while (head->next != t) {
            head = head->next;
        }
        head->next = successor;
    }
    retire_target(j, t);
}

/* ---- what a source holds now */

/* Where a shape has the labels that name the node, or SD_NO_FIELD. */
struct node_fields {
    bool is_known;
    uint32_t v[TARGETNODE_LABELS];
};

struct judging {
    struct job *job;
    struct source *source;
    struct reading *reading;
    struct sd_batch *batch; /* of that */
    struct render render;
    struct arena scratch;              /* what relabeling expands, for one target */
    const struct sd_group *tail_group; /* the one whose tail is in 'tail' */
    struct render_tail *tail;        /* its 'kept' is NULL while no target of this reading has it */
    struct node_fields *node_fields; /* by shape */
    struct span node;
    uint64_t node_hash;
    struct target **targets; /* the new list */
    uint32_t n, cap;
    uint32_t index;
    uint32_t next_old; /* of the source's old list: those before it are met, or had lower places */
    size_t n_dropped, n_invalid;
    struct leftover *leftover; /* of this job alone */
};

static void find_node_fields(const struct sd_shape *shape, struct node_fields *out)
{
    out->is_known = true;
    for (size_t k = 0; k < TARGETNODE_LABELS; k++) {
        out->v[k] = SD_NO_FIELD;
        for (uint32_t i = 0; i < shape->n; i++) {
            if (span_is(str_span(shape->fields[i].name), targetnode_labels[k])) {
                out->v[k] = i;
            }
        }
    }
}

static struct span node_of(struct judging *r, const struct sd_group *g)
{
    struct node_fields *fields = &r->node_fields[g->shape->index];
    struct span values[TARGETNODE_LABELS];

    if (!fields->is_known) {
        find_node_fields(g->shape, fields);
    }
    for (size_t k = 0; k < TARGETNODE_LABELS; k++) {
        values[k] = fields->v[k] == SD_NO_FIELD ? SPAN_LIT("") : g->values[fields->v[k]];
    }
    return targetnode_pick(values);
}

static void enter_group(struct judging *r, const struct sd_group *g)
{
    struct span node = node_of(r, g);

    if (!span_eq(node, r->node)) {
        r->node = node;
        r->node_hash = node.len == 0 ? 0 : hash64(node);
    }
}

static void write_tail(struct judging *r, const struct sd_group *g)
{
    if (r->tail_group != g) {
        r->tail_group = g;
        r->tail = render_tail(&r->render, g);
    }
}

static enum verdict_kind judge(struct judging *r, const struct sd_group *g, struct span address,
                               uint64_t *out_identity)
{
    struct label_builder *lb = r->job->labels;
    struct verdict v;

    bool has_rules = r->job->config->rules != NULL; /* nothing else looks at __meta_ labels */

    arena_reset(&r->scratch);
    sd_batch_labels(r->batch, g, address, has_rules, lb);
    verdict_reach(r->job->config, lb, &v);
    *out_identity = v.identity;
    return v.kind;
}

/* Its place among the targets that are not kept. */
static void set_aside(struct judging *r, struct span own, struct span tail)
{
    if (r->reading->is_shared) {
        return;
    }
    if (r->leftover == NULL) {
        r->leftover = leftover_new(false);
    }
    leftover_add(r->leftover, own, tail);
}

/* The target of this source that had the identity and was not met yet. */
static struct target *find_previous(const struct judging *r, struct target *head)
{
    for (; head != NULL; head = head->next) {
        if (head->source == r->source && !head->is_confirmed) {
            return head;
        }
    }
    return NULL;
}

static struct target *make_target(struct judging *r, struct span own, uint64_t identity,
                                  struct span address)
{
    struct target *t = mem_alloc(sizeof(*t) + own.len);

    *t = (struct target){ .node.hash = identity,
                          .tail = r->tail->kept,
                          .source = r->source,
                          .address_hash = hash64(address),
                          .node_hash = r->node_hash,
                          .slot = FLEET_NONE,
                          .own_len = (uint32_t)own.len };
    memcpy(t->own, own.p, own.len);
    tail_ref(t->tail);
    r->job->tails->used_bytes += target_weight(own.len);
    return t;
}

static void confirm(struct judging *r, struct target *t)
{
    t->index = r->index;
    t->is_confirmed = true;
    if (r->n == r->cap) {
        r->cap = r->cap == 0 ? 8 : r->cap * 2;
        r->targets = mem_realloc(r->targets, r->cap * sizeof(struct target *));
    }
    r->targets[r->n++] = t;
}

static void keep(struct judging *r, const struct sd_group *g, struct span address,
                 uint64_t identity) ON(engine)
{
    struct job *j = r->job;
    struct span own = render_own(&r->render, g, address);

    write_tail(r, g);
    if (own.p == NULL || r->tail->text.p == NULL) {
        r->n_invalid++; /* too big to be served */
        set_aside(r, SPAN_LIT(""), SPAN_LIT(""));
        return;
    }
    if (r->tail->kept == NULL) {
        r->tail->kept = tails_intern(j->tails, r->tail->text);
    }
    struct target *head = job_find_head(j, identity), *previous = find_previous(r, head),
                  *t = previous;
    if (t == NULL || t->tail != r->tail->kept || !span_eq(span_make(t->own, t->own_len), own)) {
        t = make_target(r, own, identity, address);
    }
    if (t != previous && previous != NULL) {
        previous->is_confirmed = true; /* is gone: not to be removed again */
        remove_target(j, previous, t);
    } else if (t != previous) {
        insert_target(j, head, t);
    }
    confirm(r, t);
}

/* It is not kept now; other rules may. */
static void drop(struct judging *r, const struct sd_group *g, struct span address)
{
    if (r->reading->is_shared) {
        return;
    }
    struct span own = render_own(&r->render, g, address);
    write_tail(r, g);
    bool is_big = own.p == NULL || r->tail->text.p == NULL;
    set_aside(r, is_big ? SPAN_LIT("") : own, is_big ? SPAN_LIT("") : r->tail->text);
}

/* All targets, for every job that does not keep them all. */
static struct leftover *write_whole(struct sd_batch *batch)
{
    struct leftover *l = leftover_new(true);
    struct render render;

    render_init(&render, batch);
    vec_each(&batch->groups, g) {
        struct span tail = render_tail(&render, g)->text;
        for (uint32_t i = 0; i < g->n_targets; i++) {
            struct span own = render_own(&render, g, g->targets[i]);
            if (own.p != NULL && tail.p != NULL) {
                leftover_add(l, own, tail);
            }
        }
    }
    render_fini(&render);
    leftover_close(l);
    return l;
}

/* What the source has in its place now: what it does not keep. */
static struct leftover *take_leftover(struct judging *r)
{
    struct reading *reading = r->reading;

    if (reading->is_shared && r->n_dropped + r->n_invalid > 0) {
        if (reading->whole == NULL) {
            reading->whole = write_whole(reading->batch);
            leftover_charge(reading->whole, &r->job->tails->used_bytes);
        }
        return leftover_ref(reading->whole);
    }
    if (r->leftover != NULL) {
        leftover_close(r->leftover);
        leftover_charge(r->leftover, &r->job->tails->used_bytes);
    }
    return r->leftover;
}

void reading_fini(struct reading *reading)
{
    leftover_unref(&reading->whole);
}

/* The target that the source had at this place; NULL when none was kept there, or it was met
 * already. */
static struct target *old_target(struct judging *r)
{
    const struct source *s = r->source;

    while (r->next_old < s->n &&
           (s->targets[r->next_old]->is_confirmed || s->targets[r->next_old]->index < r->index)) {
        r->next_old++;
    }
    return r->next_old < s->n && s->targets[r->next_old]->index == r->index
               ? s->targets[r->next_old]
               : NULL;
}

/* Most of a file is as it was. What is written with the same bytes has the same labels, and of the
 * same labels the rules make the same: nothing has to be judged again. Only the head of a chain is
 * taken so: a chain keeps its order by being met in it. */
static bool keep_unchanged(struct judging *r, const struct sd_group *g, struct span address)
    ON(engine)
{
    struct target *t = old_target(r);

    if (t == NULL || t->slot == FLEET_NONE) {
        return false;
    }
    struct span own = render_own(&r->render, g, address);
    if (own.p == NULL || !span_eq(span_make(t->own, t->own_len), own)) {
        return false;
    }
    write_tail(r, g);
    if (t->tail != r->tail->kept &&
        (r->tail->kept != NULL ||
         !span_eq(span_make(t->tail->text, t->tail->len), r->tail->text))) {
        return false;
    }
    r->tail->kept = t->tail;
    confirm(r, t);
    return true;
}

static void read_group(struct judging *r, const struct sd_group *g) ON(engine)
{
    uint64_t identity;

    enter_group(r, g);
    for (uint32_t i = 0; i < g->n_targets; i++, r->index++) {
        if (keep_unchanged(r, g, g->targets[i])) {
            continue;
        }
        enum verdict_kind kind = judge(r, g, g->targets[i], &identity);
        r->n_dropped += kind == VERDICT_DROPPED;
        r->n_invalid += kind == VERDICT_INVALID;
        if (kind == VERDICT_KEPT) {
            keep(r, g, g->targets[i], identity);
        } else {
            drop(r, g, g->targets[i]);
        }
    }
}

/* Targets that the source had and has no more. */
static void remove_missing(struct judging *r) ON(engine)
{
    struct source *s = r->source;

    for (uint32_t i = 0; i < s->n; i++) {
        if (!s->targets[i]->is_confirmed) {
            remove_target(r->job, s->targets[i], NULL);
        }
    }
}

static void note_targets(struct job *j)
{
    handover_note(&j->handover, j->heads.n > 0 ? HANDOVER_GAINED : HANDOVER_EMPTY);
}

static void finish_reading(struct judging *r)
{
    struct source *s = r->source;
    struct job *j = r->job;

    /* All others were kept. */
    j->has_news |= r->n != s->n || r->n_dropped != s->n_dropped || r->n_invalid != s->n_invalid;
    count_source(j, s, true);
    mem_free(s->targets);
    s->targets = r->n == 0 ? NULL : mem_realloc(r->targets, r->n * sizeof(struct target *));
    if (r->n == 0) {
        mem_free(r->targets);
    }
    s->n = r->n;
    s->n_discovered = r->batch->n_targets;
    s->n_dropped = r->n_dropped;
    s->n_invalid = r->n_invalid;
    leftover_unref(&s->leftover);
    s->leftover = take_leftover(r);
    count_source(j, s, false);
    note_targets(j);
}

void job_apply(struct job *j, uint32_t section, struct span source, struct reading *reading)
{
    struct sd_batch *batch = reading->batch;
    struct judging r = {
        .job = j, .source = need_source(j, section, source), .reading = reading, .batch = batch
    };

    for (uint32_t i = 0; i < r.source->n; i++) {
        r.source->targets[i]->is_confirmed = false;
    }
    arena_init(&r.scratch);
    j->labels->arena = &r.scratch;
    render_init(&r.render, batch);
    r.node_fields = arena_zalloc(&batch->arena, batch->shapes.n * sizeof(*r.node_fields));
    for (size_t i = 0; i < batch->groups.n; i++) {
        read_group(&r, &batch->groups.v[i]);
    }
    remove_missing(&r);
    finish_reading(&r);
    render_fini(&r.render);
    label_builder_clear(j->labels);
    j->labels->arena = NULL;
    arena_fini(&r.scratch);
}

void job_vanish(struct job *j, uint32_t section, struct span source)
{
    struct source *s = job_find_source(j, section, source);

    if (s == NULL) {
        return;
    }
    for (uint32_t i = 0; i < s->n; i++) {
        remove_target(j, s->targets[i], NULL);
    }
    count_source(j, s, true);
    table_del(&j->sources, &s->node);
    free_source(s);
    j->has_news = true;
    note_targets(j);
}

/* ---- metrics */

void job_show(struct job *j)
{
    const char *const label[] = { j->label };

    metric_set_for(METRIC_TARGETS, label, (double)j->n_discovered);
    metric_set_for(METRIC_TARGETS_DROPPED, label, (double)j->n_dropped);
    metric_set_for(METRIC_TARGETS_INVALID, label, (double)j->n_invalid);
    metric_set_for(METRIC_SD_DISCOVERED, (const char *[]){ "", j->label }, (double)j->n_discovered);
    j->has_news = false;
}

void job_forget_series(const struct job *j)
{
    static const enum metric_id by_job[] = { METRIC_TARGETS, METRIC_TARGETS_DROPPED,
                                             METRIC_TARGETS_INVALID, METRIC_PROCESS_GROUPS };

    for (size_t i = 0; i < COUNT(by_job); i++) {
        metric_forget(by_job[i], (const char *[]){ j->label });
    }
    metric_forget(METRIC_SD_DISCOVERED, (const char *[]){ "", j->label });
    for (size_t i = 0; i < j->config->n_sds; i++) {
        const struct provider_ops *ops = provider_find(&j->config->sds[i]);
        if (ops != NULL) {
            metric_forget(METRIC_SD_REFRESH_FAILURES, (const char *[]){ ops->name, j->label });
        }
    }
}

void job_set_label(struct job *j, const char *label)
{
    if (strcmp(j->label, label) != 0) {
        job_forget_series(j);
        mem_free(j->label);
        j->label = mem_strdup(label);
        j->has_news = true;
    }
}

/* ---- fleets */

static int compare_identities(const void *a, const void *b)
{
    uint64_t x = target_identity(*(struct target *const *)a),
             y = target_identity(*(struct target *const *)b);
    return (x > y) - (x < y);
}

void job_join(struct job *j, struct fleet *fleet, uint32_t fleet_job)
{
    struct target **heads = mem_array(j->heads.n + 1, sizeof(struct target *));
    size_t n = 0;

    pages_fini(&j->pages);
    pages_init(&j->pages, j->tails->publisher);
    j->fleet = fleet;
    j->fleet_job = fleet_job;
    for (struct table_node *node = table_next(&j->heads, NULL); node != NULL;
         node = table_next(&j->heads, node)) {
        heads[n++] = CONTAINER_OF(node, struct target, node);
    }
    qsort(heads, n, sizeof(struct target *), compare_identities);
    for (size_t i = 0; i < n; i++) {
        enter_fleet(j, heads[i]);
    }
    mem_free(heads);
}

/* ---- end */

static void free_one(struct job *j, bool is_fleet_gone) ON(engine)
{
    struct table_node *node = table_next(&j->sources, NULL);
    while (node != NULL) {
        struct table_node *next = table_next(&j->sources, node);
        struct source *s = CONTAINER_OF(node, struct source, node);
        for (uint32_t i = 0; i < s->n; i++) {
            if (!is_fleet_gone && s->targets[i]->slot != FLEET_NONE) {
                fleet_remove(j->fleet, s->targets[i]->slot);
            }
            retire_target(j, s->targets[i]);
        }
        free_source(s);
        node = next;
    }
    table_fini(&j->sources);
    table_fini(&j->heads);
    pages_fini(&j->pages);
    scrapejob_free(&j->config);
    mem_free(j->label);
    mem_free(j);
}

void job_free(struct job **job, bool is_fleet_gone)
{
    for (struct job *j = *job, *before; j != NULL; j = before) {
        before = j->handover.from;
        free_one(j, is_fleet_gone);
    }
    *job = NULL;
}

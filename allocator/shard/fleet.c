#include "allocator/shard/fleet.h"

#include "allocator/base/buf.h"
#include "allocator/base/hash.h"
#include "allocator/base/mem.h"
#include "allocator/shard/bound.h"

#include <stdlib.h>

#define SLOT_FREE (FLEET_NONE - 1)

struct slots { /* dense arrays over slots; a free one is chained through 'job' */
    uint64_t *address_hash;
    uint64_t *node_hash;
    uint32_t *job;
    uint32_t *owner; /* seat, FLEET_NONE or SLOT_FREE */
    void **target;
    uint32_t *choice; /* rank that the strategy picks, or STRATEGY_NONE; only for bounded
                         strategies, where the owner may be another */
    uint64_t *key;    /* as in bound.h; for the same */
    size_t n, cap;    /* slots ever used, room */
    uint32_t first_free;
};

struct fleet {
    const struct strategy_ops *ops, *fallback_ops;
    struct strategy *strategy, *fallback;
    struct strategy_collector *collectors; /* by rank: sorted by name; 'names' owns the texts */
    size_t n_collectors;
    char *names;
    uint32_t *seats; /* by rank, which is how strategies know a collector */
    uint32_t *ranks; /* by seat; FLEET_NONE: the seat is free */
    size_t n_seats;
    struct slots slots;
    size_t n_unassigned;
    uint32_t *loads;      /* targets by rank */
    uint32_t **job_loads; /* by job, then rank; only for strategies that need loads */
    size_t n_job_loads;
    uint32_t *choices; /* how often a rank is a choice; only for bounded strategies */
    bool is_unsettled; /* targets came or went since owners were evened out */
    bool has_moved;    /* not every owner is its target's choice */
};

/* ---- life */

static int find_ops(struct span name, const struct strategy_ops **out, struct err *err)
{
    const struct strategy_ops *ops = strategy_find(name);

    if (ops == NULL) {
        AUTO_BUF known;
        buf_init(&known, 1024);
        for (size_t i = 0; strategies[i] != NULL; i++) {
            buf_addf(&known, "%s%s", i == 0 ? "" : ", ", strategies[i]->name);
        }
        return err_set(err, ERR_NOT_FOUND, "unknown allocation strategy '%.*s'; known: %s",
                       SPAN_ARG(name), known.p);
    }
    *out = ops;
    return 0;
}

int fleet_new(const struct fleet_options *options, struct fleet **out, struct err *err)
{
    struct strategy_options so = { .is_v0 = options->is_v0 };
    struct span name =
        options->strategy.len > 0 ? options->strategy : SPAN_LIT("consistent-hashing");
    const struct strategy_ops *ops = NULL, *fallback_ops = NULL;

    int rc = find_ops(name, &ops, err);
    if (rc == 0 && options->fallback.len > 0) {
        rc = find_ops(options->fallback, &fallback_ops, err);
    }
    if (rc < 0) {
        return rc;
    }
    struct fleet *f = mem_zalloc(sizeof(*f));
    f->ops = ops;
    f->strategy = ops->create(&so);
    f->fallback_ops = fallback_ops;
    f->fallback = fallback_ops == NULL ? NULL : fallback_ops->create(&so);
    f->slots.first_free = FLEET_NONE;
    f->collectors = mem_array(1, sizeof(*f->collectors));
    f->seats = mem_array(1, sizeof(*f->seats));
    f->loads = mem_array(1, sizeof(*f->loads));
    f->choices = mem_array(1, sizeof(*f->choices));
    *out = f;
    return 0;
}

const char *fleet_strategy(const struct fleet *f)
{
    return f->ops->name;
}

static void free_job_loads(struct fleet *f)
{
    for (size_t i = 0; i < f->n_job_loads; i++) {
        mem_free(f->job_loads[i]);
    }
    mem_free(f->job_loads);
    f->job_loads = NULL;
    f->n_job_loads = 0;
}

void fleet_free(struct fleet **fleet)
{
    struct fleet *f = *fleet;

    if (f == NULL) {
        return;
    }
    f->ops->destroy(f->strategy);
    if (f->fallback != NULL) {
        f->fallback_ops->destroy(f->fallback);
    }
    free_job_loads(f);
    mem_free(f->loads);
    mem_free(f->collectors);
    mem_free(f->names);
    mem_free(f->seats);
    mem_free(f->ranks);
    mem_free(f->slots.address_hash);
    mem_free(f->slots.node_hash);
    mem_free(f->slots.job);
    mem_free(f->slots.owner);
    mem_free(f->slots.target);
    mem_free(f->slots.choice);
    mem_free(f->slots.key);
    mem_free(f->choices);
    mem_free(f);
    *fleet = NULL;
}

/* ---- loads */

static bool needs_load(const struct fleet *f)
{
    return f->ops->needs_load || (f->fallback_ops != NULL && f->fallback_ops->needs_load);
}

static uint32_t *job_load(struct fleet *f, uint32_t job)
{
    if (job >= f->n_job_loads) {
        size_t n = (size_t)job + 1;
        f->job_loads = mem_realloc(f->job_loads, n * sizeof(*f->job_loads));
        memset(f->job_loads + f->n_job_loads, 0, (n - f->n_job_loads) * sizeof(*f->job_loads));
        f->n_job_loads = n;
    }
    if (f->job_loads[job] == NULL) {
        f->job_loads[job] = mem_array(f->n_collectors, sizeof(uint32_t));
    }
    return f->job_loads[job];
}

/* What a collector had that leaves went with it. */
static void count(struct fleet *f, uint32_t slot, uint32_t owner, int delta)
{
    if (owner == FLEET_NONE) {
        f->n_unassigned += (size_t)delta;
        return;
    }
    uint32_t rank = f->ranks[owner];
    if (rank == FLEET_NONE) {
        return;
    }
    f->loads[rank] += (uint32_t)delta;
    if (needs_load(f)) {
        job_load(f, f->slots.job[slot])[rank] += (uint32_t)delta;
    }
}

/* ---- owners */

static struct strategy_target target_at(const struct fleet *f, uint32_t slot)
{
    uint32_t owner = f->slots.owner[slot];

    return (struct strategy_target){ .address_hash = f->slots.address_hash[slot],
                                     .node_hash = f->slots.node_hash[slot],
                                     .job = f->slots.job[slot],
                                     .owner =
                                         owner == FLEET_NONE ? STRATEGY_NONE : f->ranks[owner] };
}

static uint32_t seat_of(const struct fleet *f, uint32_t rank)
{
    return rank == STRATEGY_NONE ? FLEET_NONE : f->seats[rank];
}

static uint32_t pick_rank(struct fleet *f, const struct strategy_target *t)
{
    if (f->n_collectors == 0) {
        return STRATEGY_NONE;
    }
    struct strategy_load load = { .targets = f->loads,
                                  .job_targets = needs_load(f) ? job_load(f, t->job) : NULL };
    uint32_t rank = f->ops->pick(f->strategy, t, &load);
    if (rank == STRATEGY_NONE && f->fallback != NULL) {
        rank = f->fallback_ops->pick(f->fallback, t, &load);
    }
    return rank;
}

static uint32_t repick_rank(struct fleet *f, const struct strategy_target *t, const uint32_t *added,
                            size_t n_added)
{
    return f->ops->repick != NULL && f->n_collectors > 0
               ? f->ops->repick(f->strategy, t, added, n_added)
               : pick_rank(f, t);
}

/* ---- collectors */

static int compare_collectors(const void *a, const void *b)
{
    const struct strategy_collector *x = a, *y = b;
    return span_cmp(x->name, y->name);
}

/* A sorted copy without duplicate names; texts in one block. */
static struct strategy_collector *copy_collectors(const struct strategy_collector *v, size_t n,
                                                  size_t *out_n, char **out_names)
{
    struct strategy_collector *copy = mem_array(n + 1, sizeof(*copy));
    size_t bytes = 1, kept = 0;

    for (size_t i = 0; i < n; i++) {
        bytes += v[i].name.len + v[i].node.len;
    }
    char *names = mem_alloc(bytes), *p = names;
    for (size_t i = 0; i < n; i++) {
        struct span parts[2] = { v[i].name, v[i].node };
        for (int k = 0; k < 2; k++) {
            if (parts[k].len > 0) {
                memcpy(p, parts[k].p, parts[k].len);
            }
            parts[k].p = p;
            p += parts[k].len;
        }
        copy[i] = (struct strategy_collector){ .name = parts[0], .node = parts[1] };
    }
    qsort(copy, n, sizeof(*copy), compare_collectors);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || !span_eq(copy[kept - 1].name, copy[i].name)) {
            copy[kept++] = copy[i];
        }
    }
    *out_n = kept;
    *out_names = names;
    return copy;
}

/* Old rank → new rank or FLEET_NONE, and the ranks of the new ones, by one merge of two sorted
 * lists. */
static void match_collectors(const struct fleet *f, const struct strategy_collector *v, size_t n,
                             uint32_t *map, uint32_t *added, size_t *out_n_added)
{
    size_t i = 0, k = 0, n_added = 0;

    while (i < f->n_collectors || k < n) {
        int c = i == f->n_collectors ? 1 : k == n ? -1 : span_cmp(f->collectors[i].name, v[k].name);
        if (c < 0) {
            map[i++] = FLEET_NONE;
        } else if (c > 0) {
            added[n_added++] = (uint32_t)k++;
        } else {
            map[i++] = (uint32_t)k++;
        }
    }
    *out_n_added = n_added;
}

static bool is_same_list(const struct fleet *f, const struct strategy_collector *v, size_t n)
{
    bool same = n == f->n_collectors;
    for (size_t i = 0; same && i < n; i++) {
        same =
            span_eq(f->collectors[i].name, v[i].name) && span_eq(f->collectors[i].node, v[i].node);
    }
    return same;
}

/* Those that stay keep their seats, new ones get the lowest that were free before, those that leave
 * have no rank any more. */
static void take_seats(struct fleet *f, const uint32_t *map, size_t n_before, const uint32_t *added,
                       size_t n_added)
{
    uint32_t *seats = mem_array(f->n_collectors + 1, sizeof(*seats));
    uint32_t free_seat = 0;

    for (size_t i = 0; i < n_added; i++) {
        while (free_seat < f->n_seats && f->ranks[free_seat] != FLEET_NONE) {
            free_seat++;
        }
        seats[added[i]] = free_seat++;
    }
    if (free_seat > f->n_seats) {
        f->n_seats = free_seat;
        f->ranks = mem_realloc(f->ranks, f->n_seats * sizeof(*f->ranks));
    }
    for (size_t i = 0; i < n_before; i++) {
        if (map[i] == FLEET_NONE) {
            f->ranks[f->seats[i]] = FLEET_NONE;
        } else {
            seats[map[i]] = f->seats[i];
        }
    }
    for (uint32_t rank = 0; rank < f->n_collectors; rank++) {
        f->ranks[seats[rank]] = rank;
    }
    mem_free(f->seats);
    f->seats = seats;
}

/* The counts of those that stay, in their new order. */
static uint32_t *reorder(const struct fleet *f, const uint32_t *loads, const uint32_t *map,
                         size_t n_before)
{
    uint32_t *fresh = mem_array(f->n_collectors + 1, sizeof(*fresh));

    for (size_t i = 0; i < n_before; i++) {
        if (map[i] != FLEET_NONE) {
            fresh[map[i]] = loads[i];
        }
    }
    return fresh;
}

static void reorder_loads(struct fleet *f, const uint32_t *map, size_t n_before)
{
    uint32_t *loads = reorder(f, f->loads, map, n_before);

    mem_free(f->loads);
    f->loads = loads;
    for (size_t i = 0; i < f->n_job_loads; i++) {
        if (f->job_loads[i] != NULL) {
            loads = reorder(f, f->job_loads[i], map, n_before);
            mem_free(f->job_loads[i]);
            f->job_loads[i] = loads;
        }
    }
}

static void move_target(struct fleet *f, uint32_t slot, uint32_t to, fleet_moved_fn *moved,
                        void *arg)
{
    uint32_t from = f->slots.owner[slot];

    if (to == from) {
        return;
    }
    count(f, slot, from, -1);
    count(f, slot, to, 1);
    f->slots.owner[slot] = to;
    if (moved != NULL) {
        moved(arg, f->slots.target[slot], from, to);
    }
}

/* ---- bounded strategies */

static void choose(struct fleet *f, uint32_t slot, uint32_t rank)
{
    f->slots.choice[slot] = rank;
    if (rank != STRATEGY_NONE) {
        f->choices[rank]++;
    }
    f->is_unsettled = true;
}

static void unchoose(struct fleet *f, uint32_t slot)
{
    if (f->slots.choice[slot] != STRATEGY_NONE) {
        f->choices[f->slots.choice[slot]]--;
    }
    f->slots.choice[slot] = STRATEGY_NONE;
    f->is_unsettled = true;
}

void fleet_settle(struct fleet *f, fleet_moved_fn *moved, void *arg)
{
    if (!f->is_unsettled) {
        return;
    }
    f->is_unsettled = false;
    struct bound_input in = { .address_hashes = f->slots.address_hash,
                              .keys = f->slots.key,
                              .choices = f->slots.choice,
                              .n_slots = f->slots.n,
                              .hashes = f->ops->hashes(f->strategy),
                              .loads = f->choices,
                              .n_collectors = f->n_collectors };
    uint32_t *owners = mem_alloc(f->slots.n * sizeof(*owners));
    bool is_other = bound_spread(&in, owners);
    for (uint32_t slot = 0; (is_other || f->has_moved) && slot < f->slots.n; slot++) {
        if (f->slots.owner[slot] != SLOT_FREE) {
            uint32_t rank = is_other ? owners[slot] : f->slots.choice[slot];
            move_target(f, slot, seat_of(f, rank), moved, arg);
        }
    }
    f->has_moved = is_other;
    mem_free(owners);
}

/* Choices after collectors changed; owners follow when the fleet settles. */
static void choose_anew(struct fleet *f, const uint32_t *map, const uint32_t *added, size_t n_added)
{
    mem_free(f->choices);
    f->choices = mem_array(f->n_collectors + 1, sizeof(*f->choices));
    for (uint32_t slot = 0; slot < f->slots.n; slot++) {
        if (f->slots.owner[slot] == SLOT_FREE) {
            continue;
        }
        struct strategy_target t = target_at(f, slot);
        uint32_t before = f->slots.choice[slot];
        t.owner = before == STRATEGY_NONE ? STRATEGY_NONE : map[before];
        choose(f, slot, repick_rank(f, &t, added, n_added));
    }
    f->is_unsettled = f->has_moved = true;
}

static void move_targets(struct fleet *f, const uint32_t *added, size_t n_added,
                         fleet_moved_fn *moved, void *arg)
{
    for (uint32_t slot = 0; slot < f->slots.n; slot++) {
        if (f->slots.owner[slot] == SLOT_FREE) {
            continue;
        }
        struct strategy_target t = target_at(f, slot);
        move_target(f, slot, seat_of(f, repick_rank(f, &t, added, n_added)), moved, arg);
    }
}

bool fleet_set_collectors(struct fleet *f, const struct strategy_collector *v, size_t n,
                          fleet_moved_fn *moved, void *arg)
{
    char *names = NULL;
    struct strategy_collector *list = copy_collectors(v, n, &n, &names);

    if (is_same_list(f, list, n)) {
        mem_free(list);
        mem_free(names);
        return false;
    }
    uint32_t *map = mem_array(f->n_collectors + 1, sizeof(*map));
    uint32_t *added = mem_array(n + 1, sizeof(*added));
    size_t n_added = 0, n_before = f->n_collectors;

    match_collectors(f, list, n, map, added, &n_added);
    mem_free(f->collectors);
    mem_free(f->names);
    f->collectors = list;
    f->n_collectors = n;
    f->names = names;
    take_seats(f, map, n_before, added, n_added);
    reorder_loads(f, map, n_before);
    f->ops->set_collectors(f->strategy, list, n);
    if (f->fallback != NULL) {
        f->fallback_ops->set_collectors(f->fallback, list, n);
    }
    if (f->ops->is_bounded) {
        choose_anew(f, map, added, n_added);
        fleet_settle(f, moved, arg);
    } else {
        move_targets(f, added, n_added, moved, arg);
    }
    mem_free(added);
    mem_free(map);
    return true;
}

size_t fleet_collectors(const struct fleet *f)
{
    return f->n_collectors;
}

uint32_t fleet_seat(const struct fleet *f, size_t i)
{
    return f->seats[i];
}

struct span fleet_collector_name(const struct fleet *f, uint32_t seat)
{
    return f->ranks[seat] == FLEET_NONE ? SPAN_LIT("") : f->collectors[f->ranks[seat]].name;
}

/* ---- targets */

static uint32_t take_slot(struct slots *s, bool is_bounded)
{
    if (s->first_free != FLEET_NONE) {
        uint32_t slot = s->first_free;
        s->first_free = s->job[slot];
        return slot;
    }
    if (s->n == s->cap) {
        s->cap = s->cap == 0 ? 64 : s->cap + s->cap / 2;
        s->address_hash = mem_realloc(s->address_hash, s->cap * sizeof(*s->address_hash));
        s->node_hash = mem_realloc(s->node_hash, s->cap * sizeof(*s->node_hash));
        s->job = mem_realloc(s->job, s->cap * sizeof(*s->job));
        s->owner = mem_realloc(s->owner, s->cap * sizeof(*s->owner));
        s->target = mem_realloc(s->target, s->cap * sizeof(*s->target));
        if (is_bounded) {
            s->choice = mem_realloc(s->choice, s->cap * sizeof(*s->choice));
            s->key = mem_realloc(s->key, s->cap * sizeof(*s->key));
        }
    }
    return (uint32_t)s->n++;
}

/* Mostly of the address, so that a target whose labels change stays what it was among others. */
static uint64_t key_of(const struct fleet_target *t)
{
    return (hash_mix(t->address_hash) & ~(uint64_t)UINT32_MAX) | hash_mix(t->identity) >> 32;
}

uint32_t fleet_add(struct fleet *f, const struct fleet_target *t, uint32_t *out_owner)
{
    uint32_t slot = take_slot(&f->slots, f->ops->is_bounded);

    f->slots.address_hash[slot] = t->address_hash;
    f->slots.node_hash[slot] = t->node_hash;
    f->slots.job[slot] = t->job;
    f->slots.owner[slot] = FLEET_NONE;
    f->slots.target[slot] = t->target;
    struct strategy_target st = target_at(f, slot);
    const uint32_t rank = pick_rank(f, &st);
    f->slots.owner[slot] = seat_of(f, rank);
    count(f, slot, f->slots.owner[slot], 1);
    if (f->ops->is_bounded) {
        f->slots.key[slot] = key_of(t);
        choose(f, slot, rank);
    }
    *out_owner = f->slots.owner[slot];
    return slot;
}

void fleet_remove(struct fleet *f, uint32_t slot)
{
    count(f, slot, f->slots.owner[slot], -1);
    if (f->ops->is_bounded) {
        unchoose(f, slot);
    }
    f->slots.target[slot] = NULL;
    f->slots.owner[slot] = SLOT_FREE;
    f->slots.job[slot] = f->slots.first_free;
    f->slots.first_free = slot;
}

uint32_t fleet_owner(const struct fleet *f, uint32_t slot)
{
    return f->slots.owner[slot];
}

void fleet_replace(struct fleet *f, uint32_t slot, void *target)
{
    f->slots.target[slot] = target;
}

uint32_t fleet_update(struct fleet *f, uint32_t slot, uint64_t node_hash)
{
    if (f->slots.node_hash[slot] != node_hash) {
        f->slots.node_hash[slot] = node_hash;
        if (f->ops->is_bounded) { /* does not look at nodes */
            return f->slots.owner[slot];
        }
        struct strategy_target t = target_at(f, slot);
        uint32_t to = seat_of(f, pick_rank(f, &t));
        if (to != f->slots.owner[slot]) {
            count(f, slot, f->slots.owner[slot], -1);
            count(f, slot, to, 1);
            f->slots.owner[slot] = to;
        }
    }
    return f->slots.owner[slot];
}

size_t fleet_targets_of(const struct fleet *f, uint32_t seat)
{
    return f->ranks[seat] == FLEET_NONE ? 0 : f->loads[f->ranks[seat]];
}

size_t fleet_unassigned(const struct fleet *f)
{
    return f->n_unassigned;
}

void fleet_clear(struct fleet *f)
{
    f->slots.n = 0;
    f->slots.first_free = FLEET_NONE;
    f->n_unassigned = 0;
    memset(f->loads, 0, f->n_collectors * sizeof(*f->loads));
    if (f->ops->is_bounded) {
        memset(f->choices, 0, f->n_collectors * sizeof(*f->choices));
    }
    free_job_loads(f);
}

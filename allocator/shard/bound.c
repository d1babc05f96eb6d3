#include "allocator/shard/bound.h"

#include "allocator/base/mem.h"
#include "allocator/base/order.h"
#include "allocator/base/vec.h"

#include <math.h>
#include <stdlib.h>

#define MOST 1.05
#define LEAST 0.85

struct pick {           /* of a slot, for a collector */
    uint64_t rank, key; /* smallest first; the key where ranks are equal */
    uint32_t slot, collector;
};

struct limits {
    uint32_t least, most;
};

struct spread {
    const struct bound_input *in;
    uint32_t *owners, *loads;
    struct limits *limits; /* by collector, as the loads */
    size_t n_targets;
    VEC(struct pick) picks;
};

/* Of a collector when its fair share is 'share'; 'part' is its own number, 0 <= part < 1. */
static struct limits limits_of(double share, double part)
{
    double most = share * MOST - 1 > share + 1 ? share * MOST - 1 : share + 1;
    double least = share * LEAST < share - 2 ? share * LEAST : share - 2;
    double at_least = floor(least + part) + 1;

    return (struct limits){ at_least < 0 ? 0 : (uint32_t)at_least, (uint32_t)floor(most + part) };
}

static int compare_picks(const void *a, const void *b)
{
    const struct pick *x = a, *y = b;
    int c = order_u64(x->rank, y->rank);

    c = c != 0 ? c : order_u64(x->key, y->key);
    return c != 0 ? c : order_u64(x->slot, y->slot);
}

static void sort_picks(struct spread *s)
{
    if (s->picks.n > 1) {
        qsort(s->picks.v, s->picks.n, sizeof(s->picks.v[0]), compare_picks);
    }
}

/* The rank below which about 'n' of 'of' evenly spread ones are, and some more. */
static uint64_t rank_limit(double n, double of)
{
    double part = (n + 4 * sqrt(n) + 8) / of;
    return part >= 1 ? UINT64_MAX : (uint64_t)(part * 18446744073709549568.0);
}

/* ---- too much */

/* Slots whose key is up to their collector's limit, in the order of the keys. */
static void gather(struct spread *s, const uint64_t *limits)
{
    const struct bound_input *in = s->in;

    vec_clear(&s->picks);
    for (uint32_t slot = 0; slot < in->n_slots; slot++) {
        uint32_t c = in->choices[slot];
        if (c < in->n_collectors && in->keys[slot] <= limits[c]) {
            *vec_push(&s->picks) = (struct pick){ in->keys[slot], 0, slot, c };
        }
    }
    sort_picks(s);
}

static uint32_t surplus(const struct spread *s, uint32_t c)
{
    return s->loads[c] > s->limits[c].most ? s->loads[c] - s->limits[c].most : 0;
}

/* Of what was gathered, no more than must go. 'left' is how many are missing then. */
static void cut_picks(struct spread *s, uint32_t *left)
{
    size_t n = 0;

    for (uint32_t c = 0; c < s->in->n_collectors; c++) {
        left[c] = surplus(s, c);
    }
    for (size_t i = 0; i < s->picks.n; i++) {
        if (left[s->picks.v[i].collector] > 0) {
            left[s->picks.v[i].collector]--;
            s->picks.v[n++] = s->picks.v[i];
        }
    }
    s->picks.n = n;
}

/* Leaves in 'picks' those that must go, smallest key first. */
static void pick_surplus(struct spread *s)
{
    const size_t n = s->in->n_collectors;
    uint64_t *limits = mem_array(n, sizeof(*limits));
    uint32_t *left = mem_array(n, sizeof(*left));

    for (uint32_t c = 0; c < n; c++) {
        limits[c] = surplus(s, c) > 0 ? rank_limit(surplus(s, c), s->loads[c]) : 0;
    }
    for (bool is_short = true; is_short;) {
        is_short = false;
        gather(s, limits);
        cut_picks(s, left);
        for (size_t c = 0; c < n; c++) {
            if (left[c] > 0) { /* keys are not spread evenly: look at all */
                limits[c] = UINT64_MAX;
                is_short = true;
            }
        }
    }
    mem_free(left);
    mem_free(limits);
}

static uint32_t best_with_room(const struct spread *s, uint32_t slot)
{
    const struct bound_input *in = s->in;
    uint32_t best = 0;
    uint64_t best_score = 0;
    bool has_best = false;

    for (uint32_t c = 0; c < in->n_collectors; c++) {
        if (s->loads[c] < s->limits[c].most) {
            uint64_t score = strategy_score(in->hashes[c], in->address_hashes[slot]);
            if (!has_best || score > best_score) {
                has_best = true;
                best = c;
                best_score = score;
            }
        }
    }
    return best; /* there is one: all together have room for more than all */
}

static void place_surplus(struct spread *s)
{
    pick_surplus(s);
    for (size_t i = 0; i < s->picks.n; i++) {
        s->loads[s->picks.v[i].collector]--;
    }
    /* Those that had too much are full now. */
    for (size_t i = s->picks.n; i > 0; i--) { /* largest key first: they were the last to go */
        uint32_t slot = s->picks.v[i - 1].slot, to = best_with_room(s, slot);
        s->owners[slot] = to;
        s->loads[to]++;
    }
}

/* ---- too little */

/* Targets of others than 'c' that score high with it, highest first. */
static void gather_wanted(struct spread *s, uint32_t c, uint64_t limit)
{
    const struct bound_input *in = s->in;

    vec_clear(&s->picks);
    for (uint32_t slot = 0; slot < in->n_slots; slot++) {
        uint32_t owner = s->owners[slot];
        if (owner >= in->n_collectors || owner == c) {
            continue;
        }
        uint64_t rank = UINT64_MAX - strategy_score(in->hashes[c], in->address_hashes[slot]);
        if (rank <= limit) {
            *vec_push(&s->picks) = (struct pick){ rank, in->keys[slot], slot, owner };
        }
    }
    sort_picks(s);
}

/* Takes from those that have more than the share, or else more than their least, until 'c' has what
 * it must. */
static void take_wanted(struct spread *s, uint32_t c, bool is_last_try)
{
    for (size_t i = 0; i < s->picks.n && s->loads[c] < s->limits[c].least; i++) {
        const struct pick *p = &s->picks.v[i];
        size_t spare =
            is_last_try ? s->limits[p->collector].least : s->n_targets / s->in->n_collectors;
        if (s->loads[p->collector] > spare) {
            s->owners[p->slot] = c;
            s->loads[p->collector]--;
            s->loads[c]++;
        }
    }
}

static void fill_poor(struct spread *s)
{
    const struct bound_input *in = s->in;

    for (uint32_t c = 0; c < in->n_collectors; c++) {
        if (s->loads[c] >= s->limits[c].least) {
            continue;
        }
        double missing = s->limits[c].least - s->loads[c]; /* half of the others can spare one */
        gather_wanted(s, c, rank_limit(4 * missing, (double)s->n_targets));
        take_wanted(s, c, false);
        if (s->loads[c] < s->limits[c].least) {
            gather_wanted(s, c, UINT64_MAX);
            take_wanted(s, c, true);
        }
    }
}

/* Fills in loads and limits. True when no load is out of its limits. */
static bool is_within(struct spread *s)
{
    const struct bound_input *in = s->in;
    bool is_good = true;

    for (size_t c = 0; c < in->n_collectors; c++) {
        s->loads[c] = in->loads[c];
        s->n_targets += in->loads[c];
    }
    for (uint32_t c = 0; c < in->n_collectors; c++) {
        double part = (double)(hash_mix(in->hashes[c]) >> 32) / 4294967296.0;
        s->limits[c] = limits_of((double)s->n_targets / (double)in->n_collectors, part);
        is_good &= s->loads[c] <= s->limits[c].most && s->loads[c] >= s->limits[c].least;
    }
    return is_good;
}

bool bound_spread(const struct bound_input *in, uint32_t *out_owners)
{
    struct spread s = { .in = in, .owners = out_owners };

    s.loads = mem_array(in->n_collectors, sizeof(*s.loads));
    s.limits = mem_array(in->n_collectors, sizeof(*s.limits));
    bool has_changed = !is_within(&s);
    if (has_changed) {
        memcpy(out_owners, in->choices, in->n_slots * sizeof(*out_owners));
        place_surplus(&s);
        fill_poor(&s);
        vec_fini(&s.picks);
    }
    mem_free(s.loads);
    mem_free(s.limits);
    return has_changed;
}

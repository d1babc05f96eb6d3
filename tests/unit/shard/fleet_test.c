#include "allocator/base/hash.h"
#include "allocator/base/mem.h"
#include "allocator/shard/fleet.h"
#include "tests/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the owners that upstream's library gives (operator 0.158; vectors computed from its source)
 */

static uint32_t owner_of(const char *strategy, bool is_v0, const char *const *names, size_t n,
                         const char *address, char *out_name)
{
    struct strategy_collector v[8];
    struct fleet_options o = { .strategy = span_of(strategy), .is_v0 = is_v0 };
    struct fleet *f = NULL;
    uint32_t owner = FLEET_NONE;
    int token = 0;

    for (size_t i = 0; i < n; i++) {
        v[i] = (struct strategy_collector){ .name = span_of(names[i]) };
    }
    is_int(fleet_new(&o, &f, NULL), 0, "%s exists", strategy);
    fleet_set_collectors(f, v, n, NULL, NULL);
    fleet_add(f,
              &(struct fleet_target){ .address_hash = hash64(span_of(address)), .target = &token },
              &owner);
    snprintf(out_name, 64, "%.*s", SPAN_ARG(fleet_collector_name(f, owner)));
    fleet_free(&f);
    return owner;
}

static void test_library_tables(void)
{
    static const char *const two[] = { "collector-0", "collector-1" };
    static const char *const three[] = { "collector-0", "collector-1", "collector-2" };
    static const char *const test[] = { "test-collector1", "test-collector2" };
    static const struct {
        bool is_v0;
        const char *const *names;
        size_t n;
        const char *address, *owner;
    } t[] = {
        { false, test, 2, "test-url", "test-collector1" },
        { false, test, 2, "test-url2", "test-collector1" },
        { false, test, 2, "test-url3", "test-collector1" },
        { false, test, 2, "test-url4", "test-collector2" },
        { false, two, 2, "target-a:8080", "collector-0" },
        { false, two, 2, "target-b:8080", "collector-1" },
        { false, two, 2, "target-c:8080", "collector-0" },
        { false, two, 2, "target-f:8080", "collector-0" },
        { false, three, 3, "target-a:8080", "collector-2" },
        { false, three, 3, "target-b:8080", "collector-1" },
        { false, three, 3, "target-c:8080", "collector-0" },
        { false, three, 3, "target-d:8080", "collector-2" },
        { false, three, 3, "target-e:8080", "collector-2" },
        { false, three, 3, "target-f:8080", "collector-0" },
        { true, two, 2, "target-a:8080", "collector-0" },
        { true, two, 2, "target-d:8080", "collector-0" },
        { true, two, 2, "target-e:8080", "collector-1" },
        { true, three, 3, "target-a:8080", "collector-2" },
        { true, three, 3, "target-f:8080", "collector-0" },
        { true, test, 2, "test-url", "test-collector1" },
        { true, test, 2, "test-url2", "test-collector2" },
        { true, test, 2, "test-url3", "test-collector1" },
        { true, test, 2, "test-url4", "test-collector2" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        char name[64];
        owner_of("consistent-hashing", t[i].is_v0, t[i].names, t[i].n, t[i].address, name);
        is_str(name, t[i].owner, "%s: %s of %zu", t[i].is_v0 ? "v0" : "v1", t[i].address, t[i].n);
    }
}

/* ---- collectors come and go */

static struct fleet *make_fleet(const char *strategy)
{
    struct fleet_options o = { .strategy = span_of(strategy),
                               .fallback =
                                   span_of(strcmp(strategy, "per-node") == 0 ? "rendezvous" : "") };
    struct fleet *f = NULL;

    is_int(fleet_new(&o, &f, NULL), 0, "%s: new", strategy);
    return f;
}

#define N_TARGETS 3000

struct world {
    struct fleet *fleet;
    uint32_t slots[N_TARGETS];
    uint32_t owners[N_TARGETS]; /* as the callbacks tell */
    size_t n_moved;
};

static void on_moved(void *arg, void *target, uint32_t from, uint32_t to)
{
    struct world *w = arg;
    (void)from;
    w->owners[(uint32_t *)target - w->owners] = to;
    w->n_moved++;
}

static void add_target(struct world *w, uint32_t i, uint64_t address_hash, uint64_t node_hash,
                       uint32_t job)
{
    const struct fleet_target t = { address_hash, node_hash, i, job, &w->owners[i] };
    w->slots[i] = fleet_add(w->fleet, &t, &w->owners[i]);
}

/* Sets collectors c-first … c-(first+n-1). */
static void set_collectors(struct world *w, size_t first, size_t n)
{
    struct strategy_collector v[300];
    char names[300][24];

    for (size_t i = 0; i < n; i++) {
        snprintf(names[i], sizeof(names[i]), "c-%03zu", first + i);
        v[i] = (struct strategy_collector){ .name = span_of(names[i]), .node = span_of(names[i]) };
    }
    w->n_moved = 0;
    fleet_set_collectors(w->fleet, v, n, on_moved, w);
}

static size_t count_wrong(const struct world *w)
{
    size_t wrong = 0, counted = 0, per[310] = { 0 };

    for (size_t i = 0; i < N_TARGETS; i++) {
        uint32_t owner = fleet_owner(w->fleet, w->slots[i]);
        wrong += owner != w->owners[i];
        if (owner == FLEET_NONE) {
            counted++;
        } else {
            per[owner]++;
        }
    }
    wrong += counted != fleet_unassigned(w->fleet);
    for (size_t i = 0; i < fleet_collectors(w->fleet); i++) {
        uint32_t seat = fleet_seat(w->fleet, i);
        wrong += per[seat] != fleet_targets_of(w->fleet, seat);
    }
    return wrong;
}

static void test_churn(const char *strategy)
{
    struct world w = { .fleet = make_fleet(strategy) };

    for (uint32_t i = 0; i < N_TARGETS; i++) {
        char address[32];
        snprintf(address, sizeof(address), "10.0.%u.%u:80", i / 256, i % 256);
        add_target(&w, i, hash64(span_of(address)), i % 3 == 0 ? hash64(span_of("c-001")) : 0,
                   i % 7);
    }
    is_int(fleet_unassigned(w.fleet), N_TARGETS, "%s: no collectors, none assigned", strategy);
    static const struct {
        size_t first, n;
    } steps[] = {
        { 0, 3 }, { 0, 4 }, { 1, 3 }, { 0, 10 }, { 0, 1 }, { 5, 20 }, { 0, 0 }, { 0, 7 }
    };
    for (size_t i = 0; i < COUNT(steps); i++) {
        set_collectors(&w, steps[i].first, steps[i].n);
        is_int(count_wrong(&w), 0, "%s: owners, callbacks and counts agree after step %zu",
               strategy, i);
        is_int(fleet_unassigned(w.fleet), steps[i].n == 0 ? N_TARGETS : 0,
               "%s: complete after step %zu", strategy, i);
    }
    for (uint32_t i = 0; i < N_TARGETS; i++) {
        fleet_remove(w.fleet, w.slots[i]);
    }
    is_int(fleet_targets_of(w.fleet, 0), 0, "%s: nothing left on a collector", strategy);
    fleet_free(&w.fleet);
}

static size_t count_different(const struct world *a, const struct world *b)
{
    size_t n = 0;

    for (uint32_t i = 0; i < N_TARGETS; i++) {
        struct span x = fleet_collector_name(a->fleet, fleet_owner(a->fleet, a->slots[i]));
        n += !span_eq(x, fleet_collector_name(b->fleet, fleet_owner(b->fleet, b->slots[i])));
    }
    return n;
}

/* Pure strategies: history leaves no trace. */
static void test_purity(const char *strategy)
{
    struct world a = { .fleet = make_fleet(strategy) }, b = { .fleet = make_fleet(strategy) };

    set_collectors(&b, 0, 9);
    for (uint32_t i = 0; i < N_TARGETS; i++) {
        uint64_t h = hash_mix(i + 1);
        add_target(&a, i, h, 0, 0);
        add_target(&b, i, h, 0, 0);
    }
    set_collectors(&a, 3, 2);
    set_collectors(&a, 0, 12);
    set_collectors(&a, 0, 9);
    fleet_settle(b.fleet, on_moved, &b);
    is_int(count_different(&a, &b), 0, "%s: the same owners, whatever came before", strategy);
    fleet_free(&a.fleet);
    fleet_free(&b.fleet);
}

static void test_seats(void)
{
    struct world w = { .fleet = make_fleet("rendezvous") };
    uint32_t seats[4];

    set_collectors(&w, 4, 4); /* c-004 … c-007 */
    for (size_t i = 0; i < COUNT(seats); i++) {
        seats[i] = fleet_seat(w.fleet, i);
    }
    set_collectors(&w, 2, 5); /* c-007 leaves, c-002 and c-003 come in front of the others */
    size_t moved = 0;
    for (size_t i = 0; i < 3; i++) {
        moved += fleet_seat(w.fleet, i + 2) != seats[i];
    }
    is_int(moved, 0, "those that stay keep their seats");
    is_int(fleet_collector_name(w.fleet, seats[3]).len, 0, "a seat of one that left is free");
    is_int(fleet_targets_of(w.fleet, seats[3]), 0, "and empty");
    set_collectors(&w, 1, 6);
    is_int(fleet_seat(w.fleet, 0), seats[3], "and given to the next");
    fleet_free(&w.fleet);
}

static void test_rendezvous_moves_only_what_must(void)
{
    struct world w = { .fleet = make_fleet("rendezvous") };

    set_collectors(&w, 0, 9);
    for (uint32_t i = 0; i < N_TARGETS; i++) {
        add_target(&w, i, hash_mix(i + 1), 0, 0);
    }
    uint32_t before[N_TARGETS];
    memcpy(before, w.owners, sizeof(before));
    set_collectors(&w, 0, 10);
    size_t to_old = 0;
    for (uint32_t i = 0; i < N_TARGETS; i++) {
        to_old += w.owners[i] != before[i] && w.owners[i] != 9;
    }
    is_int(to_old, 0, "a join moves nothing between old collectors");
    ok(w.n_moved > N_TARGETS / 10 / 2 && w.n_moved < N_TARGETS / 10 * 2,
       "and about a tenth to the new one: %zu", w.n_moved);
    fleet_free(&w.fleet);
}

/* ---- bounds */

/* Address hashes: all different, a third of them one and the same, or all of them. */
static uint64_t crowded(uint32_t i, int kind)
{
    return kind == 2 || (kind == 1 && i % 3 == 0) ? hash_mix(7) : hash_mix(i + 1);
}

static size_t count_out_of_bounds(const struct world *w, size_t n_targets)
{
    size_t n = fleet_collectors(w->fleet), wrong = 0;
    double share = (double)n_targets / (double)n;

    for (size_t i = 0; i < n; i++) {
        double have = (double)fleet_targets_of(w->fleet, fleet_seat(w->fleet, i));
        double most = share >= 40 ? share * 1.05 : share + 2;
        double least = share * 0.85 < share - 2 ? share * 0.85 : share - 2;
        bool is_good = have <= most && have >= least;
        wrong += is_good ? 0 : 1;
    }
    return wrong;
}

/* Whatever came in which order, and went again. */
static void test_bounds(void)
{
    static const size_t n_collectors[] = { 1, 2, 3, 7, 40, 60, 75, 76, 100, 200, 299 };

    for (int kind = 0; kind < 3; kind++) {
        for (size_t k = 0; k < COUNT(n_collectors); k++) {
            struct world a = { .fleet = make_fleet("bounded-rendezvous") };
            struct world b = { .fleet = make_fleet("bounded-rendezvous") };
            set_collectors(&a, 0, n_collectors[k]);
            set_collectors(&b, 3, n_collectors[k]);
            for (uint32_t i = 0; i < N_TARGETS; i++) {
                uint32_t back = N_TARGETS - 1 - i;
                add_target(&a, i, crowded(i, kind), 0, 0);
                add_target(&b, back, crowded(back, kind), 0, 0);
                if (i % 500 == 0) {
                    fleet_settle(b.fleet, on_moved, &b);
                }
            }
            for (uint32_t i = 0; i < N_TARGETS; i += 5) {
                fleet_remove(b.fleet, b.slots[i]);
            }
            fleet_settle(b.fleet, on_moved, &b);
            for (uint32_t i = 0; i < N_TARGETS; i += 5) {
                add_target(&b, i, crowded(i, kind), 0, 0);
            }
            set_collectors(&b, 0, n_collectors[k]);
            fleet_settle(a.fleet, on_moved, &a);
            a.n_moved = 0;
            fleet_settle(a.fleet, on_moved, &a);
            is_int(a.n_moved, 0, "what has settled stays");
            is_int(count_wrong(&a) + count_wrong(&b), 0, "owners, callbacks and counts agree");
            is_int(count_out_of_bounds(&a, N_TARGETS), 0, "kind %d, %zu collectors: within bounds",
                   kind, n_collectors[k]);
            is_int(count_different(&a, &b), 0, "and the same, whatever came before");
            fleet_free(&a.fleet);
            fleet_free(&b.fleet);
        }
    }
}

static void test_least_weighted(void)
{
    struct world w = { .fleet = make_fleet("least-weighted") };
    size_t min = N_TARGETS, max = 0;

    set_collectors(&w, 0, 7);
    for (uint32_t i = 0; i < N_TARGETS; i++) {
        add_target(&w, i, i, 0, i % 5);
    }
    for (uint32_t c = 0; c < 7; c++) {
        size_t n = fleet_targets_of(w.fleet, c);
        min = n < min ? n : min;
        max = n > max ? n : max;
    }
    ok(max - min <= 1, "balanced to one target: %zu to %zu", min, max);
    set_collectors(&w, 0, 8);
    is_int(w.n_moved, 0, "a join moves nothing");
    is_int(fleet_targets_of(w.fleet, 7), 0, "and the newcomer waits for new targets");
    fleet_free(&w.fleet);
}

/* ---- per-node in a fleet */

static void test_per_node(void)
{
    struct fleet_options o = { .strategy = SPAN_LIT("per-node"),
                               .fallback = SPAN_LIT("least-weighted") };
    static const struct strategy_collector v[] = {
        { .name = SPAN_LIT("b"), .node = SPAN_LIT("n1") },
        { .name = SPAN_LIT("c"), .node = SPAN_LIT("n2") },
        { .name = SPAN_LIT("a"), .node = SPAN_LIT("n1") },
        { .name = SPAN_LIT("c"), .node = SPAN_LIT("n3") },
    };
    static const struct {
        const char *node, *owner, *alone; /* with the fallback, without it */
    } t[] = {
        { "n1", "a", "a" }, { "n1", "a", "a" }, { "n2", "c", "c" },
        { "", "b", "" },    { "n4", "b", "" },  { "n1", "a", "a" },
    };

    for (int has_fallback = 1; has_fallback >= 0; has_fallback--) {
        struct fleet *f = NULL;
        uint32_t slots[COUNT(t)], owner;
        size_t n_none = 0;
        o.fallback.len = has_fallback ? o.fallback.len : 0;
        is_int(fleet_new(&o, &f, NULL), 0, "per-node");
        ok(fleet_set_collectors(f, v, 3, NULL, NULL), "three collectors");
        for (size_t i = 0; i < COUNT(t); i++) {
            const struct fleet_target target = {
                .address_hash = i, .node_hash = t[i].node[0] ? hash64(span_of(t[i].node)) : 0
            };
            const char *want = has_fallback ? t[i].owner : t[i].alone;
            slots[i] = fleet_add(f, &target, &owner);
            is_span(owner == FLEET_NONE ? SPAN_LIT("") : fleet_collector_name(f, owner),
                    span_of(want), "node '%s', %s fallback", t[i].node,
                    has_fallback ? "with a" : "without");
            n_none += want[0] == '\0';
            is_int(fleet_unassigned(f), n_none, "those without collector are counted");
        }
        owner = fleet_update(f, slots[0], hash64(SPAN_LIT("n2")));
        is_span(fleet_collector_name(f, owner), SPAN_LIT("c"), "a target that changes its node");
        is_int(fleet_owner(f, slots[0]), owner, "is told so");
        is_int(fleet_targets_of(f, fleet_seat(f, 2)), 2, "the new owner has one more");
        is_int(fleet_targets_of(f, fleet_seat(f, 0)), 2, "the old one has one less");
        is_int(fleet_update(f, slots[0], hash64(SPAN_LIT("n2"))), owner, "the same node again");
        is_int(fleet_targets_of(f, owner), 2, "changes nothing");
        is_int(fleet_update(f, slots[1], hash64(SPAN_LIT("n1"))), fleet_seat(f, 0), "nor here");
        fleet_update(f, slots[2], 0);
        is_int(fleet_unassigned(f), has_fallback ? 0 : n_none + 1, "a node is lost");
        fleet_free(&f);
    }
}

/* ---- lists of collectors */

static void test_lists(void)
{
    static const struct strategy_collector lists[][4] = {
        { { .name = SPAN_LIT("b"), .node = SPAN_LIT("n") }, { .name = SPAN_LIT("a") } },
        { { .name = SPAN_LIT("a") }, { .name = SPAN_LIT("b"), .node = SPAN_LIT("n") } },
        { { .name = SPAN_LIT("a") },
          { .name = SPAN_LIT("b"), .node = SPAN_LIT("n") },
          { .name = SPAN_LIT("a") } },
        { { .name = SPAN_LIT("a") }, { .name = SPAN_LIT("b") } },
        { { .name = SPAN_LIT("a") }, { .name = SPAN_LIT("c") } },
        { { .name = SPAN_LIT("a") } },
        { { .name = SPAN_LIT("a") }, { .name = SPAN_LIT("aa") } },
    };
    static const struct {
        size_t list, n, n_kept;
        bool is_other;
        const char *what;
    } t[] = {
        { 0, 2, 2, true, "the first list" },
        { 0, 2, 2, false, "the same" },
        { 1, 2, 2, false, "in another order" },
        { 2, 3, 2, false, "a name twice" },
        { 3, 2, 2, true, "a node is gone" },
        { 4, 2, 2, true, "another name" },
        { 5, 1, 1, true, "one less" },
        { 6, 2, 2, true, "one more" },
        { 5, 0, 0, true, "none" },
        { 5, 0, 0, false, "still none" },
    };
    struct fleet *f = make_fleet("rendezvous");

    for (size_t i = 0; i < COUNT(t); i++) {
        is_int(fleet_set_collectors(f, lists[t[i].list], t[i].n, NULL, NULL), t[i].is_other,
               "%s: is it another list?", t[i].what);
        is_int(fleet_collectors(f), t[i].n_kept, "%s: how many", t[i].what);
    }
    fleet_free(&f);
}

/* ---- slots */

static void test_slots(const char *strategy)
{
    struct world w = { .fleet = make_fleet(strategy) };
    uint32_t owner, other;

    is_str(fleet_strategy(w.fleet), strategy, "a fleet knows its strategy");
    set_collectors(&w, 0, 3);
    for (uint32_t i = 0; i < 200; i++) {
        add_target(&w, i, hash_mix(i), 0, i % 3);
    }
    fleet_settle(w.fleet, on_moved, &w);
    uint32_t a = w.slots[7], b = w.slots[9];
    fleet_remove(w.fleet, a);
    fleet_remove(w.fleet, b);
    size_t n = 0;
    for (size_t i = 0; i < 3; i++) {
        n += fleet_targets_of(w.fleet, fleet_seat(w.fleet, i));
    }
    is_int(n, 198, "%s: two less", strategy);
    const struct fleet_target t = { .address_hash = hash_mix(7), .target = &owner };
    is_int(fleet_add(w.fleet, &t, &owner), b, "%s: what was freed last is taken first", strategy);
    is_int(fleet_add(w.fleet, &t, &owner), a, "%s: then the one before", strategy);
    is_int(fleet_add(w.fleet, &t, &owner), 200, "%s: then a new one", strategy);
    fleet_remove(w.fleet, 200);
    fleet_replace(w.fleet, a, &w.owners[7]);
    fleet_replace(w.fleet, b, &w.owners[9]);
    w.owners[7] = fleet_owner(w.fleet, a);
    w.owners[9] = fleet_owner(w.fleet, b);
    set_collectors(&w, 5, 2); /* all move, and the pointers of now are told */
    n = 0;
    for (uint32_t i = 0; i < 200; i++) {
        n += w.owners[i] != fleet_owner(w.fleet, i);
    }
    is_int(n, 0, "%s: each target is told, by the pointer that it has now", strategy);
    is_int(w.n_moved, 200, "%s: all of them, and each once", strategy);
    other = fleet_update(w.fleet, a, hash64(SPAN_LIT("elsewhere")));
    is_int(other, fleet_owner(w.fleet, a), "%s: another node", strategy);
    fleet_clear(w.fleet);
    for (size_t i = 0; i < 2; i++) {
        is_int(fleet_targets_of(w.fleet, fleet_seat(w.fleet, i)), 0, "%s: cleared", strategy);
    }
    is_int(fleet_unassigned(w.fleet), 0, "%s: nobody waits", strategy);
    is_int(fleet_add(w.fleet, &t, &owner), 0, "%s: the first slot again", strategy);
    is_int(fleet_targets_of(w.fleet, owner), 1, "%s: and the only target", strategy);
    fleet_free(&w.fleet);
}

/* What least-weighted knows of loads follows its collectors when others come in front of them. */
static void test_loads_follow(void)
{
    struct fleet *f = make_fleet("least-weighted");
    static const struct strategy_collector before[] = { { .name = SPAN_LIT("m") },
                                                        { .name = SPAN_LIT("z") } };
    static const struct strategy_collector after[] = { { .name = SPAN_LIT("b") },
                                                       { .name = SPAN_LIT("m") },
                                                       { .name = SPAN_LIT("z") } };
    uint32_t owner = FLEET_NONE, slots[6];

    fleet_set_collectors(f, before, 2, NULL, NULL);
    static const uint32_t jobs[] = { 4, 1, 7, 9 };
    for (uint32_t i = 0; i < 4; i++) { /* m gets the first and the third, z the others */
        slots[i] = fleet_add(f, &(struct fleet_target){ .job = jobs[i] }, &owner);
    }
    fleet_set_collectors(f, after, 3, NULL, NULL);
    for (uint32_t i = 4; i < 6; i++) { /* the newcomer has the fewest */
        slots[i] = fleet_add(f, &(struct fleet_target){ .job = 2 }, &owner);
        is_span(fleet_collector_name(f, owner), SPAN_LIT("b"), "the newcomer takes %u", i);
    }
    fleet_add(f, &(struct fleet_target){ .job = 4 }, &owner);
    is_span(fleet_collector_name(f, owner), SPAN_LIT("b"), "all alike: who has none of the job");
    fleet_add(f, &(struct fleet_target){ .job = 4 }, &owner);
    is_span(fleet_collector_name(f, owner), SPAN_LIT("z"), "the other one without that job");
    fleet_add(f, &(struct fleet_target){ .job = 1 }, &owner);
    is_span(fleet_collector_name(f, owner), SPAN_LIT("m"), "the one with less");
    fleet_remove(f, slots[0]);
    fleet_remove(f, slots[2]);
    fleet_add(f, &(struct fleet_target){ .job = 4 }, &owner);
    is_span(fleet_collector_name(f, owner), SPAN_LIT("m"), "who gave two away");
    fleet_free(&f);
}

/* ---- the owners that two versions of the program have to agree on */

static void test_bounded_owners(void)
{
    static const struct {
        int kind;
        size_t n;
        uint64_t digest;
    } t[] = {
        { 0, 7, 0x02cda2dbe8ec1fbe },   { 0, 75, 0x882551af296f23cf },
        { 0, 200, 0x22585d6dbbf9c3d7 }, { 1, 3, 0x97c308bdcaa71298 },
        { 1, 60, 0xc138574b19c00142 },  { 1, 299, 0x09b55b9669f16cac },
        { 2, 2, 0x2c959e8db79fa27a },   { 2, 40, 0x368556cf6ee863b5 },
        { 1, 100, 0x4c653a13b55f943e }, { 2, 120, 0xc418672a9e6b21bf },
    };

    for (size_t k = 0; k < COUNT(t); k++) {
        struct world w = { .fleet = make_fleet("bounded-rendezvous") };
        set_collectors(&w, 0, t[k].n);
        for (uint32_t i = 0; i < N_TARGETS; i++) {
            add_target(&w, i, crowded(i, t[k].kind), 0, 0);
        }
        fleet_settle(w.fleet, on_moved, &w);
        uint64_t got = hash64(span_make((const char *)w.owners, sizeof(w.owners)));
        ok(got == t[k].digest, "bounded: kind %d on %zu, 0x%016" PRIx64, t[k].kind, t[k].n, got);
        fleet_free(&w.fleet);
    }
}

static void test_unknown(void)
{
    struct fleet_options o = { .strategy = SPAN_LIT("round-robin") };
    struct fleet *f = NULL;
    struct err err = { 0 };

    is_int(fleet_new(&o, &f, &err), ERR_NOT_FOUND, "an unknown strategy is refused");
    ok(strstr(err.text, "round-robin") != NULL && strstr(err.text, "rendezvous") != NULL,
       "by name, with the known ones: %s", err.text);
    o.strategy = SPAN_LIT("per-node");
    o.fallback = SPAN_LIT("x");
    is_int(fleet_new(&o, &f, NULL), ERR_NOT_FOUND, "an unknown fallback too");
    is_int(fleet_new(&(struct fleet_options){ 0 }, &f, NULL), 0, "no strategy named");
    is_str(fleet_strategy(f), "consistent-hashing", "is consistent hashing");
    fleet_free(&f);
    ok(f == NULL, "a fleet is freed");
    fleet_free(&f);
}

int main(void)
{
    test_library_tables();
    for (size_t i = 0; strategies[i] != NULL; i++) {
        test_churn(strategies[i]->name);
        if (!strategies[i]->needs_load && strcmp(strategies[i]->name, "per-node") != 0) {
            test_purity(strategies[i]->name);
        }
    }
    test_seats();
    test_rendezvous_moves_only_what_must();
    test_least_weighted();
    test_per_node();
    test_lists();
    for (size_t i = 0; strategies[i] != NULL; i++) {
        if (strategies[i] != &strategy_least_weighted) {
            test_slots(strategies[i]->name);
        }
    }
    test_loads_follow();
    test_bounded_owners();
    test_unknown();
    test_bounds(); /* takes longest */
    return check_done();
}

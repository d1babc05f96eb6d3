/* Each strategy by itself, without a fleet around it. */
#include "allocator/base/mem.h"
#include "allocator/shard/strategy.h"
#include "tests/check.h"

#include <inttypes.h>
#include <stdio.h>

#define MAX_COLLECTORS 1100

struct names {
    char text[MAX_COLLECTORS][16];
    struct strategy_collector v[MAX_COLLECTORS];
};

static struct names names;

static const struct strategy_collector *make_names(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(names.text[i], sizeof(names.text[i]), "c-%04zu", i);
        names.v[i] = (struct strategy_collector){ .name = span_of(names.text[i]) };
    }
    return names.v;
}

static struct strategy *make(const struct strategy_ops *ops, bool is_v0,
                             const struct strategy_collector *v, size_t n)
{
    const struct strategy_options o = { .is_v0 = is_v0 };
    struct strategy *s = ops->create(&o);

    ops->set_collectors(s, v, n);
    return s;
}

static uint64_t hash_of_node(const char *node)
{
    return node[0] == '\0' ? 0 : hash64(span_of(node));
}

/* ---- per-node */

static uint32_t pick_by_hash(const struct strategy *s, uint64_t node_hash)
{
    const struct strategy_target t = { .node_hash = node_hash, .owner = STRATEGY_NONE };

    return strategy_per_node.pick(s, &t, NULL);
}

static void test_per_node(void)
{
    static const struct strategy_collector v[] = {
        { .name = SPAN_LIT("a"), .node = SPAN_LIT("n1") },
        { .name = SPAN_LIT("b") },
        { .name = SPAN_LIT("c"), .node = SPAN_LIT("n2") },
        { .name = SPAN_LIT("d"), .node = SPAN_LIT("n1") },
        { .name = SPAN_LIT("e"), .node = SPAN_LIT("n2") },
        { .name = SPAN_LIT("f"), .node = SPAN_LIT("n3") },
        { .name = SPAN_LIT("g") },
        { .name = SPAN_LIT("h"), .node = SPAN_LIT("n1") },
    };
    static const struct {
        size_t n; /* collectors, from the front */
        const char *node;
        uint32_t owner;
        const char *what;
    } t[] = {
        { 0, "n1", STRATEGY_NONE, "no collectors" },
        { 1, "n1", 0, "the only collector" },
        { 1, "", STRATEGY_NONE, "no node" },
        { 2, "n2", STRATEGY_NONE, "a node without collector" },
        { COUNT(v), "n1", 0, "the first of three on a node" },
        { COUNT(v), "n2", 2, "the first of two on a node" },
        { COUNT(v), "n3", 5, "alone on its node" },
        { COUNT(v), "n4", STRATEGY_NONE, "an unknown node" },
        { COUNT(v), "", STRATEGY_NONE, "no node, though there are collectors without" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct strategy *s = make(&strategy_per_node, false, v, t[i].n);
        is_int(pick_by_hash(s, hash_of_node(t[i].node)), t[i].owner, "per-node: %s", t[i].what);
        strategy_per_node.destroy(s);
    }
    struct strategy *s = make(&strategy_per_node, false, v, COUNT(v));
    is_int(pick_by_hash(s, hash64(SPAN_LIT(""))), STRATEGY_NONE,
           "per-node: a collector without node is on none");
    strategy_per_node.set_collectors(s, v + 3, 3);
    is_int(pick_by_hash(s, hash_of_node("n2")), 1, "per-node: another list replaces the first");
    strategy_per_node.destroy(s);
}

/* Every node finds its own collector, and what lies between two nodes' hashes finds none. */
static void test_many_nodes(void)
{
    const size_t n = 333;
    struct strategy_collector v[333];
    size_t n_wrong = 0, n_found = 0;

    memcpy(v, make_names(n), sizeof(v));
    for (size_t i = 0; i < n; i++) {
        v[i].node = v[i].name;
    }
    struct strategy *s = make(&strategy_per_node, false, v, n);
    for (size_t i = 0; i < n; i++) {
        uint64_t hash = hash64(v[i].node);
        n_wrong += pick_by_hash(s, hash) != i;
        n_found += pick_by_hash(s, hash - 1) != STRATEGY_NONE;
        n_found += pick_by_hash(s, hash + 1) != STRATEGY_NONE;
    }
    is_int(n_wrong, 0, "per-node: each of %zu nodes has its collector", n);
    is_int(n_found, 0, "per-node: no other node has one");
    strategy_per_node.destroy(s);
}

/* ---- least-weighted */

static void test_least_weighted(void)
{
    static const struct {
        uint32_t loads[4], job_loads[4], owner;
        bool has_job_loads;
        uint32_t pick;
        const char *what;
    } t[] = {
        { { 3, 2, 1, 2 }, { 0 }, STRATEGY_NONE, true, 2, "fewest" },
        { { 1, 1, 1, 1 }, { 0 }, STRATEGY_NONE, true, 0, "all alike: the first" },
        { { 2, 1, 1, 1 }, { 0, 3, 2, 2 }, STRATEGY_NONE, true, 2, "fewer of the job" },
        { { 2, 1, 1, 1 }, { 0, 3, 2, 1 }, STRATEGY_NONE, true, 3, "fewest of the job" },
        { { 2, 1, 1, 1 }, { 0, 3, 2, 1 }, STRATEGY_NONE, false, 1, "nothing known of the job" },
        { { 2, 1, 3, 4 }, { 0, 9, 0, 0 }, STRATEGY_NONE, true, 1, "the job comes second" },
        { { 2, 1, 3, 4 }, { 0 }, 3, true, 3, "an owner stays" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct strategy *s = make(&strategy_least_weighted, false, make_names(4), 4);
        const struct strategy_target target = { .owner = t[i].owner };
        const struct strategy_load load = { t[i].loads,
                                            t[i].has_job_loads ? t[i].job_loads : NULL };
        is_int(strategy_least_weighted.pick(s, &target, &load), t[i].pick, "least-weighted: %s",
               t[i].what);
        strategy_least_weighted.destroy(s);
    }
}

/* ---- what replicas of two versions of the program have to agree on */

#define N_ADDRESSES 2122 /* twice around the partitions of consistent hashing */

static uint64_t digest_of(const struct strategy_ops *ops, bool is_v0, size_t n)
{
    static uint32_t owners[N_ADDRESSES];
    struct strategy *s = make(ops, is_v0, make_names(n), n);

    for (uint64_t i = 0; i < N_ADDRESSES; i++) {
        const struct strategy_target t = { .address_hash = i, .owner = STRATEGY_NONE };
        owners[i] = ops->pick(s, &t, NULL);
    }
    ops->destroy(s);
    return hash64(span_make((const char *)owners, sizeof(owners)));
}

/* The figures are of the tables that fleet_test.c holds against the library's in part. */
static void test_tables(void)
{
    static const struct {
        const struct strategy_ops *ops;
        bool is_v0;
        size_t n;
        uint64_t digest;
    } t[] = {
#define CONSISTENT &strategy_consistent_hashing
        { CONSISTENT, false, 0, 0x66359ab0b6ca9176 },
        { CONSISTENT, false, 1, 0xa61244a0068e8367 },
        { CONSISTENT, false, 2, 0x0993d4037d295cfe },
        { CONSISTENT, false, 7, 0x38de6e1e3e962898 },
        { CONSISTENT, false, 60, 0xc20c3f0d420dbdc3 },
        { CONSISTENT, false, 1061, 0x5e135db7bfcaac08 },
        { CONSISTENT, false, 1100, 0x91e0cdd9511a586d },
        { CONSISTENT, true, 1, 0xa61244a0068e8367 },
        { CONSISTENT, true, 7, 0x909652512a163805 },
        { CONSISTENT, true, 60, 0x2f1e2cb6312c4409 },
        { CONSISTENT, true, 1061, 0x49bff3938ea96e8a },
        { CONSISTENT, true, 1100, 0x171d1248900314a8 },
#undef CONSISTENT
        { &strategy_rendezvous, false, 1, 0xa61244a0068e8367 },
        { &strategy_rendezvous, false, 7, 0x3b595861db0df1e0 },
        { &strategy_rendezvous, false, 60, 0x970779bf9901ccd3 },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        uint64_t got = digest_of(t[i].ops, t[i].is_v0, t[i].n);
        ok(got == t[i].digest, "%s%s: the owners with %zu collectors, 0x%016" PRIx64,
           t[i].ops->name, t[i].is_v0 ? " v0" : "", t[i].n, got);
    }
}

/* ---- all */

/* After a change of collectors repick() says what pick() says, whoever owned the target. */
static void test_repick(void)
{
    const struct strategy_ops *ops = &strategy_rendezvous;
    const struct strategy_collector *v = make_names(9);
    struct strategy *before = make(ops, false, v + 1, 7), *s = make(ops, false, v, 9);
    static const uint32_t added[] = { 0, 8 };
    size_t n_wrong = 0;

    for (uint64_t i = 0; i < N_ADDRESSES; i++) {
        struct strategy_target t = { .address_hash = i, .owner = STRATEGY_NONE };
        uint32_t want = ops->pick(s, &t, NULL);
        n_wrong += ops->repick(s, &t, added, COUNT(added)) != want;
        t.owner = ops->pick(before, &t, NULL) + 1;
        n_wrong += ops->repick(s, &t, added, COUNT(added)) != want;
    }
    is_int(n_wrong, 0, "rendezvous: a look at the new ones is enough");
    ops->destroy(before);
    ops->destroy(s);
}

static void test_find(void)
{
    static const char *const known[] = { "consistent-hashing", "least-weighted", "per-node",
                                         "rendezvous", "bounded-rendezvous" };

    for (size_t i = 0; i < COUNT(known); i++) {
        const struct strategy_ops *ops = strategy_find(span_of(known[i]));
        ok(ops != NULL && ops == strategies[i], "%s is known", known[i]);
        is_str(ops == NULL ? "" : ops->name, known[i], "by its name");
        is_int(ops != NULL && ops->needs_load, i == 1, "does it look at loads?");
        is_int(ops != NULL && ops->is_bounded, i == 4, "is it bounded?");
    }
    ok(strategies[COUNT(known)] == NULL, "and no other");
    ok(strategy_find(SPAN_LIT("")) == NULL && strategy_find(SPAN_LIT("per")) == NULL, "as a whole");
}

int main(void)
{
    test_per_node();
    test_many_nodes();
    test_least_weighted();
    test_tables();
    test_repick();
    test_find();
    return check_done();
}

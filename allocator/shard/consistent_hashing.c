/* Bounded-load consistent hashing, partition by partition as buraksezer/consistent does it with the
 * parameters of the Go allocator: 1061 partitions, replication factor 5, load 1.1, XXH64. The
 * tables equal those of library v1.0.0 and, as an option, v0.10.0, so that replicas of both
 * programs agree. Deviation: v0.10.0 panics above 1061 collectors; here each then holds at most one
 * partition. */
#include "allocator/base/hash.h"
#include "allocator/base/mem.h"
#include "allocator/base/order.h"
#include "allocator/shard/strategy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define PARTITIONS 1061
#define REPLICAS 5
#define LOAD 1.1

struct ring_point {
    uint64_t hash;
    uint32_t collector;
};

struct strategy {
    bool is_v0;
    bool is_empty;
    uint32_t owner[PARTITIONS];
};

static struct strategy *create(const struct strategy_options *options)
{
    struct strategy *s = mem_zalloc(sizeof(*s));
    s->is_v0 = options->is_v0;
    s->is_empty = true;
    return s;
}

static int compare_points(const void *a, const void *b)
{
    const struct ring_point *x = a, *y = b;
    int c = order_u64(x->hash, y->hash);
    return c != 0 ? c : order_u64(x->collector, y->collector);
}

static struct ring_point *make_ring(const struct strategy *s, const struct strategy_collector *v,
                                    size_t n)
{
    struct ring_point *ring = mem_array(n * REPLICAS, sizeof(*ring));

    for (size_t i = 0; i < n; i++) {
        for (int r = 0; r < REPLICAS; r++) {
            AUTO_STR key = s->is_v0 ? mem_printf("%.*s%d", SPAN_ARG(v[i].name), r)
                                    : mem_printf("%d:%.*s", r, SPAN_ARG(v[i].name));
            ring[i * REPLICAS + (size_t)r] =
                (struct ring_point){ hash64(span_of(key)), (uint32_t)i };
        }
    }
    qsort(ring, n * REPLICAS, sizeof(*ring), compare_points);
    return ring;
}

static size_t max_load(const struct strategy *s, size_t n)
{
    const size_t whole = PARTITIONS / n; /* v0.10.0 divides integers */
    double average = s->is_v0 ? (double)whole : (double)PARTITIONS / (double)n;
    double load = ceil(average * LOAD);
    return load < 1 ? 1 : (size_t)load;
}

/* The first point at or after 'key' on the ring. */
static size_t ring_search(const struct ring_point *ring, size_t n, uint64_t key)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (ring[mid].hash < key) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low == n ? 0 : low;
}

static void set_collectors(struct strategy *s, const struct strategy_collector *v, size_t n)
{
    s->is_empty = n == 0;
    if (n == 0) {
        return;
    }
    struct ring_point *ring = make_ring(s, v, n);
    uint32_t *loads = mem_array(n, sizeof(*loads));
    size_t cap = max_load(s, n);

    for (uint64_t p = 0; p < PARTITIONS; p++) {
        unsigned char key[8];
        for (int i = 0; i < 8; i++) {
            key[i] = (unsigned char)(p >> (8 * i)); /* little-endian, whatever the machine */
        }
        size_t at =
            ring_search(ring, n * REPLICAS, hash64(span_make((const char *)key, sizeof(key))));
        while (loads[ring[at].collector] + 1 > cap) {
            at = at + 1 == n * REPLICAS ? 0 : at + 1;
        }
        s->owner[p] = ring[at].collector;
        loads[ring[at].collector]++;
    }
    mem_free(loads);
    mem_free(ring);
}

static uint32_t pick(const struct strategy *s, const struct strategy_target *t,
                     const struct strategy_load *load)
{
    (void)load;
    return s->is_empty ? STRATEGY_NONE : s->owner[t->address_hash % PARTITIONS];
}

static void destroy(struct strategy *s)
{
    mem_free(s);
}

const struct strategy_ops strategy_consistent_hashing = {
    .name = "consistent-hashing",
    .create = create,
    .set_collectors = set_collectors,
    .pick = pick,
    .destroy = destroy,
};

#include "allocator/prom/shapememory.h"

#include "allocator/base/container.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "tests/check.h"

struct number {
    struct shape_fact fact;
    size_t *n_forgotten;
    size_t value;
};

static void forget(struct shape_fact *fact)
{
    ++*CONTAINER_OF(fact, struct number, fact)->n_forgotten;
}

static void put(struct shapememory *m, uint64_t owner, uint64_t shape, size_t n, size_t extra,
                size_t *n_forgotten)
{
    struct number *number = mem_zalloc(sizeof(*number) + extra);

    number->fact = (struct shape_fact){ .owner = owner, .shape = shape, .n = n, .forget = forget };
    number->n_forgotten = n_forgotten;
    number->value = owner * 10000 + shape * 10 + n;
    shapememory_put(m, &number->fact);
}

static size_t get(const struct shapememory *m, uint64_t owner, uint64_t shape, size_t n)
{
    struct shape_fact *fact = shapememory_find(m, owner, shape, n);

    return fact == NULL ? 0 : CONTAINER_OF(fact, struct number, fact)->value;
}

static void test_keys(void)
{
    struct shapememory m;
    size_t n_forgotten = 0;

    shapememory_init(&m);
    is_int(get(&m, 1, 1, 1), 0, "nothing is known");
    for (size_t owner = 0; owner < 4; owner++) {
        for (size_t shape = 0; shape < 100; shape++) {
            put(&m, owner, shape, 1, 0, &n_forgotten);
            put(&m, owner, shape, 2, 0, &n_forgotten);
        }
    }
    size_t n_right = 0;
    for (size_t owner = 0; owner < 4; owner++) {
        for (size_t shape = 0; shape < 100; shape++) {
            n_right += get(&m, owner, shape, 1) == owner * 10000 + shape * 10 + 1 ? 1 : 0;
            n_right += get(&m, owner, shape, 2) == owner * 10000 + shape * 10 + 2 ? 1 : 0;
        }
    }
    is_int(n_right, 800, "each is known to its owner, by its shape and size");
    is_int(get(&m, 4, 1, 1) + get(&m, 1, 100, 1) + get(&m, 1, 1, 3), 0, "others are not");
    is_int(n_forgotten, 0, "nothing is forgotten");
    shapememory_fini(&m);
    is_int(n_forgotten, 800, "everything is");
    is_int(get(&m, 1, 1, 1), 0, "and nothing known");
}

/* Targets of ever new shapes: number and bytes have an end. */
static void test_bounds(void)
{
    static const size_t sizes[] = { 0, 8 * KIB };

    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct shapememory m;
        size_t n_forgotten = 0, most = 0, most_bytes = 0;
        shapememory_init(&m);
        for (size_t shape = 0; shape < 3 * LIMIT_SHAPE_FACTS; shape++) {
            put(&m, 1, shape, 1, sizes[i], &n_forgotten);
            most = m.table.n > most ? m.table.n : most;
            most_bytes = m.bytes > most_bytes ? m.bytes : most_bytes;
            if (get(&m, 1, shape, 1) == 0) {
                most = SIZE_MAX;
            }
        }
        ok(most <= LIMIT_SHAPE_FACTS, "at most %zu facts, the newest among them", most);
        ok(most_bytes <= LIMIT_SHAPE_BYTES, "of at most %zu bytes", most_bytes);
        shapememory_fini(&m);
        is_int(n_forgotten, 3 * LIMIT_SHAPE_FACTS, "each is let go once");
    }
}

int main(void)
{
    test_keys();
    test_bounds();
    return check_done();
}

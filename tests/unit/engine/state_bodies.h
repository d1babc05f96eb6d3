/* Bodies of discovery files by chance, for state_test.c: what one file holds after the other, and
 * the chance it goes by. */
#ifndef OTEL_TA_TESTS_UNIT_ENGINE_STATE_BODIES_H
#define OTEL_TA_TESTS_UNIT_ENGINE_STATE_BODIES_H

#include "allocator/base/buf.h"
#include "tests/unit/engine/side.h"

#include <stdint.h>

static uint64_t seed;

static inline unsigned chance(unsigned n)
{
    seed += 0x9e3779b97f4a7c15ULL;
    uint64_t x = seed;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return (unsigned)((x ^ (x >> 31)) % n);
}

static inline void write_labels(struct buf *out)
{
    static const char *const names[] = { "env",      "__meta_pod", "team",
                                         "drop",     "rename",     "__meta_kubernetes_node_name",
                                         "__meta_z", "zone" };
    static const unsigned usual[] = { 0xff, 0x5b, 0xa6 }; /* shapes that come again and again */
    unsigned present = chance(3) == 0 ? chance(256) : usual[chance(COUNT(usual))];
    bool is_first = true;

    for (size_t i = 0; i < COUNT(names); i++) {
        if ((present >> i & 1) == 0) {
            continue;
        }
        unsigned v = chance(i == 3 ? 8 : 3);
        buf_addf(out, "%s\"%s\":%s\"%s%u\"", is_first ? "" : ",", names[i],
                 chance(9) == 0 ? " " : "", v == 0 ? "" : "v\\u0041", v);
        is_first = false;
    }
}

static inline void write_group(struct buf *out)
{
    unsigned n_targets = chance(4) == 0 ? chance(3) : 1;

    buf_add_str(out, "{\"targets\":[");
    for (unsigned k = 0; k < n_targets; k++) {
        buf_addf(out, "%s\"10.0.0.%u:80\"", k == 0 ? "" : ",", chance(12));
    }
    buf_add_str(out, "],\"labels\":{");
    write_labels(out);
    buf_add_str(out, "}}");
}

/* A new body, or the last one with one group changed, one more, one twice, or one left out. */
static inline char *write_body(int file)
{
    static struct {
        unsigned n;
        uint64_t seeds[8];
    } made[N_FILES];
    unsigned n = made[file].n, at = n == 0 ? 0 : chance(n);
    uint64_t *seeds = made[file].seeds, one = (uint64_t)chance(1 << 30) << 30;
    AUTO_BUF out;

    switch (chance(n == 0 || n == 8 ? 1 : 5)) {
    case 0:
        n = chance(7);
        for (unsigned i = 0; i < n; i++) {
            seeds[i] = one + i;
        }
        break;
    case 1:
        seeds[at] = one;
        break;
    case 2:
        seeds[n++] = one;
        break;
    case 3:
        seeds[n++] = seeds[at];
        break;
    default:
        n--;
        memmove(seeds + at, seeds + at + 1, (n - at) * sizeof(seeds[0]));
        break;
    }
    made[file].n = n;
    buf_init(&out, MIB);
    buf_add_char(&out, '[');
    uint64_t before = seed;
    for (unsigned i = 0; i < n; i++) {
        buf_add_str(&out, i == 0 ? "" : ",");
        seed = seeds[i];
        write_group(&out);
    }
    seed = before;
    buf_add_char(&out, ']');
    return mem_strndup(out.p, out.len);
}

#endif

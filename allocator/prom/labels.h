/* Label sets. A builder is a scratch pad of (name, value) pairs; names are interned (strpool),
 * values are borrowed spans: from the discovery body, the arena of the batch, or compiled rules. An
 * empty value means the label is absent, as everywhere in Prometheus: get returns "", set with ""
 * deletes. (Only discovered labels keep empty values, because the allocator serves them as
 * discovered.) Threads: as the pool: one. */
#ifndef OTEL_TA_PROM_LABELS_H
#define OTEL_TA_PROM_LABELS_H

#include "allocator/base/arena.h"
#include "allocator/base/strpool.h"
#include "allocator/prom/shapememory.h"

#include <stdbool.h>
#include <stdint.h>

struct label {
    const struct str *name;
    struct span value;
};

struct labels { /* a borrowed array */
    const struct label *v;
    size_t n;
};

struct label_builder {
    struct label *v; /* unordered; no empty values, no duplicate names */
    size_t n, cap;
    struct strpool *pool;
    struct arena *arena; /* where expanded values go; reset by the caller */
    /* Says which names stand in 'v' in which order: the same number, the same names (as surely as
     * 64 bits of hash can say). Targets of one source look alike, so that what was looked up for
     * one needs no look-up for the next. */
    uint64_t shape;
    /* Rules come from peers and can double what they are given, again and again. Past
     * LIMIT_LABELS_PER_TARGET or LIMIT_RELABEL_BYTES of produced text nothing more is set and this
     * stays true until the next clear. */
    bool is_overfull;
    size_t produced_bytes;
    struct shapememory memory; /* survives the clear */
    uint64_t sorted_shape;     /* of the last sort */
    struct label *unsorted;    /* scratch of the sort; NULL before the first */
    struct label_index *index; /* where names stand; NULL until many were looked for among many */
    size_t n_searches;         /* since the last clear, while there were many */
    char *scratch; /* LABEL_SCRATCH_BYTES for whoever works on the builder at the moment */
};
#define LABEL_SCRATCH_BYTES 1024

void label_builder_init(struct label_builder *lb, struct strpool *pool, struct arena *arena);
void label_builder_clear(struct label_builder *lb);
/* Empty span when absent. */
struct span label_builder_get(struct label_builder *lb, const struct str *name);
/* An empty value deletes. The value is borrowed. */
void label_builder_set(struct label_builder *lb, const struct str *name, struct span value);
/* For a name that is not there yet and a value that is not empty. */
void label_builder_append(struct label_builder *lb, const struct str *name, struct span value);
void label_builder_del(struct label_builder *lb, const struct str *name);
/* Removes the labels whose 'is_removed' is set, an array of lb->n; the others keep their order. */
void label_builder_remove(struct label_builder *lb, const bool *is_removed);

/* A name that is looked up in many builders, with the result of the last time. */
struct label_place {
    struct str *name; /* the owner of the place pins it */
    uint64_t shape;
    size_t index; /* LABEL_NONE: not there */
};
#define LABEL_NONE SIZE_MAX
void label_place_init(struct label_place *place, struct str *name);
struct span label_place_get(struct label_place *place, struct label_builder *lb);
void label_place_set(struct label_place *place, struct label_builder *lb, struct span value);

/* Accounts for 'size' bytes of text that a rule is about to produce; false when that is too much.
 */
bool label_builder_charge(struct label_builder *lb, size_t size);
/* Sorts by name bytes: the order of every output and of labelmap. Free of comparisons when labels
 * of this shape were sorted before. */
void label_builder_sort(struct label_builder *lb);
void label_builder_fini(struct label_builder *lb);

/* Sorts 'v' by name. */
void labels_sort(struct label *v, size_t n);

/* Prometheus' legacy name rule [a-zA-Z_][a-zA-Z0-9_]*, and the UTF-8 rule: valid UTF-8, not empty.
 */
enum name_scheme { NAME_UTF8, NAME_LEGACY };
bool label_name_is_valid(struct span name, enum name_scheme scheme);

/* XXH64 over name 0xFF value 0xFF of each label not starting with "__meta_", in name order, then
 * 'job': upstream's item hash made canonical by sorting (as of its target.go). Sorts the builder.
 */
uint64_t labels_identity(struct label_builder *lb, struct span job);

#endif

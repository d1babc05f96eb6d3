/* What one discovery source holds at one moment: target groups, as columns. All groups that carry
 * the same label names share one shape (the names in byte order); a group is then an array of
 * values. A digest fills a batch, the engine reads it and drops it. The batch also counts how often
 * each column changes from one group to the next of its shape: a column that hardly ever changes is
 * worth sharing between the targets of the source (engine/render). Ownership: values are spans into
 * the body or into the arena of the batch; names belong to the pool. Threads: as the strpool. */
#ifndef OTEL_TA_DISCOVERY_BATCH_H
#define OTEL_TA_DISCOVERY_BATCH_H

#include "allocator/base/arena.h"
#include "allocator/base/strpool.h"
#include "allocator/base/table.h"
#include "allocator/base/vec.h"
#include "allocator/prom/labels.h"

struct sd_column {
    const struct str *name;
    uint32_t n_changes;
};

struct sd_field {
    const struct str *name;
    uint32_t column;
};

struct sd_shape {
    struct table_node node; /* by the names as they were written */
    uint32_t n;
    uint32_t index;    /* among the shapes of the batch */
    uint32_t n_source; /* labels as they were written, duplicates included */
    bool has_duplicates;
    const uint32_t *place; /* by position in the text: the field, or SD_NO_FIELD */
    const struct str *const *source_names;
    struct sd_field fields[]; /* by name bytes, distinct, never __address__ */
};
#define SD_NO_FIELD UINT32_MAX

struct sd_group {
    const struct sd_shape *shape;
    struct span *values; /* by field; empty values are values */
    struct span *targets;
    uint32_t n_targets;
};

struct sd_batch {
    struct arena arena;
    struct strpool *pool;
    const struct str *address; /* "__address__" */
    VEC(struct sd_column) columns;
    VEC(struct sd_group) groups;
    size_t n_targets;

    /* of the group that is being read */
    VEC(struct label_text {
        const struct str *name;
        struct span value;
    })
    labels;
    VEC(struct span) targets;
    VEC(struct sd_shape_use {
        const struct sd_shape *shape;
        size_t last_group; /* that has it, + 1; 0: none yet */
    })
    shapes;
    struct table shapes_by_names;
    const struct sd_shape *last_shape;
    uint32_t *column_slots; /* open addressing on the address of the name: column + 1, 0 = free */
    size_t n_column_slots;
};

void sd_batch_init(struct sd_batch *b, struct strpool *pool);
/* Ready for the next body; memory is kept. */
void sd_batch_reset(struct sd_batch *b);
void sd_batch_fini(struct sd_batch *b);

/* One group: begin, labels and targets in any order, end. Of two labels with one name the later
 * wins. */
void sd_batch_begin(struct sd_batch *b);
void sd_batch_label(struct sd_batch *b, const struct str *name, struct span value);
void sd_batch_target(struct sd_batch *b, struct span address);
void sd_batch_forget_labels(struct sd_batch *b); /* "labels" came twice: the later one counts */
void sd_batch_forget_targets(struct sd_batch *b);
/* NULL when the group has no targets: nothing of it is kept. */
struct sd_group *sd_batch_end(struct sd_batch *b);

/* A group like groups.v[like] (same shape, as many targets), its values and targets copied for the
 * caller to overwrite; closed by sd_batch_commit(). */
struct sd_group *sd_batch_repeat(struct sd_batch *b, size_t like);
void sd_batch_commit(struct sd_batch *b);

/* Fills 'lb' (cleared) with the labels of one target of 'g': those of its group and its address,
 * empty ones left out; of the __meta_ labels all, or with 'with_meta' false none. */
void sd_batch_labels(const struct sd_batch *b, const struct sd_group *g, struct span address,
                     bool with_meta, struct label_builder *lb);

#endif

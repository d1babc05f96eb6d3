/* How the targets of one batch become JSON. A target is two pieces: its own bytes (address and the
 * labels that differ from neighbour to neighbour) and a tail (the rest) that it shares. Which
 * columns are shared is decided for the batch: those that change least from group to group, as long
 * as all of them together change at most once in four targets. That makes the pieces a pure
 * function of what the source holds now. Within a piece labels stand in name order. Threads: as the
 * batch. */
#ifndef OTEL_TA_ENGINE_RENDER_H
#define OTEL_TA_ENGINE_RENDER_H

#include "allocator/base/buf.h"
#include "allocator/discovery/batch.h"
#include "allocator/engine/tail.h"

struct render_plan;

struct render {
    struct sd_batch *batch;
    bool *is_tail; /* by column */
    struct span *
        column_json; /* by column: "name": with quotes and colon, escaped; p == NULL until needed */
    struct render_plan **plans; /* by shape; NULL until needed */
    struct buf own;
};

/* Memory comes from the arena of the batch, which must outlive it. */
void render_init(struct render *r, struct sd_batch *batch);
void render_fini(struct render *r);

/* ,{"targets":["a:1"],"labels":{"__address__":"a:1"
 * p == NULL for a target whose JSON passes LIMIT_SD_BODY. Lives until the next call. */
struct span render_own(struct render *r, const struct sd_group *g, struct span address);

struct render_tail {
    struct span text;  /* ,"k":"v"}} ; p == NULL as above */
    struct tail *kept; /* the caller's: the tail with this text; NULL when the text is a new one */
};
/* The tail of the group. Lives until the tail of a group of the same shape is another text. */
struct render_tail *render_tail(struct render *r, const struct sd_group *g);

#endif

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

struct render_plan;

#define RENDER_RECENT_PLANS 4

struct render {
    struct sd_batch *batch;
    bool *is_tail; /* by column */
    struct span *
        column_json; /* by column: "name": with quotes and colon, escaped; p == NULL until needed */
    const struct render_plan *plans[RENDER_RECENT_PLANS]; /* by shape, newest overwrite oldest */
    unsigned n_plans, next_plan;
    struct buf own, tail;
    const struct sd_group *tail_group; /* whose tail is in 'tail' */
    const struct render_plan *tail_plan;
};

/* Memory comes from the arena of the batch, which must outlive it. */
void render_init(struct render *r, struct sd_batch *batch);
void render_fini(struct render *r);

/* Both give bytes that live until the next call, or p == NULL for a target whose JSON passes
 * LIMIT_SD_BODY. ,{"targets":["a:1"],"labels":{"__address__":"a:1"
 */
struct span render_own(struct render *r, const struct sd_group *g, struct span address);
/* ,"k":"v"}} ; '*out_is_same': the very bytes of the call before. */
struct span render_tail(struct render *r, const struct sd_group *g, bool *out_is_same);

#endif

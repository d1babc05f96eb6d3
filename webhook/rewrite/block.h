/* The "target_allocator" block of a Prometheus receiver: where the Collector itself asks the
 * allocator for scrape configs. Our three members of it (endpoint, interval, collector_id) are set
 * and taken back; other members stay the user's. Source: AddTAConfigToPromConfig() of upstream's
 * operator. Threads: any. */
#ifndef OTEL_TA_WEBHOOK_REWRITE_BLOCK_H
#define OTEL_TA_WEBHOOK_REWRITE_BLOCK_H

#include "allocator/tenant/collector.h"

struct rewrite_options;

struct block_input {
    const struct collector *collector;
    const struct rewrite_options *options;
    const struct node *present; /* target_allocator of the receiver, or NULL */
    const struct node *stored;  /* what the annotation keeps of it, or NULL */
    bool is_wanted;
};

struct block_plan {
    bool is_changed;
    const struct node *value;  /* the new block; NULL: none */
    const struct node *stored; /* for the annotation; NULL: nothing of ours is in there */
};

void block_plan(const struct block_input *in, struct arena *arena, struct block_plan *out);

#endif

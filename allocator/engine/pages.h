/* The pages of one job: which targets each collector has, in identity order, and the response body
 * made from them. Collectors are known by their seats (shard/fleet.h), and only those that have
 * targets of the job have a list (pagelist.h). Changes are noted as they come and cost nothing but
 * a note; pages_render() then merges each changed list once and makes what of its body has changed.
 * Threads: the engine's. */
#ifndef OTEL_TA_ENGINE_PAGES_H
#define OTEL_TA_ENGINE_PAGES_H

#include "allocator/engine/pagelist.h"

struct pages {
    struct publisher *publisher;
    VEC(struct page_change) changes; /* since the last merge */
    struct page_runs gone;           /* that pages may still show */
    struct page_list *lists;         /* by seat */
    size_t n_lists;
    struct page_row *row; /* what snapshots see; NULL until the first render */
    bool is_dirty;        /* some list is */
};

void pages_init(struct pages *p, struct publisher *publisher);
/* A new member, or one that may be gone. 'seat' may be FLEET_NONE: nothing to note. */
void pages_add(struct pages *p, uint32_t seat, struct target *t);
void pages_touch(struct pages *p, uint32_t seat, uint64_t identity);
/* Lets go of members that are gone, without making a page: in place of pages_render() for a job
 * that is not shown, since what was retired before a publication is freed after it. */
void pages_merge(struct pages *p, const struct fleet *fleet);
/* Brings the row up to date; 'n_kept' is its target count. True when the row is another one than
 * before. */
bool pages_render(struct pages *p, const struct fleet *fleet, size_t n_kept, size_t *out_n_rendered)
    ON(engine);
/* Retires everything that snapshots may see. */
void pages_fini(struct pages *p) ON(engine);

#endif

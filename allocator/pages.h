/* The pages of one job: which targets each collector has, in identity order, and the response body
 * made from them. Changes are noted as they come and cost nothing but a mark; pages_render() then
 * merges each changed list once and makes its body. A member is valid while its slot's owner is
 * this collector, so removals need no search. Threads: the engine's. */
#ifndef OTEL_TA_PAGES_H
#define OTEL_TA_PAGES_H

#include "allocator/target.h"

struct page_list {     /* of one collector */
    struct target **v; /* by identity, as of the last merge */
    struct target **added;
    struct page *page;
    uint32_t n, n_added, cap_added;
    bool is_stale; /* a member may be gone, or is among the added ones */
    bool is_dirty; /* the page must be made again */
};

struct pages {
    struct publisher *publisher;
    struct page_list *lists;
    size_t n_lists;
    struct page_row *row; /* what snapshots see; NULL until the first render */
    bool is_dirty;        /* some list is, or the row must be made again */
};

void pages_init(struct pages *p, struct publisher *publisher, size_t n_collectors);
/* 'collector' may be FLEET_NONE: nothing to note. */
void pages_add(struct pages *p, uint32_t collector, struct target *t);
void pages_touch(struct pages *p, uint32_t collector);
/* The collectors are others now: 'map' gives each old index its new one or FLEET_NONE. Before moves
 * are noted. */
void pages_renumber(struct pages *p, const uint32_t *map, size_t n_collectors) ON(engine);
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

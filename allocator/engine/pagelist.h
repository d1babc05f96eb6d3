/* The targets of one job that one collector has, in identity order, cut into blocks of neighbours,
 * each with its run of the response body: a change costs what its block does, not what the list
 * has. A member is valid while its slot's owner is this collector. Threads: the engine's. */
#ifndef OTEL_TA_ENGINE_PAGELIST_H
#define OTEL_TA_ENGINE_PAGELIST_H

#include "allocator/base/vec.h"
#include "allocator/engine/target.h"

#define PAGE_BLOCK_MOST 96 /* members of a block */

struct page_change {
    union {
        struct target *target; /* a new member */
        uint64_t identity;     /* of one that may be gone */
    };
    uint32_t seat;
    bool is_new;
};

struct page_block { /* neighbours in a list */
    union {
        struct target *one; /* n <= 1: most lists of a job with fewer targets than collectors */
        struct target **v;  /* by identity, as of the last merge */
    };
    struct exchange_run *run; /* NULL: none was made */
    uint32_t n;               /* not 0 */
    bool is_dirty : 1;        /* the run must be made again */
    bool is_first : 1;        /* so the run was made … */
    bool is_last : 1;
};

struct page_list { /* of one collector */
    union {
        struct page_block block;   /* n_blocks <= 1 */
        struct page_block *blocks; /* by identity */
    };
    struct page *page;
    uint32_t n_blocks;
    uint32_t seat : 31;
    bool is_dirty : 1; /* the page must be made again */
};

struct page_runs {
    VEC(struct exchange_run *) list;
};

/* By seat, then identity: what stands for one list side by side, and in its order. */
int page_change_cmp(const void *a, const void *b);

/* 'changes' are those of this list, in order. Runs of blocks that are no more go into 'gone'. */
void pagelist_merge(struct page_list *l, const struct fleet *fleet,
                    const struct page_change *changes, size_t n_changes, struct page_runs *gone);
/* Its n_blocks. */
struct page_block *pagelist_blocks(struct page_list *l);
/* Its 'n'. */
struct target **pagelist_members(struct page_block *b);
/* Lets go of everything but the page. */
void pagelist_fini(struct page_list *l, struct page_runs *gone);

#endif

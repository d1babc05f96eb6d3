#include "allocator/serve/publisher.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/metric.h"
#include "allocator/base/vec.h"

/* A part that left the state while snapshot 'sequence' was current: that one and older ones may
 * show it. */
struct retired {
    void *part;
    void (*free_fn)(void *part);
    uint64_t sequence;
    size_t bytes;
};

struct publisher {
    uint64_t sequence;           /* of the current snapshot; 0 before the first */
    VEC(struct snapshot *) live; /* oldest first, the current one last; one reference each */
    VEC(struct retired) retired; /* oldest first: v[first_retired] … */
    size_t first_retired;
    size_t retired_bytes; /* of those */
};

struct publisher *publisher_new(void)
{
    return mem_zalloc(sizeof(struct publisher));
}

const struct snapshot *publisher_publish(struct publisher *p, const struct directory *d,
                                         const struct page_row *const *rows, size_t n_jobs,
                                         bool is_synced)
{
    struct snapshot *s = mem_alloc(sizeof(*s) + n_jobs * sizeof(s->rows[0]));

    ref_init(&s->ref);
    ref_get(&s->ref); /* the caller's */
    s->sequence = ++p->sequence;
    s->is_synced = is_synced;
    s->directory = d;
    s->n_jobs = n_jobs;
    if (n_jobs > 0) {
        memcpy(s->rows, rows, n_jobs * sizeof(s->rows[0]));
    }
    *vec_push(&p->live) = s;
    metric_add(METRIC_SNAPSHOTS, 1);
    return s;
}

void publisher_retire(struct publisher *p, void *part, size_t bytes, void (*free_fn)(void *part))
{
    if (part != NULL) {
        *vec_push(&p->retired) = (struct retired){ part, free_fn, p->sequence, bytes };
        p->retired_bytes += bytes;
    }
}

/* Snapshots that only the publisher holds go, except the current one. A serving thread takes a
 * reference only from one it has already, so a count that is down to ours cannot rise again. */
static void drop_snapshots(struct publisher *p)
{
    size_t kept = 0;

    for (size_t i = 0; i < p->live.n; i++) {
        struct snapshot *s = p->live.v[i];
        if (i + 1 < p->live.n && ref_is_sole(&s->ref)) {
            mem_free(s);
        } else {
            p->live.v[kept++] = s;
        }
    }
    p->live.n = kept;
}

/* Frees what was retired before snapshot 'oldest' was made. */
static void free_parts(struct publisher *p, uint64_t oldest)
{
    while (p->first_retired < p->retired.n && p->retired.v[p->first_retired].sequence < oldest) {
        const struct retired *r = &p->retired.v[p->first_retired++];
        p->retired_bytes -= r->bytes;
        r->free_fn(r->part);
    }
    if (p->first_retired == p->retired.n) {
        p->first_retired = 0;
        vec_recycle(&p->retired, MIB);
    } else if (p->first_retired > p->retired.n / 2) {
        p->retired.n -= p->first_retired;
        memmove(p->retired.v, p->retired.v + p->first_retired,
                p->retired.n * sizeof(p->retired.v[0]));
        p->first_retired = 0;
    }
}

size_t publisher_reap(struct publisher *p)
{
    drop_snapshots(p);
    free_parts(p, p->live.n == 0 ? UINT64_MAX : p->live.v[0]->sequence);
    return p->live.n;
}

/* The newest sequence of what has to go for at most 'keep' bytes to stay. */
static uint64_t crowding_bytes(const struct publisher *p, size_t keep)
{
    size_t left = p->retired_bytes;
    uint64_t sequence = 0;

    for (size_t i = p->first_retired; i < p->retired.n && left > keep; i++) {
        left -= p->retired.v[i].bytes;
        sequence = p->retired.v[i].sequence;
    }
    return sequence;
}

uint64_t publisher_crowding(const struct publisher *p)
{
    uint64_t sequence = 0;

    if (p->live.n > 1 && p->retired_bytes > LIMIT_PINNED_BYTES) {
        sequence = crowding_bytes(p, LIMIT_PINNED_BYTES / 2);
    }
    if (p->live.n > LIMIT_PINNED_SNAPSHOTS) {
        uint64_t middle = p->live.v[p->live.n - LIMIT_PINNED_SNAPSHOTS / 2]->sequence;
        sequence = sequence < middle ? middle : sequence;
    }
    /* Who reads the current one does no harm. */
    return sequence < p->sequence || sequence == 0 ? sequence : p->sequence - 1;
}

void publisher_free(struct publisher **publisher)
{
    struct publisher *p = *publisher;

    if (p == NULL) {
        return;
    }
    uint64_t oldest_pinned = UINT64_MAX;
    for (size_t i = p->live.n; i > 0; i--) {
        struct snapshot *s = p->live.v[i - 1];
        if (ref_is_sole(&s->ref)) {
            mem_free(s);
        } else {
            oldest_pinned = s->sequence;
        }
    }
    free_parts(p, oldest_pinned);
    vec_fini(&p->live);
    vec_fini(&p->retired);
    mem_free(p);
    *publisher = NULL;
}

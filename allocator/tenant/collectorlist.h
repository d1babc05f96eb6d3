/* The collectors among which the targets of one Collector are shared out: who they are, on which
 * node each runs, where its requests come from. A list owns its texts. It comes from --collectors,
 * or from the number of pods that a StatefulSet has. Threads: any; one at a time. */
#ifndef OTEL_TA_TENANT_COLLECTORLIST_H
#define OTEL_TA_TENANT_COLLECTORLIST_H

#include "allocator/base/arena.h"
#include "allocator/base/err.h"
#include "allocator/shard/strategy.h"

struct collectorlist {
    struct arena arena;
    struct strategy_collector *v;
    size_t n;
};

void collectorlist_init(struct collectorlist *l);
/* NAME, NAME@NODE, NAME=ADDRESS or NAME@NODE=ADDRESS, with a comma between two. '*l' is empty.
 * ERR_INVALID: 'err' says what a list is, as in "'x' is not …". */
int collectorlist_parse(struct collectorlist *l, struct span text, struct err *err) MUST_USE;
/* The pods of a StatefulSet: <set>-0 and so on. '*l' is empty, 'n' at most LIMIT_COLLECTORS. */
void collectorlist_number(struct collectorlist *l, const char *set, size_t n);
/* '*l' is empty. */
void collectorlist_copy(struct collectorlist *l, const struct collectorlist *from);
/* Equal keys, equal lists, order included. */
void collectorlist_key(const struct collectorlist *l, uint64_t out_key[2]);
void collectorlist_fini(struct collectorlist *l);

#endif

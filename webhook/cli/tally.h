/* What became of the targets of some jobs, counted: 'explain --summary'. Threads: one. */
#ifndef OTEL_TA_WEBHOOK_CLI_TALLY_H
#define OTEL_TA_WEBHOOK_CLI_TALLY_H

#include "allocator/base/vec.h"
#include "allocator/codec/spanmap.h"
#include "allocator/engine/explain.h"

#include <stdio.h>

struct tally_row { /* what became of so many */
    unsigned rank; /* dropped, by the order of rules; then not usable, owners, twins */
    const char *text;
    size_t n;
};

struct tally { /* of one job */
    struct arena arena;
    struct spanmap rows_by_text;
    VEC(struct tally_row *) rows;
    size_t n, n_kept, n_dropped, n_invalid;
};

void tally_init(struct tally *t);
void tally_count(struct tally *t, const struct explain_target *target);
/* One line with the sums after 'title', then one for each thing that became of some, what is not
 * kept first. 'losses_only': only those, and nothing at all when there are none: then false. */
bool tally_print(struct tally *t, const char *title, bool losses_only, FILE *out);
void tally_fini(struct tally *t);

#endif

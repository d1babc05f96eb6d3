/* A rewrite of what was rewritten before, in another way or under another name: the original is
 * restored and rewritten as if for the first time, so that rewrite_b(rewrite_a(x)) = rewrite_b(x),
 * and the records in the annotation lead to the user's text (those of a second rewrite on top would
 * lead to the first one's). The sequence for whoever has a Collector to rewrite; how to restore and
 * how to rewrite, they know themselves. Threads: any. */
#ifndef OTEL_TA_WEBHOOK_REWRITE_AFRESH_H
#define OTEL_TA_WEBHOOK_REWRITE_AFRESH_H

#include "allocator/codec/node.h"

#include <stdbool.h>

struct afresh {
    /* Each gives the tree that it leads to, a Collector or a list of them; NULL: it cannot be done.
     * What they do is not said again in faults: nobody sees those texts. */
    const struct node *(*restore)(void *arg);
    const struct node *(*rewrite)(void *arg, const struct node *original);
    void *arg;
    /* Where a rewrite on top of the first one leads: that has to be the same, configuration and
     * originals, or somebody has changed what was rewritten, and then the values count, not how
     * they were written. NULL: it leads nowhere, and anything else is better. */
    const struct node *on_top;
};

/* True: what 'rewrite' made may take the place of the rewrite on top. */
bool afresh_make(const struct afresh *a, struct arena *arena);

#endif

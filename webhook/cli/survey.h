/* One complete discovery for the commands that look: an engine's own state, configured and shown
 * everything that there is to be found now. Threads: main thread, which is the engine's meanwhile.
 */
#ifndef OTEL_TA_WEBHOOK_CLI_SURVEY_H
#define OTEL_TA_WEBHOOK_CLI_SURVEY_H

#include "allocator/engine/explain.h"
#include "allocator/watch/watcher.h"

#include <stdio.h>

struct survey {
    struct state *state;
    struct explain *explain; /* NULL: nobody will ask why */
    size_t n_missing;        /* wants without an answer in time */
    struct watcher *watcher;
    struct mailbox *box;
};

/* Starts the watcher. Returns an exit code; says on 'errout' what is wrong. On EXIT_OK the caller
 * ends with survey_close(). */
int survey_open(struct survey *s, const struct watcher_options *options, bool is_explained,
                FILE *errout);
/* Moves what 'tenants' holds into the state, waits until every section was tried or 'timeout_ms' is
 * over, and has owners given. Returns an exit code. */
int survey_run(struct survey *s, struct tenants *tenants, int64_t timeout_ms, FILE *errout)
    ON(engine);
void survey_close(struct survey *s) ON(engine);

#endif

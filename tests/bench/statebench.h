/* A state without threads, for benches: it is told a configuration, and publishes. What cannot be
 * loaded ends the process. Times are CPU of this thread, in microseconds.
 * Threads: the engine's. */
#ifndef OTEL_TA_TESTS_BENCH_STATEBENCH_H
#define OTEL_TA_TESTS_BENCH_STATEBENCH_H

#include "allocator/base/clock.h"
#include "allocator/engine/state.h"

#include <stdio.h>
#include <stdlib.h>

struct statebench_times {
    int64_t load_us;      /* from the text to understood jobs */
    int64_t configure_us; /* from those to a state that knows them */
};

/* The jobs in 'text', a configuration of the drop-in mode. */
static inline struct statebench_times statebench_load(struct state *state, struct span text,
                                                      const struct tenants_options *options)
    ON(engine)
{
    struct tenants_source source = { .kind = TENANTS_DROPIN,
                                     .text = (char *)(uintptr_t)text.p,
                                     .len = text.len };
    struct tenants tenants;
    struct faults faults;
    struct err err = { 0 };

    faults_init(&faults);
    int64_t t0 = clock_thread_cpu_us();
    int rc = tenants_load(&source, 1, options, &faults, &tenants);
    int64_t t1 = clock_thread_cpu_us();
    if (rc < 0 || state_configure(state, &tenants, clock_mono_ms(), &err) < 0) {
        faults_print(&faults, stderr);
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    int64_t t2 = clock_thread_cpu_us();
    faults_fini(&faults);
    return (struct statebench_times){ t1 - t0, t2 - t1 };
}

/* The news, if there are any, in '*current', in place of what was there. */
static inline void statebench_publish(struct state *state, const struct snapshot **current)
    ON(engine)
{
    const struct snapshot *s = state_publish(state);

    if (s != NULL) {
        if (*current != NULL) {
            snapshot_put(*current);
        }
        *current = s;
    }
    state_reap(state);
}

#endif

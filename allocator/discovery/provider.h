/* The shape of one mechanism of service discovery. A provider is pure: 'plan' says what a section
 * needs to be asked of the outside, 'digest' turns what comes back into target groups. Which of
 * them a program has: providers[] (scrape/mechanisms.h has the rows). Threads: as the strpool of
 * the batch. */
#ifndef OTEL_TA_DISCOVERY_PROVIDER_H
#define OTEL_TA_DISCOVERY_PROVIDER_H

#include "allocator/base/metric.h"
#include "allocator/discovery/ask.h"
#include "allocator/discovery/batch.h"
#include "allocator/discovery/role.h"
#include "allocator/scrape/mechanisms.h"
#include "allocator/scrape/sdconfig.h"

struct provider_input {
    const struct sdconfig *section;
    struct span source;              /* path or URL; empty where nothing is asked */
    struct span body;                /* must outlive the batch */
    const struct role_input *object; /* instead, with CARRIER_JOIN */
};

struct provider_ops {
    const char *name; /* as in prometheus_sd_*{mechanism=…} */
    enum carrier carrier;
    enum metric_id failures; /* a counter of its own for sources that could not be read;
                                METRIC_NONE: none, refresh failures are enough */
    /* What to ask: fills the carrier's part of 'out', whose other members are set. NULL with
     * CARRIER_NONE. Text may be borrowed from the section, all else is in 'arena'. */
    void (*plan)(const struct sdconfig *section, struct arena *arena, struct ask *out);
    /* Fills 'out' (reset). On failure its content is unspecified. Of the section it may go by what
     * 'plan' named in 'digest_by', or by anything with CARRIER_NONE. */
    int (*digest)(const struct provider_input *in, struct sd_batch *out, struct err *err);
};

struct provider_row {
    const char *section;
    const struct provider_ops *ops;
};

#define PROVIDER_DECLARATION(name, section) extern const struct provider_ops provider_##name;
#define PROVIDER_ROW(name, section) { section, &provider_##name },
MECHANISMS(PROVIDER_DECLARATION)
/* One for each of mechanisms[], ended by a row without section. */
extern const struct provider_row providers[];

/* NULL for a section that is not run. */
const struct provider_ops *provider_find(const struct sdconfig *section);
/* What to ask for a section; over CARRIER_NONE when it is not run. */
void provider_plan(const struct sdconfig *section, struct arena *arena, struct ask *out);
/* Mechanism and ask, as bytes: what arrives for a section is good for all with an equal key. Empty
 * for one that asks nothing or is not run. */
void provider_key(const struct sdconfig *section, struct buf *out);

#endif

/* The shape of one service-discovery mechanism, and the list of those that are built in. A provider
 * is pure: it says whether a section needs something from outside (a want), and turns what is there
 * into target groups. Threads: as the strpool of the batch. */
#ifndef OTEL_TA_DISCOVERY_PROVIDER_H
#define OTEL_TA_DISCOVERY_PROVIDER_H

#include "allocator/base/err.h"
#include "allocator/discovery/batch.h"
#include "allocator/scrape/sdconfig.h"

struct provider_input {
    const struct sdconfig *section;
    struct span source; /* path or URL; empty for static */
    struct span body;   /* must outlive the batch */
};

struct provider_ops {
    enum sd_mechanism mechanism;
    const char *name; /* as in prometheus_sd_*{mechanism=…} */
    bool needs_want;  /* false: digest() needs the section alone */
    /* Fills 'out' (reset). On failure its content is unspecified. */
    int (*digest)(const struct provider_input *in, struct sd_batch *out, struct err *err);
};

extern const struct provider_ops provider_static, provider_file, provider_http;
/* NULL for what is not built in. */
const struct provider_ops *provider_find(enum sd_mechanism mechanism);

#endif

/* The service-discovery sections of a scrape config: static_configs and every *_sd_configs of
 * Prometheus 3.14, each checked field by field. What the fields of a section mean is known to its
 * mechanism alone (discovery/), if this program runs it (mechanisms.h); it is listed here in either
 * case, so that no job is ever silently empty. Ownership: everything in the arena of the scrape
 * job. Threads: immutable once parsed. */
#ifndef OTEL_TA_SCRAPE_SDCONFIG_H
#define OTEL_TA_SCRAPE_SDCONFIG_H

#include "allocator/scrape/schema.h"

struct sdconfig {
    const char *section; /* "static_configs", "file_sd_configs", "kubernetes_sd_configs"… */
    size_t index;        /* within its section */
    /* Without faults; part of the job. static_configs: the list, all groups in one. */
    const struct node *entry;
    int64_t refresh_ms; /* refresh_interval, or its default; 0 where there is no such thing */
};

struct sdconfigs {
    struct sdconfig *v;
    size_t n;
};

/* Checks and parses every SD section of the scrape config 'job' in document order; faults stand
 * under the job's path. 'job' stays: what is joined and normalized in it later is so in '*out',
 * too. 'has_relabel': static targets may then hold '/'. Entries with faults are left out of '*out'.
 */
void sdconfig_parse_all(const struct node *job, bool has_relabel, bool strict, struct arena *arena,
                        struct faults *f, struct sdconfigs *out);
/* httpconfig_normalize() for every entry that has the HTTP client block. */
void sdconfig_normalize(struct node *job, struct arena *arena);
/* This program runs sections of that name. */
bool sdconfig_is_run(struct span section);
/* The sentence about a section that is not: mem_free() it. */
char *sdconfig_gap(struct span job, struct span section);
/* All section names, NULL-terminated. */
extern const char *const sdconfig_sections[];

#endif

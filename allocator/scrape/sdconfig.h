/* The service-discovery sections of a scrape config: static_configs and every *_sd_configs of
 * Prometheus 3.14, each checked field by field. Those that this program runs are parsed into
 * structs (static, file, http); the others are checked for known fields and marked unsupported,
 * with the name, so that no job is ever silently empty. Ownership: everything in the arena of the
 * scrape job. Threads: immutable once parsed. */
#ifndef OTEL_TA_SCRAPE_SDCONFIG_H
#define OTEL_TA_SCRAPE_SDCONFIG_H

#include "allocator/prom/labels.h"
#include "allocator/scrape/httpconfig.h"

enum sd_mechanism { SD_STATIC, SD_FILE, SD_HTTP, SD_UNSUPPORTED };

struct sd_static_group {
    struct span *targets;
    size_t n_targets;
    const struct node *labels; /* map of text or NULL */
};

struct sdconfig {
    enum sd_mechanism mechanism;
    const char *section; /* "static_configs", "file_sd_configs", "kubernetes_sd_configs"… */
    size_t index;        /* within its section */
    int64_t refresh_ms;  /* file: 5m, http: 1m by default */
    union {
        struct {
            struct sd_static_group *groups;
            size_t n_groups;
        } statics; /* all groups of the section in one */
        struct {
            struct span *patterns;
            size_t n_patterns;
        } file; /* as written, or joined to the base directory */
        struct {
            struct span url;
            struct httpconfig client;
        } http;
    };
};

struct sdconfigs {
    struct sdconfig *v;
    size_t n;
};

/* Checks and parses every SD section of the scrape config 'job' in document order; faults stand
 * under the job's path. 'job' stays, and relative paths in it have been joined (schema_join_paths).
 * 'has_relabel': static targets may then hold '/'. Entries with faults are left out of '*out'. */
void sdconfig_parse_all(const struct node *job, bool has_relabel, bool strict, struct arena *arena,
                        struct faults *f, struct sdconfigs *out);
/* httpconfig_normalize() for every entry that has the HTTP client block. */
void sdconfig_normalize(struct node *job, struct arena *arena);
/* What runs the section of this name: SD_UNSUPPORTED when this program does not. */
enum sd_mechanism sdconfig_mechanism(struct span section);
/* All section names, NULL-terminated. */
extern const char *const sdconfig_sections[];

#endif

/* One scrape config, checked as Prometheus checks it, with everything the allocator needs: name,
 * label seeds, relabel rules, discovery sections; and its JSON with all defaults filled in for
 * /scrape_configs. Source of the rules: Prometheus config/config.go and scrape/target.go; for
 * /scrape_configs upstream's internal/server/server.go. Threads: belongs to the thread of its
 * strpool; immutable once parsed, but for scrapejob_settle() and scrapejob_adopt(). */
#ifndef OTEL_TA_SCRAPE_SCRAPEJOB_H
#define OTEL_TA_SCRAPE_SCRAPEJOB_H

#include "allocator/base/vec.h"
#include "allocator/prom/relabel.h"
#include "allocator/scrape/sdconfig.h"

/* The "global" block with defaults filled in. */
struct scrape_globals {
    int64_t scrape_interval_ms, scrape_timeout_ms;
    bool has_timeout;
    const struct node
        *node; /* the block, or NULL: limits, protocols and schemes are inherited from it */
    enum name_scheme name_scheme;
};

enum scrape_filter { SCRAPE_FILTER_RELABEL, SCRAPE_FILTER_NONE };

struct scrape_options {
    struct span receiver; /* of a Collector CR, for the job; empty elsewhere */
    struct span base_dir; /* relative paths are joined to it; empty = process working directory */
    bool strict; /* unknown fields are errors (Prometheus) or warnings (the Go allocator) */
    bool unescape_dollars; /* the text comes from a Collector configuration: $$ means $ in every
                              scalar */
    enum scrape_filter
        filter;      /* NONE: neither rules nor seeds, identity from the discovered labels */
    bool thorough;   /* somebody wants to know: static targets that could not be scraped are
                      * errors, as for promtool (Prometheus itself leaves them out), and what is
                      * legal but hardly meant is a warning (advice.h) */
    bool advises;    /* the same, but nothing that is not an error anyhow becomes one */
    bool check_only; /* nobody will ask for its JSON, which is not made then */
    bool
        as_text; /* jobs are settled at once (scrapejob_settle()), before the next one takes room */
    struct regex_budget *patterns; /* what all jobs of one author may cost; NULL: each list of them
                                    * has regex_budget_new() */
    size_t *room; /* bytes that there are for further jobs, of whomever; NULL: no cap */
    struct label_builder *labels; /* of the pool: where static targets are judged, so that what one
                                   * job shows is known for the next; NULL: each has its own */
    bool disable_sharding; /* rules of prometheus-operator that shard by $(SHARD) keep everything,
                            * as in the Go allocator: true for an allocator, false where promtool is
                            * to be equalled */
};

struct scrapejob {
    struct arena arena; /* owns everything below */
    struct span name;
    struct span receiver;  /* of a Collector CR: "prometheus", "prometheus/x"; empty elsewhere */
    struct relabel *rules; /* NULL when there are none */
    struct label *seeds;   /* job, __scrape_interval__, … in name order: set where the target has
                            * none; none with   SCRAPE_FILTER_NONE, as 'rules' then is NULL */
    struct str **seed_names; /* the same names, pinned until scrapejob_free() */
    size_t n_seeds;
    struct sdconfig *sds;
    size_t n_sds;
    enum name_scheme name_scheme;
    enum scrape_filter filter;
    bool disable_sharding;    /* of the options; looked at by verdict_reach() */
    json_t *config;           /* complete scrape config, defaults filled in, secrets in clear */
    json_t *config_masked;    /* the same with "<secret>" */
    char *text, *text_masked; /* instead of the two, after scrapejob_settle(); may be one */
    uint64_t key[2];          /* of everything that was configured (engine/tenantkey.h), or zero */
    struct regex_budget patterns; /* what they took of theirs */
    size_t weight;                /* what it takes of struct scrape_options' room */
    bool is_known; /* only its names, 'key', 'patterns' and 'weight' are here: whoever is told has
                      the rest */
};

/* It is what a job has that says nothing of it. */
bool scrapejob_is_default_seed(const struct label *seed);

/* 'global' may be NULL (all defaults); 'f' stands at the block. '*out' is usable even when there
 * were faults; it borrows 'global'. */
void scrape_globals_parse(const struct node *global, bool strict, struct faults *f,
                          struct scrape_globals *out);

/* Parses one element of scrape_configs. Faults go under the path where 'f' stands. NULL when there
 * was an error. 'node' and its document may go afterwards: what is needed is copied. */
struct scrapejob *scrapejob_parse(const struct node *node, const struct scrape_globals *globals,
                                  const struct scrape_options *options, struct strpool *pool,
                                  struct faults *f);
/* What stands for it among those who have it: 'is_known', with its key. */
struct scrapejob *scrapejob_remember(const struct scrapejob *job);
void scrapejob_free(struct scrapejob **job);
/* Writes the trees as texts (keys sorted, no white space) and lets them go: they take many times
 * the room. Once is enough. */
void scrapejob_settle(struct scrapejob *job);

/* From now on it belongs to 'pool' and its thread. The pool it had is still there, and no longer
 * used by another thread. */
void scrapejob_adopt(struct scrapejob *job, struct strpool *pool);

struct scrapejob_refused { /* one with an error; texts are owned */
    char *receiver, *name; /* "": it has none that can be read */
    char *why;
};

struct scrapejobs {
    struct scrapejob **v;
    size_t n, cap;
    VEC(struct scrapejob_refused) refused;
    size_t n_errors; /* those that are about one job, each of which is refused */
};
/* Parses a whole list (NULL: none): pushes "scrape_configs[i]" paths, appends the good ones,
 * reports duplicates of job_name, in the list and with those of '*out' that have no receiver. Names
 * the others as refused. An item that is a NULL pointer is somebody else's. */
void scrapejobs_parse(const struct node *list, const struct scrape_globals *globals,
                      const struct scrape_options *given, struct strpool *pool, struct faults *f,
                      struct scrapejobs *out);
/* The job at 'index' is none after all. Moves 'why'. */
void scrapejobs_refuse(struct scrapejobs *jobs, size_t index, char *why);
void scrapejobs_fini(struct scrapejobs *jobs);
/* Job names, and so the identities of targets, are those of one receiver. In a fleet, which has the
 * targets of a whole Collector, an identity is XORed with this; 0 for the default receiver. */
uint64_t scrapejob_receiver_hash(const struct scrapejob *job);

#endif

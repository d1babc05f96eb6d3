#include "allocator/scrape/scrapefields.h"

#include "allocator/scrape/httpconfig.h"
#include "allocator/scrape/promserver.h"
#include "allocator/scrape/sdtables.h"

#define F(name, kind, flags, preset)                                                               \
    {                                                                                              \
        name, SCHEMA_##kind, flags, preset, NULL, NULL                                             \
    }
#define CHOICE(name, choices)                                                                      \
    {                                                                                              \
        name, SCHEMA_CHOICE, SCHEMA_BLANK, NULL, NULL, choices                                     \
    }
#define BLOCK(name, kind, flags, fields)                                                           \
    {                                                                                              \
        name, SCHEMA_##kind, flags, NULL, fields, NULL                                             \
    }
#define END                                                                                        \
    {                                                                                              \
        0                                                                                          \
    }

static const char *const validation_schemes[] = { "utf8", "legacy", NULL };
static const char *const escaping_schemes[] = { "allow-utf-8", "underscores", "dots", "values",
                                                NULL };

static const struct schema_field rule_fields[] = {
    F("source_labels", TEXTS, 0, NULL),
    F("separator", TEXT, SCHEMA_KEEP, ";"),
    F("regex", REGEX, 0, NULL),
    F("modulus", UINT, 0, NULL),
    F("target_label", TEXT, 0, NULL),
    F("replacement", TEXT, SCHEMA_KEEP, "$1"),
    F("action", LOWER, SCHEMA_KEEP, "replace"),
    END,
};

/* What a scrape config takes from "global" when it does not say itself. */
#define LIMITS                                                                                     \
    F("body_size_limit", SIZE, 0, NULL), F("sample_limit", UINT, 0, NULL),                         \
        F("target_limit", UINT, 0, NULL), F("label_limit", UINT, 0, NULL),                         \
        F("label_name_length_limit", UINT, 0, NULL), F("label_value_length_limit", UINT, 0, NULL), \
        F("keep_dropped_targets", UINT, 0, NULL)
#define INHERITED                                                                                  \
    F("scrape_interval", DURATION, 0, NULL), F("scrape_timeout", DURATION, 0, NULL),               \
        F("scrape_protocols", TEXTS, 0, NULL), F("scrape_native_histograms", BOOL, 0, NULL),       \
        F("always_scrape_classic_histograms", BOOL, 0, NULL),                                      \
        F("convert_classic_histograms_to_nhcb", BOOL, 0, NULL),                                    \
        F("extra_scrape_metrics", BOOL, 0, NULL), F("scrape_failure_log_file", PATH, 0, NULL),     \
        CHOICE("metric_name_validation_scheme", validation_schemes),                               \
        CHOICE("metric_name_escaping_scheme", escaping_schemes), LIMITS

const struct schema_field scrapefields_job[] = {
    F("job_name", TEXT, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    F("honor_labels", BOOL, 0, NULL),
    F("honor_timestamps", BOOL, SCHEMA_KEEP, "true"),
    F("track_timestamps_staleness", BOOL, SCHEMA_KEEP, NULL),
    F("params", TEXTS_MAP, 0, NULL),
    INHERITED,
    F("fallback_scrape_protocol", TEXT, 0, NULL),
    F("metrics_path", TEXT, 0, "/metrics"),
    F("scheme", TEXT, 0, "http"),
    F("enable_compression", BOOL, SCHEMA_KEEP, "true"),
    F("native_histogram_bucket_limit", UINT, 0, NULL),
    F("native_histogram_min_bucket_factor", DOUBLE, 0, NULL),
    BLOCK("", INLINE, 0, httpconfig_fields),
    BLOCK("relabel_configs", LIST, SCHEMA_ELSEWHERE, rule_fields),
    BLOCK("metric_relabel_configs", LIST, SCHEMA_ELSEWHERE, rule_fields),
    BLOCK("", INLINE, SCHEMA_ELSEWHERE, sdtables_fields),
    END,
};

/* static_configs, the first section, cannot hold one and may be large. */
const struct schema_field scrapefields_secret[] = {
    BLOCK("", INLINE, 0, httpconfig_fields),
    BLOCK("", INLINE, 0, sdtables_fields + 1),
    END,
};

const struct schema_field scrapefields_global[] = {
    INHERITED,
    F("evaluation_interval", DURATION, 0, "1m"),
    F("rule_query_offset", DURATION, 0, NULL),
    F("query_log_file", PATH, 0, NULL),
    F("query_max_series", UINT, 0, NULL),
    F("query_max_samples_read", UINT, 0, NULL),
    F("query_max_duration", DURATION, 0, NULL),
    F("external_labels", LABELS, 0, NULL),
    END,
};

const struct schema_field scrapefields_file[] = {
    BLOCK("global", MAP, SCHEMA_ELSEWHERE, scrapefields_global),
    BLOCK("runtime", MAP, 0, promserver_runtime),
    BLOCK("alerting", MAP, 0, promserver_alerting),
    F("rule_files", PATHS, 0, NULL),
    F("scrape_config_files", PATHS, 0, NULL),
    BLOCK("scrape_configs", LIST, SCHEMA_ELSEWHERE, scrapefields_job),
    BLOCK("storage", MAP, 0, promserver_storage),
    BLOCK("tracing", MAP, 0, promserver_tracing),
    BLOCK("remote_write", LIST, 0, promserver_write),
    BLOCK("remote_read", LIST, 0, promserver_read),
    BLOCK("otlp", MAP, 0, promserver_otlp),
    END,
};

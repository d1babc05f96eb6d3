#include "allocator/scrape/scrapejob.h"

#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/memorylimit.h"
#include "allocator/base/vec.h"
#include "allocator/codec/nodecopy.h"
#include "allocator/codec/spanmap.h"
#include "allocator/codec/walk.h"
#include "allocator/prom/duration.h"
#include "allocator/scrape/advice.h"
#include "allocator/scrape/httpconfig.h"
#include "allocator/scrape/scrapefields.h"
#include "allocator/scrape/targetcheck.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>

#define DEFAULT_INTERVAL_MS ((int64_t)60 * 1000)
#define DEFAULT_TIMEOUT_MS ((int64_t)10 * 1000)
#define MAX_FIXED_SEEDS 8
#define WEIGHT_OF_A_JOB (3 * KIB) /* with what the engine keeps of one, wherever it is */

/* The five text protocols stand in the order of preference; the binary one comes first when it
 * comes at all. */
static const char *const protocol_names[] = {
    "PrometheusProto",
    "OpenMetricsText1.0.0",
    "OpenMetricsText0.0.1",
    "PrometheusText1.0.0",
    "PrometheusText0.0.4",
    "OpenMetricsText2.0.0",
    NULL,
};
#define N_DEFAULT_PROTOCOLS 5 /* of protocol_names, the binary one included */

/* What a scrape config and its globals come to. */
struct effective {
    int64_t interval_ms, timeout_ms;
    bool native_histograms, classic_histograms, to_nhcb, extra_metrics;
    enum name_scheme name_scheme;
    const char *escaping;
};

/* The member of the job, else of the globals, else false. */
static bool inherited_bool(const struct node *job, const struct node *global, const char *key)
{
    bool is = false;

    if (!node_as_bool(node_get(job, key), &is)) {
        (void)node_as_bool(node_get(global, key), &is);
    }
    return is;
}

/* ---- globals */

static void check_protocol(const struct node *map, const char *key, struct span name,
                           struct faults *f)
{
    char text[256];

    if (span_is_one_of(name, protocol_names)) {
        return;
    }
    const char *nearest = walk_nearest(name, protocol_names);
    (void)snprintf(text, sizeof(text), "unknown scrape protocol \"%.*s\"%s%s%s", SPAN_ARG(name),
                   nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
                   nearest == NULL ? "" : "'?");
    walk_fault(map, key, f, "%s", text);
}

static void check_protocols(const struct node *map, struct faults *f)
{
    const struct node *list = schema_list(map, "scrape_protocols");
    struct span name, other;

    if (list == NULL) {
        return;
    }
    if (list->n == 0) {
        walk_fault(map, "scrape_protocols", f, "scrape_protocols cannot be empty");
    }
    /* So many that one must be unknown or twice: no need to look at them all. */
    size_t n = list->n < COUNT(protocol_names) ? list->n : COUNT(protocol_names);
    for (size_t i = 0; i < n; i++) {
        if (!node_as_text(list->items[i], &name)) {
            continue;
        }
        check_protocol(map, "scrape_protocols", name, f);
        for (size_t k = 0; k < i; k++) {
            if (node_as_text(list->items[k], &other) && other.len == name.len &&
                strncasecmp(other.p, name.p, name.len) == 0) {
                walk_fault(map, "scrape_protocols", f, "duplicated protocol in scrape_protocols");
                return;
            }
        }
    }
}

/* With the legacy scheme the table's own check of the names is not enough. */
static void check_external_labels(const struct node *global, struct faults *f)
{
    const struct node *labels = node_get(global, "external_labels");
    size_t mark = faults_push(f, "external_labels");

    for (size_t i = 0; labels != NULL && labels->type == NODE_MAP && i < labels->n; i++) {
        const struct node *name = labels->pairs[i].key;
        if (name->text.len > 0 && !label_name_is_valid(name->text, NAME_LEGACY)) {
            faults_add(f, FAULT_ERROR, name->line, "\"%.*s\" is not a valid label name",
                       SPAN_ARG(name->text));
        }
    }
    faults_pop(f, mark);
}

void scrape_globals_parse(const struct node *global, bool strict, struct faults *f,
                          struct scrape_globals *out)
{
    *out =
        (struct scrape_globals){ DEFAULT_INTERVAL_MS, DEFAULT_TIMEOUT_MS, false, NULL, NAME_UTF8 };
    if (node_is_null(global)) {
        return;
    }
    if (global->type != NODE_MAP) {
        faults_add(f, FAULT_ERROR, global->line, "must be a mapping, not %s",
                   node_type_name(global));
        return;
    }
    schema_check(scrapefields_global, global, strict ? FAULT_ERROR : FAULT_WARNING, f);
    check_protocols(global, f);
    out->node = global;
    int64_t interval = schema_duration_ms(global, "scrape_interval");
    int64_t timeout = schema_duration_ms(global, "scrape_timeout");
    out->scrape_interval_ms = interval > 0 ? interval : DEFAULT_INTERVAL_MS;
    out->has_timeout = timeout > 0;
    if (timeout > out->scrape_interval_ms) {
        walk_fault(global, "scrape_timeout", f,
                   "global scrape timeout greater than scrape interval");
    }
    out->scrape_timeout_ms = timeout > 0 ? timeout : DEFAULT_TIMEOUT_MS;
    if (out->scrape_timeout_ms > out->scrape_interval_ms) {
        out->scrape_timeout_ms = out->scrape_interval_ms;
    }
    if (span_is(schema_text(global, "metric_name_validation_scheme"), "legacy")) {
        out->name_scheme = NAME_LEGACY;
        check_external_labels(global, f);
    }
}

/* ---- one job: checks */

static void resolve_times(const struct node *job, const struct scrape_globals *globals,
                          struct faults *f, struct effective *out)
{
    int64_t interval = schema_duration_ms(job, "scrape_interval");
    int64_t timeout = schema_duration_ms(job, "scrape_timeout");

    out->interval_ms = interval > 0 ? interval : globals->scrape_interval_ms;
    out->timeout_ms = timeout > 0 ? timeout : globals->scrape_timeout_ms;
    if (timeout > out->interval_ms) {
        walk_fault(job, "scrape_timeout", f, "scrape timeout greater than scrape interval");
    }
    if (timeout <= 0 && out->timeout_ms > out->interval_ms) {
        out->timeout_ms = out->interval_ms;
    }
}

static const char *escaping_named(struct span name, const char *otherwise)
{
    static const char *const names[] = { "allow-utf-8", "underscores", "dots", "values" };

    for (size_t i = 0; i < COUNT(names); i++) {
        if (span_is(name, names[i])) {
            return names[i];
        }
    }
    return otherwise;
}

static void resolve_names(const struct node *job, const struct scrape_globals *globals,
                          struct faults *f, struct effective *out)
{
    struct span validation = schema_text(job, "metric_name_validation_scheme");
    struct span escaping = schema_text(job, "metric_name_escaping_scheme");
    struct span global_escaping = schema_text(globals->node, "metric_name_escaping_scheme");

    out->name_scheme = globals->name_scheme;
    if (validation.len > 0) {
        out->name_scheme = span_is(validation, "legacy") ? NAME_LEGACY : NAME_UTF8;
    }
    const char *natural = out->name_scheme == NAME_LEGACY ? "underscores" : "allow-utf-8";
    if (validation.len == 0) {
        natural = escaping_named(global_escaping, natural);
    }
    out->escaping = escaping_named(escaping, natural);
    if (out->name_scheme == NAME_LEGACY && strcmp(out->escaping, "allow-utf-8") == 0) {
        walk_fault(job, "metric_name_escaping_scheme", f,
                   "utf8 metric names requested but validation scheme is not set to UTF8");
    }
}

static void check_fallback(const struct node *job, struct faults *f)
{
    struct span fallback = schema_text(job, "fallback_scrape_protocol");

    if (fallback.len > 0) {
        check_protocol(job, "fallback_scrape_protocol", fallback, f);
    }
}

struct compiling {
    enum name_scheme scheme;
    bool is_strict;
    struct regex_budget *patterns;
};

static struct relabel *compile_rules(const struct node *job, const char *key,
                                     const struct compiling *c, struct faults *f)
{
    const struct node *list = NULL;

    if (!walk_list(job, key, f, &list) || list->n == 0) {
        return NULL;
    }
    size_t mark = faults_push(f, "%s", key);
    struct relabel *rules = relabel_compile(list, c->scheme, c->is_strict, c->patterns, f);
    faults_pop(f, mark);
    return rules;
}

/* ---- one job: JSON */

static json_t *protocols_of(const struct node *job, const struct scrape_globals *globals,
                            bool with_proto)
{
    const struct node *list = schema_list(job, "scrape_protocols");
    json_t *names = json_array();
    struct span name;

    list = list != NULL ? list : schema_list(globals->node, "scrape_protocols");
    for (size_t i = 0; list != NULL && i < list->n; i++) {
        if (node_as_text(list->items[i], &name)) {
            json_array_append_new(names, json_stringn(name.p, name.len));
        }
    }
    for (size_t i = with_proto ? 0 : 1; list == NULL && i < N_DEFAULT_PROTOCOLS; i++) {
        json_array_append_new(names, json_string(protocol_names[i]));
    }
    return names;
}

/* A member that is zero in the job counts as not given. */
static void inherit_member(json_t *config, json_t *global, const char *key)
{
    if (json_object_get(config, key) == NULL && json_object_get(global, key) != NULL) {
        json_object_set(config, key, json_object_get(global, key));
    }
}

static void fill_in(json_t *config, const struct node *job, const struct scrape_globals *globals,
                    const struct effective *e)
{
    static const char *const inherited[] = {
        "body_size_limit",
        "sample_limit",
        "target_limit",
        "label_limit",
        "label_name_length_limit",
        "label_value_length_limit",
        "keep_dropped_targets",
        "scrape_failure_log_file",
    };
    json_t *global = schema_render(scrapefields_global, globals->node, false);
    char printed[DURATION_TEXT_MAX];

    for (size_t i = 0; i < COUNT(inherited); i++) {
        inherit_member(config, global, inherited[i]);
    }
    json_decref(global);
    duration_format(e->interval_ms, printed);
    json_object_set_new(config, "scrape_interval", json_string(printed));
    duration_format(e->timeout_ms, printed);
    json_object_set_new(config, "scrape_timeout", json_string(printed));
    json_object_set_new(config, "scrape_protocols",
                        protocols_of(job, globals, e->native_histograms));
    json_object_set_new(config, "scrape_native_histograms", json_boolean(e->native_histograms));
    json_object_set_new(config, "always_scrape_classic_histograms",
                        json_boolean(e->classic_histograms));
    json_object_set_new(config, "convert_classic_histograms_to_nhcb", json_boolean(e->to_nhcb));
    json_object_set_new(config, "extra_scrape_metrics", json_boolean(e->extra_metrics));
    json_object_set_new(config, "metric_name_validation_scheme",
                        json_string(e->name_scheme == NAME_LEGACY ? "legacy" : "utf8"));
    json_object_set_new(config, "metric_name_escaping_scheme", json_string(e->escaping));
}

static void render_configs(struct scrapejob *out, const struct node *job,
                           const struct scrape_globals *globals, const struct effective *e)
{
    out->config = schema_render(scrapefields_job, job, false);
    fill_in(out->config, job, globals, e);
    out->config_masked = json_copy(out->config);
    json_t *masked = schema_render(scrapefields_secret, job, true);
    json_object_update(out->config_masked, masked);
    json_decref(masked);
}

/* ---- one job: seeds */

static int compare_labels(const void *a, const void *b)
{
    const struct label *x = a, *y = b;

    return span_cmp(str_span(x->name), str_span(y->name));
}

/* An empty seed is no seed: labels without a value do not exist. */
static void add_seed(struct scrapejob *out, struct strpool *pool, const char *name,
                     struct span value)
{
    if (value.len == 0) {
        return;
    }
    struct str *interned = strpool_intern(pool, span_of(name));
    strpool_pin(interned);
    out->seed_names[out->n_seeds] = interned;
    out->seeds[out->n_seeds++] = (struct label){ interned, arena_span(&out->arena, value) };
}

static void add_param(struct scrapejob *out, struct strpool *pool, const struct node_pair *pair)
{
    const struct node *values = pair->value;
    struct span first;

    if (values->type == NODE_LIST && values->n > 0 && node_as_text(values->items[0], &first)) {
        struct span key = pair->key->text;
        add_seed(out, pool, arena_printf(&out->arena, "__param_%.*s", SPAN_ARG(key)), first);
    }
}

/* Own members win over those that a merge key brings, therefore they come first. */
static void add_params(struct scrapejob *out, struct strpool *pool, const struct node *params)
{
    struct spanmap seen;

    if (params == NULL || params->type != NODE_MAP) {
        return;
    }
    spanmap_init(&seen, &out->arena);
    for (int is_merged = 0; is_merged <= 1; is_merged++) {
        for (size_t i = 0; i < params->n; i++) {
            const struct node_pair *pair = &params->pairs[i];
            if (pair->is_merged == is_merged && spanmap_put(&seen, pair->key->text, pair)) {
                add_param(out, pool, pair);
            }
        }
    }
    spanmap_fini(&seen);
}

static const struct {
    const char *name, *value;
} default_seeds[] = {
    { "__scrape_interval__", "1m" },
    { "__scrape_timeout__", "10s" },
    { "__metrics_path__", "/metrics" },
    { "__scheme__", "http" },
    { "__convert_classic_histograms_to_nhcb__", "false" },
    { "__always_scrape_classic_histograms__", "false" },
    { "__scrape_native_histograms__", "false" },
};

bool scrapejob_is_default_seed(const struct label *seed)
{
    for (size_t i = 0; i < COUNT(default_seeds); i++) {
        if (span_is(str_span(seed->name), default_seeds[i].name)) {
            return span_is(seed->value, default_seeds[i].value);
        }
    }
    return false;
}

static void make_seeds(struct scrapejob *out, const struct node *job, const struct effective *e,
                       struct strpool *pool)
{
    const struct node *params = node_get(job, "params");
    size_t max = MAX_FIXED_SEEDS + (params != NULL && params->type == NODE_MAP ? params->n : 0);
    char interval[DURATION_TEXT_MAX], timeout[DURATION_TEXT_MAX];
    const struct node *path = node_get(job, "metrics_path"), *scheme = node_get(job, "scheme");

    out->seeds = arena_zalloc(&out->arena, max * sizeof(*out->seeds));
    out->seed_names = arena_zalloc(&out->arena, max * sizeof(*out->seed_names));
    duration_format(e->interval_ms, interval);
    duration_format(e->timeout_ms, timeout);
    add_seed(out, pool, "job", out->name);
    add_seed(out, pool, "__scrape_interval__", arena_span(&out->arena, span_of(interval)));
    add_seed(out, pool, "__scrape_timeout__", arena_span(&out->arena, span_of(timeout)));
    add_seed(out, pool, "__metrics_path__",
             path == NULL ? SPAN_LIT("/metrics") : schema_text(job, "metrics_path"));
    add_seed(out, pool, "__scheme__",
             scheme == NULL ? SPAN_LIT("http") : schema_text(job, "scheme"));
    add_seed(out, pool, "__convert_classic_histograms_to_nhcb__",
             span_of(e->to_nhcb ? "true" : "false"));
    add_seed(out, pool, "__always_scrape_classic_histograms__",
             span_of(e->classic_histograms ? "true" : "false"));
    add_seed(out, pool, "__scrape_native_histograms__",
             span_of(e->native_histograms ? "true" : "false"));
    add_params(out, pool, params);
    qsort(out->seeds, out->n_seeds, sizeof(*out->seeds), compare_labels);
}

/* ---- one job */

/* Every check of the job in 'job'; what it comes to in '*e'. */
static void check_job(const struct node *job, const struct scrape_globals *globals,
                      const struct scrape_options *options, struct faults *f, struct effective *e)
{
    const struct node *global = globals->node;

    schema_check(scrapefields_job, job, options->strict ? FAULT_ERROR : FAULT_WARNING, f);
    httpconfig_check(job, f);
    resolve_times(job, globals, f, e);
    resolve_names(job, globals, f, e);
    check_protocols(job, f);
    check_fallback(job, f);
    if (options->thorough || options->advises) {
        advice_give(job, f);
    }
    e->native_histograms = inherited_bool(job, global, "scrape_native_histograms");
    e->classic_histograms = inherited_bool(job, global, "always_scrape_classic_histograms");
    e->to_nhcb = inherited_bool(job, global, "convert_classic_histograms_to_nhcb");
    e->extra_metrics = inherited_bool(job, global, "extra_scrape_metrics");
}

static void check_sections(struct scrapejob *out, const struct node *job, bool is_strict,
                           struct arena *scratch, struct faults *f)
{
    const struct node *rules = schema_list(job, "relabel_configs");
    struct sdconfigs found = { 0 };

    sdconfig_parse_all(job, rules != NULL && rules->n > 0, is_strict, scratch, f, &found);
    out->sds = found.v;
    out->n_sds = found.n;
}

/* One job gets no more than its own, so that the others have something, too. */
static struct regex_budget patterns_of_job(const struct scrape_options *options)
{
    struct regex_budget b = options->patterns == NULL ? regex_budget_new() : *options->patterns;

    b.memory_left = b.memory_left < LIMIT_REGEX_JOB ? b.memory_left : LIMIT_REGEX_JOB;
    return b;
}

/* 'memory_left' of what patterns_of_job() gave; SIZE_MAX: nothing is kept. */
static void patterns_pay(const struct scrape_options *options, size_t memory_left, size_t work_left)
{
    struct regex_budget *b = options->patterns;

    if (b == NULL) {
        return;
    }
    if (memory_left != SIZE_MAX) {
        b->memory_left -= patterns_of_job(options).memory_left - memory_left;
    }
    b->work_left = work_left;
}

/* Moves what is needed of the tree, and that is little, out of the arena in which it was read. */
static void keep_parts(struct scrapejob *out, const struct scrape_options *options)
{
    struct sdconfig *sds = arena_alloc(&out->arena, out->n_sds * sizeof(*sds));

    for (size_t i = 0; i < out->n_sds; i++) {
        sds[i] = out->sds[i];
        sds[i].entry = nodecopy(out->sds[i].entry, false, &out->arena);
    }
    out->sds = sds;
    out->name = arena_span(&out->arena, out->name);
    out->receiver = arena_span(&out->arena, options->receiver);
}

static void check_statics(const struct scrapejob *out, const struct node *job,
                          const struct scrape_options *options, struct strpool *pool,
                          struct faults *f)
{
    enum fault_severity severity = options->thorough ? FAULT_ERROR : FAULT_WARNING;
    struct label_builder own;
    struct arena arena;

    if (options->labels != NULL) {
        targetcheck_statics(out, job, severity, options->labels, f);
        return;
    }
    arena_init(&arena);
    label_builder_init(&own, pool, &arena);
    targetcheck_statics(out, job, severity, &own, f);
    label_builder_fini(&own);
    arena_fini(&arena);
}

/* The tree, and what is looked at only while it is read, are in 'scratch'. */
static struct scrapejob *parse_in(struct arena *scratch, const struct node *node,
                                  const struct scrape_globals *globals,
                                  const struct scrape_options *options, struct strpool *pool,
                                  struct faults *f)
{
    size_t n_errors = f->n_errors;
    struct effective e = { 0 };

    AUTO(scrapejob) out = mem_zalloc(sizeof(*out));
    arena_init_small(&out->arena);
    struct node *job = nodecopy(node, options->unescape_dollars, scratch);
    check_job(job, globals, options, f, &e);
    check_sections(out, job, options->strict, scratch, f); /* names paths as they are written */
    schema_join_paths(scrapefields_job, job, options->base_dir, scratch);

    out->name = schema_text(job, "job_name");
    out->receiver = options->receiver;
    out->name_scheme = e.name_scheme;
    out->filter = options->filter;
    out->disable_sharding = options->disable_sharding;
    struct regex_budget patterns = patterns_of_job(options);
    const struct compiling how = { e.name_scheme, options->strict, &patterns };
    out->rules = compile_rules(job, "relabel_configs", &how, f);
    size_t memory_left = patterns.memory_left; /* those for metrics are looked at, and go again */
    struct relabel *metric_rules = compile_rules(job, "metric_relabel_configs", &how, f);
    relabel_free(&metric_rules);
    bool is_good = f->n_errors == n_errors;
    out->patterns.memory_left = patterns_of_job(options).memory_left - memory_left;
    out->patterns.work_left = patterns_of_job(options).work_left - patterns.work_left;
    patterns_pay(options, is_good ? memory_left : SIZE_MAX, patterns.work_left);
    if (!is_good) {
        return NULL;
    }
    httpconfig_normalize(job, scratch);
    sdconfig_normalize(job, scratch);
    if (!options->check_only) {
        render_configs(out, job, globals, &e);
    }
    if (options->filter == SCRAPE_FILTER_NONE) {
        relabel_free(&out->rules);
    } else {
        make_seeds(out, job, &e, pool);
    }
    if (options->thorough || options->advises) {
        check_statics(out, job, options, pool, f);
        if (f->n_errors > n_errors) {
            return NULL;
        }
    }
    keep_parts(out, options);
    struct scrapejob *done = out;
    out = NULL;
    return done;
}

struct scrapejob *scrapejob_parse(const struct node *node, const struct scrape_globals *globals,
                                  const struct scrape_options *options, struct strpool *pool,
                                  struct faults *f)
{
    if (node_is_null(node)) {
        faults_add(f, FAULT_ERROR, node == NULL ? 0 : node->line,
                   "empty or null scrape config section");
        return NULL;
    }
    if (node->type != NODE_MAP) {
        faults_add(f, FAULT_ERROR, node->line, "must be a mapping, not %s", node_type_name(node));
        return NULL;
    }
    struct arena scratch;
    arena_init(&scratch);
    struct scrapejob *job = parse_in(&scratch, node, globals, options, pool, f);
    arena_fini(&scratch);
    return job;
}

struct scrapejob *scrapejob_remember(const struct scrapejob *job)
{
    struct scrapejob *known = mem_zalloc(sizeof(*known));

    arena_init_small(&known->arena);
    known->name = arena_span(&known->arena, job->name);
    known->receiver = arena_span(&known->arena, job->receiver);
    memcpy(known->key, job->key, sizeof(known->key));
    known->patterns = job->patterns;
    known->weight = job->weight;
    known->is_known = true;
    return known;
}

void scrapejob_free(struct scrapejob **job)
{
    if (*job == NULL) {
        return;
    }
    if ((*job)->text_masked != (*job)->text) {
        mem_free((*job)->text_masked);
    }
    mem_free((*job)->text);
    for (size_t i = 0; i < (*job)->n_seeds; i++) {
        strpool_unpin((*job)->seed_names[i]);
    }
    relabel_free(&(*job)->rules);
    json_decref((*job)->config);
    json_decref((*job)->config_masked);
    arena_fini(&(*job)->arena);
    mem_free(*job);
    *job = NULL;
}

void scrapejob_adopt(struct scrapejob *job, struct strpool *pool)
{
    for (size_t i = 0; i < job->n_seeds; i++) {
        strpool_unpin(job->seed_names[i]);
    }
    for (size_t i = 0; i < job->n_seeds; i++) {
        struct str *name = strpool_intern(pool, str_span(job->seeds[i].name));
        strpool_pin(name);
        job->seeds[i].name = job->seed_names[i] = name;
    }
    if (job->rules != NULL) {
        relabel_release(job->rules);
    }
}

static char *dump(const json_t *config)
{
    /* jansson's 17 digits would show 1.1 as 1.1000000000000001. */
    char *text = json_dumps(config, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));

    assert(text != NULL); /* a tree without cycles, of texts and finite numbers */
    return text;
}

void scrapejob_settle(struct scrapejob *job)
{
    if (job->config == NULL) {
        return;
    }
    job->text = dump(job->config);
    job->text_masked =
        json_equal(job->config, job->config_masked) ? job->text : dump(job->config_masked);
    json_decref(job->config);
    json_decref(job->config_masked);
    job->config = job->config_masked = NULL;
}

/* ---- lists */

struct named {
    struct span name;
    size_t order; /* jobs that were there before come first */
};

static int compare_named(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int c = span_cmp(x->name, y->name);

    return c != 0 ? c : (x->order > y->order) - (x->order < y->order);
}

static void report_duplicate(const struct node *list, size_t index, struct span name,
                             struct faults *f)
{
    size_t mark = faults_push(f, "scrape_configs");
    size_t inner = faults_push_index(f, index);
    char text[512];

    (void)snprintf(text, sizeof(text), "found multiple scrape configs with job name \"%.*s\"",
                   SPAN_ARG(name));
    walk_fault(list->items[index], "job_name", f, "%s", text);
    faults_pop(f, inner);
    faults_pop(f, mark);
}

/* Marks the elements of 'list' whose name comes earlier, there or in 'jobs'. */
static void find_duplicates(const struct node *list, const struct scrapejobs *jobs,
                            struct faults *f, bool *out_bad)
{
    struct named *all = mem_array(list->n + jobs->n + 1, sizeof(*all));
    size_t n = 0;

    for (size_t i = 0; i < jobs->n; i++) {
        if (jobs->v[i]->receiver.len == 0) {
            all[n++] = (struct named){ jobs->v[i]->name, i };
        }
    }
    for (size_t i = 0; i < list->n; i++) {
        struct span name = schema_text(list->items[i], "job_name");
        if (name.len > 0) {
            all[n++] = (struct named){ name, jobs->n + i };
        }
    }
    qsort(all, n, sizeof(*all), compare_named);
    for (size_t i = 1; i < n; i++) {
        if (span_eq(all[i].name, all[i - 1].name) && all[i].order >= jobs->n) {
            out_bad[all[i].order - jobs->n] = true;
            report_duplicate(list, all[i].order - jobs->n, all[i].name, f);
        }
    }
    mem_free(all);
}

/* Moves 'why'. */
/* NOLINTBEGIN(readability-non-const-parameter) */
static void add_refused(struct scrapejobs *jobs, struct span receiver, struct span name, char *why)
/* NOLINTEND(readability-non-const-parameter) */
{
    *vec_push(&jobs->refused) = (struct scrapejob_refused){ mem_strndup(receiver.p, receiver.len),
                                                            mem_strndup(name.p, name.len), why };
}

/* As collectors read it; empty: it has none. */
static struct span name_of(const struct node *job, const struct scrape_options *options,
                           struct arena *arena)
{
    const struct node *name = job == NULL ? NULL : node_get(job, "job_name");
    struct span text = { "", 0 };

    if (name != NULL) {
        (void)node_as_text(nodecopy(name, options->unescape_dollars, arena), &text);
    }
    return text;
}

static size_t weigh(const struct scrapejob *job)
{
    size_t n_texts = job->text == NULL ? 0 : mem_size(job->text);

    if (job->text_masked != job->text) {
        n_texts += mem_size(job->text_masked);
    }
    return WEIGHT_OF_A_JOB + job->arena.used_bytes + n_texts;
}

/* Of what all jobs may take; NULL, or why not (the caller's): also where the faults are more than
 * are told. */
static char *take_room(struct scrapejob *job, const struct scrape_options *options)
{
    job->weight = weigh(job);
    if (options->room == NULL) {
        return NULL;
    }
    if (job->weight > *options->room) {
        return mem_printf(
            "no room: the scrape jobs of all Collectors together take the %zu MiB that there are "
            "for them (--memory-limit)",
            memorylimit_jobs(memorylimit_bytes()) / MIB);
    }
    *options->room -= job->weight;
    return NULL;
}

static void refuse_item(const struct node *node, const struct scrape_options *options, char *why,
                        struct scrapejobs *out)
{
    struct arena arena;

    arena_init(&arena);
    add_refused(out, options->receiver, name_of(node, options, &arena), why);
    arena_fini(&arena);
}

struct listing {
    const struct node *list;
    const struct scrape_globals *globals;
    const struct scrape_options *options;
    struct strpool *pool;
    struct faults *f;
};

/* The item at which the faults stand. 'from': the first of its own; 'is_bad': it has one already.
 */
static void parse_item(const struct listing *l, size_t index, size_t from, bool is_bad,
                       struct scrapejobs *out)
{
    const struct node *node = l->list->items[index];
    const struct scrape_options *options = l->options;
    struct faults *f = l->f;
    struct scrapejob *job = scrapejob_parse(node, l->globals, options, l->pool, f);

    if (job == NULL || is_bad) {
        scrapejob_free(&job);
        refuse_item(node, options, faults_why(f, from), out);
        return;
    }
    if (options->as_text) {
        scrapejob_settle(job);
    }
    AUTO_STR why = take_room(job, options);
    if (why != NULL) {
        size_t at = f->n;
        faults_add(f, FAULT_ERROR, node->line, "%s", why);
        scrapejob_free(&job);
        refuse_item(node, options, f->n > at ? faults_why(f, at) : mem_strdup(why), out);
        return;
    }
    *vec_push(out) = job;
}

void scrapejobs_parse(const struct node *list, const struct scrape_globals *globals,
                      const struct scrape_options *given, struct strpool *pool, struct faults *f,
                      struct scrapejobs *out)
{
    struct scrape_options own = *given;
    const struct scrape_options *options = &own;
    struct regex_budget patterns = regex_budget_new();
    const struct listing in = { list, globals, options, pool, f };

    if (node_is_null(list)) {
        return;
    }
    own.patterns = own.patterns == NULL ? &patterns : own.patterns;
    size_t mark = faults_push(f, "scrape_configs");
    if (list->type != NODE_LIST) {
        faults_add(f, FAULT_ERROR, list->line, "must be a list, not %s", node_type_name(list));
        faults_pop(f, mark);
        return;
    }
    bool *is_bad = mem_array(list->n + 1, sizeof(*is_bad));
    size_t n_errors = f->n_errors, n_faults = f->n;
    faults_pop(f, mark);
    find_duplicates(list, out, f, is_bad);
    mark = faults_push(f, "scrape_configs");
    for (size_t i = 0; i < list->n; i++) {
        if (list->items[i] == NULL) {
            continue;
        }
        size_t inner = faults_push_index(f, i);
        parse_item(&in, i, is_bad[i] ? n_faults : f->n, is_bad[i], out);
        faults_pop(f, inner);
    }
    faults_pop(f, mark);
    out->n_errors += f->n_errors - n_errors;
    mem_free(is_bad);
}

void scrapejobs_refuse(struct scrapejobs *jobs, size_t index, char *why)
{
    struct scrapejob *job = jobs->v[index];

    add_refused(jobs, job->receiver, job->name, why);
    scrapejob_free(&job);
    jobs->n--;
    memmove(jobs->v + index, jobs->v + index + 1, (jobs->n - index) * sizeof(struct scrapejob *));
}

void scrapejobs_fini(struct scrapejobs *jobs)
{
    for (size_t i = 0; i < jobs->n; i++) {
        scrapejob_free(&jobs->v[i]);
    }
    vec_each(&jobs->refused, r) {
        mem_free(r->receiver);
        mem_free(r->name);
        mem_free(r->why);
    }
    vec_fini(&jobs->refused);
    vec_fini(jobs);
}

uint64_t scrapejob_receiver_hash(const struct scrapejob *job)
{
    return job->receiver.len == 0 ? 0 : hash64(job->receiver);
}

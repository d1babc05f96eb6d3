#include "allocator/prom/collectorcr.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/vec.h"
#include "allocator/codec/walk.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/prom/nodecopy.h"
#include "allocator/prom/scrapefields.h"
#include "allocator/prom/stash.h"
#include "allocator/prom/wire.h"

#define GROUP "opentelemetry.io/"
#define KIND "OpenTelemetryCollector"
#define RECEIVER "prometheus"

bool collectorcr_is(const struct node *doc)
{
    struct span version, kind;

    return node_as_text(node_get(doc, "apiVersion"), &version) && span_has_prefix(version, GROUP) &&
           node_as_text(node_get(doc, "kind"), &kind) && span_is(kind, KIND);
}

/* ---- lines */

/* Lines of a tree that was parsed out of a scalar: moved by 'offset', or forgotten when that is
 * negative. What an alias or a merge key refers to stands elsewhere in the tree and is moved there.
 * NOLINTNEXTLINE(misc-no-recursion): documents are at most LIMIT_DEPTH deep. */
static void move_lines(struct node *n, int offset)
{
    n->line = offset < 0 ? 0 : n->line + (unsigned)offset;
    if (n->is_alias) {
        return;
    }
    for (size_t i = 0; n->type == NODE_LIST && i < n->n; i++) {
        move_lines(n->items[i], offset);
    }
    for (size_t i = 0; n->type == NODE_MAP && i < n->n; i++) {
        if (!n->pairs[i].is_merged) {
            move_lines(n->pairs[i].key, offset);
            move_lines(n->pairs[i].value, offset);
        }
    }
}

/* ---- reading the CR */

/* A literal block shows its text as it is, one line below its '|': its lines can be told in lines
 * of the file. */
static void parse_text_config(const struct node *config, struct arena *arena, struct faults *f,
                              struct collectorcr *out)
{
    struct node *root = NULL;
    struct err err;

    out->config_text = config->text.p == NULL ? SPAN_LIT("") : config->text;
    if (yamldoc_parse(config->text, arena, &root, &err) < 0) {
        faults_add(f, FAULT_ERROR, config->line, "%s", err.text);
        return;
    }
    if (root == NULL) {
        return;
    }
    if (root->type != NODE_MAP) {
        faults_add(f, FAULT_ERROR, config->line, "must hold a mapping, not %s",
                   node_type_name(root));
        return;
    }
    if (config->style == NODE_LITERAL) {
        move_lines(root, (int)config->line);
    }
    out->config = root;
}

static void parse_config(const struct node *spec, struct arena *arena, struct faults *f,
                         struct collectorcr *out)
{
    const struct node *config = node_get(spec, "config");
    size_t mark = faults_push(f, "config");

    if (node_is_null(config)) {
        out->config = NULL;
    } else if (config->type == NODE_SCALAR) {
        parse_text_config(config, arena, f, out);
    } else if (config->type == NODE_MAP) {
        out->config = config;
    } else {
        faults_add(f, FAULT_ERROR, config->line, "must be a mapping or text, not %s",
                   node_type_name(config));
    }
    faults_pop(f, mark);
}

static void parse_spec(const struct node *doc, struct arena *arena, struct faults *f,
                       struct collectorcr *out)
{
    const struct node *spec = NULL, *allocator = NULL;
    bool is_asked = false;

    if (!walk_map(doc, "spec", f, &spec)) {
        return;
    }
    size_t mark = faults_push(f, "spec");
    (void)walk_text(spec, "mode", f, &out->mode);
    (void)walk_int(spec, "replicas", f, &out->replicas);
    if (walk_map(spec, "targetAllocator", f, &allocator)) {
        size_t inner = faults_push(f, "targetAllocator");
        (void)walk_bool(allocator, "enabled", f, &is_asked);
        (void)walk_text(allocator, "allocationStrategy", f, &out->strategy);
        out->has_filter_strategy = walk_text(allocator, "filterStrategy", f, &out->filter_strategy);
        faults_pop(f, inner);
    }
    out->is_enabled = (is_asked || out->is_enabled) && !out->is_opted_out;
    parse_config(spec, arena, f, out);
    faults_pop(f, mark);
}

static void parse_labels(const struct node *metadata, struct faults *f, struct collectorcr *out)
{
    const struct node *labels = NULL;
    struct span inject = { "", 0 };

    if (walk_map(metadata, "labels", f, &labels)) {
        size_t mark = faults_push(f, "labels");
        (void)walk_text(labels, WIRE_INJECT_LABEL, f, &inject);
        faults_pop(f, mark);
    }
    out->is_enabled = span_is(inject, "true");
    out->is_opted_out = span_is(inject, "false");
}

/* False when the annotation was written by a program that knows more than this one. */
static bool parse_stash(const struct node *metadata, struct arena *arena, struct faults *f,
                        struct collectorcr *out)
{
    const struct node *annotations = NULL;
    struct node *stash = NULL;
    struct span value, json;
    struct err err;
    int rc = 0;

    if (!walk_map(metadata, "annotations", f, &annotations)) {
        return true;
    }
    size_t mark = faults_push(f, "annotations");
    if (walk_text(annotations, WIRE_ANNOTATION, f, &value)) {
        size_t inner = faults_push(f, WIRE_ANNOTATION);
        rc = stash_decode(value, arena, &json, &stash, &err);
        if (rc < 0) {
            faults_add(f, FAULT_ERROR, node_get(annotations, WIRE_ANNOTATION)->line, "%s",
                       err.text);
        } else {
            move_lines(stash, -1);
            out->stash = stash;
        }
        faults_pop(f, inner);
    }
    faults_pop(f, mark);
    return rc != ERR_UNSUPPORTED;
}

bool collectorcr_parse(const struct node *doc, struct arena *arena, struct faults *f,
                       struct collectorcr *out)
{
    const struct node *metadata = NULL;
    bool is_usable = true;

    *out = (struct collectorcr){ .mode = SPAN_LIT("deployment"), .replicas = 1 };
    if (!collectorcr_is(doc)) {
        faults_add(f, FAULT_ERROR, doc == NULL ? 0 : doc->line, "is no " KIND " of " GROUP);
        return false;
    }
    (void)node_as_text(node_get(doc, "apiVersion"), &out->api_version);
    if (walk_map(doc, "metadata", f, &metadata)) {
        size_t mark = faults_push(f, "metadata");
        (void)walk_text(metadata, "name", f, &out->name);
        (void)walk_text(metadata, "namespace", f, &out->ns);
        parse_labels(metadata, f, out);
        is_usable = parse_stash(metadata, arena, f, out);
        faults_pop(f, mark);
    }
    if (out->name.len == 0) {
        size_t mark = faults_push(f, "metadata");
        size_t inner = faults_push(f, "name");
        faults_add(f, FAULT_ERROR, metadata == NULL ? doc->line : metadata->line, "is required");
        faults_pop(f, inner);
        faults_pop(f, mark);
        is_usable = false;
    }
    parse_spec(doc, arena, f, out);
    return is_usable;
}

/* ---- putting discovery back */

struct restorer {
    const struct collectorcr *cr;
    struct arena *arena;
    struct faults *f;
    VEC(struct span) lost; /* names of the jobs whose originals are gone */
};

/* An entry that the rewrite made: a URL of ours and nothing beside it. */
static bool is_our_entry(const struct node *entry, struct arena *arena, struct span *out_job,
                         struct span *out_receiver)
{
    struct span url;

    return entry->type == NODE_MAP && entry->n == 1 && node_as_text(node_get(entry, "url"), &url) &&
           wire_url_is_ours(url, arena, out_job, out_receiver);
}

static bool holds(const struct node *list, const struct node *entry)
{
    for (size_t i = 0; i < list->n; i++) {
        if (node_equal(list->items[i], entry)) {
            return true;
        }
    }
    return false;
}

/* Originals first, then what the user added since; our own entry and exact duplicates are left out.
 */
static struct node *join_lists(const struct restorer *r, const struct node *stored,
                               const struct node *present)
{
    struct node *list = arena_zalloc(r->arena, sizeof(*list));
    size_t n_stored = stored != NULL && stored->type == NODE_LIST ? stored->n : 0;
    size_t n_present = present != NULL && present->type == NODE_LIST ? present->n : 0;
    struct span job, receiver;

    list->type = NODE_LIST;
    list->line = present == NULL ? 0 : present->line;
    list->items = arena_zalloc(r->arena, (n_stored + n_present) * sizeof(*list->items));
    for (size_t i = 0; i < n_stored; i++) {
        list->items[list->n++] = stored->items[i];
    }
    for (size_t i = 0; i < n_present; i++) {
        struct node *entry = present->items[i];
        if (!is_our_entry(entry, r->arena, &job, &receiver) && !holds(list, entry)) {
            list->items[list->n++] = entry;
        }
    }
    return list;
}

/* 'job' with the stored sections joined in. */
static struct node *join_job(const struct restorer *r, const struct node *job,
                             const struct node *stored)
{
    struct node *whole = arena_alloc(r->arena, sizeof(*whole));

    *whole = *job;
    whole->n = 0;
    whole->pairs = arena_zalloc(r->arena, (job->n + stored->n) * sizeof(*whole->pairs));
    for (size_t i = 0; i < job->n; i++) {
        struct node_pair pair = job->pairs[i];
        if (wire_is_sd_key(pair.key->text)) {
            pair.value = join_lists(r, node_get_span(stored, pair.key->text), pair.value);
        }
        whole->pairs[whole->n++] = pair;
    }
    for (size_t i = 0; i < stored->n; i++) {
        struct node_pair pair = stored->pairs[i];
        if (node_get_span(job, pair.key->text) == NULL) {
            pair.value = join_lists(r, pair.value, NULL);
            whole->pairs[whole->n++] = pair;
        }
    }
    return whole;
}

static void report_lost(struct restorer *r, const struct node *job, size_t index, struct span name)
{
    size_t mark = faults_push(r->f, "scrape_configs");
    size_t inner = faults_push_index(r->f, index);
    size_t leaf = faults_push(r->f, "http_sd_configs");

    faults_add(r->f, FAULT_ERROR, node_get(job, "http_sd_configs")->line,
               "the job \"%.*s\" points at the allocator but carries no discovery configuration: "
               "restore the annotation " WIRE_ANNOTATION " or the original sections",
               SPAN_ARG(name));
    faults_pop(r->f, leaf);
    faults_pop(r->f, inner);
    faults_pop(r->f, mark);
    *vec_push(&r->lost) = schema_text(job, "job_name");
}

static struct node *restore_job(struct restorer *r, struct node *job, size_t index)
{
    const struct node *http = schema_list(job, "http_sd_configs");
    struct span name, receiver;

    for (size_t i = 0; http != NULL && i < http->n; i++) {
        if (!is_our_entry(http->items[i], r->arena, &name, &receiver)) {
            continue;
        }
        const struct node *stored = stash_job(r->cr->stash, receiver, name);
        if (stored == NULL) {
            stored = stash_job(r->cr->stash, receiver, schema_text(job, "job_name"));
        }
        if (stored == NULL || stored->type != NODE_MAP) {
            report_lost(r, job, index, schema_text(job, "job_name"));
            return job;
        }
        return join_job(r, job, stored);
    }
    return job;
}

/* A "target_allocator" block whose endpoint a rewrite made. */
static bool is_our_block(const struct restorer *r, const struct node *block)
{
    struct span endpoint, job, receiver;

    if (!node_as_text(node_get(block, "endpoint"), &endpoint) || endpoint.len > 4 * KIB) {
        return false;
    }
    const char *url =
        arena_printf(r->arena, "%.*s/jobs/x/targets?collector_id=", SPAN_ARG(endpoint));
    return wire_url_is_ours(span_of(url), r->arena, &job, &receiver);
}

static bool has_job(const struct node *list, size_t n, struct span name)
{
    for (size_t i = 0; i < n; i++) {
        if (span_eq(schema_text(list->items[i], "job_name"), name)) {
            return true;
        }
    }
    return false;
}

/* The list as it was before any rewrite: originals put back into its jobs, and behind them the jobs
 * that block style took out of it, unless the user has one of that name again. */
static const struct node *restore_list(struct restorer *r, const struct node *receiver,
                                       struct span name, const struct node *list)
{
    const struct node *stored = stash_scrape_configs(r->cr->stash, name);
    struct node *whole = arena_zalloc(r->arena, sizeof(*whole));

    if (stored != NULL && !is_our_block(r, node_get(receiver, "target_allocator"))) {
        stored = NULL;
    }
    if (!node_is_null(list) && list->type != NODE_LIST) {
        return list;
    }
    size_t n = node_is_null(list) ? 0 : list->n, n_stored = stored == NULL ? 0 : stored->n;
    whole->type = NODE_LIST;
    whole->line = list == NULL ? 0 : list->line;
    whole->items = arena_zalloc(r->arena, (n + n_stored) * sizeof(*whole->items));
    for (size_t i = 0; i < n; i++) {
        whole->items[whole->n++] = restore_job(r, list->items[i], i);
    }
    for (size_t i = 0; i < n_stored; i++) {
        if (!has_job(whole, n, schema_text(stored->items[i], "job_name"))) {
            whole->items[whole->n] = restore_job(r, stored->items[i], whole->n);
            whole->n++;
        }
    }
    return whole;
}

/* ---- jobs */

/* Such a job would discover from the allocator itself. */
static void drop_lost(const struct restorer *r, bool unescape_dollars, size_t from,
                      struct scrapejobs *out)
{
    for (size_t k = 0; k < r->lost.n; k++) {
        struct node name = { .type = NODE_SCALAR, .text = r->lost.v[k] };
        const struct node *plain = nodecopy(&name, unescape_dollars, r->arena);
        size_t n = from;
        for (size_t i = from; i < out->n; i++) {
            if (span_eq(out->v[i]->name, plain->text)) {
                scrapejob_free(&out->v[i]);
            } else {
                out->v[n++] = out->v[i];
            }
        }
        out->n = n;
    }
}

/* The "config" of one receiver, NULL when it has none; 'f' stands there. */
static void read_config(struct restorer *r, const struct node_pair *receiver,
                        const struct node *config, const struct scrape_options *options,
                        struct strpool *pool, struct scrapejobs *out)
{
    struct scrape_globals globals;
    size_t from = out->n;

    if (config != NULL) {
        schema_check(scrapefields_file, config, options->strict ? FAULT_ERROR : FAULT_WARNING,
                     r->f);
    }
    size_t mark = faults_push(r->f, "global");
    scrape_globals_parse(nodecopy(node_get(config, "global"), options->unescape_dollars, r->arena),
                         options->strict, r->f, &globals);
    faults_pop(r->f, mark);
    const struct node *list =
        restore_list(r, receiver->value, receiver->key->text, node_get(config, "scrape_configs"));
    scrapejobs_parse(list, &globals, options, pool, r->f, out);
    drop_lost(r, options->unescape_dollars, from, out);
    for (size_t i = from; i < out->n; i++) {
        out->v[i]->receiver = arena_span(&out->v[i]->arena, receiver->key->text);
    }
}

static void read_receiver(const struct collectorcr *cr, const struct node_pair *pair,
                          const struct scrape_options *options, struct strpool *pool,
                          struct faults *f, struct scrapejobs *out)
{
    const struct node *config = NULL;
    struct arena arena;

    if (node_is_null(pair->value)) {
        return;
    }
    if (pair->value->type != NODE_MAP) {
        faults_add(f, FAULT_ERROR, pair->value->line, "must be a mapping, not %s",
                   node_type_name(pair->value));
        return;
    }
    if (!walk_map(pair->value, "config", f, &config) &&
        !node_is_null(node_get(pair->value, "config"))) {
        return;
    }
    arena_init(&arena);
    struct restorer r = { cr, &arena, f, { 0 } };
    size_t mark = faults_push(f, "config");
    read_config(&r, pair, config, options, pool, out);
    faults_pop(f, mark);
    vec_fini(&r.lost);
    arena_fini(&arena);
}

static bool is_prometheus(struct span receiver)
{
    return span_is(receiver, RECEIVER) || span_has_prefix(receiver, RECEIVER "/");
}

void collectorcr_jobs(const struct collectorcr *cr, const struct scrape_options *options,
                      struct strpool *pool, struct faults *f, struct scrapejobs *out)
{
    const struct node *receivers = NULL;
    struct scrape_options own = *options;

    own.unescape_dollars = true;
    if (cr->config == NULL) {
        return;
    }
    size_t outer = faults_push(f, "spec");
    size_t mark = faults_push(f, "config");
    if (walk_map(cr->config, "receivers", f, &receivers)) {
        size_t inner = faults_push(f, "receivers");
        for (size_t i = 0; i < receivers->n; i++) {
            const struct node_pair *pair = &receivers->pairs[i];
            if (is_prometheus(pair->key->text)) {
                size_t leaf = faults_push(f, "%.*s", SPAN_ARG(pair->key->text));
                read_receiver(cr, pair, &own, pool, f, out);
                faults_pop(f, leaf);
            }
        }
        faults_pop(f, inner);
    }
    faults_pop(f, mark);
    faults_pop(f, outer);
}

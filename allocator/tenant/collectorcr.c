#include "allocator/tenant/collectorcr.h"

#include "allocator/codec/nodecopy.h"
#include "allocator/codec/walk.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/scrape/scrapefields.h"
#include "allocator/tenant/originals.h"
#include "allocator/tenant/stash.h"
#include "allocator/tenant/strategyname.h"
#include "allocator/tenant/wire.h"

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
    const struct node *spec = NULL, *allocator = NULL, *prometheus = NULL;
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
        strategyname_check(allocator, "allocationStrategy", f);
        out->has_filter_strategy = walk_text(allocator, "filterStrategy", f, &out->filter_strategy);
        if (walk_map(allocator, "prometheusCR", f, &prometheus)) {
            size_t innermost = faults_push(f, "prometheusCR");
            (void)walk_bool(prometheus, "enabled", f, &out->has_prometheus_cr);
            faults_pop(f, innermost);
        }
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

/* ---- jobs */

/* What reading the receivers of one CR needs. */
struct reader {
    struct originals originals;
    const struct scrape_options *options;
    struct strpool *pool;
    struct arena *arena;
    struct faults *f;
    struct scrapejobs *out;
};

/* 'lost' has the names as they are written. */
static void drop_lost(const struct reader *r, const struct node *list, const struct spanmap *lost,
                      size_t from)
{
    struct spanmap plain;
    size_t n = from;

    spanmap_init(&plain, r->arena);
    for (size_t i = 0; list != NULL && list->type == NODE_LIST && i < list->n; i++) {
        const struct node *name = node_get(list->items[i], "job_name");
        struct span text;
        if (node_as_text(name, &text) && spanmap_has(lost, text)) {
            const struct node *copy = nodecopy(name, r->options->unescape_dollars, r->arena);
            (void)spanmap_put(&plain, copy->text, copy);
        }
    }
    for (size_t i = from; i < r->out->n; i++) {
        if (spanmap_has(&plain, r->out->v[i]->name)) {
            scrapejob_free(&r->out->v[i]);
        } else {
            r->out->v[n++] = r->out->v[i];
        }
    }
    r->out->n = n;
    spanmap_fini(&plain);
}

/* The "config" of one receiver, NULL when it has none; 'f' stands there. */
static void read_config(const struct reader *r, const struct node_pair *receiver,
                        const struct node *config)
{
    bool strict = r->options->strict;
    struct scrape_globals globals;
    struct spanmap lost;
    size_t from = r->out->n;

    if (config != NULL) {
        schema_check(scrapefields_file, config, strict ? FAULT_ERROR : FAULT_WARNING, r->f);
    }
    const struct node *global =
        nodecopy(node_get(config, "global"), r->options->unescape_dollars, r->arena);
    size_t mark = faults_push(r->f, "global");
    scrape_globals_parse(global, strict, r->f, &globals);
    faults_pop(r->f, mark);
    spanmap_init(&lost, r->arena);
    const struct node *list = originals_put_back(&r->originals, receiver,
                                                 node_get(config, "scrape_configs"), r->f, &lost);
    struct scrape_options options = *r->options;
    options.receiver = receiver->key->text;
    scrapejobs_parse(list, &globals, &options, r->pool, r->f, r->out);
    drop_lost(r, list, &lost, from);
    spanmap_fini(&lost);
}

static void read_receiver(const struct reader *r, const struct node_pair *pair)
{
    const struct node *config = NULL;

    if (node_is_null(pair->value)) {
        return;
    }
    if (pair->value->type != NODE_MAP) {
        faults_add(r->f, FAULT_ERROR, pair->value->line, "must be a mapping, not %s",
                   node_type_name(pair->value));
        return;
    }
    if (!walk_map(pair->value, "config", r->f, &config) &&
        !node_is_null(node_get(pair->value, "config"))) {
        return;
    }
    size_t mark = faults_push(r->f, "config");
    read_config(r, pair, config);
    faults_pop(r->f, mark);
}

static bool is_prometheus(struct span receiver)
{
    return span_is(receiver, RECEIVER) || span_has_prefix(receiver, RECEIVER "/");
}

static void read_receivers(const struct reader *r, const struct node *receivers)
{
    size_t mark = faults_push(r->f, "receivers");

    for (size_t i = 0; i < receivers->n; i++) {
        const struct node_pair *pair = &receivers->pairs[i];
        if (is_prometheus(pair->key->text)) {
            size_t inner = faults_push(r->f, "%.*s", SPAN_ARG(pair->key->text));
            read_receiver(r, pair);
            faults_pop(r->f, inner);
        }
    }
    faults_pop(r->f, mark);
}

void collectorcr_jobs(const struct collectorcr *cr, const struct scrape_options *options,
                      struct strpool *pool, struct faults *f, struct scrapejobs *out)
{
    const struct node *receivers = NULL;
    struct scrape_options own = *options;
    struct arena arena;
    struct reader r = { .options = &own, .pool = pool, .arena = &arena, .f = f, .out = out };

    own.unescape_dollars = true;
    if (cr->config == NULL) {
        return;
    }
    arena_init(&arena);
    originals_init(&r.originals, cr->stash, &arena);
    size_t outer = faults_push(f, "spec");
    size_t mark = faults_push(f, "config");
    if (walk_map(cr->config, "receivers", f, &receivers)) {
        read_receivers(&r, receivers);
    }
    faults_pop(f, mark);
    faults_pop(f, outer);
    originals_fini(&r.originals);
    arena_fini(&arena);
}

#include "allocator/tenant/collector.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/walk.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/shard/strategy.h"
#include "allocator/tenant/annotation.h"
#include "allocator/tenant/wire.h"

#define GROUP_PREFIX "opentelemetry.io/"
#define KIND "OpenTelemetryCollector"
#define MAX_STRATEGIES 15

static struct span text_at(const struct node *map, const char *key)
{
    struct span text = { NULL, 0 };

    (void)node_as_text(node_get(map, key), &text);
    return text;
}

/* ---- the Collectors of a document */

bool collector_is(const struct node *root)
{
    return root != NULL && root->type == NODE_MAP && span_is(text_at(root, "kind"), KIND) &&
           span_has_prefix(text_at(root, "apiVersion"), GROUP_PREFIX);
}

const struct node *collector_items(const struct node *root)
{
    const struct node *items = node_get(root, "items");

    return span_has_suffix(text_at(root, "kind"), "List") && items != NULL &&
                   items->type == NODE_LIST
               ? items
               : NULL;
}

const struct node *collector_next(const struct node *root, size_t *at)
{
    const struct node *items = collector_items(root);

    if (items == NULL) {
        return (*at)++ == 0 && collector_is(root) ? root : NULL;
    }
    while (*at < items->n) {
        const struct node *item = items->items[(*at)++];
        if (collector_is(item)) {
            return item;
        }
    }
    return NULL;
}

size_t collector_count(const struct node *root)
{
    size_t n = 0;

    for (size_t at = 0; collector_next(root, &at) != NULL;) {
        n++;
    }
    return n;
}

size_t collector_push(const struct node *root, size_t at, struct faults *f)
{
    size_t mark = f->path_len;

    if (collector_items(root) != NULL) {
        faults_push(f, "items");
        faults_push_index(f, at - 1);
    }
    return mark;
}

/* ---- reading */

static void read_annotations(struct collector *c)
{
    c->annotations = node_get(c->metadata, "annotations");
    if (c->annotations == NULL || c->annotations->type != NODE_MAP) {
        return;
    }
    for (size_t i = 0; i < c->annotations->n; i++) {
        const struct node_pair *pair = &c->annotations->pairs[i];
        struct span value = { NULL, 0 };
        (void)node_as_text(pair->value, &value);
        if (span_is(pair->key->text, WIRE_ANNOTATION)) {
            c->annotation = pair->value;
        } else {
            c->annotations_bytes += pair->key->text.len + value.len;
        }
    }
}

static void read_metadata(struct collector *c)
{
    c->metadata = node_get(c->root, "metadata");
    c->ns = text_at(c->metadata, "namespace");
    c->name = text_at(c->metadata, "name");
    c->is_deleting = !node_is_null(node_get(c->metadata, "deletionTimestamp"));
    read_annotations(c);
}

static void read_allocator(struct collector *c, const struct node *allocator)
{
    struct span label = text_at(node_get(c->metadata, "labels"), WIRE_INJECT_LABEL);
    struct span interval = text_at(allocator, "collectorTargetReloadInterval");

    if (span_is(label, "false")) {
        c->intent = COLLECTOR_OPTED_OUT;
    } else if (span_is(label, "true") || node_is_true(allocator, "enabled")) {
        c->intent = COLLECTOR_ALLOCATED;
    }
    c->strategy = text_at(allocator, "allocationStrategy");
    c->fallback = text_at(c->annotations, WIRE_FALLBACK);
    c->filter_strategy = text_at(allocator, "filterStrategy");
    c->has_prometheus_cr = node_is_true(node_get(allocator, "prometheusCR"), "enabled");
    c->reload_interval = interval.len > 0 ? interval : SPAN_LIT("30s");
}

void collector_read(const struct node *root, struct collector *out)
{
    const struct node *spec = node_get(root, "spec");

    *out = (struct collector){ .root = root, .mode = SPAN_LIT("deployment"), .replicas = 1 };
    out->api_version = text_at(root, "apiVersion");
    read_metadata(out);
    (void)node_as_text(node_get(spec, "mode"), &out->mode);
    (void)node_as_int(node_get(spec, "replicas"), &out->replicas);
    read_allocator(out, node_get(spec, "targetAllocator"));
    out->config_node = node_get(spec, "config");
    if (node_is_null(out->config_node)) {
        return;
    }
    if (out->config_node->type == NODE_SCALAR) {
        out->config_text = out->config_node->text.p == NULL ? SPAN_LIT("") : out->config_node->text;
    } else {
        out->config = out->config_node;
    }
}

/* ---- whether it gets an allocator */

/* A sidecar's collectors are other people's pods: nobody can say who they are and how many. */
static bool can_be_served(const struct collector *c)
{
    return !span_is(c->mode, "sidecar");
}

bool collector_is_served(const struct collector *c)
{
    return c->intent == COLLECTOR_ALLOCATED && can_be_served(c);
}

char *collector_title(const struct collector *c)
{
    return mem_printf("Collector %.*s%s%.*s", SPAN_ARG(c->ns), c->ns.len > 0 ? "/" : "",
                      SPAN_ARG(c->name));
}

char *collector_refusal(const struct collector *c)
{
    if (collector_is_served(c)) {
        return NULL;
    }
    return c->intent == COLLECTOR_ALLOCATED
               ? mem_printf("is of mode %.*s, which cannot use the allocator", SPAN_ARG(c->mode))
               : mem_printf("does not ask for an allocator (%s)",
                            c->intent == COLLECTOR_OPTED_OUT ? "label otel-ta/inject"
                                                             : "spec.targetAllocator.enabled");
}

void collector_report_mode(const struct collector *c, struct faults *f)
{
    const struct node *mode = node_path(c->root, "spec", "mode", NULL);

    if (c->intent != COLLECTOR_ALLOCATED || can_be_served(c)) {
        return;
    }
    size_t mark = faults_push(f, "spec");
    faults_push(f, "mode");
    faults_add_kind(f, FAULT_STANDING, FAULT_WARNING, mode->line,
                    "a Collector of mode %.*s cannot use the allocator: it discovers its targets "
                    "itself",
                    SPAN_ARG(c->mode));
    faults_pop(f, mark);
}

/* ---- faults */

void collector_check_strategy(const struct node *map, const char *key, struct faults *f)
{
    const char *names[MAX_STRATEGIES + 1] = { NULL };
    struct span word = text_at(map, key);
    AUTO_BUF known = { 0 };

    if (word.len == 0 || strategy_find(word) != NULL) {
        return;
    }
    buf_init(&known, KIB);
    for (size_t i = 0; i < MAX_STRATEGIES && strategies[i] != NULL; i++) {
        names[i] = strategies[i]->name;
        buf_addf(&known, "%s%s", i == 0 ? "" : ", ", names[i]);
    }
    const char *nearest = walk_nearest(word, names);
    walk_fault(map, key, f, "unknown value \"%.*s\", expecting one of: %s%s%s%s", SPAN_ARG(word),
               known.p, nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
               nearest == NULL ? "" : "'?");
}

void collector_check_allocator(const struct collector *c, struct faults *f)
{
    if (!collector_is_served(c)) {
        return;
    }
    size_t mark = faults_push(f, "spec");
    faults_push(f, "targetAllocator");
    collector_check_strategy(node_path(c->root, "spec", "targetAllocator", NULL),
                             "allocationStrategy", f);
    faults_pop(f, mark);
    mark = faults_push(f, "metadata");
    faults_push(f, "annotations");
    collector_check_strategy(c->annotations, WIRE_FALLBACK, f);
    faults_pop(f, mark);
}

static bool is_template(struct span text)
{
    return text.len > 0 && memmem(text.p, text.len, "{{", 2) != NULL;
}

void collector_check_name(const struct collector *c, struct faults *f)
{
    bool is_ns = is_template(c->ns);

    if (c->name.len > 0 && !is_ns && !is_template(c->name)) {
        return;
    }
    size_t mark = faults_push(f, "metadata");
    faults_push(f, is_ns ? "namespace" : "name");
    faults_add(f, FAULT_ERROR, c->metadata == NULL ? c->root->line : c->metadata->line, "%s",
               c->name.len == 0 ? "is required: the allocator's URL is made of it"
                                : "is a Helm template: render it first, as 'helm template' does");
    faults_pop(f, mark);
}

static void check_metadata(const struct collector *c, struct faults *f)
{
    const struct node *metadata = NULL, *map = NULL;
    struct span text;

    if (!walk_map(c->root, "metadata", f, &metadata)) {
        return;
    }
    size_t mark = faults_push(f, "metadata");
    (void)walk_text(metadata, "name", f, &text);
    (void)walk_text(metadata, "namespace", f, &text);
    if (walk_map(metadata, "labels", f, &map)) {
        size_t inner = faults_push(f, "labels");
        (void)walk_text(map, WIRE_INJECT_LABEL, f, &text);
        faults_pop(f, inner);
    }
    if (walk_map(metadata, "annotations", f, &map)) {
        size_t inner = faults_push(f, "annotations");
        (void)walk_text(map, WIRE_ANNOTATION, f, &text);
        faults_pop(f, inner);
    }
    faults_pop(f, mark);
}

static void check_spec(const struct collector *c, struct faults *f)
{
    const struct node *spec = NULL, *allocator = NULL, *monitors = NULL;
    struct span text;
    int64_t number;
    bool truth;

    if (!walk_map(c->root, "spec", f, &spec)) {
        return;
    }
    size_t mark = faults_push(f, "spec");
    (void)walk_text(spec, "mode", f, &text);
    (void)walk_int(spec, "replicas", f, &number);
    if (walk_map(spec, "targetAllocator", f, &allocator)) {
        faults_push(f, "targetAllocator");
        (void)walk_bool(allocator, "enabled", f, &truth);
        (void)walk_text(allocator, "allocationStrategy", f, &text);
        (void)walk_text(allocator, "filterStrategy", f, &text);
        if (walk_map(allocator, "prometheusCR", f, &monitors)) {
            faults_push(f, "prometheusCR");
            (void)walk_bool(monitors, "enabled", f, &truth);
        }
    }
    faults_pop(f, mark);
}

void collector_check(const struct collector *c, struct faults *f)
{
    check_metadata(c, f);
    collector_check_name(c, f);
    check_spec(c, f);
    collector_check_allocator(c, f);
}

/* ---- the configuration */

/* A literal block shows its text as it is, one line below its '|': its lines can be told in lines
 * of the document. Of other texts only the first line is known. What an alias or a merge key refers
 * to stands elsewhere in the tree and is placed there.
 * NOLINTNEXTLINE(misc-no-recursion): documents are at most LIMIT_DEPTH deep. */
static void place_lines(struct node *n, const struct node *text)
{
    n->line = text->line + (text->style == NODE_LITERAL ? n->line : 0);
    if (n->is_alias) {
        return;
    }
    for (size_t i = 0; n->type == NODE_LIST && i < n->n; i++) {
        place_lines(n->items[i], text);
    }
    for (size_t i = 0; n->type == NODE_MAP && i < n->n; i++) {
        if (!n->pairs[i].is_merged) {
            place_lines(n->pairs[i].key, text);
            place_lines(n->pairs[i].value, text);
        }
    }
}

int collector_parse_text(struct collector *c, struct arena *arena, struct err *err)
{
    struct node *tree = NULL;

    if (c->config_text.p == NULL) {
        return 0;
    }
    if (c->config_text.len > LIMIT_CONFIG_TEXT_BYTES) {
        return err_set(err, ERR_TOO_BIG, "the text has %zu bytes, more than %zu",
                       c->config_text.len, (size_t)LIMIT_CONFIG_TEXT_BYTES);
    }
    int rc = yamldoc_parse(c->config_text, arena, &tree, err);
    if (rc == 0 && tree != NULL) {
        place_lines(tree, c->config_node);
        c->config = tree;
    }
    return rc;
}

int collector_open_config(struct collector *c, struct arena *arena, enum fault_severity severity,
                          struct faults *f)
{
    struct err err;
    int rc = collector_parse_text(c, arena, &err);

    if (rc == 0 && (c->config == NULL || node_is_null(c->config) || c->config->type == NODE_MAP)) {
        return 0;
    }
    size_t mark = faults_push(f, "spec");
    faults_push(f, "config");
    if (rc < 0) {
        faults_add(f, severity, c->config_node->line, "%s", err.text);
    } else {
        faults_add(f, severity, c->config->line, "must %s a mapping, not %s",
                   c->config_text.p != NULL ? "hold" : "be", node_type_name(c->config));
        c->config = NULL;
    }
    faults_pop(f, mark);
    return rc < 0 ? rc : ERR_INVALID;
}

/* ---- the annotation */

int collector_annotation(const struct collector *c, struct arena *arena, struct node **out,
                         struct span *out_json, struct err *err)
{
    struct span value;

    *out = NULL;
    *out_json = (struct span){ NULL, 0 };
    if (node_is_null(c->annotation)) {
        return 0;
    }
    if (!node_as_text(c->annotation, &value)) { /* without its quotes it is a mapping */
        return err_set(err, ERR_INVALID, "must be text, not %s", node_type_name(c->annotation));
    }
    int rc = annotation_decode(value, arena, out_json, out, err);
    return rc == 0 || rc == ERR_UNSUPPORTED ? rc : ERR_INVALID;
}

/* A whole sentence: admission warnings have no path. */
void collector_report_annotation(const struct collector *c, int rc, const struct err *why,
                                 enum fault_severity severity, struct faults *f)
{
    size_t mark = faults_push(f, "metadata");

    faults_add_kind(f, FAULT_STANDING, severity, c->annotation->line, "annotation %s %s: %s",
                    WIRE_ANNOTATION,
                    rc == ERR_UNSUPPORTED ? "is of a newer version" : "cannot be read", why->text);
    faults_pop(f, mark);
}

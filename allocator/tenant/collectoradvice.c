#include "allocator/tenant/collectoradvice.h"

#include "allocator/base/mem.h"
#include "allocator/scrape/schema.h"
#include "allocator/shard/strategy.h"
#include "allocator/tenant/wire.h"

#define ALLOCATOR_LABEL "opentelemetry.io/target-allocator"
#define PER_NODE "per-node"
#define INSTEAD "; use label " WIRE_INJECT_LABEL " instead"

/* At spec.'path[0]'.'path[1]' (NULL: spec.'path[0]'). */
static void PRINTF_LIKE(5, 6)
    warn(const struct collector *c, enum fault_kind kind, const char *const path[2],
         struct faults *f, const char *fmt, ...)
{
    const char *a = path[0], *b = path[1];
    const struct node *at = node_path(c->root, "spec", a, b, NULL);
    size_t mark = faults_push(f, "spec");
    va_list ap;
    char text[256];

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    faults_push(f, "%s", a);
    if (b != NULL) {
        faults_push(f, "%s", b);
    }
    faults_add_kind(f, kind, FAULT_WARNING, at == NULL ? c->root->line : at->line, "%s", text);
    faults_pop(f, mark);
}

/* ---- what the OpenTelemetry Operator refuses */

static bool is_enabled_for_operator(const struct collector *c)
{
    bool is = false;

    (void)node_as_bool(node_path(c->root, "spec", "targetAllocator", "enabled", NULL), &is);
    return is && c->intent == COLLECTOR_ALLOCATED;
}

static void report_mode(const struct collector *c, struct faults *f)
{
    static const char *const modes[] = { "statefulset", "daemonset" };
    struct span strategy = c->strategy.len > 0 ? c->strategy : SPAN_LIT("consistent-hashing");
    bool is_daemonset = span_is(c->mode, modes[1]);

    if (!span_is(c->mode, modes[0]) && !is_daemonset) {
        warn(c, FAULT_PLAIN, (const char *const[]){ "mode", NULL }, f,
             "the OpenTelemetry Operator refuses an allocator in mode %.*s" INSTEAD,
             SPAN_ARG(c->mode));
    } else if (is_daemonset != span_is(strategy, PER_NODE)) {
        warn(c, FAULT_PLAIN, (const char *const[]){ "targetAllocator", "allocationStrategy" }, f,
             "the OpenTelemetry Operator refuses %.*s in mode %.*s" INSTEAD, SPAN_ARG(strategy),
             SPAN_ARG(c->mode));
    }
}

static void report_strategy(const struct collector *c, struct faults *f)
{
    static const char *const known[] = { "", "consistent-hashing", "least-weighted", PER_NODE };

    for (size_t i = 0; i < COUNT(known); i++) {
        if (span_is(c->strategy, known[i])) {
            return;
        }
    }
    if (strategy_find(c->strategy) == NULL) {
        return; /* an error says it */
    }
    warn(c, FAULT_PLAIN, (const char *const[]){ "targetAllocator", "allocationStrategy" }, f,
         "the CRD of the OpenTelemetry Operator knows no %.*s; use --strategy instead",
         SPAN_ARG(c->strategy));
}

/* ---- what is not there */

static void report_monitors(const struct collector *c, struct faults *f)
{
    if (c->has_prometheus_cr) {
        warn(c, FAULT_STANDING, (const char *const[]){ "targetAllocator", "prometheusCR" }, f,
             "ServiceMonitors, PodMonitors and their like are not read yet: no target of them");
    }
}

static void report_label(const struct collector *c, struct faults *f)
{
    const struct node *labels = node_get(c->metadata, "labels");
    struct span name = schema_text(labels, ALLOCATOR_LABEL);

    if (name.len == 0) {
        return;
    }
    size_t mark = faults_push(f, "metadata");
    faults_push(f, "labels");
    faults_push(f, ALLOCATOR_LABEL);
    faults_add_kind(f, FAULT_STANDING, FAULT_WARNING, node_get(labels, ALLOCATOR_LABEL)->line,
                    "TargetAllocator '%.*s' of the label " ALLOCATOR_LABEL
                    " is not read: its jobs are not here",
                    SPAN_ARG(name));
    faults_pop(f, mark);
}

void collectoradvice_give(const struct collector *c, struct faults *f)
{
    collector_report_mode(c, f);
    if (c->intent == COLLECTOR_OPTED_OUT) {
        return;
    }
    report_label(c, f);
    if (!collector_is_served(c)) {
        return;
    }
    report_monitors(c, f);
    if (is_enabled_for_operator(c)) {
        report_mode(c, f);
        report_strategy(c, f);
    }
}

void collectoradvice_of_config(const struct node *config, struct faults *f)
{
    const struct node *files = node_get(config, "scrape_config_files");

    if (node_is_null(files) || (files->type == NODE_LIST && files->n == 0)) {
        return;
    }
    size_t mark = faults_push(f, "scrape_config_files");
    faults_add_kind(f, FAULT_STANDING, FAULT_WARNING, files->line,
                    "the jobs of scrape_config_files are not distributed: every collector scrapes "
                    "them");
    faults_pop(f, mark);
}

static void report_other(const struct node *root, struct faults *f)
{
    struct span name = schema_text(node_get(root, "metadata"), "name");

    if (span_is(schema_text(root, "kind"), "TargetAllocator") &&
        span_has_prefix(schema_text(root, "apiVersion"), "opentelemetry.io/")) {
        faults_add_kind(f, FAULT_STANDING, FAULT_WARNING, root->line,
                        "TargetAllocator '%.*s' is not read: its jobs are not here",
                        SPAN_ARG(name));
    }
}

void collectoradvice_of_others(const struct node *root, struct faults *f)
{
    const struct node *items = collector_items(root);

    if (root == NULL || root->type != NODE_MAP) {
        return;
    }
    report_other(root, f);
    for (size_t i = 0; items != NULL && i < items->n; i++) {
        size_t mark = faults_push(f, "items");
        faults_push_index(f, i);
        report_other(items->items[i], f);
        faults_pop(f, mark);
    }
}

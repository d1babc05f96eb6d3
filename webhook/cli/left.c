#include "webhook/cli/left.h"

#include "allocator/base/mem.h"
#include "allocator/base/terminal.h"
#include "allocator/tenant/receivers.h"
#include "allocator/tenant/wire.h"

static void say(const struct filewalk_document *d, const struct node *at, const char *why,
                FILE *errout)
{
    unsigned line = d->line + (at == NULL || at->line == 0 ? 0 : at->line - 1);
    AUTO_STR document = d->n > 1 ? mem_printf("document %zu: ", d->index + 1) : mem_strdup("");

    terminal_line(errout, "%s:%u: %sleft as it is: %s", d->filename, line, document, why);
}

/* ---- Collectors */

static size_t count_jobs(const struct collector *c, size_t *out_receivers)
{
    const struct node *receivers = node_get(c->config, "receivers");
    size_t n = 0;

    *out_receivers = 0;
    for (size_t i = 0; receivers != NULL && receivers->type == NODE_MAP && i < receivers->n; i++) {
        if (receivers_is(receivers->pairs[i].key->text)) {
            const struct node *list =
                node_get(node_get(receivers->pairs[i].value, "config"), "scrape_configs");
            n += list != NULL && list->type == NODE_LIST ? list->n : 0;
            (*out_receivers)++;
        }
    }
    return n;
}

/* It would be rewritten, and nothing came of it. */
static char *why_no_rewrite(struct collector *c, struct arena *arena)
{
    struct node *annotation = NULL;
    struct span json;
    size_t n_receivers, n_jobs;

    int rc = collector_annotation(c, arena, &annotation, &json, NULL);
    if (rc == ERR_UNSUPPORTED || collector_parse_text(c, arena, NULL) < 0) {
        return NULL; /* a warning says it */
    }
    n_jobs = count_jobs(c, &n_receivers);
    if (n_jobs == 0 && expression_holder(node_get(c->config, "receivers")) != NULL) {
        return mem_strdup("has no job to take: all are read where the collectors run");
    }
    return annotation != NULL ? mem_strdup("is rewritten already")
           : n_receivers == 0 ? mem_strdup("has no Prometheus receiver")
           : n_jobs == 0      ? mem_strdup("has no scrape jobs")
                              : mem_printf("has no job to take: its %zu scrape job%s", n_jobs,
                                      n_jobs == 1 ? " stays" : "s stay");
}

/* NULL: a warning says it. */
static char *why_left(const struct node *root, bool is_restore, struct arena *arena)
{
    struct collector c;

    collector_read(root, &c);
    if (is_restore) {
        return c.annotation == NULL
                   ? mem_strdup("has no annotation " WIRE_ANNOTATION ": it is not rewritten")
                   : NULL;
    }
    if (collector_is_served(&c)) {
        return why_no_rewrite(&c, arena);
    }
    return c.intent == COLLECTOR_ALLOCATED ? NULL : collector_refusal(&c);
}

void left_report(const struct filewalk_document *d, const struct manifest *m, bool is_restore,
                 struct arena *arena, FILE *errout)
{
    const struct node *was, *now;

    for (size_t at = 0, now_at = 0; (was = collector_next(d->root, &at)) != NULL;) {
        now = collector_next(m->intended, &now_at);
        if (now == NULL || (now != was && !node_equal(now, was))) {
            continue;
        }
        AUTO_STR why = why_left(was, is_restore, arena);
        struct collector c;
        collector_read(was, &c);
        AUTO_STR name = collector_title(&c);
        AUTO_STR text = why == NULL ? NULL : mem_printf("%s %s", name, why);
        if (text != NULL) {
            say(d, was, text, errout);
        }
    }
}

/* ---- others */

static struct span text_of(const struct node *root, const char *key)
{
    struct span text = { NULL, 0 };

    (void)node_as_text(node_get(root, key), &text);
    return text;
}

void left_report_foreign(const struct filewalk_document *d, FILE *errout)
{
    struct span kind = text_of(d->root, "kind"), version = text_of(d->root, "apiVersion");
    AUTO_STR why = NULL;

    if (d->root == NULL && d->n > 1) {
        return; /* between two '---' */
    }
    if (d->root == NULL) {
        why = mem_strdup("it is empty");
    } else if (kind.len > 0 && version.len > 0) {
        why = mem_printf("%.*s of %.*s is no OpenTelemetryCollector of opentelemetry.io",
                         SPAN_ARG(kind), SPAN_ARG(version));
    } else if (node_get(d->root, "scrape_configs") != NULL) {
        why = mem_strdup("a Prometheus configuration is no OpenTelemetryCollector");
    } else if (node_get(d->root, "receivers") != NULL) {
        why =
            mem_strdup("a Collector's configuration without its OpenTelemetryCollector around it");
    } else {
        why = mem_strdup("it is no OpenTelemetryCollector: kind or apiVersion is missing");
    }
    say(d, d->root, why, errout);
}

#include "allocator/tenant/receivers.h"

#include "allocator/codec/nodecopy.h"
#include "allocator/codec/walk.h"
#include "allocator/scrape/scrapefields.h"
#include "allocator/tenant/originals.h"
#include "allocator/tenant/wire.h"

bool receivers_is(struct span name)
{
    return span_is(name, WIRE_DEFAULT_RECEIVER) || span_has_prefix(name, WIRE_DEFAULT_RECEIVER "/");
}

/* ---- one receiver */

/* What reading the receivers of one CR needs. */
struct reader {
    struct originals originals;
    bool is_unread; /* there is an annotation that nobody can read */
    const struct scrape_options *options;
    struct strpool *pool;
    struct arena *arena;
    struct faults *f;
    struct scrapejobs *out;
};

static void drop_lost(const struct reader *r, const struct spanmap *lost, size_t from)
{
    size_t n = from;

    for (size_t i = from; i < r->out->n; i++) {
        if (spanmap_has(lost, r->out->v[i]->name)) {
            scrapejob_free(&r->out->v[i]);
        } else {
            r->out->v[n++] = r->out->v[i];
        }
    }
    r->out->n = n;
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
    drop_lost(r, &lost, from);
    spanmap_fini(&lost);
}

/* Its jobs may all be in the annotation: that there are none is not to be believed. */
static void check_block(const struct reader *r, const struct node *receiver)
{
    const struct node *block = node_get(receiver, "target_allocator");

    if (r->is_unread && originals_is_our_block(block, r->arena)) {
        size_t mark = faults_push(r->f, "target_allocator");
        faults_add(r->f, FAULT_ERROR, block->line, "%s", ORIGINALS_BLOCK_LOSS);
        faults_pop(r->f, mark);
    }
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
    check_block(r, pair->value);
    if (!walk_map(pair->value, "config", r->f, &config) &&
        !node_is_null(node_get(pair->value, "config"))) {
        return;
    }
    size_t mark = faults_push(r->f, "config");
    read_config(r, pair, config);
    faults_pop(r->f, mark);
}

static void read_receivers(const struct reader *r, const struct node *receivers)
{
    size_t mark = faults_push(r->f, "receivers");

    for (size_t i = 0; i < receivers->n; i++) {
        const struct node_pair *pair = &receivers->pairs[i];
        if (receivers_is(pair->key->text)) {
            size_t inner = faults_push(r->f, "%.*s", SPAN_ARG(pair->key->text));
            read_receiver(r, pair);
            faults_pop(r->f, inner);
        }
    }
    faults_pop(r->f, mark);
}

/* ---- the Collector */

/* Its lines are those of a text that nobody sees.
 * NOLINTNEXTLINE(misc-no-recursion): documents are at most LIMIT_DEPTH deep. */
static void forget_lines(struct node *n)
{
    n->line = 0;
    for (size_t i = 0; n->type == NODE_LIST && i < n->n; i++) {
        forget_lines(n->items[i]);
    }
    for (size_t i = 0; n->type == NODE_MAP && i < n->n; i++) {
        n->pairs[i].key->line = 0;
        forget_lines(n->pairs[i].value);
    }
}

/* An unreadable one costs the jobs whose originals it has, one of a newer version the Collector. */
static int read_annotation(const struct collector *c, struct arena *arena, struct faults *f,
                           struct node **out)
{
    struct span json;
    struct err err;
    int rc = collector_annotation(c, arena, out, &json, &err);

    if (rc < 0) {
        collector_report_annotation(c, rc, &err,
                                    rc == ERR_UNSUPPORTED ? FAULT_ERROR : FAULT_WARNING, f);
    } else if (*out != NULL) {
        forget_lines(*out);
    }
    return rc;
}

bool receivers_jobs(const struct collector *c, const struct scrape_options *options,
                    struct strpool *pool, struct faults *f, struct scrapejobs *out)
{
    const struct node *receivers = NULL;
    struct node *annotation = NULL;
    struct scrape_options own = *options;
    struct collector opened = *c;
    struct arena arena;
    struct reader r = { .options = &own, .pool = pool, .arena = &arena, .f = f, .out = out };

    own.unescape_dollars = true;
    arena_init(&arena);
    int rc = read_annotation(c, &arena, f, &annotation);
    bool is_usable = rc != ERR_UNSUPPORTED && c->name.len > 0;
    r.is_unread = rc < 0;
    if (collector_open_config(&opened, &arena, FAULT_ERROR, f) == 0 && is_usable) {
        originals_init(&r.originals, annotation, &arena);
        size_t mark = faults_push(f, "spec");
        faults_push(f, "config");
        if (walk_map(opened.config, "receivers", f, &receivers)) {
            read_receivers(&r, receivers);
        }
        faults_pop(f, mark);
        originals_fini(&r.originals);
    }
    arena_fini(&arena);
    return is_usable;
}

#define LOG_MODULE "collectors"
#include "webhook/clusterlist.h"

#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/log.h"
#include "allocator/base/mem.h"
#include "allocator/base/memorylimit.h"
#include "allocator/discovery/objectarrival.h"
#include "webhook/outage.h"

#include <assert.h>

#define GROUP "opentelemetry.io"
#define PLACE "the cluster" /* where gaps of whole collections are */
#define GRACE_MS 30000      /* as the Collector's collectorNotReadyGracePeriod is by default */
/* The operator's, of the pods of all Collectors (M/manifestutils/labels.go). */
#define POD_LABELS                                                                                 \
    "app.kubernetes.io/component=opentelemetry-collector,"                                         \
    "app.kubernetes.io/managed-by=opentelemetry-operator"

struct cluster_row { /* a Collector */
    struct table_node by_key, by_instance;
    char *key;      /* "namespace/name" */
    char *instance; /* "namespace/instance" */
    size_t ns_len;
    size_t weight; /* of its jobs */
    struct gaps gaps;
    struct outages outages;
    bool is_dirty;
    bool is_served; /* the feed was told of it */
};

/* ---- rows */

static bool is_key(const struct table_node *node, const void *key)
{
    return span_is(*(const struct span *)key, CONTAINER_OF(node, struct cluster_row, by_key)->key);
}

static bool is_instance(const struct table_node *node, const void *key)
{
    return span_is(*(const struct span *)key,
                   CONTAINER_OF(node, struct cluster_row, by_instance)->instance);
}

static struct cluster_row *find_row(const struct clusterlist *c, struct span key)
{
    struct table_node *node = table_find(&c->by_key, hash_fast(key), is_key, &key);

    return node == NULL ? NULL : CONTAINER_OF(node, struct cluster_row, by_key);
}

static struct span ns_of(const struct cluster_row *row)
{
    return span_make(row->key, row->ns_len);
}

static struct span name_of(const struct cluster_row *row)
{
    return span_of(row->key + row->ns_len + 1);
}

static struct span instance_of(const struct cluster_row *row)
{
    return span_of(row->instance + row->ns_len + 1);
}

static struct cluster_row *add_row(struct clusterlist *c, struct span key)
{
    struct cluster_row *row = mem_zalloc(sizeof(*row));
    const char *slash = memchr(key.p, '/', key.len);
    AUTO_BUF text = { 0 };

    row->key = slash == NULL ? mem_printf("/%.*s", SPAN_ARG(key)) : mem_strndup(key.p, key.len);
    row->ns_len = slash == NULL ? 0 : (size_t)(slash - key.p);
    buf_init(&text, KIB);
    podgroups_instance(ns_of(row), name_of(row), &text);
    row->instance = mem_printf("%.*s/%.*s", SPAN_ARG(ns_of(row)), SPAN_ARG(buf_span(&text)));
    table_put(&c->by_key, &row->by_key, hash_fast(span_of(row->key)));
    table_put(&c->by_instance, &row->by_instance, hash_fast(span_of(row->instance)));
    return row;
}

static void free_row(struct cluster_row *row)
{
    gaps_fini(&row->gaps);
    outages_fini(&row->outages);
    mem_free(row->key);
    mem_free(row->instance);
    mem_free(row);
}

static void remove_row(struct clusterlist *c, struct cluster_row *row)
{
    struct tenants none = { 0 };

    outages_tell(&row->outages, &none);
    c->has_new_gaps |= row->gaps.n > 0;
    c->weight -= row->weight;
    table_del(&c->by_key, &row->by_key);
    table_del(&c->by_instance, &row->by_instance);
    free_row(row);
}

static void soil(struct clusterlist *c, struct cluster_row *row)
{
    if (!row->is_dirty) {
        row->is_dirty = true;
        *vec_push(&c->dirty) = row;
    }
}

/* ---- one Collector */

/* Errors are told as what they cost. */
static void report(const struct faults *f)
{
    for (size_t i = 0; i < f->n; i++) {
        if (f->v[i].severity != FAULT_ERROR) {
            AUTO_STR text = fault_text(&f->v[i]);
            log_warn("a Collector has a fault", LOG_STR("fault", text));
        }
    }
}

/* An object of the API has none: its author wrote something else. */
/* NOLINTNEXTLINE(misc-no-recursion): documents are at most LIMIT_DEPTH deep */
static void forget_lines(struct node *n)
{
    n->line = 0;
    for (size_t i = 0; n->type == NODE_LIST && i < n->n; i++) {
        forget_lines(n->items[i]);
    }
    for (size_t i = 0; n->type == NODE_MAP && i < n->n; i++) {
        forget_lines(n->pairs[i].value);
    }
}

/* What the object says, as tenants: one, or none where it asks for none or has a fault. */
static void read_object(struct clusterlist *c, struct cluster_row *row, struct span cut,
                        struct tenants *out)
{
    size_t all = memorylimit_jobs(memorylimit_bytes()), others = c->weight - row->weight;
    size_t room = others < all ? all - others : 0, before = room;
    struct node *object = NULL;
    struct err err = { 0 };
    struct arena arena;
    struct faults f;

    arena_init(&arena);
    faults_init(&f);
    *out = (struct tenants){ 0 };
    if (node_from_json(cut, 0, &arena, &object, &err) < 0) {
        gaps_add_collector(&out->gaps, row->key, ns_of(row), name_of(row), mem_strdup(err.text));
    } else {
        forget_lines(object);
        int rc = tenants_load_object(object, row->key, &c->options, &room, &f, out);
        assert(rc == 0); /* it keeps what is sound */
    }
    c->weight = others + (before - room);
    row->weight = before - room;
    report(&f);
    faults_fini(&f);
    arena_fini(&arena);
}

/* Keeps what is missing of it; '*tenants' keeps the rest. */
static void take_gaps(struct clusterlist *c, struct cluster_row *row, struct tenants *tenants)
{
    outages_tell(&row->outages, tenants);
    c->has_new_gaps |= row->gaps.n > 0 || tenants->gaps.n > 0;
    gaps_fini(&row->gaps);
    row->gaps = tenants->gaps;
    tenants->gaps = (struct gaps){ 0 };
}

/* True when the feed has news. */
static bool tell_collector(struct clusterlist *c, struct cluster_row *row)
{
    struct tenants tenants;
    struct span cut;
    bool has_news = false;

    row->is_dirty = false;
    if (!replica_find(&c->collectors, span_of(row->key), &cut)) {
        has_news = feed_drop(c->feed, ns_of(row), name_of(row));
        remove_row(c, row);
        return has_news;
    }
    read_object(c, row, cut, &tenants);
    take_gaps(c, row, &tenants);
    if (tenants.n > 0) {
        (void)podgroups_list(&c->pods, ns_of(row), instance_of(row), &tenants.v[0]->collectors);
        has_news = feed_put(c->feed, &tenants.v[0]);
        row->is_served = true;
    } else if (row->gaps.n == 0) {
        has_news = feed_drop(c->feed, ns_of(row), name_of(row));
        row->is_served = false;
    }
    tenants_fini(&tenants);
    return has_news;
}

/* ---- what is told */

static void note_collector(void *arg, struct span key)
{
    struct clusterlist *c = arg;
    struct cluster_row *row = find_row(c, key);

    soil(c, row == NULL ? add_row(c, key) : row);
}

static void note_unreadable(void *arg, struct span key, const struct err *err)
{
    (void)arg;
    log_warn("a Collector cannot be read; it stays as it was", LOG_SPAN("collector", key),
             LOG_STR("error", err->text));
}

static void note_state(struct clusterlist *c, struct clusterlist_collection *of,
                       const struct object_arrival *a)
{
    bool was_refused = of->is_refused;

    of->is_refused = a->state == REFLECTOR_ABSENT || a->state == REFLECTOR_FORBIDDEN ||
                     a->state == REFLECTOR_REJECTED;
    c->has_new_gaps |= was_refused || of->is_refused;
    mem_free(of->problem);
    of->problem = mem_strdup(a->problem);
}

static void take(struct clusterlist *c, const struct object_arrival *a, int64_t now_ms,
                 int64_t wall_ms)
{
    const struct replica_hooks hooks = { note_collector, note_unreadable, c };

    if (a->want == CLUSTERLIST_COLLECTORS) {
        if (a->batch != NULL) {
            replica_take(&c->collectors, a->batch, &hooks);
        }
        note_state(c, &c->of_collectors, a);
        return;
    }
    /* Each API server has pods: what says otherwise at first is none. */
    if (a->batch != NULL && (c->pods.pods.is_known || a->state != REFLECTOR_ABSENT)) {
        podgroups_take(&c->pods, a->batch, now_ms, wall_ms);
    }
    note_state(c, &c->of_pods, a);
}

static void tell_pods(void *arg, struct span ns, struct span instance)
{
    struct clusterlist *c = arg;
    AUTO_STR text = mem_printf("%.*s/%.*s", SPAN_ARG(ns), SPAN_ARG(instance));
    struct span key = span_of(text);
    struct table_node *node = table_find(&c->by_instance, hash_fast(key), is_instance, &key);
    struct collectorlist list;

    if (node == NULL || !c->is_told) {
        return;
    }
    const struct cluster_row *row = CONTAINER_OF(node, struct cluster_row, by_instance);
    if (row->is_served && !row->is_dirty) {
        collectorlist_init(&list);
        (void)podgroups_list(&c->pods, ns, instance, &list);
        (void)feed_tell_collectors(c->feed, ns_of(row), name_of(row), &list);
    }
}

/* ---- what is missing */

/* A collection that nobody tells, and what was never told of it. */
static void add_collection(struct gaps *gaps, const struct clusterlist_collection *of,
                           bool is_known, const char *what)
{
    if (of->is_refused && !is_known) {
        gaps_add_file(gaps, PLACE, mem_printf("%s cannot be watched: %s", what, of->problem));
    }
}

static void tell_gaps(struct clusterlist *c)
{
    struct gaps all = { 0 };

    add_collection(&all, &c->of_collectors, c->collectors.is_known, "opentelemetrycollectors");
    add_collection(&all, &c->of_pods, c->pods.pods.is_known, "pods");
    for (struct table_node *n = table_next(&c->by_key, NULL); n != NULL;
         n = table_next(&c->by_key, n)) {
        const struct cluster_row *row = CONTAINER_OF(n, struct cluster_row, by_key);
        vec_each(&row->gaps, gap) {
            gaps_add_collector(&all, gap->file, ns_of(row), name_of(row), mem_strdup(gap->why));
        }
    }
    feed_put_gaps(c->feed, &all);
    c->has_new_gaps = false;
}

static void tell(struct clusterlist *c)
{
    bool has_news = !c->is_told;

    if (!(c->collectors.is_known || c->of_collectors.is_refused) ||
        !(c->pods.pods.is_known || c->of_pods.is_refused)) {
        return;
    }
    vec_each(&c->dirty, row) {
        has_news |= tell_collector(c, *row);
    }
    vec_clear(&c->dirty);
    if (c->has_new_gaps) {
        tell_gaps(c);
        has_news = true;
    }
    if (has_news) {
        feed_complete(c->feed);
    }
    c->is_told = true;
}

void clusterlist_turn(struct clusterlist *c, int64_t now_ms, int64_t wall_ms)
{
    if (!c->is_on) {
        return;
    }
    for (struct mail *mail = mailbox_drain(c->box), *next; mail != NULL; mail = next) {
        next = mail->next;
        take(c, CONTAINER_OF(mail, struct object_arrival, mail), now_ms, wall_ms);
        mail->dispose(mail);
    }
    podgroups_settle(&c->pods, now_ms, tell_pods, c);
    tell(c);
}

/* ---- life */

int clusterlist_fd(const struct clusterlist *c)
{
    return c->is_on ? mailbox_fd(c->box) : -1;
}

int clusterlist_wait_ms(const struct clusterlist *c, int most_ms, int64_t now_ms)
{
    int64_t due_ms = c->is_on ? c->pods.due_ms : INT64_MAX;
    int64_t left_ms = due_ms == INT64_MAX ? most_ms : due_ms - now_ms;

    return left_ms < 0 ? 0 : left_ms < most_ms ? (int)left_ms : most_ms;
}

void clusterlist_init(struct clusterlist *c)
{
    *c = (struct clusterlist){ .is_on = false };
}

void clusterlist_open(struct clusterlist *c, const struct tenants_options *options,
                      struct feed *feed)
{
    *c = (struct clusterlist){ .is_on = true, .options = *options, .feed = feed };
    c->options.keeps_sound = true;
    c->options.has_pods = true;
    c->box = mailbox_new(0); /* lists come while nobody looks */
    replica_init(&c->collectors, OBJECT_CUSTOM);
    podgroups_init(&c->pods, GRACE_MS);
    table_init(&c->by_key);
    table_init(&c->by_instance);
}

void clusterlist_start(struct clusterlist *c, const struct tenants_options *options,
                       struct span namespace, struct feed *feed, struct watcher *watcher)
{
    const struct ask_kube collectors = { .group = SPAN_LIT(GROUP),
                                         .version = SPAN_LIT("v1beta1"),
                                         .resource = SPAN_LIT("opentelemetrycollectors"),
                                         .kind = SPAN_LIT("OpenTelemetryCollector"),
                                         .namespace = namespace };
    const struct ask_kube pods = { .version = SPAN_LIT("v1"),
                                   .resource = SPAN_LIT("pods"),
                                   .kind = SPAN_LIT("Pod"),
                                   .namespace = namespace,
                                   .label_selector = SPAN_LIT(POD_LABELS) };

    clusterlist_open(c, options, feed);
    watcher_follow(watcher, CLUSTERLIST_COLLECTORS, &collectors, c->box);
    watcher_follow(watcher, CLUSTERLIST_PODS, &pods, c->box);
}

void clusterlist_fini(struct clusterlist *c)
{
    if (c->is_on) {
        for (struct table_node *n = table_next(&c->by_key, NULL), *next; n != NULL; n = next) {
            next = table_next(&c->by_key, n);
            free_row(CONTAINER_OF(n, struct cluster_row, by_key));
        }
        table_fini(&c->by_key);
        table_fini(&c->by_instance);
        vec_fini(&c->dirty);
        mem_free(c->of_collectors.problem);
        mem_free(c->of_pods.problem);
        replica_fini(&c->collectors);
        podgroups_fini(&c->pods);
        mailbox_free(&c->box);
    }
    clusterlist_init(c);
}

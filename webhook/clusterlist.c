#define LOG_MODULE "collectors"
#include "webhook/clusterlist.h"

#include "allocator/base/clock.h"
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
#define ABSENT_MS 30000     /* until a kind that is not there any more is believed to be gone */
#define GRACE_MS 30000      /* as the Collector's collectorNotReadyGracePeriod is by default */
/* The operator's, of the pods of all Collectors (M/manifestutils/labels.go). */
#define POD_LABELS                                                                                 \
    "app.kubernetes.io/component=opentelemetry-collector,"                                         \
    "app.kubernetes.io/managed-by=opentelemetry-operator"

struct cluster_row { /* a Collector */
    struct table_node by_key, by_group;
    char *key;     /* "namespace/name" */
    char *group;   /* that of its pods */
    size_t weight; /* of its jobs */
    struct gaps gaps;
    struct outages outages;
    bool is_dirty;
};

/* ---- rows */

static bool is_key(const struct table_node *node, const void *key)
{
    return span_is(*(const struct span *)key, CONTAINER_OF(node, struct cluster_row, by_key)->key);
}

static bool is_group(const struct table_node *node, const void *key)
{
    return span_is(*(const struct span *)key,
                   CONTAINER_OF(node, struct cluster_row, by_group)->group);
}

static struct cluster_row *find_row(const struct clusterlist *c, struct span key)
{
    struct table_node *node = table_find(&c->by_key, hash_fast(key), is_key, &key);

    return node == NULL ? NULL : CONTAINER_OF(node, struct cluster_row, by_key);
}

static struct span ns_of(const struct cluster_row *row)
{
    return object_key_namespace(span_of(row->key));
}

static struct span name_of(const struct cluster_row *row)
{
    return object_key_name(span_of(row->key));
}

static struct cluster_row *add_row(struct clusterlist *c, struct span key)
{
    struct cluster_row *row = mem_zalloc(sizeof(*row));
    AUTO_BUF group = { 0 };
    size_t len;

    row->key = mem_strndup(key.p, key.len);
    buf_init(&group, KIB);
    podgroups_key(ns_of(row), name_of(row), &group);
    row->group = buf_take(&group, &len);
    table_put(&c->by_key, &row->by_key, hash_fast(key));
    table_put(&c->by_group, &row->by_group, hash_fast(span_of(row->group)));
    return row;
}

static void free_row(struct cluster_row *row)
{
    gaps_fini(&row->gaps);
    outages_fini(&row->outages);
    mem_free(row->key);
    mem_free(row->group);
    mem_free(row);
}

static void remove_row(struct clusterlist *c, struct cluster_row *row)
{
    struct tenants none = { 0 };

    outages_tell(&row->outages, &none);
    c->has_new_gaps |= row->gaps.n > 0;
    c->weight -= row->weight;
    table_del(&c->by_key, &row->by_key);
    table_del(&c->by_group, &row->by_group);
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
    if (!replica_find(&c->collectors[c->version], span_of(row->key), &cut)) {
        has_news = feed_drop(c->feed, ns_of(row), name_of(row));
        remove_row(c, row);
        return has_news;
    }
    read_object(c, row, cut, &tenants);
    take_gaps(c, row, &tenants);
    if (tenants.n > 0) {
        (void)podgroups_list(&c->pods, span_of(row->group), &tenants.v[0]->collectors);
        has_news = feed_put(c->feed, &tenants.v[0]);
    } else if (row->gaps.n == 0) {
        has_news = feed_drop(c->feed, ns_of(row), name_of(row));
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

static bool is_refused(const struct clusterlist_collection *of)
{
    return of->state == REFLECTOR_ABSENT || of->state == REFLECTOR_FORBIDDEN ||
           of->state == REFLECTOR_REJECTED;
}

static void note_state(struct clusterlist *c, struct clusterlist_collection *of,
                       const struct object_arrival *a)
{
    c->has_new_gaps |= is_refused(of);
    of->state = a->state;
    of->is_absent =
        a->state == REFLECTOR_ABSENT || (of->is_absent && a->state != REFLECTOR_FOLLOWING);
    c->has_new_gaps |= is_refused(of);
    mem_free(of->problem);
    of->problem = mem_strdup(a->problem);
}

static void follow(struct clusterlist *c, enum clusterlist_what what)
{
#define COLLECTORS(of_version)                                                                     \
    {                                                                                              \
        .group = SPAN_LIT(GROUP), .version = SPAN_LIT(of_version),                                 \
        .resource = SPAN_LIT("opentelemetrycollectors"),                                           \
        .kind = SPAN_LIT("OpenTelemetryCollector"), .namespace = c->namespace                      \
    }
    const struct ask_kube asks[CLUSTERLIST_N] = {
        [CLUSTERLIST_COLLECTORS] = COLLECTORS("v1beta1"),
        [CLUSTERLIST_OLD_COLLECTORS] = COLLECTORS("v1alpha1"),
        [CLUSTERLIST_PODS] = { .version = SPAN_LIT("v1"),
                               .resource = SPAN_LIT("pods"),
                               .kind = SPAN_LIT("Pod"),
                               .namespace = c->namespace,
                               .label_selector = SPAN_LIT(POD_LABELS) },
    };

    if (c->watcher != NULL) {
        watcher_follow(c->watcher, what, &asks[what], c->box);
    }
}

static void soil_one(void *arg, struct span key, struct span cut)
{
    (void)cut;
    note_collector(arg, key);
}

/* Which version counts; another one is all Collectors anew. */
static void choose_version(struct clusterlist *c)
{
    bool is_absent = c->of[CLUSTERLIST_COLLECTORS].is_absent;
    bool is_old = is_absent && c->asks_old && c->collectors[CLUSTERLIST_OLD_COLLECTORS].is_known;
    enum clusterlist_what version = is_old ? CLUSTERLIST_OLD_COLLECTORS : CLUSTERLIST_COLLECTORS;

    if (is_absent && !c->asks_old) {
        c->asks_old = true;
        follow(c, CLUSTERLIST_OLD_COLLECTORS);
    }
    if (version != c->version) {
        replica_each(&c->collectors[c->version], soil_one, c);
        c->version = version;
        replica_each(&c->collectors[c->version], soil_one, c);
    }
}

static void take(struct clusterlist *c, const struct object_arrival *a, int64_t now_ms,
                 int64_t wall_ms)
{
    const struct replica_hooks hooks = { note_collector, note_unreadable, c };

    assert(a->want < CLUSTERLIST_N);
    note_state(c, &c->of[a->want], a);
    /* Each API server has pods: what says otherwise at first is none. */
    if (a->batch == NULL ||
        (a->want == CLUSTERLIST_PODS && !c->pods.pods.is_known && a->state == REFLECTOR_ABSENT)) {
        return;
    }
    if (a->want == CLUSTERLIST_PODS) {
        podgroups_take(&c->pods, a->batch, now_ms, wall_ms);
    } else {
        replica_take(&c->collectors[a->want], a->batch, &hooks);
    }
}

/* Whom the feed was not told of yet, it will be told of with them. */
static void tell_pods(void *arg, struct span key)
{
    struct clusterlist *c = arg;
    struct table_node *node = table_find(&c->by_group, hash_fast(key), is_group, &key);
    struct collectorlist list;

    if (node != NULL) {
        const struct cluster_row *row = CONTAINER_OF(node, struct cluster_row, by_group);
        collectorlist_init(&list);
        (void)podgroups_list(&c->pods, key, &list);
        (void)feed_tell_collectors(c->feed, ns_of(row), name_of(row), &list);
    }
}

/* ---- what is missing */

static bool is_known(const struct clusterlist *c, enum clusterlist_what what)
{
    return what == CLUSTERLIST_PODS ? c->pods.pods.is_known : c->collectors[what].is_known;
}

/* A collection that nobody tells, and what was never told of it. */
static void add_collection(const struct clusterlist *c, enum clusterlist_what what,
                           struct gaps *gaps)
{
    if (is_refused(&c->of[what]) && !is_known(c, what)) {
        gaps_add_file(gaps, PLACE,
                      mem_printf("%s cannot be watched: %s",
                                 what == CLUSTERLIST_PODS ? "pods" : "opentelemetrycollectors",
                                 c->of[what].problem));
    }
}

static bool tell_gaps(struct clusterlist *c)
{
    struct gaps all = { 0 };

    for (enum clusterlist_what what = 0; what < CLUSTERLIST_N; what++) {
        add_collection(c, what, &all);
    }
    for (struct table_node *n = table_next(&c->by_key, NULL); n != NULL;
         n = table_next(&c->by_key, n)) {
        const struct cluster_row *row = CONTAINER_OF(n, struct cluster_row, by_key);
        vec_each(&row->gaps, gap) {
            gaps_add_collector(&all, gap->file, ns_of(row), name_of(row), mem_strdup(gap->why));
        }
    }
    c->has_new_gaps = false;
    return feed_put_gaps(c->feed, &all);
}

/* It is known, or will not be told. */
static bool is_over(const struct clusterlist *c, enum clusterlist_what what)
{
    return is_known(c, what) || is_refused(&c->of[what]);
}

/* There is no such kind of late, which may be a moment's. */
static bool is_in_doubt(struct clusterlist *c, int64_t now_ms)
{
    bool is_absent =
        c->of[CLUSTERLIST_COLLECTORS].is_absent && c->of[CLUSTERLIST_OLD_COLLECTORS].is_absent;

    if (!is_absent) {
        c->absent_ms = INT64_MAX;
    } else if (c->absent_ms == INT64_MAX) {
        c->absent_ms = now_ms;
    }
    return is_absent && c->is_told && now_ms < c->absent_ms + ABSENT_MS;
}

static void tell(struct clusterlist *c, int64_t now_ms)
{
    bool has_news = !c->is_told;

    if (!is_over(c, CLUSTERLIST_COLLECTORS) || !is_over(c, CLUSTERLIST_PODS) ||
        (c->of[CLUSTERLIST_COLLECTORS].is_absent && !is_over(c, CLUSTERLIST_OLD_COLLECTORS)) ||
        is_in_doubt(c, now_ms)) {
        return;
    }
    vec_each(&c->dirty, row) {
        has_news |= tell_collector(c, *row);
    }
    vec_clear(&c->dirty);
    if (c->has_new_gaps) {
        has_news |= tell_gaps(c);
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
    choose_version(c);
    podgroups_settle(&c->pods, now_ms, tell_pods, c);
    tell(c, now_ms);
}

/* ---- life */

int clusterlist_fd(const struct clusterlist *c)
{
    return c->is_on ? mailbox_fd(c->box) : -1;
}

int clusterlist_wait_ms(const struct clusterlist *c, int most_ms, int64_t now_ms)
{
    int64_t due_ms = c->is_on ? c->pods.due_ms : INT64_MAX;

    if (c->is_on && c->dirty.n > 0 && c->absent_ms < INT64_MAX &&
        c->absent_ms + ABSENT_MS < due_ms) {
        due_ms = c->absent_ms + ABSENT_MS;
    }
    return clock_wait_ms(due_ms, most_ms, now_ms);
}

void clusterlist_init(struct clusterlist *c)
{
    *c = (struct clusterlist){ .is_on = false };
}

void clusterlist_open(struct clusterlist *c, const struct tenants_options *options,
                      struct feed *feed)
{
    *c = (struct clusterlist){
        .is_on = true, .options = *options, .feed = feed, .absent_ms = INT64_MAX
    };
    c->options.keeps_sound = true;
    c->options.has_pods = true;
    c->box = mailbox_new(0); /* lists come while nobody looks */
    for (enum clusterlist_what version = 0; version < CLUSTERLIST_PODS; version++) {
        replica_init(&c->collectors[version], OBJECT_CUSTOM);
    }
    podgroups_init(&c->pods, GRACE_MS);
    table_init(&c->by_key);
    table_init(&c->by_group);
}

void clusterlist_start(struct clusterlist *c, const struct tenants_options *options,
                       struct span namespace, struct feed *feed, struct watcher *watcher)
{
    clusterlist_open(c, options, feed);
    c->watcher = watcher;
    c->namespace = namespace;
    follow(c, CLUSTERLIST_COLLECTORS);
    follow(c, CLUSTERLIST_PODS);
}

void clusterlist_fini(struct clusterlist *c)
{
    if (c->is_on) {
        for (struct table_node *n = table_next(&c->by_key, NULL), *next; n != NULL; n = next) {
            next = table_next(&c->by_key, n);
            free_row(CONTAINER_OF(n, struct cluster_row, by_key));
        }
        table_fini(&c->by_key);
        table_fini(&c->by_group);
        vec_fini(&c->dirty);
        for (enum clusterlist_what what = 0; what < CLUSTERLIST_N; what++) {
            mem_free(c->of[what].problem);
        }
        for (enum clusterlist_what version = 0; version < CLUSTERLIST_PODS; version++) {
            replica_fini(&c->collectors[version]);
        }
        podgroups_fini(&c->pods);
        mailbox_free(&c->box);
    }
    clusterlist_init(c);
}

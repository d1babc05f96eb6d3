#include "allocator/watch/kubewatch.h"

#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/discovery/objectarrival.h"
#include "allocator/watch/kubefollow.h"

#include <assert.h>

struct follow;

struct subscriber {
    struct source_want base;
    struct follow *follow;
    struct subscriber *next; /* of the same */
};

struct server {
    struct server *next;
    struct span key; /* owned */
    struct kubecluster *cluster;
    unsigned n_follows;
    struct follow
        *scout; /* of definitions of resources, once one was absent; not among n_follows */
};

/* One collection, for all who want it. */
struct follow {
    struct kubefollow base;
    struct follow *next;
    struct kubewatch *owner;
    struct server *server;
    struct span key; /* owned: of the ask */
    struct subscriber *subscribers;
};

struct kubewatch {
    struct carrier_source base;
    struct http_client *client;
    struct oauth2 *tokens;
    struct kubeconfig_places places;
    const char *user_agent;
    struct server *servers;
    struct follow *follows;
    uint64_t seed;
};

static struct subscriber *subscriber_of(struct source_want *w)
{
    return CONTAINER_OF(w, struct subscriber, base);
}

static struct follow *follow_of(struct kubefollow *f)
{
    return CONTAINER_OF(f, struct follow, base);
}

/* ---- what became known */

static void scout(struct kubewatch *k, struct server *s);

/* Definitions were made or changed: whoever waits for one tries soon. */
static void announce(const struct follow *f, const struct objectbatch *batch, int64_t now_ms)
{
    for (size_t i = 0; i < objectbatch_count(batch); i++) {
        const struct objectevent e = objectbatch_at(batch, i);
        for (struct follow *o = f->owner->follows; o != NULL; o = o->next) {
            if (e.kind == OBJECT_SET && o->server == f->server &&
                span_is(e.key, o->base.resource)) {
                kubefollow_expect(&o->base, now_ms);
            }
        }
    }
}

static void told(struct kubefollow *base, const struct reflector_report *report,
                 struct objectbatch *batch)
{
    struct follow *f = follow_of(base);

    if (f->server->scout == f && batch != NULL) {
        announce(f, batch, clock_mono_ms());
    }
    if (report->state == REFLECTOR_ABSENT && strchr(base->resource, '.') != NULL) {
        scout(f->owner, f->server);
    }
    for (struct subscriber *s = f->subscribers; s != NULL; s = s->next) {
        object_arrival_post(object_arrival_new(s->base.want->id, batch, report),
                            f->owner->base.engine);
    }
}

static void reached(struct kubefollow *base)
{
    const struct follow *f = follow_of(base);

    for (struct follow *o = f->owner->follows; o != NULL; o = o->next) {
        if (o != f && o->server == f->server) {
            kubefollow_hurry(&o->base, clock_mono_ms());
        }
    }
}

/* ---- time */

static int64_t deadline_ms(const struct carrier_source *s)
{
    int64_t first = INT64_MAX;

    for (const struct follow *f = CONTAINER_OF(s, struct kubewatch, base)->follows; f != NULL;
         f = f->next) {
        int64_t due = kubefollow_deadline_ms(&f->base);
        first = due < first ? due : first;
    }
    return first;
}

static void tick(struct carrier_source *s, int64_t now_ms) ON(watcher)
{
    for (struct follow *f = CONTAINER_OF(s, struct kubewatch, base)->follows; f != NULL;
         f = f->next) {
        kubefollow_tick(&f->base, now_ms);
    }
}

/* ---- who is followed */

static struct server *need_server(struct kubewatch *k, const struct ask_kube *ask)
{
    AUTO_BUF key;

    buf_init(&key, MIB);
    ask_cluster_key(ask, &key);
    for (struct server *s = k->servers; s != NULL; s = s->next) {
        if (span_eq(s->key, buf_span(&key))) {
            return s;
        }
    }
    struct server *s = mem_zalloc(sizeof(*s));
    s->key = mem_dup_span(buf_span(&key));
    s->cluster = kubecluster_new(ask, &k->places);
    s->next = k->servers;
    k->servers = s;
    return s;
}

/* It is not followed any more; its server may have been kept for it alone. */
static void free_follow(struct follow *f) ON(watcher)
{
    struct kubewatch *k = f->owner;
    struct follow **at = &k->follows;

    while (*at != f) {
        at = &(*at)->next;
    }
    *at = f->next;
    kubefollow_fini(&f->base);
    mem_free_span(&f->key);
    mem_free(f);
}

static void release_server(struct kubewatch *k, struct server *s) ON(watcher)
{
    struct server **at = &k->servers;

    if (--s->n_follows > 0) {
        return;
    }
    if (s->scout != NULL) {
        free_follow(s->scout);
    }
    while (*at != s) {
        at = &(*at)->next;
    }
    *at = s->next;
    kubecluster_free(&s->cluster);
    mem_free_span(&s->key);
    mem_free(s);
}

static struct follow *new_follow(struct kubewatch *k, struct server *server,
                                 const struct ask_kube *ask, struct span key)
{
    static const struct kubefollow_hooks hooks = { told, reached };
    const struct kubefollow_place place = { k->client, k->tokens, server->cluster, k->user_agent };
    struct follow *f = mem_zalloc(sizeof(*f));

    kubefollow_init(&f->base, ask, hash_mix(++k->seed), &place, &hooks);
    f->owner = k;
    f->key = mem_dup_span(key);
    f->server = server;
    f->next = k->follows;
    k->follows = f;
    return f;
}

/* Sees resources come; started when one is not there. Without the right to, they are asked for each
 * minute. */
static void scout(struct kubewatch *k, struct server *s)
{
    const struct ask_kube definitions = { .group = SPAN_LIT("apiextensions.k8s.io"),
                                          .version = SPAN_LIT("v1"),
                                          .resource = SPAN_LIT("customresourcedefinitions"),
                                          .kind = SPAN_LIT("CustomResourceDefinition"),
                                          .is_metadata = true };

    if (s->scout == NULL) {
        s->scout = new_follow(k, s, &definitions, SPAN_LIT(""));
        s->scout->base.is_optional = true;
    }
}

static void end_follow(struct follow *f) ON(watcher)
{
    struct kubewatch *k = f->owner;
    struct server *server = f->server;

    free_follow(f);
    release_server(k, server);
}

static struct follow *find_follow(const struct kubewatch *k, struct span key)
{
    struct follow *f = k->follows;

    while (f != NULL && !span_eq(f->key, key)) {
        f = f->next;
    }
    return f;
}

/* ---- wants */

static void refresh(struct source_want *w, int64_t now_ms) ON(watcher)
{
    kubefollow_relist(&subscriber_of(w)->follow->base, now_ms);
}

static struct source_want *add(struct carrier_source *source, struct want *want, int64_t now_ms)
    ON(watcher)
{
    struct kubewatch *k = CONTAINER_OF(source, struct kubewatch, base);
    struct subscriber *s = mem_zalloc(sizeof(*s));
    struct ask ask = want->ask;
    AUTO_BUF key;

    source_keep(source, &s->base, want);
    buf_init(&key, MIB);
    ask.refresh_ms = 0; /* nothing to us, and what is made of it neither */
    ask.digest_by = (struct span){ 0 };
    ask_key(&ask, &key);
    s->follow = find_follow(k, buf_span(&key));
    if (s->follow == NULL) {
        struct server *server = need_server(k, &want->ask.kube);
        server->n_follows++;
        s->follow = new_follow(k, server, &want->ask.kube, buf_span(&key));
    } else {
        kubefollow_relist(&s->follow->base, now_ms);
    }
    s->next = s->follow->subscribers;
    s->follow->subscribers = s;
    return &s->base;
}

static void redeliver(struct source_want *w)
{
    (void)w; /* an object that could not be read stays as it was, until it changes */
}

static void cancel(struct source_want *w) ON(watcher)
{
    struct subscriber *s = subscriber_of(w), **at = &s->follow->subscribers;

    while (*at != s) {
        at = &(*at)->next;
    }
    *at = s->next;
    if (s->follow->subscribers == NULL) {
        end_follow(s->follow);
    }
    source_forget(w);
    mem_free(s);
}

static void free_all(struct carrier_source *source) ON(watcher)
{
    struct kubewatch *k = CONTAINER_OF(source, struct kubewatch, base);

    assert(k->follows == NULL && k->servers == NULL);
    oauth2_free(&k->tokens);
    mem_free(k);
}

struct carrier_source *kubewatch_new(struct http_client *client,
                                     const struct kubeconfig_places *places, const char *user_agent)
{
    static const struct source_ops ops = {
        .carrier = CARRIER_KUBE,
        .add = add,
        .refresh = refresh,
        .redeliver = redeliver,
        .cancel = cancel,
        .deadline_ms = deadline_ms,
        .tick = tick,
        .free = free_all,
    };
    struct kubewatch *k = mem_zalloc(sizeof(*k));

    k->base.ops = &ops;
    k->client = client;
    k->tokens = oauth2_new(client);
    k->places = *places;
    k->user_agent = user_agent;
    k->seed = (uint64_t)clock_wall_ms(); /* replicas shall not go in step */
    return &k->base;
}

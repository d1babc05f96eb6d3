/* A reflector beside a model of an API server: objects come, change, are replaced and go; answers
 * come in pieces of any size, are cut anywhere or never come; versions are compacted, the kind goes
 * and comes back, the store is restored from a backup. Whatever the history, once the server is
 * well the consumer knows just what the server has; and at no time before does it lose an object
 * that was there all along. */
#include "allocator/kube/reflector.h"

#include "allocator/base/limits.h"
#include "tests/check.h"
#include "tests/fake/objectset.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAMES = 12, EVENTS = 4000, RUNS = 150, TURNS = 60 };

struct thing {
    bool is_there;
    unsigned uid, version;
};

struct change {
    unsigned version;
    const char *type;
    unsigned name;
    struct thing state;
};

struct world {
    struct thing things[NAMES];
    struct change log[EVENTS];
    size_t n_log;
    unsigned version, oldest; /* versions from 'oldest' on can be watched */
    unsigned last_uid;
    bool is_kind_there;
    uint64_t seed;

    struct reflector *r;
    struct objectset set;
    int64_t now;
    struct buf body;
};

static unsigned chance(struct world *w, unsigned n)
{
    w->seed = w->seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)((w->seed >> 33) % n);
}

/* ---- the server */

static void note(struct world *w, const char *type, unsigned name)
{
    if (w->n_log < EVENTS) {
        w->log[w->n_log++] = (struct change){ w->version, type, name, w->things[name] };
    }
}

static void change_something(struct world *w)
{
    unsigned name = 1 + chance(w, NAMES - 1); /* number 0 is there all along */
    struct thing *t = &w->things[name];

    if (!w->is_kind_there) {
        return;
    }
    w->version += 1 + chance(w, 3);
    if (!t->is_there) {
        *t = (struct thing){ true, ++w->last_uid, w->version };
        note(w, "ADDED", name);
    } else if (chance(w, 3) == 0) {
        t->version = w->version; /* an object goes with the version of its going */
        note(w, "DELETED", name);
        t->is_there = false;
    } else {
        t->version = w->version;
        note(w, "MODIFIED", name);
    }
}

static void add_object(struct world *w, const char *kind, unsigned name, const struct thing *t)
{
    buf_addf(&w->body,
             "{%s\"metadata\":{\"name\":\"n%u\",\"namespace\":\"d\",\"uid\":\"%u\","
             "\"resourceVersion\":\"%u\",\"managedFields\":[{\"f:\\\"}\":{}}]},\"spec\":{\"v\":"
             "\"{%u\"}}",
             kind, name, t->uid, t->version, t->version);
}

static void write_list(struct world *w, bool is_behind)
{
    bool is_first = true;

    buf_clear(&w->body);
    buf_add_str(&w->body, "{\"kind\":\"PodList\",");
    for (int pass = 0; pass < 2; pass++) {
        if ((pass == 1) == is_behind) {
            buf_addf(&w->body, "%s\"metadata\":{\"resourceVersion\":\"%u\"}", pass == 1 ? "," : "",
                     w->version);
            continue;
        }
        buf_addf(&w->body, "%s\"items\":[", pass == 1 ? "," : "");
        for (unsigned i = 0; i < NAMES; i++) {
            if (w->things[i].is_there) {
                buf_add_str(&w->body, is_first ? "" : ",");
                add_object(w, "", i, &w->things[i]);
                is_first = false;
            }
        }
        buf_add_char(&w->body, ']');
    }
    buf_add_str(&w->body, "}\n");
}

static void write_watch(struct world *w, unsigned from)
{
    buf_clear(&w->body);
    if (from < w->oldest) {
        buf_add_str(&w->body, "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,"
                              "\"reason\":\"Expired\"}}\n");
        return;
    }
    for (size_t i = 0; i < w->n_log; i++) {
        if (w->log[i].version > from) {
            buf_addf(&w->body, "{\"type\":\"%s\",\"object\":", w->log[i].type);
            add_object(w, "\"kind\":\"Pod\",", w->log[i].name, &w->log[i].state);
            buf_add_str(&w->body, "}\n");
        }
    }
    if (chance(w, 3) == 0) {
        buf_addf(&w->body,
                 "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Pod\",\"metadata\":{"
                 "\"resourceVersion\":\"%u\"}}}\n",
                 w->version > from ? w->version : from);
    }
}

static unsigned number_after(struct span target, const char *name)
{
    const char *at = memmem(target.p, target.len, name, strlen(name));

    return at == NULL ? 0 : (unsigned)strtoul(at + strlen(name), NULL, 10);
}

/* What the server has to say; the status. */
static int respond(struct world *w, const struct reflector_request *request)
{
    unsigned version = number_after(request->target, "resourceVersion=");

    if (request->stage == REFLECTOR_LOOK) {
        buf_clear(&w->body);
        buf_addf(&w->body, "{\"resources\":[%s]}", w->is_kind_there ? "{\"name\":\"pods\"}" : "");
        return 200;
    }
    buf_clear(&w->body);
    if (!w->is_kind_there) {
        buf_add_str(&w->body, "404 page not found\n");
        return 404;
    }
    if (version > w->version && request->stage != REFLECTOR_WATCH) {
        buf_add_str(&w->body, "{\"kind\":\"Status\",\"details\":{\"causes\":[{\"reason\":"
                              "\"ResourceVersionTooLarge\"}]},\"code\":504}");
        return 504;
    }
    if (request->stage == REFLECTOR_WATCH) {
        write_watch(w, version);
    } else {
        write_list(w, chance(w, 2) == 0);
    }
    return 200;
}

/* ---- between them */

static bool knows(struct world *w, const char *key)
{
    return objectset_find(&w->set, key) != NULL;
}

static void pass_on(struct world *w, int status, size_t n_bytes, enum transfer_end how)
{
    struct span all = span_make(w->body.p, n_bytes);

    reflector_head(w->r, status, 0);
    while (all.len > 0) {
        size_t n = 1 + chance(w, 200);
        n = n > all.len ? all.len : n;
        if (!reflector_piece(w->r, span_make(all.p, n))) {
            how = TRANSFER_STOPPED;
            break;
        }
        if (chance(w, 4) == 0) {
            objectset_take(&w->set, reflector_take(w->r));
        }
        all = span_from(all, n);
    }
    reflector_end(w->r, how, NULL, w->now);
    objectset_take(&w->set, reflector_take(w->r));
}

static void one_exchange(struct world *w, bool is_well)
{
    struct reflector_request request;
    int64_t due = reflector_deadline_ms(w->r);

    w->now = due > w->now ? due : w->now;
    if (!reflector_next(w->r, w->now, &request)) {
        abort();
    }
    int status = respond(w, &request);
    unsigned luck = is_well ? 99 : chance(w, 20);
    w->now += request.is_watch ? 2000 : 10;
    if (luck == 0) {
        reflector_end(w->r, TRANSFER_REFUSED, NULL, w->now);
    } else if (luck == 1) {
        buf_clear(&w->body);
        buf_add_str(&w->body, "busy");
        pass_on(w, chance(w, 2) == 0 ? 429 : 503, w->body.len, TRANSFER_COMPLETE);
    } else if (luck < 6) {
        pass_on(w, status, chance(w, (unsigned)w->body.len + 1),
                luck == 2 ? TRANSFER_COMPLETE : TRANSFER_CUT);
    } else if (luck == 6) {
        reflector_head(w->r, 200, 0);
        if (reflector_refresh(w->r, w->now)) {
            reflector_end(w->r, TRANSFER_STOPPED, NULL, w->now);
        }
    } else {
        pass_on(w, status, w->body.len, TRANSFER_COMPLETE);
    }
    objectset_take(&w->set, reflector_take(w->r));
}

/* The state of some time ago, and its version: nothing that came later was. */
static void restore(struct world *w, const struct world *backup)
{
    memcpy(w->things, backup->things, sizeof(w->things));
    memcpy(w->log, backup->log, sizeof(w->log));
    w->n_log = backup->n_log;
    w->version = backup->version;
    w->oldest = backup->version;
}

static bool is_equal(struct world *w)
{
    size_t n = 0;

    for (unsigned i = 0; i < NAMES; i++) {
        AUTO_STR key = mem_printf("d/n%u", i);
        const struct objectset_item *item = objectset_find(&w->set, key);
        AUTO_STR version = mem_printf("%u", w->things[i].version);
        bool is_there = w->things[i].is_there && w->is_kind_there;
        if ((item != NULL) != is_there || (is_there && strcmp(item->version, version) != 0)) {
            return false;
        }
        n += is_there;
    }
    return n == w->set.items.n;
}

static void one_run(uint64_t seed)
{
    static struct world w, backup;
    bool is_first_known = false, is_always_known = true, was_kind_there = true;
    const struct reflector_options options = { 10000, 1000000, 0, seed };

    memset(&w, 0, sizeof(w));
    w.seed = seed;
    w.version = w.oldest = 100;
    w.is_kind_there = true;
    w.now = 1000;
    w.things[0] = (struct thing){ true, ++w.last_uid, 50 };
    buf_init(&w.body, MIB);
    objectset_init(&w.set);
    w.r = reflector_new(&(struct reflector_want){ .version = SPAN_LIT("v1"),
                                                  .resource = SPAN_LIT("pods"),
                                                  .kind = SPAN_LIT("Pod") },
                        &options);
    backup = w;
    for (unsigned turn = 0; turn < TURNS; turn++) {
        for (unsigned n = chance(&w, 6); n > 0; n--) {
            change_something(&w);
        }
        unsigned luck = chance(&w, 60);
        if (luck == 0) {
            w.oldest = w.version - chance(&w, 3);
        } else if (luck == 1) {
            backup = w;
        } else if (luck == 2 && backup.version < w.version) {
            restore(&w, &backup);
            w.now += 3600000;
        } else if (luck == 3) {
            w.is_kind_there = !w.is_kind_there;
            was_kind_there &= w.is_kind_there;
        }
        one_exchange(&w, false);
        is_first_known |= knows(&w, "d/n0");
        is_always_known &= knows(&w, "d/n0") || !is_first_known || !was_kind_there;
    }
    w.now += 3600000; /* a probe, should the store have been restored */
    unsigned n = 0;
    for (; n < 40 && !(is_equal(&w) && n > 6); n++) {
        one_exchange(&w, true);
    }
    ok(is_equal(&w), "seed %llu: what is known is what there is, after %u exchanges",
       (unsigned long long)seed, n);
    ok(is_always_known, "seed %llu: what is there all along is always known",
       (unsigned long long)seed);
    ok(w.set.n_begun == w.set.n_committed + w.set.n_dropped + w.set.is_listing,
       "every list has an end");
    reflector_free(&w.r);
    objectset_fini(&w.set);
    buf_fini(&w.body);
}

int main(void)
{
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        one_run(seed);
    }
    return check_done();
}

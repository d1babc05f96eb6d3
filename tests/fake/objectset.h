/* A consumer of objectbatch.h that does just what its contract says, and checks that the other side
 * keeps it too. Threads: belongs to one thread. */
#ifndef OTEL_TA_TESTS_FAKE_OBJECTSET_H
#define OTEL_TA_TESTS_FAKE_OBJECTSET_H

#include "allocator/kube/objectbatch.h"
#include "allocator/kube/objecthead.h"
#include "tests/check.h"

#include <stdlib.h>

struct objectset_item {
    char *key, *version, *object;
};

struct objectset {
    VEC(struct objectset_item) items; /* what is known, in no order */
    VEC(struct objectset_item) aside; /* by the list under way; object NULL: it is gone */
    bool is_listing, is_synced;
    unsigned n_set, n_gone, n_begun, n_committed, n_dropped;
    struct buf log; /* "+key@version", "-key", "[", "]", "!", with spaces between them */
};

static inline void objectset_init(struct objectset *s)
{
    memset(s, 0, sizeof(*s));
    buf_init(&s->log, 64 << 20);
}

static inline void objectset_drop_item(struct objectset_item *i)
{
    mem_free(i->key);
    mem_free(i->version);
    mem_free(i->object);
}

static inline struct objectset_item *objectset_find(struct objectset *s, const char *key)
{
    vec_each(&s->items, i) {
        if (strcmp(i->key, key) == 0) {
            return i;
        }
    }
    return NULL;
}

/* Moves 'news' in. Who joins may be told that something went that it never knew. */
static inline void objectset_apply(struct objectset *s, struct objectset_item *news, bool is_new)
{
    struct objectset_item *known = objectset_find(s, news->key);

    if (known != NULL) {
        objectset_drop_item(known);
        *known = s->items.v[--s->items.n];
    }
    if (news->object != NULL) {
        *vec_push(&s->items) = *news;
    } else {
        ok(known != NULL || is_new, "%s was known before it went", news->key);
        objectset_drop_item(news);
    }
}

static inline void objectset_end_list(struct objectset *s, bool is_commit)
{
    ok(s->is_listing, "a list was begun");
    const bool was_synced = s->is_synced;
    s->is_listing = false;
    s->is_synced |= is_commit;
    vec_each(&s->aside, i) {
        if (is_commit) {
            objectset_apply(s, i, !was_synced);
        } else {
            objectset_drop_item(i);
        }
    }
    s->aside.n = 0;
}

static inline void objectset_note(struct objectset *s, const struct objectevent *e)
{
    struct objectset_item item = { .key = mem_strndup(e->key.p, e->key.len) };

    if (e->kind == OBJECT_SET) {
        struct objecthead head = { 0 };
        item.version = mem_strndup(e->version.p, e->version.len);
        item.object = mem_strndup(e->object.p, e->object.len);
        int rc = objecthead_read(e->object, false, &head, NULL);
        AUTO_STR key = mem_printf("%.*s%s%.*s", SPAN_ARG(head.namespace),
                                  head.namespace.len > 0 ? "/" : "", SPAN_ARG(head.name));
        ok(rc == 0 && span_eq(head.version, e->version) && span_is(e->key, key) &&
               head.unread.len == 0,
           "%s: object and event agree", item.key);
        s->n_set++;
        buf_addf(&s->log, "+%s@%s ", item.key, item.version);
    } else {
        s->n_gone++;
        buf_addf(&s->log, "-%s ", item.key);
    }
    if (s->is_listing) {
        *vec_push(&s->aside) = item;
    } else {
        ok(s->is_synced, "nothing is told before the first list");
        objectset_apply(s, &item, false);
    }
}

static inline void objectset_take_event(struct objectset *s, const struct objectevent *e)
{
    switch (e->kind) {
    case OBJECTS_BEGIN:
        ok(!s->is_listing, "lists do not nest");
        s->is_listing = true;
        s->n_begun++;
        buf_add_str(&s->log, "[ ");
        break;
    case OBJECTS_COMMIT:
        s->n_committed++;
        objectset_end_list(s, true);
        buf_add_str(&s->log, "] ");
        break;
    case OBJECTS_DROP:
        s->n_dropped++;
        objectset_end_list(s, false);
        buf_add_str(&s->log, "! ");
        break;
    case OBJECT_SET:
    case OBJECT_GONE:
        objectset_note(s, e);
    }
}

/* Takes the batch; NULL is fine. */
static inline void objectset_take(struct objectset *s, struct objectbatch *batch)
{
    for (size_t i = 0; batch != NULL && i < objectbatch_count(batch); i++) {
        struct objectevent e = objectbatch_at(batch, i);
        objectset_take_event(s, &e);
    }
    objectbatch_free(&batch);
}

/* What was told since the last call, without the last space. */
static inline struct span objectset_log(struct objectset *s)
{
    static char text[8192];
    size_t n = s->log.len > 0 ? s->log.len - 1 : 0;

    n = n < sizeof(text) - 1 ? n : sizeof(text) - 1;
    if (n > 0) {
        memcpy(text, s->log.p, n);
    }
    text[n] = '\0';
    buf_clear(&s->log);
    return span_make(text, n);
}

static inline void objectset_fini(struct objectset *s)
{
    vec_each(&s->items, i) {
        objectset_drop_item(i);
    }
    vec_each(&s->aside, i) {
        objectset_drop_item(i);
    }
    vec_fini(&s->items);
    vec_fini(&s->aside);
    buf_fini(&s->log);
}

#endif

#include "allocator/watch/carriers.h"

#include "allocator/base/container.h"
#include "allocator/base/hash.h"

#include <assert.h>

void carriers_init(struct carriers *c)
{
    *c = (struct carriers){ 0 };
    table_init(&c->wants);
}

void carriers_put(struct carriers *c, struct carrier_source *source)
{
    assert(c->n < CARRIERS_MAX);
    c->sources[c->n++] = source;
}

void carriers_connect(struct carriers *c, struct mailbox *engine)
{
    for (size_t i = 0; i < c->n; i++) {
        c->sources[i]->engine = engine;
    }
}

static bool is_id(const struct table_node *node, const void *key)
{
    return CONTAINER_OF(node, struct source_want, node)->want->id == *(const uint64_t *)key;
}

static void add(struct carriers *c, struct want *want, int64_t now_ms)
{
    size_t i = 0;

    while (i < c->n && c->sources[i]->ops->carrier != want->ask.carrier) {
        i++;
    }
    assert(i < c->n); /* there is one for each carrier that an ask can name */
    struct source_want *w = c->sources[i]->ops->add(c->sources[i], want, now_ms);
    table_put(&c->wants, &w->node, hash_mix(want->id));
}

static void change(struct carriers *c, const struct want_change *change, int64_t now_ms)
{
    struct table_node *node = table_find(&c->wants, hash_mix(change->id), is_id, &change->id);

    if (node == NULL) {
        return;
    }
    struct source_want *w = CONTAINER_OF(node, struct source_want, node);
    if (change->mail.kind == WATCHER_WANT_REFRESH) {
        w->source->ops->refresh(w, now_ms);
    } else if (change->mail.kind == WATCHER_WANT_REDELIVER) {
        w->source->ops->redeliver(w);
    } else {
        table_del(&c->wants, node);
        w->source->ops->cancel(w);
    }
}

bool carriers_take(struct carriers *c, struct mail *mail, int64_t now_ms)
{
    switch (mail->kind) {
    case WATCHER_WANT_ADD:
        add(c, CONTAINER_OF(mail, struct want, mail), now_ms);
        return true;
    case WATCHER_WANT_REFRESH:
    case WATCHER_WANT_REDELIVER:
    case WATCHER_WANT_CANCEL:
        change(c, CONTAINER_OF(mail, struct want_change, mail), now_ms);
        mail->dispose(mail);
        return true;
    default:
        return false;
    }
}

int64_t carriers_deadline_ms(const struct carriers *c)
{
    int64_t first = INT64_MAX;

    for (size_t i = 0; i < c->n; i++) {
        int64_t deadline = c->sources[i]->ops->deadline_ms(c->sources[i]);
        first = deadline < first ? deadline : first;
    }
    return first;
}

void carriers_tick(struct carriers *c, int64_t now_ms)
{
    for (size_t i = 0; i < c->n; i++) {
        c->sources[i]->ops->tick(c->sources[i], now_ms);
    }
}

void carriers_fini(struct carriers *c)
{
    for (size_t i = 0; i < c->n; i++) {
        struct carrier_source *source = c->sources[i];
        while (source->wants != NULL) {
            table_del(&c->wants, &source->wants->node);
            source->ops->cancel(source->wants);
        }
        source->ops->free(source);
    }
    c->n = 0;
    table_fini(&c->wants);
}

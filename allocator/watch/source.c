#include "allocator/watch/source.h"

void source_keep(struct carrier_source *s, struct source_want *w, struct want *want)
{
    w->source = s;
    w->want = want;
    w->prev = NULL;
    w->next = s->wants;
    if (s->wants != NULL) {
        s->wants->prev = w;
    }
    s->wants = w;
}

void source_forget(struct source_want *w)
{
    if (w->prev != NULL) {
        w->prev->next = w->next;
    } else {
        w->source->wants = w->next;
    }
    if (w->next != NULL) {
        w->next->prev = w->prev;
    }
    want_free(&w->want);
}

void source_tell(const struct source_want *w, enum arrival_status status, const char *name,
                 char *body, size_t len)
{
    struct arrival *a = arrival_new(w->want->id, status, name);

    a->body = body;
    a->body_len = len;
    arrival_post(a, w->source->engine);
}

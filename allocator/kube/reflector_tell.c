#include "allocator/kube/reflector_state.h"

#include <stdarg.h>
#include <stdio.h>

void reflector_say(struct reflector *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(r->problem, sizeof(r->problem), fmt, ap);
    va_end(ap);
}

bool reflector_give_up(struct reflector *r, enum reflector_outcome outcome)
{
    objectdraft_forget_rest(&r->draft);
    r->decided = (int)outcome;
    return false;
}

bool reflector_cannot_read(struct reflector *r, const char *why)
{
    reflector_say(r, "the answer cannot be read: %s", why);
    return reflector_give_up(r, OUTCOME_UNREADABLE);
}

/* ---- objects */

void reflector_know(struct reflector_known *k, const struct objecthead *head)
{
    arena_init(&k->arena);
    k->key = head->namespace.len == 0
                 ? arena_span(&k->arena, head->name)
                 : span_of(arena_printf(&k->arena, "%.*s/%.*s", SPAN_ARG(head->namespace),
                                        SPAN_ARG(head->name)));
    k->version = arena_span(&k->arena, head->version);
    k->mark = objectmark_of(head);
}

/* What nobody reads is cut out of the object, the last 'len' bytes of the draft. */
static size_t cut(struct reflector *r, size_t len, struct span unread)
{
    struct buf *text = &r->draft.text;

    if (unread.len > 0) {
        char *at = text->p + (unread.p - text->p);
        memmove(at, at + unread.len, (size_t)(text->p + text->len - (at + unread.len)));
        text->len -= unread.len;
    }
    return len - unread.len;
}

void reflector_tell_begin(struct reflector *r)
{
    if (!r->has_begun) {
        r->has_begun = true;
        objectdraft_mark(&r->draft, OBJECTS_BEGIN);
    }
}

/* The object stands at the end of the draft. */
void reflector_tell(struct reflector *r, const struct objecthead *head, size_t len, bool is_list)
{
    struct reflector_known k;

    reflector_know(&k, head);
    enum objectindex_news news = objectindex_note(&r->index, k.key, k.mark);
    if (news == OBJECT_IS_OLDER || (news == OBJECT_IS_SAME && !(is_list && r->is_whole))) {
        objectdraft_forget_rest(&r->draft);
        arena_fini(&k.arena);
        return;
    }
    if (is_list) {
        reflector_tell_begin(r);
    }
    len = cut(r, len, head->unread);
    if (news == OBJECT_IS_REPLACED) {
        objectdraft_replace(&r->draft, len, k.key, k.version);
    } else {
        objectdraft_add(&r->draft, OBJECT_SET, len, k.key, k.version);
    }
    r->n_events++;
    arena_fini(&k.arena);
}

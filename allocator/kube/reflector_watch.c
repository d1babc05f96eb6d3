#include "allocator/kube/reflector_state.h"

enum { ODD_TYPE = 1, ODD_KIND = 2, ODD_NAME = 4 };

static void pass_over(struct reflector *r, unsigned kind, const char *what)
{
    objectdraft_forget_rest(&r->draft);
    if ((r->oddities & kind) == 0) {
        r->oddities |= kind;
        r->oddity = what;
    }
}

static bool is_kind(const struct reflector *r, struct span kind)
{
    return span_eq(kind, r->want.kind) ||
           (r->want.is_metadata && span_is(kind, "PartialObjectMetadata"));
}

/* The object's text becomes all that stands behind the rows. */
static void keep_object(struct reflector *r, struct objecthead *head, struct span object)
{
    struct buf *text = &r->draft.text;
    char *to = text->p + r->draft.used;
    const ptrdiff_t shift = object.p - to;
    struct span *spans[] = { &head->kind, &head->namespace, &head->name,
                             &head->uid,  &head->version,   &head->unread };

    memmove(to, object.p, object.len);
    text->len = r->draft.used + object.len;
    for (size_t i = 0; i < COUNT(spans); i++) {
        spans[i]->p -= spans[i]->len > 0 ? shift : 0;
    }
}

static void take_deleted(struct reflector *r, const struct objecthead *head)
{
    struct reflector_known k;

    reflector_know(&k, head);
    objectdraft_forget_rest(&r->draft);
    if (objectindex_remove(&r->index, k.key, k.mark)) {
        objectdraft_add(&r->draft, OBJECT_GONE, 0, k.key, SPAN_LIT(""));
        r->n_events++;
    }
    arena_fini(&k.arena);
}

static void take_event(struct reflector *r, const struct watchline *line, struct objecthead *head)
{
    bool is_deleted = span_is(line->type, "DELETED");

    if (span_is(line->type, "BOOKMARK")) {
        objectdraft_forget_rest(&r->draft);
    } else if (!is_deleted && !span_is(line->type, "ADDED") && !span_is(line->type, "MODIFIED")) {
        pass_over(r, ODD_TYPE, "an event of a type that is not known");
    } else if (!is_kind(r, head->kind)) {
        pass_over(r, ODD_KIND, "an event with an object of another kind");
    } else if (head->name.len == 0) {
        pass_over(r, ODD_NAME, "an event with an object that has no name");
    } else if (is_deleted) {
        take_deleted(r, head);
    } else {
        keep_object(r, head, line->object);
        reflector_tell(r, head, line->object.len, false);
    }
}

/* An ERROR event ends the watch. */
static bool take_error(struct reflector *r, struct span object)
{
    struct kubestatus status;
    struct arena arena;

    arena_init(&arena);
    kubestatus_read(object, &arena, &status);
    reflector_say(r, "the watch ended with an error: %.*s", SPAN_ARG(status.message));
    r->retry_after_s = status.retry_after_s;
    bool is_expired =
        status.code == 410 || span_is(status.reason, "Expired") || span_is(status.reason, "Gone");
    enum reflector_outcome outcome = status.is_version_new ? OUTCOME_TOO_NEW
                                     : is_expired          ? OUTCOME_GONE
                                     : status.code == 429  ? OUTCOME_BUSY
                                                           : OUTCOME_DOWN;
    arena_fini(&arena);
    return reflector_give_up(r, outcome);
}

/* The line stands behind the rows of the draft, without its end. */
static bool take_line(struct reflector *r)
{
    const struct span text = { r->draft.text.p + r->draft.used, r->draft.text.len - r->draft.used };
    struct watchline line;
    struct objecthead head;
    struct err err;

    if (span_trim(text).len == 0) {
        objectdraft_forget_rest(&r->draft);
        return true;
    }
    if (watchline_read(text, &line, &err) < 0) {
        return reflector_cannot_read(r, err.text);
    }
    if (span_is(line.type, "ERROR")) {
        return take_error(r, line.object);
    }
    if (objecthead_read(line.object, true, &head, &err) < 0) {
        return reflector_cannot_read(r, err.text);
    }
    if (head.version.len > 0) {
        buf_clear(&r->last);
        buf_add_span(&r->last, head.version);
    }
    r->n_lines++;
    take_event(r, &line, &head);
    return true;
}

bool reflector_watch_piece(struct reflector *r, struct span piece)
{
    struct buf *text = &r->draft.text;

    while (piece.len > 0) {
        const char *end = memchr(piece.p, '\n', piece.len);
        size_t n = end == NULL ? piece.len : (size_t)(end - piece.p);
        if (n > r->options.max_object_bytes - (text->len - r->draft.used)) {
            return reflector_cannot_read(r, "an event is larger than the limit");
        }
        buf_add(text, piece.p, n);
        if (end == NULL) {
            return true;
        }
        piece = span_from(piece, n + 1);
        if (!take_line(r)) {
            return false;
        }
    }
    return true;
}

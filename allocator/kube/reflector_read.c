#include "allocator/codec/jsonscan.h"
#include "allocator/kube/reflector_state.h"

#define MAX_AROUND (256 * KIB) /* of a list, without its items */
#define MAX_SAID (1 * MIB)     /* of an answer that is no list */

void reflector_read_begin(struct reflector *r)
{
    objectdraft_forget_rest(&r->draft);
    buf_clear(&r->said);
    listframe_fini(&r->frame);
    listframe_init(&r->frame, r->options.max_object_bytes, MAX_AROUND);
}

bool reflector_read_piece(struct reflector *r, struct span piece)
{
    r->n_bytes += piece.len;
    if (r->status == 200 && r->stage == REFLECTOR_LIST) {
        return reflector_list_piece(r, piece);
    }
    if (r->status == 200 && r->stage == REFLECTOR_WATCH) {
        return reflector_watch_piece(r, piece);
    }
    if (r->status == 200 && r->stage == REFLECTOR_PROBE) {
        return true; /* that it came is all */
    }
    buf_add_span(&r->said, piece);
    return buf_error(&r->said) == 0 || reflector_cannot_read(r, "it is larger than the limit");
}

/* Is our resource one of an APIResourceList? */
static enum reflector_outcome end_look(struct reflector *r)
{
    struct json_token t;
    struct jsonscan s;
    bool is_there = false;
    enum json_event e;
    bool is_name = false;

    jsonscan_init(&s, buf_span(&r->said), REFLECTOR_MAX_DEPTH);
    while ((e = jsonscan_next(&s, &t)) != JSON_DONE && e != JSON_FAULT) {
        is_there |= is_name && e == JSON_TEXT && span_eq(t.raw, r->want.resource);
        is_name = e == JSON_KEY && s.depth == 3 && span_is(t.raw, "name");
    }
    if (e == JSON_FAULT) {
        reflector_say(r, "the list of resources cannot be read");
        return OUTCOME_UNREADABLE;
    }
    return is_there ? OUTCOME_DONE : OUTCOME_ABSENT;
}

enum reflector_outcome reflector_read_end(struct reflector *r)
{
    return r->stage == REFLECTOR_LOOK   ? end_look(r)
           : r->stage == REFLECTOR_LIST ? reflector_list_end(r)
                                        : OUTCOME_DONE;
}

static enum reflector_outcome outcome_of_404(const struct reflector *r)
{
    return r->stage == REFLECTOR_LOOK || r->index.n == 0 ? OUTCOME_ABSENT : OUTCOME_MISSING;
}

enum reflector_outcome reflector_read_refusal(struct reflector *r)
{
    struct kubestatus status;
    struct arena arena;

    arena_init(&arena);
    kubestatus_read(buf_span(&r->said), &arena, &status);
    if (status.message.len == 0) {
        status.message = span_trim(buf_span(&r->said));
        status.message.len = status.message.len > 120 ? 120 : status.message.len;
    }
    reflector_say(r, "the server answered %d: %.*s", r->status, SPAN_ARG(status.message));
    if (r->retry_after_s == 0) {
        r->retry_after_s = status.retry_after_s;
    }
    bool is_version_new = status.is_version_new;
    arena_fini(&arena);
    if (is_version_new) {
        return OUTCOME_TOO_NEW;
    }
    switch (r->status) {
    case 410:
        return OUTCOME_GONE;
    case 429:
        return OUTCOME_BUSY;
    case 401:
        return OUTCOME_UNAUTHORIZED;
    case 403:
        return OUTCOME_FORBIDDEN;
    case 404:
        return outcome_of_404(r);
    case 400:
    case 405:
    case 406:
    case 415:
    case 422:
        return OUTCOME_REJECTED;
    default:
        return OUTCOME_DOWN;
    }
}

#include "allocator/codec/jsonscan.h"
#include "allocator/kube/reflector_state.h"

static bool take_item(struct reflector *r)
{
    struct objecthead head;
    struct err err;

    const struct span object = { r->draft.text.p + r->draft.used, r->frame.item_len };
    if (objecthead_read(object, false, &head, &err) < 0) {
        return reflector_cannot_read(r, err.text);
    }
    if (head.name.len == 0) {
        return reflector_cannot_read(r, "an object has no name");
    }
    reflector_tell(r, &head, object.len, true);
    return true;
}

bool reflector_list_piece(struct reflector *r, struct span piece)
{
    enum listframe_event e;

    if (r->n_bytes > r->options.max_list_bytes) {
        return reflector_cannot_read(r, "the list is larger than the limit");
    }
    while ((e = listframe_feed(&r->frame, &piece, &r->draft.text)) == LISTFRAME_ITEM) {
        if (!take_item(r)) {
            return false;
        }
    }
    return e != LISTFRAME_FAULT || reflector_cannot_read(r, r->frame.error);
}

struct around {
    bool has_items, is_status;
    struct span version, next_page;
};

static void read_list_metadata(struct jsonscan *s, struct arena *arena, struct around *out)
{
    struct json_token key, value;

    while (jsonscan_next(s, &key) == JSON_KEY) {
        bool is_version = span_is(key.raw, "resourceVersion");
        if (!is_version && !span_is(key.raw, "continue")) {
            (void)jsonscan_skip(s, NULL);
        } else if (jsonscan_next(s, &value) == JSON_TEXT) {
            *(is_version ? &out->version : &out->next_page) = jsonscan_unescape(value.raw, arena);
        }
    }
}

static bool read_around(struct span text, struct arena *arena, struct around *out)
{
    struct json_token key, value;
    enum json_event e;
    struct jsonscan s;

    *out = (struct around){ .has_items = false };
    jsonscan_init(&s, text, REFLECTOR_MAX_DEPTH);
    (void)jsonscan_next(&s, &key);
    while ((e = jsonscan_next(&s, &key)) == JSON_KEY) {
        e = jsonscan_next(&s, &value);
        if (span_is(key.raw, "metadata") && e == JSON_BEGIN_OBJECT) {
            read_list_metadata(&s, arena, out);
            continue;
        }
        if (span_is(key.raw, "items")) {
            out->has_items = e == JSON_BEGIN_ARRAY || e == JSON_NULL_VALUE;
        }
        out->is_status |=
            span_is(key.raw, "kind") && e == JSON_TEXT && span_is(value.raw, "Status");
        if (e == JSON_BEGIN_OBJECT || e == JSON_BEGIN_ARRAY) {
            (void)jsonscan_skip(&s, NULL);
        }
    }
    return e == JSON_END_OBJECT && jsonscan_next(&s, &key) == JSON_DONE;
}

static enum reflector_outcome look_at_end(struct reflector *r, struct arena *arena)
{
    struct around around;

    if (!listframe_is_complete(&r->frame)) {
        reflector_say(r, "the list ends too early");
        return OUTCOME_CUT;
    }
    if (!read_around(buf_span(&r->frame.around), arena, &around) || !around.has_items ||
        around.is_status || around.version.len == 0) {
        reflector_say(r, "the answer is not a list of objects");
        return OUTCOME_UNREADABLE;
    }
    if (r->list_version.len == 0) {
        buf_add_span(&r->list_version, around.version);
    }
    buf_clear(&r->next_page);
    buf_add_span(&r->next_page, around.next_page);
    return OUTCOME_DONE;
}

enum reflector_outcome reflector_list_end(struct reflector *r)
{
    struct arena arena;

    arena_init(&arena);
    enum reflector_outcome outcome = look_at_end(r, &arena);
    arena_fini(&arena);
    return outcome;
}

static void tell_gone(void *arg, struct span key)
{
    struct reflector *r = arg;

    reflector_tell_begin(r);
    objectdraft_add(&r->draft, OBJECT_GONE, 0, key, SPAN_LIT(""));
    r->n_events++;
}

void reflector_list_commit(struct reflector *r)
{
    objectdraft_forget_rest(&r->draft);
    objectindex_commit(&r->index, tell_gone, r);
    if (!r->is_synced || r->is_whole) {
        reflector_tell_begin(r);
    }
    if (r->has_begun) {
        objectdraft_mark(&r->draft, OBJECTS_COMMIT);
    }
    r->has_begun = r->is_whole = false;
    r->is_synced = true;
}

void reflector_list_abort(struct reflector *r)
{
    objectdraft_forget_rest(&r->draft);
    objectindex_abort(&r->index);
    if (r->has_begun) {
        objectdraft_mark(&r->draft, OBJECTS_DROP);
    }
    r->is_whole_wanted |= r->is_whole;
    r->has_begun = r->is_whole = false;
    buf_clear(&r->next_page);
    buf_clear(&r->list_version);
}

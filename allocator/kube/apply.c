#include "allocator/kube/apply.h"

#include "allocator/codec/urlform.h"
#include "allocator/kube/status.h"

#include <assert.h>

static const struct apply_request requests[] = {
    [APPLY_CREATE] = { "POST", "application/json" },
    [APPLY_UPDATE] = { "PUT", "application/json" },
    [APPLY_FIELDS] = { "PATCH", "application/apply-patch+yaml" },
    [APPLY_FIELDS_BY_FORCE] = { "PATCH", "application/apply-patch+yaml" },
    [APPLY_MERGE] = { "PATCH", "application/merge-patch+json" },
    [APPLY_PATCH] = { "PATCH", "application/json-patch+json" },
    [APPLY_DELETE] = { "DELETE", "application/json" },
};

static void add_place(const struct apply_place *place, bool has_name, struct buf *out)
{
    buf_add_str(out, place->group.len == 0 ? "/api/" : "/apis/");
    if (place->group.len > 0) {
        urlform_escape(place->group, out);
        buf_add_char(out, '/');
    }
    urlform_escape(place->version, out);
    if (place->namespace.len > 0) {
        buf_add_str(out, "/namespaces/");
        urlform_escape(place->namespace, out);
    }
    buf_add_char(out, '/');
    urlform_escape(place->resource, out);
    if (has_name) {
        buf_add_char(out, '/');
        urlform_escape(place->name, out);
    }
}

struct apply_request apply_request(const struct apply_place *place, enum apply_verb verb,
                                   struct span manager, struct buf *target)
{
    const bool is_apply = verb == APPLY_FIELDS || verb == APPLY_FIELDS_BY_FORCE;

    assert(manager.len > 0 || !is_apply);
    assert(place->name.len > 0 || verb == APPLY_CREATE); /* else it is about the collection */
    buf_clear(target);
    add_place(place, verb != APPLY_CREATE, target);
    if (manager.len > 0 && verb != APPLY_DELETE) {
        buf_add_str(target, "?fieldManager=");
        urlform_escape(manager, target);
    }
    if (verb == APPLY_FIELDS_BY_FORCE) {
        buf_add_str(target, "&force=true");
    }
    return requests[verb];
}

/* The one fault of ours that the server calls its own. */
static bool is_unknown_field(enum apply_verb verb, const struct kubestatus *status)
{
    static const char words[] = "field not declared in schema";

    return (verb == APPLY_FIELDS || verb == APPLY_FIELDS_BY_FORCE) && status->message.len > 0 &&
           memmem(status->message.p, status->message.len, words, sizeof(words) - 1) != NULL;
}

static enum apply_answer answer_of(enum apply_verb verb, int http_status,
                                   const struct kubestatus *status)
{
    switch (http_status) {
    case 401:
        return APPLY_UNAUTHORIZED;
    case 403:
        return APPLY_FORBIDDEN;
    case 404:
        return APPLY_MISSING;
    case 409:
        if (status->is_field_taken) {
            return APPLY_TAKEN;
        }
        return verb == APPLY_CREATE ? APPLY_EXISTS : APPLY_STALE;
    case 429:
        return APPLY_BUSY;
    case 500:
        return is_unknown_field(verb, status) ? APPLY_INVALID : APPLY_DOWN;
    default:
        break;
    }
    if (http_status >= 200 && http_status < 300) {
        return APPLY_DONE;
    }
    /* 408: the server has not got it in time. */
    return http_status >= 400 && http_status < 500 && http_status != 408 ? APPLY_INVALID
                                                                         : APPLY_DOWN;
}

struct apply_result apply_result(enum apply_verb verb, int http_status, struct span body,
                                 int64_t retry_after_s, struct arena *arena)
{
    struct kubestatus status = { 0 };

    if (http_status < 200 || http_status >= 300) {
        kubestatus_read(body, arena, &status);
    }
    struct apply_result r = { .answer = answer_of(verb, http_status, &status) };
    if (r.answer != APPLY_DONE) {
        r.message = status.message.len > 0 ? status.message : body;
        r.retry_after_s =
            status.retry_after_s > retry_after_s ? status.retry_after_s : retry_after_s;
    }
    return r;
}

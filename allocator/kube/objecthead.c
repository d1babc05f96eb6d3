#include "allocator/kube/objecthead.h"

#include "allocator/codec/jsonscan.h"

static int fail(const struct jsonscan *s, struct err *err)
{
    return err_set(err, ERR_INVALID, "%s", jsonscan_error(s));
}

/* ---- metadata */

static struct span *place_of(struct objecthead *h, struct span key)
{
    return span_is(key, "name")              ? &h->name
           : span_is(key, "namespace")       ? &h->namespace
           : span_is(key, "uid")             ? &h->uid
           : span_is(key, "resourceVersion") ? &h->version
                                             : NULL;
}

/* From the key's quote to the end of the value, and the comma behind, or else the one before. */
static struct span with_comma(struct span text, struct span value, size_t key_begin)
{
    const char *begin = text.p + key_begin, *end = value.p + value.len;
    const char *p = end;

    while (p < text.p + text.len && strchr(" \t\r\n", *p) != NULL && *p != '\0') {
        p++;
    }
    if (p < text.p + text.len && *p == ',') {
        return span_make(begin, (size_t)(p + 1 - begin));
    }
    for (p = begin; p > text.p && strchr(" \t\r\n", p[-1]) != NULL && p[-1] != '\0'; p--) {
    }
    begin = p > text.p && p[-1] == ',' ? p - 1 : begin;
    return span_make(begin, (size_t)(end - begin));
}

static int read_metadata(struct jsonscan *s, struct span text, struct objecthead *out,
                         struct err *err)
{
    struct json_token key, value;

    for (enum json_event e = jsonscan_next(s, &key); e == JSON_KEY; e = jsonscan_next(s, &key)) {
        struct span *place = place_of(out, key.raw);
        if (place == NULL) {
            struct span skipped = { "", 0 };
            if (jsonscan_skip(s, &skipped) == JSON_FAULT) {
                return fail(s, err);
            }
            if (span_is(key.raw, "managedFields")) {
                out->unread = with_comma(text, skipped, key.begin);
            }
            continue;
        }
        if (jsonscan_next(s, &value) != JSON_TEXT || value.has_escapes) {
            return err_set(err, ERR_INVALID, "metadata.%.*s is not a plain text",
                           SPAN_ARG(key.raw));
        }
        *place = value.raw;
    }
    return key.event == JSON_END_OBJECT ? 0 : fail(s, err);
}

/* ---- objects */

static int read_kind(struct jsonscan *s, struct objecthead *out, struct err *err)
{
    struct json_token value;

    if (jsonscan_next(s, &value) != JSON_TEXT) {
        return err_set(err, ERR_INVALID, "kind is not a text");
    }
    out->kind = value.raw;
    return 0;
}

int objecthead_read(struct span text, bool wants_kind, struct objecthead *out, struct err *err)
{
    const struct span none = { "", 0 };
    struct objecthead head = { none, none, none, none, none, none };
    bool has_metadata = false;
    struct json_token t;
    struct jsonscan s;
    int rc = 0;

    jsonscan_init(&s, text, LIMIT_SKIP_DEPTH);
    if (jsonscan_next(&s, &t) != JSON_BEGIN_OBJECT) {
        return err_set(err, ERR_INVALID, "this is not a JSON object");
    }
    while (rc == 0 && !(has_metadata && (head.kind.len > 0 || !wants_kind))) {
        enum json_event e = jsonscan_next(&s, &t);
        if (e == JSON_END_OBJECT) {
            break;
        }
        if (e != JSON_KEY) {
            return fail(&s, err);
        }
        if (span_is(t.raw, "kind")) {
            rc = read_kind(&s, &head, err);
        } else if (!span_is(t.raw, "metadata")) {
            rc = jsonscan_skip(&s, NULL) == JSON_FAULT ? fail(&s, err) : 0;
        } else if (jsonscan_next(&s, &t) != JSON_BEGIN_OBJECT) {
            return err_set(err, ERR_INVALID, "metadata is not an object");
        } else {
            has_metadata = true;
            rc = read_metadata(&s, text, &head, err);
        }
    }
    if (rc == 0) {
        *out = head;
    }
    return rc;
}

/* ---- lines */

int watchline_read(struct span line, struct watchline *out, struct err *err)
{
    struct watchline found = { { "", 0 }, { "", 0 } };
    struct json_token t;
    struct jsonscan s;
    enum json_event e;

    jsonscan_init(&s, line, LIMIT_SKIP_DEPTH);
    if (jsonscan_next(&s, &t) != JSON_BEGIN_OBJECT) {
        return err_set(err, ERR_INVALID, "this is not a JSON object");
    }
    while ((e = jsonscan_next(&s, &t)) == JSON_KEY) {
        bool is_object = span_is(t.raw, "object");
        struct span *place = is_object ? &found.object : &found.type;
        struct span value = { "", 0 };
        bool is_ours = is_object || span_is(t.raw, "type");
        e = jsonscan_skip(&s, &value);
        if (e == JSON_FAULT) {
            break;
        }
        if (is_ours && e != (is_object ? JSON_END_OBJECT : JSON_TEXT)) {
            return err_set(err, ERR_INVALID, "%s has the wrong type",
                           is_object ? "object" : "type");
        }
        if (is_ours) {
            *place = is_object ? value : span_make(value.p + 1, value.len - 2);
        }
    }
    if (e != JSON_END_OBJECT || jsonscan_next(&s, &t) != JSON_DONE) {
        return fail(&s, err);
    }
    if (found.type.len == 0 || found.object.len == 0) {
        return err_set(err, ERR_INVALID, "this is not an event of a watch");
    }
    *out = found;
    return 0;
}

#include "allocator/kube/status.h"

#include "allocator/codec/jsonscan.h"

#define MAX_DEPTH 64
#define MAX_NUMBER 999999

static struct span text_of(const struct json_token *t, struct arena *arena)
{
    return t->event == JSON_TEXT ? jsonscan_unescape(t->raw, arena) : (struct span){ "", 0 };
}

/* 0 for what is not a small whole number. */
static int number_of(const struct json_token *t)
{
    int n = 0;

    for (size_t i = 0; t->event == JSON_NUMBER && i < t->raw.len; i++) {
        if (t->raw.p[i] < '0' || t->raw.p[i] > '9' || n > MAX_NUMBER / 10) {
            return 0;
        }
        n = 10 * n + (t->raw.p[i] - '0');
    }
    return n;
}

/* Past what a value has begun. */
static void finish(struct jsonscan *s, const struct json_token *t)
{
    if (t->event == JSON_BEGIN_OBJECT || t->event == JSON_BEGIN_ARRAY) {
        (void)jsonscan_skip(s, NULL);
    }
}

static bool next_member(struct jsonscan *s, struct json_token *key, struct json_token *value)
{
    if (jsonscan_next(s, key) != JSON_KEY) {
        return false;
    }
    return jsonscan_next(s, value) != JSON_FAULT;
}

static void read_cause(struct jsonscan *s, struct kubestatus *out)
{
    struct json_token key, value;

    while (next_member(s, &key, &value)) {
        if (span_is(key.raw, "reason")) {
            out->is_version_new |=
                value.event == JSON_TEXT && span_is(value.raw, "ResourceVersionTooLarge");
            out->is_field_taken |=
                value.event == JSON_TEXT && span_is(value.raw, "FieldManagerConflict");
        }
        finish(s, &value);
    }
}

static void read_details(struct jsonscan *s, struct kubestatus *out)
{
    struct json_token key, value, item;

    while (next_member(s, &key, &value)) {
        if (span_is(key.raw, "retryAfterSeconds")) {
            out->retry_after_s = number_of(&value);
        }
        if (!span_is(key.raw, "causes") || value.event != JSON_BEGIN_ARRAY) {
            finish(s, &value);
            continue;
        }
        while (jsonscan_next(s, &item) == JSON_BEGIN_OBJECT) {
            read_cause(s, out);
        }
    }
}

void kubestatus_read(struct span text, struct arena *arena, struct kubestatus *out)
{
    struct kubestatus found = { .reason = { "", 0 }, .message = { "", 0 } };
    struct json_token key, value;
    bool is_status = false;
    struct jsonscan s;

    *out = found;
    jsonscan_init(&s, text, MAX_DEPTH);
    if (jsonscan_next(&s, &value) != JSON_BEGIN_OBJECT) {
        return;
    }
    while (next_member(&s, &key, &value)) {
        if (span_is(key.raw, "kind")) {
            is_status = value.event == JSON_TEXT && span_is(value.raw, "Status");
        } else if (span_is(key.raw, "code")) {
            found.code = number_of(&value);
        } else if (span_is(key.raw, "reason")) {
            found.reason = text_of(&value, arena);
        } else if (span_is(key.raw, "message")) {
            found.message = text_of(&value, arena);
        } else if (span_is(key.raw, "details") && value.event == JSON_BEGIN_OBJECT) {
            read_details(&s, &found);
            continue;
        }
        finish(&s, &value);
    }
    if (is_status) {
        *out = found;
    }
}

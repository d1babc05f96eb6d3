/* What must hold for the answer to any AdmissionReview; used by tests and by the fuzz target. */
#ifndef OTEL_TA_TESTS_UNIT_ADMISSION_REVIEWCHECK_H
#define OTEL_TA_TESTS_UNIT_ADMISSION_REVIEWCHECK_H

#include "allocator/base/limits.h"
#include "allocator/codec/base64.h"
#include "allocator/codec/jsonpatch.h"
#include "webhook/admission/admission.h"
#include "webhook/admission/review.h"
#include "webhook/text/yamltext.h"

#include <stdio.h>

struct reviewcheck {
    struct arena arena;
    struct rewrite_options options;
    struct admission_reply reply; /* of the last review */
    const struct node *response;  /* its "response", or NULL */
    struct span patch;            /* decoded, or empty */
    char why[1024];
};

static void reviewcheck_init(struct reviewcheck *c)
{
    *c = (struct reviewcheck){ .options = { .collector_id_expr =
                                                SPAN_LIT(WIRE_DEFAULT_COLLECTOR_ID) } };
    arena_init(&c->arena);
}

static bool reviewcheck_fail(struct reviewcheck *c, const char *why)
{
    snprintf(c->why, sizeof(c->why), "%s", why);
    return false;
}

static bool reviewcheck_decode_patch(struct reviewcheck *c)
{
    AUTO_BUF patch = { 0 };
    struct span text;

    c->patch = SPAN_LIT("");
    if (!node_as_text(node_get(c->response, "patch"), &text)) {
        return node_get(c->response, "patchType") == NULL;
    }
    buf_init(&patch, 2 * LIMIT_REVIEW_BYTES);
    if (base64_decode(text, &patch, NULL) < 0 || node_get(c->response, "patchType") == NULL) {
        return false;
    }
    c->patch = arena_span(&c->arena, buf_span(&patch));
    return true;
}

/* Answers 'body' and checks the form of the reply. */
static bool reviewcheck_answer(struct reviewcheck *c, struct span body)
{
    struct node *root = NULL;
    struct span uid;

    c->response = NULL;
    c->patch = SPAN_LIT("");
    admission_answer(body, &c->options, &c->arena, &c->reply);
    if (node_from_json(c->reply.body, 0, &c->arena, &root, NULL) < 0) {
        return reviewcheck_fail(c, "the reply is not JSON");
    }
    if (c->reply.http_status != 200) {
        return c->reply.verdict == ADMISSION_BAD ? true : reviewcheck_fail(c, "the webhook failed");
    }
    c->response = node_get(root, "response");
    if (!node_as_text(node_get(c->response, "uid"), &uid) || !span_eq(uid, c->reply.uid) ||
        uid.len == 0) {
        return reviewcheck_fail(c, "the uid is another");
    }
    bool is_allowed = false;
    if (!node_as_bool(node_get(c->response, "allowed"), &is_allowed) ||
        is_allowed == (c->reply.verdict == ADMISSION_DENIED)) {
        return reviewcheck_fail(c, "'allowed' does not fit the verdict");
    }
    if (!reviewcheck_decode_patch(c) ||
        (c->patch.len > 0) != (c->reply.verdict == ADMISSION_PATCHED)) {
        return reviewcheck_fail(c, "the patch does not fit the verdict");
    }
    return true;
}

/* The object as its reader sees it: of members with equal names the last one counts. */
static bool reviewcheck_read_object(struct reviewcheck *c, struct span text, struct node **out)
{
    if (node_from_json(text, 0, &c->arena, out, NULL) == 0) {
        return true;
    }
    json_t *tree = json_loadb(text.p, text.len, JSON_ALLOW_NUL, NULL);
    AUTO_STR plain = tree == NULL ? NULL : json_dumps(tree, JSON_COMPACT);
    json_decref(tree);
    return plain != NULL &&
           node_from_json(arena_span(&c->arena, span_of(plain)), 0, &c->arena, out, NULL) == 0;
}

/* The object of 'body' with 'patch' applied, as JSON; false when the object is nothing that the
 * full parser reads. */
static bool reviewcheck_apply(struct reviewcheck *c, struct span body, struct span *out,
                              bool *out_is_patched)
{
    struct node *object = NULL, *patch_tree = NULL, *result = NULL;
    struct jsonpatch patch = { .ops = { .n = 0 } };
    AUTO_BUF json = { 0 };
    struct review review;

    *out_is_patched = true;
    if (review_read(body, &c->arena, &review, NULL) < 0 || review.object.p == NULL ||
        !reviewcheck_read_object(c, review.object, &object)) {
        return false;
    }
    *out_is_patched = node_from_json(c->patch, 0, &c->arena, &patch_tree, NULL) == 0 &&
                      jsonpatch_read(patch_tree, &c->arena, &patch, NULL) == 0 &&
                      jsonpatch_apply(&patch, object, &c->arena, &result, NULL) == 0;
    jsonpatch_fini(&patch);
    if (*out_is_patched) {
        buf_init(&json, 4 * LIMIT_REVIEW_BYTES);
        yamltext_value(result, YAMLTEXT_JSON_COMPACT, &json);
        *out = arena_span(&c->arena, buf_span(&json));
    }
    return *out_is_patched;
}

/* The same review of another object; 'old' becomes oldObject of an update. */
static struct span reviewcheck_with_object(struct reviewcheck *c, struct span body,
                                           struct span object, struct span old)
{
    AUTO_BUF json = { 0 };
    struct review r;

    if (review_read(body, &c->arena, &r, NULL) < 0) {
        return body;
    }
    buf_init(&json, 8 * LIMIT_REVIEW_BYTES);
    buf_add_str(&json, "{\"kind\":\"AdmissionReview\",\"apiVersion\":");
    buf_add_json(&json, r.api_version);
    buf_add_str(&json, ",\"request\":{\"uid\":\"second-round\",\"kind\":{\"group\":");
    buf_add_json(&json, r.group);
    buf_add_str(&json, ",\"version\":");
    buf_add_json(&json, r.version);
    buf_add_str(&json, ",\"kind\":\"OpenTelemetryCollector\"},\"requestKind\":{\"version\":");
    buf_add_json(&json, r.request_version);
    buf_add_str(&json, "},\"name\":");
    buf_add_json(&json, r.name);
    buf_add_str(&json, ",\"namespace\":");
    buf_add_json(&json, r.ns);
    buf_add_str(&json, ",\"operation\":");
    buf_add_json(&json, old.len > 0 ? SPAN_LIT("UPDATE") : r.operation);
    buf_add_str(&json, ",\"object\":");
    buf_add_span(&json, object);
    buf_add_str(&json, ",\"oldObject\":");
    buf_add_span(&json, old.len > 0 ? old : SPAN_LIT("null"));
    buf_add_str(&json, "}}");
    return arena_span(&c->arena, buf_span(&json));
}

/* Written over what became of it, an object becomes the same again. */
static bool reviewcheck_replaced(struct reviewcheck *c, struct span body)
{
    struct node *first = NULL, *second = NULL;
    struct span object, again;
    struct review r;
    bool is_patched;

    if (review_read(body, &c->arena, &r, NULL) < 0) {
        return true;
    }
    struct span created = reviewcheck_with_object(c, body, r.object, SPAN_LIT(""));
    if (!reviewcheck_answer(c, created)) {
        return false;
    }
    if (c->patch.len == 0 || !reviewcheck_apply(c, created, &object, &is_patched)) {
        return true;
    }
    struct span replaced = reviewcheck_with_object(c, body, r.object, object);
    if (!reviewcheck_answer(c, replaced)) {
        return false;
    }
    if (c->patch.len == 0 || !reviewcheck_apply(c, replaced, &again, &is_patched) ||
        node_from_json(object, 0, &c->arena, &first, NULL) < 0 ||
        node_from_json(again, 0, &c->arena, &second, NULL) < 0 || !node_equal(first, second)) {
        return reviewcheck_fail(c, "written again over itself it becomes another");
    }
    return true;
}

/* All of it: the reply has the right form, the patch applies, and neither a second round nor the
 * object written over itself changes anything. */
__attribute__((unused)) static bool reviewcheck_all(struct reviewcheck *c, struct span body)
{
    struct span object;
    bool is_patched;

    arena_reset(&c->arena);
    c->why[0] = '\0';
    if (!reviewcheck_answer(c, body)) {
        return false;
    }
    if (c->patch.len == 0) {
        return true;
    }
    if (!reviewcheck_apply(c, body, &object, &is_patched)) {
        return is_patched || reviewcheck_fail(c, "the patch does not apply");
    }
    struct span second = reviewcheck_with_object(c, body, object, SPAN_LIT(""));
    if (!reviewcheck_answer(c, second)) {
        return false;
    }
    return c->patch.len == 0 ? reviewcheck_replaced(c, body)
                             : reviewcheck_fail(c, "a second round has a patch");
}

static void reviewcheck_fini(struct reviewcheck *c)
{
    arena_fini(&c->arena);
}

#endif

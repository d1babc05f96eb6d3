#include "webhook/admission/admission.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/terminal.h"
#include "allocator/codec/base64.h"
#include "allocator/codec/jsonpatch.h"
#include "allocator/codec/nodeedit.h"
#include "webhook/admission/review.h"
#include "webhook/rewrite/inspection.h"
#include "webhook/rewrite/revision.h"

#define MAX_WARNINGS 16 /* the API server drops what passes 4,096 characters in all */
#define MAX_CAUSES 64

struct answer {
    struct review review;
    const struct rewrite_options *options;
    struct arena *arena;
    struct admission_reply *reply;
    struct faults faults; /* of the Collector */
    struct node *old;     /* the stored object, read when somebody asks for it */
    bool has_old;
    struct span old_annotation; /* of it, read likewise */
    bool has_old_annotation;
    struct span warnings[MAX_WARNINGS];
    size_t n_warnings;
};

static const char *const verdict_names[] = {
    [ADMISSION_PATCHED] = "patched", [ADMISSION_UNCHANGED] = "unchanged",
    [ADMISSION_IGNORED] = "ignored", [ADMISSION_DENIED] = "denied",
    [ADMISSION_BAD] = "bad_request", [ADMISSION_FAILED] = "failed",
};

const char *admission_verdict_name(enum admission_verdict verdict)
{
    return verdict_names[verdict];
}

/* ---- replies */

static const char *status_reason(int http_status)
{
    switch (http_status) {
    case 400:
        return "BadRequest";
    case 404:
        return "NotFound";
    case 405:
        return "MethodNotAllowed";
    case 413:
        return "RequestEntityTooLarge";
    case 415:
        return "UnsupportedMediaType";
    case 503:
        return "ServiceUnavailable";
    case 504:
        return "Timeout";
    default:
        return "InternalError";
    }
}

struct span admission_status(int http_status, const char *message, struct arena *arena)
{
    struct buf out;

    buf_init_in(&out, arena, LIMIT_REVIEW_BYTES);
    buf_add_str(&out, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":"
                      "\"Failure\",\"message\":");
    AUTO_STR line = terminal_name(span_of(message));
    buf_add_json(&out, span_of(line));
    buf_addf(&out, ",\"reason\":\"%s\",\"code\":%d}", status_reason(http_status), http_status);
    return buf_span(&out);
}

static void reply_error(struct answer *a, int http_status, enum admission_verdict verdict,
                        const char *message)
{
    a->reply->http_status = http_status;
    a->reply->verdict = verdict;
    a->reply->reason = arena_span(a->arena, span_of(message));
    a->reply->body = admission_status(http_status, message, a->arena);
}

/* A warning is one line of at most LIMIT_WARNING characters; the API server drops those with
 * control characters, and kubectl prints the others as they are. */
static void add_warning(struct answer *a, struct span text)
{
    AUTO_STR line = terminal_name(text);
    size_t n = 0, n_chars = 0;

    while (line[n] != '\0' && ((line[n] & 0xc0) == 0x80 || n_chars++ < LIMIT_WARNING)) {
        n++;
    }
    struct span warning = arena_span(a->arena, span_make(line, n));
    for (size_t i = 0; i < a->n_warnings; i++) {
        if (span_eq(a->warnings[i], warning)) {
            return;
        }
    }
    if (a->n_warnings < MAX_WARNINGS && n > 0) {
        a->warnings[a->n_warnings++] = warning;
    }
}

static void open_reply(const struct answer *a, struct buf *out)
{
    buf_add_str(out, "{\"kind\":\"AdmissionReview\",\"apiVersion\":");
    buf_add_json(out, a->review.api_version);
    buf_add_str(out, ",\"response\":{\"uid\":");
    buf_add_json(out, a->review.uid);
}

static void close_reply(struct answer *a, struct buf *out)
{
    for (size_t i = 0; i < a->n_warnings; i++) {
        buf_add_str(out, i == 0 ? ",\"warnings\":[" : ",");
        buf_add_json(out, a->warnings[i]);
    }
    buf_add_str(out, a->n_warnings > 0 ? "]}}" : "}}");
    if (buf_error(out) != 0) {
        reply_error(a, 500, ADMISSION_FAILED, "the answer is too big");
        return;
    }
    a->reply->http_status = 200;
    a->reply->body = buf_span(out);
}

static void reply_allowed(struct answer *a, enum admission_verdict verdict, const char *reason)
{
    struct buf out;

    buf_init_in(&out, a->arena, LIMIT_REVIEW_BYTES);
    a->reply->verdict = verdict;
    a->reply->reason = span_of(reason);
    open_reply(a, &out);
    buf_add_str(&out, ",\"allowed\":true");
    close_reply(a, &out);
}

static void reply_patched(struct answer *a, const struct jsonpatch *patch)
{
    struct buf json, out;

    buf_init_in(&json, a->arena, LIMIT_REVIEW_BYTES);
    buf_init_in(&out, a->arena, 2 * LIMIT_REVIEW_BYTES);
    jsonpatch_write(patch, &json);
    if (buf_error(&json) != 0) {
        reply_error(a, 500, ADMISSION_FAILED, "the patch is too big");
        return;
    }
    a->reply->verdict = ADMISSION_PATCHED;
    (void)buf_reserve(&out, json.len / 3 * 4 + KIB);
    open_reply(a, &out);
    buf_add_str(&out, ",\"allowed\":true,\"patchType\":\"JSONPatch\",\"patch\":\"");
    base64_encode(buf_span(&json), &out);
    buf_add_char(&out, '"');
    close_reply(a, &out);
}

/* kubectl shows of a denial with causes only these, so each message is the whole sentence. */
static void add_causes(const struct answer *a, struct buf *out)
{
    size_t n = 0;

    for (size_t i = 0; i < a->faults.n && n < MAX_CAUSES; i++) {
        const struct fault *fault = &a->faults.v[i];
        if (fault->severity != FAULT_ERROR) {
            continue;
        }
        AUTO_STR said = mem_printf("otel-ta: %s%s%s", fault->path,
                                   fault->path[0] == '\0' ? "" : ": ", fault->text);
        AUTO_STR sentence = terminal_name(span_of(said));
        buf_add_str(out, n++ == 0 ? "" : ",");
        buf_add_str(out, "{\"reason\":\"FieldValueInvalid\",\"message\":");
        buf_add_json(out, span_of(sentence));
        buf_add_str(out, ",\"field\":");
        buf_add_json(out, span_of(fault->path));
        buf_add_char(out, '}');
    }
}

static void reply_denied(struct answer *a)
{
    struct err first = { .text = "" };
    struct buf out;

    (void)faults_first(&a->faults, &first);
    a->reply->verdict = ADMISSION_DENIED;
    a->reply->reason = arena_span(a->arena, span_of(first.text));
    buf_init_in(&out, a->arena, LIMIT_REVIEW_BYTES);
    open_reply(a, &out);
    buf_add_str(
        &out, ",\"allowed\":false,\"status\":{\"metadata\":{},\"status\":\"Failure\",\"message\":");
    AUTO_STR said =
        mem_printf("otel-ta: %s%s", first.text, a->faults.n_errors > 1 ? " (and more)" : "");
    AUTO_STR message = terminal_name(span_of(said));
    buf_add_json(&out, span_of(message));
    buf_add_str(&out, ",\"reason\":\"Invalid\",\"details\":{\"name\":");
    buf_add_json(&out, a->reply->name);
    buf_add_str(&out,
                ",\"group\":\"opentelemetry.io\",\"kind\":\"OpenTelemetryCollector\",\"causes\":[");
    add_causes(a, &out);
    buf_add_str(&out, "]},\"code\":422}");
    close_reply(a, &out);
}

/* ---- what the user hears */

/* "scrape_configs[0].regex: ", for there is little room; "" where the sentence says itself what it
 * is about. */
static char *short_path(const struct fault *fault)
{
    const char *receivers = strstr(fault->path, ".receivers.");
    const char *config = receivers == NULL ? NULL : strstr(receivers, ".config.");

    return config == NULL || strncmp(fault->text, "job '", strlen("job '")) == 0
               ? mem_strdup("")
               : mem_printf("%s: ", config + strlen(".config."));
}

static void say_warnings(struct answer *a)
{
    for (size_t i = 0; i < a->faults.n; i++) {
        const struct fault *fault = &a->faults.v[i];
        if (fault->severity == FAULT_WARNING) {
            AUTO_STR where = short_path(fault);
            AUTO_STR text = mem_printf("otel-ta: %s%s", where, fault->text);
            add_warning(a, span_of(text));
        }
    }
}

static void say_change(struct answer *a, const struct revision *r)
{
    size_t n = r->plan.n_jobs_served;

    if (r->plan.has_annotation) {
        AUTO_STR text = mem_printf("otel-ta: %zu scrape job%s discovered by the allocator; "
                                   "originals kept in annotation %s",
                                   n, n == 1 ? " is" : "s are", WIRE_ANNOTATION);
        add_warning(a, span_of(text));
    } else if (r->plan.n_lost == 0 && !r->is_left && r->kept.receivers == NULL &&
               (r->plan.n_changed > 0 || r->stored_json.len > 0)) {
        add_warning(a, SPAN_LIT("otel-ta: the Collector discovers its scrape targets itself again; "
                                "the originals are back"));
    }
    say_warnings(a);
}

static bool is_secret_name(struct span name)
{
    static const char *const names[] = { "password",   "credentials",  "client_secret",
                                         "secret_key", "bearer_token", "token",
                                         "secret" };

    for (size_t i = 0; i < COUNT(names); i++) {
        if (span_is(name, names[i])) {
            return true;
        }
    }
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): parsers cap the depth */
static bool has_secret(const struct node *n)
{
    bool is_found = false;

    for (size_t i = 0; n->type == NODE_LIST && i < n->n && !is_found; i++) {
        is_found = has_secret(n->items[i]);
    }
    for (size_t i = 0; n->type == NODE_MAP && i < n->n && !is_found; i++) {
        const struct node_pair *pair = &n->pairs[i];
        is_found = (pair->value->type == NODE_SCALAR && is_secret_name(pair->key->text)) ||
                   has_secret(pair->value);
    }
    return is_found;
}

/* Labels of targets may be called as they like. */
static bool job_has_secret(const struct plan_job *job)
{
    for (size_t i = 0; i < job->sections.n && job->action == JOB_REWRITE; i++) {
        if (!span_is(job->sections.v[i].name, "static_configs") &&
            has_secret(job->sections.v[i].value)) {
            return true;
        }
    }
    return false;
}

/* Secrets in discovery sections were readable in the Collector and stay so in the annotation: no
 * new reader, more copies. */
static void say_secrets(struct answer *a, const struct revision *r)
{
    for (size_t i = 0; i < r->plan.n_receivers; i++) {
        const struct plan_receiver *receiver = &r->plan.receivers[i];
        for (size_t j = 0; j < receiver->n_jobs; j++) {
            if (job_has_secret(&receiver->jobs[j])) {
                AUTO_STR text = mem_printf("otel-ta: job '%.*s' has inline credentials in its "
                                           "discovery; prefer files or Secrets",
                                           SPAN_ARG(receiver->jobs[j].name.text));
                add_warning(a, span_of(text));
                return;
            }
        }
    }
}

/* ---- the Collector */

/* The documented name of a Collector is in the request; in the object it may be missing as long as
 * the server makes it up. */
static const struct node *with_identity(struct answer *a, const struct node *root)
{
    struct span text;
    const struct node *metadata = node_get(root, "metadata");
    const struct node *full = metadata;

    if (!node_as_text(node_get(metadata, "namespace"), &text) || text.len == 0) {
        full = a->review.ns.len == 0 ? full
                                     : nodeedit_member(a->arena, full, SPAN_LIT("namespace"),
                                                       nodeedit_text(a->arena, a->review.ns));
    }
    if (!node_as_text(node_get(metadata, "name"), &text) || text.len == 0) {
        full = a->review.name.len == 0 ? full
                                       : nodeedit_member(a->arena, full, SPAN_LIT("name"),
                                                         nodeedit_text(a->arena, a->review.name));
    }
    return full == metadata ? root : nodeedit_member(a->arena, root, SPAN_LIT("metadata"), full);
}

/* The patch that was made, tried on the very object, must give what was intended. */
static void reply_checked(struct answer *a, const struct node *root, const struct node *intended)
{
    struct jsonpatch patch = { .ops = { .n = 0 } };
    struct node *result = NULL;
    struct err err = { .text = "" };

    jsonpatch_diff(root, intended, SPAN_LIT(""), a->arena, &patch);
    if (jsonpatch_apply(&patch, root, a->arena, &result, &err) < 0 ||
        !jsonpatch_same(result, intended)) {
        AUTO_STR message =
            mem_printf("otel-ta: the patch does not give what was intended: %s", err.text);
        reply_error(a, 500, ADMISSION_FAILED, message);
    } else {
        reply_patched(a, &patch);
    }
    jsonpatch_fini(&patch);
}

static bool moves_whole_jobs(const struct plan *plan)
{
    for (size_t i = 0; i < plan->n_receivers; i++) {
        if (plan->receivers[i].new_list != NULL || plan->receivers[i].stored_list != NULL) {
            return true;
        }
    }
    return false;
}

static void reply_unchanged(struct answer *a)
{
    for (size_t i = 0; i < a->faults.n; i++) {
        if (a->faults.v[i].kind == FAULT_STANDING) {
            AUTO_STR text = mem_printf("otel-ta: %s", a->faults.v[i].text);
            add_warning(a, span_of(text));
        }
    }
    reply_allowed(a, ADMISSION_UNCHANGED, "");
}

/* The stored object; NULL when there is none, or none that can be read. */
static const struct node *old_root(void *arg)
{
    struct answer *a = arg;

    if (!a->has_old && a->review.old_object.p != NULL &&
        review_collector(a->review.old_object, REVIEW_SECTIONS, a->arena, &a->old, NULL) < 0) {
        a->old = NULL;
    }
    a->has_old = true;
    return a->old;
}

/* Our annotation of the stored object, for which nothing else of it is read; p == NULL: none. */
static struct span old_annotation(void *arg)
{
    struct answer *a = arg;
    struct node *old = a->old;
    struct collector before;

    if (a->has_old_annotation) {
        return a->old_annotation;
    }
    a->has_old_annotation = true;
    if (!a->has_old && a->review.old_object.p != NULL &&
        review_collector(a->review.old_object, REVIEW_METADATA, a->arena, &old, NULL) < 0) {
        old = NULL;
    }
    if (old != NULL && old->type == NODE_MAP) {
        collector_read(old, &before);
        (void)node_as_text(before.annotation, &a->old_annotation);
    }
    return a->old_annotation;
}

static bool is_same(struct span a, struct span b)
{
    return (a.p == NULL) == (b.p == NULL) && span_eq(a, b);
}

/* Does the write lead to what is stored already, as far as we are concerned? Then its user was told
 * before, and whoever applies the same manifest again and again hears nothing. */
static bool is_told(struct answer *a, const struct revision *r)
{
    /* Mostly it is another annotation, and then nothing else of that object has to be read. */
    const struct node *old = is_same(old_annotation(a), r->annotation) ? old_root(a) : NULL;
    struct collector before;

    if (old == NULL || old->type != NODE_MAP) {
        return false;
    }
    collector_read(old, &before);
    if (before.config_node == NULL) {
        return false;
    }
    struct span text = r->new_text.p != NULL ? r->new_text : r->collector.config_text;
    if (before.config_text.p != NULL || text.p != NULL) {
        return before.config_text.p != NULL && span_eq(before.config_text, text);
    }
    return r->intended_config != NULL && jsonpatch_same(r->intended_config, before.config_node);
}

/* What the allocator will say of its jobs, and what their collectors will not start with: for that
 * all members of them count. */
static void inspect(struct answer *a, const struct collector *c)
{
    struct inspection unused = { 0 };
    struct node *whole = NULL;

    if (collector_is_served(c) && a->review.object.len <= LIMIT_INSPECTED_BYTES &&
        node_from_json(a->review.object, 0, a->arena, &whole, NULL) == 0) {
        inspection_make(with_identity(a, whole), a->options, FAULT_WARNING, &a->faults, &unused);
    }
}

/* 'is_whole': jobs were read with all their members; false when that is needed and was not given.
 */
static bool revise(struct answer *a, const struct node *root, bool is_whole)
{
    const struct node *identified = with_identity(a, root);
    const struct revision_input in = {
        .root = identified,
        .old_root = old_root,
        .old_annotation = old_annotation,
        .old_arg = a,
        .options = a->options,
        .is_object_form = !span_is(a->review.request_version, "v1alpha1"),
    };
    struct revision r;
    bool is_done = true;

    int rc = revision_make(&in, a->arena, &a->faults, &r);
    memcpy(a->reply->n_left, r.plan.n_left, sizeof(a->reply->n_left));
    if (rc < 0) {
        reply_denied(a);
    } else if (!r.is_changed) {
        if (collector_is_served(&r.collector) && !is_told(a, &r)) {
            inspect(a, &r.collector);
            say_warnings(a);
        }
        reply_unchanged(a);
    } else if (moves_whole_jobs(&r.plan) && !is_whole) {
        is_done = false;
    } else {
        if (!is_told(a, &r)) {
            inspect(a, &r.collector);
            say_change(a, &r);
            say_secrets(a, &r);
        }
        reply_checked(a, identified, revision_intended(&r, a->arena));
    }
    revision_fini(&r);
    return is_done;
}

/* Passes without a patch, with a word to the user. */
static void reply_not_understood(struct answer *a, const char *why)
{
    AUTO_STR text = mem_printf("otel-ta: left as it is: %s", why);

    add_warning(a, span_of(text));
    reply_allowed(a, ADMISSION_IGNORED, arena_strndup(a->arena, why, strlen(why)));
}

static void answer_collector(struct answer *a)
{
    struct node *root = NULL;
    struct collector collector;
    struct err err;

    for (int is_whole = a->options->is_block_style ? 1 : 0; is_whole < 2; is_whole++) {
        if (review_collector(a->review.object, is_whole != 0 ? REVIEW_JOBS : REVIEW_SECTIONS,
                             a->arena, &root, &err) < 0) {
            reply_not_understood(a, err.text);
            return;
        }
        const struct node *metadata = node_get(root, "metadata");
        if (metadata == NULL || metadata->type != NODE_MAP) {
            reply_not_understood(a, "the object has no metadata");
            return;
        }
        collector_read(root, &collector);
        a->reply->name = collector.name.len > 0 ? collector.name : a->review.name;
        if (collector.is_deleting) {
            reply_allowed(a, ADMISSION_IGNORED, "being deleted");
            return;
        }
        if (a->reply->name.len == 0) {
            if (collector_is_served(&collector)) {
                reply_not_understood(
                    a,
                    "its name is not known yet (generateName); the next write of it is rewritten");
            } else {
                reply_allowed(a, ADMISSION_IGNORED, "no name");
            }
            return;
        }
        if (revise(a, root, is_whole != 0)) {
            return;
        }
        faults_fini(&a->faults);
        faults_init(&a->faults);
    }
}

/* ---- the review */

static bool is_known_version(struct span api_version)
{
    return span_is(api_version, "admission.k8s.io/v1") ||
           span_is(api_version, "admission.k8s.io/v1beta1");
}

/* Why nothing is to be done; NULL when there is. */
static const char *why_not_ours(const struct review *r)
{
    if (!span_is(r->operation, "CREATE") && !span_is(r->operation, "UPDATE")) {
        return "not a create or update";
    }
    if (r->subresource.len > 0) {
        return "a subresource";
    }
    if (!span_is(r->group, "opentelemetry.io") ||
        !span_is(r->object_kind, "OpenTelemetryCollector")) {
        return "not an OpenTelemetryCollector";
    }
    return r->object.p == NULL ? "no object" : NULL;
}

void admission_answer(struct span body, const struct rewrite_options *options, struct arena *arena,
                      struct admission_reply *out)
{
    struct answer *a = arena_zalloc(arena, sizeof(*a));
    struct err err = { .text = "" };

    a->options = options;
    a->arena = arena;
    a->reply = out;
    *out = (struct admission_reply){ .http_status = 0 };
    int rc = review_read(body, arena, &a->review, &err);
    out->uid = a->review.uid;
    out->ns = a->review.ns;
    out->name = a->review.name;
    if (rc < 0) {
        AUTO_STR message = mem_printf("otel-ta: the body is not JSON: %s", err.text);
        reply_error(a, 400, ADMISSION_BAD, message);
        return;
    }
    if (!span_is(a->review.kind, "AdmissionReview") || !is_known_version(a->review.api_version) ||
        a->review.uid.len == 0) {
        reply_error(a, 400, ADMISSION_BAD,
                    "otel-ta: the body is not an AdmissionReview of admission.k8s.io/v1 or v1beta1 "
                    "with a uid");
        return;
    }
    const char *why = why_not_ours(&a->review);
    if (why != NULL) {
        if (span_is(a->review.group, "opentelemetry.io") &&
            span_is(a->review.object_kind, "TargetAllocator")) {
            add_warning(a,
                        SPAN_LIT("otel-ta: a TargetAllocator is not read: its jobs are not here"));
        }
        reply_allowed(a, ADMISSION_IGNORED, why);
        return;
    }
    faults_init(&a->faults);
    answer_collector(a);
    faults_fini(&a->faults);
}

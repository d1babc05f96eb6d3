/* What a write looks like, and what is made of its answers. Where it says so, those are
 * what an API server 1.33.1 said, shortened; the others have the same form. */
#include "allocator/kube/apply.h"

#include "tests/check.h"

static void test_requests(void)
{
    static const struct {
        struct apply_place place;
        enum apply_verb verb;
        const char *manager, *method, *type, *target;
    } t[] = {
        { { SPAN_LIT(""), SPAN_LIT("v1"), SPAN_LIT("secrets"), SPAN_LIT("o"), SPAN_LIT("ca") },
          APPLY_CREATE,
          "otel-ta",
          "POST",
          "application/json",
          "/api/v1/namespaces/o/secrets?fieldManager=otel-ta" },
        { { SPAN_LIT(""), SPAN_LIT("v1"), SPAN_LIT("secrets"), SPAN_LIT("o"), SPAN_LIT("ca") },
          APPLY_UPDATE,
          "",
          "PUT",
          "application/json",
          "/api/v1/namespaces/o/secrets/ca" },
        { { SPAN_LIT("discovery.k8s.io"), SPAN_LIT("v1"), SPAN_LIT("endpointslices"), SPAN_LIT("o"),
            SPAN_LIT("a") },
          APPLY_FIELDS,
          "otel ta",
          "PATCH",
          "application/apply-patch+yaml",
          "/apis/discovery.k8s.io/v1/namespaces/o/endpointslices/a?fieldManager=otel+ta" },
        { { SPAN_LIT("admissionregistration.k8s.io"), SPAN_LIT("v1"),
            SPAN_LIT("mutatingwebhookconfigurations"), SPAN_LIT(""), SPAN_LIT("x/../y") },
          APPLY_FIELDS_BY_FORCE,
          "m",
          "PATCH",
          "application/apply-patch+yaml",
          "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/"
          "x%2F..%2Fy?fieldManager=m&force=true" },
        { { SPAN_LIT("events.k8s.io"), SPAN_LIT("v1"), SPAN_LIT("events"), SPAN_LIT("o"),
            SPAN_LIT("e.1") },
          APPLY_MERGE,
          "m",
          "PATCH",
          "application/merge-patch+json",
          "/apis/events.k8s.io/v1/namespaces/o/events/e.1?fieldManager=m" },
        { { SPAN_LIT("g"), SPAN_LIT("v1"), SPAN_LIT("r"), SPAN_LIT("o"), SPAN_LIT("n") },
          APPLY_PATCH,
          "",
          "PATCH",
          "application/json-patch+json",
          "/apis/g/v1/namespaces/o/r/n" },
        { { SPAN_LIT("g"), SPAN_LIT("v1"), SPAN_LIT("r"), SPAN_LIT("o"), SPAN_LIT("n") },
          APPLY_DELETE,
          "m",
          "DELETE",
          "application/json",
          "/apis/g/v1/namespaces/o/r/n" },
    };
    AUTO_BUF target;

    buf_init(&target, 1024);
    for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
        struct apply_request r =
            apply_request(&t[i].place, t[i].verb, span_of(t[i].manager), &target);
        is_str(r.method, t[i].method, "method %zu", i);
        is_str(r.content_type, t[i].type, "type %zu", i);
        is_span(buf_span(&target), span_of(t[i].target), "target %zu", i);
    }
}

#define STATUS(code, reason, message, details)                                                     \
    "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","           \
    "\"message\":\"" message "\",\"reason\":\"" reason "\",\"details\":{" details                  \
    "},\"code\":" code "}\n"

static void test_answers(void)
{
    static const struct {
        enum apply_verb verb;
        int status;
        const char *body;
        int64_t header_s;
        enum apply_answer answer;
        int64_t retry_s;
        const char *message;
    } t[] = {
        { APPLY_CREATE, 201, "{\"kind\":\"Secret\",\"message\":\"m\"}", 0, APPLY_DONE, 0, "" },
        { APPLY_FIELDS, 200, "{}", 0, APPLY_DONE, 0, "" },
        { APPLY_CREATE, 409, STATUS("409", "AlreadyExists", "leases \\\"a\\\" already exists", ""),
          0, APPLY_EXISTS, 0, "leases \"a\" already exists" },
        { APPLY_UPDATE, 409, STATUS("409", "Conflict", "the object has been modified", ""), 0,
          APPLY_STALE, 0, "the object has been modified" },
        { APPLY_FIELDS, 409, STATUS("409", "Conflict", "the object has been modified", ""), 0,
          APPLY_STALE, 0, "the object has been modified" },
        { APPLY_FIELDS, 409,
          STATUS("409", "Conflict", "Apply failed with 1 conflict",
                 "\"causes\":[{\"reason\":\"FieldManagerConflict\",\"message\":\"conflict with "
                 "\\\"kubectl\\\"\",\"field\":\".spec.ports\"}]"),
          0, APPLY_TAKEN, 0, "Apply failed with 1 conflict" },
        { APPLY_UPDATE, 404, "404 page not found\n", 0, APPLY_MISSING, 0, "404 page not found\n" },
        { APPLY_UPDATE, 422, STATUS("422", "Invalid", "name: Invalid value", ""), 0, APPLY_INVALID,
          0, "name: Invalid value" },
        { APPLY_MERGE, 400, STATUS("400", "BadRequest", "no", ""), 0, APPLY_INVALID, 0, "no" },
        { APPLY_PATCH, 415, "", 0, APPLY_INVALID, 0, "" },
        { APPLY_CREATE, 403, STATUS("403", "Forbidden", "cannot create", ""), 0, APPLY_FORBIDDEN, 0,
          "cannot create" },
        { APPLY_CREATE, 401, STATUS("401", "Unauthorized", "Unauthorized", ""), 0,
          APPLY_UNAUTHORIZED, 0, "Unauthorized" },
        { APPLY_CREATE, 429, "Too many requests, please try again later.\n", 2, APPLY_BUSY, 2,
          "Too many requests, please try again later.\n" },
        { APPLY_CREATE, 429,
          STATUS("429", "TooManyRequests", "initializing", "\"retryAfterSeconds\":5"), 1,
          APPLY_BUSY, 5, "initializing" },
        { APPLY_CREATE, 503, STATUS("503", "ServiceUnavailable", "starts", ""), 7, APPLY_DOWN, 7,
          "starts" },
        /* 1.33.1 */
        { APPLY_FIELDS, 500,
          STATUS("500", "",
                 "failed to create typed patch object (/a; /v1, Kind=Service): .spec.zork: field "
                 "not declared in schema",
                 ""),
          0, APPLY_INVALID, 0,
          "failed to create typed patch object (/a; /v1, Kind=Service): .spec.zork: field not "
          "declared in schema" },
        { APPLY_PATCH, 422,
          STATUS("422", "Invalid", "the server rejected our request due to an error in our request",
                 ""),
          0, APPLY_INVALID, 0, "the server rejected our request due to an error in our request" },
        { APPLY_UPDATE, 500, STATUS("500", "", "field not declared in schema", ""), 0, APPLY_DOWN,
          0, "field not declared in schema" },
        { APPLY_CREATE, 500, "oops", 0, APPLY_DOWN, 0, "oops" },
        { APPLY_CREATE, 408, "", 0, APPLY_DOWN, 0, "" },
        { APPLY_CREATE, 302, "", 0, APPLY_DOWN, 0, "" },
        { APPLY_CREATE, 0, "", 0, APPLY_DOWN, 0, "" },
    };
    struct arena arena;

    arena_init(&arena);
    for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
        struct apply_result r = apply_result(
            t[i].verb, t[i].status, check_at_edge(span_of(t[i].body)), t[i].header_s, &arena);
        is_int(r.answer, t[i].answer, "answer %zu", i);
        is_int(r.retry_after_s, t[i].retry_s, "retry %zu", i);
        is_span(r.message, span_of(t[i].message), "message %zu", i);
    }
    arena_fini(&arena);
}

int main(void)
{
    test_requests();
    test_answers();
    return check_done();
}

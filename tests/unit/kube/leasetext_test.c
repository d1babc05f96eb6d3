/* The Lease as text. */
#include "allocator/kube/leasetext.h"

#include "tests/check.h"

static const char lease[] =
    "{\"kind\":\"Lease\",\"apiVersion\":\"coordination.k8s.io/v1\",\"metadata\":{\"name\":\"l\","
    "\"namespace\":\"o\",\"uid\":\"u\",\"resourceVersion\":\"41\",\"labels\":{\"team\":\"x\"},"
    "\"managedFields\":[{\"manager\":\"m\"}]},\"spec\":{\"holderIdentity\":\"p_1\","
    "\"leaseDurationSeconds\":15,\"acquireTime\":\"2026-11-30T19:00:00.000000Z\","
    "\"renewTime\":\"2026-11-30T19:00:02.000000Z\",\"leaseTransitions\":3,\"strategy\":\"s\"}}\n";

static const struct leasetext_place place = { SPAN_LIT("o"), SPAN_LIT("l"), SPAN_LIT("p_\"2") };

static void test_read(void)
{
    static const struct {
        const char *text, *version, *holder;
        int64_t duration_ms;
        uint32_t transitions;
        int rc;
    } t[] = {
        { lease, "41", "p_1", 15000, 3, 0 },
        { "{\"kind\":\"Lease\",\"metadata\":{\"resourceVersion\":\"1\"}}", "1", "", 0, 0, 0 },
        { "{\"kind\":\"Lease\",\"metadata\":{\"resourceVersion\":\"1\"},\"spec\":{"
          "\"holderIdentity\":null,\"leaseDurationSeconds\":-5,\"leaseTransitions\":\"x\"}}",
          "1", "", 0, 0, 0 },
        { "{\"kind\":\"Lease\",\"metadata\":{\"resourceVersion\":\"1\"},\"spec\":{"
          "\"leaseDurationSeconds\":9223372036854775807,\"leaseTransitions\":4294967296}}",
          "1", "", 1000000000, 2147483647, 0 },
        { "{\"kind\":\"Lease\",\"metadata\":{}}", "", "", 0, 0, ERR_INVALID },
        { "{\"kind\":\"Status\",\"metadata\":{\"resourceVersion\":\"1\"}}", "", "", 0, 0,
          ERR_INVALID },
        { "[]", "", "", 0, 0, ERR_INVALID },
        { "404 page not found\n", "", "", 0, 0, ERR_INVALID },
        { "", "", "", 0, 0, ERR_INVALID },
    };
    struct arena arena;

    arena_init(&arena);
    for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
        struct lease_record r = { .version = SPAN_LIT(""), .holder = SPAN_LIT("") };
        is_int(leasetext_read(check_at_edge(span_of(t[i].text)), &arena, &r, NULL), t[i].rc,
               "rc %zu", i);
        is_span(r.version, span_of(t[i].version), "version %zu", i);
        is_span(r.holder, span_of(t[i].holder), "holder %zu", i);
        is_int(r.duration_ms, t[i].duration_ms, "duration %zu", i);
        is_int(r.transitions, t[i].transitions, "transitions %zu", i);
    }
    arena_fini(&arena);
}

#define RENEWED "2026-11-30T20:00:00.007000Z"
#define HEAD(version)                                                                              \
    "{\"kind\":\"Lease\",\"apiVersion\":\"coordination.k8s.io/v1\",\"metadata\":{\"name\":\"l\","  \
    "\"namespace\":\"o\",\"uid\":\"u\",\"resourceVersion\":\"" version                             \
    "\",\"labels\":{\"team\":\"x\"},\"managedFields\":[{\"manager\":\"m\"}]},\"spec\":{"           \
    "\"strategy\":\"s\",\"renewTime\":\"" RENEWED "\","

static void test_write(void)
{
    static const struct {
        struct lease_request request;
        const char *last, *body;
    } t[] = {
        { { .verb = LEASE_POST, .is_new_holder = true },
          "",
          "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{\"name\":"
          "\"l\",\"namespace\":\"o\"},\"spec\":{\"holderIdentity\":\"p_\\\"2\","
          "\"leaseDurationSeconds\":15,\"leaseTransitions\":0,\"renewTime\":\"" RENEWED
          "\",\"acquireTime\":\"" RENEWED "\"}}" },
        { { .verb = LEASE_PUT, .version = "42", .is_new_holder = true, .transitions = 4 },
          lease,
          HEAD("42") "\"holderIdentity\":\"p_\\\"2\",\"leaseDurationSeconds\":15,"
                     "\"leaseTransitions\":4,\"acquireTime\":\"" RENEWED "\"}}" },
        { { .verb = LEASE_PUT, .version = "41", .transitions = 3 },
          lease,
          HEAD("41") "\"holderIdentity\":\"p_\\\"2\",\"leaseDurationSeconds\":15,"
                     "\"leaseTransitions\":3,\"acquireTime\":\"2026-11-30T19:00:00.000000Z\"}}" },
        { { .verb = LEASE_PUT, .version = "41", .is_release = true, .transitions = 3 },
          lease,
          HEAD("41") "\"holderIdentity\":\"\",\"leaseDurationSeconds\":1,"
                     "\"leaseTransitions\":3,\"acquireTime\":\"2026-11-30T19:00:00.000000Z\"}}" },
    };
    AUTO_BUF out;

    buf_init(&out, 65536);
    for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
        is_int(
            leasetext_write(&t[i].request, &place, span_of(t[i].last), 1796068800007, &out, NULL),
            0, "rc %zu", i);
        is_json(buf_span(&out), span_of(t[i].body), "body %zu", i);
    }
    static const char *const others[] = { "oops", "", "[]", "7" };
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        is_int(leasetext_write(&t[1].request, &place, span_of(others[i]), 0, &out, NULL),
               ERR_INVALID, "no Lease to change: '%s'", others[i]);
    }

    struct buf small;
    buf_init(&small, 64);
    is_int(leasetext_write(&t[0].request, &place, SPAN_LIT(""), 0, &small, NULL), ERR_TOO_BIG,
           "no room");
    buf_fini(&small);
}

int main(void)
{
    test_read();
    test_write();
    return check_done();
}

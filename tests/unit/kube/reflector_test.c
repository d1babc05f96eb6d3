/* The reflector against what an API server may answer: each row of the failure script that needs no
 * socket, and the same bytes in every split. */
#include "allocator/kube/reflector.h"

#include "tests/check.h"
#include "tests/fake/objectset.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_OBJECT = 100000 };

struct fixture {
    struct reflector *r;
    struct reflector_request request;
    struct objectset set;
    int64_t now;
    size_t split; /* bytes a piece; 0: all at once */
};

static const struct reflector_options options = {
    .max_object_bytes = MAX_OBJECT, .max_list_bytes = 1000000, .page_items = 0, .seed = 7
};

static void setup_for(struct fixture *x, const struct reflector_want *want,
                      const struct reflector_options *o)
{
    memset(x, 0, sizeof(*x));
    x->now = 1000000;
    x->r = reflector_new(want, o);
    objectset_init(&x->set);
}

static void setup(struct fixture *x)
{
    setup_for(x,
              &(struct reflector_want){ .version = SPAN_LIT("v1"),
                                        .resource = SPAN_LIT("pods"),
                                        .kind = SPAN_LIT("Pod") },
              &options);
}

static void teardown(struct fixture *x)
{
    reflector_free(&x->r);
    objectset_fini(&x->set);
}

/* Goes on until the next request is due; how long that took. */
static int64_t wait_for_request(struct fixture *x)
{
    int64_t from = x->now, due = reflector_deadline_ms(x->r);

    ok(due != INT64_MAX, "something is due");
    x->now = due > x->now ? due : x->now;
    ok(reflector_next(x->r, x->now, &x->request), "a request comes");
    ok(!reflector_next(x->r, x->now, &(struct reflector_request){ 0 }), "and only one");
    return x->now - from;
}

/* False: it said to stop. */
static bool give(struct fixture *x, const char *bytes)
{
    struct span all = span_of(bytes);

    while (all.len > 0) {
        size_t n = x->split == 0 || x->split > all.len ? all.len : x->split;
        if (!reflector_piece(x->r, check_at_edge(span_make(all.p, n)))) {
            return false;
        }
        objectset_take(&x->set, reflector_take(x->r));
        all = span_from(all, n);
    }
    return true;
}

static void end(struct fixture *x, enum transfer_end how)
{
    reflector_end(x->r, how, "why", x->now);
    objectset_take(&x->set, reflector_take(x->r));
}

static void answer(struct fixture *x, int status, int retry_after_s, const char *body,
                   enum transfer_end how)
{
    reflector_head(x->r, status, retry_after_s);
    end(x, give(x, body) ? how : TRANSFER_STOPPED);
}

static struct reflector_report report(struct fixture *x)
{
    struct reflector_report out;

    reflector_report(x->r, &out);
    return out;
}

#define ITEM(n, v)                                                                                 \
    "{\"metadata\":{\"name\":\"" n "\",\"namespace\":\"d\",\"uid\":\"u-" n                         \
    "\",\"resourceVersion\":\"" v "\"}}"
#define LIST(v, items)                                                                             \
    "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"" v           \
    "\"},\"items\":[" items "]}\n"
#define EVENT(type, n, v)                                                                          \
    "{\"type\":\"" type "\",\"object\":{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{"     \
    "\"name\":\"" n "\",\"namespace\":\"d\",\"uid\":\"u-" n "\",\"resourceVersion\":\"" v          \
    "\"}}}\n"
#define STATUS(code, reason, message, details)                                                     \
    "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","           \
    "\"message\":\"" message "\",\"reason\":\"" reason "\"," details "\"code\":" #code "}"
#define ERROR_EVENT(code, reason, details)                                                         \
    "{\"type\":\"ERROR\",\"object\":" STATUS(code, reason, "no", details) "}\n"
#define TOO_NEW                                                                                    \
    "\"details\":{\"causes\":[{\"reason\":\"ResourceVersionTooLarge\",\"message\":\"Too "          \
    "large\"}],"                                                                                   \
    "\"retryAfterSeconds\":1},"

static bool asks(const struct fixture *x, const char *part)
{
    return memmem(x->request.target.p, x->request.target.len, part, strlen(part)) != NULL;
}

/* Listed {a@1 b@2} at 10, and watching. */
static void settle(struct fixture *x)
{
    wait_for_request(x);
    answer(x, 200, 0, LIST("10", ITEM("a", "1") "," ITEM("b", "2")), TRANSFER_COMPLETE);
    is_span(objectset_log(&x->set), SPAN_LIT("[ +d/a@1 +d/b@2 ]"), "a list, told as one");
    wait_for_request(x);
    ok(x->request.is_watch && asks(x, "resourceVersion=10"), "a watch from there");
}

static void is_relist(struct fixture *x, const char *version)
{
    AUTO_STR part = mem_printf("resourceVersion=%s", version);

    is_int(x->request.stage, REFLECTOR_LIST, "the collection is listed");
    ok(asks(x, version[0] == '\0' ? "/api/v1/pods" : part) &&
           asks(x, "resourceVersion") == (version[0] != '\0'),
       "from version '%s': %.*s", version, SPAN_ARG(x->request.target));
}

static void is_watch(struct fixture *x, const char *version)
{
    AUTO_STR part = mem_printf("resourceVersion=%s&", version);

    is_int(x->request.stage, REFLECTOR_WATCH, "the watch goes on");
    ok(asks(x, part), "from version %s: %.*s", version, SPAN_ARG(x->request.target));
}

/* ---- requests */

static void test_requests(void)
{
    struct fixture x;

    setup(&x);
    is_int(wait_for_request(&x), 0, "the first is due at once");
    is_span(x.request.target, SPAN_LIT("/api/v1/pods?resourceVersion=0"), "a list");
    is_span(x.request.accept, SPAN_LIT("application/json"), "as JSON");
    ok(x.request.wants_gzip && !x.request.is_watch && !x.request.renews_credentials, "compressed");
    answer(&x, 200, 0, LIST("10", ""), TRANSFER_COMPLETE);
    wait_for_request(&x);
    ok(asks(&x, "/api/v1/pods?watch=1&resourceVersion=10&allowWatchBookmarks=true&timeoutSeconds="),
       "%.*s", SPAN_ARG(x.request.target));
    ok(x.request.timeout_ms >= 330000 && x.request.timeout_ms < 631000, "%lld",
       (long long)x.request.timeout_ms);
    ok(!x.request.wants_gzip && x.request.is_watch, "not compressed");
    teardown(&x);

    setup_for(&x,
              &(struct reflector_want){ .group = SPAN_LIT("apps"),
                                        .version = SPAN_LIT("v1"),
                                        .resource = SPAN_LIT("replicasets"),
                                        .kind = SPAN_LIT("ReplicaSet"),
                                        .namespace = SPAN_LIT("shop"),
                                        .label_selector = SPAN_LIT("a in (b,c),d!=e&f"),
                                        .field_selector = SPAN_LIT("spec.nodeName=n"),
                                        .is_metadata = true },
              &options);
    wait_for_request(&x);
    is_span(x.request.target,
            SPAN_LIT("/apis/apps/v1/namespaces/shop/replicasets?labelSelector=a+in+%28b%2Cc%29%2Cd%"
                     "21%3De%26f&fieldSelector=spec.nodeName%3Dn&resourceVersion=0"),
            "selectors are escaped");
    ok(span_has_prefix(x.request.accept, "application/json;as=PartialObjectMetadataList;"),
       "metadata only");
    teardown(&x);
}

static void test_pages(void)
{
    struct reflector_options o = options;
    struct fixture x;

    o.page_items = 2;
    setup_for(&x,
              &(struct reflector_want){ .version = SPAN_LIT("v1"),
                                        .resource = SPAN_LIT("pods"),
                                        .kind = SPAN_LIT("Pod") },
              &o);
    settle(&x);
    answer(&x, 200, 0, ERROR_EVENT(504, "Timeout", TOO_NEW), TRANSFER_COMPLETE);
    wait_for_request(&x);
    is_span(x.request.target, SPAN_LIT("/api/v1/pods?limit=2"), "the newest state, in pages");
    answer(&x, 200, 0,
           "{\"metadata\":{\"resourceVersion\":\"20\",\"continue\":\"a/b+c=\"},\"items\":[" ITEM(
               "a", "1") "," ITEM("b", "11") "]}",
           TRANSFER_COMPLETE);
    is_span(objectset_log(&x.set), SPAN_LIT("[ +d/b@11"), "a page is no end of a list");
    is_int(wait_for_request(&x), 0, "the next page at once");
    is_span(x.request.target, SPAN_LIT("/api/v1/pods?limit=2&continue=a%2Fb%2Bc%3D"), "its token");
    answer(&x, 410, 0, STATUS(410, "Expired", "old", "\"metadata\":{\"continue\":\"x\"},"),
           TRANSFER_COMPLETE);
    is_span(objectset_log(&x.set), SPAN_LIT("!"), "nothing of the list counts");
    wait_for_request(&x);
    is_span(x.request.target, SPAN_LIT("/api/v1/pods"), "whole, the other token is not used");
    answer(&x, 200, 0, LIST("21", ITEM("a", "1") "," ITEM("b", "12")), TRANSFER_COMPLETE);
    is_span(objectset_log(&x.set), SPAN_LIT("[ +d/b@12 ]"), "only what differs");
    wait_for_request(&x);
    is_watch(&x, "21");
    teardown(&x);

    setup_for(&x,
              &(struct reflector_want){ .version = SPAN_LIT("v1"),
                                        .resource = SPAN_LIT("pods"),
                                        .kind = SPAN_LIT("Pod") },
              &o);
    wait_for_request(&x);
    answer(&x, 200, 0,
           "{\"metadata\":{\"resourceVersion\":\"20\",\"continue\":\"t\"},\"items\":[" ITEM(
               "a", "1") "]}",
           TRANSFER_COMPLETE);
    wait_for_request(&x);
    answer(&x, 200, 0, LIST("25", ITEM("b", "2")), TRANSFER_COMPLETE);
    is_span(objectset_log(&x.set), SPAN_LIT("[ +d/a@1 +d/b@2 ]"), "pages are one list");
    wait_for_request(&x);
    is_watch(&x, "20");
    teardown(&x);
}

/* ---- watches: rows 1 to 22 of the script */

static void test_watch_ends(void)
{
    static const struct {
        const char *body;
        enum transfer_end how;
        const char *version, *told;
    } t[] = {
        { EVENT("ADDED", "c", "15"), TRANSFER_COMPLETE, "15", "+d/c@15" },
        { EVENT("ADDED", "c", "15"), TRANSFER_CUT, "15", "+d/c@15" },
        { EVENT("ADDED", "c", "15") "{\"type\":\"MODIFIED\",\"obj", TRANSFER_CUT, "15", "+d/c@15" },
        { EVENT("ADDED", "c", "15") EVENT("ADDED", "c", "15"), TRANSFER_CUT, "15", "+d/c@15" },
        { EVENT("MODIFIED", "a", "15") EVENT("DELETED", "a", "16"), TRANSFER_CUT, "16",
          "+d/a@15 -d/a" },
        { EVENT("DELETED", "z", "17") EVENT("MODIFIED", "y", "18"), TRANSFER_CUT, "18", "+d/y@18" },
        { EVENT("DELETED", "b", "17") EVENT("ADDED", "b", "18"), TRANSFER_CUT, "18",
          "-d/b +d/b@18" },
        { "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{"
          "\"resourceVersion\":\"90\",\"creationTimestamp\":null}}}\n",
          TRANSFER_CUT, "90", "" },
        { "{\"type\":\"FROB\",\"object\":{}}\n" EVENT("ADDED", "c", "15"), TRANSFER_CUT, "15",
          "+d/c@15" },
        { "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Secret\",\"metadata\":{\"name\":\"s\","
          "\"resourceVersion\":\"16\"}}}\n",
          TRANSFER_CUT, "16", "" },
        { "{\"object\":{\"kind\":\"Pod\",\"metadata\":{\"managedFields\":[{\"a\":\"}\\\"\"}],"
          "\"name\":\"c\",\"namespace\":\"d\",\"resourceVersion\":\"15\"}},\"more\":1,\"type\":"
          "\"ADDED\"}\n\n",
          TRANSFER_CUT, "15", "+d/c@15" },
        { EVENT("MODIFIED", "b", "1"), TRANSFER_CUT, "1", "" }, /* older than what is known */
        { "{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\","
          "\"namespace\":\"d\",\"uid\":\"other\",\"resourceVersion\":\"15\"}}}\n",
          TRANSFER_CUT, "15", "-d/a +d/a@15" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        for (size_t split = 0; split < 4; split++) {
            struct fixture x;
            setup(&x);
            x.split = split;
            settle(&x);
            answer(&x, 200, 0, t[i].body, t[i].how);
            is_span(objectset_log(&x.set), span_of(t[i].told), "%s", t[i].body);
            is_int(wait_for_request(&x), 0, "at once");
            is_watch(&x, t[i].version);
            is_int(report(&x).state, REFLECTOR_FOLLOWING, "all is well");
            teardown(&x);
        }
    }
}

static void test_half_a_line_is_nothing(void)
{
    static const char whole[] = EVENT("ADDED", "c", "15");

    for (size_t n = 0; n < sizeof(whole) - 1; n++) {
        struct fixture x;
        AUTO_STR part = mem_strndup(whole, n);
        setup(&x);
        settle(&x);
        x.now += 2000;
        answer(&x, 200, 0, part, n % 2 == 0 ? TRANSFER_COMPLETE : TRANSFER_CUT);
        is_span(objectset_log(&x.set), SPAN_LIT(""), "%zu bytes", n);
        wait_for_request(&x);
        is_watch(&x, "10");
        teardown(&x);
    }
}

/* Row 2: nobody is asked in a circle. */
static void test_empty_watches_back_off(void)
{
    struct fixture x;
    int64_t from;
    unsigned n = 0;

    setup(&x);
    settle(&x);
    for (from = x.now; x.now - from < 60000; n++) {
        answer(&x, 200, 0, "", TRANSFER_COMPLETE);
        wait_for_request(&x);
        is_int(x.request.stage, REFLECTOR_WATCH, "a watch");
    }
    ok(n <= 8, "%u requests in a minute", n);
    teardown(&x);
}

static void test_what_ends_a_watch_for_a_list(void)
{
    static const struct {
        int status;
        const char *body, *version;
        bool is_at_once;
    } t[] = {
        { 200, ERROR_EVENT(410, "Expired", ""), "10", false },
        { 200, ERROR_EVENT(410, "Gone", ""), "10", false },
        { 200,
          "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"reason\":\"Expired\"}}\n" EVENT(
              "ADDED", "z", "99"),
          "10", false },
        { 200, ERROR_EVENT(500, "InternalError", ""), "10", false },
        { 200, ERROR_EVENT(504, "Timeout", TOO_NEW), "", true },
        { 200, "<html>\n", "10", false },
        { 200, "[]\n", "10", false },
        { 200, "{\"type\":\"ADDED\"}\n", "10", false },
        { 200, "{\"type\":\"ADDED\",\"object\":7}\n", "10", false },
        { 200, "{\"type\":\"ADDED\",\"object\":{\"metadata\":[]}}\n", "10", false },
        { 410, STATUS(410, "Expired", "old", ""), "10", false },
        { 500, STATUS(500, "", "bad", ""), "10", false },
        { 503, "", "10", false },
        { 502, "<html>bad</html", "10", false },
        { 307, "", "10", false },
        { 404, "404 page not found\n", "10", false },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct fixture x;
        setup(&x);
        settle(&x);
        answer(&x, t[i].status, 0, t[i].body, TRANSFER_COMPLETE);
        int64_t waited = wait_for_request(&x);
        is_relist(&x, t[i].version);
        ok(t[i].is_at_once ? waited == 0 : waited >= 800 && waited < 1600, "%s: %lld", t[i].body,
           (long long)waited);
        answer(&x, 200, 0, LIST("30", ITEM("a", "1") "," ITEM("b", "2")), TRANSFER_COMPLETE);
        is_span(objectset_log(&x.set), SPAN_LIT(""), "what is the same is not told");
        wait_for_request(&x);
        is_watch(&x, "30");
        teardown(&x);
    }
}

static void test_caps(void)
{
    struct fixture x;
    AUTO_STR big = mem_zalloc(2 * MAX_OBJECT);
    AUTO_STR deep = mem_zalloc(2 * MAX_OBJECT);
    static const char list[] = "{\"items\":[{\"a\":";

    memset(big, 'x', 2 * MAX_OBJECT - 1);
    memset(deep, '[', 20000);
    setup(&x);
    settle(&x);
    answer(&x, 200, 0, big, TRANSFER_COMPLETE);
    ok(strstr(report(&x).problem, "limit") != NULL || report(&x).n_failures == 1, "a failure");
    wait_for_request(&x);
    is_relist(&x, "10");
    reflector_head(x.r, 200, 0);
    ok(give(&x, list), "a list that is too deep");
    end(&x, give(&x, deep) ? TRANSFER_COMPLETE : TRANSFER_STOPPED);
    ok(strstr(report(&x).problem, "nested too deeply") != NULL, "%s", report(&x).problem);
    wait_for_request(&x);
    reflector_head(x.r, 200, 0);
    ok(give(&x, list) && give(&x, "\""), "an object that is too long");
    end(&x, give(&x, big) ? TRANSFER_COMPLETE : TRANSFER_STOPPED);
    ok(strstr(report(&x).problem, "an object is larger than the limit") != NULL, "%s",
       report(&x).problem);
    wait_for_request(&x);
    reflector_head(x.r, 200, 0);
    ok(give(&x, "{\"items\":["), "a list that never ends");
    unsigned n = 0;
    while (give(&x, n == 0 ? ITEM("a", "1") : "," ITEM("a", "1"))) {
        n++;
    }
    ok(n > 10000 && n < 20000, "%u items", n);
    end(&x, TRANSFER_STOPPED);
    ok(strstr(report(&x).problem, "the list is larger than the limit") != NULL, "%s",
       report(&x).problem);
    is_int(report(&x).n_objects, 2, "all that was known is");
    is_int(report(&x).state, REFLECTOR_FAILING, "it fails, and that is known");
    teardown(&x);
}

static void test_wait_as_told(void)
{
    static const struct {
        int status, retry_after_s;
        const char *body;
        int64_t least_ms;
        bool is_watch;
    } t[] = {
        { 429, 3, "Too many requests, please try again later.\n", 3000, true },
        { 429, 0,
          STATUS(429, "TooManyRequests", "storage", "\"details\":{\"retryAfterSeconds\":5},"), 5000,
          true },
        { 503, 5, STATUS(503, "ServiceUnavailable", "starting", ""), 5000, false },
        { 429, 999999, "", 300000, true },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct fixture x;
        setup(&x);
        settle(&x);
        answer(&x, t[i].status, t[i].retry_after_s, t[i].body, TRANSFER_COMPLETE);
        int64_t waited = wait_for_request(&x);
        ok(waited >= t[i].least_ms && waited <= t[i].least_ms + 1, "%lld", (long long)waited);
        is_int(x.request.stage, t[i].is_watch ? REFLECTOR_WATCH : REFLECTOR_LIST, "and then");
        teardown(&x);
    }
}

/* ---- rights: rows 23 to 25 */

static void test_unauthorized(void)
{
    struct fixture x;

    setup(&x);
    settle(&x);
    answer(&x, 401, 0, STATUS(401, "Unauthorized", "Unauthorized", ""), TRANSFER_COMPLETE);
    is_int(wait_for_request(&x), 0, "once more at once");
    ok(x.request.renews_credentials, "with the token read again");
    is_watch(&x, "10");
    answer(&x, 401, 0, "", TRANSFER_COMPLETE);
    ok(wait_for_request(&x) >= 800, "then later");
    ok(x.request.renews_credentials, "with the token read again");
    for (unsigned i = 0; i < 8; i++) {
        answer(&x, 401, 0, "", TRANSFER_COMPLETE);
        x.now += 1;
        wait_for_request(&x);
    }
    answer(&x, 401, 0, "", TRANSFER_COMPLETE);
    int64_t waited = wait_for_request(&x);
    ok(waited >= 30000 && waited < 60000, "in the end twice a minute: %lld", (long long)waited);
    is_span(objectset_log(&x.set), SPAN_LIT(""), "nothing is told meanwhile");
    is_int(report(&x).state, REFLECTOR_FAILING, "but it is known");
    reflector_head(x.r, 200, 0);
    is_int(report(&x).state, REFLECTOR_FOLLOWING, "until it works again");
    end(&x, TRANSFER_CUT);
    wait_for_request(&x);
    ok(!x.request.renews_credentials, "with the token that works");
    teardown(&x);
}

static void test_forbidden(void)
{
    struct fixture x;
    unsigned n_changes;

    setup(&x);
    wait_for_request(&x);
    answer(&x, 403, 0,
           STATUS(403, "Forbidden", "pods is forbidden", "\"details\":{\"kind\":\"pods\"},"),
           TRANSFER_COMPLETE);
    is_int(report(&x).state, REFLECTOR_FORBIDDEN, "is said at once");
    ok(!report(&x).is_synced, "nothing is known");
    is_str(report(&x).problem,
           "the server answered 403: pods is forbidden; needed: {apiGroups: [\"\"], resources: "
           "[pods], verbs: [list, watch]}",
           "with what is needed");
    n_changes = report(&x).n_changes;
    int64_t waited = wait_for_request(&x);
    ok(waited >= 800 && waited < 1600, "and tried soon, as a server may start: %lld",
       (long long)waited);
    for (int i = 0; i < 8; i++) {
        answer(&x, 403, 0, STATUS(403, "Forbidden", "pods is forbidden", ""), TRANSFER_COMPLETE);
        waited = wait_for_request(&x);
    }
    ok(waited >= 30000 && waited <= 60000, "then each minute: %lld", (long long)waited);
    answer(&x, 403, 0, STATUS(403, "Forbidden", "pods is forbidden", ""), TRANSFER_COMPLETE);
    is_int(report(&x).n_changes, n_changes, "which is not said again");
    wait_for_request(&x);
    answer(&x, 200, 0, LIST("10", ITEM("a", "1")), TRANSFER_COMPLETE);
    is_span(objectset_log(&x.set), SPAN_LIT("[ +d/a@1 ]"), "until it may");
    wait_for_request(&x);
    answer(&x, 403, 0, STATUS(403, "Forbidden", "no watch", ""), TRANSFER_COMPLETE);
    waited = wait_for_request(&x);
    is_relist(&x, "10");
    ok(waited >= 800, "without the right to watch it is listed again and again");
    teardown(&x);
}

static void test_rejected(void)
{
    struct fixture x;

    setup(&x);
    wait_for_request(&x);
    answer(&x, 400, 0, STATUS(400, "BadRequest", "field label not supported", ""),
           TRANSFER_COMPLETE);
    is_int(report(&x).state, REFLECTOR_REJECTED, "what we ask is wrong");
    ok(wait_for_request(&x) >= 480000, "and not asked again soon");
    teardown(&x);
}

/* ---- lists: rows 26 to 38 */

static void test_list_failures_keep(void)
{
    static const struct {
        int status;
        const char *body;
        enum transfer_end how;
        const char *log;
    } t[] = {
        { 200, "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[" ITEM("c", "3") ",",
          TRANSFER_COMPLETE, "[ +d/c@3 !" },
        { 200, LIST("9", ITEM("c", "3")), TRANSFER_CUT, "[ +d/c@3 !" },
        { 200, "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[" ITEM("c", "3") ",7]}",
          TRANSFER_COMPLETE, "[ +d/c@3 !" },
        { 200,
          "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[" ITEM("c", "3") ITEM("e", "3"),
          TRANSFER_COMPLETE, "[ +d/c@3 !" },
        { 200, "", TRANSFER_COMPLETE, "" },
        { 200, "{}", TRANSFER_COMPLETE, "" },
        { 200, "null", TRANSFER_COMPLETE, "" },
        { 200, "{\"items\":[]}", TRANSFER_COMPLETE, "" },
        { 200, "{\"metadata\":{\"resourceVersion\":\"9\"}}", TRANSFER_COMPLETE, "" },
        { 200, "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":{}}", TRANSFER_COMPLETE, "" },
        { 200, LIST("9", "") "x", TRANSFER_COMPLETE, "" },
        { 200, STATUS(200, "", "", "\"items\":[],\"metadata\":{\"resourceVersion\":\"9\"},"),
          TRANSFER_COMPLETE, "" },
        { 200, "<html></html>", TRANSFER_COMPLETE, "" },
        { 200, "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[{\"metadata\":{}}]}",
          TRANSFER_COMPLETE, "" },
        { 503, "", TRANSFER_COMPLETE, "" },
        { 502, "<html>bad</html", TRANSFER_CUT, "" },
        { 429, "", TRANSFER_COMPLETE, "" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct fixture x;
        setup(&x);
        settle(&x);
        answer(&x, 200, 0, ERROR_EVENT(410, "Expired", ""), TRANSFER_COMPLETE);
        wait_for_request(&x);
        answer(&x, t[i].status, 0, t[i].body, t[i].how);
        is_span(objectset_log(&x.set), span_of(t[i].log), "%s", t[i].body);
        is_int(x.set.items.n, 2, "all that was known is");
        ok(wait_for_request(&x) >= 1600, "it is tried again, later");
        is_relist(&x, "10");
        is_int(report(&x).n_objects, 2, "and nothing is remembered of it");
        answer(&x, 200, 0, LIST("30", ITEM("a", "1")), TRANSFER_COMPLETE);
        is_span(objectset_log(&x.set), SPAN_LIT("[ -d/b ]"), "the next list counts");
        teardown(&x);
    }
}

static void test_lists(void)
{
    static const struct {
        const char *body, *told, *version;
    } t[] = {
        { "{\"apiVersion\":\"g/v1\",\"items\":[" ITEM("a", "1") "," ITEM(
              "b", "2") "],\"kind\":\"XList\","
                        "\"metadata\":{\"continue\":\"\",\"resourceVersion\":\"308\"}}\n",
          "", "308" },
        { "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":null}", "[ -d/a -d/b ]", "7" },
        { LIST("31", ITEM("a", "1")), "[ -d/b ]", "31" },
        { LIST("31", ITEM("a", "1") "," ITEM("b", "2") "," ITEM("c", "9")), "[ +d/c@9 ]", "31" },
        { LIST("31",
               ITEM("a", "1") ",{\"metadata\":{\"name\":\"b\",\"namespace\":\"d\",\"uid\":\"v\","
                              "\"resourceVersion\":\"2\"}}"),
          "[ -d/b +d/b@2 ]", "31" },
        { " { \"items\" : [ " ITEM("a", "1") " , " ITEM(
              "b",
              "5") " ] , \"metadata\" : { "
                   "\"items\" : [ 1 ] , \"resourceVersion\" : \"32\" } , \"x\" : \"items\" } \n",
          "[ +d/b@5 ]", "32" },
        /* lower than what is known, as after a restore: it is the truth */
        { LIST("4", ITEM("a", "0") "," ITEM("b", "2")), "[ +d/a@0 ]", "4" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        for (size_t split = 0; split < 5; split++) {
            struct fixture x;
            setup(&x);
            settle(&x);
            answer(&x, 200, 0, ERROR_EVENT(504, "Timeout", TOO_NEW), TRANSFER_COMPLETE);
            wait_for_request(&x);
            is_relist(&x, "");
            x.split = split;
            answer(&x, 200, 0, t[i].body, TRANSFER_COMPLETE);
            struct span log = objectset_log(&x.set);
            bool is_swapped = i == 1 && span_is(log, "[ -d/b -d/a ]"); /* no order among these */
            ok(is_swapped || span_is(log, t[i].told), "%s: %.*s", t[i].body, SPAN_ARG(log));
            wait_for_request(&x);
            is_watch(&x, t[i].version);
            teardown(&x);
        }
    }
}

static void test_list_from_the_future(void)
{
    struct fixture x;

    setup(&x);
    settle(&x);
    answer(&x, 200, 0, ERROR_EVENT(410, "Expired", ""), TRANSFER_COMPLETE);
    wait_for_request(&x);
    is_relist(&x, "10");
    answer(&x, 504, 1, STATUS(504, "Timeout", "no", TOO_NEW), TRANSFER_COMPLETE);
    is_int(wait_for_request(&x), 0, "at once");
    is_relist(&x, "");
    answer(&x, 504, 1, STATUS(504, "Timeout", "no", TOO_NEW), TRANSFER_COMPLETE);
    ok(wait_for_request(&x) >= 1000, "once");
    is_relist(&x, "");
    teardown(&x);
}

static void test_kind_comes_and_goes(void)
{
    static const char there[] = "{\"kind\":\"APIResourceList\",\"groupVersion\":\"v1\","
                                "\"resources\":[{\"name\":\"pods/log\"},"
                                "{\"name\":\"pods\",\"verbs\":[\"list\"]}]}";
    static const char not_there[] = "{\"kind\":\"APIResourceList\",\"resources\":[{\"name\":\"x\","
                                    "\"kind\":\"pods\",\"verbs\":[\"pods\"]}]}";
    struct fixture x;

    setup(&x);
    wait_for_request(&x);
    answer(&x, 404, 0, "404 page not found\n", TRANSFER_COMPLETE);
    is_span(objectset_log(&x.set), SPAN_LIT("[ ]"), "what is not there is known, and empty");
    is_int(report(&x).state, REFLECTOR_ABSENT, "and that is said");
    int64_t waited = wait_for_request(&x);
    ok(waited >= 800 && waited <= 60000, "it may come: %lld", (long long)waited);
    answer(&x, 404, 0, "404 page not found\n", TRANSFER_COMPLETE);
    is_span(objectset_log(&x.set), SPAN_LIT(""), "no news");
    reflector_hurry(x.r, x.now + 5);
    is_int(reflector_deadline_ms(x.r), x.now + 5, "somebody saw it come");
    wait_for_request(&x);
    answer(&x, 429, 1, "", TRANSFER_COMPLETE);
    wait_for_request(&x);
    answer(&x, 200, 0, LIST("10", ITEM("a", "1")), TRANSFER_COMPLETE);
    is_span(objectset_log(&x.set), SPAN_LIT("[ +d/a@1 ]"), "it came");
    wait_for_request(&x);
    answer(&x, 200, 0, EVENT("ADDED", "b", "11"), TRANSFER_COMPLETE);
    (void)objectset_log(&x.set);

    wait_for_request(&x);
    answer(&x, 404, 0, "", TRANSFER_COMPLETE);
    wait_for_request(&x);
    answer(&x, 404, 0, "", TRANSFER_COMPLETE);
    wait_for_request(&x);
    is_span(x.request.target, SPAN_LIT("/api/v1"), "is it really gone?");
    is_span(x.request.accept, SPAN_LIT("application/json"), "asked plainly");
    answer(&x, 200, 0, there, TRANSFER_COMPLETE);
    is_span(objectset_log(&x.set), SPAN_LIT(""), "no: nothing is believed");
    wait_for_request(&x);
    is_relist(&x, "11");
    answer(&x, 404, 0, "", TRANSFER_COMPLETE);
    wait_for_request(&x);
    answer(&x, 200, 0, "{\"resources\":[{\"na", TRANSFER_COMPLETE);
    is_int(x.set.items.n, 2, "half an answer is none");
    wait_for_request(&x);
    answer(&x, 404, 0, "", TRANSFER_COMPLETE);
    wait_for_request(&x);
    answer(&x, 200, 0, not_there, TRANSFER_COMPLETE);
    is_int(x.set.items.n, 0, "yes: all are gone");
    is_int(x.set.n_committed, 3, "as of one list");
    is_int(report(&x).state, REFLECTOR_ABSENT, "that is said");
    wait_for_request(&x);
    is_relist(&x, "");
    teardown(&x);
}

/* ---- outages: row 39, and servers that were restored */

static void test_outage(void)
{
    struct fixture x;
    int64_t from;

    setup(&x);
    settle(&x);
    end(&x, TRANSFER_REFUSED);
    ok(wait_for_request(&x) < 1600, "after a moment");
    is_watch(&x, "10");
    end(&x, TRANSFER_REFUSED);
    for (from = x.now; x.now - from < 20000; end(&x, TRANSFER_REFUSED)) {
        ok(wait_for_request(&x) >= 800, "not in a circle");
        ok(x.request.stage != REFLECTOR_LIST, "nothing is listed");
    }
    ok(report(&x).waits_for_host, "there is no connection");
    reflector_hurry(x.r, x.now + 1);
    is_int(wait_for_request(&x), 1, "another found one");
    is_int(x.request.stage, REFLECTOR_PROBE, "does the server know our version?");
    is_span(x.request.target,
            SPAN_LIT("/api/v1/pods?resourceVersion=10&resourceVersionMatch=NotOlderThan&limit=1&"
                     "fieldSelector=metadata.name%3Dx"),
            "asked for next to nothing");
    answer(&x, 200, 0, LIST("44", ""), TRANSFER_COMPLETE);
    wait_for_request(&x);
    is_watch(&x, "10");
    ok(!report(&x).waits_for_host, "there is one");
    is_span(objectset_log(&x.set), SPAN_LIT(""), "no flap");
    teardown(&x);
}

static void test_restored_server(void)
{
    struct fixture x;

    setup(&x);
    settle(&x);
    reflector_head(x.r, 200, 0);
    x.now += 3600000;
    end(&x, TRANSFER_CUT);
    wait_for_request(&x);
    is_int(x.request.stage, REFLECTOR_PROBE, "once an hour it is asked in any case");
    answer(&x, 504, 1, STATUS(504, "Timeout", "no", TOO_NEW), TRANSFER_COMPLETE);
    is_int(wait_for_request(&x), 0, "at once");
    is_relist(&x, "");
    answer(&x, 200, 0, LIST("3", ITEM("a", "1")), TRANSFER_COMPLETE);
    is_span(objectset_log(&x.set), SPAN_LIT("[ -d/b ]"), "the restored state is the truth");
    wait_for_request(&x);
    is_watch(&x, "3");
    teardown(&x);
}

static void test_probe_of_one_object(void)
{
    struct fixture x;

    setup_for(&x,
              &(struct reflector_want){ .version = SPAN_LIT("v1"),
                                        .resource = SPAN_LIT("secrets"),
                                        .kind = SPAN_LIT("Secret"),
                                        .namespace = SPAN_LIT("n"),
                                        .field_selector = SPAN_LIT("metadata.name=ca") },
              &options);
    wait_for_request(&x);
    answer(&x, 200, 0, LIST("10", ""), TRANSFER_COMPLETE);
    wait_for_request(&x);
    end(&x, TRANSFER_REFUSED);
    x.now += 6000;
    wait_for_request(&x);
    is_int(x.request.stage, REFLECTOR_PROBE, "a probe");
    ok(asks(&x, "fieldSelector=metadata.name%3Dca") && !asks(&x, "%3Dx"),
       "who may see one name asks for that one: %.*s", SPAN_ARG(x.request.target));
    answer(&x, 403, 0, "", TRANSFER_COMPLETE);
    wait_for_request(&x);
    is_int(x.request.stage, REFLECTOR_LIST, "what cannot be probed is listed");
    teardown(&x);
}

/* ---- who joins */

static void test_refresh(void)
{
    struct fixture x;

    setup(&x);
    settle(&x);
    reflector_head(x.r, 200, 0);
    ok(reflector_refresh(x.r, x.now), "the watch is to be stopped");
    ok(!reflector_piece(x.r, SPAN_LIT("{")), "and takes nothing more");
    end(&x, TRANSFER_STOPPED);
    is_int(wait_for_request(&x), 0, "at once");
    is_relist(&x, "10");
    answer(&x, 200, 0, LIST("12", ITEM("a", "1")), TRANSFER_CUT);
    is_span(objectset_log(&x.set), SPAN_LIT("[ +d/a@1 !"), "a list that fails");
    wait_for_request(&x);
    answer(&x, 200, 0, LIST("12", ITEM("a", "1")), TRANSFER_COMPLETE);
    is_span(objectset_log(&x.set), SPAN_LIT("[ +d/a@1 -d/b ]"),
            "everything is told, the same as well");
    is_int(report(&x).n_failures, 1, "to be stopped is no failure");
    wait_for_request(&x);
    answer(&x, 200, 0, ERROR_EVENT(410, "Gone", ""), TRANSFER_COMPLETE);
    ok(!reflector_refresh(x.r, x.now), "nothing is under way");
    wait_for_request(&x);
    answer(&x, 404, 0, "", TRANSFER_COMPLETE);
    wait_for_request(&x);
    answer(&x, 404, 0, "", TRANSFER_COMPLETE);
    is_span(objectset_log(&x.set), SPAN_LIT("[ -d/a ]"), "who joins learns that nothing is there");
    ok(!reflector_refresh(x.r, x.now), "once more");
    wait_for_request(&x);
    answer(&x, 404, 0, "", TRANSFER_COMPLETE);
    is_span(objectset_log(&x.set), SPAN_LIT("[ ]"), "and again");
    teardown(&x);
}

static void test_oddities(void)
{
    struct fixture x;

    setup(&x);
    settle(&x);
    reflector_head(x.r, 200, 0);
    ok(report(&x).oddity == NULL, "none");
    ok(give(&x, "{\"type\":\"FROB\",\"object\":{}}\n{\"type\":\"FROB\",\"object\":{}}\n"), "two");
    ok(report(&x).oddity != NULL, "is told");
    ok(give(&x, "{\"type\":\"FROB\",\"object\":{}}\n"), "another");
    ok(report(&x).oddity == NULL, "once");
    teardown(&x);
}

/* A list or an event that has just as many bytes as are allowed is taken, one more is not. */
static void test_at_the_limits(void)
{
    static const char list[] = LIST("10", ITEM("a", "1")), event[] = EVENT("ADDED", "b", "11");
    const struct reflector_want want = { .version = SPAN_LIT("v1"),
                                         .resource = SPAN_LIT("pods"),
                                         .kind = SPAN_LIT("Pod") };

    for (size_t less = 0; less < 2; less++) {
        struct reflector_options o = options;
        struct fixture x;
        o.max_list_bytes = sizeof(list) - 1 - less;
        setup_for(&x, &want, &o);
        wait_for_request(&x);
        answer(&x, 200, 0, list, TRANSFER_COMPLETE);
        is_span(objectset_log(&x.set), less == 0 ? SPAN_LIT("[ +d/a@1 ]") : SPAN_LIT(""),
                "a list of the limit, and one more");
        is_int(report(&x).n_failures, less, "fails");
        teardown(&x);
        o = options;
        o.max_object_bytes = sizeof(event) - 2 - less; /* without its end of line */
        setup_for(&x, &want, &o);
        settle(&x);
        reflector_head(x.r, 200, 0);
        is_int(give(&x, event), less == 0, "an event of the limit, and one more");
        teardown(&x);
    }
}

int main(void)
{
    test_requests();
    test_pages();
    test_watch_ends();
    test_half_a_line_is_nothing();
    test_empty_watches_back_off();
    test_what_ends_a_watch_for_a_list();
    test_caps();
    test_wait_as_told();
    test_unauthorized();
    test_forbidden();
    test_rejected();
    test_list_failures_keep();
    test_lists();
    test_list_from_the_future();
    test_kind_comes_and_goes();
    test_outage();
    test_restored_server();
    test_probe_of_one_object();
    test_refresh();
    test_oddities();
    test_at_the_limits();
    return check_done();
}

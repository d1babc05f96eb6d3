/* Views and cuts of objects: what stays, what does not matter, and what makes one unreadable. */
#include "allocator/kube/object.h"

#include "allocator/base/limits.h"
#include "tests/check.h"

static struct arena arena;

static struct span cut(enum object_kind kind, const char *text)
{
    struct span whole = check_at_edge(span_of(text));
    struct err err = { 0 };
    struct buf out;

    buf_init(&out, 1 << 16);
    if (object_cut(kind, whole, &out, &err) < 0) {
        buf_clear(&out);
        buf_add_str(&out, err.text);
    }
    struct span copy = arena_span(&arena, buf_span(&out));
    buf_fini(&out);
    return copy;
}

static const char *view(enum object_kind kind, const char *text, void *out)
{
    static struct err err;

    err = (struct err){ 0 };
    return object_view(kind, span_of(text), &arena, out, &err) == 0 ? "" : err.text;
}

static void test_cut(void)
{
    is_span(
        cut(OBJECT_NODE,
            "{\"kind\":\"Node\",\"metadata\":{\"name\":\"n1\",\"resourceVersion\":\"7\",\"labels\":"
            "{\"a\":\"b\"},\"managedFields\":[{\"x\":{}}]},\"spec\":{\"podCIDR\":\"10.0.0.0/24\"},"
            "\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\","
            "\"lastHeartbeatTime\":\"2026-01-01T00:00:00Z\"}],\"images\":[{\"sizeBytes\":1}]}}"),
        SPAN_LIT("{\"metadata\":{\"name\":\"n1\",\"labels\":{\"a\":\"b\"}},\"spec\":{},\"status\":"
                 "{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}"),
        "what no target is made of goes");
    is_span(cut(OBJECT_NAMESPACE, " { \"metadata\" : { \"labels\" : { \"a\" : \"b\" } } } "),
            SPAN_LIT("{\"metadata\":{\"labels\":{ \"a\" : \"b\" }}}"), "white space around goes");
    is_span(cut(OBJECT_POD, "{\"spec\":{\"containers\":[],\"initContainers\":null}}"),
            SPAN_LIT("{\"spec\":{\"containers\":[],\"initContainers\":null}}"),
            "nothing stays that");
    is_span(cut(OBJECT_POD, "{\"spec\":{\"containers\":[{\"name\":\"a\",\"env\":[1]},{\"image\":"
                            "\"i\"}]}}"),
            SPAN_LIT("{\"spec\":{\"containers\":[{\"name\":\"a\"},{\"image\":\"i\"}]}}"),
            "each item of a list is cut");
    is_span(cut(OBJECT_POD, "{}"), SPAN_LIT("{}"), "nothing there, nothing to cut");
}

static void test_faults(void)
{
    struct object_pod pod;
    struct object_service service;
    struct object_endpointslice slice;

    is_span(cut(OBJECT_POD, "[]"), SPAN_LIT("this is not a JSON object"), "a list");
    is_span(cut(OBJECT_POD, "{\"spec\":3}"), SPAN_LIT("spec has the wrong type"), "a number");
    is_span(cut(OBJECT_POD, "{\"spec\":{\"containers\":{}}}"),
            SPAN_LIT("containers has the wrong type"), "an object for a list");
    is_span(cut(OBJECT_POD, "{\"spec\":{\"containers\":[{},3]}}"),
            SPAN_LIT("containers has the wrong type"), "a number in a list of objects");
    ok(span_has_prefix(cut(OBJECT_POD, "{\"spec\":{}"), "offset 10"), "the end is missing");
    ok(span_has_prefix(cut(OBJECT_POD, "{} x"), "offset 3"), "more behind it");
    ok(span_has_prefix(cut(OBJECT_POD, ""), "offset 0"), "nothing at all");
    is_str(view(OBJECT_POD, "{\"status\":{\"podIP\":1}}", &pod), "podIP has the wrong type",
           "text");
    is_str(view(OBJECT_POD, "{\"metadata\":{\"labels\":{\"a\":1}}}", &pod),
           "labels has the wrong type", "a label that is no text");
    is_str(view(OBJECT_POD, "{\"metadata\":{\"labels\":[]}}", &pod), "labels has the wrong type",
           "labels in a list");
    is_str(view(OBJECT_SERVICE, "{\"spec\":{\"ports\":[{\"port\":\"80\"}]}}", &service),
           "port has the wrong type", "a number in quotes");
    is_str(view(OBJECT_SERVICE, "{\"spec\":{\"ipFamilies\":[4]}}", &service),
           "ipFamilies has the wrong type", "a number in a list of texts");
    is_str(view(OBJECT_ENDPOINTSLICE, "{\"endpoints\":[{\"conditions\":{\"ready\":\"true\"}}]}",
                &slice),
           "ready has the wrong type", "a truth in quotes");
}

static void test_views(void)
{
    struct object_endpointslice slice;
    struct object_ingress ingress;
    struct object_pod pod;

    is_str(view(OBJECT_ENDPOINTSLICE,
                "{\"endpoints\":null,\"ports\":[{\"name\":\"\",\"port\":null},{\"port\":80}],"
                "\"metadata\":{\"annotations\":{\"k\\u0041\":\"v\\n\",\"n\":null}}}",
                &slice),
           "", "null is as good as absent");
    is_int(slice.endpoints.n, 0, "no endpoints");
    is_int(slice.ports.n, 2, "two ports");
    ok(slice.ports.v[0].name.p != NULL && slice.ports.v[1].name.p == NULL,
       "an empty name is told from none");
    ok(slice.ports.v[0].number.p == NULL, "no number");
    is_span(slice.ports.v[1].number, SPAN_LIT("80"), "a number is its characters");
    is_span(slice.meta.annotations.v[0].name, SPAN_LIT("kA"), "escapes are read in names");
    is_span(slice.meta.annotations.v[0].value, SPAN_LIT("v\n"), "and in values");
    is_span(slice.meta.annotations.v[1].value, SPAN_LIT(""), "a value that is null is empty");

    is_str(view(OBJECT_ENDPOINTSLICE,
                "{\"endpoints\":[{\"targetRef\":null,\"conditions\":{\"ready\":false}},"
                "{\"targetRef\":{}}]}",
                &slice),
           "", "endpoints");
    ok(!slice.endpoints.v[0].has_target && slice.endpoints.v[1].has_target,
       "a target without anything is there, null is not");
    is_span(slice.endpoints.v[0].ready, SPAN_LIT("false"), "a truth is its word");
    ok(slice.endpoints.v[1].ready.p == NULL, "one that is not said");

    is_str(
        view(OBJECT_INGRESS, "{\"spec\":{\"rules\":[{\"host\":\"a\"},{\"http\":{}}]}}", &ingress),
        "", "an ingress");
    ok(!ingress.rules.v[0].has_http && ingress.rules.v[1].has_http, "which rule has paths");

    is_str(
        view(OBJECT_POD,
             "{\"metadata\":{\"ownerReferences\":[{\"kind\":\"A\",\"name\":\"a\"},{\"kind\":\"B\","
             "\"name\":\"b\",\"controller\":true},{\"kind\":\"C\",\"controller\":true}]},\"spec\":"
             "{\"containers\":[{\"ports\":[{\"containerPort\":1},{},{},{},{}]},{}]}}",
             &pod),
        "", "a pod");
    is_span(object_controller(&pod.meta)->name, SPAN_LIT("b"), "the first that is in control");
    is_int(pod.containers.v[0].ports.n, 5, "lists grow");
    is_span(pod.containers.v[0].ports.v[0].number, SPAN_LIT("1"), "and keep what they have");
    is_str(view(OBJECT_POD, "{\"metadata\":{\"ownerReferences\":[{\"controller\":false}]}}", &pod),
           "", "a pod");
    ok(object_controller(&pod.meta) == NULL, "nobody is in control");
}

/* Neither its labels nor its containers make a pod another collector. */
static void test_collector(void)
{
    static const char text[] =
        "{\"metadata\":{\"name\":\"c-0\",\"uid\":\"u\",\"deletionTimestamp\":\"2026-01-01T00:00:"
        "00Z\","
        "\"labels\":{\"a\":\"b\"}},\"spec\":{\"nodeName\":\"n\",\"containers\":[{}]},\"status\":{"
        "\"podIP\":\"10.0.0.1\",\"phase\":\"Running\",\"startTime\":\"2026-01-01T00:00:01Z\","
        "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"lastProbeTime\":null,"
        "\"lastTransitionTime\":\"2026-01-01T00:00:02Z\"}]}}";
    struct object_collector c;

    is_str(view(OBJECT_COLLECTOR, text, &c), "", "a collector");
    is_span(c.name, SPAN_LIT("c-0"), "name");
    is_span(c.uid, SPAN_LIT("u"), "uid");
    is_span(c.deleted, SPAN_LIT("2026-01-01T00:00:00Z"), "deletionTimestamp");
    is_span(c.node_name, SPAN_LIT("n"), "nodeName");
    is_span(c.ip, SPAN_LIT("10.0.0.1"), "podIP");
    is_span(c.phase, SPAN_LIT("Running"), "phase");
    is_span(c.started, SPAN_LIT("2026-01-01T00:00:01Z"), "startTime");
    is_span(c.conditions.v[0].type, SPAN_LIT("Ready"), "a condition");
    is_span(c.conditions.v[0].status, SPAN_LIT("True"), "its status");
    is_span(c.conditions.v[0].since, SPAN_LIT("2026-01-01T00:00:02Z"), "and since when");
    struct span kept = cut(OBJECT_COLLECTOR, text);
    is_span(c.labels.v[0].value, SPAN_LIT("b"), "a label, which says whose it is");
    ok(memmem(kept.p, kept.len, "containers", 10) == NULL, "its containers are not kept");
}

/* What its author says of it, whatever that is, and nothing else. */
static void test_custom(void)
{
    static const char text[] =
        "{\"apiVersion\":\"g/v1\",\"kind\":\"K\",\"metadata\":{\"name\":\"a\",\"namespace\":\"n\","
        "\"resourceVersion\":\"7\",\"generation\":2,\"annotations\":{\"x\":\"y\"},"
        "\"managedFields\":[]},\"spec\":{\"a\":[1,{\"b\":null}],\"c\":\"\\u00e9\"},\"status\":{}}";
    struct object_custom custom;
    struct span kept = cut(OBJECT_CUSTOM, text);

    is_span(kept,
            SPAN_LIT("{\"apiVersion\":\"g/v1\",\"kind\":\"K\",\"metadata\":{\"name\":\"a\","
                     "\"namespace\":\"n\",\"annotations\":{\"x\":\"y\"}},\"spec\":{\"a\":[1,{\"b\":"
                     "null}],\"c\":\"\\u00e9\"}}"),
            "cut");
    is_str(view(OBJECT_CUSTOM, kept.p, &custom), "", "view");
    is_span(custom.spec, SPAN_LIT("{\"a\":[1,{\"b\":null}],\"c\":\"\\u00e9\"}"),
            "as it is written");
    is_span(custom.annotations.v[0].value, SPAN_LIT("y"), "an annotation");
    is_str(view(OBJECT_CUSTOM, "{\"spec\":7}", &custom), "", "a spec of any kind");
    is_span(custom.spec, SPAN_LIT("7"), "is its text");
    ok(*view(OBJECT_CUSTOM, "{\"spec\":[}", &custom) != '\0', "but for what is none at all");
}

int main(void)
{
    arena_init(&arena);
    test_custom();
    test_cut();
    test_faults();
    test_views();
    test_collector();
    arena_fini(&arena);
    return check_done();
}

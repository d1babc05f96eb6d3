/* Which object, in which state, read from its text; and lines of watches, and refusals. */
#include "allocator/kube/objecthead.h"

#include "allocator/kube/status.h"
#include "tests/check.h"

#include <stdio.h>

static void test_heads(void)
{
    static const struct {
        const char *text;
        const char *kind, *namespace, *name, *uid, *version, *unread;
    } t[] = {
        { "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\",\"namespace\":\"d\",\"uid\":\"u\","
          "\"resourceVersion\":\"7\",\"labels\":{\"name\":\"x\"}},\"spec\":BROKEN",
          "Pod", "d", "a", "u", "7", "" },
        { "{\"metadata\":{\"managedFields\":[1],\"name\":\"a\"},\"kind\":\"Pod\"}", "Pod", "", "a",
          "", "", "\"managedFields\":[1]," },
        { "{\"metadata\":{\"name\":\"a\" , \"managedFields\" : [ \"]\" ] }}", "", "", "a", "", "",
          ", \"managedFields\" : [ \"]\" ]" },
        { "{\"metadata\":{\"managedFields\":{} \t\r\n,\"name\":\"a\"}}", "", "", "a", "", "",
          "\"managedFields\":{} \t\r\n," },
        { "{\"metadata\":{\"name\":\"a\",\n \"managedFields\":[] }}", "", "", "a", "", "",
          ",\n \"managedFields\":[]" },
        { "{\"metadata\":{\"managedFields\":null}}", "", "", "", "", "", "\"managedFields\":null" },
        { "{\"spec\":{\"metadata\":{\"name\":\"no\"}},\"metadata\":{\"name\":\"yes\"}}", "", "",
          "yes", "", "", "" },
        { "{}", "", "", "", "", "", "" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct objecthead h;
        struct err err = { 0 };
        bool wants_kind = i < 2;
        is_int(objecthead_read(check_at_edge(span_of(t[i].text)), wants_kind, &h, &err), 0, "%s %s",
               t[i].text, err.text);
        is_span(h.kind, span_of(t[i].kind), "kind");
        is_span(h.namespace, span_of(t[i].namespace), "namespace");
        is_span(h.name, span_of(t[i].name), "name");
        is_span(h.uid, span_of(t[i].uid), "uid");
        is_span(h.version, span_of(t[i].version), "version");
        is_span(h.unread, span_of(t[i].unread), "what nobody reads");
    }
}

static void test_refused_heads(void)
{
    static const char *const t[] = {
        "",
        "[]",
        "7",
        "{",
        "{\"kind\":1}",
        "{\"metadata\":[]}",
        "{\"metadata\":{\"name\":1}}",
        "{\"metadata\":{\"name\":\"\\u0061\"}}",
        "{\"metadata\":{\"name\":\"a\"",
        "{\"metadata\":{\"labels\":{]}}",
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct objecthead h;
        struct err err = { 0 };
        is_int(objecthead_read(check_at_edge(span_of(t[i])), false, &h, &err), ERR_INVALID, "%s",
               t[i]);
        ok(err.text[0] != '\0', "says why: %s", err.text);
    }
}

static void test_lines(void)
{
    static const char *const refused[] = {
        "",
        "{}",
        "[]",
        "{\"type\":\"A\"}",
        "{\"object\":{}}",
        "{\"type\":1,\"object\":{}}",
        "{\"type\":\"A\",\"object\":[]}",
        "{\"type\":\"A\",\"object\":{}} x",
        "{\"type\":\"A\",\"object\":{}",
    };
    struct watchline line;
    struct err err;

    is_int(watchline_read(SPAN_LIT("{\"more\":[],\"object\":{\"a\":1},\"type\":\"ADDED\"}"), &line,
                          &err),
           0, "in any order");
    is_span(line.type, SPAN_LIT("ADDED"), "type");
    is_span(line.object, SPAN_LIT("{\"a\":1}"), "object");
    for (size_t i = 0; i < COUNT(refused); i++) {
        is_int(watchline_read(check_at_edge(span_of(refused[i])), &line, &err), ERR_INVALID, "%s",
               refused[i]);
    }
}

static void test_status(void)
{
    struct kubestatus s;
    struct arena arena;

    arena_init(&arena);
    kubestatus_read(
        SPAN_LIT(
            "{\"kind\":\"Status\",\"metadata\":{\"continue\":\"x\"},\"status\":\"Failure\","
            "\"message\":\"a \\\"b\\\"\",\"reason\":\"Timeout\",\"details\":{\"causes\":[{"
            "\"message\":\"m\",\"reason\":\"Other\"},{\"reason\":\"ResourceVersionTooLarge\"}],"
            "\"more\":{\"reason\":[]},\"retryAfterSeconds\":3},\"code\":504}\n"),
        &arena, &s);
    is_int(s.code, 504, "code");
    is_span(s.reason, SPAN_LIT("Timeout"), "reason");
    is_span(s.message, SPAN_LIT("a \"b\""), "message");
    ok(s.is_version_new, "cause");
    is_int(s.retry_after_s, 3, "when to come back");

    static const char *const others[] = {
        "",
        "x",
        "[]",
        "{}",
        "{\"code\":410,\"reason\":\"Expired\"}",
        "{\"kind\":\"Pod\",\"code\":1}",
    };
    for (size_t i = 0; i < COUNT(others); i++) {
        kubestatus_read(check_at_edge(span_of(others[i])), &arena, &s);
        ok(s.code == 0 && s.reason.len == 0 && s.message.len == 0 && !s.is_version_new,
           "'%s' is none", others[i]);
    }
    kubestatus_read(
        SPAN_LIT("{\"kind\":\"Status\",\"code\":-410,\"details\":{\"retryAfterSeconds\":"
                 "99999999999}}"),
        &arena, &s);
    is_int(s.code, 0, "a number that cannot be");
    is_int(s.retry_after_s, 0, "or too long");
    arena_fini(&arena);
}

int main(void)
{
    test_heads();
    test_refused_heads();
    test_lines();
    test_status();
    return check_done();
}

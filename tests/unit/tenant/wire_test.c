#include "allocator/tenant/wire.h"

#include "allocator/base/limits.h"
#include "allocator/scrape/sdconfig.h"
#include "tests/check.h"

static void test_service_name(void)
{
    static const struct {
        const char *in, *want;
    } t[] = {
        { "otel", "otel-targetallocator" },
        { "my.Collector_x", "my-collector-x-targetallocator" },
        { "AZ[`{az09/:@", "az---az09----targetallocator" },
        { "-a", "a-targetallocator" },
        { "a-", "a--targetallocator" },
        { "", "targetallocator" },
        { "123456789-123456789-123456789-123456789-1234567",
          "123456789-123456789-123456789-123456789-1234567-targetallocator" },
        { "123456789-123456789-123456789-123456789-12345678",
          "123456789-123456789-123456789-123456789-1234567-targetallocator" },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        AUTO_BUF b;
        buf_init(&b, KIB);
        wire_service_name(span_of(t[i].in), &b);
        is_span(buf_span(&b), span_of(t[i].want), "service of '%s'", t[i].in);
        ok(b.len <= 63, "a DNS label");
    }
}

static void test_collector_name(void)
{
    static const struct {
        const char *in, *want;
    } t[] = {
        { "otel", "otel-collector" },
        { "my.Collector_x", "my-collector-x-collector" },
        { "-a", "a-collector" },
        { "", "collector" },
        { "123456789-123456789-123456789-123456789-123456789-1234",
          "123456789-123456789-123456789-123456789-123456789-123-collector" },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        AUTO_BUF b;
        buf_init(&b, KIB);
        wire_collector_name(span_of(t[i].in), &b);
        is_span(buf_span(&b), span_of(t[i].want), "StatefulSet of '%s'", t[i].in);
    }
}

static void test_job_url(void)
{
    static const struct {
        const char *ns, *name, *receiver, *job;
        enum wire_style style;
        const char *id, *want;
    } t[] = {
        { "", "otel", "prometheus", "node", WIRE_DOCUMENTED, "$POD_NAME",
          "http://otel-targetallocator:80/jobs/node/targets?collector_id=$POD_NAME" },
        { "ns", "otel", "", "a b/c+d%", WIRE_DOCUMENTED, "${POD_NAME}",
          "http://otel-targetallocator:80/jobs/a+b%2Fc%2Bd%25/targets?collector_id=${POD_NAME}" },
        { "ns", "otel", "prometheus/x", "j", WIRE_QUALIFIED, "${POD_NAME}",
          "http://otel-targetallocator.ns.svc:80/jobs/j/"
          "targets?collector_id=${POD_NAME}&receiver=prometheus%2Fx" },
        { "", "otel", "prometheus", "j", WIRE_QUALIFIED, "${POD_NAME}",
          "http://otel-targetallocator:80/jobs/j/targets?collector_id=${POD_NAME}" },
        { "ns", "otel", "prometheus/x", "", WIRE_SHARED, "${POD_NAME}",
          "http://ta.example:8080/n/ns/otel/jobs//"
          "targets?collector_id=${POD_NAME}&receiver=prometheus%2Fx" },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        AUTO_BUF b;
        struct arena arena;
        struct span job = { NULL, 0 };
        struct span receiver = { NULL, 0 };
        buf_init(&b, KIB);
        arena_init(&arena);
        wire_job_url(
            (struct wire_cr){ span_of(t[i].ns), span_of(t[i].name) }, span_of(t[i].receiver),
            span_of(t[i].job),
            &(struct wire_form){ t[i].style, span_of(t[i].id), SPAN_LIT("ta.example:8080") }, &b);
        is_span(buf_span(&b), span_of(t[i].want), "URL %zu", i);
        ok(wire_url_is_ours(buf_span(&b), &arena, &job, &receiver), "URL %zu is ours", i);
        is_span(job, span_of(t[i].job), "job of URL %zu", i);
        is_str(arena_strndup(&arena, receiver.p, receiver.len),
               t[i].receiver[0] == '\0' ? "prometheus" : t[i].receiver, "receiver of URL %zu", i);
        arena_fini(&arena);
    }
}

static void test_not_ours(void)
{
    static const char *const urls[] = {
        "",
        "http://",
        "http://x",
        "http://x/",
        "https://otel-targetallocator:80/jobs/j/targets?collector_id=a",
        "http://otel:80/jobs/j/targets?collector_id=a",
        "http://otel-targetallocator:8080/jobs/j/targets?collector_id=a",
        "http://otel-targetallocator.ns:80/jobs/j/targets?collector_id=a",
        "http://otel-targetallocator.ns.example:80/jobs/j/targets?collector_id=a",
        "http://otel-targetallocator:80/jobs/a/b/targets?collector_id=a",
        "http://otel-targetallocator:80/jobs/targets?collector_id=a",
        "http://otel-targetallocator:80/jobs/j/targets",
        "http://otel-targetallocator:80/jobs/j/targets?x=1&collector_id=a",
        "http://otel-targetallocator:80/jobs/j/targets?collector_id=a&x=1",
        "http://otel-targetallocator:80/jobs/j/targets?collector_id=a&receiver=b&receiver=c",
        "http://otel-targetallocator:80/jobs/%zz/targets?collector_id=a",
        "http://ta/n/ns/jobs/j/targets?collector_id=a",
        "http://sd.example/targets?collector_id=a",
    };
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct arena arena;
        struct span job;
        struct span receiver;
        arena_init(&arena);
        ok(!wire_url_is_ours(span_of(urls[i]), &arena, &job, &receiver), "not ours: '%s'", urls[i]);
        arena_fini(&arena);
    }
}

static void test_words(void)
{
    static const struct {
        const char *in;
        bool is_unexpanded;
    } ids[] = {
        { "$POD_NAME", true }, { "${POD_NAME}", true }, { "${env:POD_NAME}", true },
        { "x-${POD}", true },  { "$_", true },          { "collector-0", false },
        { "", false },         { "$", false },          { "a$", false },
        { "$$", false },
    };
    for (size_t i = 0; i < COUNT(ids); i++) {
        is_int(wire_is_unexpanded(span_of(ids[i].in)), ids[i].is_unexpanded, "collector_id '%s'",
               ids[i].in);
    }
    static const struct {
        const char *in;
        bool is_sd;
    } keys[] = {
        { "static_configs", true },   { "http_sd_configs", true },
        { "sd_configs", true },       { "_sd_configs", true },
        { "fooxsd_configs", false },  { "xstatic_configs", false },
        { "relabel_configs", false }, { "", false },
        { "static_configs ", false },
    };
    for (size_t i = 0; i < COUNT(keys); i++) {
        is_int(wire_is_sd_key(span_of(keys[i].in)), keys[i].is_sd, "key '%s'", keys[i].in);
    }
    for (size_t n = 0; sdconfig_sections[n] != NULL; n++) {
        ok(wire_is_sd_key(span_of(sdconfig_sections[n])), "%s is a section for the rewriter too",
           sdconfig_sections[n]);
    }
    enum wire_style style = WIRE_DOCUMENTED;
    ok(wire_style_from(SPAN_LIT("shared"), &style) && style == WIRE_SHARED, "style shared");
    ok(wire_style_from(SPAN_LIT("qualified"), &style) && style == WIRE_QUALIFIED,
       "style qualified");
    ok(!wire_style_from(SPAN_LIT("Shared"), &style), "no such style");
}

int main(void)
{
    test_service_name();
    test_collector_name();
    test_job_url();
    test_not_ours();
    test_words();
    return check_done();
}

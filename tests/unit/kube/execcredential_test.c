/* What a program that prints credentials is told, and what it may say. */
#include "allocator/kube/execcredential.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "tests/check.h"

#define V1 "client.authentication.k8s.io/v1"
#define SAYS(status) "{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",\"status\":" status "}"

static void test_info(void)
{
    struct kubeconfig c = { .server = SPAN_LIT("https://h:6443/p"),
                            .tls_server_name = SPAN_LIT("n"),
                            .insecure_skip_verify = true,
                            .exec = { .api_version = SPAN_LIT(V1),
                                      .cluster_config = SPAN_LIT("{\"a\":1}") } };
    struct buf out;

    buf_init(&out, MIB);
    execcredential_write_info(&c, &out);
    is_span(buf_span(&out),
            SPAN_LIT("{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
                     "\",\"spec\":{\"interactive\":false}}\n"),
            "nothing of the cluster");
    buf_clear(&out);
    c.exec.has_cluster_info = true;
    execcredential_write_info(&c, &out);
    is_span(
        buf_span(&out),
        SPAN_LIT("{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
                 "\",\"spec\":{\"cluster\":{\"server\":\"https://h:6443/p\",\"tls-server-name\":"
                 "\"n\",\"insecure-skip-tls-verify\":true,\"config\":{\"a\":1}},\"interactive\":"
                 "false}}\n"),
        "what it wants to know");
    buf_fini(&out);
}

static void test_times(void)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: none */
    } t[] = {
        { "2026-11-30T20:00:00Z", 1796068800000 },
        { "", INT64_MAX },
        { "2026-11-30T20:00:00Zx", -1 },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct execcredential c;
        struct arena arena;
        struct err err;
        arena_init(&arena);
        AUTO_STR text =
            mem_printf(SAYS("{\"token\":\"t\",\"expirationTimestamp\":\"%s\"}"), t[i].text);
        int rc = execcredential_read(span_of(text), SPAN_LIT(V1), &arena, &c, &err);
        is_int(rc, t[i].ms < 0 ? ERR_INVALID : 0, "'%s'", t[i].text);
        if (rc == 0) {
            is_int(c.expires_ms, t[i].ms, "'%s'", t[i].text);
        }
        arena_fini(&arena);
    }
}

static void test_answers(void)
{
    static const struct {
        const char *text, *error; /* NULL: it is good */
    } t[] = {
        { SAYS("{\"token\":\"a.b-c\"}") "\n", NULL },
        { SAYS("{\"clientCertificateData\":\"c\",\"clientKeyData\":\"k\",\"token\":null}"), NULL },
        { SAYS("{\"clientCertificateData\":\"c\",\"token\":\"t\"}"),
          "it gave only one of certificate and key" },
        { SAYS("{}"), "it gave neither a token nor a certificate" },
        { SAYS("null"), "it did not give a status" },
        { SAYS("{\"token\":[]}"), "a member of its status is not text" },
        { SAYS("{\"token\":\"a\\nb\"}"), "its token cannot be one" },
        { "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\","
          "\"status\":{\"token\":\"t\"}}",
          "it does not speak " V1 },
        { "{\"kind\":\"Pod\"}", "it did not print an ExecCredential" },
        { "[]", "it did not print a JSON object" },
        { "", "it did not print a JSON object" },
        { "secret", "it did not print a JSON object" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct execcredential c;
        struct arena arena;
        struct err err = { 0 };
        arena_init(&arena);
        is_int(execcredential_read(span_of(t[i].text), SPAN_LIT(V1), &arena, &c, &err),
               t[i].error == NULL ? 0 : ERR_INVALID, "%s", t[i].text);
        is_str(err.text, t[i].error == NULL ? "" : t[i].error, "why");
        arena_fini(&arena);
    }
}

int main(void)
{
    test_info();
    test_times();
    test_answers();
    return check_done();
}

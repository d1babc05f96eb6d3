/* What the built-in mechanisms ask, and that their sections share what is equal. */
#include "allocator/discovery/provider.h"

#include "allocator/base/limits.h"
#include "allocator/codec/yamldoc.h"
#include "tests/check.h"

#include <stdio.h>

struct fixture {
    struct arena arena;
    struct faults f;
    struct sdconfigs sections;
};

/* The sections of a scrape config. */
static void setup(struct fixture *x, const char *yaml)
{
    struct node *root = NULL;

    arena_init(&x->arena);
    faults_init(&x->f);
    is_int(yamldoc_parse(span_of(yaml), &x->arena, &root, NULL), 0, "%s", yaml);
    sdconfig_parse_all(root, false, true, &x->arena, &x->f, &x->sections);
    sdconfig_normalize(root, &x->arena);
    is_int(x->f.n, 0, "no faults");
}

static void teardown(struct fixture *x)
{
    faults_fini(&x->f);
    arena_fini(&x->arena);
}

static void test_rows(void)
{
    for (size_t i = 0; mechanisms[i] != NULL; i++) {
        const struct sdconfig section = { .section = mechanisms[i] };
        const struct provider_ops *ops = provider_find(&section);
        ok(ops != NULL && ops->digest != NULL, "%s is provided", mechanisms[i]);
        ok(ops != NULL && (ops->carrier == CARRIER_NONE) == (ops->plan == NULL),
           "it plans if there is something to ask");
        is_str(providers[i].section, mechanisms[i], "one list");
    }
    const struct sdconfig other = { .section = "serverset_sd_configs" };
    ok(provider_find(&other) == NULL, "another is not");
}

static void test_file(void)
{
    struct fixture x;
    struct ask ask;

    setup(&x, "file_sd_configs: [{files: [a.yml, 'b/*.json']}]");
    provider_plan(&x.sections.v[0], &x.arena, &ask);
    is_int(ask.carrier, CARRIER_FILE, "files");
    is_int(ask.refresh_ms, 300000, "every five minutes");
    is_int(ask.file.n_patterns, 2, "two patterns");
    is_span(ask.file.patterns[1], SPAN_LIT("b/*.json"), "the second");
    teardown(&x);
}

/* What a file is called says what it is: JSON by its ending, everything else YAML. */
static void test_file_names(void)
{
    static const struct {
        const char *name;
        bool is_json;
    } t[] = {
        { "a.json", true },      { "/b/a.JSON", true }, { ".json", true }, { "a.yml", false },
        { "a.yaml", false },     { "a.jsonx", false },  { "json", false }, { "a_json", false },
        { "a.json.yml", false }, { "a.jso", false },    { "", false },     { "son", false },
    };
    const struct sdconfig section = { .section = "file_sd_configs" };

    for (size_t i = 0; i < COUNT(t); i++) {
        /* JSON has no comments. */
        const struct provider_input in = { .source = span_of(t[i].name),
                                           .body = SPAN_LIT("- targets: [a] # b\n") };
        struct strpool pool;
        struct sd_batch batch;
        strpool_init(&pool);
        sd_batch_init(&batch, &pool);
        int rc = provider_find(&section)->digest(&in, &batch, NULL);
        is_int(rc < 0, t[i].is_json, "'%s' is read as %s", t[i].name,
               t[i].is_json ? "JSON" : "YAML");
        sd_batch_fini(&batch);
        strpool_fini(&pool);
    }
}

static void test_http(void)
{
    struct fixture x;
    struct ask ask;

    setup(&x, "http_sd_configs: [{url: 'http://h/x', bearer_token: t, refresh_interval: 1500ms}, "
              "{url: 'http://h/y'}, {url: 'http://h/z', refresh_interval: 10s}]");
    provider_plan(&x.sections.v[0], &x.arena, &ask);
    is_int(ask.carrier, CARRIER_HTTP, "over HTTP");
    is_int(ask.refresh_ms, 1500, "interval");
    is_span(ask.http.url, SPAN_LIT("http://h/x"), "URL");
    is_span(ask.http.body_type, SPAN_LIT("application/json"), "JSON");
    is_span(ask.http.client->auth_credentials, SPAN_LIT("t"), "token");
    is_span(ask.http.headers[0].name, SPAN_LIT("X-Prometheus-Refresh-Interval-Seconds"), "header");
    is_span(ask.http.headers[0].value, SPAN_LIT("1.5"), "in seconds");
    provider_plan(&x.sections.v[1], &x.arena, &ask);
    is_int(ask.refresh_ms, 60000, "every minute");
    is_span(ask.http.headers[0].value, SPAN_LIT("60"), "a whole number");
    provider_plan(&x.sections.v[2], &x.arena, &ask);
    is_span(ask.http.headers[0].value, SPAN_LIT("10"), "whose zero counts");
    teardown(&x);
}

static bool is_shared(const struct sdconfig *a, const struct sdconfig *b)
{
    AUTO_BUF x;
    AUTO_BUF y;

    buf_init(&x, MIB);
    buf_init(&y, MIB);
    provider_key(a, &x);
    provider_key(b, &y);
    return x.len > 0 && span_eq(buf_span(&x), buf_span(&y));
}

/* How a section is written does not matter, what it comes to does. */
static void test_keys(void)
{
    struct fixture x;

    setup(&x, "http_sd_configs: [{url: 'http://h', refresh_interval: 60s}, {url: 'http://h'}, "
              "{url: 'http://h', bearer_token: t}, {authorization: {credentials: t}, url: "
              "'http://h'}]\n"
              "file_sd_configs: [{files: [a.yml]}, {files: [b.yml]}]\n"
              "static_configs: [{targets: [a]}]\n"
              "vultr_sd_configs: [{}]\n");
    const struct sdconfig *s = x.sections.v;
    is_int(x.sections.n, 8, "eight sections");
    ok(is_shared(&s[0], &s[1]), "the default in writing");
    ok(!is_shared(&s[1], &s[2]), "a token");
    ok(is_shared(&s[2], &s[3]), "in either form");
    ok(!is_shared(&s[4], &s[5]), "other files");
    ok(is_shared(&s[4], &s[4]), "the same files");
    ok(!is_shared(&s[6], &s[6]), "nothing is asked for static targets");
    ok(!is_shared(&s[7], &s[7]), "nor for what is not run");
    teardown(&x);
}

/* ---- what comes of it */

/* "<targets> {label=value …}" for each group; "!" when it is refused. */
static const char *digested(const struct sdconfig *section, const char *source, const char *body)
{
    static char text[512];
    const struct provider_input in = { .section = section,
                                       .source = span_of(source),
                                       .body = span_of(body) };
    struct strpool pool;
    struct sd_batch b;
    AUTO_BUF out;

    strpool_init(&pool);
    sd_batch_init(&b, &pool);
    buf_init(&out, MIB);
    int rc = provider_find(section)->digest(&in, &b, NULL);
    for (size_t i = 0; rc == 0 && i < b.groups.n; i++) {
        const struct sd_group *g = &b.groups.v[i];
        for (uint32_t k = 0; k < g->n_targets; k++) {
            buf_addf(&out, "%.*s ", SPAN_ARG(g->targets[k]));
        }
        for (uint32_t k = 0; k < g->shape->n; k++) {
            buf_addf(&out, "{%s=%.*s}", g->shape->fields[k].name->text, SPAN_ARG(g->values[k]));
        }
    }
    (void)snprintf(text, sizeof(text), "%.*s", rc < 0 ? 1 : (int)out.len, rc < 0 ? "!" : out.p);
    sd_batch_fini(&b);
    strpool_fini(&pool);
    return text;
}

static void test_digest_static(void)
{
    struct fixture x;

    setup(&x, "static_configs: [{targets: [a, 1], labels: {k: v, n: 2, e: null}}, {}, "
              "{targets: [b]}, {targets: [null], labels: null}]");
    is_str(digested(&x.sections.v[0], "", ""), "a 1 {e=}{k=v}{n=2}b  ",
           "all groups of the section");
    teardown(&x);
}

static void test_digest_bodies(void)
{
#define JSON "[{\"targets\":[\"a\"]}]"
    static const struct {
        size_t section;
        const char *source, *body, *result;
    } t[] = {
        { 0, "/x.json", JSON, "a {__meta_filepath=/x.json}" },
        { 0, "/x.JSON", JSON, "a {__meta_filepath=/x.JSON}" },
        { 0, "/x.JSON", "- targets: [a]", "!" },
        { 0, "/x.yml", "- targets: [a]", "a {__meta_filepath=/x.yml}" },
        { 0, "json", "- targets: [a]", "a {__meta_filepath=json}" },
        { 1, "http://h", JSON, "a {__meta_url=http://h}" },
        { 1, "http://h", "- targets: [a]", "!" },
    };
    struct fixture x;

    setup(&x, "file_sd_configs: [{files: [a.yml]}]\nhttp_sd_configs: [{url: 'http://h'}]\n");
    for (size_t i = 0; i < COUNT(t); i++) {
        is_str(digested(&x.sections.v[t[i].section], t[i].source, t[i].body), t[i].result, "%s: %s",
               t[i].source, t[i].body);
    }
    teardown(&x);
}

int main(void)
{
    test_rows();
    test_file();
    test_file_names();
    test_http();
    test_keys();
    test_digest_static();
    test_digest_bodies();
    return check_done();
}

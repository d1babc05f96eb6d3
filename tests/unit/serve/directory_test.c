/* Who is meant by the words of a request, and how the lists look. */
#include "allocator/serve/directory.h"

#include <stdio.h>

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/serve/gzip.h"
#include "tests/check.h"

static const struct span shop[] = { SPAN_LIT("shop-collector-0"), SPAN_LIT("shop-collector-1") };
static const struct span other[] = { SPAN_LIT("shop-collector-0"), SPAN_LIT("shop-collector-7") };
static const struct span shop_addresses[] = { SPAN_LIT("10.0.0.1"), SPAN_LIT("10.0.0.9") };
static const struct span other_addresses[] = { SPAN_LIT("10.0.0.2"), SPAN_LIT("10.0.0.9") };
static const struct span mail[] = { SPAN_LIT("mail-collector-0") };

/* Two Collectors of one name in two namespaces, and a third. */
static const struct directory_tenant tenants[] = {
    { SPAN_LIT("prod"), SPAN_LIT("shop"), shop, COUNT(shop), shop_addresses, NULL },
    { SPAN_LIT("test"), SPAN_LIT("shop"), other, COUNT(other), other_addresses, NULL },
    { SPAN_LIT("prod"), SPAN_LIT("Mail"), mail, COUNT(mail), NULL, NULL },
};
#define CONFIG(text) SPAN_LIT(text), SPAN_LIT(text)
static const struct directory_job jobs[] = {
    { 0, SPAN_LIT("prometheus"), SPAN_LIT("node"), CONFIG("{\"a\":0}") },
    { 1, SPAN_LIT(""), SPAN_LIT("node"), CONFIG("{\"a\":1}") },
    { 2, SPAN_LIT("prometheus"), SPAN_LIT("node"), CONFIG("{\"a\":2}") },
    { 0, SPAN_LIT("prometheus/2"), SPAN_LIT("node"), CONFIG("{\"a\":3}") },
    { 0, SPAN_LIT(""), SPAN_LIT("with space/slash%+\xc3\xbc"), SPAN_LIT("{\"p\":\"clear\"}"),
      SPAN_LIT("{\"p\":\"<secret>\"}") },
    { 2, SPAN_LIT(""), SPAN_LIT("a"), { NULL, 0 }, { NULL, 0 } },
};

static const char *const answers[] = { "found", "unknown job", "unknown collector", "ambiguous",
                                       "unknown tenant" };

static void test_find(const struct directory *d)
{
    static const struct {
        size_t tenant;
        const char *host, *job, *receiver, *collector;
        enum directory_answer want;
        size_t job_index, collector_index;
    } t[] = {
        /* by path */
        { 0, "", "node", "", "shop-collector-1", DIRECTORY_FOUND, 0, 1 },
        { 1, "shop-targetallocator.prod.svc", "node", "", "shop-collector-7", DIRECTORY_FOUND, 1,
          1 },
        { 1, "", "node", "", "shop-collector-1", DIRECTORY_UNKNOWN_COLLECTOR, 0, 0 },
        { 0, "", "node", "prometheus/2", "shop-collector-0", DIRECTORY_FOUND, 3, 0 },
        { 1, "", "node", "prometheus/2", "shop-collector-0", DIRECTORY_UNKNOWN_JOB, 0, 0 },
        /* by qualified Host */
        { DIRECTORY_ANY, "shop-targetallocator.test.svc:80", "node", "", "shop-collector-0",
          DIRECTORY_FOUND, 1, 0 },
        { DIRECTORY_ANY, "SHOP-targetallocator.Prod.svc.cluster.local", "node", "",
          "shop-collector-0", DIRECTORY_FOUND, 0, 0 },
        { DIRECTORY_ANY, "shop-targetallocator.dev", "node", "", "shop-collector-0",
          DIRECTORY_UNKNOWN_JOB, 0, 0 },
        { DIRECTORY_ANY, "mail-targetallocator.prod", "node", "", "mail-collector-0",
          DIRECTORY_FOUND, 2, 0 },
        /* by bare Host: unique by collector, or not */
        { DIRECTORY_ANY, "shop-targetallocator", "node", "", "shop-collector-7", DIRECTORY_FOUND, 1,
          1 },
        { DIRECTORY_ANY, "shop-targetallocator:80", "node", "", "shop-collector-0",
          DIRECTORY_AMBIGUOUS, 0, 0 },
        { DIRECTORY_ANY, "mail-targetallocator", "node", "", "shop-collector-7",
          DIRECTORY_UNKNOWN_COLLECTOR, 0, 0 },
        { DIRECTORY_ANY, "new-targetallocator", "node", "", "shop-collector-7",
          DIRECTORY_UNKNOWN_JOB, 0, 0 },
        /* by nothing but job and collector */
        { DIRECTORY_ANY, "10.0.0.1:8080", "node", "", "mail-collector-0", DIRECTORY_FOUND, 2, 0 },
        { DIRECTORY_ANY, "", "node", "", "shop-collector-0", DIRECTORY_AMBIGUOUS, 0, 0 },
        { DIRECTORY_ANY, "[::1]:8080", "node", "", "", DIRECTORY_UNKNOWN_COLLECTOR, 0, 0 },
        { DIRECTORY_ANY, "", "with+space%2Fslash%25%2B%C3%BC", "", "shop-collector-1",
          DIRECTORY_FOUND, 4, 1 },
        { DIRECTORY_ANY, "", "with space/slash%+\xc3\xbc", "", "shop-collector-1",
          DIRECTORY_UNKNOWN_JOB, 0, 0 },
        { DIRECTORY_ANY, "", "", "", "", DIRECTORY_UNKNOWN_JOB, 0, 0 },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        const struct directory_question q = { t[i].tenant,
                                              span_of(t[i].host),
                                              span_of(t[i].job),
                                              span_of(t[i].receiver),
                                              span_of(t[i].collector),
                                              SPAN_LIT(""),
                                              false };
        size_t job = 0, collector = 0;
        enum directory_answer got = directory_find(d, &q, &job, &collector);

        is_str(answers[got], answers[t[i].want], "%zu: %s %s %s", i, t[i].host, t[i].job,
               t[i].collector);
        if (got == DIRECTORY_FOUND) {
            is_int(job, t[i].job_index, "  job");
            is_int(collector, t[i].collector_index, "  collector");
        }
    }
}

static void test_find_by_address(const struct directory *d)
{
    static const struct {
        const char *host, *collector, *peer; /* collector NULL: only the address says who asks */
        enum directory_answer want;
        size_t job_index, collector_index;
    } t[] = {
        { "", NULL, "10.0.0.1", DIRECTORY_FOUND, 0, 0 },
        { "", NULL, "10.0.0.2", DIRECTORY_FOUND, 1, 0 },
        { "", NULL, "10.0.0.9", DIRECTORY_AMBIGUOUS, 0, 0 },
        { "shop-targetallocator.test.svc", NULL, "10.0.0.9", DIRECTORY_FOUND, 1, 1 },
        { "shop-targetallocator.test.svc", NULL, "10.0.0.1", DIRECTORY_UNKNOWN_COLLECTOR, 0, 0 },
        { "", NULL, "10.0.0.3", DIRECTORY_UNKNOWN_COLLECTOR, 0, 0 },
        { "", NULL, "", DIRECTORY_UNKNOWN_COLLECTOR, 0, 0 },
        /* a name that two have */
        { "", "shop-collector-0", "10.0.0.2", DIRECTORY_FOUND, 1, 0 },
        { "", "shop-collector-0", "10.0.0.9", DIRECTORY_AMBIGUOUS, 0, 0 },
        { "", "shop-collector-7", "10.0.0.1", DIRECTORY_FOUND, 1, 1 }, /* a name that one has */
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        const struct directory_question q = {
            .tenant = DIRECTORY_ANY,
            .host = span_of(t[i].host),
            .escaped_job = SPAN_LIT("node"),
            .collector = t[i].collector == NULL ? SPAN_LIT("$X") : span_of(t[i].collector),
            .peer = span_of(t[i].peer),
            .is_by_peer = t[i].collector == NULL,
        };
        size_t job = 0, collector = 0;
        enum directory_answer got = directory_find(d, &q, &job, &collector);

        is_str(answers[got], answers[t[i].want], "by address %zu: %s", i, t[i].peer);
        if (got == DIRECTORY_FOUND) {
            is_int(job, t[i].job_index, "  job");
            is_int(collector, t[i].collector_index, "  collector");
        }
    }
    size_t tenant = 99;
    is_int(directory_tenant_of_host(d, SPAN_LIT(""), SPAN_LIT("10.0.0.2"), &tenant),
           DIRECTORY_FOUND, "a tenant by address");
    is_int(tenant, 1, "  is it");
    is_int(directory_tenant_of_host(d, SPAN_LIT(""), SPAN_LIT("10.0.0.9"), &tenant),
           DIRECTORY_AMBIGUOUS, "an address in two tenants");
    is_int(directory_tenant_of_host(d, SPAN_LIT("shop-targetallocator.prod"), SPAN_LIT("10.0.0.2"),
                                    &tenant),
           DIRECTORY_FOUND, "a qualified Host comes before it");
    is_int(tenant, 0, "  is it");
}

static void test_tenants(const struct directory *d)
{
    static const struct {
        const char *host;
        enum directory_answer want;
        size_t tenant;
    } t[] = {
        { "shop-targetallocator.test", DIRECTORY_FOUND, 1 },
        { "mail-targetallocator", DIRECTORY_FOUND, 2 },
        { "shop-targetallocator", DIRECTORY_AMBIGUOUS, 0 },
        { "new-targetallocator", DIRECTORY_UNKNOWN_TENANT, 0 },
        { "otel-ta.system.svc", DIRECTORY_AMBIGUOUS, 0 },
        { "", DIRECTORY_AMBIGUOUS, 0 },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        size_t tenant = 99;
        enum directory_answer got =
            directory_tenant_of_host(d, span_of(t[i].host), SPAN_LIT(""), &tenant);

        is_str(answers[got], answers[t[i].want], "tenant of Host '%s'", t[i].host);
        if (got == DIRECTORY_FOUND) {
            is_int((int64_t)tenant, (int64_t)t[i].tenant, "  tenant");
        }
    }
    is_int(directory_tenant_of_path(d, SPAN_LIT("test"), SPAN_LIT("shop")), 1, "by path");
    ok(directory_tenant_of_path(d, SPAN_LIT("test"), SPAN_LIT("Mail")) == DIRECTORY_ANY,
       "unknown by path");
    const struct directory_question q = { DIRECTORY_ANY, SPAN_LIT(""), SPAN_LIT("a"), { 0 },
                                          { 0 },         { 0 },        false };
    size_t job = 0;
    is_int(directory_find_job(d, &q, &job), DIRECTORY_FOUND, "the only job of a name");
    is_int(job, 5, "is it");
}

static void test_lists(const struct directory *d)
{
    const struct directory_view *prod = directory_view(d, 0);

    is_span(prod->jobs.plain,
            SPAN_LIT("{\"node\":{\"_link\":\"/n/prod/shop/jobs/node/targets\"},"
                     "\"with "
                     "space/slash%+\xc3\xbc\":{\"_link\":\"/n/prod/shop/jobs/"
                     "with+space%2Fslash%25%2B%C3%BC/targets\"}}\n"),
            "/jobs of one: sorted, each name once, links that say whose");
    is_span(prod->configs.plain,
            SPAN_LIT("{\"node\":{\"a\":0},\"with space/slash%+\xc3\xbc\":{\"p\":\"clear\"}}"),
            "/scrape_configs of one");
    is_span(prod->configs_masked.plain,
            SPAN_LIT("{\"node\":{\"a\":0},\"with space/slash%+\xc3\xbc\":{\"p\":\"<secret>\"}}"),
            "masked");
    ok(!span_eq(prod->configs.etag, prod->configs_masked.etag), "other bytes, other ETag");
    is_span(directory_view(d, 2)->configs.plain, SPAN_LIT("{\"node\":{\"a\":2}}"),
            "a job without a configuration is left out");
}

/* Names that become one Service name. */
static void test_one_service(void)
{
    static const struct directory_tenant twins[] = {
        { SPAN_LIT("ns"), SPAN_LIT("a.b"), mail, COUNT(mail), NULL, NULL },
        { SPAN_LIT("ns"), SPAN_LIT("a-b"), mail, COUNT(mail), NULL, NULL },
    };
    static const struct directory_job both[] = {
        { 0, SPAN_LIT(""), SPAN_LIT("j"), CONFIG("{}") },
        { 1, SPAN_LIT(""), SPAN_LIT("j"), CONFIG("{}") },
    };
    struct directory *d = directory_new(twins, COUNT(twins), both, COUNT(both), NULL);
    const struct directory_question q = { .tenant = DIRECTORY_ANY,
                                          .host = SPAN_LIT("a-b-targetallocator.ns.svc"),
                                          .escaped_job = SPAN_LIT("j"),
                                          .collector = mail[0] };
    size_t job = 9, collector = 9, tenant = 9;

    is_int(directory_find(d, &q, &job, &collector), DIRECTORY_AMBIGUOUS, "even qualified: either");
    is_int(directory_tenant_of_host(d, q.host, SPAN_LIT(""), &tenant), DIRECTORY_AMBIGUOUS,
           "and its lists");
    directory_free(d);
}

static void test_one_tenant(void)
{
    static const uint32_t seats[COUNT(shop)] = { 7, 2 };
    static const struct directory_tenant tenant = { { NULL, 0 }, { NULL, 0 }, shop,
                                                    COUNT(shop), NULL,        seats };
    struct directory *d = directory_new(&tenant, 1, &jobs[0], 1, NULL);
    const struct directory_question q = {
        DIRECTORY_ANY, SPAN_LIT("any-targetallocator.ns.svc"), SPAN_LIT("node"),
        { 0 },         SPAN_LIT("shop-collector-0"),           { 0 },
        false
    };
    size_t job = 9, collector = 9;

    is_span(directory_view(d, 0)->jobs.plain,
            SPAN_LIT("{\"node\":{\"_link\":\"/jobs/node/targets\"}}\n"),
            "one tenant: upstream's links");
    is_int(directory_find(d, &q, &job, &collector), DIRECTORY_FOUND,
           "a tenant without a name answers to every Host");
    is_int(collector, 7, "and tells the collector's seat");
    directory_free(d);

    d = directory_new(NULL, 0, NULL, 0, NULL);
    is_span(directory_view(d, DIRECTORY_ANY)->jobs.plain, SPAN_LIT("{}\n"), "nothing: /jobs");
    is_span(directory_view(d, DIRECTORY_ANY)->configs.plain, SPAN_LIT("{}"),
            "nothing: /scrape_configs");
    is_int(directory_find(d, &q, &job, &collector), DIRECTORY_UNKNOWN_JOB, "nothing to find");
    directory_free(d);
    directory_free(NULL);
}

static void test_shared_views(void)
{
    static const struct directory_tenant fewer = {
        SPAN_LIT("prod"), SPAN_LIT("shop"), shop, 1, NULL, NULL
    };
    static const struct directory_tenant more = {
        SPAN_LIT("prod"), SPAN_LIT("shop"), shop, COUNT(shop), NULL, NULL
    };
    struct directory_job changed = jobs[0];
    struct directory *a = directory_new(&fewer, 1, jobs, 1, NULL);
    struct directory *b = directory_new(&more, 1, jobs, 1, a);
    const struct directory_view *view = directory_view(a, 0);

    ok(directory_view(b, 0) == view, "with other collectors the bodies are the same");
    directory_free(a);
    changed.config_masked = SPAN_LIT("{}");
    struct directory *c = directory_new(&more, 1, &changed, 1, b);
    ok(directory_view(c, 0) != view, "with another configuration they are not");
    is_span(directory_view(c, 0)->configs_masked.plain, SPAN_LIT("{\"node\":{}}"), "but its own");
    is_span(directory_view(b, 0)->configs_masked.plain, SPAN_LIT("{\"node\":{\"a\":0}}"),
            "the last that has them keeps them");
    directory_free(b);
    directory_free(c);
}

/* A body is kept packed where that is shorter. A part of these texts packs well, a part does not.
 */
static void test_packed(void)
{
    enum { N = 26 * 60 };
    size_t n_wrong = 0, n_equal = 0, n_packed = 0;

    for (int i = 0; i < N; i++) {
        AUTO_STR config =
            mem_printf("\"%.*s%0*d\"", i % 26, "qwertyuiopasdfghjklzxcvbnm", 2 + i / 26, 0);
        const struct directory_job job = { 0, SPAN_LIT(""), SPAN_LIT("j"), span_of(config),
                                           span_of(config) };
        struct directory *d = directory_new(tenants, 1, &job, 1, NULL);
        const struct directory_body *body = &directory_view(d, 0)->configs;
        AUTO_BUF packed;
        buf_init(&packed, MIB);
        gzip_compress(body->plain, &packed);
        bool is_shorter = packed.len < body->plain.len;
        n_equal += packed.len == body->plain.len;
        n_packed += is_shorter;
        n_wrong += body->gzip.len != (is_shorter ? packed.len : 0);
        n_wrong += (body->gzip_etag.len > 0) != is_shorter;
        n_wrong += is_shorter && span_eq(body->gzip_etag, body->etag);
        directory_free(d);
    }
    is_int(n_wrong, 0, "packed bodies and their ETags are there where they are shorter");
    ok(n_packed > 0 && n_packed < N && n_equal > 0, "%zu are, %zu are as long", n_packed, n_equal);
}

/* Many names: every one is found, and no other. */
static void test_many(void)
{
    enum { N = 5000 };
    struct span *names = mem_array(N, sizeof(*names));
    struct directory_job *many = mem_array(N, sizeof(*many));

    for (size_t i = 0; i < N; i++) {
        names[i] = span_of(mem_printf("c-%zu", i));
        many[i] = (struct directory_job){ .tenant = 0, .name = span_of(mem_printf("job/%zu", i)) };
    }
    const struct directory_tenant tenant = { .collectors = names, .n_collectors = N };
    struct directory *d = directory_new(&tenant, 1, many, N, NULL);
    size_t n_good = 0;

    for (size_t i = 0; i < N; i++) {
        char escaped[32];
        size_t job = 0, collector = 0;
        snprintf(escaped, sizeof(escaped), "job%%2F%zu", i);
        const struct directory_question q = { .tenant = DIRECTORY_ANY,
                                              .escaped_job = span_of(escaped),
                                              .collector = names[N - 1 - i] };
        n_good += directory_find(d, &q, &job, &collector) == DIRECTORY_FOUND && job == i &&
                  collector == N - 1 - i;
    }
    is_int(n_good, N, "%d jobs and collectors found", N);
    for (size_t i = 0; i < N; i++) {
        mem_free_span(&names[i]);
        mem_free_span(&many[i].name);
    }
    mem_free(names);
    mem_free(many);
    directory_free(d);
}

int main(void)
{
    struct directory *d = directory_new(tenants, COUNT(tenants), jobs, COUNT(jobs), NULL);

    test_find(d);
    test_find_by_address(d);
    test_tenants(d);
    test_lists(d);
    directory_free(d);
    test_one_service();
    test_one_tenant();
    test_shared_views();
    test_packed();
    test_many();
    return check_done();
}

/* The words of a request: target, Host and Accept-Encoding, one a line, against a directory of
 * three Collectors. What is found is what was asked for, and parts stay inside of the whole. */
#include "allocator/base/limits.h"
#include "allocator/http/requesttarget.h"
#include "allocator/serve/directory.h"
#include "allocator/serve/gzip.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

static struct span take_line(struct span *rest)
{
    const char *end = rest->len == 0 ? NULL : memchr(rest->p, '\n', rest->len);
    struct span line = { rest->p, end == NULL ? rest->len : (size_t)(end - rest->p) };

    *rest = span_from(*rest, line.len + (end == NULL ? 0 : 1));
    return line;
}

static bool is_inside(struct span part, struct span whole)
{
    return part.len == 0 || (part.p >= whole.p && part.p + part.len <= whole.p + whole.len);
}

/* Names of its jobs, as requests write them. */
static const char *const escaped[] = { "node", "node", "node", "a+b%2Fc" };

static struct directory *make_directory(void)
{
    static const struct span a[] = { SPAN_LIT("a-collector-0"), SPAN_LIT("a-collector-1") };
    static const struct directory_tenant tenants[] = {
        { SPAN_LIT("prod"), SPAN_LIT("a"), a, COUNT(a), NULL, NULL },
        { SPAN_LIT("test"), SPAN_LIT("a"), a, COUNT(a), NULL, NULL },
        { SPAN_LIT("test"), SPAN_LIT("b"), a, 1, NULL, NULL },
    };
    static const struct directory_job jobs[] = {
        { .tenant = 0, .name = SPAN_LIT("node") },
        { .tenant = 1, .name = SPAN_LIT("node") },
        { .tenant = 1, .name = SPAN_LIT("node"), .receiver = SPAN_LIT("prometheus/2") },
        { .tenant = 2, .name = SPAN_LIT("a b/c") },
    };

    return directory_new(tenants, COUNT(tenants), jobs, COUNT(jobs), NULL);
}

static void ask(const struct directory *d, struct span job, struct span host, struct span collector)
{
    const struct directory_question q = {
        .tenant = DIRECTORY_ANY, .host = host, .escaped_job = job, .collector = collector
    };
    size_t found = SIZE_MAX, index = SIZE_MAX, tenant = DIRECTORY_ANY, n = 0;

    if (directory_find(d, &q, &found, &index) == DIRECTORY_FOUND) {
        require(found < COUNT(escaped) && span_is(job, escaped[found]));
        const struct span *collectors = directory_collectors(d, directory_job_tenant(d, found), &n);
        require(index < n && span_eq(collectors[index], collector));
    }
    if (directory_find_job(d, &q, &found) == DIRECTORY_FOUND) {
        require(found < COUNT(escaped) && span_is(job, escaped[found]));
    }
    if (directory_tenant_of_host(d, host, SPAN_LIT(""), &tenant) == DIRECTORY_FOUND) {
        require(tenant == DIRECTORY_ANY || tenant < directory_n_tenants(d));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = { (const char *)data, size };
    struct span raw = take_line(&rest), host = take_line(&rest), encoding = take_line(&rest);
    struct requesttarget t = requesttarget_split(raw, host);
    static struct directory *d;

    if (d == NULL) {
        d = make_directory();
    }
    require(is_inside(t.path, raw) || span_is(t.path, "/"));
    require(is_inside(t.query, raw));
    require(is_inside(t.host, raw) || is_inside(t.host, host));
    require(t.path.len == 0 || memchr(t.path.p, '?', t.path.len) == NULL);
    (void)gzip_is_accepted(encoding);
    ask(d, span_has_prefix(t.path, "/") ? span_from(t.path, 1) : t.path, t.host, t.query);
    return 0;
}

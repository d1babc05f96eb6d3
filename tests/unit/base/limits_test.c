/* Everything that may be taken at once fits the memory that the manifests allow. What one of a kind
 * takes is measured (tests/README.md, tests/bench/README.md); how many there may be is a cap. */
#include "allocator/base/limits.h"

#include "allocator/base/mem.h"
#include "allocator/base/memorylimit.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>

static char *read_text(const char *path)
{
    char *text = mem_zalloc(65536);
    FILE *f = fopen(path, "re");

    if (f != NULL) {
        size_t n = fread(text, 1, 65535, f);
        text[n] = '\0';
        fclose(f);
    }
    return text;
}

/* The number behind 'before'. */
static size_t number_after(const char *text, const char *before)
{
    const char *p = strstr(text, before);

    return p == NULL ? 0 : (size_t)strtoul(p + strlen(before), NULL, 10);
}

/* "16,384" */
static const char *with_commas(size_t n, char out[32])
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%zu", n);
    size_t at = 0;

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            out[at++] = ',';
        }
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

/* What people are told of a cap is the cap. */
static void test_told(void)
{
    AUTO_STR told = read_text("manifests/README.md");
    static const struct {
        size_t n;
        const char *unit; /* with what stands before the number */
    } t[] = {
        { LIMIT_CONNECTIONS, "%s connections of a listener" },
        { LIMIT_TLS_CONNECTIONS, ", %s over TLS" },
        { LIMIT_CONNECTIONS - LIMIT_CONNECTIONS / 16, "from %s (" },
        { LIMIT_TLS_CONNECTIONS - LIMIT_TLS_CONNECTIONS / 16, "(%s) on" },
        { LIMIT_CONNECTIONS / 16, "that has %s (" },
        { LIMIT_TLS_CONNECTIONS / 16, "(%s) gets no more" },
        { LIMIT_SD_BODY / MIB, "%s MiB at most" },
        { LIMIT_REGEX_PROCESS / MIB, "16 MiB at least, %s MiB at most | Only" },
        { LIMIT_GLOB_FILES, "%s files of one" },
        { LIMIT_LABELS_PER_TARGET, "%s labels of a target" },
        { LIMIT_COLLECTORS, "%s collectors of a Collector" },
        { LIMIT_DOCUMENT_BYTES / MIB, "%s MiB of a manifest or" },
        { LIMIT_YAML_NODES, "%s values at most" },
        { LIMIT_CONFIG_TEXT_BYTES / MIB, "%s MiB of `spec.config`" },
        { LIMIT_ANNOTATION_ENCODED / KIB, "%s KiB of the annotation" },
        { LIMIT_ANNOTATIONS / KIB, "(%s KiB of all annotations" },
        { LIMIT_INSPECTED_BYTES / KIB, "%s KiB of a Collector in a review" },
        { LIMIT_METRIC_SERIES, "%s series of a metric" },
        { LIMIT_METRICS_BYTES / MIB, "%s MiB of `/metrics`" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        char number[32];
        const char *after = strstr(t[i].unit, "%s") + 2;
        AUTO_STR words = mem_printf("%.*s%s%s", (int)(after - 2 - t[i].unit), t[i].unit,
                                    with_commas(t[i].n, number), after);
        ok(strstr(told, words) != NULL, "manifests/README.md says: %s", words);
    }
}

int main(void)
{
    AUTO_STR manifest = read_text("manifests/base/deployment.yaml");
    const char *limits = strstr(manifest, "limits:");
    size_t limit = limits == NULL ? 0 : number_after(limits, "memory: ") * MIB;
    size_t threads = number_after(manifest, "--threads=");
    size_t body = memorylimit_sd_body(limit);
    size_t largest_text = memorylimit_nodes(limit) * 412; /* measured: trees, and the job in them */
    size_t largest_review =
        LIMIT_REVIEW_BYTES * 32 > largest_text ? LIMIT_REVIEW_BYTES * 32 : largest_text;
    const struct {
        const char *what;
        size_t bytes;
    } t[] = {
        { "the program with its libraries", 32 * MIB },
        { "stacks, and what serving threads keep", threads * (4 * MIB + LIMIT_SCRATCH_KEPT) },
        { "connections over HTTP", LIMIT_CONNECTIONS * 6 * KIB },
        { "connections over HTTPS", LIMIT_TLS_CONNECTIONS * 24 * KIB },
        { "connections of the webhook", LIMIT_WEBHOOK_CONNECTIONS * 24 * KIB },
        { "handshakes of both", 2 * LIMIT_HANDSHAKES * 34 * KIB },
        { "requests and answers under way on both", 2 * LIMIT_REQUESTS_WAITING },
        { "reviews that are received", LIMIT_REVIEWS_IN_FLIGHT },
        { "reviews that are answered, one a thread", threads * largest_review },
        { "a configuration that is read", largest_text },
        { "bodies of http_sd that are received", memorylimit_sd_bodies(limit) },
        { "bodies that wait for the engine, that it has, and that is read",
          (2 * LIMIT_ARRIVALS + 1) * body },
        { "what the engine makes of one", body },
        { "old pages that slow readers hold", LIMIT_PINNED_BYTES },
        { "patterns of all Collectors", memorylimit_patterns(limit) },
        { "scrape jobs, and those that take their place at a reload", 2 * memorylimit_jobs(limit) },
        { "names", LIMIT_POOL_BYTES },
        { "metrics as text", LIMIT_METRICS_BYTES },
        { "targets", memorylimit_targets(limit) },
    };
    size_t sum = 0;

    ok(limit > 0 && threads > 0, "the manifest says %zu MiB, %zu threads", limit / MIB, threads);
    for (size_t i = 0; i < COUNT(t); i++) {
        sum += t[i].bytes;
        check_note("%5zu MiB  %s", t[i].bytes / MIB, t[i].what);
    }
    ok(sum <= limit, "all together are %zu MiB", sum / MIB);
    ok(sum > limit / 2, "and no more is asked for than is used");
    test_told();
    return check_done();
}

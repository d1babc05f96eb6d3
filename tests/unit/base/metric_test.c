#include "allocator/base/metric.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/thread.h"
#include "tests/check.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *render(void)
{
    AUTO_BUF b;

    buf_init(&b, 16 * MIB);
    metric_render(&b);
    is_int(buf_error(&b), 0, "the page fits");
    return buf_take(&b, NULL);
}

static bool has_line(const char *page, const char *line)
{
    AUTO_STR whole = mem_printf("\n%s\n", line);
    return strstr(page, whole) != NULL;
}

static void test_plain(void)
{
    metric_add(METRIC_SNAPSHOTS, 1);
    metric_add(METRIC_SNAPSHOTS, 41);
    metric_set(METRIC_SYNCED, 1);
    metric_set(METRIC_TARGETS_REMAINING, 2.5);
    metric_set(METRIC_PROCESS_START, 1700000000.25);
    metric_set(METRIC_COLLECTORS_DISCOVERED, NAN);
    metric_set(METRIC_SNAPSHOTS_LIVE, -INFINITY);
    AUTO_STR page = render();
    is_int(metric_value(METRIC_SNAPSHOTS), 42, "metric_value");
    ok(has_line(page, "# HELP otel_ta_snapshots_total Snapshots published."), "help");
    ok(has_line(page, "# TYPE otel_ta_snapshots_total counter"), "type");
    ok(has_line(page, "otel_ta_snapshots_total 42"), "a counter");
    ok(has_line(page, "otel_ta_pages_rendered_total 0"), "a counter that never counted is 0");
    ok(has_line(page, "otel_ta_synced 1"), "a gauge");
    ok(has_line(page, "opentelemetry_allocator_targets_remaining 2.5"), "a gauge with a fraction");
    ok(has_line(page, "process_start_time_seconds 1700000000.25"), "a big gauge with a fraction");
    ok(has_line(page, "opentelemetry_allocator_collectors_discovered NaN"), "not a number");
    ok(has_line(page, "otel_ta_snapshots_live -Inf"), "infinity");
}

static void test_labels(void)
{
    metric_add_for(METRIC_EVENTS, (const char *[]){ "b" }, 2);
    metric_add_for(METRIC_EVENTS, (const char *[]){ "a" }, 1);
    metric_add_for(METRIC_EVENTS, (const char *[]){ "b" }, 3);
    metric_set_for(METRIC_TARGETS_PER_COLLECTOR, (const char *[]){ "c-0", "per-node" }, 7);
    metric_set_for(METRIC_TARGETS, (const char *[]){ "q\"b\\n\n\xffé" }, 1);
    metric_set_for(METRIC_TARGETS_DROPPED, (const char *[]){ "gone" }, 1);
    metric_forget(METRIC_TARGETS_DROPPED, (const char *[]){ "gone" });
    metric_forget(METRIC_TARGETS_DROPPED, (const char *[]){ "never was" });
    AUTO_STR page = render();
    ok(strstr(page, "\nopentelemetry_allocator_events_total{source=\"a\"} 1\n"
                    "opentelemetry_allocator_events_total{source=\"b\"} 5\n") != NULL,
       "series add up and are sorted");
    ok(has_line(page, "opentelemetry_allocator_targets_per_collector{collector_name=\"c-0\","
                      "strategy=\"per-node\"} 7"),
       "two labels");
    ok(has_line(page,
                "opentelemetry_allocator_targets{job_name=\"q\\\"b\\\\n\\n\xef\xbf\xbdé\"} 1"),
       "label values are escaped");
    ok(strstr(page, "gone") == NULL, "metric_forget");
}

static void test_histogram(void)
{
    static const double values[] = { 0.004, 0.005, 0.006, 0.3, 10, 11 };

    for (size_t i = 0; i < COUNT(values); i++) {
        metric_observe(METRIC_PUBLISH_SECONDS, values[i]);
    }
    metric_observe_for(METRIC_PROCESS_GROUPS, (const char *[]){ "j" }, 2);
    AUTO_STR page = render();
    ok(has_line(page, "# TYPE otel_ta_publish_seconds histogram"), "type");
    ok(has_line(page, "otel_ta_publish_seconds_bucket{le=\"0.005\"} 2"),
       "a bound belongs to its bucket");
    ok(has_line(page, "otel_ta_publish_seconds_bucket{le=\"0.01\"} 3"), "buckets are cumulative");
    ok(has_line(page, "otel_ta_publish_seconds_bucket{le=\"0.5\"} 4"), "in the middle");
    ok(has_line(page, "otel_ta_publish_seconds_bucket{le=\"10\"} 5"), "the last bound");
    ok(has_line(page, "otel_ta_publish_seconds_bucket{le=\"+Inf\"} 6"), "all");
    ok(has_line(page, "otel_ta_publish_seconds_count 6"), "count");
    ok(has_line(page, "otel_ta_publish_seconds_sum 21.314999999999998"), "sum, to the last digit");
    ok(has_line(page, "opentelemetry_allocator_process_target_groups_duration_seconds_bucket{job_"
                      "name=\"j\",le=\"1\"} 0"),
       "long bounds");
    ok(has_line(page, "opentelemetry_allocator_process_target_groups_duration_seconds_bucket{job_"
                      "name=\"j\",le=\"5\"} 1"),
       "with a label");
    ok(has_line(page, "opentelemetry_allocator_process_target_groups_duration_seconds_count{job_"
                      "name=\"j\"} 1"),
       "count with a label");
}

/* Families are sorted, each has one HELP and one TYPE line before its samples, and samples have
 * numbers. */
static void test_page(void)
{
    AUTO_STR page = render();
    char last[256] = "", family[256] = "";
    unsigned n_families = 0, n_bad = 0;

    for (char *line = page, *end = NULL; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        if (sscanf(line, "# HELP %255s", family) == 1) {
            n_bad += strcmp(last, family) < 0 ? 0 : 1;
            memcpy(last, family, sizeof(last));
            n_families++;
        } else if (strncmp(line, "# TYPE ", 7) == 0) {
            n_bad += strncmp(line + 7, family, strlen(family)) == 0 ? 0 : 1;
        } else {
            char *rest = NULL;
            const char *number = strrchr(line, ' ');
            n_bad += strncmp(line, family, strlen(family)) == 0 && number != NULL ? 0 : 1;
            strtod(number == NULL ? "" : number + 1, &rest);
            n_bad += rest != NULL && *rest == '\0' ? 0 : 1;
        }
        if (n_bad > 0) {
            ok(false, "%s", line);
            return;
        }
    }
    is_int(n_families, METRIC_COUNT - 1, "every family is there");
    is_int(n_bad, 0, "sorted and well formed");
}

static void test_parts(void)
{
    struct metric_part *a = metric_part_new(METRIC_HTTP_DURATION, (const char *[]){ "/jobs" });
    struct metric_part *b = metric_part_new(METRIC_HTTP_DURATION, (const char *[]){ "/jobs" });

    metric_part_observe(a, 0.001);
    metric_part_observe(b, 0.02);
    metric_observe_for(METRIC_HTTP_DURATION, (const char *[]){ "/jobs" }, 100);
    AUTO_STR page = render();
    ok(has_line(
           page,
           "opentelemetry_allocator_http_duration_seconds_bucket{path=\"/jobs\",le=\"0.005\"} 1"),
       "one part");
    ok(has_line(
           page,
           "opentelemetry_allocator_http_duration_seconds_bucket{path=\"/jobs\",le=\"0.025\"} 2"),
       "two parts");
    ok(has_line(page, "opentelemetry_allocator_http_duration_seconds_count{path=\"/jobs\"} 3"),
       "parts and the series itself");
    ok(has_line(page, "opentelemetry_allocator_http_duration_seconds_sum{path=\"/jobs\"} 100.021"),
       "their sum");
}

static void *count(void *arg)
{
    for (int i = 0; i < 10000; i++) {
        metric_add(METRIC_UNKNOWN_COLLECTOR, 1);
        metric_observe(METRIC_WEBHOOK_SECONDS, 0.001);
    }
    metric_add_for(METRIC_WEBHOOK_REVIEWS, (const char *[]){ "patched" }, 1);
    return arg;
}

static void test_threads(void)
{
    enum { N_ROUNDS = 20, N_AT_ONCE = 4 }; /* more threads than there are slots */
    pthread_t threads[N_AT_ONCE];
    unsigned n_bad = 0;

    for (int round = 0; round < N_ROUNDS; round++) {
        for (size_t i = 0; i < N_AT_ONCE; i++) {
            n_bad += thread_start(&threads[i], "count", count, NULL, NULL) == 0 ? 0 : 1;
        }
        AUTO_STR page = render(); /* while they count */
        n_bad += page[0] == '#' ? 0 : 1;
        for (size_t i = 0; i < N_AT_ONCE; i++) {
            thread_join(threads[i]);
        }
    }
    is_int(n_bad, 0, "threads start and pages render");
    is_int(metric_value(METRIC_UNKNOWN_COLLECTOR), N_ROUNDS * N_AT_ONCE * 10000,
           "no count is lost");
    AUTO_STR page = render();
    AUTO_STR buckets = mem_printf("otel_ta_webhook_duration_seconds_bucket{le=\"0.005\"} %d",
                                  N_ROUNDS * N_AT_ONCE * 10000);
    ok(has_line(page, buckets), "no observation is lost");
    const char *sum = strstr(page, "\notel_ta_webhook_duration_seconds_sum ");
    ok(sum != NULL && fabs(strtod(strchr(sum, ' '), NULL) - N_ROUNDS * N_AT_ONCE * 10) < 0.01,
       "nor what it adds to their sum");
    const char *bytes = strstr(page, "\nprocess_resident_memory_bytes ");
    ok(bytes != NULL && strtod(strchr(bytes, ' '), NULL) > 100000, "the process has memory");
    ok(has_line(page, "otel_ta_webhook_reviews_total{verdict=\"patched\"} 80"),
       "no labelled count is lost");
}

/* A full family takes no new series; those that it has go on, and so do other families. */
static void test_series_limit(void)
{
    char name[16] = "";

    for (int i = 0; i <= LIMIT_METRIC_SERIES; i++) {
        snprintf(name, sizeof(name), "f%07d", i);
        metric_add_for(METRIC_SD_UPDATES, (const char *[]){ name }, 1);
    }
    metric_add_for(METRIC_SD_UPDATES, (const char *[]){ "f0000007" }, 1);
    metric_set_for(METRIC_SD_FAILED_CONFIGS, (const char *[]){ "f" }, 1);
    AUTO_STR long_name = mem_alloc(20001);
    memset(long_name, 'x', 20000);
    long_name[20000] = '\0';
    metric_set_for(METRIC_SD_FAILED_CONFIGS, (const char *[]){ long_name }, 1);
    AUTO_STR page = render();
    ok(has_line(page, "prometheus_sd_updates_total{name=\"f0199999\"} 1"), "the last that fits");
    ok(!has_line(page, "prometheus_sd_updates_total{name=\"f0200000\"} 1"), "one more does not");
    ok(has_line(page, "prometheus_sd_updates_total{name=\"f0000007\"} 2"), "an old one goes on");
    ok(has_line(page, "prometheus_sd_failed_configs{name=\"f\"} 1"), "another family has room");
    ok(strstr(page, "xxx") == NULL, "labels that are too long make no series");
}

int main(void)
{
    test_plain();
    test_labels();
    test_histogram();
    test_parts();
    test_page();
    test_threads();
    test_series_limit();
    return check_done();
}

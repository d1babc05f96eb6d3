/* R3 and what D1 and I1 are made of, inside the engine: a full reading, one change, and collectors
 * joining and leaving, each until the new snapshot stands, for the default strategy and both kinds
 * of rendezvous. bench_engine FOLDER [COLLECTORS]      default 200
 *
 * FOLDER holds job-<n>.json of targets.py: upstream-shaped targets of 41 labels, one job each;
 * tests/bench/run makes it. CPU is that of this thread; reading the files and understanding the
 * configuration are given apart. A join is the median of several. A table on stderr, one JSON
 * object on stdout. */
#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/readfile.h"
#include "allocator/engine/state.h"
#include "tests/bench/median.h"
#include "tests/bench/statebench.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define JOINS 5

struct bench {
    const char *folder, *strategy;
    size_t n_jobs;
    struct state *state;
    struct mailbox *wants;
    char **paths; /* by want id - 1 */
    size_t n;
    const struct snapshot *current;
};

/* CPU microseconds from understood jobs to a state that knows them; what understanding took is
 * added to '*load_us'. */
static int64_t configure(struct bench *b, size_t n_collectors, int64_t *load_us)
{
    const struct tenants_options options = { .collector_count = n_collectors,
                                             .strategy = span_of(b->strategy) };
    AUTO_BUF text;

    buf_init(&text, LIMIT_DOCUMENT_BYTES);
    buf_add_str(&text, "config:\n  scrape_configs:\n");
    for (size_t i = 0; i < b->n_jobs; i++) {
        buf_addf(&text,
                 "  - job_name: job-%zu\n    file_sd_configs:\n    - files: [%s/job-%zu.json]\n", i,
                 b->folder, i);
    }
    struct statebench_times took = statebench_load(b->state, buf_span(&text), &options);
    *load_us += took.load_us;
    return took.configure_us;
}

/* CPU microseconds until the state knows that there are so many collectors, and nothing else. */
static int64_t join(struct bench *b, size_t n_collectors)
{
    struct collectorlist list;

    collectorlist_init(&list);
    collectorlist_number(&list, "collector", n_collectors);
    int64_t from = clock_thread_cpu_us();
    state_put_collectors(b->state, SPAN_LIT(""), SPAN_LIT(""), &list);
    state_complete(b->state, clock_mono_ms());
    return clock_thread_cpu_us() - from;
}

static void take_wants(struct bench *b)
{
    for (struct mail *mail = mailbox_drain(b->wants), *next; mail != NULL; mail = next) {
        next = mail->next;
        if (mail->kind == WATCHER_WANT_ADD) {
            const struct want *want = CONTAINER_OF(mail, struct want, mail);
            struct span path = want->ask.file.patterns[0];
            b->paths = mem_realloc(b->paths, (b->n + 1) * sizeof(char *));
            b->paths[b->n++] = mem_strndup(path.p, path.len);
        }
        mail->dispose(mail);
    }
}

static void arrive(struct bench *b, size_t i, int64_t *io_read_us)
{
    struct readfile_signature signature;
    struct arrival *a = arrival_new(i + 1, ARRIVAL_OK, b->paths[i]);
    struct err err;
    int64_t from = clock_thread_cpu_us();

    if (readfile_read(b->paths[i], LIMIT_SD_BODY, &signature, &a->body, &a->body_len, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    *io_read_us += clock_thread_cpu_us() - from;
    state_arrive(b->state, a);
    arrival_free(&a);
}

static void settle(struct bench *b, size_t i)
{
    struct arrival *a = arrival_new(i + 1, ARRIVAL_SETTLED, NULL);
    state_arrive(b->state, a);
    arrival_free(&a);
}

/* One label of one target becomes another; returns the CPU time until the new snapshot stands. */
static double change_one(struct bench *b, size_t i, unsigned round)
{
    struct readfile_signature signature;
    struct arrival *a = arrival_new(i + 1, ARRIVAL_OK, b->paths[i]);
    struct err err;

    if (readfile_read(b->paths[i], LIMIT_SD_BODY, &signature, &a->body, &a->body_len, &err) < 0) {
        exit(1);
    }
    char *at = strstr(a->body, "somevalue");
    if (at != NULL) {
        snprintf(at, 9, "v%07u", round % 10000000);
        at[8] = 'x';
    }
    int64_t from = clock_thread_cpu_us();
    state_arrive(b->state, a);
    statebench_publish(b->state, &b->current);
    int64_t used = clock_thread_cpu_us() - from;
    arrival_free(&a);
    return (double)used;
}

static double median_change(struct bench *b)
{
    double us[101];

    assert(b->n > 0);

    for (unsigned i = 0; i < COUNT(us); i++) {
        us[i] = change_one(b, (i * 7) % b->n, i);
    }
    return median(us, COUNT(us));
}

/* Medians of the CPU milliseconds until one more collector has its share, and until it has left. */
static void median_join(struct bench *b, size_t n_collectors, double *join_ms, double *leave_ms)
{
    double ms[2][JOINS];

    for (size_t k = 0; k < JOINS; k++) {
        for (size_t leaves = 0; leaves < 2; leaves++) {
            int64_t used = join(b, n_collectors + 1 - leaves);
            int64_t from = clock_thread_cpu_us();
            statebench_publish(b->state, &b->current);
            ms[leaves][k] = (double)(used + clock_thread_cpu_us() - from) / 1e3;
        }
    }
    *join_ms = median(ms[0], JOINS);
    *leave_ms = median(ms[1], JOINS);
}

static void run(struct bench *b, size_t n_collectors, bool is_first)
{
    struct state_counts counts;
    int64_t load_us = 0, read_us = 0;
    double join_ms = 0, leave_ms = 0;

    b->wants = mailbox_new(0);
    b->state = state_new(b->wants);
    int64_t configure_us = configure(b, n_collectors, &load_us);
    take_wants(b);
    int64_t t0 = clock_thread_cpu_us();
    for (size_t i = 0; i < b->n; i++) {
        arrive(b, i, &read_us);
        settle(b, i);
    }
    int64_t t1 = clock_thread_cpu_us();
    statebench_publish(b->state, &b->current);
    int64_t t2 = clock_thread_cpu_us();
    state_count(b->state, &counts);
    double change_us = median_change(b);
    median_join(b, n_collectors, &join_ms, &leave_ms);

    double digest_ms = (double)(t1 - t0 - read_us) / 1e3, render_ms = (double)(t2 - t1) / 1e3;
    fprintf(stderr,
            "%s, %zu targets, %zu jobs, %zu collectors\n"
            "  load %.1f ms, configure %.1f ms, read %.1f ms, digest %.1f ms, render %.1f ms\n"
            "  one change %.1f us, one more collector %.1f ms, one less %.1f ms\n",
            b->strategy, counts.n_served, counts.n_jobs, n_collectors, (double)load_us / 1e3,
            (double)configure_us / 1e3, (double)read_us / 1e3, digest_ms, render_ms, change_us,
            join_ms, leave_ms);
    printf("%s\n {\"strategy\": \"%s\", \"targets\": %zu, \"jobs\": %zu, \"collectors\": %zu, "
           "\"load_ms\": %.1f, \"configure_ms\": %.1f, \"read_ms\": %.1f, \"digest_ms\": %.1f, "
           "\"render_ms\": %.1f, \"one_change_us\": %.1f, \"join_ms\": %.1f, \"leave_ms\": %.1f}",
           is_first ? "" : ",", b->strategy, counts.n_served, counts.n_jobs, n_collectors,
           (double)load_us / 1e3, (double)configure_us / 1e3, (double)read_us / 1e3, digest_ms,
           render_ms, change_us, join_ms, leave_ms);
    snapshot_put(b->current);
    state_free(&b->state);
    mailbox_free(&b->wants);
    for (size_t i = 0; i < b->n; i++) {
        mem_free(b->paths[i]);
    }
    mem_free(b->paths);
}

int main(int argc, char **argv)
{
    static const char *const strategies_shown[] = { "consistent-hashing", "rendezvous",
                                                    "bounded-rendezvous" };
    size_t n_collectors = argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 200, n_jobs = 0;

    if (argc < 2 || n_collectors == 0) {
        fprintf(stderr, "usage: bench_engine FOLDER [COLLECTORS]\n");
        return 2;
    }
    for (;; n_jobs++) {
        AUTO_STR path = mem_printf("%s/job-%zu.json", argv[1], n_jobs);
        if (access(path, R_OK) != 0) {
            break;
        }
    }
    if (n_jobs == 0) {
        fprintf(stderr, "no job-0.json in %s\n", argv[1]);
        return 2;
    }
    printf("{\"bench\": \"engine\", \"rows\": [");
    for (size_t i = 0; i < COUNT(strategies_shown); i++) {
        struct bench b = { .folder = argv[1], .strategy = strategies_shown[i], .n_jobs = n_jobs };
        run(&b, n_collectors, i == 0);
    }
    printf("\n]}\n");
    return 0;
}

/* What a full reading, one change and a joining collector cost the engine: upstream-shaped targets
 * in file_sd files. bench_engine DIR COLLECTORS      DIR holds test-<n>.json, one job each (41
 * labels a target) Prints one JSON object. CPU is that of this thread; reading the files is
 * included and also given alone. */
#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/readfile.h"
#include "allocator/state.h"

#include <assert.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct bench {
    struct state *state;
    struct mailbox *wants;
    char **paths; /* by want id - 1 */
    size_t n;
    const struct snapshot *current;
};

static size_t rss_bytes(void)
{
    AUTO_FD fd = -1;
    long pages = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    (void)fd;
    if (f == NULL || fscanf(f, "%ld %ld", &pages, &resident) != 2) {
        resident = 0;
    }
    if (f != NULL) {
        fclose(f);
    }
    return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void configure(struct bench *b, const char *dir, size_t n_jobs, size_t n_collectors)
{
    struct jobs_source source = { .kind = JOBS_DROPIN };
    struct jobs_options options = { .collector_count = n_collectors };
    struct tenants tenants;
    struct faults faults;
    struct err err;
    AUTO_BUF text;

    buf_init(&text, LIMIT_DOCUMENT_BYTES);
    buf_add_str(&text, "config:\n  scrape_configs:\n");
    for (size_t i = 0; i < n_jobs; i++) {
        buf_addf(&text,
                 "  - job_name: test-%zu\n    file_sd_configs:\n    - files: [%s/test-%zu.json]\n",
                 i, dir, i);
    }
    source.text = text.p;
    source.len = text.len;
    faults_init(&faults);
    if (jobs_load(&source, 1, &options, state_pool(b->state), &faults, &tenants) < 0 ||
        state_configure(b->state, &tenants, clock_mono_ms(), &err) < 0) {
        faults_print(&faults, stderr);
        exit(1);
    }
    faults_fini(&faults);
}

static void take_wants(struct bench *b)
{
    for (struct mail *mail = mailbox_drain(b->wants), *next; mail != NULL; mail = next) {
        next = mail->next;
        if (mail->kind == WATCHER_WANT_ADD) {
            const struct want *want = (const struct want *)(const void *)mail;
            struct span path = want->section.file.patterns[0];
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

static void publish(struct bench *b)
{
    const struct snapshot *s = state_publish(b->state);
    if (s != NULL) {
        if (b->current != NULL) {
            snapshot_put(b->current);
        }
        b->current = s;
    }
    state_reap(b->state);
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
    publish(b);
    int64_t used = clock_thread_cpu_us() - from;
    arrival_free(&a);
    return (double)used;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_change(struct bench *b)
{
    double us[101];

    assert(b->n > 0);

    for (unsigned i = 0; i < 101; i++) {
        us[i] = change_one(b, (i * 7) % b->n, i);
    }
    qsort(us, 101, sizeof(us[0]), compare_doubles);
    return us[50];
}

int main(int argc, char **argv)
{
    struct bench b = { .wants = mailbox_new(0) };
    struct state_counts counts;
    int64_t read_us = 0;
    size_t n_collectors = argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 3, n_jobs = 0;

    if (argc < 2) {
        fprintf(stderr, "usage: bench_engine DIR [COLLECTORS]\n");
        return 2;
    }
    for (;; n_jobs++) {
        AUTO_STR path = mem_printf("%s/test-%zu.json", argv[1], n_jobs);
        if (access(path, R_OK) != 0) {
            break;
        }
    }
    if (n_jobs == 0) {
        fprintf(stderr, "no test-0.json in %s\n", argv[1]);
        return 2;
    }
    size_t rss_before = rss_bytes();
    b.state = state_new(b.wants);
    int64_t t0 = clock_thread_cpu_us();
    configure(&b, argv[1], n_jobs, n_collectors);
    take_wants(&b);
    int64_t t1 = clock_thread_cpu_us();
    for (size_t i = 0; i < b.n; i++) {
        arrive(&b, i, &read_us);
        settle(&b, i);
    }
    int64_t t2 = clock_thread_cpu_us();
    publish(&b);
    int64_t t3 = clock_thread_cpu_us();
    malloc_trim(0);
    state_count(b.state, &counts);
    size_t rss_full = rss_bytes();
    double change_us = median_change(&b);
    int64_t t4 = clock_thread_cpu_us();
    configure(&b, argv[1], n_jobs, n_collectors + 1);
    take_wants(&b);
    publish(&b);
    int64_t t5 = clock_thread_cpu_us();
    printf("{\"targets\": %zu, \"jobs\": %zu, \"collectors\": %zu, \"configure_ms\": %.1f, "
           "\"read_ms\": %.1f, \"digest_ms\": %.1f, "
           "\"render_ms\": %.1f, \"total_ms\": %.1f, \"rss_bytes_per_target\": %.0f, "
           "\"one_change_us\": %.1f, \"join_ms\": %.1f}\n",
           counts.n_served, counts.n_jobs, n_collectors, (double)(t1 - t0) / 1e3,
           (double)read_us / 1e3, (double)(t2 - t1 - read_us) / 1e3, (double)(t3 - t2) / 1e3,
           (double)(t3 - t0) / 1e3,
           (double)(rss_full - rss_before) / (double)(counts.n_served == 0 ? 1 : counts.n_served),
           change_us, (double)(t5 - t4) / 1e3);
    snapshot_put(b.current);
    state_free(&b.state);
    mailbox_free(&b.wants);
    for (size_t i = 0; i < b.n; i++) {
        mem_free(b.paths[i]);
    }
    mem_free(b.paths);
    return 0;
}

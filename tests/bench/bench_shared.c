/* D1 and M1 of jobs that share a discovery section: 1, 10, 30, 100 and 300 jobs on one file of
 * 1,000 targets of 20 labels; each keeps 40 of them by a rule, as ServiceMonitors of one namespace
 * do. CPU of this thread until the snapshot stands: from the start, after one target has changed,
 * after one job has got other rules, after all of them have; without understanding the
 * configuration. Memory is what malloc has given out more than before. bench_shared [--quick]
 *
 * A table on stderr, one JSON object on stdout. */
#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/engine/state.h"
#include "tests/bench/statebench.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TARGETS 1000
#define GROUPS 25 /* each job keeps one of them */

struct bench {
    size_t n_jobs;
    struct state *state;
    struct mailbox *wants;
    char *body;
    const struct snapshot *current;
};

static char *write_body(unsigned version)
{
    size_t len;
    struct buf out;

    buf_init(&out, 16 * MIB);
    for (unsigned i = 0; i < TARGETS; i++) {
        buf_addf(&out, "%s{\"targets\":[\"10.0.%u.%u:9100\"],\"labels\":{\"group\":\"g%u\"",
                 i == 0 ? "[" : ",\n", i / 250, i % 250, i % GROUPS);
        for (unsigned k = 0; k < 19; k++) {
            buf_addf(&out, ",\"__meta_kubernetes_label_%u\":\"a value of the label, %u\"", k,
                     k < 15 ? k : i);
        }
        buf_addf(&out, ",\"version\":\"%u\"}}", i == 0 ? version : 0);
    }
    buf_add_str(&out, "]");
    return buf_take(&out, &len);
}

/* The watcher reads what it is asked to read. */
static void answer(struct bench *b) ON(engine)
{
    for (struct mail *mail = mailbox_drain(b->wants), *next; mail != NULL; mail = next) {
        next = mail->next;
        if (mail->kind == WATCHER_WANT_ADD || mail->kind == WATCHER_WANT_REFRESH) {
            uint64_t id = mail->kind == WATCHER_WANT_ADD
                              ? CONTAINER_OF(mail, struct want, mail)->id
                              : CONTAINER_OF(mail, struct want_change, mail)->id;
            struct arrival *read = arrival_new(id, ARRIVAL_OK, "/targets.json");
            struct arrival *end = arrival_new(id, ARRIVAL_SETTLED, NULL);
            read->body = mem_strdup(b->body);
            read->body_len = strlen(b->body);
            state_arrive(b->state, read);
            state_arrive(b->state, end);
            arrival_free(&read);
            arrival_free(&end);
        }
        mail->dispose(mail);
    }
}

/* The first 'n_other' jobs keep another group than they would. CPU milliseconds. */
static double configure(struct bench *b, size_t n_other) ON(engine)
{
    const struct tenants_options options = { .collector_count = 3 };
    AUTO_BUF text;

    buf_init(&text, LIMIT_DOCUMENT_BYTES);
    buf_add_str(&text, "config:\n  scrape_configs:\n");
    for (size_t i = 0; i < b->n_jobs; i++) {
        buf_addf(&text,
                 "  - job_name: job-%zu\n    file_sd_configs: [{files: [/targets.json]}]\n"
                 "    relabel_configs:\n"
                 "    - {source_labels: [group], regex: g%zu, action: keep}\n",
                 i, (i + (i < n_other)) % GROUPS);
    }
    int64_t used = statebench_load(b->state, buf_span(&text), &options).configure_us;
    int64_t from = clock_thread_cpu_us();
    answer(b);
    statebench_publish(b->state, &b->current);
    used += clock_thread_cpu_us() - from;
    return (double)used / 1e3;
}

static double change_file(struct bench *b, unsigned version) ON(engine)
{
    struct arrival *a = arrival_new(1, ARRIVAL_OK, "/targets.json");

    mem_free(b->body);
    b->body = write_body(version);
    a->body = mem_strdup(b->body);
    a->body_len = strlen(b->body);
    int64_t from = clock_thread_cpu_us();
    state_arrive(b->state, a);
    statebench_publish(b->state, &b->current);
    int64_t used = clock_thread_cpu_us() - from;
    arrival_free(&a);
    return (double)used / 1e3;
}

static void run(size_t n_jobs, bool is_first) ON(engine)
{
    struct bench b = { .n_jobs = n_jobs, .wants = mailbox_new(0), .body = write_body(0) };
    struct state_counts counts;

    b.state = state_new(b.wants);
    size_t before = mallinfo2().uordblks;
    double start_ms = configure(&b, 0);
    double memory_kb = (double)(mallinfo2().uordblks - before) / 1024;
    double change_ms = change_file(&b, 1), one_ms = configure(&b, 1),
           all_ms = configure(&b, n_jobs);
    state_count(b.state, &counts);
    fprintf(stderr, "%6zu %10zu %10.1f %10.1f %10.1f %10.1f %10.0f\n", n_jobs, counts.n_kept,
            start_ms, change_ms, one_ms, all_ms, memory_kb);
    printf("%s\n {\"jobs\": %zu, \"kept\": %zu, \"start_ms\": %.1f, \"one_target_ms\": %.1f, "
           "\"one_job_ms\": %.1f, \"all_jobs_ms\": %.1f, \"memory_kb\": %.0f}",
           is_first ? "" : ",", n_jobs, counts.n_kept, start_ms, change_ms, one_ms, all_ms,
           memory_kb);
    snapshot_put(b.current);
    state_free(&b.state);
    mailbox_free(&b.wants);
    mem_free(b.body);
}

int main(int argc, char **argv)
{
    static const size_t jobs[] = { 1, 10, 30, 100, 300 };
    bool is_quick = argc > 1 && strcmp(argv[1], "--quick") == 0;

    if (argc > 2 || (argc == 2 && !is_quick)) {
        fprintf(stderr, "usage: bench_shared [--quick]\n");
        return 2;
    }
    role_enter(engine);
    fprintf(stderr,
            "jobs on one file of %d targets; CPU ms, KB\n%6s %10s %10s %10s %10s %10s %10s\n",
            TARGETS, "jobs", "kept", "start", "one target", "one job", "all jobs", "memory");
    printf("{\"bench\": \"shared\", \"rows\": [");
    for (size_t i = 0; i < (is_quick ? 2 : COUNT(jobs)); i++) {
        run(jobs[i], i == 0);
    }
    printf("\n]}\n");
    return 0;
}

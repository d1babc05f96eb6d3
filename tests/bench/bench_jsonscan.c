/* How fast the JSON scanner goes over discovery text, beside what the machine can do at all.
 * bench_jsonscan [--quick] [FILE]     best of several rounds, each work by turns
 *
 * Without FILE the text is made here: targets of 41 labels each, as an allocator sees them. memchr
 * and memcpy are the yard-sticks. CPU of this thread. A table on stderr, JSON on stdout. */
#include "allocator/base/buf.h"
#include "allocator/base/clock.h"
#include "allocator/base/mem.h"
#include "allocator/codec/jsonscan.h"
#include "allocator/codec/node.h"

#include <stdio.h>
#include <stdlib.h>

#define N_TARGETS 5000
#define ROUNDS 7

static void make_target(struct buf *out, int i)
{
    static const char *const words[] = { "endpointslice_label_app", "pod_phase", "service_name",
                                         "pod_node_name",           "namespace", "pod_host_ip" };

    buf_addf(out, "%s{\"targets\":[\"10.%d.%d.%d:9006\"],\"labels\":{", i == 0 ? "" : ",",
             i >> 16 & 255, i >> 8 & 255, i & 255);
    for (int k = 0; k < 39; k++) {
        buf_addf(out, "\"__meta_kubernetes_%s_annotationpresent_%d\":\"example-value-%d\",",
                 words[k % 6], k, k * 7919);
    }
    buf_addf(out, "\"__meta_kubernetes_service_annotation_last_applied_configuration\":\"");
    for (int k = 0; k < 12; k++) {
        buf_addf(out, "{\\\"name\\\":\\\"http-example\\\",\\\"port\\\":9006},");
    }
    buf_addf(out, "\\n\",\"__meta_kubernetes_pod_name\":\"example-6b549885f8-%07x\"}}",
             (unsigned)i);
}

static void make_text(struct buf *out)
{
    buf_add_char(out, '[');
    for (int i = 0; i < N_TARGETS; i++) {
        make_target(out, i);
    }
    buf_add_char(out, ']');
}

static int read_text(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "rbe");
    char chunk[65536];
    size_t n;

    if (f == NULL) {
        return 1;
    }
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0) {
        buf_add(out, chunk, n);
    }
    fclose(f);
    return buf_error(out);
}

/* Each work returns a number that depends on the whole text, so that none of it can be left out. */
static uint64_t work_memchr(struct span text)
{
    return memchr(text.p, '\x01', text.len) == NULL ? 0 : 1;
}

static uint64_t work_memcpy(struct span text)
{
    static char *copy;

    copy = mem_realloc(copy, text.len);
    memcpy(copy, text.p, text.len);
    return (uint64_t)copy[text.len / 2];
}

static uint64_t work_tokens(struct span text)
{
    struct jsonscan s;
    struct json_token t;
    uint64_t n = 0;

    jsonscan_init(&s, text, LIMIT_DEPTH);
    for (enum json_event e = jsonscan_next(&s, &t); e != JSON_DONE; e = jsonscan_next(&s, &t)) {
        if (e == JSON_FAULT) {
            fprintf(stderr, "%s\n", jsonscan_error(&s));
            abort();
        }
        n += t.raw.len;
    }
    return n;
}

static uint64_t work_skip(struct span text)
{
    struct jsonscan s;
    struct json_token t;
    struct span value;

    jsonscan_init(&s, text, LIMIT_DEPTH);
    jsonscan_next(&s, &t);
    jsonscan_skip(&s, &value);
    return value.len;
}

static uint64_t work_node(struct span text)
{
    struct arena arena;
    struct node *root = NULL;

    arena_init(&arena);
    uint64_t n = node_from_json(text, 0, &arena, &root, NULL) == 0 ? root->n : 0;
    arena_fini(&arena);
    return n;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        uint64_t (*work)(struct span text);
    } t[] = {
        { "memchr", work_memchr }, { "memcpy", work_memcpy },  { "skip", work_skip },
        { "tokens", work_tokens }, { "node-tree", work_node },
    };
    const char *path = NULL;
    int rounds = ROUNDS;
    int64_t best_us[COUNT(t)];
    AUTO_BUF text;
    uint64_t sum = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            rounds = 1;
        } else {
            path = argv[i];
        }
    }
    buf_init(&text, LIMIT_SD_BODY);
    if (path == NULL) {
        make_text(&text);
    } else if (read_text(path, &text) != 0) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return 1;
    }
    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < COUNT(t); i++) {
            int64_t from = clock_thread_cpu_us();
            sum += t[i].work(buf_span(&text));
            int64_t us = clock_thread_cpu_us() - from;
            best_us[i] = round == 0 || us < best_us[i] ? us : best_us[i];
        }
    }
    printf("{\"bench\": \"jsonscan\", \"bytes\": %zu, \"rounds\": %d, \"gb_s\": {", text.len,
           rounds);
    for (size_t i = 0; i < COUNT(t); i++) {
        double speed = (double)text.len / 1000.0 / (double)(best_us[i] + 1);
        fprintf(stderr, "%-14s %7.2f GB/s\n", t[i].name, speed);
        printf("%s\"%s\": %.3f", i == 0 ? "" : ", ", t[i].name, speed);
    }
    printf("}}\n");
    fprintf(stderr, "(%zu bytes, checksum %llu)\n", text.len, (unsigned long long)sum);
    return 0;
}

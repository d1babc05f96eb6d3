/* W1, W2: what the answer to an AdmissionReview costs without HTTP and TLS: from the bytes of the
 * body to the bytes of the reply. bench_admission [--quick | --only NAME]
 *
 * The reviews of bench_review, with keys in order as an API server writes them, of what is stored
 * too: a Collector of 4 and of 1,150 jobs, created; the big one as another client might write it
 * (unordered); as an update of itself, with the stored object beside it; and as the update that
 * applies the original once more over what a rewrite stored (reapplied). The
 * yard-stick, in the same round: AES-256-GCM over the records that bring the body, and one pass
 * over the body that finds the end of its brackets. Median of the rounds, CPU of this thread; calls
 * of malloc() and its like are counted in a review that had others before it. --only answers one of
 * the reviews 40 times, for a profiler. A table on stderr, JSON on stdout. */
#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/base64.h"
#include "allocator/codec/jsonpatch.h"
#include "allocator/codec/jsonscan.h"
#include "tests/bench/median.h"
#include "webhook/admission/admission.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 15
#define RECORD ((size_t)16384)
#define TAG 16

/* ---- what is allocated, by our own code: the link puts these in place of malloc() and its like */

static size_t n_allocations;

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): names that ld gives */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *__wrap_malloc(size_t size)
{
    n_allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    n_allocations++;
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    n_allocations++;
    return __real_realloc(p, size);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

/* ---- the reviews */

static void die(const char *what)
{
    fprintf(stderr, "bench_admission: %s\n", what);
    exit(1);
}

static void add_targets(struct buf *out, size_t i)
{
    for (int k = 0; k < 3; k++) {
        buf_addf(out, "%s\"10.0.%zu.%d:9100\"", k == 0 ? "\"targets\":[" : ",", i % 256, k);
    }
    buf_add_char(out, ']');
}

static void add_job(struct buf *out, size_t i)
{
    buf_addf(out, "{\"job_name\":\"job-%zu\",\"scrape_interval\":\"30s\",\"static_configs\":[{", i);
    add_targets(out, i);
    buf_add_str(out, ",\"labels\":{\"team\":\"a\",\"env\":\"prod\"}}],\"relabel_configs\":["
                     "{\"source_labels\":[\"__address__\"],\"regex\":\"(.*):9100\","
                     "\"target_label\":\"host\",\"replacement\":\"$1\"},"
                     "{\"action\":\"labelmap\",\"regex\":\"__meta_kubernetes_pod_label_(.+)\"}]}");
}

/* What an API server adds to an object that it has stored. */
static const char stored_metadata[] =
    ",\"creationTimestamp\":\"2026-01-01T12:00:00Z\",\"generation\":2,\"resourceVersion\":"
    "\"48213\","
    "\"uid\":\"676ebee7-14f8-481e-a937-0123456789ab\",\"managedFields\":[{\"apiVersion\":"
    "\"opentelemetry.io/v1beta1\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:spec\":{\".\":{},"
    "\"f:config\":{\".\":{},\"f:exporters\":{\".\":{},\"f:debug\":{}},\"f:receivers\":{\".\":{},"
    "\"f:prometheus\":{\".\":{},\"f:config\":{\".\":{},\"f:scrape_configs\":{}}}},\"f:service\":{"
    "\".\":{},\"f:pipelines\":{\".\":{},\"f:metrics\":{\".\":{},\"f:exporters\":{},"
    "\"f:receivers\":{}}}}},\"f:mode\":{},\"f:replicas\":{},\"f:targetAllocator\":{\".\":{},"
    "\"f:enabled\":{}}}},\"manager\":\"kubectl\",\"operation\":\"Apply\",\"time\":"
    "\"2026-01-01T12:00:00Z\"}]";

static void add_plain(struct buf *out, size_t n_jobs, bool is_stored)
{
    buf_addf(out,
             "{\"apiVersion\":\"opentelemetry.io/v1beta1\",\"kind\":\"OpenTelemetryCollector\","
             "\"metadata\":{\"name\":\"bench\",\"namespace\":\"otel\"%s},",
             is_stored ? stored_metadata : "");
    buf_add_str(out, "\"spec\":{\"mode\":\"statefulset\",\"replicas\":3,\"targetAllocator\":{"
                     "\"enabled\":true},\"config\":{"
                     "\"receivers\":{\"prometheus\":{\"config\":{\"scrape_configs\":[");
    for (size_t i = 0; i < n_jobs; i++) {
        buf_add_str(out, i == 0 ? "" : ",");
        add_job(out, i);
    }
    buf_add_str(out, "]}}},\"exporters\":{\"debug\":{}},\"service\":{\"pipelines\":{\"metrics\":{"
                     "\"receivers\":[\"prometheus\"],\"exporters\":[\"debug\"]}}}}}}");
}

/* As an API server writes it: it reads objects into maps, and writes their keys in order. */
static void add_collector(struct buf *out, size_t n_jobs, bool is_stored)
{
    struct node *object = NULL;
    struct arena arena;
    AUTO_BUF plain;

    arena_init(&arena);
    buf_init(&plain, LIMIT_REVIEW_BYTES);
    add_plain(&plain, n_jobs, is_stored);
    if (node_from_json(buf_span(&plain), 0, &arena, &object, NULL) < 0) {
        die("a Collector is no JSON");
    }
    node_write_json(object, out);
    arena_fini(&arena);
}

/* 'old': the stored object, of an update. */
static void make_review(struct buf *out, size_t n_jobs, bool is_ordered, struct span old)
{
    static const char kind[] = "{\"group\":\"opentelemetry.io\",\"version\":\"v1beta1\","
                               "\"kind\":\"OpenTelemetryCollector\"}";
    static const char resource[] = "{\"group\":\"opentelemetry.io\",\"version\":\"v1beta1\","
                                   "\"resource\":\"opentelemetrycollectors\"}";

    buf_init(out, LIMIT_REVIEW_BYTES);
    buf_addf(out,
             "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{"
             "\"uid\":\"705ab4f5-6393-11e8-b7cc-42010a800002\",\"kind\":%s,\"resource\":%s,"
             "\"requestKind\":%s,\"requestResource\":%s,\"name\":\"bench\",\"namespace\":\"otel\","
             "\"operation\":\"%s\",\"userInfo\":{\"username\":\"admin\"},\"dryRun\":false,"
             "\"oldObject\":",
             kind, resource, kind, resource, old.len == 0 ? "CREATE" : "UPDATE");
    buf_add_span(out, old.len == 0 ? SPAN_LIT("null") : old);
    buf_add_str(out, ",\"object\":");
    (is_ordered ? add_collector : add_plain)(out, n_jobs, old.len > 0);
    buf_add_str(out, "}}");
}

/* ---- what is measured */

struct bench {
    const char *name, *goal;
    struct buf body, sealed; /* sealed: its records, as TLS brings them */
    struct rewrite_options options;
    struct arena arena;
    struct admission_reply reply;
    EVP_CIPHER_CTX *cipher;
    char *opened; /* as long as the body */
    size_t n;     /* reviews a round */
};

static void answer(struct bench *b)
{
    arena_recycle(&b->arena, LIMIT_SCRATCH_KEPT); /* as the server does */
    admission_answer(buf_span(&b->body), &b->options, &b->arena, &b->reply);
}

static const unsigned char key[32] = "not much of a secret";

static void seal(struct bench *b)
{
    unsigned char iv[12] = { 0 };
    int n = 0;

    buf_init(&b->sealed, 2 * LIMIT_REVIEW_BYTES);
    for (size_t at = 0; at < b->body.len; at += RECORD) {
        size_t size = b->body.len - at < RECORD ? b->body.len - at : RECORD;
        unsigned char *to = (void *)buf_reserve(&b->sealed, size + TAG);
        EVP_EncryptInit_ex(b->cipher, EVP_aes_256_gcm(), NULL, key, iv);
        EVP_EncryptUpdate(b->cipher, to, &n, (const void *)(b->body.p + at), (int)size);
        EVP_EncryptFinal_ex(b->cipher, to + size, &n);
        EVP_CIPHER_CTX_ctrl(b->cipher, EVP_CTRL_GCM_GET_TAG, TAG, to + size);
        b->sealed.len += size + TAG;
    }
}

static void open_records(struct bench *b)
{
    unsigned char iv[12] = { 0 };
    size_t done = 0;
    int n = 0;

    EVP_DecryptInit_ex(b->cipher, EVP_aes_256_gcm(), NULL, key, iv);
    for (size_t at = 0; at < b->sealed.len; at += RECORD + TAG) {
        size_t left = b->sealed.len - at;
        size_t size = (left < RECORD + TAG ? left : RECORD + TAG) - TAG;
        unsigned char *from = (unsigned char *)b->sealed.p + at;
        EVP_DecryptInit_ex(b->cipher, NULL, NULL, NULL, iv);
        EVP_DecryptUpdate(b->cipher, (unsigned char *)b->opened + done, &n, from, (int)size);
        EVP_CIPHER_CTX_ctrl(b->cipher, EVP_CTRL_GCM_SET_TAG, TAG, from + size);
        if (EVP_DecryptFinal_ex(b->cipher, from, &n) != 1) {
            die("a record cannot be opened");
        }
        done += size;
    }
}

static void pass_over(const struct bench *b)
{
    struct jsonscan scan;
    struct json_token t;

    jsonscan_init(&scan, span_make(b->opened, b->body.len), LIMIT_SKIP_DEPTH);
    (void)jsonscan_next(&scan, &t);
    if (jsonscan_skip(&scan, NULL) != JSON_END_OBJECT) {
        die("a review does not end");
    }
}

static void open_bench(struct bench *b, const char *name, size_t n_jobs, struct span old)
{
    bool is_small = n_jobs < 10;

    *b = (struct bench){ .name = name, .goal = is_small ? "W1" : "W2", .n = is_small ? 400 : 10 };
    b->options.collector_id_expr = SPAN_LIT(WIRE_DEFAULT_COLLECTOR_ID);
    arena_init(&b->arena);
    make_review(&b->body, n_jobs, strcmp(name, "unordered") != 0, old);
    b->opened = mem_alloc(b->body.len);
    b->cipher = EVP_CIPHER_CTX_new();
    seal(b);
    for (int i = 0; i < 3; i++) {
        answer(b);
    }
    if (b->reply.verdict != ADMISSION_PATCHED) {
        die("no patch");
    }
}

static void close_bench(struct bench *b)
{
    EVP_CIPHER_CTX_free(b->cipher);
    mem_free(b->opened);
    buf_fini(&b->sealed);
    buf_fini(&b->body);
    arena_fini(&b->arena);
}

/* The Collector as it is stored after it was created. */
static void make_stored(size_t n_jobs, struct buf *out)
{
    struct jsonpatch patch = { .ops = { .n = 0 } };
    struct node *reply = NULL, *object = NULL, *ops = NULL, *result = NULL;
    AUTO_BUF text, json;
    struct span packed;
    struct bench b;

    open_bench(&b, "", n_jobs, SPAN_LIT(""));
    buf_init(out, LIMIT_REVIEW_BYTES);
    buf_init(&text, LIMIT_REVIEW_BYTES);
    buf_init(&json, LIMIT_REVIEW_BYTES);
    add_collector(&text, n_jobs, true);
    bool is_good = node_from_json(b.reply.body, 0, &b.arena, &reply, NULL) == 0 &&
                   node_as_text(node_path(reply, "response", "patch", NULL), &packed) &&
                   base64_decode(packed, &json, NULL) == 0 &&
                   node_from_json(buf_span(&json), 0, &b.arena, &ops, NULL) == 0 &&
                   node_from_json(buf_span(&text), 0, &b.arena, &object, NULL) == 0 &&
                   jsonpatch_read(ops, &b.arena, &patch, NULL) == 0 &&
                   jsonpatch_apply(&patch, object, &b.arena, &result, NULL) == 0;
    if (!is_good) {
        die("the patch cannot be applied");
    }
    node_write_json(result, out);
    jsonpatch_fini(&patch);
    close_bench(&b);
}

/* ---- rounds */

static void measure(struct bench *b, bool is_first)
{
    double took[ROUNDS], crypt[ROUNDS], pass[ROUNDS], ratio[ROUNDS];
    double n = (double)b->n;

    for (size_t k = 0; k < ROUNDS; k++) {
        int64_t t0 = clock_thread_cpu_us();
        for (size_t i = 0; i < b->n; i++) {
            answer(b);
        }
        int64_t t1 = clock_thread_cpu_us();
        for (size_t i = 0; i < b->n; i++) {
            open_records(b);
        }
        int64_t t2 = clock_thread_cpu_us();
        for (size_t i = 0; i < b->n; i++) {
            pass_over(b);
        }
        int64_t t3 = clock_thread_cpu_us();
        took[k] = (double)(t1 - t0) / n;
        crypt[k] = (double)(t2 - t1) / n;
        pass[k] = (double)(t3 - t2) / n;
        ratio[k] = took[k] / (crypt[k] + pass[k]);
    }
    size_t before = n_allocations;
    answer(b);
    size_t n_allocated = n_allocations - before;
    double yard = median(crypt, ROUNDS) + median(pass, ROUNDS);
    fprintf(stderr,
            "%-9s %7zu B in %7zu B out   answer %8.1f us   AES-GCM %6.1f us + a pass %6.1f us   "
            "%5.2f times that   %zu allocations\n",
            b->name, b->body.len, b->reply.body.len, median(took, ROUNDS), median(crypt, ROUNDS),
            median(pass, ROUNDS), median(ratio, ROUNDS), n_allocated);
    printf("%s\n  {\"goal\": \"%s\", \"name\": \"%s\", \"request_bytes\": %zu, \"answer_bytes\": "
           "%zu, \"answer_us\": %.2f, \"aes_gcm_us\": %.2f, \"pass_us\": %.2f, \"yard_us\": %.2f, "
           "\"answer_over_yard\": %.3f, \"allocations\": %zu}",
           is_first ? "" : ",", b->goal, b->name, b->body.len, b->reply.body.len,
           median(took, ROUNDS), median(crypt, ROUNDS), median(pass, ROUNDS), yard,
           median(ratio, ROUNDS), n_allocated);
}

int main(int argc, char **argv)
{
    struct buf original, stored;
    const char *only = argc == 3 && strcmp(argv[1], "--only") == 0 ? argv[2] : NULL;
    bool is_quick = argc == 2 && strcmp(argv[1], "--quick") == 0;
    size_t n_done = 0, n_big = is_quick ? 50 : 1150;

    if (argc > 1 && only == NULL && !is_quick) {
        fprintf(stderr, "usage: bench_admission [--quick | --only NAME]\n");
        return 2;
    }
    buf_init(&original, LIMIT_REVIEW_BYTES);
    add_collector(&original, n_big, true);
    make_stored(n_big, &stored);
    const struct {
        const char *name;
        size_t n_jobs;
        struct span old;
    } reviews[] = {
        { "small", 4, SPAN_LIT("") },
        { "large", n_big, SPAN_LIT("") },
        { "unordered", n_big, SPAN_LIT("") },
        { "update", n_big, buf_span(&original) },
        { "reapplied", n_big, buf_span(&stored) },
    };
    printf("{\"bench\": \"admission\", \"results\": [");
    for (size_t i = 0; i < COUNT(reviews); i++) {
        struct bench b;
        if (only != NULL && strcmp(only, reviews[i].name) != 0) {
            continue;
        }
        open_bench(&b, reviews[i].name, reviews[i].n_jobs, reviews[i].old);
        if (only == NULL) {
            measure(&b, n_done == 0);
        }
        for (int k = 0; only != NULL && k < 40; k++) {
            answer(&b);
        }
        n_done++;
        close_bench(&b);
    }
    printf("\n]}\n");
    buf_fini(&original);
    buf_fini(&stored);
    return n_done == 0 ? 2 : 0;
}

#include "tests/check.h"

#include "allocator/base/log.h"
#include "allocator/base/mem.h"

#include <inttypes.h>
#include <jansson.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static unsigned n_checks, n_failed;
static uint64_t n_expected_errors;

/* Memory that nobody has written, or that was given back, is not full of zeros by chance. */
__attribute__((constructor)) static void spoil_memory(void)
{
    mallopt(M_PERTURB, 0xa5);
}

PRINTF_LIKE(4, 0)
static void report(const char *file, int line, bool is_ok, const char *fmt, va_list ap)
{
    char name[512];

    vsnprintf(name, sizeof(name), fmt, ap);
    for (char *p = name; *p != '\0'; p++) {
        if (*p == '\n' || *p == '#') {
            *p = ' ';
        }
    }
    n_checks++;
    n_failed += is_ok ? 0 : 1;
    printf("%sok %u - %s\n", is_ok ? "" : "not ", n_checks, name);
    if (!is_ok) {
        printf("#   at %s:%d\n", file, line);
    }
    fflush(stdout);
}

#define REPORT(is_ok)                                                                              \
    do {                                                                                           \
        va_list ap;                                                                                \
        va_start(ap, fmt);                                                                         \
        report(file, line, (is_ok), fmt, ap);                                                      \
        va_end(ap);                                                                                \
    } while (0)

bool check_ok(const char *file, int line, bool is_ok, const char *fmt, ...)
{
    REPORT(is_ok);
    return is_ok;
}

bool check_int(const char *file, int line, int64_t got, int64_t want, const char *fmt, ...)
{
    REPORT(got == want);
    if (got != want) {
        printf("#   got %" PRId64 ", want %" PRId64 "\n", got, want);
    }
    return got == want;
}

static void print_lines(const char *label, struct span s)
{
    printf("#   %s: ", label);
    for (size_t i = 0; i < s.len && i < 4000; i++) {
        if (s.p[i] == '\n') {
            printf("\n#        ");
        } else {
            putchar(s.p[i]);
        }
    }
    putchar('\n');
}

bool check_text(const char *file, int line, struct span got, struct span want, const char *fmt, ...)
{
    bool is_ok = span_eq(got, want);

    REPORT(is_ok);
    if (!is_ok) {
        print_lines("got ", got);
        print_lines("want", want);
    }
    return is_ok;
}

bool check_json(const char *file, int line, struct span got, struct span want, const char *fmt, ...)
{
    json_t *a = json_loadb(got.p == NULL ? "" : got.p, got.len, JSON_DECODE_ANY, NULL);
    json_t *b = json_loadb(want.p == NULL ? "" : want.p, want.len, JSON_DECODE_ANY, NULL);
    bool is_ok = a != NULL && b != NULL && json_equal(a, b);

    REPORT(is_ok);
    if (!is_ok) {
        print_lines("got ", got);
        print_lines("want", want);
    }
    json_decref(a);
    json_decref(b);
    return is_ok;
}

char *check_folder(const char *name)
{
    const char *parent = getenv("TMPDIR");
    char *path = mem_printf("%s/otel-ta-%s-XXXXXX",
                            parent == NULL || *parent == '\0' ? "/tmp" : parent, name);

    ok(mkdtemp(path) != NULL, "a folder of its own: %s", path);
    return path;
}

struct span check_at_edge(struct span text)
{
    static char *pages;
    static size_t size;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (pages != NULL) {
        (void)munmap(pages, size);
    }
    size = (text.len + page - 1) / page * page + page;
    pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + size - page, page, PROT_NONE) != 0) {
        abort();
    }
    char *copy = pages + size - page - text.len;
    if (text.len > 0) {
        memcpy(copy, text.p, text.len);
    }
    return span_make(copy, text.len);
}

void check_expect_errors(uint64_t n)
{
    n_expected_errors += n;
}

void check_note(const char *fmt, ...)
{
    va_list ap;

    printf("# ");
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    printf("\n");
    fflush(stdout);
}

int check_done(void)
{
    uint64_t n_errors = log_count(LOG_ERROR);

    check_ok(__FILE__, __LINE__, n_errors == n_expected_errors,
             "%" PRIu64 " error lines logged, %" PRIu64 " expected", n_errors, n_expected_errors);
    printf("1..%u\n", n_checks);
    return n_failed == 0 ? 0 : 1;
}

/* The test harness: plain TAP on standard output, run by prove. A failed check says where and what
 * was there. A program ends with 'return check_done();', which also fails when an unexpected error
 * line was logged. */
#ifndef OTEL_TA_TESTS_CHECK_H
#define OTEL_TA_TESTS_CHECK_H

#include "allocator/base/err.h"
#include "allocator/base/span.h"

#include <stdbool.h>
#include <stdint.h>

bool check_ok(const char *file, int line, bool is_ok, const char *fmt, ...) PRINTF_LIKE(4, 5);
bool check_int(const char *file, int line, int64_t got, int64_t want, const char *fmt, ...)
    PRINTF_LIKE(5, 6);
bool check_text(const char *file, int line, struct span got, struct span want, const char *fmt, ...)
    PRINTF_LIKE(5, 6);
bool check_json(const char *file, int line, struct span got, struct span want, const char *fmt, ...)
    PRINTF_LIKE(5, 6);

#define ok(cond, ...) check_ok(__FILE__, __LINE__, (cond), __VA_ARGS__)
#define is_int(got, want, ...)                                                                     \
    check_int(__FILE__, __LINE__, (int64_t)(got), (int64_t)(want), __VA_ARGS__)
#define is_str(got, want, ...)                                                                     \
    check_text(__FILE__, __LINE__, span_of(got), span_of(want), __VA_ARGS__)
#define is_span(got, want, ...) check_text(__FILE__, __LINE__, (got), (want), __VA_ARGS__)
/* Equal as JSON, whatever the order of keys and white space. */
#define is_json(got, want, ...) check_json(__FILE__, __LINE__, (got), (want), __VA_ARGS__)

/* An empty folder of the test's own, below $TMPDIR or /tmp; 'name' is part of its name. The test
 * removes it, and gives the path back with mem_free(). */
char *check_folder(const char *name);
/* A copy after whose last byte nothing may be read, until the next call. */
struct span check_at_edge(struct span text);
/* The test provokes 'n' error lines in the log. */
void check_expect_errors(uint64_t n);
/* A comment in the output. */
void check_note(const char *fmt, ...) PRINTF_LIKE(1, 2);
int check_done(void);

#endif

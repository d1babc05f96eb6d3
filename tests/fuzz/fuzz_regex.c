/* Pattern, template, subjects, one a line, from anybody. Where a plan matches without RE2, RE2 must
 * say the same: about the pattern being one, about every match, about every group. */
#include "allocator/base/buf.h"
#include "allocator/base/limits.h"
#include "allocator/base/utf8.h"
#include "allocator/prom/labels.h"
#include "allocator/prom/re2_shim.h"
#include "allocator/prom/regex.h"
#include "allocator/prom/regex_plan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

static struct span take_line(struct span *rest)
{
    const char *end = rest->len == 0 ? NULL : memchr(rest->p, '\n', rest->len);
    struct span line =
        span_make(rest->len == 0 ? "" : rest->p, end == NULL ? rest->len : (size_t)(end - rest->p));
    *rest = span_from(*rest, line.len + 1);
    return line;
}

static void check_groups(const struct span *a, const struct span *b, size_t n)
{
    for (size_t g = 0; g < n; g++) {
        demand((a[g].p == NULL) == (b[g].p == NULL));
        demand(a[g].p == NULL || (a[g].p == b[g].p && a[g].len == b[g].len));
    }
}

static void check_plan(const struct regex_plan *plan, const struct re2_shim *re2,
                       struct span subject)
{
    struct span a[REGEX_MAX_GROUPS];
    struct span b[REGEX_MAX_GROUPS];
    size_t n = regex_plan_groups(plan) + 1;
    enum plan_outcome outcome = regex_plan_match(plan, subject, a, n);
    bool is_match = re2_shim_match(re2, subject, 0, b, n);
    demand(outcome != PLAN_GAVE_UP || !regex_plan_is_complete(plan));
    if (outcome == PLAN_GAVE_UP) {
        return;
    }
    demand((outcome == PLAN_MATCH) == is_match);
    if (is_match) {
        check_groups(a, b, n);
    }
    demand(regex_plan_match(plan, subject, NULL, 0) == outcome);
}

static void check_against_re2(struct span pattern, struct span subjects, struct arena *arena)
{
    char error[256];
    bool is_too_big;
    const struct regex_plan *plan = regex_plan_new(pattern, arena);
    if (plan == NULL) {
        return;
    }
    AUTO_BUF whole;
    buf_init(&whole, 2 * LIMIT_REGEX_BYTES);
    buf_add_str(&whole, "^(?s:");
    buf_add_span(&whole, pattern);
    buf_add_str(&whole, ")$");
    struct re2_shim *re2 = re2_shim_new(buf_span(&whole), 8 * (int64_t)LIMIT_REGEX_MEMORY, error,
                                        sizeof(error), &is_too_big);
    demand(re2 != NULL || is_too_big);
    while (re2 != NULL && subjects.len > 0) {
        struct span subject = take_line(&subjects);
        if (utf8_is_valid(
                subject)) { /* values are, and of other bytes Go and RE2 think differently */
            check_plan(plan, re2, subject);
        }
    }
    re2_shim_free(re2);
}

static void use(const struct regex *re, struct span template, struct span subjects,
                struct arena *arena)
{
    const struct regex_template *t = NULL;
    if (regex_template_compile(re, template, arena, &t, NULL) < 0) {
        return;
    }
    while (subjects.len > 0) {
        struct span subject = take_line(&subjects);
        struct regex_match m = { .n_groups = regex_template_groups(t) };
        AUTO_BUF all;
        buf_init(&all, MIB);
        bool is_match = regex_match(re, subject, &m);
        demand(regex_match(re, subject, NULL) == is_match);
        demand(regex_replace_all(re, t, subject, &all) == is_match);
        if (is_match) {
            struct span s = regex_template_expand(t, &m, arena);
            demand(s.p != NULL && s.len == regex_template_size(t, &m));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_make((const char *)data, size);
    struct span pattern = take_line(&rest);
    struct span template = take_line(&rest);
    struct regex *re = NULL;
    struct arena arena;
    struct err err;

    if (pattern.len > 256) { /* RE2 is the slow part, and long patterns show nothing new */
        return 0;
    }
    arena_init(&arena);
    check_against_re2(pattern, rest, &arena);
    if (regex_compile(pattern, NULL, &re, &err) == 0) {
        use(re, template, rest, &arena);
    }
    regex_free(&re);
    arena_fini(&arena);
    return 0;
}

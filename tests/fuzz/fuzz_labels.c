/* Label sets with any names and values, one "name=value" a line: sorted, hashed, and the same
 * whatever order they come in. */
#include "allocator/base/limits.h"
#include "allocator/prom/labels.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

static size_t line_len(struct span s)
{
    const char *end = s.len == 0 ? NULL : memchr(s.p, '\n', s.len);
    return end == NULL ? s.len : (size_t)(end - s.p);
}

static void add_line(struct label_builder *lb, struct span line)
{
    const char *equals = line.len == 0 ? NULL : memchr(line.p, '=', line.len);
    if (equals != NULL) {
        size_t name_len = (size_t)(equals - line.p);
        label_builder_set(lb, strpool_intern(lb->pool, span_make(line.p, name_len)),
                          span_from(line, name_len + 1));
    }
}

static void check_set(struct label_builder *lb)
{
    static char reversed[LIMIT_LABELS_PER_TARGET * sizeof(struct label)];
    struct label *other = (struct label *)(void *)reversed;
    uint64_t identity = labels_identity(lb, SPAN_LIT("job"));
    for (size_t i = 0; i < lb->n; i++) {
        demand(i == 0 || span_cmp(str_span(lb->v[i - 1].name), str_span(lb->v[i].name)) < 0);
        demand(lb->v[i].value.len > 0);
        demand(span_eq(label_builder_get(lb, lb->v[i].name), lb->v[i].value));
        demand(!label_name_is_valid(str_span(lb->v[i].name), NAME_LEGACY) ||
               label_name_is_valid(str_span(lb->v[i].name), NAME_UTF8));
        other[lb->n - 1 - i] = lb->v[i];
    }
    size_t n = lb->n;
    label_builder_clear(lb);
    for (size_t i = 0; i < n; i++) {
        label_builder_append(lb, other[i].name, other[i].value);
    }
    demand(labels_identity(lb, SPAN_LIT("job")) == identity);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_make((const char *)data, size);
    struct strpool pool;
    struct arena arena;
    struct label_builder lb;

    strpool_init(&pool);
    arena_init(&arena);
    label_builder_init(&lb, &pool, &arena);
    while (rest.len > 0) {
        size_t len = line_len(rest);
        add_line(&lb, span_make(rest.p, len));
        rest = span_from(rest, len + 1);
    }
    check_set(&lb);
    label_builder_fini(&lb);
    arena_fini(&arena);
    strpool_fini(&pool);
    return 0;
}

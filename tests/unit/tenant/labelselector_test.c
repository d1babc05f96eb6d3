/* Selectors of documents as queries, and what is none. */
#include "allocator/tenant/labelselector.h"

#include "allocator/base/limits.h"
#include "allocator/codec/yamldoc.h"
#include "tests/check.h"

int main(void)
{
    static const struct {
        const char *labels, *expressions; /* YAML */
        const char *query;                /* or the error */
        bool is_good;
    } t[] = {
        { "{}", "[]", "", true },
        { "{a: b}", "[]", "a=b", true },
        { "{app.kubernetes.io/part-of: opentelemetry, n: 1, e: ''}", "[]",
          "app.kubernetes.io/part-of=opentelemetry,n=1,e=", true },
        { "{a: b}",
          "[{key: c, operator: In, values: [d, e]}, {key: f, operator: NotIn, values: [g]}]",
          "a=b,c in (d,e),f notin (g)", true },
        { "{}", "[{key: c, operator: Exists}, {key: d, operator: DoesNotExist, values: []}]",
          "c,!d", true },
        { "{a: 'b,c=d'}", "[]", "matchLabels: \"b,c=d\" is not a valid label value", false },
        { "{'!a': b}", "[]", "matchLabels: \"!a\" is not a valid label key", false },
        { "{a: -b}", "[]", "\"-b\" is not a valid label value", false },
        { "{a: [b]}", "[]", "matchLabels: a: must be text, not a list", false },
        { "{}", "[{key: a, operator: In}]", "matchExpressions[0]: values: In needs at least one",
          false },
        { "{}", "[{key: a, operator: Exists, values: [b]}]",
          "matchExpressions[0]: values: Exists takes none", false },
        { "{}", "[{key: a, operator: in, values: [b]}]",
          "matchExpressions[0]: operator: \"in\" is none of In, NotIn, Exists, DoesNotExist",
          false },
        { "{}", "[{operator: Exists}]", "matchExpressions[0]: key: is missing", false },
        { "{}", "[{key: a, operator: In, values: ['b)']}]",
          "matchExpressions[0]: values[0]: \"b)\" is not a valid label value", false },
        { "{}", "[{key: a, operator: In, values: [{}]}]",
          "matchExpressions[0]: values[0]: must be text, not a mapping", false },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct node *labels = NULL, *expressions = NULL;
        struct err err = { 0 };
        struct arena arena;
        struct buf out;
        arena_init(&arena);
        buf_init(&out, KIB);
        is_int(yamldoc_parse(span_of(t[i].labels), &arena, &labels, NULL), 0, "labels");
        is_int(yamldoc_parse(span_of(t[i].expressions), &arena, &expressions, NULL), 0,
               "expressions");
        int rc = labelselector_write(labels, expressions, &out, &err);
        is_int(rc, t[i].is_good ? 0 : ERR_INVALID, "%s %s", t[i].labels, t[i].expressions);
        is_span(t[i].is_good ? buf_span(&out) : span_of(err.text), span_of(t[i].query), "%s",
                t[i].query);
        buf_fini(&out);
        arena_fini(&arena);
    }
    return check_done();
}

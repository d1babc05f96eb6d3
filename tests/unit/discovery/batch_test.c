/* Groups as columns: shapes, changes of columns, and what a target's labels are. */
#include "allocator/discovery/batch.h"

#include "tests/check.h"

#include <stdio.h>

static struct strpool pool;
static struct sd_batch batch;

/* Labels as "name=value name=value", one target for each letter of 'targets'. */
static struct sd_group *add(const char *labels, const char *targets)
{
    struct span rest = span_of(labels);

    sd_batch_begin(&batch);
    while (rest.len > 0) {
        const char *blank = memchr(rest.p, ' ', rest.len);
        struct span label = span_make(rest.p, blank == NULL ? rest.len : (size_t)(blank - rest.p));
        const char *equals = memchr(label.p, '=', label.len);
        size_t at = (size_t)(equals - label.p);
        sd_batch_label(&batch, strpool_intern(&pool, span_make(label.p, at)),
                       span_from(label, at + 1));
        rest = span_from(rest, label.len + (blank == NULL ? 0 : 1));
    }
    for (; *targets != '\0'; targets++) {
        sd_batch_target(&batch, span_make(targets, 1));
    }
    return sd_batch_end(&batch);
}

/* "name=value name=value", of the last group. */
static const char *fields(void)
{
    static char text[256];
    const struct sd_group *g = &batch.groups.v[batch.groups.n - 1];
    size_t n = 0;

    text[0] = '\0';
    for (uint32_t i = 0; i < g->shape->n; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s=%.*s", i == 0 ? "" : " ",
                              g->shape->fields[i].name->text, SPAN_ARG(g->values[i]));
    }
    return text;
}

/* "name:changes ", in the order of the columns. */
static const char *changes(void)
{
    static char text[256];
    size_t n = 0;

    text[0] = '\0';
    vec_each(&batch.columns, c) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s:%u ", c->name->text, c->n_changes);
    }
    return text;
}

static void test_fields(void)
{
    static const struct {
        const char *labels, *want;
        bool has_duplicates;
    } t[] = {
        { "b=1 a=2", "a=2 b=1", false },
        { "a=1 a=2", "a=2", true },
        { "a=1 b=2 a=3 b=4 a=5", "a=5 b=4", true },
        { "__address__=x a=1", "a=1", false },
        { "a=1 __address__=x __address__=y b=2", "a=1 b=2", false },
        { "", "", false },
        { "ab=1 a=2 b=3", "a=2 ab=1 b=3", false },
        { "a=", "a=", false },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        sd_batch_reset(&batch);
        const struct sd_group *g = add(t[i].labels, "x");
        is_str(fields(), t[i].want, "fields of '%s'", t[i].labels);
        is_int(g->shape->has_duplicates, t[i].has_duplicates, "whether a name comes twice");
    }
}

/* Every shape of a body is known again, in whatever order they come. */
static void test_shapes(void)
{
    enum { N = 300 };
    const struct sd_shape *shapes[N];
    char labels[32];
    size_t n_known = 0;

    sd_batch_reset(&batch);
    for (size_t i = 0; i < N; i++) {
        snprintf(labels, sizeof(labels), "a%zu=1 b=1", i);
        shapes[i] = add(labels, "x")->shape;
        is_int(shapes[i]->index, i, "shape %zu", i);
    }
    for (size_t i = 0; i < N; i++) {
        snprintf(labels, sizeof(labels), "a%zu=2 b=3", i * 7 % N);
        n_known += add(labels, "yz")->shape == shapes[i * 7 % N] ? 1 : 0;
    }
    is_int(n_known, N, "all are known");
    is_int(batch.shapes.n, N, "and no more");
    ok(add("b=1 a0=1", "x")->shape != shapes[0], "another order");
    ok(add("a0=1", "x")->shape != shapes[0], "fewer labels");
    ok(add("a0=1 b=1 c=1", "x")->shape != shapes[0], "more labels");
    sd_batch_reset(&batch);
    is_int(add("a7=1 b=1", "x")->shape->index, 0, "another body begins anew");
}

static void test_changes(void)
{
    static const struct {
        const char *groups[3], *targets[3], *want;
    } t[] = {
        { { "a=1 b=1", "a=1 b=2", "a=2 b=2" }, { "x", "x", "x" }, "a:1 b:1 " },
        { { "a=1", "a=1 b=1", "b=2" }, { "x", "x", "x" }, "a:1 b:2 " },
        { { "b=1", "a=1", "c=1" }, { "x", "x", "x" }, "b:1 a:2 c:1 " },
        { { "a=1 c=1", "a=2 b=1 c=1", "a=2" }, { "x", "x", "x" }, "a:1 c:1 b:2 " },
        { { "a=1", "a=2", "a=1" }, { "x", "", "x" }, "a:0 " },
        { { "a=1", "a=2", "a=3" }, { "", "", "x" }, "a:0 " },
        { { "", "a=1", "" }, { "x", "x", "x" }, "a:1 " },
        { { "a=1", "b=1 c=1", "a=1" }, { "x", "x", "x" }, "a:1 b:1 c:1 " },
        { { "a=1", "b=1 c=1", "a=2" }, { "x", "x", "x" }, "a:2 b:1 c:1 " },
        { { "a=1", "b=1", "a=2" }, { "x", "", "x" }, "a:1 b:0 " },
        { { "a=1", "a=1", "a=1" }, { "x", "xy", "z" }, "a:0 " },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        size_t n_targets = 0;
        sd_batch_reset(&batch);
        for (size_t k = 0; k < 3; k++) {
            struct sd_group *g = add(t[i].groups[k], t[i].targets[k]);
            size_t n = strlen(t[i].targets[k]);
            n_targets += n;
            ok((g == NULL) == (n == 0), "a group, if it has targets");
        }
        is_str(changes(), t[i].want, "changes of columns, row %zu", i);
        is_int(batch.n_targets, n_targets, "targets");
    }
}

/* More names than slots there were at first: each keeps its column. */
static void test_many_columns(void)
{
    enum { N = 300 };
    uint32_t columns[N];
    char label[16];

    sd_batch_reset(&batch);
    for (size_t i = 0; i < N; i++) {
        snprintf(label, sizeof(label), "n%zu=1", i);
        columns[i] = add(label, "x")->shape->fields[0].column;
        is_int(columns[i], i, "a column for each name");
    }
    for (size_t i = 0; i < N; i++) {
        snprintf(label, sizeof(label), "n%zu=1", i);
        is_int(add(label, "x")->shape->fields[0].column, i, "and the same again");
    }
    is_int(batch.columns.n, N, "no more of them");
}

static void test_repeat(void)
{
    sd_batch_reset(&batch);
    add("a=1 b=1", "xy");
    struct sd_group *g = sd_batch_repeat(&batch, batch.groups.n - 1);
    is_int(g->n_targets, 2, "as many targets");
    is_span(g->targets[1], SPAN_LIT("y"), "the same");
    g->targets[1] = SPAN_LIT("z");
    g->values[1] = SPAN_LIT("2");
    sd_batch_commit(&batch);
    is_int(batch.n_targets, 4, "they count");
    is_str(changes(), "a:0 b:1 ", "and so does what changed");
    is_span(batch.groups.v[0].targets[1], SPAN_LIT("y"), "the first keeps its targets");
    is_span(batch.groups.v[0].values[1], SPAN_LIT("1"), "and its values");
    is_str(fields(), "a=1 b=2", "the second has its own");
}

static void test_forgotten(void)
{
    sd_batch_reset(&batch);
    sd_batch_begin(&batch);
    sd_batch_label(&batch, strpool_intern(&pool, SPAN_LIT("a")), SPAN_LIT("1"));
    sd_batch_target(&batch, SPAN_LIT("x"));
    sd_batch_forget_labels(&batch);
    sd_batch_forget_targets(&batch);
    sd_batch_label(&batch, strpool_intern(&pool, SPAN_LIT("b")), SPAN_LIT("2"));
    sd_batch_target(&batch, SPAN_LIT("y"));
    const struct sd_group *g = sd_batch_end(&batch);
    is_int(g->n_targets, 1, "one target");
    is_span(g->targets[0], SPAN_LIT("y"), "the later one");
    is_str(fields(), "b=2", "and the later label");
}

static void test_labels(void)
{
    static const struct {
        const char *labels, *address;
        bool with_meta;
        const char *want;
    } t[] = {
        { "a=1 __meta_m=2 __x=3", "h:1", true, "__address__=h:1 __meta_m=2 __x=3 a=1 " },
        { "a=1 __meta_m=2 __x=3", "h:1", false, "__address__=h:1 __x=3 a=1 " },
        { "a= b=1", "h", true, "__address__=h b=1 " },
        { "a=1", "", true, "a=1 " },
        { "__address__=no", "yes", true, "__address__=yes " },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct label_builder lb;
        struct arena arena;
        char text[128] = "";
        size_t n = 0;
        arena_init(&arena);
        label_builder_init(&lb, &pool, &arena);
        sd_batch_reset(&batch);
        const struct sd_group *g = add(t[i].labels, "x");
        for (int again = 0; again < 2; again++) {
            sd_batch_labels(&batch, g, span_of(t[i].address), t[i].with_meta, &lb);
        }
        label_builder_sort(&lb);
        for (size_t k = 0; k < lb.n; k++) {
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s=%.*s ", lb.v[k].name->text,
                                  SPAN_ARG(lb.v[k].value));
        }
        is_str(text, t[i].want, "labels of '%s' at '%s'", t[i].labels, t[i].address);
        label_builder_fini(&lb);
        arena_fini(&arena);
    }
}

int main(void)
{
    strpool_init(&pool);
    sd_batch_init(&batch, &pool);
    test_fields();
    test_shapes();
    test_changes();
    test_many_columns();
    test_repeat();
    test_forgotten();
    test_labels();
    sd_batch_fini(&batch);
    strpool_fini(&pool);
    return check_done();
}

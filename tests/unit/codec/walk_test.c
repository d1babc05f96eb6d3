#include "allocator/base/limits.h"
#include "allocator/codec/walk.h"
#include "allocator/codec/yamldoc.h"
#include "tests/check.h"

#include <math.h>

static struct node *parse(struct arena *arena, const char *text)
{
    struct node *root = NULL;

    ok(yamldoc_parse(span_of(text), arena, &root, NULL) == 0, "parses");
    return root;
}

static void check_fault(const struct faults *f, size_t i, const char *path, unsigned line,
                        const char *text)
{
    if (ok(i < f->n, "fault %zu", i)) {
        is_str(f->v[i].path, path, "path of fault %zu", i);
        is_int(f->v[i].line, line, "line of fault %zu", i);
        is_str(f->v[i].text, text, "text of fault %zu", i);
    }
}

static void test_right(void)
{
    struct arena arena;
    struct faults f;
    struct span text, *texts;
    size_t n;
    bool b = false;
    int64_t i = 0;
    uint64_t u = 0;
    double d = 0;
    const struct node *node;

    arena_init(&arena);
    faults_init(&f);
    struct node *map = parse(&arena, "t: 0644\nb: on\ni: -3\nu: 18446744073709551615\nd: 1.5\nm: "
                                     "{a: 1}\nl: [1, x, 'y z']\ne: []\n");
    ok(walk_text(map, "t", &f, &text) && span_is(text, "0644"), "text");
    ok(walk_bool(map, "b", &f, &b) && b, "boolean");
    ok(walk_int(map, "i", &f, &i) && i == -3, "int");
    ok(walk_uint(map, "u", &f, &u) && u == UINT64_MAX, "uint");
    ok(walk_double(map, "d", &f, &d) && fabs(d - 1.5) < 1e-9, "double");
    ok(walk_map(map, "m", &f, &node) && node->n == 1, "map");
    ok(walk_list(map, "l", &f, &node) && node->n == 3, "list");
    ok(walk_texts(map, "l", &f, &arena, &texts, &n) && n == 3 && span_is(texts[0], "1") &&
           span_is(texts[2], "y z"),
       "texts");
    ok(walk_texts(map, "e", &f, &arena, &texts, &n) && n == 0, "no texts");
    is_int(f.n, 0, "no faults");
    faults_fini(&f);
    arena_fini(&arena);
}

static void test_absent(void)
{
    struct arena arena;
    struct faults f;
    struct span text = SPAN_LIT("-"), *texts = NULL;
    size_t n = 7;
    bool b = true;
    int64_t i = 7;
    uint64_t u = 7;
    double d = 7;
    const struct node *node = NULL;

    arena_init(&arena);
    faults_init(&f);
    struct node *map = parse(&arena, "a: ~\nb:\n");
    static const char *const keys[] = { "a", "b", "c" };
    for (size_t k = 0; k < COUNT(keys); k++) {
        ok(!walk_text(map, keys[k], &f, &text) && !walk_bool(map, keys[k], &f, &b) &&
               !walk_int(map, keys[k], &f, &i) && !walk_uint(map, keys[k], &f, &u) &&
               !walk_double(map, keys[k], &f, &d) && !walk_map(map, keys[k], &f, &node) &&
               !walk_list(map, keys[k], &f, &node) &&
               !walk_texts(map, keys[k], &f, &arena, &texts, &n),
           "absent or null: %s", keys[k]);
    }
    ok(!walk_text(NULL, "a", &f, &text), "no map at all");
    ok(span_is(text, "-") && b && i == 7 && u == 7 && d > 6 && node == NULL && texts == NULL &&
           n == 7,
       "nothing was written");
    is_int(f.n, 0, "no faults");
    faults_fini(&f);
    arena_fini(&arena);
}

static void test_wrong(void)
{
    struct arena arena;
    struct faults f;
    struct span text, *texts;
    size_t n;
    bool b;
    int64_t i;
    uint64_t u;
    double d;
    const struct node *node;

    arena_init(&arena);
    faults_init(&f);
    struct node *map = parse(
        &arena,
        "t: [1]\nb: 'true'\ni: 1x\nu: -1\nd: x\nm: hunter2\nl:\n  a: 1\nx:\n- a\n- {b: 1}\n- ~\n"
        "o: {p: 1}\n");
    size_t mark = faults_push(&f, "top");
    ok(!walk_text(map, "t", &f, &text) && !walk_bool(map, "b", &f, &b) &&
           !walk_int(map, "i", &f, &i) && !walk_uint(map, "u", &f, &u) &&
           !walk_double(map, "d", &f, &d) && !walk_map(map, "m", &f, &node) &&
           !walk_list(map, "l", &f, &node) && !walk_texts(map, "x", &f, &arena, &texts, &n) &&
           !walk_bool(map, "o", &f, &b),
       "all of the wrong type");
    faults_pop(&f, mark);
    check_fault(&f, 0, "top.t", 1, "must be text, not a list");
    check_fault(&f, 1, "top.b", 2, "must be true or false, not 'true'");
    check_fault(&f, 2, "top.i", 3, "must be an integer, not '1x'");
    check_fault(&f, 3, "top.u", 4, "must be an integer that is not negative, not '-1'");
    check_fault(&f, 4, "top.d", 5, "must be a number, not 'x'");
    check_fault(&f, 5, "top.m", 6, "must be a mapping, not text");
    check_fault(&f, 6, "top.l", 8, "must be a list, not a mapping");
    check_fault(&f, 7, "top.x[1]", 11, "must be text, not a mapping");
    check_fault(&f, 8, "top.x[2]", 12, "must be text, not null");
    check_fault(&f, 9, "top.o", 13, "must be true or false, not a mapping");
    is_int(f.n, 10, "one fault each");
    is_str(f.path, "", "the path is as before");
    faults_fini(&f);
    arena_fini(&arena);
}

static void test_fault(void)
{
    struct arena arena;
    struct faults f;

    arena_init(&arena);
    faults_init(&f);
    struct node *root = parse(&arena, "x: 1\nm:\n  a: 1\n  b: 2\n");
    size_t mark = faults_push(&f, "m");
    walk_fault(node_get(root, "m"), "b", &f, "is %d", 2);
    walk_fault(node_get(root, "m"), "c", &f, "%s", "is missing");
    faults_pop(&f, mark);
    check_fault(&f, 0, "m.b", 4, "is 2");
    check_fault(&f, 1, "m.c", 3, "is missing");
    is_int(f.n_errors, 2, "errors");
    faults_fini(&f);
    arena_fini(&arena);
}

static void test_long_text(void)
{
    struct arena arena;
    struct faults f;
    bool b;

    arena_init(&arena);
    faults_init(&f);
    /* 59 letters, then characters of two bytes: the cut is before the one that does not fit. */
    struct node *map =
        parse(&arena, "b: 01234567890123456789012345678901234567890123456789012345678éééé\n");
    ok(!walk_bool(map, "b", &f, &b), "no boolean");
    check_fault(
        &f, 0, "b", 1,
        "must be true or false, not '01234567890123456789012345678901234567890123456789012345678'");
    faults_fini(&f);
    arena_fini(&arena);
}

static void test_unknown(void)
{
    static const char *const known[] = { "job_name", "scrape_interval", "static_configs", "regex",
                                         NULL };
    struct arena arena;
    struct faults f;

    arena_init(&arena);
    faults_init(&f);
    struct node *map =
        parse(&arena, "job_name: a\njobname: b\nfoo: 1\nregxe: c\nscrapeInterval: 1s\n");
    walk_unknown(map, known, FAULT_WARNING, &f);
    is_int(f.n, 4, "four unknown");
    is_int(f.n_errors, 0, "as warnings");
    check_fault(&f, 0, "", 2, "field jobname not known; did you mean 'job_name'?");
    check_fault(&f, 1, "", 3, "field foo not known");
    check_fault(&f, 2, "", 4, "field regxe not known; did you mean 'regex'?");
    check_fault(&f, 3, "", 5, "field scrapeInterval not known; did you mean 'scrape_interval'?");
    walk_unknown(parse(&arena, "[1]"), known, FAULT_ERROR, &f);
    walk_unknown(NULL, known, FAULT_ERROR, &f);
    is_int(f.n, 4, "what is no map has no members");
    faults_fini(&f);
    arena_fini(&arena);
}

static void test_nearest(void)
{
    static const char *const known[] = { "serve", "rewrite", "restore", "validate",
                                         "check", "a",       "b",       NULL };
    static const struct {
        const char *word, *nearest;
    } t[] = {
        { "serve", "serve" },
        { "sevre", "serve" },
        { "srve", "serve" },
        { "rewrit", "rewrite" },
        { "restroe", "restore" },
        { "valdate", "validate" },
        { "chekc", "check" },
        { "x", NULL },
        { "", NULL },
        { "nothing", NULL },
        { "validation", "validate" },
        { "0123456789012345678901234567890123456789012345678901234567890123456789", NULL },
    };

    static const char *const others[] = { "abcdef", "xy", NULL };
    static const struct {
        const char *word, *nearest;
    } edges[] = {
        { "abcd", "abcdef" },      /* two letters of six are missing */
        { "abc", NULL },           /* three */
        { "abcdefghi", "abcdef" }, /* three of nine too many */
        { "abcdefghij", "abcdef" },
        { "abcdefghijk", NULL },
        { "abxyef", "abcdef" }, /* two others */
        { "xbxyef", NULL },
        { "yx", "xy" },
        { "x", "xy" },
        { "xyz", "xy" },
        { "xyzz", "xy" },
    };

    for (size_t i = 0; i < COUNT(edges); i++) {
        const char *nearest = walk_nearest(span_of(edges[i].word), others);
        is_str(nearest == NULL ? "(none)" : nearest,
               edges[i].nearest == NULL ? "(none)" : edges[i].nearest, "nearest to '%s'",
               edges[i].word);
    }
    for (size_t i = 0; i < COUNT(t); i++) {
        const char *nearest = walk_nearest(span_of(t[i].word), known);
        is_str(nearest == NULL ? "(none)" : nearest, t[i].nearest == NULL ? "(none)" : t[i].nearest,
               "nearest to '%s'", t[i].word);
    }
}

/* Looking for names costs nothing any more once enough faults are listed. */
static void test_many_unknown(void)
{
    static const char *const known[] = { "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
                                         NULL };
    struct arena arena;
    struct faults f;
    struct node *root = NULL;
    AUTO_BUF text;

    arena_init(&arena);
    faults_init(&f);
    buf_init(&text, 64 * MIB);
    for (int i = 0; i < 200000; i++) {
        buf_addf(&text, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrst%06d: 1\n", i);
    }
    is_int(yamldoc_parse(buf_span(&text), &arena, &root, NULL), 0, "200,000 members");
    walk_unknown(root, known, FAULT_ERROR, &f);
    is_int(f.n, LIMIT_FAULTS, "the list is full");
    is_int(f.n_suppressed, 200000 - LIMIT_FAULTS, "the others are counted");
    faults_fini(&f);
    arena_fini(&arena);
}

int main(void)
{
    test_right();
    test_absent();
    test_wrong();
    test_fault();
    test_long_text();
    test_unknown();
    test_nearest();
    test_many_unknown();
    return check_done();
}

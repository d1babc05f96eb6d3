/* Records that lead from a rewritten text back to the bytes it had, and say nothing of any other
 * text; also of a Collector that was renamed meanwhile. */
#include "webhook/text/undo.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/yamldoc.h"
#include "tests/check.h"

static struct node *parse(struct span text, struct arena *arena)
{
    struct node *root = NULL;

    is_int(yamldoc_parse(text, arena, &root, NULL), 0, "%.*s", SPAN_ARG(text));
    return root;
}

/* "..abcdef.." became "..aXYf..": the record of the six bytes from the second on. */
static void test_record(void)
{
    const struct edit undo[] = { { .begin = 3, .end = 4, .text = SPAN_LIT("b\n\"") },
                                 { .begin = 5, .end = 6, .text = SPAN_LIT("") } };
    const struct undo_place place = { SPAN_LIT("..aXYf.."), 2, undo, COUNT(undo) };
    static const struct {
        const char *text;
        size_t begin;
        bool fits;
    } t[] = {
        { "aXYf", 0, true },      { "..aXYf..", 2, true }, { "aXYf..", 0, true },
        { "..aXYf", 2, true },    { "aXYg", 0, false },    { "aXY", 0, false },
        { "bXYf", 0, false },     { "aXZ", 0, false },     { "..aXYf..", 1, false },
        { "..aXYf..", 3, false }, { "..aXYf", 3, false },  { "", 0, false },
        { "..aXYf..", 8, false },
    };
    struct splice back = { .edits = { .n = 0 } };
    AUTO_BUF record = { 0 }, text = { 0 };
    struct arena arena;

    arena_init(&arena);
    buf_init(&record, KIB);
    buf_init(&text, KIB);
    undo_write(&place, &record);
    ok(span_has_prefix(buf_span(&record), "[4,\"") &&
           span_has_suffix(buf_span(&record), "\",[[1,1,\"b\\n\\\"\"],[3,1,\"\"]]]"),
       "as it is written: %s", record.p);
    struct node *n = parse(buf_span(&record), &arena);
    for (size_t i = 0; i < COUNT(t); i++) {
        is_int(undo_fits(n, check_at_edge(span_of(t[i].text)), t[i].begin), t[i].fits,
               "'%s' from byte %zu on", t[i].text, t[i].begin);
    }
    undo_add(n, 5, &back);
    is_int(splice_sort(&back, 12, NULL), 0, "its edits");
    splice_apply(&back, SPAN_LIT("++++.aXYf..."), &text);
    is_span(buf_span(&text), SPAN_LIT("++++.ab\n\"Y..."), "lead back, wherever the text is now");
    splice_fini(&back);
    arena_fini(&arena);
}

/* Four bytes "aXYf" have this hash; what people made of a record is not believed. */
static void test_spoiled(void)
{
    static const struct {
        const char *edits; /* of a record that is right but for them */
        bool fits;
    } t[] = {
        { "[]", true },
        { "[[0,0,\"\"]]", true },
        { "[[0,4,\"x\"]]", true },
        { "[[4,0,\"x\"]]", true },
        { "[[0,2,\"x\"],[2,2,\"\"]]", true },
        { "[[3,1,\"\"],[4,0,\"x\"]]", true },
        { "[[0,5,\"x\"]]", false },
        { "[[4,1,\"x\"]]", false },
        { "[[5,0,\"x\"]]", false },
        { "[[-1,1,\"x\"]]", false },
        { "[[1,-1,\"x\"]]", false },
        { "[[0,2,\"x\"],[1,1,\"\"]]", false },
        { "[[2,1,\"x\"],[0,1,\"\"]]", false },
        { "[[0,1]]", false },
        { "[[0,1,\"x\",1]]", false },
        { "[[0,1,[]]]", false },
        { "[[\"a\",1,\"\"]]", false },
        { "[[0,\"b\",\"\"]]", false },
        { "[{}]", false },
        { "[0]", false },
        { "{}", false },
        { "\"\"", false },
    };
    static const char *const no_records[] = { "{}",       "[]",          "\"\"",
                                              "[4]",      "[4,\"x\"]",   "[4,\"x\",[]]",
                                              "[4,1,[]]", "[[],\"\",[]]" };
    const struct undo_place place = { SPAN_LIT("aXYf"), 0, &(struct edit){ .begin = 4, .end = 4 },
                                      1 };
    AUTO_BUF good = { 0 };
    struct arena arena;

    arena_init(&arena);
    buf_init(&good, KIB);
    undo_write(&place, &good);
    const size_t head = sizeof("[4,\"0123456789abcdef\",") - 1;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct span record =
            span_of(arena_printf(&arena, "%.*s%s]", (int)head, good.p, t[i].edits));
        is_int(undo_fits(parse(record, &arena), SPAN_LIT("aXYf"), 0), t[i].fits, "fits?");
        record = span_of(arena_printf(&arena, "%.*s%s,1]", (int)head, good.p, t[i].edits));
        ok(!undo_fits(parse(record, &arena), SPAN_LIT("aXYf"), 0), "with one more it does not");
        record = span_of(arena_printf(&arena, "[5%.*s%s]", (int)head - 2, good.p + 2, t[i].edits));
        ok(!undo_fits(parse(record, &arena), SPAN_LIT("aXYf"), 0), "nor with another size");
    }
    for (size_t i = 0; i < COUNT(no_records); i++) {
        ok(!undo_fits(parse(span_of(no_records[i]), &arena), SPAN_LIT("aXYf"), 0), "is no record");
    }
    ok(!undo_fits(NULL, SPAN_LIT("aXYf"), 0), "none fits nothing");
    arena_fini(&arena);
}

/* ---- whole Collectors */

#define BEFORE "# of all\n"

static struct undo_whole whole_of(const char *text, struct arena *arena, struct span *out_document)
{
    struct span document = span_of(arena_printf(arena, BEFORE "%s", text));
    struct undo_whole o;

    undo_whole_make(document, span_from(document, sizeof(BEFORE) - 1), parse(document, arena),
                    arena, &o);
    *out_document = document;
    return o;
}

/* 'from' leads to 'to'; applied to 'renamed' it gives 'want'. NULL: there is no way, or it does
 * not fit. */
static void check_whole(const char *from, const char *to, const char *renamed, const char *want)
{
    struct splice s = { .edits = { .n = 0 } };
    AUTO_BUF record = { 0 }, result = { 0 };
    struct span document;
    struct arena arena;

    arena_init(&arena);
    buf_init(&record, KIB);
    buf_init(&result, KIB);
    struct undo_whole a = whole_of(from, &arena, &document);
    struct undo_whole b = whole_of(to, &arena, &document);
    undo_whole_write(&a, &b, &record);
    ok((record.len == 0) == (renamed == NULL), "a record, if they have the same names: %s",
       record.p == NULL ? "none" : record.p);
    if (record.len > 0) {
        const struct node *n = parse(buf_span(&record), &arena);
        struct undo_whole now = whole_of(renamed, &arena, &document);
        is_int(undo_whole_fits(&now, n), want != NULL, "it fits");
        if (want != NULL) {
            undo_whole_add(&now, n, &s);
            is_int(splice_sort(&s, document.len, NULL), 0, "its edits");
            splice_apply(&s, document, &result);
            AUTO_STR all = mem_printf(BEFORE "%s", want);
            is_span(buf_span(&result), span_of(all), "lead back, and keep the names");
        }
    }
    splice_fini(&s);
    arena_fini(&arena);
}

#define NAMED(name, ns) "metadata: {name: " name ", namespace: " ns "}\n"
#define TURNED(name, ns) "metadata: {namespace: " ns ", name: " name "}\n"

static void test_whole(void)
{
    check_whole(NAMED("a", "b") "c: 1\n", NAMED("a", "b") "c:  2\n", NAMED("long", "er") "c: 1\n",
                NAMED("long", "er") "c:  2\n");
    check_whole(TURNED("a", "b") "c: 1\n", TURNED("a", "b") "c:  2\n",
                TURNED("long", "er") "c: 1\n", TURNED("long", "er") "c:  2\n");
    check_whole("c: 1\nmetadata: {name: a}\n", "# x\nc: 1\nmetadata: { name: a }\n",
                "c: 1\nmetadata: {name: other}\n", "# x\nc: 1\nmetadata: { name: other }\n");
    /* right beside a name */
    check_whole("metadata: {name: a}\n", "metadata: {name: a\t}\n", "metadata: {name: bcd}\n",
                "metadata: {name: bcd\t}\n");
    check_whole("metadata: {name: \"a\",namespace: b}\n", "metadata: {name: \"a\" ,namespace: b}\n",
                "metadata: {name: \"\",namespace: cc}\n",
                "metadata: {name: \"\" ,namespace: cc}\n");
    check_whole("metadata:\n  name: a", "metadata:\n  name: a\n", "metadata:\n  name: b",
                "metadata:\n  name: b\n");
    /* nothing to undo */
    check_whole("metadata: {name: a}\n", "metadata: {name: b}\n", "metadata: {name: c}\n",
                "metadata: {name: c}\n");
    /* no name at all, and one that is none */
    check_whole("c: 1\n", "c: 2\n", "c: 1\n", "c: 2\n");
    check_whole("metadata: {name: [a]}\nc: 1\n", "metadata: {name: [a]}\nc: 2\n",
                "metadata: {name: [a]}\nc: 1\n", "metadata: {name: [a]}\nc: 2\n");
    check_whole("metadata: {name: [a]}\nc: 1\n", "metadata: {name: [a]}\nc: 2\n",
                "metadata: {name: [b]}\nc: 1\n", NULL);
    /* another text */
    check_whole("metadata: {name: a}\n", "metadata: { name: a}\n", "metadata: {name: a} \n", NULL);
    check_whole("metadata: {name: a}\n", "metadata: { name: a}\n", "metadata: {name: a}", NULL);
    check_whole("metadata: {name: a}\n", "metadata: { name: a}\n", NAMED("a", "b"), NULL);
    /* other names: no way */
    check_whole("metadata: {name: a}\n", NAMED("a", "b"), NULL, NULL);
    check_whole(NAMED("a", "b"), "metadata: {name: a}\n", NULL, NULL);
}

static void test_find(void)
{
    struct arena arena;

    arena_init(&arena);
    const struct node *n = parse(SPAN_LIT("{p: {j: 1, '': 2}, '': {'': 3}}"), &arena);
    is_span(undo_find(n, SPAN_LIT("p"), SPAN_LIT("j"))->text, SPAN_LIT("1"), "of a job");
    is_span(undo_find(n, SPAN_LIT("p"), SPAN_LIT(""))->text, SPAN_LIT("2"), "of a receiver");
    is_span(undo_find(n, SPAN_LIT(""), SPAN_LIT(""))->text, SPAN_LIT("3"), "of a Collector");
    ok(undo_find(n, SPAN_LIT("p"), SPAN_LIT("k")) == NULL, "no such job");
    ok(undo_find(n, SPAN_LIT("q"), SPAN_LIT("j")) == NULL, "no such receiver");
    ok(undo_find(NULL, SPAN_LIT("p"), SPAN_LIT("j")) == NULL, "no record");
    arena_fini(&arena);
}

int main(void)
{
    test_record();
    test_spoiled();
    test_whole();
    test_find();
    return check_done();
}

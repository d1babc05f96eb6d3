/* Every range of a scalar replaced in place: the document then says what was meant, or the change
 * is refused. */
#include "allocator/base/limits.h"
#include "allocator/codec/yamldoc.h"
#include "tests/check.h"
#include "webhook/text/sourcemap.h"

enum outcome { RIGHT, WRONG, REFUSED, IMPOSSIBLE };

/* A block scalar says by its indicator how its text ends, and by its first line how it is indented:
 * texts that end or begin otherwise cannot stand there. */
static bool can_stand(const struct node *scalar, struct span want)
{
    size_t n_was = scalar->text.len, n_now = want.len;

    if (scalar->style != NODE_LITERAL) {
        return true;
    }
    while (n_was > 0 && scalar->text.p[n_was - 1] == '\n') {
        n_was--;
    }
    while (n_now > 0 && want.p[n_now - 1] == '\n') {
        n_now--;
    }
    return n_now > 0 && scalar->text.len - n_was == want.len - n_now && want.p[0] != ' ' &&
           want.p[0] != '\n';
}

/* Do all lines of 'edited' end as those of 'document' do? */
static bool has_same_breaks(struct span document, struct span edited)
{
    bool has_crlf = memmem(document.p, document.len, "\r\n", 2) != NULL;
    size_t n_other = 0;

    for (size_t i = 0; i < edited.len; i++) {
        n_other += edited.p[i] == '\n' && (i > 0 && edited.p[i - 1] == '\r') != has_crlf;
    }
    return n_other == 0;
}

/* Replaces [begin, end) of the text of 'a' by 'text'. */
static enum outcome try_edit(struct span document, size_t begin, size_t end, struct span text,
                             struct arena *arena)
{
    struct splice decoded = { .edits = { .n = 0 } }, edits = { .edits = { .n = 0 } };
    AUTO_BUF want = { 0 }, got = { 0 };
    struct node *root = NULL, *again = NULL;
    struct sourcemap map;
    enum outcome outcome = REFUSED;
    struct span now;

    if (yamldoc_parse(document, arena, &root, NULL) < 0) {
        return WRONG;
    }
    const struct node *scalar = node_get(root, "a");
    buf_init(&want, MIB);
    buf_init(&got, MIB);
    splice_add(&decoded, begin, end, text);
    if (splice_sort(&decoded, scalar->text.len, NULL) == 0 &&
        sourcemap_make(document, scalar, arena, &map, NULL) == 0 &&
        sourcemap_edits(&map, &decoded, arena, &edits, NULL) == 0 &&
        splice_sort(&edits, document.len, NULL) == 0) {
        splice_apply(&decoded, scalar->text, &want);
        splice_apply(&edits, document, &got);
        bool is_right = has_same_breaks(document, buf_span(&got)) &&
                        yamldoc_parse(buf_span(&got), arena, &again, NULL) == 0 &&
                        node_as_text(node_get(again, "a"), &now) && span_eq(now, buf_span(&want)) &&
                        node_equal(node_get(again, "b"), node_get(root, "b"));
        outcome = is_right ? RIGHT : can_stand(scalar, buf_span(&want)) ? WRONG : IMPOSSIBLE;
    }
    splice_fini(&decoded);
    splice_fini(&edits);
    return outcome;
}

static size_t text_size(struct span document, struct arena *arena)
{
    struct node *root = NULL;
    struct span text = { NULL, 0 };

    if (yamldoc_parse(document, arena, &root, NULL) == 0) {
        (void)node_as_text(node_get(root, "a"), &text);
    }
    return text.len;
}

static bool is_character_start(struct span document, size_t at, struct arena *arena)
{
    struct node *root = NULL;

    return yamldoc_parse(document, arena, &root, NULL) == 0 &&
           (at == node_get(root, "a")->text.len ||
            ((unsigned char)node_get(root, "a")->text.p[at] & 0xc0) != 0x80);
}

static void check_scalar(const char *text, bool is_exact)
{
    static const char *const inserted[] = { "Q", "Q: é", "x\nQ\n", "", " \tQ", "\n" };
    struct span document = check_at_edge(span_of(text));
    size_t counts[4] = { 0, 0, 0, 0 };
    struct arena arena;

    arena_init(&arena);
    size_t size = text_size(document, &arena);
    for (size_t begin = 0; begin <= size; begin++) {
        for (size_t end = begin; end <= size; end++) {
            for (size_t i = 0; i < COUNT(inserted); i++) {
                if (is_character_start(document, begin, &arena) &&
                    is_character_start(document, end, &arena)) {
                    counts[try_edit(document, begin, end, span_of(inserted[i]), &arena)]++;
                }
                arena_reset(&arena);
            }
        }
    }
    if (is_exact) {
        is_int(counts[WRONG] + counts[REFUSED], 0, "every change of %s", text);
        ok(counts[RIGHT] > 0, "there are some (%zu)", counts[RIGHT]);
    } else {
        is_int(counts[RIGHT] + counts[WRONG], 0, "no change of %s", text);
    }
    arena_fini(&arena);
}

/* Lines that are folded: what is put between words stands there. (Where nothing is left between two
 * breaks they become one, which whoever reads the result sees.) */
static void check_folded(const char *text, const char *want)
{
    struct span document = check_at_edge(span_of(text));
    struct span decoded = span_of(want);
    unsigned n_right = 0, n_other = 0;
    struct arena arena;

    arena_init(&arena);
    is_int(text_size(document, &arena), decoded.len, "%s says %s", text, want);
    for (size_t begin = 0; begin <= decoded.len; begin++) {
        for (size_t end = begin; end <= decoded.len; end++) {
            bool is_inside = (begin > 0 && memcmp(want + begin - 1, "\n\n", 2) == 0) ||
                             (end > 0 && memcmp(want + end - 1, "\n\n", 2) == 0);
            bool is_right = try_edit(document, begin, end, SPAN_LIT("Q"), &arena) == RIGHT;
            n_right += is_right;
            n_other += !is_right && !is_inside;
            arena_reset(&arena);
        }
    }
    is_int(n_other, 0, "words can be put anywhere but between two breaks");
    ok(n_right > 0, "there are places (%u)", n_right);
    arena_fini(&arena);
}

/* The same document, each line of which ends as a line of MS-DOS does. */
static void check_both(const char *text, bool is_exact)
{
    AUTO_BUF crlf = { 0 };

    buf_init(&crlf, KIB);
    for (const char *p = text; *p != '\0'; p++) {
        buf_add_str(&crlf, *p == '\n' ? "\r" : "");
        buf_add_char(&crlf, *p);
    }
    check_scalar(text, is_exact);
    check_scalar(crlf.p, is_exact);
}

/* [begin, end) of the text becomes 'text': the very document. */
static void check_bytes(const char *document, size_t begin, size_t end, const char *text,
                        const char *want)
{
    struct splice decoded = { .edits = { .n = 0 } }, edits = { .edits = { .n = 0 } };
    AUTO_BUF got = { 0 };
    struct node *root = NULL;
    struct sourcemap map;
    struct arena arena;

    arena_init(&arena);
    buf_init(&got, KIB);
    splice_add(&decoded, begin, end, span_of(text));
    is_int(yamldoc_parse(span_of(document), &arena, &root, NULL), 0, "%s", document);
    is_int(sourcemap_make(span_of(document), node_get(root, "a"), &arena, &map, NULL), 0, "a map");
    is_int(sourcemap_edits(&map, &decoded, &arena, &edits, NULL), 0, "edits");
    splice_apply(&edits, span_of(document), &got);
    buf_add_char(&got, '\0');
    is_str(got.p, want, "[%zu, %zu) becomes '%s'", begin, end, text);
    splice_fini(&decoded);
    splice_fini(&edits);
    arena_fini(&arena);
}

/* A blank line that stays gets no blanks. */
static void test_blank_lines(void)
{
    check_bytes("a: |\n  one\n\n  two\n  three\n", 4, 8, "", "a: |\n  one\n\n  three\n");
    check_bytes("a: |\n  one\n\n  three\n", 4, 4, "\ntwo", "a: |\n  one\n\n  two\n  three\n");
    check_bytes("a: |\r\n  one\r\n\r\n  two\r\n  three\r\n", 4, 8, "",
                "a: |\r\n  one\r\n\r\n  three\r\n");
}

int main(void)
{
    test_blank_lines();
    check_both("a: |\n  one\n  two: é\nb: 1\n", true);
    check_both("a: |2\n  one\n    in\nb: 1\n", true);
    check_both("b: {x: y}\na: |-  # text\n    one\n\n    two", true);
    check_both("a: |\n  one\n  two ", true);
    check_both("a: |\n  one\n\n  two: ", true);
    check_both("a: \"one\\ntwo \\u00e9\\\\\\x41\"\nb: 1\n", true);
    check_both("a: !!str \"one\"\nb: 1\n", true);
    check_both("{\"a\":\"x\\ud83d\\ude00\\/\",\"b\":[1]}", true);
    /* every escape, and codes on both sides of each border of UTF-8 */
    check_scalar("a: \"\\0\\a\\b\\t\\\t\\n\\v\\f\\r\\e\\ \\\"\\/\\\\\\N\\_\\L\\P\"\nb: 1\n", true);
    check_scalar("a: \"\\x7f\\x80\\u07ff\\u0800\\uFFFD\\U00010000\\U0010fFfF.\"\n", true);
    check_both("{\"a\":\"\\ud800\\udc00\\uDBFF\\uDFFF\\ue000\\ud7ff\"}", true);
    check_both("a: \"\\x0a\\x9F\\xA0\\xaf\\u09Af\\uAaFf\\u0FA9\"\n", true);
    check_folded("a: \"one \t\n   two\n\n\n  three\\\n   four\"\nb: 1\n", "one two\n\nthreefour");
    check_folded("a: 'one \t\n   t''o\n\n\t\n  three'\nb: 1\n", "one t'o\n\nthree");
    check_folded("a: one \n   two\n\n\n  three\nb: 1\n", "one two\n\nthree");
    check_folded("a: \"one\r\n  two\r\n\r\n  three\\\r\n  four\"\r\n", "one two\nthreefour");
    check_both("a: >\n  one\n  two\nb: 1\n", false);
    check_both("x: &t one\na: *t\nb: 1\n", false);
    return check_done();
}

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
        bool is_right = yamldoc_parse(buf_span(&got), arena, &again, NULL) == 0 &&
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
    static const char *const inserted[] = { "Q", "Q: é", "x\nQ\n", "" };
    struct span document = span_of(text);
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

int main(void)
{
    check_scalar("a: |\n  one\n  two: é\nb: 1\n", true);
    check_scalar("a: |2\n  one\n    in\nb: 1\n", true);
    check_scalar("b: {x: y}\na: |-  # text\n    one\n\n    two", true);
    check_scalar("a: \"one\\ntwo \\u00e9\\\\\\x41\"\nb: 1\n", true);
    check_scalar("a: !!str \"one\"\nb: 1\n", true);
    check_scalar("{\"a\":\"x\\ud83d\\ude00\\/\",\"b\":[1]}", true);
    check_scalar("a: >\n  one\n  two\nb: 1\n", false);
    check_scalar("x: &t one\na: *t\nb: 1\n", false);
    return check_done();
}

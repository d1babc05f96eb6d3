/* Records that stand on members: found again after changes elsewhere, and not at all where the
 * bytes beside them are others; what people made of a record is not believed. */
#include "webhook/text/anchored.h"

#include "allocator/base/limits.h"
#include "allocator/codec/yamldoc.h"
#include "tests/check.h"

/* "b: 2" was "B: [2]", and behind "c: 3" there was a line "d: 4". */
static const char text[] = "a: 1\nb: 2\nc: 3\ne: 5\n";
static const struct edit undo[] = { { .begin = 5, .end = 9, .text = SPAN_LIT("B: [2]") },
                                    { .begin = 14, .end = 14, .text = SPAN_LIT("\nd: 4") } };

static const struct span none = { NULL, 0 };

static const struct node *parse(struct arena *arena, struct span yaml)
{
    struct node *root = NULL;

    ok(yamldoc_parse(yaml, arena, &root, NULL) == 0 && root != NULL, "%.*s", SPAN_ARG(yaml));
    return root;
}

/* The record of 'undo' in 'text'. */
static const struct node *make(struct arena *arena)
{
    const struct anchored_member members[] = {
        { .path = { SPAN_LIT("a") }, .depth = 1, .begin = 0, .end = 4 },
        { .path = { SPAN_LIT("b") }, .depth = 1, .begin = 5, .end = 9 },
        { .path = { SPAN_LIT("c") }, .depth = 1, .begin = 10, .end = 14 },
        { .path = { SPAN_LIT("e") }, .depth = 1, .begin = 15, .end = 19 },
    };
    const struct anchored_place place = { span_of(text), 0, members, COUNT(members) };
    AUTO_BUF record = { 0 };

    buf_init(&record, KIB);
    anchored_write(&place, undo, COUNT(undo), &record);
    return parse(arena, arena_span(arena, buf_span(&record)));
}

static const struct {
    const char *now;
    const char *back; /* NULL: it does not fit */
} changes[] = {
    { "a: 1\nb: 2\nc: 3\ne: 5\n", "a: 1\nB: [2]\nc: 3\nd: 4\ne: 5\n" },
    { "a: 100\nx: 1\nb: 2\nc: 3\ne: 5\n", "a: 100\nx: 1\nB: [2]\nc: 3\nd: 4\ne: 5\n" },
    { "b: 2\nc: 3\ne: 5\n", "B: [2]\nc: 3\nd: 4\ne: 5\n" },
    { "a: 1\nb: 2 # mine\nc: 3\ne: 5\n", "a: 1\nB: [2] # mine\nc: 3\nd: 4\ne: 5\n" },
    { "a: 1\nb: 2\nc: [3, 4]\ne: 5\n", "a: 1\nB: [2]\nc: [3, 4]\nd: 4\ne: 5\n" },
    { "a: 1\nb: 2\nc: 3 # mine\ne: 5\n", "a: 1\nB: [2]\nc: 3 # mine\nd: 4\ne: 5\n" },
    { "a: 1\nb: 2\nc: 3 # mine\nx: 5\n", NULL },
    { "a: 1\nb: 2\nx: 1\ne: 5\n", "a: 1\nB: [2]\nx: 1\nd: 4\ne: 5\n" },
    { "a: 1\nb: 2\nc: 3\n", "a: 1\nB: [2]\nc: 3\nd: 4\n" },
    { "a: 1\nb: 22\nc: 3\ne: 5\n", NULL },
    { "a: 1\nb: [2]\nc: 3\ne: 5\n", NULL },
    { "a: 1\nc: 3\ne: 5\n", NULL },
    { "c: 3\ne: 5\nb: 2\n", NULL }, /* in another order */
    { "{}\n", NULL },
};

static void test_changes(void)
{
    struct arena arena;

    arena_init(&arena);
    const struct node *record = make(&arena);
    for (size_t i = 0; i < COUNT(changes); i++) {
        struct span now = check_at_edge(span_of(changes[i].now));
        struct splice back = { .edits = { .n = 0 } };
        AUTO_BUF result = { 0 };
        const struct node *map = parse(&arena, now);
        buf_init(&result, KIB);
        is_int(anchored_take(record, now, map, none, NULL), changes[i].back != NULL, "fits %s",
               changes[i].now);
        (void)anchored_take(record, now, map, none, &back);
        is_int(back.edits.n, changes[i].back != NULL ? COUNT(undo) : 0, "all edits, or none");
        is_int(splice_sort(&back, now.len, NULL), 0, "apart");
        splice_apply(&back, now, &result);
        is_span(buf_span(&result),
                span_of(changes[i].back == NULL ? changes[i].now : changes[i].back), "what it was");
        splice_fini(&back);
    }
    arena_fini(&arena);
}

static void test_spoiled(void)
{
    static const char *const records[] = {
        "{}",
        "x",
        "[x]",
        "[[]]",
        "[[b,2,0,4,'',x]]",
        "[[b,2,0,4,'00000000',x]]",
        "[[b,2,0,-1,'',x]]",
        "[[b,2,99,4,'',x]]",
        "[[b,3,0,4,'',x]]",
        "[[b,1,99999999999999999,4,'',x]]",
        "[[b,0,0,9223372036854775807,'',x]]",
        "[[b,0,9223372036854775807,4,'',x]]",
        "[[[],0,9223372036854775807,0,'',x]]",
        "[[[b,c],0,0,4,'',x]]",
        "[[[b,c,d],0,0,4,'',x]]",
        "[[{},0,0,4,'',x]]",
        "[[nothing,0,0,4,'',x,b,9223372036854775807,'']]",
        "[[nothing,0,0,4,'',x,e,15,'']]",
        "[[nothing,0,0,4,'',x,e,16,'']]",
        "[[nothing,0,0,4,'',[x],e,0,'']]",
        "[[nothing,0,0,4,'',x,e,0]]",
    };
    struct arena arena;

    arena_init(&arena);
    const struct node *map = parse(&arena, span_of(text));
    ok(!anchored_take(NULL, span_of(text), map, none, NULL), "no record");
    for (size_t i = 0; i < COUNT(records); i++) {
        struct splice back = { .edits = { .n = 0 } };
        const struct node *record = parse(&arena, span_of(records[i]));
        ok(!anchored_take(record, check_at_edge(span_of(text)), map, none, &back), "%s",
           records[i]);
        is_int(back.edits.n, 0, "nothing is taken of it");
        splice_fini(&back);
    }
    arena_fini(&arena);
}

int main(void)
{
    test_changes();
    test_spoiled();
    return check_done();
}

/* Which objects there are: news of single ones, and lists that count at their end or not at all. */
#include "allocator/kube/objectindex.h"

#include "allocator/base/buf.h"
#include "tests/check.h"

static struct objectmark mark(const char *uid, const char *version)
{
    const struct objecthead head = { .uid = span_of(uid), .version = span_of(version) };

    return objectmark_of(&head);
}

static void add_gone(void *arg, struct span key)
{
    buf_add_span(arg, key);
    buf_add_char(arg, ' ');
}

#define note(x, key, uid, version) objectindex_note(&(x), span_of(key), mark(uid, version))

static void test_single(void)
{
    struct objectindex x;

    objectindex_init(&x);
    is_int(note(x, "a", "u", "5"), OBJECT_IS_NEW, "new");
    is_int(note(x, "a", "u", "5"), OBJECT_IS_SAME, "the same");
    is_int(note(x, "a", "u", "6"), OBJECT_IS_CHANGED, "later");
    is_int(note(x, "a", "u", "5"), OBJECT_IS_OLDER, "earlier");
    is_int(note(x, "a", "v", "5"), OBJECT_IS_OLDER, "earlier, of another");
    is_int(note(x, "a", "u", "6"), OBJECT_IS_SAME, "it stays");
    is_int(note(x, "a", "v", "10"), OBJECT_IS_REPLACED, "of another");
    is_int(note(x, "a", "v", "x9"), OBJECT_IS_CHANGED, "what is no number has no order");
    is_int(note(x, "a", "v", "9999999999999999999999"), OBJECT_IS_CHANGED,
           "nor is what is too long");
    is_int(note(x, "a", "v", "1"), OBJECT_IS_CHANGED, "so a small one may follow it");
    is_int(x.n, 1, "one object");
    ok(!objectindex_remove(&x, SPAN_LIT("b"), mark("v", "2")), "what is not known");
    ok(!objectindex_remove(&x, SPAN_LIT("a"), mark("v", "0")), "what went before it came");
    ok(objectindex_remove(&x, SPAN_LIT("a"), mark("v", "1")), "is removed");
    is_int(x.n, 0, "none");
    is_int(x.bytes, 0, "and nothing of it");
    objectindex_fini(&x);
}

static void test_lists(void)
{
    struct objectindex x;
    struct buf gone;

    buf_init(&gone, 1000);
    objectindex_init(&x);
    (void)note(x, "a", "u", "5");
    (void)note(x, "b", "u", "5");
    objectindex_begin_list(&x);
    is_int(note(x, "a", "u", "4"), OBJECT_IS_CHANGED, "a list is the truth");
    is_int(note(x, "c", "u", "9"), OBJECT_IS_NEW, "new");
    is_int(note(x, "c", "u", "9"), OBJECT_IS_NEW, "until it is committed");
    is_int(x.n, 2, "nothing counts yet");
    objectindex_abort(&x);
    is_int(note(x, "a", "u", "5"), OBJECT_IS_SAME, "what was known is");
    ok(!objectindex_remove(&x, SPAN_LIT("c"), mark("u", "9")), "and no more");

    objectindex_begin_list(&x);
    (void)note(x, "a", "u", "4");
    (void)note(x, "c", "u", "9");
    objectindex_commit(&x, add_gone, &gone);
    is_span(buf_span(&gone), SPAN_LIT("b "), "what it had not is gone");
    is_int(x.n, 2, "the others are known");
    is_int(note(x, "a", "u", "4"), OBJECT_IS_SAME, "as they were listed");
    is_int(note(x, "c", "u", "9"), OBJECT_IS_SAME, "the new one, too");
    is_int(note(x, "b", "u", "5"), OBJECT_IS_NEW, "what went may come again");

    buf_clear(&gone);
    objectindex_begin_list(&x);
    objectindex_commit(&x, add_gone, &gone);
    is_int(gone.len, 6, "an empty list is one, too");
    is_int(x.bytes, 0, "and nothing is left");
    objectindex_fini(&x);
    buf_fini(&gone);
}

int main(void)
{
    test_single();
    test_lists();
    return check_done();
}

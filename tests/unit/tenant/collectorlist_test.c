#include "allocator/tenant/collectorlist.h"

#include "allocator/base/buf.h"
#include "allocator/base/limits.h"
#include "tests/check.h"

#include <string.h>

/* "name@node=address" of each, with blanks between; what is not known is left out. */
static void write_list(const struct collectorlist *l, struct buf *out)
{
    buf_init(out, MIB);
    for (size_t i = 0; i < l->n; i++) {
        buf_addf(out, "%s%.*s", i == 0 ? "" : " ", SPAN_ARG(l->v[i].name));
        if (l->v[i].node.len > 0) {
            buf_addf(out, "@%.*s", SPAN_ARG(l->v[i].node));
        }
        if (l->v[i].address.len > 0) {
            buf_addf(out, "=%.*s", SPAN_ARG(l->v[i].address));
        }
    }
    buf_add_char(out, '\0');
}

static void test_parse(void)
{
    static const struct {
        const char *text, *want; /* want == NULL: refused with 'why' */
        const char *why;
    } t[] = {
        { "a", "a", NULL },
        { "a,b-1,9.x", "a b-1 9.x", NULL },
        { "a@n,b", "a@n b", NULL },
        { "a=10.0.0.1", "a=10.0.0.1", NULL },
        { "a@n=FD00:0::01,b", "a@n=fd00::1 b", NULL },
        { "a@=10.0.0.1", "a=10.0.0.1", NULL },
        { "", NULL, "a name is empty" },
        { "a,", NULL, "a name is empty" },
        { ",a", NULL, "a name is empty" },
        { "@n", NULL, "a name is empty" },
        { "a@", NULL, "a name is empty" },
        { "=10.0.0.1", NULL, "a name is empty" },
        { "a=", NULL, "NAME=IP-ADDRESS" },
        { "a=b", NULL, "NAME=IP-ADDRESS" },
        { "a=1@n", NULL, "NAME=IP-ADDRESS" },
        { "-a", NULL, "a number from 1 to 65534" },
        { "a b", NULL, "there are blanks in it" },
        { "a,b,a@n", NULL, "one is given twice" },
    };

    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        struct collectorlist l;
        struct err err = { 0 };
        AUTO_BUF got;
        collectorlist_init(&l);
        int rc = collectorlist_parse(&l, span_of(t[i].text), &err);
        write_list(&l, &got);
        if (t[i].want != NULL) {
            is_int(rc, 0, "'%s' is a list: %s", t[i].text, err.text);
            is_str(got.p, t[i].want, "of these");
        } else {
            is_int(rc, ERR_INVALID, "'%s' is refused", t[i].text);
            ok(strstr(err.text, t[i].why) != NULL, "and the reason named: %s", err.text);
        }
        collectorlist_fini(&l);
    }
}

static void key_of(const char *text, uint64_t out_key[2])
{
    struct collectorlist l, copy;

    collectorlist_init(&l);
    collectorlist_init(&copy);
    is_int(collectorlist_parse(&l, span_of(text), NULL), 0, "'%s'", text);
    collectorlist_copy(&copy, &l);
    collectorlist_fini(&l);
    collectorlist_key(&copy, out_key); /* of texts that are its own */
    collectorlist_fini(&copy);
}

static void test_keys(void)
{
    static const char *const others[] = {
        "a", "b,a", "a,b,c", "ab", "a@b", "a,b@n", "a,b=10.0.0.1"
    };
    uint64_t key[2], other[2];

    key_of("a,b", key);
    key_of("a,b", other);
    ok(memcmp(key, other, sizeof(key)) == 0, "equal lists have equal keys");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        key_of(others[i], other);
        ok(memcmp(key, other, sizeof(key)) != 0, "'%s' is another list", others[i]);
    }
}

static void test_numbers(void)
{
    struct collectorlist l;
    AUTO_BUF got;

    collectorlist_init(&l);
    collectorlist_number(&l, "x", 3);
    write_list(&l, &got);
    is_str(got.p, "x-0 x-1 x-2", "pods of a StatefulSet");
    collectorlist_fini(&l);
}

int main(void)
{
    test_parse();
    test_keys();
    test_numbers();
    return check_done();
}

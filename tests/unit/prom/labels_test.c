#include "allocator/base/utf8.h"
#include "allocator/prom/labels.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "tests/check.h"

#include <ctype.h>
#include <stdio.h>

struct fixture {
    struct strpool pool;
    struct arena arena;
    struct label_builder lb;
};

static void setup(struct fixture *x)
{
    strpool_init(&x->pool);
    arena_init(&x->arena);
    label_builder_init(&x->lb, &x->pool, &x->arena);
}

static void teardown(struct fixture *x)
{
    label_builder_fini(&x->lb);
    arena_fini(&x->arena);
    strpool_fini(&x->pool);
}

static const struct str *name_of(struct fixture *x, const char *name)
{
    return strpool_intern(&x->pool, span_of(name));
}

static void test_builder(void)
{
    struct fixture x;
    setup(&x);
    label_builder_set(&x.lb, name_of(&x, "a"), SPAN_LIT("1"));
    label_builder_set(&x.lb, name_of(&x, "b"), SPAN_LIT("2"));
    label_builder_set(&x.lb, name_of(&x, "c"), SPAN_LIT(""));
    is_int(x.lb.n, 2, "an empty value is no label");
    is_span(label_builder_get(&x.lb, name_of(&x, "b")), SPAN_LIT("2"), "get");
    is_span(label_builder_get(&x.lb, name_of(&x, "c")), SPAN_LIT(""), "absent is empty");
    label_builder_set(&x.lb, name_of(&x, "b"), SPAN_LIT("3"));
    is_span(label_builder_get(&x.lb, name_of(&x, "b")), SPAN_LIT("3"), "set again");
    label_builder_set(&x.lb, name_of(&x, "a"), SPAN_LIT(""));
    is_int(x.lb.n, 1, "setting to empty deletes");
    label_builder_del(&x.lb, name_of(&x, "nope"));
    label_builder_del(&x.lb, name_of(&x, "b"));
    is_int(x.lb.n, 0, "deleted");
    teardown(&x);
}

/* What a place remembers must never be believed of another shape. */
static void test_places(void)
{
    struct fixture x;
    struct label_place places[3];
    uint64_t random = 3;
    size_t n_good = 0;
    setup(&x);
    static const char *const names[] = { "a", "b", "c", "d", "e" };
    for (size_t i = 0; i < COUNT(places); i++) {
        label_place_init(&places[i], strpool_intern(&x.pool, span_of(names[i])));
    }
    for (int round = 0; round < 20000; round++) {
        random = random * 6364136223846793005ULL + 1442695040888963407ULL;
        const struct str *name = name_of(&x, names[(random >> 40) % COUNT(names)]);
        switch ((random >> 33) % 16) {
        case 0:
            label_builder_clear(&x.lb);
            break;
        case 1:
            label_builder_sort(&x.lb);
            break;
        case 2: {
            bool is_removed[COUNT(names)] = { false, (random & 4096) != 0, false, true };
            label_builder_remove(&x.lb, is_removed);
            break;
        }
        case 3:
        case 4:
            label_builder_del(&x.lb, name);
            break;
        case 5:
            label_place_set(&places[random >> 50 & 1], &x.lb,
                            (random >> 51 & 1) == 0 ? SPAN_LIT("v") : SPAN_LIT(""));
            break;
        default:
            label_builder_set(&x.lb, name, SPAN_LIT("v"));
            break;
        }
        bool is_good = true;
        for (size_t i = 0; i < COUNT(places); i++) {
            struct span want = label_builder_get(&x.lb, places[i].name);
            is_good = is_good && span_eq(label_place_get(&places[i], &x.lb), want);
        }
        n_good += is_good ? 1 : 0;
    }
    is_int(n_good, 20000, "places see what is there");
    teardown(&x);
}

/* The same changes to a builder of many labels, whose places are hashed, and to a plain table. */
enum { MANY = 600 };

static size_t count_differences(struct fixture *x, const struct str *const *names,
                                const char (*have)[8])
{
    size_t n_set = 0, n_wrong = 0;

    for (size_t i = 0; i < MANY; i++) {
        n_wrong += span_is(label_builder_get(&x->lb, names[i]), have[i]) ? 0 : 1;
        n_set += have[i][0] != '\0' ? 1 : 0;
    }
    return n_wrong + (n_set == x->lb.n ? 0 : 1);
}

static void remove_third(struct fixture *x, const struct str *const *names, char (*have)[8],
                         size_t rest)
{
    bool is_removed[MANY];

    for (size_t i = 0; i < x->lb.n; i++) {
        is_removed[i] = x->lb.v[i].name->len % 3 == rest;
    }
    for (size_t i = 0; i < MANY; i++) {
        have[i][0] = names[i]->len % 3 == rest ? '\0' : have[i][0];
    }
    label_builder_remove(&x->lb, is_removed);
}

static void test_many(void)
{
    static const char values[][8] = { "", "", "v", "w", "longer" };
    static char have[MANY][8];
    const struct str *names[MANY];
    uint64_t random = 5;
    size_t n_wrong = 0, most = 0;
    struct fixture x;

    setup(&x);
    for (size_t i = 0; i < MANY; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "n%zu%.*s", i, (int)(i % 7), "_______");
        names[i] = name_of(&x, name);
        strpool_pin((struct str *)(uintptr_t)names[i]);
    }
    for (int round = 0; round < 60000; round++) {
        random = random * 6364136223846793005ULL + 1442695040888963407ULL;
        size_t at = (random >> 40) % MANY;
        const char *value = values[(random >> 33) % COUNT(values)];
        label_builder_set(&x.lb, names[at], span_of(value));
        memcpy(have[at], value, sizeof(have[at]));
        most = x.lb.n > most ? x.lb.n : most;
        if (round % 97 == 0) {
            label_builder_sort(&x.lb);
        } else if (round % 1009 == 0) {
            remove_third(&x, names, have, (random >> 50) % 3);
        } else if (round % 5003 == 0) {
            label_builder_clear(&x.lb);
            memset(have, 0, sizeof(have));
        }
        n_wrong += round % 61 == 0 ? count_differences(&x, names, (const void *)have) : 0;
    }
    is_int(n_wrong, 0, "what is set is found, of many labels too");
    ok(most > 256, "there were many");
    for (size_t i = 0; i < MANY; i++) {
        strpool_unpin((struct str *)(uintptr_t)names[i]);
    }
    teardown(&x);
}

static void test_caps(void)
{
    struct fixture x;
    setup(&x);
    for (int i = 0; i < LIMIT_LABELS_PER_TARGET; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "n%d", i);
        label_builder_append(&x.lb, name_of(&x, name), SPAN_LIT("v"));
    }
    ok(!x.lb.is_overfull, "as many labels as allowed");
    label_builder_set(&x.lb, name_of(&x, "n1"), SPAN_LIT("w"));
    ok(!x.lb.is_overfull, "changing one is fine");
    label_builder_set(&x.lb, name_of(&x, "more"), SPAN_LIT("v"));
    ok(x.lb.is_overfull, "one more is too many");
    label_builder_clear(&x.lb);
    ok(!x.lb.is_overfull && x.lb.n == 0, "clear");
    ok(label_builder_charge(&x.lb, LIMIT_RELABEL_BYTES), "all bytes");
    ok(!label_builder_charge(&x.lb, 1) && x.lb.is_overfull, "one more is too many");
    teardown(&x);
}

static bool is_sorted(const struct label *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (span_cmp(str_span(v[i - 1].name), str_span(v[i].name)) >= 0) {
            return false;
        }
    }
    return true;
}

/* Every label's value is its name, so that a mixed-up pair shows. */
static bool is_paired(const struct label *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!span_eq(v[i].value, str_span(v[i].name))) {
            return false;
        }
    }
    return true;
}

/* Names that differ from round to round, and names that are those of two rounds before in the same
 * sequence; with the pool swept in between, so that other names take the place of old ones in
 * memory. */
static void test_sort(void)
{
    struct fixture x;
    uint64_t random = 7;
    size_t n_good = 0;
    setup(&x);
    for (int round = 0; round < 400; round++) {
        size_t n = round % 8 == 7 ? 600 : (size_t)(round % 41);
        label_builder_clear(&x.lb);
        for (size_t i = 0; i < n; i++) {
            char name[64];
            random = random * 6364136223846793005ULL + 1442695040888963407ULL;
            uint64_t scatter = round % 2 == 0 ? random >> 40 : (uint64_t)(i * 7919 % 611);
            (void)snprintf(name, sizeof(name), "%s%llu_%zu", i % 3 == 0 ? "__meta_" : "l",
                           (unsigned long long)scatter, i);
            const struct str *s = name_of(&x, name);
            label_builder_append(&x.lb, s, str_span(s));
        }
        for (int again = 0; again < 2; again++) {
            label_builder_sort(&x.lb);
            n_good += x.lb.n == n && is_sorted(x.lb.v, n) && is_paired(x.lb.v, n) ? 1 : 0;
        }
        strpool_sweep(&x.pool);
    }
    is_int(n_good, 800, "sorted, names and values together");

    struct label v[3];
    for (size_t i = 0; i < COUNT(v); i++) {
        v[i].name = name_of(&x, (const char *[]){ "c", "a", "b" }[i]);
        v[i].value = str_span(v[i].name);
    }
    labels_sort(v, COUNT(v));
    ok(is_sorted(v, COUNT(v)) && is_paired(v, COUNT(v)), "an array too");
    labels_sort(NULL, 0);
    teardown(&x);
}

static void test_names(void)
{
    static const struct {
        const char *name;
        bool is_utf8, is_legacy;
    } t[] = {
        { "", false, false },
        { "a", true, true },
        { "_A9", true, true },
        { "9a", true, false },
        { "a-b", true, false },
        { "a.b", true, false },
        { "\xc3\xa9", true, false },
        { "a b", true, false },
        { "${3}", true, false },
        { "\xc3", false, false },
        { "a\xff", false, false },
        { "\xed\xa0\x80", false, false },     /* a surrogate */
        { "\xc0\x80", false, false },         /* overlong */
        { "\xf4\x90\x80\x80", false, false }, /* past U+10FFFF */
        { "\xf0\x9f\x98\x80", true, false },
        { "\xef\xbf\xbd", true, false }, /* U+FFFD itself */
        { "12345678\xe2\x82", false, false },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        is_int(label_name_is_valid(span_of(t[i].name), NAME_UTF8), t[i].is_utf8, "UTF-8 name %zu",
               i);
        is_int(label_name_is_valid(span_of(t[i].name), NAME_LEGACY), t[i].is_legacy,
               "legacy name %zu", i);
        is_int(utf8_is_valid(span_of(t[i].name)), t[i].is_utf8 || t[i].name[0] == '\0',
               "UTF-8 text %zu", i);
    }
    size_t n_wrong = 0;
    for (int c = 1; c < 256; c++) { /* each byte, first and after a letter */
        const char text[] = { 'a', (char)c };
        bool is_first = c < 0x80 && (isalpha(c) || c == '_');
        n_wrong += label_name_is_valid(span_make(text + 1, 1), NAME_LEGACY) != is_first;
        n_wrong += label_name_is_valid(span_make(text, 2), NAME_LEGACY) !=
                   (is_first || (c >= '0' && c <= '9'));
    }
    is_int(n_wrong, 0, "letters, digits and _ make a legacy name, and nothing else does");
}

static void test_identity(void)
{
    /* As upstream prints them in its HTML pages. */
    static const struct {
        const char *value, *job;
        uint64_t want;
    } t[] = {
        { "test-value", "test-job", 11170662653441480747ULL },
        { "test-value2", "test-job", 5467859392755170604ULL },
        { "test-value2", "test-job2", 1641186170520627519ULL },
        { "test-value3", "test-job2", 14477087093029933912ULL },
    };
    struct fixture x;
    setup(&x);
    for (size_t i = 0; i < COUNT(t); i++) {
        label_builder_clear(&x.lb);
        label_builder_set(&x.lb, name_of(&x, "test_label"), span_of(t[i].value));
        label_builder_set(&x.lb, name_of(&x, "__meta_x"), SPAN_LIT("of no account"));
        ok(labels_identity(&x.lb, span_of(t[i].job)) == t[i].want, "identity of %s, %s", t[i].value,
           t[i].job);
    }
    uint64_t before = 0;
    for (int i = 0; i < 2; i++) {
        char *big = mem_alloc(5000);
        memset(big, 'x', 5000);
        label_builder_clear(&x.lb);
        label_builder_set(&x.lb, name_of(&x, i == 0 ? "a" : "b"),
                          i == 0 ? SPAN_LIT("1") : span_make(big, 5000));
        label_builder_set(&x.lb, name_of(&x, i == 0 ? "b" : "a"),
                          i == 0 ? span_make(big, 5000) : SPAN_LIT("1"));
        uint64_t now = labels_identity(&x.lb, SPAN_LIT("j"));
        ok(i == 0 || now == before, "the order of setting does not matter, nor does size");
        before = now;
        mem_free(big);
    }
    teardown(&x);
}

int main(void)
{
    test_builder();
    test_places();
    test_many();
    test_caps();
    test_sort();
    test_names();
    test_identity();
    return check_done();
}

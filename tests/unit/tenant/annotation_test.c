#include "allocator/tenant/annotation.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/base64.h"
#include "allocator/codec/zlib.h"
#include "tests/check.h"

#include <stdio.h>

#define SMALL                                                                                      \
    "{\"receivers\":{\"prometheus\":{\"jobs\":{\"a\":{\"static_configs\":[{\"targets\":[\"x:1\"]}" \
    "]}}}},\"v\":1}"

static int decode(struct span value, char *out_json, size_t size, struct err *err)
{
    struct arena arena;
    struct span json = { "", 0 };
    struct node *root = NULL;

    arena_init(&arena);
    int rc = annotation_decode(value, &arena, &json, &root, err);
    (void)snprintf(out_json, size, "%.*s", SPAN_ARG(json));
    ok((rc == 0) == (root != NULL), "tree exactly on success");
    arena_fini(&arena);
    return rc;
}

static void test_plain(void)
{
    char json[1024];
    AUTO_BUF out;

    is_int(decode(SPAN_LIT(SMALL), json, sizeof(json), NULL), 0, "plain");
    is_str(json, SMALL, "canonical stays");
    is_int(decode(SPAN_LIT(" { \"v\" : 1 ,\n \"receivers\" : {} } "), json, sizeof(json), NULL), 0,
           "loose plain");
    is_str(json, "{\"receivers\":{},\"v\":1}", "becomes canonical");

    buf_init(&out, LIMIT_ANNOTATION_ENCODED);
    is_int(annotation_encode(SPAN_LIT(SMALL), LIMIT_ANNOTATION_ENCODED, &out, NULL), 0, "encode");
    is_span(buf_span(&out), SPAN_LIT(SMALL), "small is plain");
}

static void test_refused(void)
{
    static const struct {
        const char *value, *text;
        int rc;
    } t[] = {
        { "", "", ERR_INVALID },
        { "x", "", ERR_INVALID },
        { "[]", "must be a mapping, not a list", ERR_INVALID },
        { "{\"receivers\":{}}", "v: the version is missing", ERR_INVALID },
        { "{\"v\":\"1\",\"receivers\":{}}", "v: the version is missing", ERR_INVALID },
        { "{\"v\":2,\"receivers\":[]}", "version 2 is not known to this program", ERR_UNSUPPORTED },
        { "{\"v\":1}", "receivers: must be a mapping, not nothing", ERR_INVALID },
        { "{\"v\":1,\"receivers\":{\"r\":1}}", "receivers[\"r\"]: must be a mapping, not ",
          ERR_INVALID },
        { "{\"v\":1,\"receivers\":{\"r\":{}}}", "receivers[\"r\"]: jobs: must be a mapping, not ",
          ERR_INVALID },
        { "{\"v\":1,\"receivers\":{\"r\":{\"jobs\":{\"j\":[]}}}}",
          "receivers[\"r\"]: jobs[\"j\"]: must be a mapping, not a list", ERR_INVALID },
        { "{\"v\":1,\"receivers\":{\"r\":{\"jobs\":{\"j\":{\"job_name\":[]}}}}}",
          "receivers[\"r\"]: jobs[\"j\"]: 'job_name' is not a service discovery section",
          ERR_INVALID },
        { "{\"v\":1,\"receivers\":{\"r\":{\"jobs\":{\"j\":{\"static_configs\":{}}}}}}",
          "receivers[\"r\"]: jobs[\"j\"]: static_configs: must be a list, not a mapping",
          ERR_INVALID },
        { "gz1:", "", ERR_INVALID },
        { "gz1:!!!!", "", ERR_INVALID },
        { "gz1:QUJD", "", ERR_INVALID },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        char json[1024];
        struct err err = { 0 };
        is_int(decode(span_of(t[i].value), json, sizeof(json), &err), t[i].rc, "rc of '%s'",
               t[i].value);
        ok(t[i].text[0] == '\0' || t[i].rc == ERR_INVALID || t[i].rc == ERR_UNSUPPORTED, "a code");
        bool is_said = strncmp(err.text, t[i].text, strlen(t[i].text)) == 0 ||
                       strstr(t[i].text, "nothing") != NULL;
        ok(is_said && err.text[0] != '\0', "'%s' says '%s'", t[i].value, err.text);
    }
}

/* A canonical annotation of about 'size' bytes, whose text compresses badly when 'is_random'. */
static char *big_json(size_t size, bool is_random)
{
    struct buf b;
    uint64_t state = 88172645463325252U;

    buf_init(&b, size * 2 + 1024);
    buf_add_str(
        &b,
        "{\"receivers\":{\"prometheus\":{\"jobs\":{\"a\":{\"static_configs\":[{\"targets\":[\"x\"");
    while (b.len < size) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        buf_addf(&b, ",\"%016llx\"",
                 is_random ? (unsigned long long)state : (unsigned long long)b.len);
    }
    buf_add_str(&b, "]}]}}}},\"v\":1}");
    return buf_take(&b, NULL);
}

static void test_compressed(void)
{
    AUTO_STR big = big_json(LIMIT_ANNOTATION_PLAIN * 4, false);
    AUTO_BUF out;
    struct arena arena;
    struct span json = { "", 0 };
    struct node *root = NULL;

    buf_init(&out, LIMIT_ANNOTATION_ENCODED);
    is_int(annotation_encode(span_of(big), LIMIT_ANNOTATION_ENCODED, &out, NULL), 0,
           "encode %zu bytes", strlen(big));
    ok(span_has_prefix(buf_span(&out), "gz1:") && out.len < LIMIT_ANNOTATION_PLAIN,
       "compressed to %zu bytes", out.len);
    arena_init(&arena);
    is_int(annotation_decode(buf_span(&out), &arena, &json, &root, NULL), 0, "decode");
    is_span(json, span_of(big), "round trip");
    arena_fini(&arena);
}

/* As long as it is short it can be read by people. */
static void test_border(void)
{
    AUTO_STR longest = mem_zalloc(LIMIT_ANNOTATION_PLAIN + 2);
    AUTO_BUF plain = { 0 }, packed = { 0 };

    memset(longest, 'x', LIMIT_ANNOTATION_PLAIN + 1);
    buf_init(&plain, LIMIT_ANNOTATION_ENCODED);
    buf_init(&packed, LIMIT_ANNOTATION_ENCODED);
    struct span json = span_make(longest, LIMIT_ANNOTATION_PLAIN);
    is_int(annotation_encode(json, LIMIT_ANNOTATION_ENCODED, &plain, NULL), 0, "the longest");
    is_span(buf_span(&plain), json, "that is not compressed");
    json.len++;
    is_int(annotation_encode(json, LIMIT_ANNOTATION_ENCODED, &packed, NULL), 0, "one byte more");
    ok(span_has_prefix(buf_span(&packed), "gz1:"), "is compressed");
}

/* Where the fast level leaves too much, more work is done. */
static void test_pressed(void)
{
    AUTO_BUF json, fast, small, pressed;
    uint32_t noise = 1;

    buf_init(&json, LIMIT_ANNOTATION_DECODED);
    buf_init(&fast, LIMIT_ANNOTATION_ENCODED);
    buf_init(&small, LIMIT_ANNOTATION_ENCODED);
    buf_init(&pressed, LIMIT_ANNOTATION_ENCODED);
    buf_add_str(&json, "{\"receivers\":{},\"text\":[0");
    for (size_t i = 0; i < 10000; i++) {
        noise = noise * 1664525U + 1013904223U;
        buf_addf(&json, ",\"10.0.%u.%zu:9100\"", noise >> 24, i);
    }
    buf_add_str(&json, "],\"v\":1}");
    is_int(annotation_encode(buf_span(&json), LIMIT_ANNOTATION_ENCODED, &fast, NULL), 0,
           "with room");
    is_int(annotation_encode(buf_span(&json), fast.len, &pressed, NULL), 0, "with just as much");
    is_span(buf_span(&pressed), buf_span(&fast), "the same bytes");
    is_int(annotation_encode(buf_span(&json), fast.len - 1, &small, NULL), 0, "with less");
    ok(small.len < fast.len, "%zu bytes become %zu, pressed %zu", json.len, fast.len, small.len);
    buf_clear(&pressed);
    is_int(annotation_encode(buf_span(&json), 0, &pressed, NULL), 0, "with none");
    is_span(buf_span(&pressed), buf_span(&small), "as small as can be");
    ok(annotation_holds(buf_span(&fast), buf_span(&json)) &&
           annotation_holds(buf_span(&small), buf_span(&json)),
       "both hold the same");
    ok(!annotation_holds(buf_span(&fast), span_from(buf_span(&json), 1)), "and nothing else");
    ok(annotation_holds(SPAN_LIT(SMALL), SPAN_LIT(SMALL)) &&
           !annotation_holds(SPAN_LIT("gz1:?"), SPAN_LIT("")),
       "plain or broken");
}

static void test_too_big(void)
{
    AUTO_STR random = big_json(LIMIT_ANNOTATION_ENCODED * 2, true);
    AUTO_STR huge = big_json(LIMIT_ANNOTATION_DECODED + 1000, false);
    AUTO_BUF out, zeros, packed, bomb;
    struct err err = { 0 };
    char json[16];

    buf_init(&out, LIMIT_ANNOTATION_ENCODED);
    is_int(annotation_encode(span_of(random), LIMIT_ANNOTATION_ENCODED, &out, &err), ERR_TOO_BIG,
           "incompressible");
    ok(strstr(err.text, "131072") != NULL && strstr(err.text, "http_sd") != NULL, "advice: %s",
       err.text);
    is_int(annotation_encode(span_of(huge), LIMIT_ANNOTATION_ENCODED, &out, &err), ERR_TOO_BIG,
           "more than may be inflated");
    is_int(out.len, 0, "nothing is written");
    is_int(decode(span_of(random), json, sizeof(json), &err), ERR_TOO_BIG, "a value over the cap");

    buf_init(&zeros, LIMIT_ANNOTATION_DECODED * 4);
    char *room = buf_reserve(&zeros, LIMIT_ANNOTATION_DECODED * 2);
    memset(room, ' ', LIMIT_ANNOTATION_DECODED * 2);
    zeros.len = LIMIT_ANNOTATION_DECODED * 2;
    buf_init(&packed, LIMIT_ANNOTATION_DECODED * 4);
    buf_init(&bomb, LIMIT_ANNOTATION_ENCODED);
    zlib_deflate(buf_span(&zeros), 6, &packed);
    buf_add_str(&bomb, "gz1:");
    base64_encode(buf_span(&packed), &bomb);
    is_int(decode(buf_span(&bomb), json, sizeof(json), &err), ERR_TOO_BIG, "a bomb of %zu bytes",
           bomb.len);
}

/* As much as may be decoded, and compressible, fits. */
static void test_largest(void)
{
    AUTO_BUF big, out;

    buf_init(&big, LIMIT_ANNOTATION_DECODED);
    buf_add_str(&big, "{\"receivers\":{},\"text\":\"");
    char *room = buf_reserve(&big, LIMIT_ANNOTATION_DECODED - 64);
    memset(room, 'x', LIMIT_ANNOTATION_DECODED - 64);
    big.len += LIMIT_ANNOTATION_DECODED - 64;
    buf_add_str(&big, "\",\"v\":1}");
    buf_init(&out, LIMIT_ANNOTATION_ENCODED);
    is_int(annotation_encode(buf_span(&big), LIMIT_ANNOTATION_ENCODED, &out, NULL), 0, "%zu bytes",
           big.len);
}

static void test_deep(void)
{
    AUTO_BUF deep;
    char json[16];
    struct err err = { 0 };

    buf_init(&deep, LIMIT_ANNOTATION_ENCODED);
    for (size_t i = 0; i < LIMIT_DEPTH + 1; i++) {
        buf_add_char(&deep, '[');
    }
    for (size_t i = 0; i < LIMIT_DEPTH + 1; i++) {
        buf_add_char(&deep, ']');
    }
    ok(decode(buf_span(&deep), json, sizeof(json), &err) < 0, "too deep: %s", err.text);
}

int main(void)
{
    test_plain();
    test_refused();
    test_compressed();
    test_border();
    test_pressed();
    test_too_big();
    test_largest();
    test_deep();
    return check_done();
}

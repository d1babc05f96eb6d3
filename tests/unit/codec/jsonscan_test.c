#include "allocator/base/buf.h"
#include "allocator/base/mem.h"
#include "allocator/codec/jsonscan.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const names[] = {
    [JSON_DONE] = "done",       [JSON_FAULT] = "fault",       [JSON_BEGIN_OBJECT] = "{",
    [JSON_END_OBJECT] = "}",    [JSON_BEGIN_ARRAY] = "[",     [JSON_END_ARRAY] = "]",
    [JSON_KEY] = "key",         [JSON_TEXT] = "text",         [JSON_NUMBER] = "number",
    [JSON_TRUE_VALUE] = "true", [JSON_FALSE_VALUE] = "false", [JSON_NULL_VALUE] = "null",
};

static void note_token(struct buf *out, const struct json_token *t)
{
    buf_addf(out, "%s(%llu-%llu,%.*s%s) ", names[t->event], (unsigned long long)t->begin,
             (unsigned long long)t->end, SPAN_ARG(t->raw), t->has_escapes ? ",\\" : "");
}

/* A copy of exactly this size: a read past it is seen by the sanitizers. */
static char *exact_copy(struct span text)
{
    char *copy = mem_alloc(text.len);

    memcpy(copy, text.p, text.len);
    return copy;
}

/* Everything a reader can see of 'text'. */
static void transcribe(struct span text, struct buf *out)
{
    AUTO_STR copy = exact_copy(text);
    struct jsonscan s;
    struct json_token t = { 0 };

    buf_clear(out);
    jsonscan_init(&s, span_make(copy, text.len), LIMIT_DEPTH);
    for (;;) {
        enum json_event e = jsonscan_next(&s, &t);
        if (e == JSON_DONE || e == JSON_FAULT) {
            buf_addf(out, "%s %s", names[e], jsonscan_error(&s));
            break;
        }
        note_token(out, &t);
    }
}

static void test_tokens(void)
{
    static const struct {
        const char *text, *tokens;
    } t[] = {
        { "1", "number(0-1,1) done " },
        { " [ ] ", "[(1-2,[) ](3-4,]) done " },
        { "{\"a\":[1,\"b\",true,false,null]}",
          "{(0-1,{) key(1-4,a) [(5-6,[) number(6-7,1) text(8-11,b) true(12-16,true) "
          "false(17-22,false) null(23-27,null) ](27-28,]) }(28-29,}) done " },
        { "{\"a\\\"\":\"\\u00e9\"}",
          "{(0-1,{) key(1-6,a\\\",\\) text(7-15,\\u00e9,\\) }(15-16,}) done " },
        { "-0.5e+10\n", "number(0-8,-0.5e+10) done " },
        { "[[],{}]", "[(0-1,[) [(1-2,[) ](2-3,]) {(4-5,{) }(5-6,}) ](6-7,]) done " },
        { "[1,]", "[(0-1,[) number(1-2,1) fault offset 3: expected a value" },
        { "{\"a\" 1}", "{(0-1,{) key(1-4,a) fault offset 5: expected ':'" },
        { "{\"a\":1,}", "{(0-1,{) key(1-4,a) number(5-6,1) fault offset 7: expected a key" },
        { "{1:2}", "{(0-1,{) fault offset 1: expected a key or '}'" },
        { "[1 2]", "[(0-1,[) number(1-2,1) fault offset 3: expected ',' or ']'" },
        { "{\"a\":1]", "{(0-1,{) key(1-4,a) number(5-6,1) fault offset 6: expected ',' or '}'" },
        { "[1}", "[(0-1,[) number(1-2,1) fault offset 2: expected ',' or ']'" },
        { "1 2", "number(0-1,1) fault offset 2: bytes after the value" },
        { "\"a\",", "text(0-3,a) fault offset 3: bytes after the value" },
        { "", "fault offset 0: the text ends too early" },
        { "[\"a\",", "[(0-1,[) text(1-4,a) fault offset 5: the text ends too early" },
        { "\"ab", "fault offset 3: the text ends within a string" },
        { "\"a\\", "fault offset 3: the text ends within a string" },
        { "\"a\\u12", "fault offset 6: the text ends within a string" },
        { "\"a\\u12g4\"", "fault offset 6: invalid escape in a string" },
        { "\"a\\x\"", "fault offset 3: invalid escape in a string" },
        { "\"0123456789abcdef\n\"", "fault offset 17: control character in a string" },
        { "[truer]", "[(0-1,[) fault offset 1: expected a value" },
        { "[01]", "[(0-1,[) fault offset 1: expected a value" },
    };
    AUTO_BUF out;

    buf_init(&out, MIB);
    for (size_t i = 0; i < COUNT(t); i++) {
        transcribe(span_of(t[i].text), &out);
        is_span(buf_span(&out), span_of(t[i].tokens), "%s", t[i].text);
    }
}

static bool is_accepted(struct span text, unsigned depth)
{
    AUTO_STR copy = exact_copy(text);
    struct jsonscan s;
    struct json_token t;
    enum json_event e;

    jsonscan_init(&s, span_make(copy, text.len), depth);
    do {
        e = jsonscan_next(&s, &t);
    } while (e > JSON_FAULT);
    return e == JSON_DONE;
}

static void check_grammar(const char *const *texts, size_t n, bool is_good)
{
    for (size_t i = 0; i < n; i++) {
        struct span text = span_of(texts[i]);
        ok(is_accepted(text, 64) == is_good, "%s: %.*s", is_good ? "good" : "bad", SPAN_ARG(text));
    }
}

/* After the cases of RFC 8259 that parsers are known to get wrong. */
static void test_grammar(void)
{
    static const char *const good[] = {
        "[]",
        "[[]   ]",
        "[\"\"]",
        "[]",
        "[1\n]",
        " [1]",
        "[1,null,\"1\",{}]",
        "[null]",
        "[2] ",
        "[123e65]",
        "[0e+1]",
        "[0e1]",
        "[ 4]",
        "[-0.000000000000000000000000000000000000000001]",
        "[20e1]",
        "[-0]",
        "[-123]",
        "[-1]",
        "[1E22]",
        "[1E-2]",
        "[1E+2]",
        "[123e45]",
        "[123.456e78]",
        "[1e-2]",
        "[1e+2]",
        "[123.456789]",
        "{\"asd\":\"sdf\", \"dfg\":\"fgh\"}",
        "{\"asd\":\"sdf\"}",
        "{\"a\":\"b\",\"a\":\"c\"}",
        "{}",
        "{\"\":0}",
        "{\"foo\\u0000bar\": 42}",
        "{\"min\": -1.0e+28, \"max\": 1.0e+28}",
        "{\"a\":[]}",
        "{\n\"a\": \"b\"\n}",
        "[\"\\u0060\\u012a\\u12AB\"]",
        "[\"\\uD801\\udc37\"]",
        "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]",
        "[\"\\\\u0000\"]",
        "[\"\\\"\"]",
        "[\"a/*b*/c/*d//e\"]",
        "[\"\\\\a\"]",
        "[\"\\\\n\"]",
        "[\"\\u0012\"]",
        "[\"\\uFFFF\"]",
        "[\"asd\"]",
        "[\"\xf4\x8f\xbf\xbf\"]",
        "[\"new\\u00A0line\"]",
        "[\"\\u0000\"]",
        "[\"\xe2\x80\xa8\"]",
        "\" \"",
        "[\"\x7f\"]",
        "false",
        "42",
        "-0.1",
        "null",
        "\"asd\"",
        "true",
        "\"\"",
        "[\"a\"]\n",
        "[true]",
        " [] ",
        "[\"\\uD800\"]",
        "[\"\\uDd1e\\uD834\"]",
        "[\"\xff\"]",
        "[\"\xe9\"]",
        "[\"\xed\xa0\x80\"]",
        "[\"\xc0\xaf\"]",
        "[1e9999]",
        "[100000000000000000000]",
        "\t\r\n 1 \t\r\n",
    };
    static const char *const bad[] = {
        "[1 true]",
        "[a\xe5]",
        "[\"\": 1]",
        "[\"\"],",
        "[,1]",
        "[1,,2]",
        "[\"x\",,]",
        "[\"x\"]]",
        "[\"\",]",
        "[\"x\"",
        "[x",
        "[3[4]]",
        "[\xff]",
        "[1:2]",
        "[,]",
        "[-]",
        "[   , \"\"]",
        "[\"a\",\n4\n,1,",
        "[1,]",
        "[1,,]",
        "[\"\va\"\\f]",
        "[*]",
        "[\"\"",
        "[1,",
        "[1,\n1\n,1",
        "[{}",
        "[fals]",
        "[nul]",
        "[tru]",
        "123\x01",
        "[++1234]",
        "[+1]",
        "[+Inf]",
        "[-01]",
        "[-1.0.]",
        "[-2.]",
        "[-NaN]",
        "[.-1]",
        "[.2e-3]",
        "[0.1.2]",
        "[0.3e+]",
        "[0.3e]",
        "[0.e1]",
        "[0E+]",
        "[0E]",
        "[0e+]",
        "[0e]",
        "[1.0e+]",
        "[1.0e-]",
        "[1.0e]",
        "[1 000.0]",
        "[1eE2]",
        "[2.e+3]",
        "[2.e-3]",
        "[2.e3]",
        "[9.e+]",
        "[Inf]",
        "[NaN]",
        "[\xef\xbc\x91]",
        "[1+2]",
        "[0x1]",
        "[0x42]",
        "[Infinity]",
        "[0e+-1]",
        "[-123.123foo]",
        "[123\xe5]",
        "[1e1\xe5]",
        "[0\xe5]\n",
        "[-Infinity]",
        "[-foo]",
        "[- 1]",
        "[-012]",
        "[-.123]",
        "[-1x]",
        "[1ea]",
        "[1e\xe5]",
        "[1.]",
        "[.123]",
        "[1.2a-3]",
        "[1.8011670033376514H-308]",
        "[012]",
        "[\"x\", truth]",
        "{[: \"x\"}\n",
        "{\"x\", null}",
        "{\"x\"::\"b\"}",
        "{\xf0\x9f\x87\xa8}",
        "{\"a\":\"a\" 123}",
        "{key: 'value'}",
        "{\"\xb9\":\"0\",}",
        "{\"a\" b}",
        "{:\"b\"}",
        "{\"a\" \"b\"}",
        "{\"a\":",
        "{\"a\"",
        "{1:1}",
        "{9999E9999:1}",
        "{null:null,null:null}",
        "{\"id\":0,,,,,}",
        "{'a':0}",
        "{\"id\":0,}",
        "{\"a\":\"b\"}/**/",
        "{\"a\":\"b\"}/**//",
        "{\"a\":\"b\"}//",
        "{\"a\":\"b\"}/",
        "{\"a\":\"b\",,\"c\":\"d\"}",
        "{a: \"b\"}",
        "{\"a\":\"a",
        "{ \"foo\" : \"bar\", \"a\" }",
        "{\"a\":\"b\"}#",
        " ",
        "[\"\\uD800\\\"]",
        "[\"\\uD800\\u\"]",
        "[\"\\uD800\\u1\"]",
        "[\"\\uD800\\u1x\"]",
        "[\xc3\xa9]",
        "[\"\\x00\"]",
        "[\"\\\\\\\"]",
        "[\"\\\t\"]",
        "[\"\\\xf0\x9f\x8c\x80\"]",
        "[\"\\\"]",
        "[\"\\u00A\"]",
        "[\"\\uD834\\uDd\"]",
        "[\"\\uD800\\uD800\\x\"]",
        "[\"\\u\xe5\"]",
        "[\"\\a\"]",
        "[\"\\uqqqq\"]",
        "[\"\\\xe5\"]",
        "[\\u0020\"asd\"]",
        "[\\n]",
        "\"",
        "['single quote']",
        "abc",
        "[\"\\",
        "[\"a\nb\"]",
        "[\"\t\"]",
        "[\"\x1f\"]",
        "\"\\UA66D\"",
        "\"\"x",
        "[\xe2\x81\xa0]",
        "\xef\xbb\xbf",
        "\xef\xbb\xbf{}",
        "<.>",
        "[<null>]",
        "[1]x",
        "[1]]",
        "[\"asd]",
        "a\xc3\xa5",
        "[True]",
        "1]",
        "{\"x\": true,",
        "[][]",
        "]",
        "\xef\xbb\xbf{}",
        "\xe5",
        "[",
        "{\"\":",
        "2@",
        "{}}",
        "{\"\":",
        "{\"a\":/*c*/\"b\"}",
        "{\"a\": true} \"x\"",
        "['",
        "[,",
        "[{",
        "[\"a",
        "[\"a\"",
        "{",
        "{]",
        "{,",
        "{[",
        "{\"a",
        "{'a'",
        "[\"\\{[\"\\{[\"\\{[\"\\{",
        "\xe9",
        "*",
        "{\"a\":\"b\"}#{}",
        "[\\u000A\"\"]",
        "[1",
        "[ false, nul",
        "[ true, fals",
        "[ false, tru",
        "{\"asd\":\"asd\"",
        "\xc3\xa5",
        "[\x0c]",
        "[\xe2\x81\xa0]",
        "\x0b[]",
        "[1\xc2\xa0]",
    };

    check_grammar(good, COUNT(good), true);
    check_grammar(bad, COUNT(bad), false);
    ok(!is_accepted(span_make("[1\0]", 4), 64), "NUL between tokens");
    ok(!is_accepted(span_make("\"\0\"", 3), 64), "NUL in a string");
    ok(!is_accepted(span_make("[\"\\\0\"]", 6), 64), "NUL after a backslash");
    ok(!is_accepted(span_make("1\0", 2), 64), "NUL after the value");
}

static void test_depth(void)
{
    AUTO_BUF text;
    struct jsonscan s;
    struct json_token t;

    buf_init(&text, MIB);
    for (int i = 0; i < 2 * LIMIT_SKIP_DEPTH; i++) {
        buf_addf(&text, i % 2 == 0 ? "[" : "{\"a\":");
    }
    for (int i = 2 * LIMIT_SKIP_DEPTH; i > 0; i--) {
        buf_add_char(&text, i % 2 != 0 ? ']' : '}');
    }
    ok(is_accepted(SPAN_LIT("[[[]]]"), 3), "as deep as allowed");
    ok(!is_accepted(SPAN_LIT("[[[[]]]]"), 3), "one too deep");
    ok(is_accepted(SPAN_LIT("1"), 0), "a scalar needs no depth");
    ok(!is_accepted(buf_span(&text), LIMIT_SKIP_DEPTH), "deeper than the deepest");
    jsonscan_init(&s, buf_span(&text), LIMIT_SKIP_DEPTH);
    jsonscan_next(&s, &t);
    is_int(jsonscan_skip(&s, NULL), JSON_FAULT, "skipping keeps the limit");
    ok(strstr(jsonscan_error(&s), "nested too deeply") != NULL, "and says so: %s",
       jsonscan_error(&s));

    buf_clear(&text);
    for (int i = 0; i < LIMIT_SKIP_DEPTH / 2; i++) {
        buf_add_str(&text, "[{\"k\":");
    }
    buf_add_str(&text, "1");
    for (int i = 0; i < LIMIT_SKIP_DEPTH / 2; i++) {
        buf_add_str(&text, "}]");
    }
    ok(is_accepted(buf_span(&text), LIMIT_SKIP_DEPTH), "exactly the deepest");
    jsonscan_init(&s, buf_span(&text), LIMIT_SKIP_DEPTH);
    jsonscan_next(&s, &t);
    is_int(jsonscan_skip(&s, NULL), JSON_END_ARRAY, "skipped");
    is_int(jsonscan_next(&s, &t), JSON_DONE, "nothing after it");
}

/* ---- skipping */

/* Reads the members of the outer object, skipping each value; notes the keys, the events and the
 * bytes. */
static void transcribe_skips(struct span text, struct buf *out)
{
    AUTO_STR copy = exact_copy(text);
    struct jsonscan s;
    struct json_token t = { 0 };
    bool is_skip = false;

    buf_clear(out);
    jsonscan_init(&s, span_make(copy, text.len), LIMIT_DEPTH);
    for (;;) {
        struct span value = { NULL, 0 };
        enum json_event e = is_skip ? jsonscan_skip(&s, &value) : jsonscan_next(&s, &t);
        if (e == JSON_DONE || e == JSON_FAULT) {
            buf_addf(out, "%s %s", names[e], jsonscan_error(&s));
            break;
        }
        if (is_skip) {
            buf_addf(out, "skipped %s %.*s ", names[e], SPAN_ARG(value));
        } else {
            note_token(out, &t);
        }
        is_skip = !is_skip && e == JSON_KEY;
    }
}

static void test_skip(void)
{
    static const struct {
        const char *text, *result;
    } t[] = {
        { "{\"a\":[1,{\"b\":\"]}\"}],\"c\":\"x\",\"d\":12 , \"e\":{}}",
          "{(0-1,{) key(1-4,a) skipped ] [1,{\"b\":\"]}\"}] key(20-23,c) skipped text \"x\" "
          "key(28-31,d) skipped number 12 key(37-40,e) skipped } {} }(43-44,}) done " },
        { "{\"a\": \"\\\\\" , \"b\" : [\"\\\\\",\"\\\"]\", \"\\\\\\\"\"] }",
          "{(0-1,{) key(1-4,a) skipped text \"\\\\\" key(13-16,b) skipped ] "
          "[\"\\\\\",\"\\\"]\", \"\\\\\\\"\"] }(40-41,}) done " },
        { "{\"a\":[[[[{}]]]]}", "{(0-1,{) key(1-4,a) skipped ] [[[[{}]]]] }(15-16,}) done " },
        { "{\"a\":[}", "{(0-1,{) key(1-4,a) fault offset 6: brackets do not match" },
        { "{\"a\":{\"b\":[1,2}}", "{(0-1,{) key(1-4,a) fault offset 14: brackets do not match" },
        { "{\"a\":[\"x", "{(0-1,{) key(1-4,a) fault offset 8: the text ends within a string" },
        { "{\"a\":[1", "{(0-1,{) key(1-4,a) fault offset 7: the text ends too early" },
        { "{\"a\":}", "{(0-1,{) key(1-4,a) fault offset 5: expected a value" },
    };
    AUTO_BUF out;

    buf_init(&out, MIB);
    for (size_t i = 0; i < COUNT(t); i++) {
        transcribe_skips(span_of(t[i].text), &out);
        is_span(buf_span(&out), span_of(t[i].result), "skip: %s", t[i].text);
    }
}

static void test_skipped_bytes(void)
{
    struct jsonscan s;
    struct json_token t;
    struct span value = { NULL, 0 };

    jsonscan_init(&s, SPAN_LIT(" [ {\"a\" : [1,2] , \"b\":\"x\"}, 5 ] "), LIMIT_DEPTH);
    jsonscan_next(&s, &t);
    jsonscan_next(&s, &t);
    is_int(jsonscan_next(&s, &t), JSON_KEY, "a key");
    is_int(jsonscan_skip(&s, &value), JSON_END_ARRAY, "its value");
    is_span(value, SPAN_LIT("[1,2]"), "has these bytes");
    is_int(jsonscan_next(&s, &t), JSON_KEY, "the next key");
    is_int(jsonscan_skip(&s, &value), JSON_TEXT, "its value");
    is_span(value, SPAN_LIT("\"x\""), "without the comma that may follow");
    is_int(jsonscan_next(&s, &t), JSON_END_OBJECT, "the end");
    is_int(jsonscan_next(&s, &t), JSON_NUMBER, "the list goes on");

    jsonscan_init(&s, SPAN_LIT("  {\"a\":[{}]} "), LIMIT_DEPTH);
    jsonscan_next(&s, &t);
    is_int(jsonscan_skip(&s, &value), JSON_END_OBJECT, "past the opening bracket");
    is_span(value, SPAN_LIT("{\"a\":[{}]}"), "the bracket is part of the bytes");
    is_int(jsonscan_next(&s, &t), JSON_DONE, "nothing more");
    is_int(jsonscan_next(&s, &t), JSON_DONE, "and it stays so");

    jsonscan_init(&s, SPAN_LIT("[1"), LIMIT_DEPTH);
    jsonscan_next(&s, &t);
    is_int(jsonscan_skip(&s, &value), JSON_FAULT, "an unfinished value");
    is_int(jsonscan_next(&s, &t), JSON_FAULT, "a fault stays");
    is_int(jsonscan_skip(&s, &value), JSON_FAULT, "for skipping as well");
}

/* ---- random texts: skipping agrees with reading */

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void random_string(uint64_t *rnd, struct buf *out)
{
    static const char *const parts[] = {
        "a",   "bc",      "é",  "\\\"",           "\\\\", "[", "}",
        "\\n", "\\u00e9", "中", "\\ud83d\\ude00", "{",    ",", "0123456789abcdef"
    };
    buf_add_char(out, '"');
    for (uint64_t n = next_random(rnd) % 9; n > 0; n--) {
        buf_add_str(out, parts[next_random(rnd) % COUNT(parts)]);
    }
    buf_add_char(out, '"');
}

static void random_value(uint64_t *rnd, unsigned depth, struct buf *out)
{
    static const char *const scalars[] = { "0", "-1.5e3", "true", "false", "null", "123456789012" };
    static const char *const spaces[] = { "", "", " ", "\n  ", "\t" };
    uint64_t kind = next_random(rnd) % (depth == 0 ? 2 : 5);

    if (kind == 0) {
        buf_add_str(out, scalars[next_random(rnd) % COUNT(scalars)]);
    } else if (kind == 1) {
        random_string(rnd, out);
    } else {
        bool is_object = kind == 2;
        buf_add_char(out, is_object ? '{' : '[');
        uint64_t n = next_random(rnd) % 5;
        for (uint64_t i = 0; i < n; i++) {
            buf_add_str(out, spaces[next_random(rnd) % COUNT(spaces)]);
            if (is_object) {
                random_string(rnd, out);
                buf_add_str(out, next_random(rnd) % 2 == 0 ? ":" : " : ");
            }
            random_value(rnd, depth - 1, out);
            buf_add_str(out, i + 1 < n ? "," : "");
        }
        buf_add_str(out, spaces[next_random(rnd) % COUNT(spaces)]);
        buf_add_char(out, is_object ? '}' : ']');
    }
}

/* Skips the whole text from its first bracket on. */
static enum json_event skip_all(struct span text)
{
    AUTO_STR copy = exact_copy(text);
    struct jsonscan s;
    struct json_token t;
    struct span value = { NULL, 0 };

    jsonscan_init(&s, span_make(copy, text.len), LIMIT_DEPTH);
    (void)jsonscan_next(&s, &t);
    enum json_event e = jsonscan_skip(&s, &value);
    return e == JSON_FAULT || span_eq(value, text) ? e : JSON_DONE;
}

static void test_random(void)
{
    AUTO_BUF text;
    uint64_t rnd = 0x9e3779b97f4a7c15ULL;
    size_t n_skipped = 0, n_accepted = 0;
    bool is_good = true;

    buf_init(&text, MIB);
    for (int i = 0; i < 4000 && is_good; i++) {
        buf_clear(&text);
        random_value(&rnd, 6, &text);
        if (text.p[0] != '[' && text.p[0] != '{') {
            continue;
        }
        enum json_event want = text.p[0] == '[' ? JSON_END_ARRAY : JSON_END_OBJECT;
        is_good = is_accepted(buf_span(&text), LIMIT_DEPTH) && skip_all(buf_span(&text)) == want;
        n_skipped++;
        /* One byte inside changed: what can be read can be skipped. */
        text.p[1 + next_random(&rnd) % (text.len - 1)] = "\"\\{}[],:0x \n"[next_random(&rnd) % 12];
        if (is_accepted(buf_span(&text), LIMIT_DEPTH)) {
            struct span changed = buf_span(&text);
            while (strchr(" \n", changed.p[changed.len - 1]) != NULL) {
                changed.len--;
            }
            is_good = is_good && skip_all(changed) == want;
            n_accepted++;
        }
    }
    ok(is_good, "reading and skipping agree: %s", is_good ? "" : text.p);
    ok(n_skipped > 1000 && n_accepted > 100, "enough of them: %zu, %zu changed", n_skipped,
       n_accepted);
}

/* A string that ends, is escaped or goes on at each distance from the edge of a block. */
static void test_block_edges(void)
{
    AUTO_BUF text;
    bool is_good = true;

    buf_init(&text, MIB);
    for (size_t pad = 0; pad < 140; pad++) {
        for (size_t slashes = 0; slashes < 5; slashes++) {
            buf_clear(&text);
            buf_add_str(&text, "[\"");
            for (size_t i = 0; i < pad; i++) {
                buf_add_char(&text, '[');
            }
            for (size_t i = 0; i < slashes; i++) {
                buf_add_str(&text, "\\\\");
            }
            buf_add_str(&text, "\\\"]\", {\"]\": []}]");
            is_good = is_good && is_accepted(buf_span(&text), 64);
            is_good = is_good && skip_all(buf_span(&text)) == JSON_END_ARRAY;
        }
    }
    ok(is_good, "strings and backslashes across the edges of blocks");
}

static void test_unescape(void)
{
    static const struct {
        struct span raw, text;
    } t[] = {
        { SPAN_LIT(""), SPAN_LIT("") },
        { SPAN_LIT("plain"), SPAN_LIT("plain") },
        { SPAN_LIT("\\\"\\\\\\/\\b\\f\\n\\r\\t"), SPAN_LIT("\"\\/\b\f\n\r\t") },
        { SPAN_LIT("a\\u0041\\u00e9\\u4e2d\\uD83D\\uDE00z"), SPAN_LIT("aAé中😀z") },
        { SPAN_LIT("\\u0000"), SPAN_LIT("\0") },
        { SPAN_LIT("\\ud800"), SPAN_LIT("\xef\xbf\xbd") },
        { SPAN_LIT("\\ud800x"), SPAN_LIT("\xef\xbf\xbdx") },
        { SPAN_LIT("\\ud800\\n"), SPAN_LIT("\xef\xbf\xbd\n") },
        { SPAN_LIT("\\ud800\\u0041"), SPAN_LIT("\xef\xbf\xbd"
                                               "A") },
        { SPAN_LIT("\\ud800\\ud83d\\ude00"), SPAN_LIT("\xef\xbf\xbd😀") },
        { SPAN_LIT("\\udc00\\ud800"), SPAN_LIT("\xef\xbf\xbd\xef\xbf\xbd") },
        { SPAN_LIT("a\xff"
                   "b"),
          SPAN_LIT("a\xef\xbf\xbd"
                   "b") },
        { SPAN_LIT("\xed\xa0\x80"), SPAN_LIT("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd") },
        { SPAN_LIT("\xc3\\n"), SPAN_LIT("\xef\xbf\xbd\n") },
        { SPAN_LIT("\xf0\x9f\x98"), SPAN_LIT("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd") },
        { SPAN_LIT("0123456789\xc3\xa9\\n0123456789\xc0\xaf"),
          SPAN_LIT("0123456789é\n0123456789\xef\xbf\xbd\xef\xbf\xbd") },
    };
    struct arena arena;

    arena_init(&arena);
    for (size_t i = 0; i < COUNT(t); i++) {
        is_span(jsonscan_unescape(t[i].raw, &arena), t[i].text, "unescape %.*s",
                SPAN_ARG(t[i].raw));
        is_int(jsonscan_is_literal(t[i].raw), span_eq(t[i].raw, t[i].text), "literal: %.*s",
               SPAN_ARG(t[i].raw));
    }
    arena_fini(&arena);
}

int main(void)
{
    test_tokens();
    test_grammar();
    test_depth();
    test_skip();
    test_skipped_bytes();
    test_random();
    test_block_edges();
    test_unescape();
    return check_done();
}

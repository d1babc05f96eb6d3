/* The JSON scanner: skipping agrees with reading, decoding with what a token says of itself, and
 * what jansson takes for JSON is JSON. */
#include "allocator/base/mem.h"
#include "allocator/codec/jsonscan.h"

#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEPTH 100

static void check_token(const struct json_token *t, struct arena *arena)
{
    if (t->event == JSON_KEY || t->event == JSON_TEXT) {
        bool has_backslash = t->raw.len > 0 && memchr(t->raw.p, '\\', t->raw.len) != NULL;
        struct span text = jsonscan_unescape(t->raw, arena);
        if (t->has_escapes != has_backslash ||
            !jsonscan_is_literal(text) !=
                (text.len > 0 && memchr(text.p, '\\', text.len) != NULL)) {
            abort();
        }
    }
}

static void require(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

static enum json_event read_all(struct span text, unsigned depth, struct arena *arena)
{
    struct jsonscan s;
    struct json_token t;
    uint64_t at = 0;

    jsonscan_init(&s, text, depth);
    for (;;) {
        enum json_event e = jsonscan_next(&s, &t);
        if (e == JSON_DONE || e == JSON_FAULT) {
            require(jsonscan_fault_offset(&s) <= text.len);
            return e;
        }
        require(t.begin >= at && t.end > t.begin && t.end <= text.len);
        at = t.end;
        check_token(&t, arena);
    }
}

/* Skips the outermost value, if it is a collection. */
static enum json_event skip_all(struct span text, unsigned depth)
{
    struct jsonscan s;
    struct json_token t;

    jsonscan_init(&s, text, depth);
    enum json_event e = jsonscan_next(&s, &t);
    if (e == JSON_BEGIN_OBJECT || e == JSON_BEGIN_ARRAY) {
        struct span value;
        e = jsonscan_skip(&s, &value);
        require(e == JSON_FAULT || (value.p == text.p + t.begin && value.len >= 2));
    }
    return e == JSON_FAULT ? e : jsonscan_next(&s, &t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_make((const char *)data, size);
    struct arena arena;

    arena_init(&arena);
    enum json_event read = read_all(text, DEPTH, &arena);
    require(read == JSON_FAULT || skip_all(text, DEPTH) == JSON_DONE);
    /* jansson takes a NUL between tokens for the end of the text. */
    bool has_nul = size == 0 || memchr(text.p, '\0', text.len) != NULL;
    json_t *tree =
        has_nul ? NULL : json_loadb(text.p, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (tree != NULL) {
        json_decref(tree);
        require(read_all(text, LIMIT_SKIP_DEPTH, &arena) == JSON_DONE);
    }
    arena_fini(&arena);
    return 0;
}

/* The JSON scanner: pieces of any size give what the whole text gives, skipping agrees with
 * reading, and what jansson takes for JSON is JSON. The first byte of the input is the size of the
 * pieces. */
#include "allocator/base/mem.h"
#include "allocator/codec/jsonscan.h"

#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEPTH 100

struct log { /* what a reader saw, as one number and one verdict */
    uint64_t hash;
    size_t n;
    enum json_event end;
    uint64_t fault_offset;
};

static void note(struct log *log, const void *p, size_t len)
{
    const unsigned char *bytes = p;

    for (size_t i = 0; i < len; i++) {
        log->hash = (log->hash ^ bytes[i]) * 0x100000001b3ULL;
    }
    log->n++;
}

static void note_token(struct log *log, const struct json_token *t, struct arena *arena)
{
    note(log, &t->event, sizeof(t->event));
    note(log, &t->begin, sizeof(t->begin));
    note(log, &t->end, sizeof(t->end));
    note(log, t->raw.p, t->raw.len);
    if (t->event == JSON_KEY || t->event == JSON_TEXT) {
        bool has_backslash = t->raw.len > 0 && memchr(t->raw.p, '\\', t->raw.len) != NULL;
        struct span text = jsonscan_unescape(t->raw, arena);
        if (t->has_escapes != has_backslash ||
            !jsonscan_is_literal(text) !=
                (text.len > 0 && memchr(text.p, '\\', text.len) != NULL)) {
            abort();
        }
        note(log, text.p, text.len);
    }
}

/* One more piece, or the end. */
static void feed(struct jsonscan *s, struct span text, size_t *io_at, size_t piece)
{
    if (*io_at == text.len) {
        jsonscan_finish(s);
        return;
    }
    size_t n = text.len - *io_at < piece ? text.len - *io_at : piece;
    jsonscan_feed(s, span_make(text.p + *io_at, n));
    *io_at += n;
}

static struct log read_pieces(struct span text, size_t piece, struct arena *arena)
{
    struct log log = { .hash = 14695981039346656037ULL };
    struct jsonscan s;
    struct json_token t;
    size_t at = 0;

    jsonscan_init(&s, DEPTH);
    for (;;) {
        enum json_event e = jsonscan_next(&s, &t);
        if (e == JSON_DONE || e == JSON_FAULT) {
            log.end = e;
            log.fault_offset = jsonscan_fault_offset(&s);
            break;
        }
        if (e == JSON_MORE) {
            feed(&s, text, &at, piece);
        } else {
            note_token(&log, &t, arena);
        }
    }
    jsonscan_fini(&s);
    return log;
}

/* Skips the outermost value, if it is a collection. */
static struct log skip_pieces(struct span text, size_t piece)
{
    struct log log = { .hash = 0 };
    struct jsonscan s;
    struct json_token t;
    size_t at = 0;
    bool is_inside = false;

    jsonscan_init(&s, DEPTH);
    for (;;) {
        enum json_event e = is_inside ? jsonscan_skip(&s, NULL) : jsonscan_next(&s, &t);
        if (e == JSON_DONE || e == JSON_FAULT) {
            log.end = e;
            log.fault_offset = jsonscan_fault_offset(&s);
            break;
        }
        if (e == JSON_MORE) {
            feed(&s, text, &at, piece);
        } else {
            is_inside = e == JSON_BEGIN_OBJECT || e == JSON_BEGIN_ARRAY;
        }
    }
    jsonscan_fini(&s);
    return log;
}

static void require(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    size_t piece = 1 + data[0] % 96;
    struct span text = span_make((const char *)data + 1, size - 1);
    struct arena arena;

    arena_init(&arena);
    const struct log whole = read_pieces(text, text.len + 1, &arena),
                     cut = read_pieces(text, piece, &arena);
    require(whole.end == cut.end && whole.hash == cut.hash && whole.n == cut.n &&
            whole.fault_offset == cut.fault_offset);
    const struct log skipped = skip_pieces(text, text.len + 1),
                     skipped_cut = skip_pieces(text, piece);
    require(skipped.end == skipped_cut.end && skipped.fault_offset == skipped_cut.fault_offset);
    require(whole.end == JSON_FAULT || skipped.end == JSON_DONE);
    /* jansson takes a NUL between tokens for the end of the text. */
    bool has_nul = memchr(text.p, '\0', text.len) != NULL;
    json_t *tree =
        has_nul ? NULL : json_loadb(text.p, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (tree != NULL) {
        json_decref(tree);
        struct jsonscan s;
        struct json_token t;
        enum json_event e;
        jsonscan_whole(&s, text, LIMIT_SKIP_DEPTH);
        do {
            e = jsonscan_next(&s, &t);
        } while (e > JSON_FAULT);
        require(e == JSON_DONE);
        jsonscan_fini(&s);
    }
    arena_fini(&arena);
    return 0;
}

/* A pull scanner over JSON bytes: tokens with spans, no tree, constant memory, no recursion. Reads
 * every discovery body and reads AdmissionReviews. Strict RFC 8259 grammar;
 * depth up to 'max_depth'. Strings are given raw, between their quotes; jsonscan_unescape() decodes
 * when needed. Bytes that are not UTF-8 pass inside strings, as in Go; unescape replaces them.
 * Speed: 1 to 2 GB/s over labels, several GB/s when skipping (tests/bench/bench_jsonscan.c).
 * Threads: a scanner belongs to one thread. */
#ifndef OTEL_TA_CODEC_JSONSCAN_H
#define OTEL_TA_CODEC_JSONSCAN_H

#include "allocator/base/arena.h"
#include "allocator/base/limits.h"
#include "allocator/base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum json_event {
    JSON_DONE = 1, /* the value is complete and only white space followed */
    JSON_FAULT,    /* not JSON, too deep, trailing bytes: jsonscan_error() says what and where */
    JSON_BEGIN_OBJECT,
    JSON_END_OBJECT,
    JSON_BEGIN_ARRAY,
    JSON_END_ARRAY,
    JSON_KEY,
    JSON_TEXT,
    JSON_NUMBER,
    JSON_TRUE_VALUE,
    JSON_FALSE_VALUE,
    JSON_NULL_VALUE,
};

struct json_token {
    enum json_event event;
    bool has_escapes; /* KEY, TEXT: raw contains a backslash */
    struct span raw;  /* KEY, TEXT: between the quotes; else the characters of the token */
    uint64_t begin;   /* offset of the first byte (the quote, the bracket) in the text */
    uint64_t end;     /* offset after its last byte */
};

struct jsonscan {
    /* The bytes not yet used, and the text they end. After an END_OBJECT or END_ARRAY 'p' stands
     * right after the bracket; a reader that has proved by other means that a whole ",value"
     * follows may move 'p' to its end. */
    const char *p, *end;
    const char *text;

    int state;
    unsigned depth, max_depth;

    uint64_t fault_offset;
    char error[160];
    uint64_t stack[LIMIT_SKIP_DEPTH / 64]; /* bit = object */
};

/* 'text' is borrowed until the last call; there is nothing to release. 'max_depth' ≤
 * LIMIT_SKIP_DEPTH. */
void jsonscan_init(struct jsonscan *s, struct span text, unsigned max_depth);
enum json_event jsonscan_next(struct jsonscan *s, struct json_token *out);
/* After BEGIN_*: skips past its END_*. After KEY: skips the value that follows. Returns the
 * event that ended it, or JSON_FAULT on error. Inside of what is skipped only strings, brackets and
 * depth are checked, not the rest of the grammar. '*out_value' (may be NULL) gets the bytes of the
 * value. */
enum json_event jsonscan_skip(struct jsonscan *s, struct span *out_value);
const char *jsonscan_error(const struct jsonscan *s); /* "offset 17: expected ':'" */
uint64_t jsonscan_fault_offset(const struct jsonscan *s);

/* Decodes a raw string into the arena, as Go does: lone surrogates and invalid UTF-8 become U+FFFD.
 * The scanner has already checked the escapes. */
struct span jsonscan_unescape(struct span raw, struct arena *arena);
/* True when decoding changes nothing: no backslash and valid UTF-8. */
bool jsonscan_is_literal(struct span raw);
/* A number of RFC 8259, and nothing else. */
bool jsonscan_is_number(struct span s);

#endif

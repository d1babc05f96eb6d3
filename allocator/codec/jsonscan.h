/* A pull scanner over JSON bytes: tokens with spans, no tree, constant memory, no recursion. Reads every
 * discovery body, list and watch event, and skims AdmissionReviews. Strict RFC 8259 grammar; depth up to
 * 'max_depth'. Strings are given raw, between their quotes; jsonscan_unescape() decodes when needed.
 * Bytes may arrive in pieces (jsonscan_feed): a token that straddles two pieces is assembled inside, its
 * span is valid until the next call.
 * Goal: ≥ 1 GB/s on discovery bodies (SSE2/AVX2 string scanning where the CPU has it).
 * Threads: a scanner belongs to one thread. */
#ifndef OTEL_TA_CODEC_JSONSCAN_H
#define OTEL_TA_CODEC_JSONSCAN_H

#include "allocator/base/arena.h"
#include "allocator/base/buf.h"
#include "allocator/base/limits.h"

#include <stdbool.h>
#include <stdint.h>

enum json_event {
    JSON_MORE,  /* all bytes so far are used up: feed more, or jsonscan_finish() */
    JSON_DONE,  /* the value is complete and only white space followed */
    JSON_FAULT, /* not JSON, too deep, trailing bytes: jsonscan_error() says what and where */
    JSON_BEGIN_OBJECT, JSON_END_OBJECT, JSON_BEGIN_ARRAY, JSON_END_ARRAY,
    JSON_KEY, JSON_TEXT, JSON_NUMBER, JSON_TRUE_VALUE, JSON_FALSE_VALUE, JSON_NULL_VALUE,
};

struct json_token {
    enum json_event event;
    struct span raw;  /* KEY, TEXT: between the quotes; NUMBER: its characters */
    bool has_escapes; /* KEY, TEXT: raw contains a backslash */
    uint64_t begin;   /* offset of the first byte of the token (the quote, the bracket) in the whole input */
    uint64_t end;     /* offset behind its last byte */
};

struct jsonscan {
    const char *p, *end;     /* the current piece */
    const char *piece;       /* its start */
    uint64_t piece_offset;   /* bytes before this piece */
    bool is_last;            /* no more pieces will come */
    unsigned depth, max_depth;
    int state;
    struct buf carry;        /* the beginning of a token that straddles pieces */
    bool is_carrying, is_carry_done, carry_has_escapes, carry_ends_in_escape;
    uint64_t carry_begin;
    unsigned skip_depth;     /* inside jsonscan_skip() over several pieces: brackets that are open */
    bool is_skipping;
    char error[160];
    uint64_t stack[LIMIT_SKIP_DEPTH / 64]; /* bit = object */
};

/* 'max_depth' ≤ LIMIT_SKIP_DEPTH. */
void jsonscan_init(struct jsonscan *s, unsigned max_depth);
/* Gives the next piece; the previous one must be used up (JSON_MORE was returned). Bytes are borrowed until then. */
void jsonscan_feed(struct jsonscan *s, struct span piece);
/* No more pieces: what is missing becomes a fault. */
void jsonscan_finish(struct jsonscan *s);
/* init + feed + finish over one whole text. */
void jsonscan_whole(struct jsonscan *s, struct span text, unsigned max_depth);
enum json_event jsonscan_next(struct jsonscan *s, struct json_token *out);
/* After BEGIN_*: skips to behind its END_*, at memory speed. After KEY: skips the value that follows.
 * JSON_FAULT on error, JSON_MORE when bytes are missing (call again after feeding), else the event that ended
 * it. '*out_value' (may be NULL) gets the bytes of the value when the whole text is one piece. */
enum json_event jsonscan_skip(struct jsonscan *s, struct span *out_value);
const char *jsonscan_error(const struct jsonscan *s); /* "offset 17: expected ':'" */
void jsonscan_fini(struct jsonscan *s);

/* Decodes the escapes of a raw string into the arena, as Go does: lone surrogates and invalid UTF-8 become
 * U+FFFD. The scanner has already checked the escapes. */
struct span jsonscan_unescape(struct span raw, struct arena *arena);

#endif

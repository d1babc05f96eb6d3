/* UTF-8 as RFC 3629 has it: nothing overlong, no surrogates, nothing above U+10FFFF. What is
 * invalid is read as Go reads it: each byte for itself, as U+FFFD. Pure. Threads: any. */
#ifndef OTEL_TA_BASE_UTF8_H
#define OTEL_TA_BASE_UTF8_H

#include "allocator/base/span.h"

#define UTF8_REPLACEMENT 0xfffdU
#define UTF8_REPLACEMENT_TEXT "\xef\xbf\xbd"
#define UTF8_MAX_SIZE 4

/* Bytes of the sequence at 'text', of which 'left' (at least one) may be looked at; 0: it is
 * invalid.
 */
size_t utf8_size(const char *text, size_t left);
/* Decodes the first code point of a non-empty 's' and returns its size; an invalid byte gives
 * UTF8_REPLACEMENT, size 1. */
size_t utf8_decode(struct span s, uint32_t *out_rune);
/* Writes a code point (none of those that are refused above), at most UTF8_MAX_SIZE bytes without a
 * NUL; returns how many. */
size_t utf8_put(uint32_t rune, char *to);
bool utf8_is_valid(struct span s);

#endif

/* Where things stand in YAML text: the places that libyaml does not tell, or tells otherwise than a
 * rewriter needs them. Pure functions on the text. Private to this folder.
 * Threads: any. */
#ifndef OTEL_TA_CODEC_YAMLPLACE_H
#define OTEL_TA_CODEC_YAMLPLACE_H

#include "allocator/base/span.h"

#include <stddef.h>

/* A way from characters to bytes. Marks come nearly in order, so each is found from the last one.
 */
struct yamlplace {
    struct span text;    /* valid UTF-8 as far as it was parsed */
    size_t chars, bytes; /* the same place, counted in both ways */
    bool is_ascii;
};

void yamlplace_init(struct yamlplace *p, struct span text);
/* The byte offset of character number 'index' (at most the length of the text). */
size_t yamlplace_byte(struct yamlplace *p, size_t index);

/* A block scalar in [begin, end) with the blank lines after it: where its last line ends. */
size_t yamlplace_trim(struct span text, size_t begin, size_t end);
/* An empty value after a key that ends at 'key_end': the place after its colon, or 'key_end' when
 * there is none before 'limit'. */
size_t yamlplace_empty_value(struct span text, size_t key_end, size_t limit);
/* Characters in [from, to). */
size_t yamlplace_chars(struct span text, size_t from, size_t to);
/* Is there a '?' (the mark of an explicit key) outside of comments in [from, to), where otherwise
 * only white space, commas and comments stand? */
bool yamlplace_has_question(struct span text, size_t from, size_t to);

#endif

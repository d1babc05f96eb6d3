/* Where the bytes of a decoded scalar stand in the document, so that text inside a scalar can be
 * changed in place. Made by decoding the scalar a second time; only when that gives exactly the
 * parser's text is the map used. Threads: belongs to one thread. */
#ifndef OTEL_TA_WEBHOOK_TEXT_SOURCEMAP_H
#define OTEL_TA_WEBHOOK_TEXT_SOURCEMAP_H

#include "allocator/codec/node.h"
#include "webhook/text/splice.h"

struct sourcemap {
    struct span raw;  /* the document */
    struct span text; /* the decoded scalar */
    const struct node *scalar;
    size_t *start; /* of decoded byte i in the document; [text.len] = end of the content */
    size_t *stop;  /* after it */
    size_t indent; /* literal: columns that do not belong to the text */
    bool has_crlf;
};

/* 'scalar' is a node of the document 'raw'. ERR_REFUSED when its style cannot be mapped exactly. */
int sourcemap_make(struct span raw, const struct node *scalar, struct arena *arena,
                   struct sourcemap *out, struct err *err) MUST_USE;
/* The edits of the decoded text (sorted) as edits of the document, added to 'out'. */
int sourcemap_edits(const struct sourcemap *map, const struct splice *decoded, struct arena *arena,
                    struct splice *out, struct err *err) MUST_USE;

#endif

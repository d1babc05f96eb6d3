/* The member "text" of the annotation: what leads from a rewritten text back to the very bytes it
 * had. Per job (and, with job "", per receiver) the edits that undo its rewrite, and a hash of the
 * bytes they were made for; where those bytes have changed since, the record says nothing and the
 * sections are put back in a form of our own.
 *   {"prometheus":{"otel-collector":[135,"9f86d081884c7d65",[[61,93,"static_configs:\n…"]]]}}
 * 135 bytes from the first byte of the job on have that XXH64; in them, 93 bytes from byte 61 on
 * become the text. Receiver "" with job "" is a whole Collector of a manifest without its
 * annotation and its names (outline.h), for the rare one whose bytes the other records do not tell.
 * It is read back from people's hands: whoever applies it compares the result with the intended
 * tree. Threads: any. */
#ifndef OTEL_TA_WEBHOOK_TEXT_EXACT_H
#define OTEL_TA_WEBHOOK_TEXT_EXACT_H

#include "allocator/codec/node.h"
#include "webhook/text/splice.h"

/* A record under construction. */
struct exact_place {
    struct span text;        /* the rewritten text */
    size_t begin;            /* of the job in it */
    const struct edit *undo; /* the edits that lead back from 'text' */
    size_t n_undo;
};

void exact_write(const struct exact_place *place, struct buf *out);
/* The record of (receiver, job); NULL when there is none. */
const struct node *exact_find(const struct node *records, struct span receiver, struct span job);
/* Does the record fit the bytes from 'begin' on? */
bool exact_fits(const struct node *record, struct span text, size_t begin);
/* Adds its edits. The record fits. */
void exact_add(const struct node *record, size_t begin, struct splice *out);

#endif

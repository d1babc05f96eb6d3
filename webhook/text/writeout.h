/* A YAML text in which nothing refers to another place: each alias and each mapping with a merge
 * key is replaced by what it stands for, so that one place can be changed without another. All
 * other bytes stay. Threads: any. */
#ifndef OTEL_TA_WEBHOOK_TEXT_WRITEOUT_H
#define OTEL_TA_WEBHOOK_TEXT_WRITEOUT_H

#include "allocator/codec/node.h"
#include "webhook/text/splice.h"

struct writeout_room {
    size_t max_bytes;
    struct arena *arena; /* where edits and text go */
};

/* The edits of 'text', which 'root' was read from, sorted; none when nothing refers to anything.
 * ERR_TOO_BIG: the text would have more than 'max_bytes'. ERR_REFUSED: it would say something else
 * (a tag, a key that is an alias). */
int writeout(struct span text, const struct node *root, const struct writeout_room *room,
             struct splice *out, struct span *out_text, struct err *err) MUST_USE;

#endif

/* The member "text" of the annotation: what leads from a rewritten text back to the very bytes it
 * had. Per job (and, with job "", per receiver) the edits that undo its rewrite, found again as
 * anchored.h says, or, in the form that is written for a whole Collector, with a hash of the bytes
 * they were made for; where nothing fits, the record says nothing and the sections are put back in
 * a form of our own.
 *   {"prometheus":{"otel-collector":[135,"9f86d081884c7d65",[[61,93,"static_configs:\n…"]]]}}
 * 135 bytes from the first byte of the job on have that XXH64; in them, 93 bytes from byte 61 on
 * become the text. Receiver "" with job "" is a whole Collector of a manifest without its
 * annotation and its names (struct undo_whole), for the rare one whose bytes the other records do
 * not tell. It is read back from people's hands: whoever applies it compares the result with the
 * intended tree. Threads: any. */
#ifndef OTEL_TA_WEBHOOK_TEXT_UNDO_H
#define OTEL_TA_WEBHOOK_TEXT_UNDO_H

#include "allocator/codec/node.h"
#include "webhook/text/splice.h"

/* A record under construction. */
struct undo_place {
    struct span text;        /* the rewritten text */
    size_t begin;            /* of the job in it */
    const struct edit *undo; /* the edits that lead back from 'text' */
    size_t n_undo;
};

void undo_write(const struct undo_place *place, struct buf *out);
/* The record of (receiver, job); NULL when there is none. */
const struct node *undo_find(const struct node *records, struct span receiver, struct span job);
/* Does the record fit the bytes from 'begin' on? */
bool undo_fits(const struct node *record, struct span text, size_t begin);
/* Adds its edits. The record fits. */
void undo_add(const struct node *record, size_t begin, struct splice *out);
/* The same for a record in either form, of 'map' as it is in 'text' now, as anchored_take(). False,
 * and nothing is added, when it does not fit. */
bool undo_take(const struct node *record, struct span text, const struct node *map,
               struct span ours, struct splice *out);

/* The text of one Collector of a manifest without its name and its namespace: what stays the same
 * when it is renamed, cloned or moved. Records of a whole Collector are made for it. Its text is in
 * the arena given. */
struct undo_whole {
    struct span text; /* the parts around the names, one after the other */
    size_t begin;     /* of the Collector in its document */
    struct {
        size_t at, len; /* what was taken out in front of byte 'at' of 'text' */
    } names[2];
    size_t n_names;
};

/* 'region' is the part of 'document' that belongs to 'collector'. */
void undo_whole_make(struct span document, struct span region, const struct node *collector,
                     struct arena *arena, struct undo_whole *out);
/* The record (JSON) that leads from one text to the other: nothing when they have not the same
 * names. */
void undo_whole_write(const struct undo_whole *from, const struct undo_whole *to, struct buf *out);
bool undo_whole_fits(const struct undo_whole *o, const struct node *record);
/* Adds the record's edits, as places of the document. The record fits. */
void undo_whole_add(const struct undo_whole *o, const struct node *record, struct splice *out);

#endif

/* The text of one Collector of a manifest without its name and its namespace: what stays the same
 * when it is renamed, cloned or moved. Records of a whole Collector (exact.h) are made for it.
 * Ownership: its text in the arena given. Threads: any. */
#ifndef OTEL_TA_WEBHOOK_TEXT_OUTLINE_H
#define OTEL_TA_WEBHOOK_TEXT_OUTLINE_H

#include "webhook/text/exact.h"

struct outline {
    struct span text; /* the parts around the names, one behind the other */
    size_t begin;     /* of the Collector in its document */
    struct {
        size_t at, len; /* what was taken out in front of byte 'at' of 'text' */
    } names[2];
    size_t n_names;
};

/* 'region' is the part of 'document' that belongs to 'collector'. */
void outline_make(struct span document, struct span region, const struct node *collector,
                  struct arena *arena, struct outline *out);
/* The record (JSON) that leads from one text to the other: nothing when they have not the same
 * names. */
void outline_write(const struct outline *from, const struct outline *to, struct buf *out);
bool outline_fits(const struct outline *o, const struct node *record);
/* Adds the record's edits, as places of the document. The record fits. */
void outline_add(const struct outline *o, const struct node *record, struct splice *out);

#endif

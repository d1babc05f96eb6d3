/* metadata.annotations of a Collector in a manifest: our member of it is set and taken out as
 * edits. A map that held nothing ("annotations: {}", a key without value) is written anew for our
 * member; how it stood goes into the records of undo.h, receiver "", job "annotations", so that it
 * can come back whatever else has changed. Ownership: in the arena given. Threads: as its editor.
 */
#ifndef OTEL_TA_WEBHOOK_REWRITE_ANNOTATIONS_H
#define OTEL_TA_WEBHOOK_REWRITE_ANNOTATIONS_H

#include "allocator/tenant/collector.h"
#include "webhook/text/member.h"

#define ANNOTATIONS_RECORD "annotations"

/* How a map stands or stood that holds nothing, or nothing but our member. */
struct annotations_empty {
    struct span text;         /* the pair; p == NULL: there was none, or it held something */
    const struct node *value; /* what it says: null or an empty map */
};

/* 'records' is the member "text" of the annotation, or NULL. */
void annotations_empty(const struct collector *c, struct span document, const struct node *records,
                       struct arena *arena, struct annotations_empty *out);
int annotations_set(struct text_editor *t, const struct collector *c, struct span value,
                    struct err *err) MUST_USE;
/* 'empty' comes in place of a map that held nothing else; it goes when there is none. */
int annotations_remove(struct text_editor *t, const struct collector *c,
                       const struct annotations_empty *empty, struct err *err) MUST_USE;

#endif

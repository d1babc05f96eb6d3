/* One Collector, rewritten or restored: what its configuration becomes, and its annotation. The
 * same code for the webhook and for the commands; a pure function of its input. Ownership:
 * everything in the arena given, except 'edits' (revision_fini). Threads: any. */
#ifndef OTEL_TA_WEBHOOK_REWRITE_REVISION_H
#define OTEL_TA_WEBHOOK_REWRITE_REVISION_H

#include "allocator/tenant/collector.h"
#include "webhook/rewrite/annotations.h"
#include "webhook/rewrite/kept.h"
#include "webhook/rewrite/plan.h"
#include "webhook/text/splice.h"

struct revision_input {
    const struct node *root; /* the Collector */
    /* The stored object, or NULL; asked for when an original is missing. NULL: there is none. */
    const struct node *(*old_root)(void *arg);
    /* Its annotation, p == NULL: none; asked for when this one has other content. NULL likewise. */
    struct span (*old_annotation)(void *arg);
    void *old_arg;
    struct span document; /* the text that the places of 'root' refer to and that is to be edited; p
                             == NULL: none */
    const struct rewrite_options *options;
    bool is_restore;      /* restore, whatever the Collector asks for */
    bool is_object_form;  /* the configuration becomes an object when it changes, even if it is text
                             now */
    bool ignores_records; /* restore without the annotation's exact bytes */
    struct annotations_empty empty; /* of a manifest, see annotations.h */
    struct span whole_record; /* for the annotation's member "text", see undo.h; usually empty */
};

struct revision {
    struct collector collector;
    struct plan plan;
    bool is_changed;
    bool is_left;     /* nothing was done for the sake of an annotation that cannot be read */
    struct kept kept; /* originals that no job has back: the annotation stays for them */
    const struct node
        *intended_config; /* the configuration as it will be (the old one when nothing changes) */
    struct span new_text; /* when the configuration is text and changes, else p == NULL */
    struct splice
        edits; /* of the decoded text, or of 'document' when the configuration is an object */
    bool changes_annotation;
    const struct node *empty;   /* what stands in place of annotations of which nothing is left */
    struct span annotation;     /* the new value; p == NULL: none */
    struct span stored_json;    /* the annotation as it was, canonical, or empty */
    const struct node *records; /* member "text" of the annotation as it was, or NULL */
};

/* ERR_INVALID, with errors in 'f', denies: 'out' is not to be used but for revision_fini. Other
 * errors are of a restore, about what could not be brought back and stays; warnings are worth a
 * word. 'f' keeps where it stands. */
int revision_make(const struct revision_input *in, struct arena *arena, struct faults *f,
                  struct revision *out) MUST_USE;
/* The Collector as it will be. */
const struct node *revision_intended(const struct revision *r, struct arena *arena);
/* The annotation of a Collector as a tree; NULL when there is none that can be read. */
const struct node *revision_annotation(const struct collector *c, struct arena *arena);
void revision_fini(struct revision *r);

#endif

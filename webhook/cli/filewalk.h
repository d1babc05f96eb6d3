/* The files of -f, one YAML document after the other: what 'rewrite', 'restore' and 'validate' go
 * through. Each document is read by itself, so that places are those of its own text; faults are
 * said with places of the file, as "file:line: path: text". Threads: main thread. */
#ifndef OTEL_TA_WEBHOOK_CLI_FILEWALK_H
#define OTEL_TA_WEBHOOK_CLI_FILEWALK_H

#include "allocator/base/arena.h"
#include "allocator/base/buf.h"
#include "allocator/base/fault.h"

#include <stdio.h>

struct node;

struct filewalk_document {
    const char *filename; /* as people should see it */
    struct span text;     /* of the document */
    struct span file;     /* of all of them */
    size_t index, n;      /* among the file's documents */
    unsigned line;        /* of its first line */
    struct node *root;    /* NULL: nothing in it, or nothing of ours */
};

typedef void filewalk_visitor(void *arg, const struct filewalk_document *d, struct arena *arena);

struct report; /* report.h */

struct filewalk {
    FILE *errout;
    struct report *report; /* gets the faults instead of 'errout'; NULL: nobody asks for it */
    bool needs_trees; /* a document that is not understood in full is a fault, also when it may be
                         anything but a Collector */
    filewalk_visitor *visit;
    filewalk_visitor *visit_foreign; /* once more, each document of a file without any Collector;
                                        NULL: nothing */
    void *arg;
    size_t n_faults;     /* errors said so far */
    size_t n_collectors; /* Collectors seen so far */
    bool is_withheld;    /* by one of the documents that has no result: then there is none at all */
    bool is_broken;      /* a file cannot be read */
};

/* Visits the documents of one file ("-": standard input). A file of none is one document without
 * root. False when the file cannot be read, which was said. */
bool filewalk_file(struct filewalk *w, const char *filename);
/* "<stdin>" for "-". */
const char *filewalk_name(const char *filename);

/* For a visitor of Collectors: warns of what Helm should have rendered, between quotes for example.
 */
void filewalk_warn_template(const struct filewalk_document *d, struct faults *f);
/* A fault of a file as a whole. */
void filewalk_say(struct filewalk *w, const char *filename, enum fault_severity severity,
                  unsigned line, const char *text);
/* For a visitor: faults of its document, and how they are said and counted. */
void filewalk_open_faults(struct faults *f, const struct filewalk_document *d);
void filewalk_print_faults(struct filewalk *w, const struct filewalk_document *d, struct faults *f);

/* Prints 'result' unless it is withheld. Returns the exit code of the command. */
int filewalk_finish(const struct filewalk *w, const struct buf *result, FILE *out);

#endif

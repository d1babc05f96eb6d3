/* Everything that is wrong with a document, in one pass: a list of faults, each with the path to it
 * ("scrape_configs[3].relabel_configs[0].regex"), its line and a sentence. A checker pushes a path
 * segment on the way down, pops it on the way up, and reports where it stands. Threads: a list
 * belongs to one thread. */
#ifndef OTEL_TA_BASE_FAULT_H
#define OTEL_TA_BASE_FAULT_H

#include "allocator/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum fault_severity { FAULT_ERROR, FAULT_WARNING };

/* What somebody decides by: a text is for people. */
enum fault_kind {
    FAULT_PLAIN,
    FAULT_STANDING, /* a warning about a state that stays until somebody mends it, and that nothing
                       else would tell: worth saying again at every write */
};

struct fault {
    enum fault_severity severity;
    enum fault_kind kind;
    char *file;      /* of the document, NULL when none was named */
    size_t document; /* 1-based within the file, 0 when the file has only one */
    char *path;      /* "" at the root */
    char *text;
    unsigned line; /* 1-based in the document; 0 = unknown */
};

struct faults {
    struct fault *v;
    size_t n, cap;
    size_t n_errors;
    size_t n_suppressed; /* past LIMIT_FAULTS */
    const char *file;    /* borrowed: set by whoever opens a file, NULL for none */
    size_t document;     /* set by whoever splits a file into documents, 0 else */
    char path[1024];     /* where the checker stands */
    size_t path_len;
};

void faults_init(struct faults *f);
/* A member (".name", without dot at the root; a name with odd characters is quoted: ["a b"]) or an
 * index ("[3]"). Returns a mark for faults_pop(). */
size_t faults_push(struct faults *f, const char *fmt, ...) PRINTF_LIKE(2, 3);
size_t faults_push_index(struct faults *f, size_t index);
void faults_pop(struct faults *f, size_t mark);
void faults_add(struct faults *f, enum fault_severity severity, unsigned line, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* The same of another kind than FAULT_PLAIN. */
void faults_add_kind(struct faults *f, enum fault_kind kind, enum fault_severity severity,
                     unsigned line, const char *fmt, ...) PRINTF_LIKE(5, 6);
/* The same one member further down. */
void faults_add_at(struct faults *f, enum fault_severity severity, unsigned line,
                   const char *member, const char *fmt, ...) PRINTF_LIKE(5, 6);
/* Forgets the errors from index 'from' on, those past the limit included: another way was found.
 * Warnings stay. */
void faults_drop_errors(struct faults *f, size_t from);
/* By document and line, those without a line first; others stay in their order. */
void faults_sort(struct faults *f);
/* Errors from index 'from' on become warnings: somebody else decides by them. */
void faults_demote(struct faults *f, size_t from);
/* Forgets from index 'from' on what was said before, word for word at the same place: another
 * reader of the same document found it, too. If one of them takes it for an error, it is one. */
void faults_drop_repeats(struct faults *f, size_t from);
/* The first error as one text "path: text" (ERR_INVALID), or 0 when there is none. */
int faults_first(const struct faults *f, struct err *err);
/* The first error from index 'from' on, as fault_text(); "" when it was one too many to be kept.
 * The caller frees it. */
char *faults_why(const struct faults *f, size_t from);
/* Each fault on a line of its own: "file:line: path: text", or "file:line: document 2: path: text";
 * warnings say so. */
void faults_print(const struct faults *f, FILE *out);
/* The same text of one fault, for logs; the caller frees it. */
char *fault_text(const struct fault *fault);
void faults_fini(struct faults *f);

#endif

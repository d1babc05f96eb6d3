/* What becomes of one file, as one unified diff that 'git apply' and 'patch -p1' take: its
 * documents are added one by one, and lines are counted in the file. Ownership: copies what it is
 * given. Threads: main thread. */
#ifndef OTEL_TA_WEBHOOK_CLI_FILEDIFF_H
#define OTEL_TA_WEBHOOK_CLI_FILEDIFF_H

#include "webhook/cli/filewalk.h"
#include "webhook/rewrite/manifest.h"
#include "webhook/text/unified.h"

struct filediff {
    struct arena arena;
    struct splice edits; /* of the file */
    struct unified_folds before, after;
    size_t result_len; /* of the documents so far */
    bool folds;        /* our annotation is shown in part */
};

void filediff_init(struct filediff *f, bool folds);
/* Documents in their order, those that do not change, too; 'arena' is for scratch. */
void filediff_add(struct filediff *f, const struct filewalk_document *d, const struct manifest *m,
                  struct arena *arena);
/* Writes what changes in 'file', and forgets it for the next one. 'has_colour' and 'is_shown' as in
 * unified.h. */
void filediff_write(struct filediff *f, const char *filename, struct span file, bool has_colour,
                    bool is_shown, struct buf *out);
void filediff_fini(struct filediff *f);

#endif

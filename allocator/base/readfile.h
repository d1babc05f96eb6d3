/* Reading a file that others may be writing, replacing or mistaking for something else: never
 * blocks on pipes or devices, never passes a cap, and remembers what the file looked like. Threads:
 * any. */
#ifndef OTEL_TA_BASE_READFILE_H
#define OTEL_TA_BASE_READFILE_H

#include "allocator/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Two equal signatures of a file that was not being written mean equal content. */
struct readfile_signature {
    uint64_t device, inode, size;
    int64_t modified_ns, changed_ns;
};

/* ERR_NOT_FOUND when there is nothing of that name, ERR_IO, ERR_TOO_BIG, ERR_REFUSED when it is not
 * a regular file. */
int readfile_look(const char *path, struct readfile_signature *out, struct err *err) MUST_USE;
/* '*out_body' is the caller's (mem_free), with a NUL after it. */
int readfile_read(const char *path, size_t max, struct readfile_signature *out, char **out_body,
                  size_t *out_len, struct err *err) MUST_USE;
bool readfile_is_same(const struct readfile_signature *a, const struct readfile_signature *b);

#endif

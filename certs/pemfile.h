/* Files that hold certificates and keys: of at most LIMIT_CERTIFICATE bytes, replaced in one step.
 * Threads: any. */
#ifndef OTEL_TA_CERTS_PEMFILE_H
#define OTEL_TA_CERTS_PEMFILE_H

#include "allocator/base/buf.h"
#include "allocator/base/err.h"
#include "allocator/base/span.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* Adds the content to 'out', which should be a secret buffer if there may be a key in it. */
int pemfile_read(const char *path, struct buf *out, struct err *err) MUST_USE;
/* Replaces 'dir/name': whoever reads sees the old or the new content. */
int pemfile_write(const char *dir, const char *name, struct span content, mode_t mode,
                  struct err *err) MUST_USE;
void pemfile_remove(const char *dir, const char *name);
bool pemfile_exists(const char *dir, const char *name);
/* Says that it changed at that time. */
void pemfile_set_time(const char *dir, const char *name, int64_t time_s);
int64_t pemfile_time_s(const char *dir, const char *name); /* last change; 0: there is none */

#endif

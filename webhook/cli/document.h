/* A document that somebody named on the command line: a file, a pipe, or '-' for standard input.
 * Threads: any, but standard input can be read once only. */
#ifndef OTEL_TA_WEBHOOK_CLI_DOCUMENT_H
#define OTEL_TA_WEBHOOK_CLI_DOCUMENT_H

#include "allocator/base/buf.h"

/* Appends all of it to 'out', whose cap is the limit. ERR_IO with path and reason, ERR_TOO_BIG. */
int document_read(const char *path, struct buf *out, struct err *err) MUST_USE;

#endif

/* JSON laid out for people: a member a line, two blanks a level; and nothing in it that a terminal
 * would obey (the escapes of buf_add_visible are those of JSON). Values may follow each other.
 * Pure. Threads: any. */
#ifndef OTEL_TA_CODEC_JSONINDENT_H
#define OTEL_TA_CODEC_JSONINDENT_H

#include "allocator/base/buf.h"

/* 'json' is well formed: ours. Every value begins and ends a line. */
void jsonindent_write(struct span json, struct buf *out);

#endif

/* Go's filepath.Match and Clean for slashes: how file_sd patterns match and how the paths they give
 * are spelled. Threads: any. */
#ifndef OTEL_TA_DISCOVERY_PATHGLOB_H
#define OTEL_TA_DISCOVERY_PATHGLOB_H

#include "allocator/base/buf.h"

#include <stdbool.h>

/* '*', '?', '[a-z]', '[^a-z]' and '\' as an escape; neither star nor question mark matches a slash;
 * a leading dot is nothing special. A malformed pattern matches nothing. */
bool pathglob_match(struct span pattern, struct span name);
/* Has any of '*', '?', '[', '\'. */
bool pathglob_has_meta(struct span pattern);
/* Shortest equal path: no empty, "." or inner ".." elements; "." for nothing. */
void pathglob_clean(struct span path, struct buf *out);
/* The part before the last slash ("." when there is none, "/" for the root), and the part after
 * it. */
void pathglob_split(struct span path, struct span *out_dir, struct span *out_base);

#endif

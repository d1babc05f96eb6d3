/* A deep copy of a node tree that owes nothing to the document it came from.
 * Threads: any. */
#ifndef OTEL_TA_CODEC_NODECOPY_H
#define OTEL_TA_CODEC_NODECOPY_H

#include "allocator/codec/node.h"

/* Copies 'n' with all its text into 'arena'; keys of merged pairs are kept. 'unescape_dollars':
 * every scalar that is a value gets "$" for "$$", as a Collector does when it reads its
 * configuration (keys are left alone, as there). */
struct node *nodecopy(const struct node *n, bool unescape_dollars, struct arena *arena);
/* The same of one text. */
struct span nodecopy_unescape(struct span s, struct arena *arena);

#endif

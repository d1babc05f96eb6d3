/* The annotation otel-ta/sd-configs: the discovery sections that a rewrite took out of a Collector
 * CR, so that the allocator can run them and a restore can bring them back. Canonical JSON,
 * versioned:
 *   {"receivers":{"prometheus":{"jobs":{"<job>":{"static_configs":[…]}}}},"v":1}
 * A receiver that a rewrite in block style changed also has its whole "scrape_configs" and what
 * "target_allocator" held before. Beside "receivers" there may be "text", what is needed to restore
 * the very bytes of a text configuration: the rewriter defines and reads it, here it is opaque.
 * Up to LIMIT_ANNOTATION_PLAIN bytes plain, above "gz1:" + base64(zlib), never more than
 * LIMIT_ANNOTATION_ENCODED. Reading it back is reading hostile input: every cap of a document
 * applies, and an unknown version is ERR_UNSUPPORTED (the caller leaves such a CR alone). Threads:
 * any. */
#ifndef OTEL_TA_TENANT_ANNOTATION_H
#define OTEL_TA_TENANT_ANNOTATION_H

#include "allocator/codec/node.h"

/* Annotation value → canonical JSON text (inflated, in 'arena') and its tree. */
int annotation_decode(struct span value, struct arena *arena, struct span *out_json,
                      struct node **out, struct err *err) MUST_USE;
/* Is this JSON what 'value' holds, byte for byte, however it was deflated? */
bool annotation_holds(struct span value, struct span json);
/* Canonical JSON → annotation value. Deflated fast, unless only more work makes it fit into 'room'
 * bytes; what the caller does not want longer than that it has to look at. ERR_TOO_BIG over the
 * cap, with size and advice in the text. Deflating is not a function of the content alone (another
 * level, another library): whoever has a value that decodes to the same JSON keeps it. */
int annotation_encode(struct span json, size_t room, struct buf *out, struct err *err) MUST_USE;

#endif

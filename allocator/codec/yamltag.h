/* What a tag makes of a YAML scalar. Rules: yaml.v2, the parser of Prometheus (and, by way of JSON,
 * of kubectl): !!str is text whatever it looks like; !!int, !!float, !!bool and !!null say that it
 * is what it looks like, in quotes or not, and fail when that is something else;
 * !!binary is the text that its base64 gives; !!timestamp is text that looks like a time; any other
 * tag makes text. Deviation: what !!binary gives is UTF-8, for that is what JSON can carry.
 * Threads: any. */
#ifndef OTEL_TA_CODEC_YAMLTAG_H
#define OTEL_TA_CODEC_YAMLTAG_H

#include "allocator/codec/node.h"

/* What a scalar without quotes looks like. */
enum yamltag_kind {
    YAMLTAG_TEXT,
    YAMLTAG_NULL,
    YAMLTAG_BOOL,
    YAMLTAG_INT,
    YAMLTAG_FLOAT,
};
enum yamltag_kind yamltag_kind_of(struct span text);

/* Gives 'n', a scalar with its text, the style of what it is under 'tag' (as libyaml resolves it,
 * not NULL): NODE_PLAIN, NODE_DOUBLE where a plain one is text, or that which it has. New text goes
 * to 'arena'. ERR_INVALID: it is not what the tag says, and '*out_why' (in 'arena') says so. */
int yamltag_apply(struct node *n, const char *tag, struct arena *arena,
                  const char **out_why) MUST_USE;

#endif

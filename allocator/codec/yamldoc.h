/* YAML text → node trees; the only door to libyaml.
 * Limits: LIMIT_DEPTH, LIMIT_YAML_NODES after alias expansion (aliases share nodes, but count each
 * time). Refused: complex keys, duplicate keys, undefined aliases, tags other than the core ones
 * (!!str forces text), UTF-16, NUL. A BOM is skipped. Merge keys (<<) are resolved as yaml.v3 does.
 * Marks of libyaml count characters: offsets given out are bytes.
 * Threads: any; no globals. */
#ifndef OTEL_TA_CODEC_YAMLDOC_H
#define OTEL_TA_CODEC_YAMLDOC_H

#include "allocator/codec/node.h"

struct yamldoc {
    struct node *root; /* NULL for an empty document */
    size_t begin,
        end;       /* bytes of the whole document in the text: from its first byte (directives and
                    * '---' included) to the first byte of the next one or the end of text */
    unsigned line; /* line of 'begin' */
};

/* Parses every document of 'text' (YAML or JSON: JSON text is read as JSON, escaped surrogates
 * included).
 * '*out_docs' is an arena array. An error names line and column. */
int yamldoc_parse_all(struct span text, struct arena *arena, struct yamldoc **out_docs,
                      size_t *out_n, struct err *err) MUST_USE;

/* Exactly one document (an empty text gives NULL). */
int yamldoc_parse(struct span text, struct arena *arena, struct node **out,
                  struct err *err) MUST_USE;

/* Writes a JSON tree as block YAML, keys in their order, strings quoted only where needed. */
void yamldoc_emit(const json_t *tree, struct buf *out);

#endif

/* YAML text → node trees; the only door to libyaml.
 * Limits: LIMIT_DEPTH, memorylimit_text_nodes() after alias expansion (aliases share nodes, but
 * count each time). Refused: complex keys, duplicate keys, undefined aliases, UTF-16, NUL. A BOM is
 * skipped. Merge keys (<<) are resolved as yaml.v3 does, tags as yaml.v2 does (yamltag.h); those of
 * collections say nothing.
 * Marks of libyaml count characters: offsets given out are bytes.
 * Threads: any; no globals. */
#ifndef OTEL_TA_CODEC_YAMLDOC_H
#define OTEL_TA_CODEC_YAMLDOC_H

#include "allocator/codec/node.h"

struct yamldoc {
    struct node *root; /* NULL for an empty document */
    const struct yamldoc_fault
        *fault; /* yamldoc_parse_stream: the first thing that is not supported, NULL: none */
    size_t begin,
        end;       /* bytes of the whole document in the text: from its first byte (directives and
                    * '---' included) to the first byte of the next one or the end of text */
    unsigned line; /* line of 'begin' */
};

/* Parses every document of 'text' (YAML or JSON: JSON text is read as JSON, escaped surrogates
 * included, and JSON objects may follow each other without '---').
 * '*out_docs' is an arena array. An error names line and column. */
int yamldoc_parse_all(struct span text, struct arena *arena, struct yamldoc **out_docs,
                      size_t *out_n, struct err *err) MUST_USE;

/* The same for a stream whose documents are not all ours to understand: what is well formed but not
 * supported (complex or doubled keys, undefined or endless aliases, more than
 * LIMIT_DEPTH levels) is its document's 'fault' and fails nothing. The tree of such a document says
 * where things stand and what the rest of it is, but is not what the document means: tags are
 * forgotten, and null stands for a complex key, for an alias, and for what is too deep. Errors are
 * broken YAML, and a document too big to be read. */
int yamldoc_parse_stream(struct span text, struct arena *arena, struct yamldoc **out_docs,
                         size_t *out_n, struct err *err) MUST_USE;
/* Adds a document's fault as an error, with its path and its line in the stream. */
void yamldoc_report(const struct yamldoc_fault *fault, struct faults *f);

/* Exactly one document (an empty text gives NULL). */
int yamldoc_parse(struct span text, struct arena *arena, struct node **out,
                  struct err *err) MUST_USE;

/* What the text means to Prometheus, whose parser is yaml.v2, for texts that are only read: the
 * first document counts, whatever comes after it; a key may stand after '?'; merge keys are
 * resolved in the order of the text. Places of keys after '?' are not to be relied on. */
int yamldoc_read(struct span text, struct arena *arena, struct node **out,
                 struct err *err) MUST_USE;

#endif

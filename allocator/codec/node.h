/* A document as a tree that remembers where every value stands in the text: what the rewriter
 * splices, what checkers name in faults, and what configuration is read from. Made from YAML by
 * yamldoc, from JSON by node_from_json. Scalars keep their text, so that a string field gets what
 * the user typed ("0644", "yes", "1.0"), as Prometheus does; typing happens when a reader asks for
 * a type. Ownership: nodes live in the arena given to the parser; text is borrowed from the
 * document where no decoding was needed, so the document must outlive the tree. Threads: immutable
 * once made. */
#ifndef OTEL_TA_CODEC_NODE_H
#define OTEL_TA_CODEC_NODE_H

#include "allocator/base/arena.h"
#include "allocator/base/buf.h"
#include "allocator/base/err.h"
#include "allocator/base/fault.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum node_type { NODE_NULL, NODE_SCALAR, NODE_MAP, NODE_LIST };
enum node_style {
    NODE_PLAIN,
    NODE_SINGLE,
    NODE_DOUBLE,
    NODE_LITERAL,
    NODE_FOLDED,
    NODE_BLOCK,
    NODE_FLOW
};

struct node_pair {
    struct node *key; /* a scalar; complex keys are refused by the parsers */
    struct node *value;
    bool is_merged; /* came in through a YAML merge key (<<), is not in the text of this map; those
                       that an own pair or an earlier merge hides are not there */
};

struct node {
    enum node_type type;
    enum node_style style;
    bool is_json;  /* text is JSON: plain scalars are exactly true, false, null or a JSON number */
    bool is_alias; /* this value is written as *alias; begin/end are those of the alias */
    unsigned line; /* 1-based */
    unsigned column; /* 0-based, in characters: the indentation of a block collection */
    /* Bytes of the value in the document, [begin, end), with its &anchor and !tag. A block
     * collection ends with its last descendant, a block scalar with its last line that is not
     * blank. An empty value has none; it stands right after its colon, dash, or key. */
    size_t begin, end;
    size_t n; /* pairs or items */
    union {
        struct span text; /* decoded scalar */
        struct node_pair *pairs;
        struct node **items;
    };
    const char *anchor; /* name when the value carries &anchor, else NULL */
    /* Its end - begin bytes, when they are known to be its canonical JSON and without an escape;
     * else NULL. Such a node is written by copying. */
    const char *canonical;
};

/* A step on the way from the root of a tree to a value. */
struct node_step {
    struct span key; /* p == NULL: an item */
    size_t index;
};

/* Parses one JSON value that fills 'text' (white space around it allowed). Iterative; LIMIT_DEPTH.
 * Keys in source order; a duplicate key is ERR_INVALID. Error text names the line and the byte
 * offset. 'base' is added to all offsets (when 'text' is part of a larger document). */
int node_from_json(struct span text, size_t base, struct arena *arena, struct node **out,
                   struct err *err) MUST_USE;

/* The value of member 'key', merges resolved (own pairs win); NULL when absent or 'map' is not a
 * map (or NULL). */
struct node *node_get(const struct node *map, const char *key);
struct node *node_get_span(const struct node *map, struct span key);
/* The same, at once when the member is number 'i' or next to it: for the pairs of one map, looked
 * up in another that differs a little. */
struct node *node_get_near(const struct node *map, size_t i, struct span key);
/* Does the map inherit through a merge key? Then members are overridden, not removed: what they
 * hide would come through. */
bool node_has_merge(const struct node *map);
/* Like node_get along several keys, NULL-terminated: node_path(root, "spec", "config", NULL). */
struct node *node_path(const struct node *root, ...) __attribute__((sentinel));

/* NULL pointer, null, ~ or an empty plain scalar. */
static inline bool node_is_null(const struct node *n)
{
    return n == NULL || n->type == NODE_NULL;
}
/* Plain true/false, and in YAML also y/yes/on and n/no/off in their YAML 1.1 spellings, as yaml.v2
 * reads them. */
bool node_as_bool(const struct node *n, bool *out);
/* The member is there, and true. */
bool node_is_true(const struct node *map, const char *key);
/* Plain numbers; in YAML also as 0x1f, 0b11, 0o17, 017, 1_000. A whole one is what is left of a
 * number with a point or an exponent (5.0, 1e3, 1.5), as yaml.v2 has it. False when the type cannot
 * hold the value. */
bool node_as_int(const struct node *n, int64_t *out);
bool node_as_uint(const struct node *n, uint64_t *out);
bool node_as_double(const struct node *n, double *out); /* finite */
/* node_as_int() from 0 to 'most'. */
bool node_as_size(const struct node *n, size_t most, size_t *out);
/* A plain number without point and exponent that has at most 64 bits. */
bool node_is_whole(const struct node *n);
/* Text of any scalar, however it is written. False for null, maps and lists. */
bool node_as_text(const struct node *n, struct span *out);

/* Canonical JSON: keys sorted by bytes, no white space. A plain scalar that is spelled as a JSON
 * literal or number stays as it is spelled; any other becomes a string with the text the user
 * typed; null spellings become null. Merged pairs are written out. */
void node_write_json(const struct node *n, struct buf *out);
/* The same value as a new jansson tree (numbers: integer or real). */
json_t *node_to_jansson(const struct node *n);
/* Equal values: same canonical JSON (of at most LIMIT_DOCUMENT_BYTES, else not equal). */
bool node_equal(const struct node *a, const struct node *b);
/* A human word for a fault: "a mapping", "a list", "text", "null". */
const char *node_type_name(const struct node *n);

#endif

/* Typed reads of members from a node tree that say where they failed, in a fault list: the one way
 * in which configuration is read. A checker names every member it knows in a table; what is left
 * over is reported with the nearest known name. Threads: any. */
#ifndef OTEL_TA_CODEC_WALK_H
#define OTEL_TA_CODEC_WALK_H

#include "allocator/base/fault.h"
#include "allocator/codec/node.h"

/* Each: absent or null → false, output untouched, no fault (unless said). Wrong type → false and a
 * fault at path.key with the line. Right → true and the value. */
bool walk_text(const struct node *map, const char *key, struct faults *f, struct span *out);
bool walk_bool(const struct node *map, const char *key, struct faults *f, bool *out);
bool walk_int(const struct node *map, const char *key, struct faults *f, int64_t *out);
bool walk_uint(const struct node *map, const char *key, struct faults *f, uint64_t *out);
bool walk_double(const struct node *map, const char *key, struct faults *f, double *out);
bool walk_map(const struct node *map, const char *key, struct faults *f, const struct node **out);
bool walk_list(const struct node *map, const char *key, struct faults *f, const struct node **out);
/* An arena array of texts; each item must be a scalar. */
bool walk_texts(const struct node *map, const char *key, struct faults *f, struct arena *arena,
                struct span **out, size_t *out_n);

/* An error at member 'key' of 'map', with the line of its value, or of 'map' when it is not there.
 */
void walk_fault(const struct node *map, const char *key, struct faults *f, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* Reports each member of 'map' that is not in 'known' (NULL-terminated): "field foo not known; did
 * you mean 'food'?". Severity as given: strict readers use FAULT_ERROR. */
void walk_unknown(const struct node *map, const char *const *known, enum fault_severity severity,
                  struct faults *f);
/* The nearest of 'known' by edit distance (at most a third of the length, rounded up), or NULL: for
 * flags, commands and fields. */
const char *walk_nearest(struct span word, const char *const *known);
/* The same, one name after the other. */
struct walk_near {
    struct span word; /* borrowed */
    size_t distance;  /* of the nearest so far */
    bool is_found;
};
struct walk_near walk_near_to(struct span word);
/* True when 'name' is the nearest so far. */
bool walk_near_try(struct walk_near *n, struct span name);

#endif

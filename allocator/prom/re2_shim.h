/* C face of libre2, for prom/regex.c alone. Patterns are compiled as given; no exception leaves.
 * Threads: a compiled pattern is immutable and may be shared. */
#ifndef OTEL_TA_PROM_RE2_SHIM_H
#define OTEL_TA_PROM_RE2_SHIM_H

#include "allocator/base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct re2_shim;

/* NULL on failure: 'error' then holds a sentence as Go's regexp prints it, '*out_too_big' whether
 * it was the memory cap. */
struct re2_shim *re2_shim_new(struct span pattern, int64_t max_memory, char *error,
                              size_t error_size, bool *out_too_big);
void re2_shim_free(struct re2_shim *re);           /* NULL-safe */
size_t re2_shim_size(const struct re2_shim *re);   /* bytes of its programs, about */
size_t re2_shim_groups(const struct re2_shim *re); /* capturing groups, group 0 not counted */
/* The first group after group 'after' that has this name, 0 when there is none. A name may come
 * more than once. */
size_t re2_shim_group_named(const struct re2_shim *re, struct span name, size_t after);
/* Searches from byte 'start' on (^ still means the beginning of the subject); 'group' gets
 * 'n_groups' spans (group 0 first), p == NULL where a group did not take part. */
bool re2_shim_match(const struct re2_shim *re, struct span subject, size_t start,
                    struct span *group, size_t n_groups);

#ifdef __cplusplus
}
#endif

#endif

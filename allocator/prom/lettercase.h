/* Upper and lower case as Go's strings.ToUpper and strings.ToLower see them: Unicode's simple
 * mappings, one code point to one code point, no locale. The actions uppercase and lowercase need
 * exactly this, and no C library promises it. Threads: any. */
#ifndef OTEL_TA_PROM_LETTERCASE_H
#define OTEL_TA_PROM_LETTERCASE_H

#include "allocator/base/arena.h"

#include <stdbool.h>

enum lettercase { LETTERCASE_LOWER, LETTERCASE_UPPER };

/* Bytes that the result can have at most. */
size_t lettercase_bound(struct span s);
/* Memory of the arena, or 's' itself when nothing changes. Invalid bytes become U+FFFD. */
struct span lettercase_map(struct span s, enum lettercase to, struct arena *arena);

#endif

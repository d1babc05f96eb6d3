/* Upper and lower case as Go's strings.ToUpper and strings.ToLower see them: Unicode's simple
 * mappings of the version that Go has, one code point to one code point, no locale. The actions
 * uppercase and lowercase need exactly this. towupper_l() of glibc 2.36 agrees in every code point
 * with C.UTF-8, but that locale is a file of libc-bin, not a part of libc.so: newlocale() fails in
 * an image without it (seen with an empty /usr/lib/locale; LOCPATH only adds a folder), and it
 * follows Unicode wherever libc does. Threads: any. */
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

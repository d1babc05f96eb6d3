#include "webhook/buildinfo.h"

#include <stddef.h>

/* The build passes these, for this file alone; who looks at one file without the build passes none.
 */
#ifndef OTEL_TA_VERSION
#define OTEL_TA_VERSION "0"
#define OTEL_TA_COMMIT ""
#define OTEL_TA_IS_DIRTY false
#define OTEL_TA_LIBRARIES
#endif

#ifdef __clang__
#define COMPILER __VERSION__ /* "Debian Clang 14.0.6" */
#else
#define COMPILER "gcc " __VERSION__
#endif

static const struct version_of_library libraries[] = { OTEL_TA_LIBRARIES{ NULL, NULL } };

const struct version buildinfo = { .number = OTEL_TA_VERSION,
                                   .commit = OTEL_TA_COMMIT,
                                   .is_dirty = OTEL_TA_IS_DIRTY,
                                   .compiler = COMPILER,
                                   .libraries = libraries };

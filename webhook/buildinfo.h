/* What the build says of itself (scripts/version, which asks git). In the program only, in no
 * archive: a commit makes this object anew and links the program again, and no test. No date and no
 * host are part of it, so the same tree gives the same program. Immutable. Threads: any. */
#ifndef OTEL_TA_WEBHOOK_BUILDINFO_H
#define OTEL_TA_WEBHOOK_BUILDINFO_H

#include "webhook/cli/version.h"

extern const struct version buildinfo;

#endif

#include "allocator/scrape/mechanisms.h"

#include <stddef.h>

const char *const mechanisms[] = { MECHANISMS(MECHANISM_SECTION) NULL };

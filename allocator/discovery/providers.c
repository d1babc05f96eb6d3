#include "allocator/discovery/provider.h"

const struct provider_row providers[] = { MECHANISMS(PROVIDER_ROW){ NULL, NULL } };

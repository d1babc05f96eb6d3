/* Any text as a manifest: refused, left alone, or rewritten with every property that a rewrite has.
 */
#include "tests/unit/webhook/oracle.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oracle o;

    oracle_init(&o);
    if (oracle_check(&o, span_make((const char *)data, size)) == ORACLE_BROKEN) {
        fprintf(stderr, "%s\n--- becomes\n%.*s\n", o.why, SPAN_ARG(o.result));
        abort();
    }
    oracle_fini(&o);
    return 0;
}

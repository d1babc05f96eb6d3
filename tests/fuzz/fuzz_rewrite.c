/* Any text as a manifest: refused, left alone, or rewritten with every property that a rewrite has.
 */
#include "tests/unit/rewrite/oracle.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(const struct oracle *o, enum oracle_result result)
{
    if (result == ORACLE_BROKEN) {
        fprintf(stderr, "%s\n--- becomes\n%.*s\n", o->why, SPAN_ARG(o->result));
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rewrite_options block = { .collector_id_expr =
                                                      SPAN_LIT(WIRE_DEFAULT_COLLECTOR_ID),
                                                  .is_block_style = true };
    struct span text = span_make((const char *)data, size);
    struct oracle o;

    oracle_init(&o);
    const struct rewrite_options plain = o.options;
    enum oracle_result result = oracle_check(&o, text);
    require(&o, result);
    if (result == ORACLE_GOOD && oracle_is_fresh(text)) {
        require(&o, oracle_changes_way(&o, text, &plain, &block));
        require(&o, oracle_changes_way(&o, text, &block, &plain));
    }
    oracle_fini(&o);
    return 0;
}

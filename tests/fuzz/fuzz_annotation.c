/* The annotation otel-ta/sd-configs, which anybody who may edit a Collector can write. What can be
 * decoded and is encoded anew decodes to the same. */
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/tenant/annotation.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_so)
{
    if (!is_so) {
        abort();
    }
}

static void encode(struct span json, struct arena *arena)
{
    AUTO_BUF fresh;
    struct span again = { "", 0 };
    struct node *root = NULL;

    buf_init(&fresh, LIMIT_ANNOTATION_ENCODED);
    if (annotation_encode(json, json.len % 2 == 0 ? LIMIT_ANNOTATION_ENCODED : 0, &fresh, NULL) ==
        0) {
        expect(annotation_decode(buf_span(&fresh), arena, &again, &root, NULL) == 0 &&
               span_eq(again, json) && annotation_holds(buf_span(&fresh), json));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span value = { (const char *)data, size };
    struct span json = { "", 0 };
    struct node *root = NULL;
    struct arena arena;
    struct err err;

    arena_init(&arena);
    if (annotation_decode(value, &arena, &json, &root, &err) == 0) {
        encode(json, &arena);
    }
    arena_fini(&arena);
    return 0;
}

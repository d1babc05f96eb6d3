/* Two lines of JSON: a document and a patch. Whatever the patch does, it does the same operation by
 * operation, leaves document and patch as they were, and the difference of both trees leads from
 * one to the other again. */
#include "allocator/base/limits.h"
#include "allocator/codec/jsonpatch.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool leads_there(const struct node *from, const struct node *to, struct arena *arena)
{
    struct jsonpatch patch = { .ops = { .n = 0 } };
    struct node *result = NULL;

    jsonpatch_diff(from, to, SPAN_LIT(""), arena, &patch);
    int rc = jsonpatch_apply(&patch, from, arena, &result, NULL);
    jsonpatch_fini(&patch);
    return rc == 0 && jsonpatch_same(result, to) && node_equal(result, to);
}

static struct span written(const struct node *document, const struct jsonpatch *patch,
                           struct arena *arena)
{
    struct buf out;

    buf_init_in(&out, arena, LIMIT_DOCUMENT_BYTES);
    node_write_json(document, &out);
    jsonpatch_write(patch, &out);
    return buf_span(&out);
}

/* Each operation on a tree that nobody went through before. */
static int apply_singly(const struct jsonpatch *patch, const struct node *root, struct arena *arena,
                        struct node **out)
{
    int rc = 0;

    *out = (struct node *)(uintptr_t)root;
    for (size_t i = 0; i < patch->ops.n && rc == 0; i++) {
        const struct jsonpatch one = { .ops = { .v = &patch->ops.v[i], .n = 1 } };
        rc = jsonpatch_apply(&one, *out, arena, out, NULL);
    }
    return rc;
}

static void check(const struct node *document, const struct jsonpatch *patch, struct arena *arena)
{
    struct node *result = NULL, *singly = NULL;
    struct span before = written(document, patch, arena);
    int rc = jsonpatch_apply(patch, document, arena, &result, NULL);

    if (!span_eq(written(document, patch, arena), before) ||
        apply_singly(patch, document, arena, &singly) != rc ||
        (rc == 0 && (!node_equal(result, singly) || !leads_there(document, result, arena) ||
                     !leads_there(result, document, arena)))) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nl = size == 0 ? NULL : memchr(data, '\n', size);
    struct node *document = NULL, *patch_tree = NULL;
    struct jsonpatch patch = { .ops = { .n = 0 } };
    struct arena arena;

    if (nl == NULL) {
        return 0;
    }
    arena_init(&arena);
    struct span first = span_make((const char *)data, (size_t)(nl - data));
    struct span second = span_make((const char *)nl + 1, size - first.len - 1);
    if (node_from_json(first, 0, &arena, &document, NULL) == 0 &&
        node_from_json(second, 0, &arena, &patch_tree, NULL) == 0 &&
        jsonpatch_read(patch_tree, &arena, &patch, NULL) == 0) {
        check(document, &patch, &arena);
    }
    jsonpatch_fini(&patch);
    arena_fini(&arena);
    return 0;
}

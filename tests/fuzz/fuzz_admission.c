/* Any bytes as the body of POST /mutate: the reply parses, the uid is echoed, the patch applies, a
 * second round is empty, and the same object written over it gives it again. */
#include "tests/unit/admission/reviewcheck.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_odd(struct span ns)
{
    return ns.len > 0 && (memchr(ns.p, '.', ns.len) != NULL || memchr(ns.p, '/', ns.len) != NULL);
}

/* The API server lets no namespace through that is not a DNS label: its Services have no URL. */
static bool has_odd_namespace(struct span body, struct arena *arena)
{
    struct review r;
    struct node *root = NULL;
    struct span ns = { NULL, 0 };

    if (review_read(body, arena, &r, NULL) < 0 || r.object.p == NULL ||
        review_collector(r.object, REVIEW_METADATA, arena, &root, NULL) < 0) {
        return false;
    }
    (void)node_as_text(node_path(root, "metadata", "namespace", NULL), &ns);
    return is_odd(r.ns) || is_odd(ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reviewcheck c;

    reviewcheck_init(&c);
    /* The first byte chooses options. */
    if (size > 0) {
        c.options.style = (enum wire_style)(data[0] % 3);
        c.options.shared_host = SPAN_LIT("otel-ta.otel.svc");
        c.options.is_block_style = (data[0] & 8) != 0;
    }
    /* The API server sends valid UTF-8, whatever its own client sent. */
    AUTO_BUF body = { 0 };
    buf_init(&body, LIMIT_REVIEW_BYTES);
    if (size > 0) {
        buf_add_utf8(&body, span_make((const char *)data + 1, size - 1));
    }
    if (size > 0 && !has_odd_namespace(buf_span(&body), &c.arena) &&
        !reviewcheck_all(&c, buf_span(&body))) {
        fprintf(stderr, "%s\n%.*s\n%.*s\n", c.why, SPAN_ARG(c.reply.body), SPAN_ARG(c.patch));
        abort();
    }
    reviewcheck_fini(&c);
    return 0;
}

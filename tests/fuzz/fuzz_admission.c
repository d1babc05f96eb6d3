/* Any bytes as the body of POST /mutate: the reply parses, the uid is echoed, the patch applies, a
 * second round is empty, and the same object written over it gives it again. */
#include "tests/unit/webhook/reviewcheck.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
    if (size > 0 && !reviewcheck_all(&c, buf_span(&body))) {
        fprintf(stderr, "%s\n%.*s\n%.*s\n", c.why, SPAN_ARG(c.reply.body), SPAN_ARG(c.patch));
        abort();
    }
    reviewcheck_fini(&c);
    return 0;
}

/* Query escaping: what is escaped comes back; what is decoded and escaped again decodes to the
 * same. */
#include "allocator/base/limits.h"
#include "allocator/codec/urlform.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_make((const char *)data, size), out, again;
    struct arena arena;
    AUTO_BUF escaped;

    arena_init(&arena);
    buf_init(&escaped, MIB);
    urlform_escape(text, &escaped);
    require(urlform_unescape(buf_span(&escaped), &arena, &out, NULL) == 0 && span_eq(out, text));
    if (urlform_unescape(text, &arena, &out, NULL) == 0) {
        buf_clear(&escaped);
        urlform_escape(out, &escaped);
        require(urlform_unescape(buf_span(&escaped), &arena, &again, NULL) == 0 &&
                span_eq(out, again));
    }
    if (urlform_query(text, "job", &out)) {
        require(out.p >= text.p && out.p + out.len <= text.p + text.len);
        require(out.len == 0 || memchr(out.p, '&', out.len) == NULL);
    }
    arena_fini(&arena);
    return 0;
}

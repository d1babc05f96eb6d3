#include "allocator/http/requesttarget.h"

/* Cuts "http://host" off the front; false when it is not there. */
static bool take_host(struct span *raw, struct span *out_host)
{
    size_t scheme = span_has_prefix(*raw, "http://")    ? 7
                    : span_has_prefix(*raw, "https://") ? 8
                                                        : 0;
    size_t end = scheme;

    if (scheme == 0) {
        return false;
    }
    while (end < raw->len && raw->p[end] != '/' && raw->p[end] != '?') {
        end++;
    }
    *out_host = (struct span){ raw->p + scheme, end - scheme };
    *raw = span_from(*raw, end);
    return true;
}

struct requesttarget requesttarget_split(struct span raw, struct span host_header)
{
    struct requesttarget t = { .host = host_header };
    bool is_absolute = take_host(&raw, &t.host);
    const char *mark = raw.len == 0 ? NULL : memchr(raw.p, '?', raw.len);
    size_t at = mark == NULL ? raw.len : (size_t)(mark - raw.p);

    t.path = (struct span){ raw.p, at };
    t.query = span_from(raw, at + 1);
    if (is_absolute && at == 0) {
        t.path = SPAN_LIT("/");
    }
    return t;
}

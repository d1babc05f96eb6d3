#include "allocator/http/head.h"

#include "allocator/base/limits.h"

#include <strings.h>

/* Takes the next line off 'rest', without its end. */
static struct span take_line(struct span *rest)
{
    const char *end = memchr(rest->p, '\n', rest->len);
    struct span line = { rest->p, end == NULL ? rest->len : (size_t)(end - rest->p) };

    *rest = span_from(*rest, line.len + (end == NULL ? 0 : 1));
    if (line.len > 0 && line.p[line.len - 1] == '\r') {
        line.len--;
    }
    return line;
}

static bool has_name(struct span line, struct span name)
{
    return line.len > name.len && line.p[name.len] == ':' &&
           strncasecmp(line.p, name.p, name.len) == 0;
}

struct head_fault head_check(struct span raw)
{
    struct span rest = { raw.p, raw.len < LIMIT_HEAD_BYTES ? raw.len : LIMIT_HEAD_BYTES };
    unsigned n_hosts = 0, n_lengths = 0, n_encodings = 0;
    struct span line = take_line(&rest);

    if (line.len == 0) { /* one empty line may stand before a request */
        (void)take_line(&rest);
    }
    for (line = take_line(&rest); line.len > 0; line = take_line(&rest)) {
        if (line.p[0] == ' ' || line.p[0] == '\t') {
            return (struct head_fault){ 400, "a header continues on the next line" };
        }
        n_hosts += has_name(line, SPAN_LIT("host")) ? 1 : 0;
        n_lengths += has_name(line, SPAN_LIT("content-length")) ? 1 : 0;
        n_encodings += has_name(line, SPAN_LIT("transfer-encoding")) ? 1 : 0;
    }
    if (rest.len == 0 && raw.len > LIMIT_HEAD_BYTES) {
        return (struct head_fault){ 431, "the headers are too large" };
    }
    if (n_lengths > 0 && n_encodings > 0) {
        return (struct head_fault){ 400, "Transfer-Encoding and Content-Length in one request" };
    }
    if (n_hosts > 1 || n_lengths > 1 || n_encodings > 1) {
        return (struct head_fault){ 400, "a header that may be given once is given twice" };
    }
    return (struct head_fault){ 0, NULL };
}

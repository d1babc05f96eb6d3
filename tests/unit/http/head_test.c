#include "allocator/http/head.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "tests/check.h"

static void check(const char *raw, int status)
{
    struct head_fault fault = head_check(check_at_edge(span_of(raw)));

    is_int(fault.status, status, "'%.70s': %s", raw, fault.why == NULL ? "fine" : fault.why);
    ok((fault.why == NULL) == (status == 0), "  and says why, or nothing");
}

/* 'n' bytes of head, with the empty line, and a body after it. */
static void check_size(size_t n, int status)
{
    static const char begin[] = "GET / HTTP/1.1\r\nX: ", end[] = "\r\n\r\nContent-Length: 1\r\n";
    size_t fill = n - (sizeof(begin) - 1) - 4;
    AUTO_STR raw = mem_zalloc(n + sizeof(end));

    memcpy(raw, begin, sizeof(begin) - 1);
    memset(raw + sizeof(begin) - 1, 'x', fill);
    memcpy(raw + sizeof(begin) - 1 + fill, end, sizeof(end));
    is_int(head_check(span_of(raw)).status, status, "a head of %zu bytes", n);
}

int main(void)
{
    check("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0);
    check("GET / HTTP/1.1\nHost: a\n\n", 0);
    check("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 0);
    check("GET / HTTP/1.1\r\n\r\n", 0);
    is_int(head_check(span_from(SPAN_LIT("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 1)).status, 0,
           "what stands before is nothing to it");
    check("\n", 0);
    check("", 0);
    check("GET / HTTP/1.1\r\nHost\r\nHost: a\r\n\r\n", 0);
    check("GET / HTTP/1.1\r\nHost: a\r\nHost ; b\r\n\r\n", 0);
    check("GET / HTTP/1.1\r\nHost: a\r\nhos", 0);
    check("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 0);
    check("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0);
    check("POST / HTTP/1.1\r\nX-Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 0);
    check("POST / HTTP/1.1\r\nContent-Length: 21\r\n\r\nContent-Length: 5\r\n\r\n", 0);
    check("GET / HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\n folded\r\n\r\n", 0);

    check("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400);
    check("POST / HTTP/1.1\r\ncontent-length: 3\r\ntransfer-ENCODING: chunked\r\n\r\n", 400);
    check("\r\nPOST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
    check("POST / HTTP/1.1\nContent-Length: 3\nTransfer-Encoding: chunked\n\n", 400);
    check("POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400);
    check("POST / HTTP/1.1\r\nTransfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
    check("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400);
    check("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", 400);
    check("GET / HTTP/1.1\r\nX: a\r\n\tb\r\n\r\n", 400);
    check_size(1000, 0);
    check_size(LIMIT_HEAD_BYTES - 1, 0);
    check_size(LIMIT_HEAD_BYTES, 431);
    check_size(LIMIT_HEAD_BYTES + 1, 431);
    check_size(4 * LIMIT_HEAD_BYTES, 431);
    return check_done();
}

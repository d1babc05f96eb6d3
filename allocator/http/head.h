/* The head of a request as it came, looked at for what h2o lets through and other servers read
 * otherwise: two of them in a row could then disagree about where a request ends.
 * Source: RFC 9112 §5.2, §6.1, §6.3. Pure. Threads: any. */
#ifndef OTEL_TA_HTTP_HEAD_H
#define OTEL_TA_HTTP_HEAD_H

#include "allocator/base/span.h"

struct head_fault {
    int status; /* 0: nothing to say against it; else the answer, after which the connection ends */
    const char *why;
};

/* 'raw' begins with the head; what follows its empty line is not looked at. 431 above
 * LIMIT_HEAD_BYTES; 400 for Transfer-Encoding beside Content-Length, for either of them, or Host,
 * given twice, and for a value that goes on in the next line. */
struct head_fault head_check(struct span raw);

#endif

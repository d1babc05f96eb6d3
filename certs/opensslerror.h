/* Why OpenSSL refused something. Threads: any; OpenSSL keeps its errors per thread. */
#ifndef OTEL_TA_CERTS_OPENSSLERROR_H
#define OTEL_TA_CERTS_OPENSSLERROR_H

#include "allocator/base/err.h"

/* OpenSSL's newest reason as our error, "<what>: <reason>"; its queue is emptied. Returns 'code'.
 */
int opensslerror_set(struct err *err, int code, const char *what);

#endif

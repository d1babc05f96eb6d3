/* What the server gives the exchange of one request, and what the exchange keeps. Private to this
 * folder. Lives on the stack of the serving thread while the handler runs; borrows everything. */
#ifndef OTEL_TA_HTTP_EXCHANGE_STATE_H
#define OTEL_TA_HTTP_EXCHANGE_STATE_H

#include "allocator/http/gather.h"
#include "allocator/http/requesttarget.h"

#include <stdint.h>

struct st_h2o_req_t;

/* The answer that a connection is given, for as long as it is being taken. */
struct answer {
    int64_t begun_ms, ends_ms; /* on the monotonic clock; what is not taken then is cut. 0: none */
    uint64_t generation;       /* of what it pins; 0: nothing */
    size_t own_bytes;          /* that it holds for itself alone */
};

struct exchange {
    struct st_h2o_req_t *req;
    struct requesttarget target;
    struct arena *scratch;       /* of the thread */
    struct gather_pool *buffers; /* of the thread */
    struct answer *answer;       /* of the connection */
    int64_t patience_ms;         /* with a peer that takes nothing */
    unsigned thread;             /* 0 … n_threads-1 */
    bool is_tls;
    bool is_verified; /* a client certificate was presented and verified */
    bool is_head;
    bool is_answered;
    struct arena *arena; /* in the request's pool; NULL until asked for */
};

#endif

/* GET /jobs/{job}/targets: whose share of which job is asked for, and the pages that hold it.
 * Private to this folder. Threads: the serving thread's. */
#ifndef OTEL_TA_SERVE_SHARE_H
#define OTEL_TA_SERVE_SHARE_H

#include "allocator/serve/request.h"

/* Answers 'r', whose job and tenant are known; there is a snapshot. */
void share_answer(struct request *r);

#endif

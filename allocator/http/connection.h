/* The connections of a serving thread: who is admitted, what they may cost, who is cut. Private to
 * this folder. Threads: the serving thread that owns the door or worker. */
#ifndef OTEL_TA_HTTP_CONNECTION_H
#define OTEL_TA_HTTP_CONNECTION_H

#include "allocator/http/server_state.h"

/* Takes 'sock', which was accepted: it is served from now on, or closed because the listener is
 * full. */
void connection_admit(struct door *door, h2o_socket_t *sock);
/* Whose request it is. */
struct connection *connection_of(h2o_req_t *req);
/* It ends before its answer was sent. */
void connection_lost(h2o_req_t *req);
/* Cuts what costs too much or takes too long. Returns when it wants to be called again at the
 * latest, on the monotonic clock. */
int64_t connections_survey(struct worker *w, int64_t now_ms);
/* http_server_hurry() for one thread. */
void connections_hurry(struct worker *w, uint64_t generation, int64_t now_ms);
/* Shuts all down, or those that are neither read from nor answered. */
void connections_cut(struct worker *w, bool only_idle);

#endif

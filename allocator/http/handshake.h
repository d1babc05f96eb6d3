/* Connections of a TLS listener until their handshake is done: strangers. Each costs some 34 KB and
 * has shown nothing yet, so there are few of them, for a short time, and the oldest make room: who
 * has more than a quarter of the places from one address loses his own. What fails is counted by
 * reason and told with the peer's address; who speaks HTTP is answered in words. Private to this
 * folder. Threads: the serving thread of the door. */
#ifndef OTEL_TA_HTTP_HANDSHAKE_H
#define OTEL_TA_HTTP_HANDSHAKE_H

#include "allocator/http/server_state.h"

/* The context as this server needs it; before the first connection. */
void handshake_prepare(SSL_CTX *tls);
/* From here on the connection is a stranger; it becomes one of HTTP/1.1, or is closed. */
void handshake_begin(struct connection *c);
/* The connection is about to be freed. */
void handshake_forget(struct connection *c);
/* Closes whose time is over. Returns when the next one's is, or INT64_MAX. */
int64_t handshake_expire(struct door *door, int64_t now_ms);

#endif

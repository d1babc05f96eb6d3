/* The allocator's HTTP API over the current snapshot (upstream's internal/server/server.go): /,
 * /jobs, /jobs/{job}/targets, /scrape_configs, /metrics, /livez, /readyz, each also below
 * /n/{ns}/{cr}/. GET and HEAD; other methods 405 with Allow. Which CR a request means: path,
 * qualified Host, source address, unique match; ambiguous → 421. An unexpanded collector_id: source
 * address, else 400. No lock and no allocation from the heap on /jobs/{job}/targets?collector_id=…
 * Threads: serve_publish from the engine; the handler on serving threads. */
#ifndef OTEL_TA_SERVE_ROUTES_H
#define OTEL_TA_SERVE_ROUTES_H

#include "allocator/http/server.h"
#include "allocator/serve/snapshot.h"

struct serve;

/* 'secrets_over_http': allow_insecure_auth_secrets. One 'current' pointer per serving thread. */
struct serve *serve_new(unsigned n_threads, bool secrets_over_http);
/* Hands 's' (one reference, moved) to every serving thread of 'server'. */
void serve_publish(struct serve *serve, struct http_server *server, const struct snapshot *s);
/* While draining /readyz answers 503. */
void serve_set_draining(struct serve *serve);
exchange_handler serve_handle;         /* arg: struct serve */
void serve_free(struct serve **serve); /* after the server has stopped */

#endif

/* Answers to who asks for what is not known: why, what is nearest, and how to ask. 503 where it may
 * be known later (a fault hides it, or this process knows no Collector at all), so that a collector
 * keeps what it has; else 404. A process in the place of the Go allocator (one tenant, without a
 * name) answers as that does, with no targets and a Warning header. Private to this folder.
 * Threads: the serving thread's. */
#ifndef OTEL_TA_SERVE_UNKNOWN_H
#define OTEL_TA_SERVE_UNKNOWN_H

#include "allocator/serve/request.h"

/* No job of these words. 'empty' is upstream's answer to that. */
void unknown_job(struct request *r, const struct directory_question *q, struct span empty);
/* The job is known, its collector is not. */
void unknown_collector(struct request *r, const struct directory_question *q);
/* No Collector of the words of the path, or of the Host. */
void unknown_tenant(struct request *r);
/* The Collector is known and has a fault, or nothing is known at all (DIRECTORY_ANY): answered with
 * 503 if so, and true. */
bool unknown_is_out(struct request *r, size_t tenant);
/* 'fault' of a job or Collector: 503. */
void unknown_fault(struct request *r, struct span fault);

/* In the log, not too often. */
void unknown_note(const struct request *r, const char *message, struct span collector);

#endif

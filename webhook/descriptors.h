/* How many files and sockets this process may open, and how many it needs: h2o aborts without a
 * word where it cannot have its own.
 * Threads: the keeper's, before there are others. */
#ifndef OTEL_TA_WEBHOOK_DESCRIPTORS_H
#define OTEL_TA_WEBHOOK_DESCRIPTORS_H

#include "allocator/base/err.h"

/* Pure: with so many open already, so that this many threads can serve so many listeners, and a few
 * files can be read and a few connections taken. */
unsigned long descriptors_needed(unsigned long n_open, unsigned n_threads, unsigned n_listeners);
/* Raises the soft limit to the hard one: the usual 1024 is there for programs that use select().
 * ERR_IO with both figures when that is less than what is needed. */
int descriptors_claim(unsigned n_threads, unsigned n_listeners, struct err *err) MUST_USE;

#endif

/* One API server as a request needs it: where it is, and by what it lets us in. Files (token,
 * authorities, certificate, key) are read for every request, which are few, so that a rotated one
 * counts at once; one that cannot be read any more counts as it last was. A configuration that
 * cannot be read is tried again with every request. Threads: the watcher's. */
#ifndef OTEL_TA_WATCH_KUBECLUSTER_H
#define OTEL_TA_WATCH_KUBECLUSTER_H

#include "allocator/client/credentials.h"
#include "allocator/discovery/ask.h"
#include "allocator/kube/configplace.h"

struct kubecluster;

/* The server of 'ask' (copied); 'places' (borrowed, for as long as the cluster lives) say what is
 * meant where it names none. */
struct kubecluster *kubecluster_new(const struct ask_kube *ask,
                                    const struct kubeconfig_places *places);
void kubecluster_free(struct kubecluster **c);
/* URL (of 'target', a path with its query), credentials, TLS and proxy of a request; texts are the
 * cluster's or in 'arena'. ERR_* when it cannot be made. To be ended with credentials_fini(). */
int kubecluster_prepare(struct kubecluster *c, struct span target, struct arena *arena,
                        struct credentials *out, struct err *err) MUST_USE;
/* Whether compressed answers may be asked for; known once a request was prepared. */
bool kubecluster_may_compress(const struct kubecluster *c);

#endif

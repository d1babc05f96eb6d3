/* One API server as a request needs it: where it is, and by what it lets us in. Files (token,
 * authorities, certificate, key) are read for every request, which are few, so that a rotated one
 * counts at once; one that cannot be read any more counts as it last was. A configuration that
 * cannot be read is tried again with every request. An exec plugin is run when it is needed, when
 * what it said expires, and after a refusal. Threads: the watcher's. */
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
/* A plugin runs that will say by what we are let in: try again at kubecluster_deadline_ms(). Files
 * of a configuration are found, and the plugin is started, by this. */
bool kubecluster_must_wait(struct kubecluster *c, int64_t now_ms);
int64_t kubecluster_deadline_ms(const struct kubecluster *c); /* INT64_MIN: need not wait */
/* What a request carried was refused (401). */
void kubecluster_forget_credentials(struct kubecluster *c);
/* The namespace that this process runs in, or the kubeconfig's context is in, else "default", also
 * while no configuration can be read. Borrowed. */
struct span kubecluster_namespace(struct kubecluster *c);
/* URL (of 'target', a path with its query), credentials, TLS and proxy of a request; texts are the
 * cluster's or in 'arena'. ERR_* when it cannot be made. To be ended with credentials_fini(). */
int kubecluster_prepare(struct kubecluster *c, struct span target, struct arena *arena,
                        struct credentials *out, struct err *err) MUST_USE;
/* Whether compressed answers may be asked for; known once a request was prepared. */
bool kubecluster_may_compress(const struct kubecluster *c);

#endif

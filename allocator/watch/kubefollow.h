/* One collection that is followed: a reflector, and the transfers it asks for. Threads: the
 * watcher's. */
#ifndef OTEL_TA_WATCH_KUBEFOLLOW_H
#define OTEL_TA_WATCH_KUBEFOLLOW_H

#include "allocator/client/oauth2.h"
#include "allocator/kube/reflector.h"
#include "allocator/watch/kubecluster.h"

struct kubefollow;

/* Called on the watcher, also while a transfer runs: they may not end what is followed. */
struct kubefollow_hooks {
    /* Something became known ('batch', else NULL), or how it goes has changed. */
    void (*told)(struct kubefollow *f, const struct reflector_report *report,
                 struct objectbatch *batch);
    /* The server has answered. */
    void (*reached)(struct kubefollow *f);
};

struct kubefollow_place { /* borrowed */
    struct http_client *client;
    struct oauth2 *tokens;
    struct kubecluster *cluster;
    const char *user_agent;
};

struct kubefollow {
    const struct kubefollow_hooks *hooks;
    struct kubefollow_place place;
    char *resource, *namespace; /* for people: "deployments.apps" */
    struct reflector *reflector;
    struct http_request *request; /* under way, or NULL */
    enum reflector_stage stage;   /* of it */
    int status;                   /* of its answer; 0: none yet */
    unsigned n_changes;           /* of the reflector's state, that were told */
    unsigned n_tries;             /* left, since its definition was seen */
    uint64_t n_events;
    bool is_optional; /* that it cannot be followed is no warning */
};

void kubefollow_init(struct kubefollow *f, const struct ask_kube *ask, uint64_t seed,
                     const struct kubefollow_place *place, const struct kubefollow_hooks *hooks);
int64_t kubefollow_deadline_ms(const struct kubefollow *f);
/* Asks what is due. */
void kubefollow_tick(struct kubefollow *f, int64_t now_ms) ON(watcher);
/* All of it once more; what a list that is broken off has told is taken back. */
void kubefollow_relist(struct kubefollow *f, int64_t now_ms) ON(watcher);
/* Its definition was seen: it will be there soon. */
void kubefollow_expect(struct kubefollow *f, int64_t now_ms);
/* Another has reached the server: if it waits for that, it need not wait longer. */
void kubefollow_hurry(struct kubefollow *f, int64_t now_ms);
void kubefollow_fini(struct kubefollow *f) ON(watcher);

#endif

/* The carrier of objects: follows collections of API servers with reflectors (kube/reflector.h),
 * one for each that is wanted, however many want it. HTTP/1.1; each watch has a connection of its
 * own, made anew each time, so that one that dies costs one watch and servers behind a balancer
 * share the load. What arrives is told as object arrivals (discovery/objectarrival.h). A resource
 * that is not there, may not be read or cannot be reached costs itself only, is named in log and
 * metric, and is tried again: each minute, and as soon as it comes where the definitions of
 * resources may be watched (their metadata). */
#ifndef OTEL_TA_WATCH_KUBEWATCH_H
#define OTEL_TA_WATCH_KUBEWATCH_H

#include "allocator/client/client.h"
#include "allocator/kube/configplace.h"
#include "allocator/watch/source.h"

/* 'places' are copied, the texts borrowed for as long as the carrier lives: where the cluster is
 * that a want means when it names none. 'user_agent' is "otel-ta/VERSION": to what begins with
 * "curl" or "Mozilla" an API server writes twice as much, with line breaks. */
struct carrier_source *kubewatch_new(struct http_client *client,
                                     const struct kubeconfig_places *places,
                                     const char *user_agent);

#endif

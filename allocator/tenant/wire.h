/* The words that webhook and allocator must agree on: URL of a job, annotation and label keys,
 * service names. Threads: any. */
#ifndef OTEL_TA_TENANT_WIRE_H
#define OTEL_TA_TENANT_WIRE_H

#include "allocator/base/arena.h"
#include "allocator/base/buf.h"
#include "allocator/base/err.h"

#include <stdbool.h>

#define WIRE_ANNOTATION "otel-ta/sd-configs"
#define WIRE_INJECT_LABEL "otel-ta/inject"
#define WIRE_LOCAL_JOBS "otel-ta/local-jobs" /* annotation: jobs that stay with the collectors */
#define WIRE_FALLBACK "otel-ta/fallback-strategy" /* annotation */
#define WIRE_DEFAULT_RECEIVER "prometheus"
#define WIRE_DEFAULT_COLLECTOR_ID "${POD_NAME}"

enum wire_style { WIRE_DOCUMENTED, WIRE_QUALIFIED, WIRE_SHARED };
bool wire_style_from(struct span name, enum wire_style *out);

struct wire_cr {
    struct span ns;   /* may be empty: unknown */
    struct span name; /* of the Collector CR */
};

/* DNSName(Truncate("%s-targetallocator", 63, name)), as upstream names its Service. */
void wire_service_name(struct span cr_name, struct buf *out);
/* DNSName(Truncate("%s-collector", 63, name)), as upstream names the StatefulSet; a pod's name is
 * that and "-<ordinal>". */
void wire_collector_name(struct span cr_name, struct buf *out);

struct wire_form {
    enum wire_style style;
    struct span collector_id_expr; /* put in as it is */
    struct span shared_host;       /* of WIRE_SHARED: "ta.example:8080" */
};

/* 'job' is its name as collectors read it (jobname.h).
 * "http://<svc>:80/jobs/<QueryEscape(job)>/targets?collector_id=<expr>" (documented), with host
 * "<svc>.<ns>.svc" (qualified), or "http://<shared_host>/n/<ns>/<cr>/jobs/…" (shared). A receiver
 * other than "prometheus" appends "&receiver=<QueryEscape>". */
void wire_job_url(struct wire_cr cr, struct span receiver, struct span job,
                  const struct wire_form *form, struct buf *out);

/* The same URL in parts, for those who make many: what stands before and after the escaped job. */
void wire_url_head(struct wire_cr cr, const struct wire_form *form, struct buf *out);
void wire_url_tail(struct span receiver, const struct wire_form *form, struct buf *out);

/* Is 'url' one that wire_job_url made, for whatever CR and style (also upstream's $POD_NAME form)?
 * Then the unescaped job and the receiver ("prometheus" by default) are given, in 'arena'. */
bool wire_url_is_ours(struct span url, struct arena *arena, struct span *out_job,
                      struct span *out_receiver);

/* "$POD_NAME", "${POD_NAME}", "${env:POD_NAME}" or any other unexpanded variable. */
bool wire_is_unexpanded(struct span collector_id);

/* Is 'key' a service-discovery member of a scrape config: "static_configs" or "*_sd_configs"?
 * (Upstream's
 * ^.*(sd|static)_configs$ also takes "fooxsd_configs": ours takes exactly what ends in
 * "_sd_configs", "sd_configs" alone, or "static_configs".) */
bool wire_is_sd_key(struct span key);

#endif

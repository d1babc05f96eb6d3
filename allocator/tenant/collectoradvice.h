/* What is asked for in a Collector resource and will not happen, or is refused elsewhere, as
 * warnings: nothing of it is passed over in silence. One wording for the webhook, the commands and
 * the allocator. Threads: any. */
#ifndef OTEL_TA_TENANT_COLLECTORADVICE_H
#define OTEL_TA_TENANT_COLLECTORADVICE_H

#include "allocator/tenant/collector.h"

/* 'f' stands at the Collector. Says, too, when it asks for an allocator and cannot have one
 * (collector_report_mode()). Source of what the OpenTelemetry Operator refuses: its
 * internal/webhook/collector_webhook.go and the enums of its CRDs. */
void collectoradvice_give(const struct collector *c, struct faults *f);
/* 'config' of a Prometheus receiver, where 'f' stands: jobs that it takes from files are not
 * distributed. */
void collectoradvice_of_config(const struct node *config, struct faults *f);
/* The TargetAllocators of a document, itself or the items of a list, where 'f' stands: they are
 * nobody's here. */
void collectoradvice_of_others(const struct node *root, struct faults *f);

#endif

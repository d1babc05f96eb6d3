/* The grammar of Kubernetes selectors, as the API server reads them: label selectors ("a=b, c in
 * (d,e), !f") and field selectors ("metadata.name=x,spec.nodeName!=y"). Only whether they are
 * well-formed: they are sent as they are. Source: k8s.io/apimachinery labels.Parse and
 * fields.ParseSelector. Deviation: keys and values are not checked for length. Threads: any. */
#ifndef OTEL_TA_KUBE_SELECTOR_H
#define OTEL_TA_KUBE_SELECTOR_H

#include "allocator/base/err.h"
#include "allocator/base/span.h"

int selector_check_labels(struct span text, struct err *err) MUST_USE;
int selector_check_fields(struct span text, struct err *err) MUST_USE;

#endif

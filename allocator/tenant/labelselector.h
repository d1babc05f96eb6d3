/* A LabelSelector of a document as the text that the API server is asked with: matchLabels and
 * matchExpressions (In, NotIn, Exists, DoesNotExist), all of which have to hold. Source:
 * apimachinery metav1.LabelSelectorAsSelector. Pure. Threads: any. */
#ifndef OTEL_TA_TENANT_LABELSELECTOR_H
#define OTEL_TA_TENANT_LABELSELECTOR_H

#include "allocator/base/buf.h"
#include "allocator/base/err.h"
#include "allocator/codec/node.h"

/* Appends to 'out': "a=b,c in (d,e),!f"; nothing when both (map, list; NULL: none) are empty, which
 * selects everything. ERR_INVALID: no API server would take it; 'err' says where it has which
 * fault. */
int labelselector_write(const struct node *labels, const struct node *expressions, struct buf *out,
                        struct err *err) MUST_USE;

#endif

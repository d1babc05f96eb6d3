#include "allocator/discovery/targetnode.h"

const char *const targetnode_labels[TARGETNODE_LABELS] = {
    "__meta_kubernetes_pod_node_name",
    "__meta_kubernetes_node_name",
    "__meta_kubernetes_endpoint_node_name",
    "__meta_kubernetes_endpointslice_address_target_kind",
    "__meta_kubernetes_endpointslice_address_target_name",
};

struct span targetnode_pick(const struct span values[TARGETNODE_LABELS])
{
    for (int i = 0; i < 3; i++) {
        if (values[i].len > 0) {
            return values[i];
        }
    }
    return span_is(values[3], "Node") ? values[4] : SPAN_LIT("");
}

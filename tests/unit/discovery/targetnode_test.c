#include "allocator/discovery/targetnode.h"

#include "tests/check.h"

int main(void)
{
    static const struct {
        const char *values[TARGETNODE_LABELS]; /* in the order of targetnode_labels */
        const char *node;
    } t[] = {
        { { "", "", "", "", "" }, "" },
        { { "p", "n", "e", "Node", "s" }, "p" }, /* the first that is not empty */
        { { "", "n", "e", "Node", "s" }, "n" },
        { { "", "", "e", "Node", "s" }, "e" },
        { { "", "", "", "Node", "s" }, "s" },
        { { "", "", "", "Pod", "s" }, "" }, /* the endpoint is on a pod, not a node */
        { { "", "", "", "node", "s" }, "" },
        { { "", "", "", "", "s" }, "" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct span values[TARGETNODE_LABELS];
        for (size_t k = 0; k < TARGETNODE_LABELS; k++) {
            values[k] = span_of(t[i].values[k]);
        }
        is_span(targetnode_pick(values), span_of(t[i].node), "case %zu", i);
    }
    is_str(targetnode_labels[0], "__meta_kubernetes_pod_node_name", "the first label");
    is_str(targetnode_labels[TARGETNODE_LABELS - 1],
           "__meta_kubernetes_endpointslice_address_target_name", "the last");
    return check_done();
}

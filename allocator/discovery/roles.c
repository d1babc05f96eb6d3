#include "allocator/discovery/role.h"

extern const struct role_ops role_node, role_pod, role_service, role_endpoints, role_endpointslice,
    role_ingress;

const struct role_ops *const roles[] = {
    &role_node, &role_pod, &role_service, &role_endpoints, &role_endpointslice, &role_ingress, NULL
};

const struct role_ops *role_find(struct span name)
{
    for (const struct role_ops *const *r = roles; *r != NULL; r++) {
        if (span_is(name, (*r)->name)) {
            return *r;
        }
    }
    return NULL;
}

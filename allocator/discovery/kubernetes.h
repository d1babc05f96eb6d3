/* One section of kubernetes_sd_configs, for those who join what it asks for (engine/joins.h). The
 * mechanism itself is provider_kubernetes (mechanisms.h). Threads: any. */
#ifndef OTEL_TA_DISCOVERY_KUBERNETES_H
#define OTEL_TA_DISCOVERY_KUBERNETES_H

#include "allocator/discovery/role.h"
#include "allocator/scrape/sdconfig.h"

struct kubernetes_section {
    const struct role_ops *role;
    struct role_attach attach;
};

void kubernetes_read(const struct sdconfig *section, struct kubernetes_section *out);
/* Of a collection that the section asks for (ask_kube.kind). */
enum object_kind kubernetes_kind(struct span kind);

#endif

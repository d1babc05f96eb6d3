/* What the engine is told about tenants, one at a time, and what it says back. Whoever knows
 * Collectors (the keeper reads them from files) parses each once and moves it here. What is told
 * between two ENGINE_TENANTS_COMPLETE is in force at once, as one configuration: snapshots have all
 * of it or nothing, the order does not matter, and of two mails about the same the later one
 * counts, unless it is refused. What nothing is told about stays as it is. Before the first
 * ENGINE_TENANTS_COMPLETE nothing is published. Threads: mails are moved with a mailbox; one thread
 * tells. */
#ifndef OTEL_TA_ENGINE_TENANTMAIL_H
#define OTEL_TA_ENGINE_TENANTMAIL_H

#include "allocator/base/mailbox.h"
#include "allocator/tenant/gap.h"
#include "allocator/tenant/tenant.h"

/* ENGINE_TENANT: this is the tenant now; its collectors are not looked at. */
struct tenant_mail {
    struct mail mail;
    char *ns, *name;       /* its key */
    struct tenant *tenant; /* NULL: it is gone */
};
/* Moves '*tenant'. */
struct mail *tenantmail_tenant(struct tenant **tenant);
struct mail *tenantmail_gone(struct span ns, struct span name);

/* ENGINE_COLLECTORS: the tenant of this key has these collectors, or will have them when it comes.
 * A tenant that goes leaves its list behind, until an empty one is told. */
struct collectors_mail {
    struct mail mail;
    char *ns, *name;
    struct collectorlist list;
};
/* Moves '*list'. */
struct mail *tenantmail_collectors(struct span ns, struct span name, struct collectorlist *list);

/* ENGINE_GAPS: what of the configuration is missing because of a fault; in place of the last ones
 * told. */
struct gaps_mail {
    struct mail mail;
    struct gaps gaps;
};
/* Moves '*gaps'. */
struct mail *tenantmail_gaps(struct gaps *gaps);

/* ENGINE_TENANTS_COMPLETE: what was told since the last one belongs together. */
struct mail *tenantmail_complete(void);

/* To whom told it: the engine cannot use this tenant, and what it had stays. */
struct refusal_mail {
    struct mail mail; /* the only kind in that mailbox */
    char *ns, *name;
    struct err err;
};
struct mail *tenantmail_refusal(struct span ns, struct span name, const struct err *err);

#endif

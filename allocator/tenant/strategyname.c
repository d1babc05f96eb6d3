#include "allocator/tenant/strategyname.h"

#include "allocator/base/limits.h"
#include "allocator/codec/walk.h"

const char *const strategy_names[] = {
    "consistent-hashing", "least-weighted", "per-node", "rendezvous", "bounded-rendezvous", NULL,
};

void strategyname_check(const struct node *map, const char *key, struct faults *f)
{
    const struct node *value = node_get(map, key);
    struct span name = { "", 0 };
    AUTO_BUF known = { 0 };

    if (!node_as_text(value, &name) || name.len == 0) {
        return;
    }
    buf_init(&known, KIB);
    for (const char *const *word = strategy_names; *word != NULL; word++) {
        if (span_is(name, *word)) {
            return;
        }
        buf_addf(&known, "%s%s", known.len == 0 ? "" : ", ", *word);
    }
    const char *nearest = walk_nearest(name, strategy_names);
    size_t mark = faults_push(f, "%s", key);
    faults_add(f, FAULT_ERROR, value->line, "unknown value \"%.*s\", expecting one of: %s%s%s%s",
               SPAN_ARG(name), known.p, nearest == NULL ? "" : "; did you mean '",
               nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?");
    faults_pop(f, mark);
}

/* A relabeling rule as it is written, defaults filled in, and what Prometheus has against it.
 * Private to relabel.c and relabel_program.c. Threads: any. */
#ifndef OTEL_TA_PROM_RELABEL_CONFIG_H
#define OTEL_TA_PROM_RELABEL_CONFIG_H

#include "allocator/base/fault.h"
#include "allocator/codec/node.h"
#include "allocator/prom/labels.h"

enum relabel_action {
    RELABEL_REPLACE,
    RELABEL_ACTION_KEEP,
    RELABEL_ACTION_DROP,
    RELABEL_KEEPEQUAL,
    RELABEL_DROPEQUAL,
    RELABEL_HASHMOD,
    RELABEL_LABELMAP,
    RELABEL_LABELDROP,
    RELABEL_LABELKEEP,
    RELABEL_LOWERCASE,
    RELABEL_UPPERCASE,
};
const char *relabel_action_name(enum relabel_action action);

struct relabel_config {
    const struct node *node; /* texts are borrowed from it */
    bool has_sources;        /* also when the list is empty */
    struct span *sources;
    size_t n_sources;
    struct span separator;
    bool has_regex;
    struct span regex;
    uint64_t modulus;
    struct span target;
    struct span replacement;
    enum relabel_action action;
};

/* False when it cannot be read, with faults. 'arena' gets the array of sources. */
bool relabel_config_read(const struct node *rule, bool strict, struct arena *arena,
                         struct faults *f, struct relabel_config *out);
/* In the words of Prometheus; all but the regex and its templates. */
void relabel_config_check(const struct relabel_config *c, enum name_scheme scheme,
                          struct faults *f);
bool relabel_config_has_default_regex(const struct relabel_config *c);
/* replace: the target is a template. */
bool relabel_config_has_dollar(struct span text);

#endif

/* What a rule over label names (labelmap, labeldrop, labelkeep) decides about a builder, remembered
 * by shape. Private to relabel_run.c. Threads: as the builder. */
#ifndef OTEL_TA_PROM_RELABEL_NAMES_H
#define OTEL_TA_PROM_RELABEL_NAMES_H

#include "allocator/prom/relabel_program.h"

struct relabel_names {
    struct shape_fact fact; /* its n: labels */
    bool is_append;         /* labelmap: no new name is already there, none comes twice */
    size_t n_decided;       /* labels that are mapped or removed */
    struct str **mapped;    /* labelmap: the new name, pinned, or NULL */
    bool *is_removed;       /* labeldrop, labelkeep */
};

/* NULL when that is more than a target may cost. Lives until the builder learns anything else. */
const struct relabel_names *relabel_names_decide(const struct relabel_program *p,
                                                 struct label_builder *lb);

#endif

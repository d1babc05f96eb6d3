/* A compiled relabeling rule in the rules of one job: the program, and what the job remembers of
 * the last target. What relabel.c makes and relabel_run.c executes; nobody else looks inside.
 * Threads: as relabel.h. */
#ifndef OTEL_TA_PROM_RELABEL_RULE_H
#define OTEL_TA_PROM_RELABEL_RULE_H

#include "allocator/prom/labels.h"
#include "allocator/prom/relabel.h"
#include "allocator/prom/relabel_program.h"

struct relabel_rule {
    struct relabel_program *program; /* shared: never changed */
    struct label_place *sources;     /* as many as the program has */
    struct label_place *target;
};

/* A job whose rules never ran has programs alone. */
struct relabel {
    enum name_scheme scheme;
    struct strpool *pool;       /* of the places; NULL: the rules never ran */
    struct label_place *places; /* of all rules */
    size_t n;
    struct relabel_rule rules[];
};

/* Makes the places, of names of 'pool'. */
void relabel_bind(struct relabel *set, struct strpool *pool);

#endif

/* A compiled relabeling rule: what relabel.c makes of the configuration and relabel_run.c executes.
 * Nobody else looks inside. Threads: as relabel.h. */
#ifndef OTEL_TA_PROM_RELABEL_RULE_H
#define OTEL_TA_PROM_RELABEL_RULE_H

#include "allocator/prom/labels.h"
#include "allocator/prom/regex.h"
#include "allocator/prom/relabel.h"

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

/* What a rule over label names (labelmap, labeldrop, labelkeep) decided about the labels of a
 * builder of this shape. New names are pinned. */
struct name_memory {
    uint64_t shape;
    bool is_valid;
    bool is_append;      /* labelmap: no new name is already there, none comes twice */
    size_t n, cap;       /* labels */
    size_t n_decided;    /* of them mapped or removed */
    struct str **mapped; /* labelmap: the new name, or NULL */
    bool *is_removed;    /* labeldrop, labelkeep */
};

struct relabel_rule {
    enum relabel_action action;
    bool has_plain_target; /* 'target' holds its name; else it is expanded for each match */
    bool is_any;           /* the regex matches everything, group 1 is the value */
    struct label_place *sources;
    size_t n_sources;
    struct span separator;
    struct regex *regex;
    size_t n_groups; /* that the templates need */
    struct label_place target;
    const struct regex_template *target_template, *replacement;
    uint64_t modulus;
    struct name_memory names;
    const char *description;
};

struct relabel {
    struct arena arena; /* rules, separators, templates */
    struct strpool *pool;
    enum name_scheme scheme;
    struct relabel_rule *rules;
    size_t n;
    struct regex_match
        *match; /* of the rule that runs: too large to be cleared on the stack each time */
};

#endif

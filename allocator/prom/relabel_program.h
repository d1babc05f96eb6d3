/* Relabeling rules, compiled. Rules of equal text are one program, for all jobs of all Collectors
 * in the process: a thousand ServiceMonitors have nearly the same rules. A program is there as long
 * as some job has it, and then stays for a while: a reload, or the next review of the same
 * Collector, finds it again. What nobody has is bounded (LIMIT_PROGRAMS_IDLE,
 * LIMIT_PROGRAMS_IDLE_BYTES); what has been idle longest goes first. Whoever writes the rules pays
 * for a program that is there as for one that is not: a verdict does not depend on what others
 * have, unless all programs together take more than the process has for them: then a rule that
 * needs one more is a fault, and what is there stays. Threads: any may get and put, under the one
 * lock of the table; a program is immutable and may be run by many. */
#ifndef OTEL_TA_PROM_RELABEL_PROGRAM_H
#define OTEL_TA_PROM_RELABEL_PROGRAM_H

#include "allocator/base/table.h"
#include "allocator/prom/regex.h"
#include "allocator/prom/relabel_config.h"

struct relabel_program {
    uint64_t number; /* from 1 on; no other program of the process ever has it */
    enum relabel_action action;
    bool has_plain_target;      /* 'target' is its name; else it is expanded for each match */
    bool is_any;                /* the regex matches everything, group 1 is the value */
    const struct span *sources; /* names */
    size_t n_sources;
    struct span separator;
    struct regex *regex;
    size_t n_groups;    /* that the templates need */
    struct span target; /* empty: there is none, or it is a template */
    const struct regex_template *target_template, *replacement;
    uint64_t modulus;
    /* As one readable line: "keep [__meta_x;__meta_y] =~ (a|b)". */
    const char *description;
};

/* The program of the rule. NULL when its regex or a template is none, with a fault, or when the
 * regex costs more than 'budget' (NULL: none), or the process, has. */
struct relabel_program *relabel_program_get(const struct relabel_config *c,
                                            struct regex_budget *budget, struct faults *f);
void relabel_program_put(struct relabel_program *program); /* NULL-safe */

struct relabel_program_counts {
    size_t n_used, n_idle;
    size_t n_refused;         /* since the start, for want of room */
    size_t bytes, idle_bytes; /* about, at most: with what RE2 may remember of matches */
};
struct relabel_program_counts relabel_program_count(void);
/* What all may take, in bytes; it is memorylimit_patterns() at first. */
void relabel_program_cap(size_t bytes);

#endif

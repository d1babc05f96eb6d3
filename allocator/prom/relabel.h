/* Relabeling as Prometheus does it (model/relabel, v3.x): all actions, RE2 semantics,
 * UTF-8 names. Rules of equal text are compiled once for the whole process (relabel_program.h); a
 * job that never runs its rules has references alone. Deviations: labelmap walks names in byte
 * order (upstream: insertion order, undefined in practice). Threads: any may compile; the rules of
 * one job belong to one thread at a time (they remember what the last target looked like). */
#ifndef OTEL_TA_PROM_RELABEL_H
#define OTEL_TA_PROM_RELABEL_H

#include "allocator/base/fault.h"
#include "allocator/codec/node.h"
#include "allocator/prom/labels.h"
#include "allocator/prom/regex.h"

struct relabel;

/* Checks and compiles 'rules', a list node (NULL or empty: no rules). Every fault of every rule
 * goes to 'f' under the path where 'f' stands (caller has pushed "relabel_configs"). Returns NULL
 * when there was an error. 'strict': unknown fields are errors, else warnings. The nodes are not
 * kept. The patterns are paid from 'budget' (NULL: none), whether they have to be compiled or not.
 */
struct relabel *relabel_compile(const struct node *rules, enum name_scheme scheme, bool strict,
                                struct regex_budget *budget, struct faults *f);

enum relabel_outcome { RELABEL_KEEP, RELABEL_DROP };

/* Runs all rules over 'lb' in place. On RELABEL_DROP '*out_rule' (may be NULL) is the index of the
 * dropping rule and 'lb' stays as it was before that rule. When 'lb' becomes overfull, the
 * remaining rules do not run. */
enum relabel_outcome relabel_run(struct relabel *set, struct label_builder *lb, size_t *out_rule);
/* One rule: for 'explain', which shows every step. */
enum relabel_outcome relabel_run_one(struct relabel *set, size_t index, struct label_builder *lb);
/* Why the rule, which was just run on 'lb' and kept it, left it as it was: "did not match",
 * "matched, same value". For 'explain'; 'lb' stays as it is. Static text. */
const char *relabel_idle(struct relabel *set, size_t index, struct label_builder *lb);
/* A rule looks at the label of this name or sets it, as far as that can be seen in its
 * configuration. 'set' may be NULL. */
bool relabel_mentions(const struct relabel *set, const struct str *name);
size_t relabel_count(const struct relabel *set);
/* Forgets what is remembered of targets, and so the pool of the builders it ran on, which is still
 * there and used by no other thread: before that pool goes, or the rules go to another thread. */
void relabel_release(struct relabel *set);
/* The rule as one readable line: "keep [__meta_x;__meta_y] =~ (a|b)". Borrowed from the set. */
const char *relabel_describe(const struct relabel *set, size_t rule);
void relabel_free(struct relabel **set);

#endif

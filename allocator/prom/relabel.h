/* Relabeling as Prometheus does it (model/relabel, v3.x): all actions, RE2 semantics,
 * UTF-8 names. Compiled once per job: names interned, replacements split, regexes classified.
 * Deviations: labelmap walks names in byte order (upstream: insertion order, undefined in
 * practice). Threads: compiled rules belong to the thread of their strpool (they remember what the
 * last target looked like). */
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
 * kept. The patterns are paid from 'budget' (NULL: none). */
struct relabel *relabel_compile(const struct node *rules, enum name_scheme scheme, bool strict,
                                struct strpool *pool, struct regex_budget *budget,
                                struct faults *f);

enum relabel_outcome { RELABEL_KEEP, RELABEL_DROP };

/* Runs all rules over 'lb' in place. On RELABEL_DROP '*out_rule' (may be NULL) is the index of the
 * dropping rule and 'lb' stays as it was before that rule. When 'lb' becomes overfull, the
 * remaining rules do not run. */
enum relabel_outcome relabel_run(const struct relabel *set, struct label_builder *lb,
                                 size_t *out_rule);
/* One rule: for 'explain', which shows every step. */
enum relabel_outcome relabel_run_one(const struct relabel *set, size_t index,
                                     struct label_builder *lb);
/* Why the rule, which was just run on 'lb' and kept it, left it as it was: "did not match",
 * "matched, same value". For 'explain'; 'lb' stays as it is. Static text. */
const char *relabel_idle(const struct relabel *set, size_t index, struct label_builder *lb);
/* A rule looks at the label of this name or sets it, as far as that can be seen in its
 * configuration. 'set' may be NULL. */
bool relabel_mentions(const struct relabel *set, const struct str *name);
size_t relabel_count(const struct relabel *set);
/* From now on the rules belong to 'pool' and its thread. The pool they had is still there, and no
 * longer used by another thread. */
void relabel_adopt(struct relabel *set, struct strpool *pool);
/* The rule as one readable line: "keep [__meta_x;__meta_y] =~ (a|b)". Borrowed from the set. */
const char *relabel_describe(const struct relabel *set, size_t rule);
void relabel_free(struct relabel **set);

#endif

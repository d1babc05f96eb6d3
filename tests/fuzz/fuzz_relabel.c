/* Rules (the first line, JSON) over targets (a line each, a JSON map). Rules remember what the last
 * target looked like: the result must be what fresh rules, which remember nothing, make of the same
 * target. */
#include "allocator/base/limits.h"
#include "allocator/prom/relabel.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

struct run {
    struct strpool pool;
    struct arena arena;
    struct label_builder lb;
    struct relabel *set;
};

static bool run_init(struct run *r, struct span rules)
{
    struct node *node = NULL;
    struct faults f;
    strpool_init(&r->pool);
    arena_init(&r->arena);
    label_builder_init(&r->lb, &r->pool, &r->arena);
    faults_init(&f);
    r->set = NULL;
    if (node_from_json(rules, 0, &r->arena, &node, NULL) == 0) {
        r->set = relabel_compile(node, NAME_UTF8, false, NULL, &f);
        demand((r->set == NULL) == (f.n_errors > 0));
    }
    faults_fini(&f);
    return r->set != NULL;
}

static void run_fini(struct run *r)
{
    relabel_free(&r->set);
    label_builder_fini(&r->lb);
    arena_fini(&r->arena);
    strpool_fini(&r->pool);
}

static enum relabel_outcome run_target(struct run *r, const struct node *target)
{
    size_t rule = SIZE_MAX;
    label_builder_clear(&r->lb);
    for (size_t i = 0; target->type == NODE_MAP && i < target->n; i++) {
        struct span value;
        if (node_as_text(target->pairs[i].value, &value)) {
            label_builder_set(&r->lb, strpool_intern(&r->pool, target->pairs[i].key->text), value);
        }
    }
    enum relabel_outcome outcome = relabel_run(r->set, &r->lb, &rule);
    demand((outcome == RELABEL_DROP) == (rule < relabel_count(r->set)));
    label_builder_sort(&r->lb);
    return outcome;
}

static void check_target(struct run *used, struct span rules, const struct node *target)
{
    struct run fresh;
    demand(run_init(&fresh, rules));
    enum relabel_outcome a = run_target(used, target);
    enum relabel_outcome b = run_target(&fresh, target);
    demand(a == b && used->lb.n == fresh.lb.n && used->lb.is_overfull == fresh.lb.is_overfull);
    for (size_t i = 0; i < fresh.lb.n; i++) {
        demand(span_eq(str_span(used->lb.v[i].name), str_span(fresh.lb.v[i].name)));
        demand(span_eq(used->lb.v[i].value, fresh.lb.v[i].value));
        demand(fresh.lb.v[i].value.len > 0);
    }
    run_fini(&fresh);
}

static struct span take_line(struct span *rest)
{
    const char *end = rest->len == 0 ? NULL : memchr(rest->p, '\n', rest->len);
    struct span line = span_make(rest->p, end == NULL ? rest->len : (size_t)(end - rest->p));
    *rest = span_from(*rest, line.len + 1);
    return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_make((const char *)data, size);
    struct span rules = take_line(&rest);
    struct run used;

    if (run_init(&used, rules)) {
        while (rest.len > 0) {
            struct node *target = NULL;
            struct span line = take_line(&rest);
            if (node_from_json(line, 0, &used.arena, &target, NULL) == 0) {
                check_target(&used, rules, target);
            }
        }
    }
    run_fini(&used);
    return 0;
}

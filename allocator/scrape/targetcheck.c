#include "allocator/scrape/targetcheck.h"

#include "allocator/scrape/schema.h"
#include "allocator/scrape/verdict.h"

struct checker {
    const struct scrapejob *job;
    enum fault_severity severity;
    struct faults *f;
    struct label_builder *lb;
};

static void add_label(struct label_builder *lb, struct span name, const struct node *value)
{
    struct span text = SPAN_LIT("");

    if (node_as_text(value, &text) && text.len > 0) {
        label_builder_set(lb, strpool_intern(lb->pool, name), text);
    }
}

static void check_target(struct checker *c, const struct node *target, const struct node *labels)
{
    struct verdict v;

    label_builder_clear(c->lb);
    arena_reset(c->lb->arena);
    for (size_t i = 0; labels != NULL && labels->type == NODE_MAP && i < labels->n; i++) {
        add_label(c->lb, labels->pairs[i].key->text, labels->pairs[i].value);
    }
    add_label(c->lb, SPAN_LIT("__address__"), target);
    verdict_judge(c->job, c->lb, &v);
    if (v.kind == VERDICT_INVALID) {
        faults_add(c->f, c->severity, target->line, "%s", v.reason);
    }
}

static void check_group(struct checker *c, const struct node *group)
{
    const struct node *targets = schema_list(group, "targets");
    size_t mark = faults_push(c->f, "targets");

    for (size_t i = 0; targets != NULL && i < targets->n; i++) {
        size_t inner = faults_push_index(c->f, i);
        check_target(c, targets->items[i], node_get(group, "labels"));
        faults_pop(c->f, inner);
    }
    faults_pop(c->f, mark);
}

void targetcheck_statics(const struct scrapejob *job, const struct node *config,
                         enum fault_severity severity, struct label_builder *lb, struct faults *f)
{
    const struct node *groups = schema_list(config, "static_configs");
    struct checker c = { .job = job, .severity = severity, .f = f, .lb = lb };

    size_t mark = faults_push(f, "static_configs");
    for (size_t i = 0; groups != NULL && i < groups->n; i++) {
        size_t inner = faults_push_index(f, i);
        check_group(&c, groups->items[i]);
        faults_pop(f, inner);
    }
    faults_pop(f, mark);
}

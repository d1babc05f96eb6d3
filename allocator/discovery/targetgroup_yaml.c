#include "allocator/base/limits.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/discovery/targetgroup.h"
#include "allocator/prom/labels.h"

static int node_fault(const struct node *n, struct err *err, const char *what)
{
    return err_set_at(err, ERR_INVALID, n->line, 0, "%s", what);
}

static int add_targets(const struct node *list, struct sd_batch *b, struct err *err)
{
    if (list == NULL || node_is_null(list)) {
        return 0;
    }
    if (list->type != NODE_LIST) {
        return node_fault(list, err, "targets must be a list");
    }
    for (size_t i = 0; i < list->n; i++) {
        struct span text = SPAN_LIT("");
        if (!node_is_null(list->items[i]) && !node_as_text(list->items[i], &text)) {
            return node_fault(list->items[i], err, "a target must be text");
        }
        if (text.len > LIMIT_LABEL_VALUE) {
            return node_fault(list->items[i], err, "a target is too long");
        }
        sd_batch_target(b, text);
    }
    return 0;
}

static int add_labels(const struct node *map, struct sd_batch *b, struct err *err)
{
    if (node_is_null(map)) {
        return 0;
    }
    if (map->type != NODE_MAP) {
        return node_fault(map, err, "labels must be a mapping");
    }
    for (size_t i = 0; i < map->n; i++) {
        const struct node_pair *pair = &map->pairs[i];
        struct span name, value = SPAN_LIT("");
        if (!node_as_text(pair->key, &name) || !label_name_is_valid(name, NAME_UTF8)) {
            return node_fault(pair->key, err, "not a valid label name");
        }
        if (!node_is_null(pair->value) && !node_as_text(pair->value, &value)) {
            return node_fault(pair->value, err, "a label value must be text");
        }
        if (value.len > LIMIT_LABEL_VALUE) {
            return node_fault(pair->value, err, "a label value is too long");
        }
        sd_batch_label(b, strpool_intern(b->pool, name), value);
    }
    return 0;
}

static int add_group(const struct node *group, const struct targetgroup_origin *origin,
                     struct sd_batch *b, struct err *err)
{
    int rc = 0;

    if (group->type != NODE_MAP) {
        return node_fault(group, err, "a target group must be a mapping");
    }
    sd_batch_begin(b);
    for (size_t i = 0; rc == 0 && i < group->n; i++) {
        const struct node_pair *pair = &group->pairs[i];
        struct span key;
        if (!node_as_text(pair->key, &key)) {
            return node_fault(pair->key, err, "unknown field");
        }
        if (span_is(key, "targets")) {
            rc = add_targets(pair->value, b, err);
        } else if (span_is(key, "labels")) {
            rc = add_labels(pair->value, b, err);
        } else {
            return err_set_at(err, ERR_INVALID, pair->key->line, 0, "field %.*s not found",
                              SPAN_ARG(key));
        }
    }
    if (rc == 0) {
        if (origin != NULL) {
            sd_batch_label(b, strpool_intern(b->pool, span_of(origin->label)), origin->value);
        }
        sd_batch_end(b);
    }
    return rc;
}

int targetgroup_parse_yaml(struct span text, const struct targetgroup_origin *origin,
                           struct sd_batch *b, struct err *err)
{
    struct node *list = NULL;
    int rc = yamldoc_read(text, &b->arena, &list, err);

    if (rc < 0 || node_is_null(list)) {
        return rc;
    }
    if (list->type != NODE_LIST) {
        return node_fault(list, err, "a list of target groups is expected");
    }
    for (size_t i = 0; rc == 0 && i < list->n; i++) {
        rc = add_group(list->items[i], origin, b, err);
    }
    return rc;
}

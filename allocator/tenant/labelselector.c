#include "allocator/tenant/labelselector.h"

#include "allocator/kube/selector.h"

#include <ctype.h>

enum { HAS_VALUES = 1 };

static const struct operator_row {
    const char *name;
    const char *before, *after; /* of the key */
    unsigned flags;
} operators[] = {
    { "In", "", " in ", HAS_VALUES },
    { "NotIn", "", " notin ", HAS_VALUES },
    { "Exists", "", "", 0 },
    { "DoesNotExist", "!", "", 0 },
};

/* Appends a key or a value: one, and no more of the query than that. */
static int add_word(struct span word, const char *what, struct buf *out, struct err *err)
{
    for (size_t i = 0; i < word.len; i++) {
        if (!isalnum((unsigned char)word.p[i]) && strchr("-_./", word.p[i]) == NULL) {
            return err_set(err, ERR_INVALID, "\"%.*s\" is not a valid label %s", SPAN_ARG(word),
                           what);
        }
    }
    buf_add_span(out, word);
    return 0;
}

static void add_comma(struct buf *out, size_t from)
{
    if (out->len > from) {
        buf_add_char(out, ',');
    }
}

static int add_values(const struct node *values, struct buf *out, struct err *err)
{
    buf_add_char(out, '(');
    for (size_t i = 0; i < values->n; i++) {
        struct span value;
        if (!node_as_text(values->items[i], &value)) {
            return err_set(err, ERR_INVALID, "values[%zu]: must be text, not %s", i,
                           node_type_name(values->items[i]));
        }
        if (i > 0) {
            buf_add_char(out, ',');
        }
        int rc = add_word(value, "value", out, err);
        if (rc < 0) {
            return err_wrap(err, rc, "values[%zu]", i);
        }
    }
    buf_add_char(out, ')');
    return 0;
}

static const struct operator_row *find_operator(struct span name)
{
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        if (span_is(name, operators[i].name)) {
            return &operators[i];
        }
    }
    return NULL;
}

static int add_expression(const struct node *expression, struct buf *out, struct err *err)
{
    const struct node *values = node_get(expression, "values");
    struct span key = { "", 0 }, name = { "", 0 };
    bool has_values = !node_is_null(values) && values->type == NODE_LIST && values->n > 0;

    (void)node_as_text(node_get(expression, "key"), &key);
    (void)node_as_text(node_get(expression, "operator"), &name);
    const struct operator_row *op = find_operator(name);
    if (key.len == 0) {
        return err_set(err, ERR_INVALID, "key: is missing");
    }
    if (op == NULL) {
        return err_set(err, ERR_INVALID,
                       "operator: \"%.*s\" is none of In, NotIn, Exists, DoesNotExist",
                       SPAN_ARG(name));
    }
    if (has_values != (op->flags == HAS_VALUES)) {
        return err_set(err, ERR_INVALID, "values: %s %s", op->name,
                       has_values ? "takes none" : "needs at least one");
    }
    buf_add_str(out, op->before);
    int rc = add_word(key, "key", out, err);
    buf_add_str(out, op->after);
    return rc < 0 || !has_values ? rc : add_values(values, out, err);
}

static int add_labels(const struct node *labels, struct buf *out, struct err *err)
{
    size_t from = out->len;

    for (size_t i = 0; i < labels->n; i++) {
        const struct node_pair *pair = &labels->pairs[i];
        struct span value = { "", 0 };
        if (!node_is_null(pair->value) && !node_as_text(pair->value, &value)) {
            return err_set(err, ERR_INVALID, "%.*s: must be text, not %s",
                           SPAN_ARG(pair->key->text), node_type_name(pair->value));
        }
        add_comma(out, from);
        int rc = add_word(pair->key->text, "key", out, err);
        buf_add_char(out, '=');
        if (rc == 0) {
            rc = add_word(value, "value", out, err);
        }
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

int labelselector_write(const struct node *labels, const struct node *expressions, struct buf *out,
                        struct err *err)
{
    size_t from = out->len;
    int rc = labels == NULL ? 0 : add_labels(labels, out, err);

    if (rc < 0) {
        return err_wrap(err, rc, "matchLabels");
    }
    for (size_t i = 0; expressions != NULL && i < expressions->n; i++) {
        add_comma(out, from);
        rc = add_expression(expressions->items[i], out, err);
        if (rc < 0) {
            return err_wrap(err, rc, "matchExpressions[%zu]", i);
        }
    }
    /* The empty selector is fine, and no text of the grammar. */
    return out->len == from ? 0 : selector_check_labels(span_from(buf_span(out), from), err);
}

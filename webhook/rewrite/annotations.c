#include "webhook/rewrite/annotations.h"

#include "allocator/base/limits.h"
#include "allocator/codec/nodeedit.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/tenant/wire.h"
#include "webhook/text/undo.h"

static bool is_nothing(const struct node *n)
{
    return node_is_null(n) || (n->type == NODE_MAP && n->n == 0);
}

/* What the text says: it may come from people's hands. */
static const struct node *value_of(struct span text, struct arena *arena)
{
    struct node *pair = NULL;

    if (yamldoc_parse(text, arena, &pair, NULL) < 0 || pair == NULL || pair->type != NODE_MAP ||
        pair->n != 1 || !span_is(pair->pairs[0].key->text, "annotations") ||
        !is_nothing(pair->pairs[0].value)) {
        return NULL;
    }
    return pair->pairs[0].value;
}

void annotations_empty(const struct collector *c, struct span document, const struct node *records,
                       struct arena *arena, struct annotations_empty *out)
{
    const struct node_pair *pair = member_find(c->metadata, SPAN_LIT("annotations"));
    struct span text = { NULL, 0 };

    *out = (struct annotations_empty){ .value = NULL };
    if (pair == NULL || pair->value->is_alias) {
        return;
    }
    if (is_nothing(pair->value)) {
        text = span_make(document.p + pair->key->begin, member_end(pair) - pair->key->begin);
    } else if (pair->value->n == 1 && c->annotation != NULL) {
        (void)node_as_text(undo_find(records, SPAN_LIT(""), SPAN_LIT(ANNOTATIONS_RECORD)), &text);
    }
    const struct node *value = text.p == NULL ? NULL : value_of(text, arena);
    if (value != NULL) {
        *out = (struct annotations_empty){ text, value };
    }
}

static struct span render(struct text_editor *t, const struct node *map, struct span key,
                          const struct node *value)
{
    unsigned column = member_column(map);
    AUTO_BUF made = { 0 };

    buf_init(&made, LIMIT_DOCUMENT_BYTES);
    yamltext_member(key, value, member_form(t, map), column, column, &made);
    return member_text(t, &made);
}

int annotations_set(struct text_editor *t, const struct collector *c, struct span value,
                    struct err *err)
{
    const struct node *text = nodeedit_text(t->arena, value);
    const struct node_pair *pair = member_find(c->metadata, SPAN_LIT("annotations"));
    const struct node *single = nodeedit_single(t->arena, SPAN_LIT(WIRE_ANNOTATION), text);

    if (c->annotations != NULL &&
        (pair == NULL || pair->value->is_alias || c->metadata->is_alias)) {
        return err_set(err, ERR_REFUSED,
                       "annotations come from an alias or a merge key; write it out here");
    }
    if (pair != NULL && pair->value->type == NODE_MAP &&
        (pair->value->n > 0 || c->metadata->style != NODE_BLOCK)) {
        return member_set(t, pair->value, SPAN_LIT(WIRE_ANNOTATION), text, err);
    }
    if (pair != NULL) {
        member_replace(t, pair, render(t, c->metadata, SPAN_LIT("annotations"), single));
        return 0;
    }
    return member_set(t, c->metadata, SPAN_LIT("annotations"), single, err);
}

/* A map that held nothing else goes with it. */
int annotations_remove(struct text_editor *t, const struct collector *c,
                       const struct annotations_empty *empty, struct err *err)
{
    const struct node_pair *pair = member_find(c->metadata, SPAN_LIT("annotations"));

    if (pair == NULL || pair->value->is_alias ||
        member_find(pair->value, SPAN_LIT(WIRE_ANNOTATION)) == NULL) {
        return err_set(err, ERR_REFUSED,
                       "annotations come from an alias or a merge key; write it out here");
    }
    if (pair->value->n == 1 && empty->text.p != NULL) {
        member_replace(t, pair, empty->text);
        return 0;
    }
    return pair->value->n == 1 ? member_set(t, c->metadata, SPAN_LIT("annotations"), NULL, err)
                               : member_set(t, pair->value, SPAN_LIT(WIRE_ANNOTATION), NULL, err);
}

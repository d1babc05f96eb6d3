/* Node trees as text, to be put into somebody's document: block YAML, flow YAML or JSON, whatever
 * surrounds the place. Numbers and booleans keep their spelling, text is quoted only where it has
 * to be. Threads: any. */
#ifndef OTEL_TA_WEBHOOK_TEXT_YAMLTEXT_H
#define OTEL_TA_WEBHOOK_TEXT_YAMLTEXT_H

#include "allocator/codec/node.h"

enum yamltext_form {
    YAMLTEXT_BLOCK,
    YAMLTEXT_FLOW,
    YAMLTEXT_JSON,         /* "key": value */
    YAMLTEXT_JSON_COMPACT, /* "key":value */
};

/* A scalar of text. In block form it may be plain. */
void yamltext_scalar(struct span text, enum yamltext_form form, struct buf *out);
/* "key: value" without a line break at its end. In block form the key stands at 'column', and the
 * lines that follow are indented accordingly; a list stands at 'list_column'. */
void yamltext_member(struct span key, const struct node *value, enum yamltext_form form,
                     unsigned column, unsigned list_column, struct buf *out);

/* A whole value: block YAML from column 0 (ends without a line break), flow YAML or JSON on one
 * line. */
void yamltext_value(const struct node *n, enum yamltext_form form, struct buf *out);

#endif

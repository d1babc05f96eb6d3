/* JSON tree → block YAML that readers of YAML 1.1 and of 1.2 take for the same tree. */
#include "allocator/codec/yamldoc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void emit(const json_t *tree, unsigned indent, bool is_inline, struct buf *out);

static void add_indent(struct buf *out, unsigned indent)
{
    for (unsigned i = 0; i < indent; i++) {
        buf_add_char(out, ' ');
    }
}

/* May the text stand without quotes, and is it text for every reader? Conservative: a letter or '_'
 * or '/' first, then letters, digits and a few harmless marks, and none of the words that YAML 1.1
 * takes for something else. */
static bool is_plain_text(const char *s, size_t len)
{
    static const char *const words[] = {
        "null", "true", "false", "yes", "no", "on", "off", "y", "n"
    };
    static const char inner[] = "_/.-+()*$,= ";

    bool starts_well = len > 0 && (strchr("_/", s[0]) != NULL || (s[0] >= 'a' && s[0] <= 'z') ||
                                   (s[0] >= 'A' && s[0] <= 'Z'));
    if (!starts_well || s[0] == '\0' || s[len - 1] == ' ') {
        return false;
    }
    for (size_t i = 1; i < len; i++) {
        bool is_word = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') ||
                       (s[i] >= '0' && s[i] <= '9');
        if (!is_word && (s[i] == '\0' || strchr(inner, s[i]) == NULL)) {
            return false;
        }
    }
    for (size_t i = 0; i < COUNT(words); i++) {
        if (strlen(words[i]) == len && strncasecmp(words[i], s, len) == 0) {
            return false;
        }
    }
    return true;
}

static void emit_text(const char *s, size_t len, struct buf *out)
{
    bool is_single = len > 0;

    if (is_plain_text(s, len)) {
        buf_add(out, s, len);
        return;
    }
    for (size_t i = 0; i < len && is_single; i++) {
        is_single = (unsigned char)s[i] >= 0x20 && (unsigned char)s[i] < 0x7f && s[i] != '\'';
    }
    if (is_single) {
        buf_add_char(out, '\'');
        buf_add(out, s, len);
        buf_add_char(out, '\'');
    } else {
        buf_add_json(out, span_make(s, len)); /* a JSON string is a double-quoted YAML scalar */
    }
}

static void emit_map(const json_t *tree, unsigned indent, bool is_inline, struct buf *out)
{
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach((json_t *)(uintptr_t)tree, key, value) {
        if (!is_inline) {
            add_indent(out, indent);
        }
        is_inline = false;
        emit_text(key, strlen(key), out);
        buf_add_char(out, ':');
        emit(value, indent, false, out);
    }
}

static void emit_list(const json_t *tree, unsigned indent, bool is_inline, struct buf *out)
{
    for (size_t i = 0; i < json_array_size(tree); i++) {
        if (!is_inline || i > 0) {
            add_indent(out, indent);
        }
        buf_add_char(out, '-');
        emit(json_array_get(tree, i), indent, true, out);
    }
}

/* Behind "key:" or "-": the value with what separates it. Depth is that of a parsed document
 * (LIMIT_DEPTH). */
static void emit(const json_t *tree, unsigned indent, bool is_item,
                 struct buf *out) // NOLINT(misc-no-recursion)
{
    if (json_is_object(tree) && json_object_size(tree) > 0) {
        buf_add_char(out, is_item ? ' ' : '\n');
        emit_map(tree, indent + 2, is_item, out);
    } else if (json_is_array(tree) && json_array_size(tree) > 0) {
        buf_add_char(out, is_item ? ' ' : '\n');
        emit_list(tree, is_item ? indent + 2 : indent, is_item, out);
    } else {
        buf_add_char(out, ' ');
        if (json_is_string(tree)) {
            emit_text(json_string_value(tree), json_string_length(tree), out);
        } else {
            char *text = json_dumps(tree, JSON_ENCODE_ANY | JSON_COMPACT);
            buf_add_str(out, text == NULL ? "null" : text);
            free(text);
        }
        buf_add_char(out, '\n');
    }
}

void yamldoc_emit(const json_t *tree, struct buf *out)
{
    if (json_is_object(tree) && json_object_size(tree) > 0) {
        emit_map(tree, 0, false, out);
    } else if (json_is_array(tree) && json_array_size(tree) > 0) {
        emit_list(tree, 0, false, out);
    } else {
        AUTO_BUF one;
        buf_init(&one, out->max);
        emit(tree, 0, true, &one);
        buf_add_span(out, span_from(buf_span(&one), 1));
    }
}

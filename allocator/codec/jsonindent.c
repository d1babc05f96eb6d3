#include "allocator/codec/jsonindent.h"

#include <string.h>

static size_t string_end(struct span json, size_t at)
{
    for (at++; at < json.len && json.p[at] != '"'; at++) {
        at += json.p[at] == '\\' ? 1 : 0;
    }
    return at + 1 < json.len ? at + 1 : json.len;
}

static size_t skip_blanks(struct span json, size_t at)
{
    while (at < json.len && strchr(" \t\r\n", json.p[at]) != NULL) {
        at++;
    }
    return at;
}

static void break_line(int depth, struct buf *out)
{
    buf_addf(out, "\n%*s", 2 * depth, "");
}

static bool is_open(char c)
{
    return c == '{' || c == '[';
}

static bool is_close(char c)
{
    return c == '}' || c == ']';
}

/* One that holds nothing stays on its line. Returns where to go on. */
static size_t open_value(struct span json, size_t at, int *depth, struct buf *out)
{
    size_t next = skip_blanks(json, at + 1);

    buf_add_char(out, json.p[at]);
    if (next < json.len && is_close(json.p[next])) {
        buf_add_char(out, json.p[next]);
        return next + 1;
    }
    break_line(++*depth, out);
    return next;
}

void jsonindent_write(struct span json, struct buf *out)
{
    int depth = 0;

    for (size_t at = skip_blanks(json, 0); at < json.len;) {
        char c = json.p[at];
        size_t next = at + 1;
        if (c == '"') {
            next = string_end(json, at);
            buf_add_visible(out, span_make(json.p + at, next - at));
        } else if (is_open(c)) {
            next = open_value(json, at, &depth, out);
        } else if (is_close(c)) {
            break_line(depth > 0 ? --depth : 0, out);
            buf_add_char(out, c);
        } else if (c == ',') {
            buf_add_char(out, c);
            break_line(depth, out);
        } else {
            buf_add_str(out, c == ':' ? ": " : "");
            buf_add(out, &json.p[at], c == ':' ? 0 : 1);
        }
        size_t after = skip_blanks(json, next);
        if (depth == 0 && (is_close(json.p[next - 1]) || after > next || after == json.len)) {
            buf_add_char(out, '\n');
        }
        at = after;
    }
}

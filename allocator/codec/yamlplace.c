#include "allocator/codec/yamlplace.h"

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static bool is_break(char c)
{
    return c == '\n' || c == '\r';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

void yamlplace_init(struct yamlplace *p, struct span text)
{
    *p = (struct yamlplace){ .text = text, .is_ascii = span_is_ascii(text) };
}

size_t yamlplace_byte(struct yamlplace *p, size_t index)
{
    if (p->is_ascii) {
        return index;
    }
    while (p->chars < index && p->bytes < p->text.len) {
        p->bytes++;
        while (p->bytes < p->text.len && is_continuation(p->text.p[p->bytes])) {
            p->bytes++;
        }
        p->chars++;
    }
    while (p->chars > index && p->bytes > 0) {
        p->bytes--;
        while (p->bytes > 0 && is_continuation(p->text.p[p->bytes])) {
            p->bytes--;
        }
        p->chars--;
    }
    return p->bytes;
}

size_t yamlplace_trim(struct span text, size_t begin, size_t end)
{
    for (;;) {
        size_t line = end;
        while (line > begin && is_blank(text.p[line - 1])) {
            line--;
        }
        if (line == begin || !is_break(text.p[line - 1])) {
            return end;
        }
        end = line - 1;
        if (end > begin && text.p[end] == '\n' && text.p[end - 1] == '\r') {
            end--;
        }
    }
}

/* After white space and comments. */
static size_t skip_filling(struct span text, size_t at, size_t limit)
{
    while (at < limit && (is_blank(text.p[at]) || is_break(text.p[at]) || text.p[at] == '#')) {
        if (text.p[at] == '#') {
            while (at < limit && !is_break(text.p[at])) {
                at++;
            }
        } else {
            at++;
        }
    }
    return at;
}

size_t yamlplace_empty_value(struct span text, size_t key_end, size_t limit)
{
    size_t at = skip_filling(text, key_end, limit);

    return at < limit && text.p[at] == ':' ? at + 1 : key_end;
}

size_t yamlplace_chars(struct span text, size_t from, size_t to)
{
    size_t n = 0;

    for (size_t i = from; i < to; i++) {
        n += is_continuation(text.p[i]) ? 0 : 1;
    }
    return n;
}

bool yamlplace_has_question(struct span text, size_t from, size_t to)
{
    for (size_t at = skip_filling(text, from, to); at < to; at = skip_filling(text, at + 1, to)) {
        if (text.p[at] == '?') {
            return true;
        }
    }
    return false;
}

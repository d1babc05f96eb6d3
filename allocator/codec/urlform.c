#include "allocator/codec/urlform.h"

static inline bool is_unreserved(unsigned char c)
{
    unsigned char letter = c | 0x20;

    return (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == '~';
}

void urlform_escape(struct span s, struct buf *out)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t n_plain = 0, n_escaped = 0;

    while (n_plain < s.len && is_unreserved((unsigned char)s.p[n_plain])) {
        n_plain++;
    }
    if (n_plain == s.len) {
        buf_add_span(out, s);
        return;
    }
    for (size_t i = n_plain; i < s.len; i++) {
        n_escaped += is_unreserved((unsigned char)s.p[i]) || s.p[i] == ' ' ? 0 : 1;
    }
    size_t size = s.len + 2 * n_escaped;
    char *to = buf_reserve(out, size);
    if (to == NULL) {
        return;
    }
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (is_unreserved(c) || c == ' ') {
            *to++ = c == ' ' ? '+' : (char)c;
        } else {
            *to++ = '%';
            *to++ = hex[c >> 4];
            *to++ = hex[c & 15];
        }
    }
    *to = '\0';
    out->len += size;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int urlform_unescape(struct span s, struct arena *arena, struct span *out, struct err *err)
{
    size_t first = 0;

    while (first < s.len && s.p[first] != '%' && s.p[first] != '+') {
        first++;
    }
    if (first == s.len) {
        *out = s;
        return 0;
    }
    char *text = arena_bytes(arena, s.len);
    size_t len = first;
    memcpy(text, s.p, first);
    for (size_t i = first; i < s.len; i++) {
        if (s.p[i] != '%') {
            text[len++] = s.p[i] == '+' ? ' ' : s.p[i];
            continue;
        }
        int high = i + 1 < s.len ? hex_value(s.p[i + 1]) : -1;
        int low = i + 2 < s.len ? hex_value(s.p[i + 2]) : -1;
        if (high < 0 || low < 0) {
            size_t n = s.len - i < 3 ? s.len - i : 3;
            return err_set(err, ERR_INVALID, "invalid URL escape \"%.*s\"", (int)n, s.p + i);
        }
        text[len++] = (char)(high << 4 | low);
        i += 2;
    }
    *out = span_make(text, len);
    return 0;
}

bool urlform_query(struct span query, const char *name, struct span *out_raw)
{
    size_t name_len = strlen(name);

    while (query.len > 0) {
        const char *amp = memchr(query.p, '&', query.len);
        struct span part = span_make(query.p, amp == NULL ? query.len : (size_t)(amp - query.p));
        if (part.len > name_len && part.p[name_len] == '=' && memcmp(part.p, name, name_len) == 0) {
            *out_raw = span_from(part, name_len + 1);
            return true;
        }
        if (part.len == name_len && memcmp(part.p, name, name_len) == 0) {
            *out_raw = span_make(part.p + part.len, 0);
            return true;
        }
        query = span_from(query, part.len + (amp == NULL ? 0 : 1));
    }
    return false;
}

#include "allocator/discovery/pathglob.h"

/* ---- matching */

/* One code point: Go matches characters, not bytes. Invalid bytes count one by one. */
static size_t char_len(struct span s)
{
    unsigned char c = (unsigned char)s.p[0];
    size_t n = c < 0xc2 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 1;

    for (size_t i = 1; i < n; i++) {
        if (i >= s.len || ((unsigned char)s.p[i] & 0xc0) != 0x80) {
            return 1;
        }
    }
    return n;
}

static struct span take_char(struct span *s)
{
    struct span c = span_make(s->p, char_len(*s));
    *s = span_from(*s, c.len);
    return c;
}

/* One end of a range; false when the pattern is malformed. */
static bool take_bound(struct span *pattern, struct span *out)
{
    if (pattern->len == 0 || pattern->p[0] == '-' || pattern->p[0] == ']') {
        return false;
    }
    if (pattern->p[0] == '\\') {
        *pattern = span_from(*pattern, 1);
        if (pattern->len == 0) {
            return false;
        }
    }
    *out = take_char(pattern);
    return pattern->len > 0; /* the bracket must be closed */
}

/* After '['. UTF-8 sorts by bytes as it does by code points. */
static bool take_class(struct span *pattern, struct span c, bool *out_is_in)
{
    bool is_negated = pattern->len > 0 && pattern->p[0] == '^', is_in = false;

    *pattern = span_from(*pattern, is_negated);
    for (size_t n = 0; n == 0 || pattern->len == 0 || pattern->p[0] != ']'; n++) {
        struct span low, high;
        if (!take_bound(pattern, &low)) {
            return false;
        }
        high = low;
        if (pattern->p[0] == '-') {
            *pattern = span_from(*pattern, 1);
            if (!take_bound(pattern, &high)) {
                return false;
            }
        }
        is_in |= span_cmp(low, c) <= 0 && span_cmp(c, high) <= 0;
    }
    *pattern = span_from(*pattern, 1);
    *out_is_in = is_in != is_negated;
    return true;
}

/* Matches what comes before the next star (or all of the pattern) at the start of '*name'. */
static bool take_chunk(struct span *pattern, struct span *name)
{
    while (pattern->len > 0 && pattern->p[0] != '*') {
        if (name->len == 0) {
            return false;
        }
        char kind = pattern->p[0];
        bool is_match = false;
        if (kind == '[') {
            struct span c = take_char(name);
            *pattern = span_from(*pattern, 1);
            if (!take_class(pattern, c, &is_match) || span_is(c, "/")) {
                return false;
            }
        } else if (kind == '?') {
            *pattern = span_from(*pattern, 1);
            is_match = !span_is(take_char(name), "/");
        } else {
            *pattern = span_from(*pattern, kind == '\\');
            is_match = pattern->len > 0 && pattern->p[0] == name->p[0];
            *pattern = span_from(*pattern, 1);
            *name = span_from(*name, 1);
        }
        if (!is_match) {
            return false;
        }
    }
    return true;
}

bool pathglob_match(struct span pattern, struct span name)
{
    struct span star_pattern = { NULL, 0 }, star_name = name;

    for (;;) {
        while (pattern.len > 0 && pattern.p[0] == '*') {
            pattern = span_from(pattern, 1);
            star_pattern = pattern;
            star_name = name;
        }
        struct span p = pattern, n = name;
        if (take_chunk(&p, &n) && (p.len > 0 || n.len == 0)) {
            if (p.len == 0) {
                return true;
            }
            pattern = p;
            name = n;
            continue;
        }
        if (star_pattern.p == NULL || star_name.len == 0 || star_name.p[0] == '/') {
            return false;
        }
        star_name = span_from(star_name, 1);
        pattern = star_pattern;
        name = star_name;
    }
}

bool pathglob_has_meta(struct span pattern)
{
    for (size_t i = 0; i < pattern.len; i++) {
        if (strchr("*?[\\", pattern.p[i]) != NULL && pattern.p[i] != '\0') {
            return true;
        }
    }
    return false;
}

/* ---- spelling */

static struct span take_element(struct span *path)
{
    const char *slash = memchr(path->p, '/', path->len);
    struct span e = span_make(path->p, slash == NULL ? path->len : (size_t)(slash - path->p));

    *path = span_from(*path, slash == NULL ? path->len : e.len + 1);
    return e;
}

/* Takes the last element off what stands after 'root' bytes; false when there is none that ".."
 * may take back. */
static bool drop_element(struct buf *out, size_t from, size_t root)
{
    size_t len = out->len;

    while (len > from + root && out->p[len - 1] != '/') {
        len--;
    }
    if (out->len == from + root || span_is(span_make(out->p + len, out->len - len), "..")) {
        return false;
    }
    out->len = len > from + root ? len - 1 : len;
    return true;
}

void pathglob_clean(struct span path, struct buf *out)
{
    bool is_absolute = path.len > 0 && path.p[0] == '/';
    size_t from = out->len, root = is_absolute ? 1 : 0;

    if (is_absolute) {
        buf_add_char(out, '/');
    }
    while (path.len > 0) {
        struct span e = take_element(&path);
        if (e.len == 0 || span_is(e, ".")) {
            continue;
        }
        if (span_is(e, "..") && (drop_element(out, from, root) || is_absolute)) {
            continue;
        }
        if (out->len > from + root) {
            buf_add_char(out, '/');
        }
        buf_add_span(out, e);
    }
    if (out->len == from) {
        buf_add_char(out, '.');
    }
}

void pathglob_split(struct span path, struct span *out_dir, struct span *out_base)
{
    size_t i = path.len;

    while (i > 0 && path.p[i - 1] != '/') {
        i--;
    }
    *out_base = span_from(path, i);
    *out_dir = i == 0 ? SPAN_LIT(".") : i == 1 ? SPAN_LIT("/") : span_make(path.p, i - 1);
}

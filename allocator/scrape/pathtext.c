#include "allocator/scrape/pathtext.h"

/* Drops the last element of the 'n' bytes at 'text'; says false when there is none that may be
 * dropped. */
static bool drop_last(const char *text, size_t floor, size_t *n)
{
    size_t start = *n;

    while (start > floor && text[start - 1] != '/') {
        start--;
    }
    struct span last = span_make(text + start, *n - start);
    if (last.len == 0 || span_is(last, "..")) {
        return false;
    }
    *n = start > floor ? start - 1 : start;
    return true;
}

static void add_element(char *text, size_t floor, size_t *n, struct span element)
{
    if (element.len == 0 || span_is(element, ".")) {
        return;
    }
    if (span_is(element, "..") && (drop_last(text, floor, n) || floor > 0)) {
        return;
    }
    if (*n > floor) {
        text[(*n)++] = '/';
    }
    memcpy(text + *n, element.p, element.len);
    *n += element.len;
}

static void add_elements(char *text, size_t floor, size_t *n, struct span path)
{
    size_t start = 0;

    for (size_t i = 0; i <= path.len; i++) {
        if (i == path.len || path.p[i] == '/') {
            add_element(text, floor, n, span_make(path.p + start, i - start));
            start = i + 1;
        }
    }
}

struct span pathtext_join(struct span base, struct span path, struct arena *arena)
{
    if (path.len == 0 || path.p[0] == '/' || base.len == 0) {
        return path;
    }
    char *text = arena_bytes(arena, base.len + path.len + 3);
    size_t floor = base.p[0] == '/' ? 1 : 0;
    size_t n = floor;
    text[0] = '/';
    add_elements(text, floor, &n, base);
    add_elements(text, floor, &n, path);
    if (n == 0) {
        text[n++] = '.';
    }
    text[n] = '\0';
    return span_make(text, n);
}

struct span pathtext_dir(struct span path)
{
    size_t n = path.len;

    while (n > 0 && path.p[n - 1] != '/') {
        n--;
    }
    if (n == 0) {
        return SPAN_LIT(".");
    }
    return span_make(path.p, n > 1 ? n - 1 : 1);
}

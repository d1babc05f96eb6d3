#include "allocator/codec/yamlhint.h"

#include <ctype.h>
#include <string.h>

/* ---- lines */

static struct span next_line(struct span *rest)
{
    const char *nl = rest->len == 0 ? NULL : memchr(rest->p, '\n', rest->len);
    size_t len = nl == NULL ? rest->len : (size_t)(nl - rest->p);
    struct span line = span_make(rest->p, len);

    *rest = span_from(*rest, nl == NULL ? len : len + 1);
    return line;
}

/* ---- tabs */

/* Blanks and the dashes of a list, with a tab among them. */
static bool has_tab(struct span line)
{
    for (size_t i = 0; i < line.len && strchr(" -\t", line.p[i]) != NULL; i++) {
        if (line.p[i] == '\t') {
            return true;
        }
    }
    return false;
}

/* ---- templates */

/* The action at "{{": what stands in it, without the dash that eats blanks. */
static bool next_action(struct span *rest, struct span *out)
{
    const char *open = rest->len == 0 ? NULL : memmem(rest->p, rest->len, "{{", 2);
    const char *end = rest->p + rest->len;

    if (open == NULL) {
        return false;
    }
    const char *close = memmem(open, (size_t)(end - open), "}}", 2);
    const char *begin = open + 2;
    if (close == NULL) {
        return false;
    }
    while (begin < close && (*begin == '-' || isspace((unsigned char)*begin) != 0)) {
        begin++;
    }
    *out = span_make(begin, (size_t)(close - begin));
    *rest = span_make(close, (size_t)(end - close));
    return true;
}

/* A flow mapping has a key there, with a colon behind it. */
static bool is_action(struct span action)
{
    return action.len > 0 &&
           (isalpha((unsigned char)action.p[0]) != 0 || strchr(".$(/\"", action.p[0]) != NULL) &&
           memchr(action.p, ':', action.len) == NULL;
}

static bool is_helm(struct span action)
{
    static const char *const words[] = { ".Values",       ".Release",  ".Chart",     ".Files",
                                         ".Capabilities", ".Template", "include \"", "template \"",
                                         "toYaml",        "nindent" };

    for (size_t i = 0; i < COUNT(words); i++) {
        if (memmem(action.p, action.len, words[i], strlen(words[i])) != NULL) {
            return true;
        }
    }
    return false;
}

static unsigned find_line(struct span text, bool (*is_wanted)(struct span action))
{
    struct span rest = text, action;

    for (unsigned n = 1; rest.len > 0; n++) {
        struct span line = next_line(&rest);
        while (next_action(&line, &action)) {
            if (is_wanted(action)) {
                return n;
            }
        }
    }
    return 0;
}

unsigned yamlhint_template(struct span text)
{
    return find_line(text, is_helm);
}

void yamlhint_add(struct span text, unsigned line, struct buf *out)
{
    struct span rest = text, here = SPAN_LIT("");
    unsigned template_line = yamlhint_template(text);

    for (unsigned n = 0; n < line && rest.len > 0; n++) {
        here = next_line(&rest);
    }
    if (template_line == 0 && find_line(here, is_action) > 0) {
        template_line = line;
    }
    if (template_line > 0) {
        buf_addf(out,
                 "; line %u looks like a Helm template: render it first, as 'helm template' does",
                 template_line);
    } else if (has_tab(here)) {
        buf_addf(out, "; line %u is indented with a tab, where YAML wants spaces", line);
    }
}

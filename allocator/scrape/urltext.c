#include "allocator/scrape/urltext.h"

#include <ctype.h>

static bool is_scheme_char(char c, size_t at)
{
    return isalpha((unsigned char)c) ||
           (at > 0 && (isdigit((unsigned char)c) || c == '+' || c == '-' || c == '.'));
}

static struct span cut_before(struct span s, const char *stops)
{
    size_t n = 0;

    while (n < s.len && strchr(stops, s.p[n]) == NULL) {
        n++;
    }
    return span_make(s.p, n);
}

/* Every '%' of a path or host stands before two hexadecimal digits. */
static int check_escapes(struct span s, struct err *err)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] != '%') {
            continue;
        }
        if (i + 2 >= s.len || !isxdigit((unsigned char)s.p[i + 1]) ||
            !isxdigit((unsigned char)s.p[i + 2])) {
            struct span rest = span_from(s, i);
            rest.len = rest.len < 3 ? rest.len : 3;
            return err_set(err, ERR_INVALID, "invalid URL escape \"%.*s\"", SPAN_ARG(rest));
        }
    }
    return 0;
}

static int check_port(struct span host, struct err *err)
{
    size_t colon = host.len;
    size_t bracket = host.len;

    for (size_t i = 0; i < host.len; i++) {
        colon = host.p[i] == ':' ? i : colon;
        bracket = host.p[i] == ']' ? i : bracket;
    }
    if (host.len > 0 && host.p[0] == '[') {
        if (bracket == host.len) {
            return err_set(err, ERR_INVALID, "missing ']' in host");
        }
        colon = bracket + 1;
    }
    for (size_t i = colon + 1; colon < host.len && i < host.len; i++) {
        if (!isdigit((unsigned char)host.p[i])) {
            return err_set(err, ERR_INVALID, "invalid port \"%.*s\" after host",
                           SPAN_ARG(span_from(host, colon)));
        }
    }
    if (colon < host.len && host.p[colon] != ':') {
        return err_set(err, ERR_INVALID, "invalid port \"%.*s\" after host",
                       SPAN_ARG(span_from(host, colon)));
    }
    return 0;
}

static int check_host_characters(struct span host, struct err *err)
{
    for (size_t i = 0; i < host.len; i++) {
        if (strchr(" \"<>\\^`{|}", host.p[i]) != NULL) {
            return err_set(err, ERR_INVALID, "invalid character \"%c\" in host name", host.p[i]);
        }
    }
    return 0;
}

/* Cuts "scheme:" off '*rest'. */
static int take_scheme(struct span *rest, struct span *out, struct err *err)
{
    size_t n = 0;

    while (n < rest->len && is_scheme_char(rest->p[n], n)) {
        n++;
    }
    if (n == rest->len || rest->p[n] != ':') {
        struct span segment = cut_before(*rest, "/");
        if (memchr(segment.p, ':', segment.len) != NULL) {
            return err_set(err, ERR_INVALID, "first path segment in URL cannot contain colon");
        }
        return 0;
    }
    if (n == 0) {
        return err_set(err, ERR_INVALID, "missing protocol scheme");
    }
    *out = span_make(rest->p, n);
    *rest = span_from(*rest, n + 1);
    return 0;
}

static int take_authority(struct span *rest, struct urltext *out, struct err *err)
{
    if (!span_has_prefix(*rest, "//")) {
        return 0;
    }
    struct span authority = cut_before(span_from(*rest, 2), "/");
    *rest = span_from(*rest, 2 + authority.len);
    size_t at = authority.len;
    for (size_t i = 0; i < authority.len; i++) {
        at = authority.p[i] == '@' ? i : at;
    }
    out->host = authority;
    if (at < authority.len) {
        out->userinfo = span_make(authority.p, at);
        out->host = span_from(authority, at + 1);
        struct span user = cut_before(out->userinfo, ":");
        out->has_password = user.len < out->userinfo.len;
        out->password = span_from(out->userinfo, user.len + 1);
    }
    int rc = check_escapes(out->userinfo, err);
    rc = rc < 0 ? rc : check_host_characters(out->host, err);
    return rc < 0 ? rc : check_port(out->host, err);
}

int urltext_parse(struct span text, struct urltext *out, struct err *err)
{
    struct urltext url = { .scheme = { "", 0 } };
    /* Go cuts the fragment first, then the scheme, then the query: none of them is part of the
     * authority. */
    struct span rest = cut_before(text, "#");

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < 0x20 || c == 0x7f) {
            return err_set(err, ERR_INVALID, "invalid control character in URL");
        }
    }
    int rc = text.len == 0 ? 0 : take_scheme(&rest, &url.scheme, err);
    rest = cut_before(rest, "?");
    rc = rc < 0 ? rc : take_authority(&rest, &url, err);
    rc = rc < 0 ? rc : check_escapes(rest, err);
    if (rc == 0) {
        *out = url;
    }
    return rc;
}

struct span urltext_redact(struct span text, struct arena *arena)
{
    struct urltext url = { 0 };

    if (urltext_parse(text, &url, NULL) < 0 || !url.has_password) {
        return text;
    }
    size_t before = (size_t)(url.password.p - text.p);
    struct span after = span_from(text, before + url.password.len);
    char *redacted = arena_printf(arena, "%.*sxxxxx%.*s", (int)before, text.p, SPAN_ARG(after));
    return span_of(redacted);
}

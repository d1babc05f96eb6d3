#include "allocator/kube/selector.h"

#include <ctype.h>

/* ---- label selectors */

struct scanner {
    struct span rest;
};

static void skip_space(struct scanner *s)
{
    while (s->rest.len > 0 && isspace((unsigned char)s->rest.p[0])) {
        s->rest = span_from(s->rest, 1);
    }
}

static bool is_special(char c)
{
    return c != '\0' && strchr("=!(),<>", c) != NULL;
}

/* The next word, or one operator of up to two characters, or empty at the end. */
static struct span next_token(struct scanner *s)
{
    size_t n = 0;

    skip_space(s);
    if (s->rest.len > 0 && is_special(s->rest.p[0])) {
        bool is_pair =
            s->rest.len > 1 && s->rest.p[1] == '=' && (s->rest.p[0] == '=' || s->rest.p[0] == '!');
        n = is_pair ? 2 : 1;
    } else {
        while (n < s->rest.len && !is_special(s->rest.p[n]) &&
               !isspace((unsigned char)s->rest.p[n])) {
            n++;
        }
    }
    struct span token = span_make(s->rest.p, n);
    s->rest = span_from(s->rest, n);
    return token;
}

static struct span peek_token(const struct scanner *s)
{
    struct scanner copy = *s;

    return next_token(&copy);
}

static bool is_word(struct span token)
{
    return token.len > 0 && !is_special(token.p[0]);
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.';
}

/* Letters, digits and "-_." between letters or digits; empty is fine for a value. */
static int check_word(struct span word, const char *what, struct err *err)
{
    bool is_good = word.len == 0 || (isalnum((unsigned char)word.p[0]) &&
                                     isalnum((unsigned char)word.p[word.len - 1]));

    for (size_t i = 0; i < word.len; i++) {
        is_good = is_good && is_name_char(word.p[i]);
    }
    return is_good ? 0
                   : err_set(err, ERR_INVALID, "\"%.*s\" is not a valid label %s", SPAN_ARG(word),
                             what);
}

/* DNS labels with dots between: lower case, and no '_'. */
static bool is_subdomain(struct span s)
{
    bool is_edge = true; /* the last character began a label or was a dot */

    for (size_t i = 0; i < s.len; i++) {
        bool is_alnum = islower((unsigned char)s.p[i]) || isdigit((unsigned char)s.p[i]);
        bool is_inner = s.p[i] == '-' || s.p[i] == '.';
        bool is_next_edge = i + 1 == s.len || s.p[i + 1] == '.';
        if (!is_alnum &&
            (!is_inner || is_edge || (s.p[i] == '-' && is_next_edge) || i + 1 == s.len)) {
            return false;
        }
        is_edge = s.p[i] == '.';
    }
    return s.len > 0;
}

/* An optional "prefix/", and a name. */
static int check_key(struct span key, struct err *err)
{
    const char *slash = key.len == 0 ? NULL : memchr(key.p, '/', key.len);

    if (!is_word(key)) {
        return err_set(err, ERR_INVALID, "found '%.*s', expected a label key", SPAN_ARG(key));
    }
    if (slash != NULL) {
        struct span prefix = span_make(key.p, (size_t)(slash - key.p));
        key = span_from(key, prefix.len + 1);
        if (prefix.len == 0 || !is_subdomain(prefix) || key.len == 0) {
            return err_set(err, ERR_INVALID, "\"%.*s/%.*s\" is not a valid label key",
                           SPAN_ARG(prefix), SPAN_ARG(key));
        }
    }
    return check_word(key, "key", err);
}

static bool is_integer(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!isdigit((unsigned char)s.p[i]) && !(i == 0 && s.len > 1 && s.p[i] == '-')) {
            return false;
        }
    }
    return s.len > 0;
}

/* "(a, b)", also "()": one empty value. */
static int check_set(struct scanner *s, struct err *err)
{
    struct span token = next_token(s);

    if (!span_is(token, "(")) {
        return err_set(err, ERR_INVALID, "found '%.*s', expected: '('", SPAN_ARG(token));
    }
    for (token = next_token(s); !span_is(token, ")"); token = next_token(s)) {
        if (!span_is(token, ",") && !is_word(token)) {
            return err_set(err, ERR_INVALID, "found '%.*s', expected: ',', or ')'",
                           SPAN_ARG(token));
        }
        if (is_word(token)) {
            struct span after = peek_token(s);
            int rc = check_word(token, "value", err);
            if (rc < 0) {
                return rc;
            }
            if (!span_is(after, ",") && !span_is(after, ")")) {
                return err_set(err, ERR_INVALID, "found '%.*s', expected: ',', or ')'",
                               SPAN_ARG(after));
            }
        }
    }
    return 0;
}

static int check_single_value(struct scanner *s, struct span op, struct err *err)
{
    struct span value = peek_token(s);

    if (is_word(value)) {
        (void)next_token(s);
    } else {
        value.len = 0;
    }
    if ((op.p[0] == '<' || op.p[0] == '>') && !is_integer(value)) {
        return err_set(err, ERR_INVALID, "'%.*s' needs an integer", SPAN_ARG(op));
    }
    return check_word(value, "value", err);
}

static int check_requirement(struct scanner *s, struct err *err)
{
    struct span token = next_token(s);

    if (span_is(token, "!")) {
        return check_key(next_token(s), err);
    }
    int rc = check_key(token, err);
    struct span op = peek_token(s);
    if (rc < 0 || op.len == 0 || span_is(op, ",")) {
        return rc;
    }
    (void)next_token(s);
    if (span_is(op, "in") || span_is(op, "notin")) {
        return check_set(s, err);
    }
    if (span_is(op, "=") || span_is(op, "==") || span_is(op, "!=") || span_is(op, "<") ||
        span_is(op, ">")) {
        return check_single_value(s, op, err);
    }
    return err_set(err, ERR_INVALID, "found '%.*s', expected: in, notin, =, ==, !=, <, >",
                   SPAN_ARG(op));
}

int selector_check_labels(struct span text, struct err *err)
{
    struct scanner s = { text };

    skip_space(&s);
    while (s.rest.len > 0) {
        int rc = check_requirement(&s, err);
        if (rc < 0) {
            return rc;
        }
        struct span token = next_token(&s);
        if (token.len > 0 && !span_is(token, ",")) {
            return err_set(err, ERR_INVALID, "found '%.*s', expected: ',' or the end",
                           SPAN_ARG(token));
        }
        if (token.len > 0 && peek_token(&s).len == 0) {
            return err_set(err, ERR_INVALID, "found the end, expected a label key after ','");
        }
    }
    return 0;
}

/* ---- field selectors */

/* What follows the first operator: there a backslash must stand before ',', '=' or itself, and none
 * of them without. */
static int check_field_value(struct span value, struct err *err)
{
    for (size_t i = 0; i < value.len; i++) {
        bool is_escape = value.p[i] == '\\';
        i += is_escape ? 1 : 0;
        bool is_marked = i < value.len && strchr("\\,=", value.p[i]) != NULL;
        if (is_escape != is_marked) {
            return err_set(err, ERR_INVALID,
                           "invalid field selector: '%.*s': invalid escape sequence",
                           SPAN_ARG(value));
        }
    }
    return 0;
}

static int check_field_term(struct span term, struct err *err)
{
    const char *equals = memchr(term.p, '=', term.len);

    if (equals == NULL) {
        return err_set(err, ERR_INVALID, "invalid selector: can't understand '%.*s'",
                       SPAN_ARG(term));
    }
    size_t at = (size_t)(equals - term.p);
    bool is_negated = at > 0 && term.p[at - 1] == '!';
    bool is_double = !is_negated && at + 1 < term.len && term.p[at + 1] == '=';
    return check_field_value(span_from(term, at + (is_double ? 2 : 1)), err);
}

int selector_check_fields(struct span text, struct err *err)
{
    size_t start = 0;
    bool is_escaped = false;

    for (size_t i = 0; i <= text.len; i++) {
        bool is_end = i == text.len || (text.p[i] == ',' && !is_escaped);
        is_escaped = i < text.len && text.p[i] == '\\' && !is_escaped;
        struct span term = span_make(text.p + start, i - start);
        if (!is_end) {
            continue;
        }
        int rc = term.len == 0 ? 0 : check_field_term(term, err);
        if (rc < 0) {
            return rc;
        }
        start = i + 1;
    }
    return 0;
}

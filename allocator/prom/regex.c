#include "allocator/prom/regex.h"

#include "allocator/base/buf.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/utf8.h"
#include "allocator/base/vec.h"
#include "allocator/prom/re2_shim.h"
#include "allocator/prom/regex_plan.h"

struct regex {
    const struct regex_plan *plan; /* NULL: RE2 decides everything */
    struct re2_shim *re2;          /* NULL when the plan is complete */
    size_t re2_bytes;              /* that it may take */
    bool is_any;
    bool may_match_part; /* a pattern such as "a)|(b", whose text escapes the anchors around it */
    struct arena arena;  /* of the plan */
};

/* ---- compiling */

/* After '[': copies the bracketed class. In a class only \C could mislead, and RE2 refuses that
 * itself. */
static size_t copy_class(struct span s, size_t at, struct buf *out)
{
    size_t begin = at;
    at++;
    if (at < s.len && s.p[at] == '^') {
        at++;
    }
    if (at < s.len && s.p[at] == ']') {
        at++;
    }
    while (at < s.len && s.p[at] != ']') {
        if (s.p[at] == '\\') {
            at++;
        } else if (s.p[at] == '[' && at + 1 < s.len && s.p[at + 1] == ':') {
            const char *close = memmem(s.p + at + 2, s.len - at - 2, ":]", 2);
            at = close == NULL ? at : (size_t)(close - s.p) + 1;
        }
        at++;
    }
    at = at < s.len ? at + 1 : s.len;
    buf_add(out, s.p + begin, at - begin);
    return at;
}

/* \Q…\E stands for itself, whatever is inside. */
static size_t copy_quoted(struct span s, size_t at, struct buf *out)
{
    const char *close = memmem(s.p + at + 2, s.len - at - 2, "\\E", 2);
    size_t end = close == NULL ? s.len : (size_t)(close - s.p) + 2;
    buf_add(out, s.p + at, end - at);
    return end;
}

/* Copies 'pattern' with Go's (?<name> written as RE2's (?P<name>. '*out_is_closed': every ) has its
 * ( before it. */
static int translate(struct span s, struct buf *out, bool *out_is_closed, struct err *err)
{
    long depth = 0;
    *out_is_closed = true;
    for (size_t i = 0; i < s.len;) {
        struct span rest = span_from(s, i);
        if (s.p[i] == '[') {
            i = copy_class(s, i, out);
        } else if (span_has_prefix(rest, "\\Q")) {
            i = copy_quoted(s, i, out);
        } else if (span_has_prefix(rest, "\\C")) {
            return err_set(err, ERR_INVALID,
                           "error parsing regexp: invalid escape sequence: `\\C`");
        } else if (rest.len > 1 && rest.p[0] == '\\') {
            buf_add(out, rest.p, 2);
            i += 2;
        } else if (span_has_prefix(rest, "(?<") && rest.len > 3 && rest.p[3] != '=' &&
                   rest.p[3] != '!') {
            buf_add_str(out, "(?P<");
            depth++;
            i += 3;
        } else {
            depth += s.p[i] == '(' ? 1 : s.p[i] == ')' ? -1 : 0;
            *out_is_closed = *out_is_closed && depth >= 0;
            buf_add_char(out, s.p[i]);
            i++;
        }
    }
    return 0;
}

struct regex_budget regex_budget_new(void)
{
    return (struct regex_budget){ .memory_left = LIMIT_REGEX_AUTHOR,
                                  .work_left = LIMIT_REGEX_WORK };
}

/* Half a program is as far as anything is known of one that is too large. */
static int pay(struct regex_budget *budget, const struct re2_shim *re2, struct err *err)
{
    size_t cost = re2 == NULL ? LIMIT_REGEX_MEMORY / 2 : re2_shim_size(re2);

    cost = cost < REGEX_LEAST_COST ? REGEX_LEAST_COST : cost;
    if (budget == NULL) {
        return 0;
    }
    budget->work_left -= cost < budget->work_left ? cost : budget->work_left;
    if (re2 == NULL) {
        return 0; /* it has its own error */
    }
    if (cost > budget->memory_left || budget->work_left == 0) {
        return err_set(
            err, ERR_TOO_BIG,
            "too costly together with the patterns before it: compiled it takes %zu KiB, "
            "and %zu KiB are left; name fewer characters or fewer repetitions",
            cost / KIB, (budget->work_left == 0 ? 0 : budget->memory_left) / KIB);
    }
    budget->memory_left -= cost;
    return 0;
}

static struct re2_shim *make_re2(struct regex *re, struct span text, struct err *err)
{
    char error[512];
    bool is_too_big;
    /* What is left of the memory it may have goes to what it remembers of matches: as little as is
     * enough, or many patterns remember much. */
    size_t modest = 64 * KIB + 64 * text.len;
    size_t bytes = modest < LIMIT_REGEX_MEMORY ? modest : LIMIT_REGEX_MEMORY;
    struct re2_shim *re2 = re2_shim_new(text, (int64_t)bytes, error, sizeof(error), &is_too_big);

    if (re2 == NULL && is_too_big && bytes < LIMIT_REGEX_MEMORY) {
        bytes = LIMIT_REGEX_MEMORY;
        re2 = re2_shim_new(text, (int64_t)bytes, error, sizeof(error), &is_too_big);
    }
    if (re2 == NULL) {
        err_set(err, is_too_big ? ERR_TOO_BIG : ERR_INVALID, "%s%s", error,
                is_too_big ? "; name fewer characters or fewer repetitions" : "");
    }
    re->re2_bytes = bytes;
    return re2;
}

static int check_work(const struct regex_budget *budget, struct err *err)
{
    if (budget != NULL && budget->work_left == 0) {
        return err_set(
            err, ERR_TOO_BIG,
            "not compiled: the patterns before it took all the work that is done for one "
            "Collector");
    }
    return 0;
}

static int compile_re2(struct span pattern, struct regex_budget *budget, struct regex *re,
                       struct err *err)
{
    int rc = check_work(budget, err);
    if (rc < 0) {
        return rc;
    }
    AUTO_BUF text;
    buf_init(&text, 2 * LIMIT_REGEX_BYTES);
    buf_add_str(&text, "^(?s:");
    bool is_closed;
    rc = translate(pattern, &text, &is_closed, err);
    if (rc < 0) {
        return rc;
    }
    re->may_match_part = !is_closed;
    buf_add_str(&text, ")$");
    if (buf_error(&text) != 0) {
        return err_set(err, ERR_TOO_BIG, "longer than %zu bytes", LIMIT_REGEX_BYTES);
    }
    struct err why = { 0 };
    re->re2 = make_re2(re, buf_span(&text), &why);
    rc = pay(budget, re->re2, err);
    if (re->re2 == NULL) {
        return err_set(err, why.code, "%s", why.text);
    }
    return rc;
}

int regex_compile(struct span pattern, struct regex_budget *budget, struct regex **out,
                  struct err *err)
{
    if (pattern.len > LIMIT_REGEX_BYTES) {
        return err_set(err, ERR_TOO_BIG, "longer than %zu bytes", LIMIT_REGEX_BYTES);
    }
    AUTO(regex) re = mem_zalloc(sizeof(*re));
    arena_init_small(&re->arena);
    re->plan = regex_plan_new(pattern, &re->arena);
    if (re->plan == NULL) {
        arena_fini(&re->arena);
    }
    re->is_any = re->plan != NULL && regex_plan_is_any(re->plan);
    if (re->plan == NULL || !regex_plan_is_complete(re->plan)) {
        int rc = compile_re2(pattern, budget, re, err);
        if (rc < 0) {
            return rc;
        }
    }
    *out = re;
    re = NULL;
    return 0;
}

void regex_free(struct regex **re)
{
    if (*re != NULL) {
        re2_shim_free((*re)->re2);
        arena_fini(&(*re)->arena);
        mem_free(*re);
        *re = NULL;
    }
}

int regex_pay(const struct regex *re, struct regex_budget *budget, struct err *err)
{
    int rc = re->re2 == NULL ? 0 : check_work(budget, err);

    return rc < 0 || re->re2 == NULL ? rc : pay(budget, re->re2, err);
}

size_t regex_weight(const struct regex *re)
{
    return sizeof(*re) + re->arena.used_bytes + re->re2_bytes;
}

/* ---- matching */

bool regex_is_any(const struct regex *re)
{
    return re->is_any;
}

bool regex_match(const struct regex *re, struct span subject, struct regex_match *m)
{
    if (subject.len == 0) {
        subject = SPAN_LIT(""); /* an empty group that takes part is not NULL */
    }
    struct span *group = m == NULL ? NULL : m->group;
    size_t n_groups = m == NULL ? 0 : m->n_groups;
    if (re->plan != NULL) {
        enum plan_outcome outcome = regex_plan_match(re->plan, subject, group, n_groups);
        if (outcome != PLAN_GAVE_UP) {
            return outcome == PLAN_MATCH;
        }
    }
    return re2_shim_match(re->re2, subject, 0, group, n_groups);
}

/* ---- templates */

struct piece {
    struct span text;      /* when there are no groups */
    const uint8_t *groups; /* the first of them that took part; more than one only when a name comes
                              more than once */
    size_t n_groups;
};

struct regex_template {
    const struct piece *pieces;
    size_t n;
    size_t n_groups; /* a match must deliver so many */
};

typedef VEC(struct piece) pieces;

static void add_text(pieces *to, struct span text)
{
    struct piece *last = to->n > 0 ? &to->v[to->n - 1] : NULL;
    if (text.len == 0) {
        return;
    }
    if (last != NULL && last->n_groups == 0 && last->text.p + last->text.len == text.p) {
        last->text.len += text.len;
        return;
    }
    *vec_push(to) = (struct piece){ .text = text };
}

/* Letters and digits of any script may name a group; for those outside ASCII RE2's tables are
 * asked. */
static bool is_name_rune(struct span bytes, uint32_t rune)
{
    if (rune < 0x80) {
        return rune == '_' || (rune >= '0' && rune <= '9') ||
               ((rune | 0x20) >= 'a' && (rune | 0x20) <= 'z');
    }
    char error[128];
    bool is_too_big;
    struct re2_shim *word = re2_shim_new(SPAN_LIT("^[\\pL\\p{Nd}]$"), (int64_t)LIMIT_REGEX_MEMORY,
                                         error, sizeof(error), &is_too_big);
    bool is_word = word != NULL && re2_shim_match(word, bytes, 0, NULL, 0);
    re2_shim_free(word);
    return is_word;
}

static size_t name_len(struct span s)
{
    size_t len = 0;
    while (len < s.len) {
        uint32_t rune;
        size_t size = utf8_decode(span_from(s, len), &rune);
        if (!is_name_rune(span_make(s.p + len, size), rune)) {
            break;
        }
        len += size;
    }
    return len;
}

/* After '$': the reference and how many bytes it takes; 0 when it is malformed. */
static size_t parse_reference(struct span s, struct span *out_name)
{
    bool has_brace = s.len > 0 && s.p[0] == '{';
    struct span rest = span_from(s, has_brace ? 1 : 0);
    size_t len = name_len(rest);
    if (len == 0 || (has_brace && (len == rest.len || rest.p[len] != '}'))) {
        return 0;
    }
    *out_name = span_make(rest.p, len);
    return has_brace ? len + 2 : len;
}

static size_t group_count(const struct regex *re)
{
    return re->re2 != NULL ? re2_shim_groups(re->re2) : regex_plan_groups(re->plan);
}

struct splitter {
    const struct regex *re;
    struct arena *arena;
    pieces list;
    size_t n_groups; /* that a match must deliver */
};

static int add_group(struct splitter *to, struct piece *piece, size_t group, struct err *err)
{
    if (group >= REGEX_MAX_GROUPS) {
        return err_set(err, ERR_UNSUPPORTED, "refers to group %zu; only the first %d can be used",
                       group, REGEX_MAX_GROUPS - 1);
    }
    uint8_t *groups = arena_alloc(to->arena, piece->n_groups + 1);
    if (piece->n_groups > 0) {
        memcpy(groups, piece->groups, piece->n_groups);
    }
    groups[piece->n_groups++] = (uint8_t)group;
    piece->groups = groups;
    to->n_groups = group >= to->n_groups ? group + 1 : to->n_groups;
    return 0;
}

/* A reference to groups. All digits are a number, but not with a leading zero. What names no group
 * stands for nothing. */
static int add_reference(struct splitter *to, struct span name, struct err *err)
{
    struct piece piece = { 0 };
    int rc = 0;
    size_t number = 0;
    bool is_number = name.len == 1 || name.p[0] != '0';
    for (size_t i = 0; i < name.len && is_number; i++) {
        is_number = name.p[i] >= '0' && name.p[i] <= '9' && number < 100000000;
        number = number * 10 + (size_t)(name.p[i] - '0');
    }
    if (is_number && number <= group_count(to->re)) {
        rc = add_group(to, &piece, number, err);
    } else if (!is_number && to->re->re2 != NULL) {
        size_t group = 0;
        while (rc == 0 && (group = re2_shim_group_named(to->re->re2, name, group)) != 0) {
            rc = add_group(to, &piece, group, err);
        }
    }
    if (rc == 0 && piece.n_groups > 0) {
        *vec_push(&to->list) = piece;
    }
    return rc;
}

static int split_template(struct splitter *to, struct span text, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; i < text.len && rc == 0;) {
        struct span rest = span_from(text, i);
        const char *dollar = memchr(rest.p, '$', rest.len);
        size_t before = dollar == NULL ? rest.len : (size_t)(dollar - rest.p);
        add_text(&to->list, span_make(rest.p, before));
        i += before;
        if (dollar == NULL) {
            break;
        }
        struct span behind = span_from(text, i + 1);
        struct span name;
        size_t len = behind.len > 0 && behind.p[0] != '$' ? parse_reference(behind, &name) : 0;
        if (len == 0) {
            add_text(&to->list, span_make(dollar, 1));
            i += behind.len > 0 && behind.p[0] == '$' ? 2 : 1;
            continue;
        }
        i += 1 + len;
        rc = add_reference(to, name, err);
    }
    return rc;
}

int regex_template_compile(const struct regex *re, struct span text, struct arena *arena,
                           const struct regex_template **out, struct err *err)
{
    struct splitter to = { .re = re, .arena = arena };
    int rc = split_template(&to, text, err);
    if (rc == 0) {
        struct regex_template *t = arena_alloc(arena, sizeof(*t));
        struct piece *kept = arena_alloc(arena, to.list.n * sizeof(*kept));
        if (to.list.n > 0) {
            memcpy(kept, to.list.v, to.list.n * sizeof(*kept));
        }
        *t = (struct regex_template){ kept, to.list.n, to.n_groups };
        *out = t;
    }
    vec_fini(&to.list);
    return rc;
}

size_t regex_template_groups(const struct regex_template *t)
{
    return t->n_groups;
}

static struct span piece_span(const struct piece *piece, const struct regex_match *m)
{
    if (piece->n_groups == 0) {
        return piece->text;
    }
    size_t i = 0;
    while (i + 1 < piece->n_groups && m->group[piece->groups[i]].p == NULL) {
        i++;
    }
    return m->group[piece->groups[i]];
}

size_t regex_template_size(const struct regex_template *t, const struct regex_match *m)
{
    size_t size = 0;
    for (size_t i = 0; i < t->n; i++) {
        size += piece_span(&t->pieces[i], m).len;
    }
    return size;
}

struct span regex_template_expand(const struct regex_template *t, const struct regex_match *m,
                                  struct arena *arena)
{
    if (t->n == 0) {
        return SPAN_LIT("");
    }
    if (t->n == 1) {
        struct span only = piece_span(&t->pieces[0], m);
        return only.p == NULL ? SPAN_LIT("") : only;
    }
    size_t size = regex_template_size(t, m);
    char *text = arena_bytes(arena, size + 1);
    size_t at = 0;
    for (size_t i = 0; i < t->n; i++) {
        struct span s = piece_span(&t->pieces[i], m);
        if (s.len > 0) {
            memcpy(text + at, s.p, s.len);
            at += s.len;
        }
    }
    return span_make(text, size);
}

/* One match of a search: its expansion replaces it. */
static void replace_one(const struct regex_template *t, const struct regex_match *m,
                        struct buf *out)
{
    for (size_t i = 0; i < t->n; i++) {
        buf_add_span(out, piece_span(&t->pieces[i], m));
    }
}

static size_t rune_size(struct span s, size_t at)
{
    uint32_t rune;
    return at < s.len ? utf8_decode(span_from(s, at), &rune) : 1;
}

bool regex_replace_all(const struct regex *re, const struct regex_template *t, struct span subject,
                       struct buf *out)
{
    struct regex_match m;
    m.n_groups = t->n_groups > 0 ? t->n_groups : 1;
    if (!re->may_match_part) {
        if (!regex_match(re, subject, &m)) {
            return false;
        }
        replace_one(t, &m, out);
        return true;
    }
    size_t copied = 0;
    bool is_match = false;
    for (size_t at = 0;
         at <= subject.len && re2_shim_match(re->re2, subject, at, m.group, m.n_groups);) {
        size_t begin = (size_t)(m.group[0].p - subject.p);
        size_t end = begin + m.group[0].len;
        buf_add(out, subject.p + copied, begin - copied);
        if (end > copied || begin == 0) { /* not for nothing right after the last match */
            replace_one(t, &m, out);
        }
        copied = end;
        size_t next = at + rune_size(subject, at);
        at = next > end ? next : end;
        is_match = true;
    }
    buf_add(out, subject.p + copied, subject.len - copied);
    return is_match;
}

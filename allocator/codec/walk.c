#include "allocator/codec/walk.h"

#include "allocator/base/limits.h"

/* ---- typed reads */

#define SHOWN_BYTES 60 /* of a text in a fault */

/* The start of 's' that is shown, not ending inside a character. */
static int shown_length(struct span s)
{
    size_t n = s.len;

    if (n > SHOWN_BYTES) {
        n = SHOWN_BYTES;
        while (n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80) {
            n--;
        }
    }
    return (int)n;
}

static void wrong_type(const struct node *n, const char *key, const char *wanted, struct faults *f)
{
    faults_add_at(f, FAULT_ERROR, n->line, key, "must be %s, not %s", wanted, node_type_name(n));
}

/* For values of a few letters or digits. A text in place of a mapping is not shown: it may be a
 * secret. */
static void wrong_value(const struct node *n, const char *key, const char *wanted, struct faults *f)
{
    if (n->type != NODE_SCALAR) {
        wrong_type(n, key, wanted, f);
        return;
    }
    faults_add_at(f, FAULT_ERROR, n->line, key, "must be %s, not '%.*s'", wanted,
                  shown_length(n->text), n->text.p);
}

void walk_fault(const struct node *map, const char *key, struct faults *f, const char *fmt, ...)
{
    const struct node *value = node_get(map, key);
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    faults_add_at(f, FAULT_ERROR, value != NULL ? value->line : map->line, key, "%s", text);
}

bool walk_text(const struct node *map, const char *key, struct faults *f, struct span *out)
{
    const struct node *n = node_get(map, key);

    if (node_is_null(n)) {
        return false;
    }
    if (!node_as_text(n, out)) {
        wrong_type(n, key, "text", f);
        return false;
    }
    return true;
}

bool walk_bool(const struct node *map, const char *key, struct faults *f, bool *out)
{
    const struct node *n = node_get(map, key);

    if (node_is_null(n)) {
        return false;
    }
    if (!node_as_bool(n, out)) {
        wrong_value(n, key, "true or false", f);
        return false;
    }
    return true;
}

bool walk_int(const struct node *map, const char *key, struct faults *f, int64_t *out)
{
    const struct node *n = node_get(map, key);

    if (node_is_null(n)) {
        return false;
    }
    if (!node_as_int(n, out)) {
        wrong_value(n, key, "an integer", f);
        return false;
    }
    return true;
}

bool walk_uint(const struct node *map, const char *key, struct faults *f, uint64_t *out)
{
    const struct node *n = node_get(map, key);

    if (node_is_null(n)) {
        return false;
    }
    if (!node_as_uint(n, out)) {
        wrong_value(n, key, "an integer that is not negative", f);
        return false;
    }
    return true;
}

bool walk_double(const struct node *map, const char *key, struct faults *f, double *out)
{
    const struct node *n = node_get(map, key);

    if (node_is_null(n)) {
        return false;
    }
    if (!node_as_double(n, out)) {
        wrong_value(n, key, "a number", f);
        return false;
    }
    return true;
}

static bool walk_collection(const struct node *map, const char *key, enum node_type type,
                            struct faults *f, const struct node **out)
{
    const struct node *n = node_get(map, key);

    if (node_is_null(n)) {
        return false;
    }
    if (n->type != type) {
        wrong_type(n, key, type == NODE_MAP ? "a mapping" : "a list", f);
        return false;
    }
    *out = n;
    return true;
}

bool walk_map(const struct node *map, const char *key, struct faults *f, const struct node **out)
{
    return walk_collection(map, key, NODE_MAP, f, out);
}

bool walk_list(const struct node *map, const char *key, struct faults *f, const struct node **out)
{
    return walk_collection(map, key, NODE_LIST, f, out);
}

bool walk_texts(const struct node *map, const char *key, struct faults *f, struct arena *arena,
                struct span **out, size_t *out_n)
{
    const struct node *list = NULL;

    if (!walk_list(map, key, f, &list)) {
        return false;
    }
    struct span *v = arena_alloc(arena, list->n * sizeof(*v));
    size_t mark = faults_push(f, "%s", key);
    bool is_ok = true;
    for (size_t i = 0; i < list->n; i++) {
        if (!node_as_text(list->items[i], &v[i])) {
            size_t inner = faults_push_index(f, i);
            faults_add(f, FAULT_ERROR, list->items[i]->line, "must be text, not %s",
                       node_type_name(list->items[i]));
            faults_pop(f, inner);
            is_ok = false;
        }
    }
    faults_pop(f, mark);
    if (is_ok) {
        *out = v;
        *out_n = list->n;
    }
    return is_ok;
}

/* ---- unknown names */

void walk_unknown(const struct node *map, const char *const *known, enum fault_severity severity,
                  struct faults *f)
{
    for (size_t i = 0; map != NULL && map->type == NODE_MAP && i < map->n; i++) {
        const struct node *key = map->pairs[i].key;
        if (span_is_one_of(key->text, known)) {
            continue;
        }
        int len = shown_length(key->text);
        /* Looking for the nearest costs time; faults past the limit are only counted. */
        const char *nearest = f->n < LIMIT_FAULTS ? walk_nearest(key->text, known) : NULL;
        if (nearest != NULL) {
            faults_add(f, severity, key->line, "field %.*s not known; did you mean '%s'?", len,
                       key->text.p, nearest);
        } else {
            faults_add(f, severity, key->line, "field %.*s not known", len, key->text.p);
        }
    }
}

#define WORD_MAX 64

/* Levenshtein distance with transpositions of neighbours; words of at most WORD_MAX bytes. */
static size_t distance(struct span a, struct span b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];

    for (size_t j = 0; j <= b.len; j++) {
        last[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t best = last[j - 1] + (a.p[i - 1] == b.p[j - 1] ? 0 : 1);
            best = last[j] + 1 < best ? last[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] &&
                before[j - 2] + 1 < best) {
                best = before[j - 2] + 1;
            }
            row[j] = best;
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b.len];
}

struct walk_near walk_near_to(struct span word)
{
    return (struct walk_near){ word, SIZE_MAX, false };
}

bool walk_near_try(struct walk_near *n, struct span name)
{
    size_t longest = n->word.len > name.len ? n->word.len : name.len;
    size_t shortest = n->word.len > name.len ? name.len : n->word.len;
    size_t most = (longest + 2) / 3; /* a third, rounded up, but of one letter nothing is left */

    if (longest > WORD_MAX || longest - shortest > most || longest < 2) {
        return false;
    }
    size_t d = distance(n->word, name);
    if (d >= n->distance || d > most) {
        return false;
    }
    n->distance = d;
    n->is_found = true;
    return true;
}

const char *walk_nearest(struct span word, const char *const *known)
{
    struct walk_near n = walk_near_to(word);
    const char *best = NULL;

    for (; *known != NULL; known++) {
        best = walk_near_try(&n, span_of(*known)) ? *known : best;
    }
    return best;
}

#include "allocator/codec/jsonpatch.h"

#include "allocator/base/limits.h"

static const char *const verb_names[] = {
    [PATCH_ADD] = "add", [PATCH_REMOVE] = "remove", [PATCH_REPLACE] = "replace"
};

/* ---- difference */

static char *put_escaped(char *to, struct span key)
{
    for (size_t i = 0; i < key.len; i++) {
        bool is_special = key.p[i] == '~' || key.p[i] == '/';
        *to++ = is_special ? '~' : key.p[i];
        if (is_special) {
            *to++ = key.p[i] == '~' ? '0' : '1';
        }
    }
    return to;
}

static struct span child_path(struct arena *arena, struct span path, struct span key)
{
    bool is_plain =
        key.len > 0 && memchr(key.p, '~', key.len) == NULL && memchr(key.p, '/', key.len) == NULL;
    char *p = arena_bytes(arena, path.len + 1 + (is_plain ? 1 : 2) * key.len), *to = p;

    if (path.len > 0) {
        to = mempcpy(to, path.p, path.len);
    }
    *to++ = '/';
    to = is_plain ? mempcpy(to, key.p, key.len) : put_escaped(to, key);
    return span_make(p, (size_t)(to - p));
}

static struct span item_path(struct arena *arena, struct span path, size_t index)
{
    char digits[24];
    char *p = digits + sizeof(digits);

    do {
        *--p = (char)('0' + index % 10);
        index /= 10;
    } while (index > 0);
    return child_path(arena, path, span_make(p, (size_t)(digits + sizeof(digits) - p)));
}

static void add_op(struct jsonpatch *out, enum patch_verb verb, struct span path,
                   const struct node *value)
{
    *vec_push(&out->ops) = (struct patch_op){ verb, path, value };
}

/* NOLINTNEXTLINE(misc-no-recursion): parsers cap the depth */
static void diff_maps(const struct node *from, const struct node *to, struct span path,
                      struct arena *arena, struct jsonpatch *out)
{
    for (size_t i = 0; i < from->n; i++) {
        struct span key = from->pairs[i].key->text;
        const struct node *value = node_get_near(to, i, key);
        if (value == NULL) {
            add_op(out, PATCH_REMOVE, child_path(arena, path, key), NULL);
        } else if (value != from->pairs[i].value) {
            jsonpatch_diff(from->pairs[i].value, value, child_path(arena, path, key), arena, out);
        }
    }
    for (size_t i = 0; i < to->n; i++) {
        struct span key = to->pairs[i].key->text;
        if (node_get_near(from, i, key) == NULL) {
            add_op(out, PATCH_ADD, child_path(arena, path, key), to->pairs[i].value);
        }
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): parsers cap the depth */
void jsonpatch_diff(const struct node *from, const struct node *to, struct span path,
                    struct arena *arena, struct jsonpatch *out)
{
    if (from == to) {
        return;
    }
    if (from->type == NODE_MAP && to->type == NODE_MAP) {
        diff_maps(from, to, path, arena, out);
    } else if (from->type == NODE_LIST && to->type == NODE_LIST && from->n == to->n) {
        for (size_t i = 0; i < from->n; i++) {
            if (from->items[i] != to->items[i]) {
                jsonpatch_diff(from->items[i], to->items[i], item_path(arena, path, i), arena, out);
            }
        }
    } else if (!jsonpatch_same(from, to)) {
        add_op(out, PATCH_REPLACE, path, to);
    }
}

void jsonpatch_write(const struct jsonpatch *patch, struct buf *out)
{
    static const struct span heads[] = {
        [PATCH_ADD] = SPAN_LIT("{\"op\":\"add\",\"path\":"),
        [PATCH_REMOVE] = SPAN_LIT("{\"op\":\"remove\",\"path\":"),
        [PATCH_REPLACE] = SPAN_LIT("{\"op\":\"replace\",\"path\":"),
    };

    size_t size = 2; /* about: values may be long */
    for (size_t i = 0; i < patch->ops.n; i++) {
        size += 2 * patch->ops.v[i].path.len + 64;
    }
    (void)buf_reserve(out, size < out->max - out->len ? size : 0);
    buf_add_char(out, '[');
    for (size_t i = 0; i < patch->ops.n; i++) {
        const struct patch_op *op = &patch->ops.v[i];
        if (i > 0) {
            buf_add_char(out, ',');
        }
        buf_add_span(out, heads[op->verb]);
        buf_add_json(out, op->path);
        if (op->value != NULL) {
            buf_add_span(out, SPAN_LIT(",\"value\":"));
            node_write_json(op->value, out);
        }
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

/* ---- reading */

static bool verb_from(struct span name, enum patch_verb *out)
{
    for (size_t i = 0; i < COUNT(verb_names); i++) {
        if (span_is(name, verb_names[i])) {
            *out = (enum patch_verb)i;
            return true;
        }
    }
    return false;
}

int jsonpatch_read(const struct node *json, struct arena *arena, struct jsonpatch *out,
                   struct err *err)
{
    (void)arena;
    if (json == NULL || json->type != NODE_LIST) {
        return err_set(err, ERR_INVALID, "a patch is a list of operations");
    }
    for (size_t i = 0; i < json->n; i++) {
        const struct node *item = json->items[i];
        struct patch_op op = { .value = node_get(item, "value") };
        struct span verb;
        if (!node_as_text(node_get(item, "op"), &verb) ||
            !node_as_text(node_get(item, "path"), &op.path)) {
            return err_set(err, ERR_INVALID, "operation %zu: needs op and path", i);
        }
        if (!verb_from(verb, &op.verb)) {
            return err_set(err, ERR_UNSUPPORTED, "operation %zu: %.*s", i, SPAN_ARG(verb));
        }
        if (op.verb != PATCH_REMOVE && op.value == NULL) {
            return err_set(err, ERR_INVALID, "operation %zu: needs a value", i);
        }
        *vec_push(&out->ops) = op;
    }
    return 0;
}

/* ---- application */

/* A map or a list whose members may be changed; they themselves are still those of 'n'. */
static struct node *own(const struct node *n, struct arena *arena)
{
    struct node *copy = arena_alloc(arena, sizeof(*copy));

    *copy = *n;
    copy->canonical = NULL;
    if (n->type == NODE_LIST) {
        copy->items = arena_alloc(arena, n->n * sizeof(struct node *));
    } else {
        copy->pairs = arena_alloc(arena, n->n * sizeof(struct node_pair));
    }
    for (size_t i = 0; i < n->n && n->type == NODE_LIST; i++) {
        copy->items[i] = n->items[i];
    }
    for (size_t i = 0; i < n->n && n->type == NODE_MAP; i++) {
        copy->pairs[i] = n->pairs[i];
    }
    return copy;
}

/* The next part of a pointer, unescaped. */
static bool next_token(struct span *path, struct arena *arena, struct span *out)
{
    if (path->len == 0 || path->p[0] != '/') {
        return false;
    }
    *path = span_from(*path, 1);
    const char *slash = path->len == 0 ? NULL : memchr(path->p, '/', path->len);
    struct span raw = span_make(path->p, slash == NULL ? path->len : (size_t)(slash - path->p));
    *path = span_from(*path, raw.len);
    *out = raw;
    if (raw.len == 0 || memchr(raw.p, '~', raw.len) == NULL) {
        return true;
    }
    char *p = arena_bytes(arena, raw.len);
    size_t n = 0;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.p[i];
        if (c == '~') {
            if (i + 1 == raw.len || (raw.p[i + 1] != '0' && raw.p[i + 1] != '1')) {
                return false;
            }
            c = raw.p[++i] == '0' ? '~' : '/';
        }
        p[n++] = c;
    }
    *out = span_make(p, n);
    return true;
}

/* Decimal without leading zeros, below 'limit'. */
static bool read_index(struct span token, size_t limit, size_t *out)
{
    size_t value = 0;

    if (token.len == 0 || token.len > 9 || (token.len > 1 && token.p[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < token.len; i++) {
        if (token.p[i] < '0' || token.p[i] > '9') {
            return false;
        }
        value = value * 10 + (size_t)(token.p[i] - '0');
    }
    *out = value;
    return value < limit;
}

/* The look begins at member '*at', and '*at' is where it ended. */
static bool find_member(const struct node *map, struct span key, size_t *at)
{
    size_t from = *at < map->n ? *at : 0;

    for (size_t i = 0; i < map->n; i++) {
        size_t k = i < map->n - from ? from + i : i - (map->n - from);
        if (span_eq(map->pairs[k].key->text, key)) {
            *at = k;
            return true;
        }
    }
    return false;
}

static bool apply_to_map(const struct patch_op *op, struct node *map, struct span key,
                         struct arena *arena)
{
    struct node *value = (struct node *)(uintptr_t)op->value; /* owned before it is changed */
    size_t at = 0;
    bool is_there = find_member(map, key, &at);

    if (op->verb == PATCH_REMOVE) {
        if (is_there) {
            memmove(&map->pairs[at], &map->pairs[at + 1],
                    (map->n - at - 1) * sizeof(map->pairs[0]));
            map->n--;
        }
        return is_there;
    }
    if (is_there) {
        map->pairs[at].value = value;
        return true;
    }
    if (op->verb == PATCH_REPLACE) {
        return false;
    }
    struct node_pair *pairs = arena_alloc(arena, (map->n + 2) * sizeof(*pairs));
    if (map->n > 0) {
        memcpy(pairs, map->pairs, map->n * sizeof(*pairs));
    }
    struct node *name = arena_zalloc(arena, sizeof(*name));
    *name =
        (struct node){ .type = NODE_SCALAR, .style = NODE_DOUBLE, .is_json = true, .text = key };
    pairs[map->n++] = (struct node_pair){ .key = name, .value = value };
    map->pairs = pairs;
    return true;
}

static bool apply_to_list(const struct patch_op *op, struct node *list, struct span token,
                          struct arena *arena)
{
    struct node *value = (struct node *)(uintptr_t)op->value;
    size_t at = list->n;
    bool is_append = op->verb == PATCH_ADD && span_is(token, "-");

    if (!is_append && !read_index(token, list->n + (op->verb == PATCH_ADD ? 1 : 0), &at)) {
        return false;
    }
    if (op->verb == PATCH_REMOVE) {
        memmove((void *)&list->items[at], (const void *)&list->items[at + 1],
                (list->n - at - 1) * sizeof(list->items[0]));
        list->n--;
        return true;
    }
    if (op->verb == PATCH_REPLACE) {
        list->items[at] = value;
        return true;
    }
    struct node **items = arena_alloc(arena, (list->n + 2) * sizeof(struct node *));
    for (size_t i = 0; i < list->n; i++) {
        items[i < at ? i : i + 1] = list->items[i];
    }
    items[at] = value;
    list->items = items;
    list->n++;
    return true;
}

/* The way of the last operation. What stands on it was copied, so the next one, which goes nearly
 * the same way, may change it; a way that was left is copied again when somebody comes back. */
struct trail {
    struct span path;
    size_t n;
    struct {
        struct node *node;
        size_t path_len; /* of 'path', up to the node */
        size_t at;       /* its member that was found last: the next one is not far */
    } steps[16];
};

static void add_step(struct trail *trail, struct node *node, size_t path_len)
{
    if (trail->n < COUNT(trail->steps)) {
        trail->steps[trail->n].node = node;
        trail->steps[trail->n].path_len = path_len;
        trail->steps[trail->n++].at = 0;
    }
}

/* Cuts the trail to where 'parent' goes on. */
static void go_back(struct trail *trail, struct span parent)
{
    for (; trail->n > 0; trail->n--) {
        size_t len = trail->steps[trail->n - 1].path_len;
        if (len <= parent.len && (len == parent.len || parent.p[len] == '/') &&
            (len == 0 || memcmp(parent.p, trail->path.p, len) == 0)) {
            return;
        }
    }
}

static struct node **find_child(struct node *at, struct span token, size_t *hint)
{
    size_t i = 0;

    if (at->type == NODE_MAP && find_member(at, token, hint)) {
        return &at->pairs[*hint].value;
    }
    return at->type == NODE_LIST && read_index(token, at->n, &i) ? &at->items[i] : NULL;
}

/* The map or list that 'parent' points to, ready to be changed; NULL when there is none. */
static struct node *walk(struct span parent, struct node **root, struct trail *trail,
                         struct arena *arena)
{
    struct span token;

    go_back(trail, parent);
    if (trail->n == 0) {
        if ((*root)->type != NODE_MAP && (*root)->type != NODE_LIST) {
            return NULL;
        }
        *root = own(*root, arena);
        add_step(trail, *root, 0);
    }
    trail->path = parent;
    struct node *at = trail->steps[trail->n - 1].node;
    struct span rest = span_from(parent, trail->steps[trail->n - 1].path_len);
    for (size_t n = trail->n; rest.len > 0; n++) {
        size_t unknown = 0;
        size_t *hint = n == trail->n ? &trail->steps[n - 1].at : &unknown;
        struct node **child = next_token(&rest, arena, &token) ? find_child(at, token, hint) : NULL;
        if (child == NULL || ((*child)->type != NODE_MAP && (*child)->type != NODE_LIST)) {
            return NULL;
        }
        at = *child = own(*child, arena);
        add_step(trail, at, parent.len - rest.len);
    }
    return at;
}

static bool apply_one(const struct patch_op *op, struct node **root, struct trail *trail,
                      struct arena *arena)
{
    struct span parent = op->path, last, token;

    if (op->path.len == 0) {
        trail->n = 0;
        *root = (struct node *)(uintptr_t)op->value;
        return op->verb != PATCH_REMOVE;
    }
    const char *slash = memrchr(op->path.p, '/', op->path.len);
    if (slash == NULL) {
        return false;
    }
    parent.len = (size_t)(slash - op->path.p);
    last = span_from(op->path, parent.len);
    struct node *at = walk(parent, root, trail, arena);
    if (at == NULL || !next_token(&last, arena, &token)) {
        return false;
    }
    return at->type == NODE_MAP ? apply_to_map(op, at, token, arena)
                                : apply_to_list(op, at, token, arena);
}

int jsonpatch_apply(const struct jsonpatch *patch, const struct node *root, struct arena *arena,
                    struct node **out, struct err *err)
{
    struct node *result = (struct node *)(uintptr_t)root;
    struct trail trail = { .n = 0 };

    for (size_t i = 0; i < patch->ops.n; i++) {
        const struct patch_op *op = &patch->ops.v[i];
        if (!apply_one(op, &result, &trail, arena)) {
            return err_set(err, ERR_INVALID, "operation %zu: %s %.*s cannot be applied", i,
                           verb_names[op->verb], SPAN_ARG(op->path));
        }
    }
    *out = result;
    return 0;
}

/* Of one type. */
static bool same_scalars(const struct node *a, const struct node *b)
{
    if (node_is_null(a)) {
        return true;
    }
    return span_eq(a->text, b->text) && (a->style == NODE_PLAIN) == (b->style == NODE_PLAIN)
               ? true
               : node_equal(a, b);
}

/* NOLINTNEXTLINE(misc-no-recursion): parsers cap the depth */
bool jsonpatch_same(const struct node *a, const struct node *b)
{
    if (a == b) {
        return true;
    }
    if (a->type != b->type) {
        return false;
    }
    if (a->type == NODE_LIST) {
        bool is_same = a->n == b->n;
        for (size_t i = 0; i < a->n && is_same; i++) {
            is_same = jsonpatch_same(a->items[i], b->items[i]);
        }
        return is_same;
    }
    if (a->type != NODE_MAP) {
        return same_scalars(a, b);
    }
    for (size_t i = 0; i < a->n; i++) {
        const struct node *other = node_get_near(b, i, a->pairs[i].key->text);
        if (other == NULL || !jsonpatch_same(a->pairs[i].value, other)) {
            return false;
        }
    }
    return a->n == b->n;
}

void jsonpatch_fini(struct jsonpatch *patch)
{
    vec_fini(&patch->ops);
}

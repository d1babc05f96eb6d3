#include "allocator/discovery/rolejoin.h"

#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "allocator/base/limits.h"

/* An object of the role. */
struct joined_source {
    struct table_node node;
    struct join_edge *edges; /* what it looked up the last time */
    uint32_t part, key_len;
    bool is_touched;
    bool is_told; /* somebody may have targets of it */
    char key[];
};

/* Something that was looked up, whether or not it was there. */
struct join_fact {
    struct table_node node;
    struct join_edge *edges;
    uint32_t kind, key_len;
    char key[];
};

/* A source has looked up a fact. */
struct join_edge {
    struct joined_source *source;
    struct join_fact *fact;
    struct join_edge *next_of_source;
    struct join_edge *next_of_fact, **link_of_fact;
};

struct rolejoin {
    const struct role_ops *role;
    struct role_attach attach;
    const struct replica **parts;
    size_t n_parts;
    bool records; /* the role looks things up */
    struct table sources, facts;
    VEC(struct joined_source *) touched;
    struct buf key, name;
    struct joined_source *current; /* whose look-ups are remembered */
};

/* ---- keys */

struct fact_key {
    uint32_t kind;
    struct span key;
};

static uint64_t fact_hash(const struct fact_key *k)
{
    return hash_mix(hash_fast(k->key) + k->kind);
}

static bool is_fact(const struct table_node *node, const void *key)
{
    const struct join_fact *f = CONTAINER_OF(node, struct join_fact, node);
    const struct fact_key *k = key;

    return f->kind == k->kind && span_eq(span_make(f->key, f->key_len), k->key);
}

static struct join_fact *find_fact(const struct rolejoin *j, const struct fact_key *k)
{
    struct table_node *node = table_find(&j->facts, fact_hash(k), is_fact, k);

    return node == NULL ? NULL : CONTAINER_OF(node, struct join_fact, node);
}

static bool is_source(const struct table_node *node, const void *key)
{
    const struct joined_source *s = CONTAINER_OF(node, struct joined_source, node);

    return span_eq(span_make(s->key, s->key_len), *(const struct span *)key);
}

static struct span source_key(const struct joined_source *s)
{
    return span_make(s->key, s->key_len);
}

/* ---- what was looked up */

static struct join_fact *fact_of(struct rolejoin *j, const struct fact_key *k)
{
    struct join_fact *f = find_fact(j, k);

    if (f == NULL) {
        f = mem_alloc(sizeof(*f) + k->key.len);
        f->edges = NULL;
        f->kind = k->kind;
        f->key_len = (uint32_t)k->key.len;
        memcpy(f->key, k->key.p, k->key.len);
        table_put(&j->facts, &f->node, fact_hash(k));
    }
    return f;
}

static void remember(struct rolejoin *j, enum object_kind kind, struct span key)
{
    const struct fact_key k = { (uint32_t)kind, key };
    struct join_fact *f = fact_of(j, &k);

    if (f->edges != NULL && f->edges->source == j->current) {
        return; /* in this very digest */
    }
    struct join_edge *e = mem_alloc(sizeof(*e));
    e->source = j->current;
    e->fact = f;
    e->next_of_source = j->current->edges;
    j->current->edges = e;
    e->next_of_fact = f->edges;
    e->link_of_fact = &f->edges;
    if (f->edges != NULL) {
        f->edges->link_of_fact = &e->next_of_fact;
    }
    f->edges = e;
}

static void forget_edges(struct rolejoin *j, struct joined_source *s)
{
    while (s->edges != NULL) {
        struct join_edge *e = s->edges;
        struct join_fact *f = e->fact;
        s->edges = e->next_of_source;
        *e->link_of_fact = e->next_of_fact;
        if (e->next_of_fact != NULL) {
            e->next_of_fact->link_of_fact = e->link_of_fact;
        }
        if (f->edges == NULL) {
            table_del(&j->facts, &f->node);
            mem_free(f);
        }
        mem_free(e);
    }
}

/* ---- looking up */

static bool look_in(const struct rolejoin *j, enum object_kind kind, struct span key,
                    struct span *out)
{
    for (size_t i = 0; i < j->n_parts; i++) {
        if (j->parts[i]->kind == kind && replica_find(j->parts[i], key, out)) {
            return true;
        }
    }
    return false;
}

static bool find(const void *arg, enum object_kind kind, struct span ns, struct span name,
                 struct span *out_text)
{
    struct rolejoin *j = (void *)(uintptr_t)arg;

    buf_clear(&j->key);
    if (ns.len > 0) {
        buf_add_span(&j->key, ns);
        buf_add_char(&j->key, '/');
    }
    buf_add_span(&j->key, name);
    if (buf_error(&j->key) != 0) {
        return false; /* nothing has such a name */
    }
    if (j->current != NULL) {
        remember(j, kind, buf_span(&j->key));
    }
    return look_in(j, kind, buf_span(&j->key), out_text);
}

/* ---- changes */

static void touch_source(struct rolejoin *j, struct joined_source *s)
{
    if (!s->is_touched) {
        s->is_touched = true;
        *vec_push(&j->touched) = s;
    }
}

static void touch_key(struct rolejoin *j, size_t part, struct span key)
{
    struct table_node *node = table_find(&j->sources, hash_fast(key), is_source, &key);
    struct joined_source *s;

    if (node != NULL) {
        s = CONTAINER_OF(node, struct joined_source, node);
    } else {
        s = mem_zalloc(sizeof(*s) + key.len);
        s->key_len = (uint32_t)key.len;
        memcpy(s->key, key.p, key.len);
        table_put(&j->sources, &s->node, hash_fast(key));
    }
    s->part = (uint32_t)part;
    touch_source(j, s);
}

void rolejoin_touch(struct rolejoin *j, size_t part, struct span key)
{
    enum object_kind kind = j->parts[part]->kind;
    const struct fact_key k = { (uint32_t)kind, key };

    if (kind == j->role->kind) {
        touch_key(j, part, key);
    }
    const struct join_fact *f = find_fact(j, &k);
    for (struct join_edge *e = f == NULL ? NULL : f->edges; e != NULL; e = e->next_of_fact) {
        touch_source(j, e->source);
    }
}

bool rolejoin_is_ready(const struct rolejoin *j)
{
    for (size_t i = 0; i < j->n_parts; i++) {
        if (!j->parts[i]->is_known) {
            return false;
        }
    }
    return true;
}

static struct span name_of(struct rolejoin *j, const struct joined_source *s)
{
    buf_clear(&j->name);
    buf_add_str(&j->name, j->role->source_prefix);
    buf_add_span(&j->name, source_key(s));
    return buf_span(&j->name);
}

static void drop_source(struct rolejoin *j, struct joined_source *s,
                        const struct rolejoin_hooks *hooks)
{
    forget_edges(j, s);
    table_del(&j->sources, &s->node);
    if (s->is_told) {
        hooks->changed(hooks->arg, name_of(j, s), NULL);
    }
    mem_free(s);
}

static void tell(struct rolejoin *j, struct joined_source *s, const struct rolejoin_hooks *hooks)
{
    struct role_input in = { .attach = j->attach, .world = { find, j } };

    if (!replica_find(j->parts[s->part], source_key(s), &in.object)) {
        drop_source(j, s, hooks);
        return;
    }
    forget_edges(j, s);
    s->is_told = true;
    j->current = j->records ? s : NULL;
    hooks->changed(hooks->arg, name_of(j, s), &in);
    j->current = NULL;
}

void rolejoin_flush(struct rolejoin *j, const struct rolejoin_hooks *hooks)
{
    for (size_t i = 0; i < j->touched.n; i++) {
        j->touched.v[i]->is_touched = false;
        tell(j, j->touched.v[i], hooks);
    }
    vec_clear(&j->touched);
}

void rolejoin_tell_all(struct rolejoin *j, const struct rolejoin_hooks *hooks)
{
    struct table_node *next;

    for (struct table_node *n = table_next(&j->sources, NULL); n != NULL; n = next) {
        struct joined_source *s = CONTAINER_OF(n, struct joined_source, node);
        next = table_next(&j->sources, n);
        if (!s->is_touched) { /* that comes with the next flush */
            tell(j, s, hooks);
        }
    }
}

static int compare_keys(const void *a, const void *b)
{
    const struct joined_source *x = *(struct joined_source *const *)a;
    const struct joined_source *y = *(struct joined_source *const *)b;
    int c = span_cmp(source_key(x), source_key(y));

    return c != 0 ? c : (x->part > y->part) - (x->part < y->part);
}

void rolejoin_show_all(struct rolejoin *j, const struct rolejoin_hooks *hooks)
{
    struct joined_source **sources = mem_array(j->sources.n + 1, sizeof(*sources));
    size_t n = 0;

    for (struct table_node *node = table_next(&j->sources, NULL); node != NULL;
         node = table_next(&j->sources, node)) {
        struct joined_source *s = CONTAINER_OF(node, struct joined_source, node);
        if (s->is_told && !s->is_touched) {
            sources[n++] = s;
        }
    }
    qsort(sources, n, sizeof(*sources), compare_keys);
    for (size_t i = 0; i < n; i++) {
        tell(j, sources[i], hooks);
    }
    mem_free(sources);
}

size_t rolejoin_count(const struct rolejoin *j)
{
    return j->sources.n;
}

/* ---- life */

struct joining {
    struct rolejoin *join;
    size_t part;
};

static void touch_known(void *arg, struct span key, struct span cut)
{
    const struct joining *to = arg;

    (void)cut;
    touch_key(to->join, to->part, key);
}

struct rolejoin *rolejoin_new(const struct role_ops *role, struct role_attach attach,
                              const struct replica *const *parts, size_t n_parts)
{
    struct rolejoin *j = mem_zalloc(sizeof(*j));

    j->role = role;
    j->attach = attach;
    j->parts = mem_alloc(n_parts * sizeof(*parts));
    j->n_parts = n_parts;
    memcpy(j->parts, parts, n_parts * sizeof(*parts));
    j->records = role->joined != 0 || (role->attached != NULL && role->attached(attach) != 0);
    table_init(&j->sources);
    table_init(&j->facts);
    buf_init(&j->key, LIMIT_KUBE_NAME);
    buf_init(&j->name, LIMIT_KUBE_NAME);
    for (size_t i = 0; i < n_parts; i++) { /* what others have been told already */
        struct joining to = { j, i };
        if (parts[i]->kind == role->kind) {
            replica_each(parts[i], touch_known, &to);
        }
    }
    return j;
}

void rolejoin_free(struct rolejoin **join)
{
    struct rolejoin *j = *join;
    struct table_node *next;

    if (j == NULL) {
        return;
    }
    for (struct table_node *n = table_next(&j->sources, NULL); n != NULL; n = next) {
        struct joined_source *s = CONTAINER_OF(n, struct joined_source, node);
        next = table_next(&j->sources, n);
        forget_edges(j, s);
        mem_free(s);
    }
    table_fini(&j->sources);
    table_fini(&j->facts);
    vec_fini(&j->touched);
    buf_fini(&j->key);
    buf_fini(&j->name);
    mem_free(j->parts);
    mem_free(j);
    *join = NULL;
}

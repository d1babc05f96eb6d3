#include "allocator/prom/labels.h"

#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"

#include <stdlib.h>

void label_builder_init(struct label_builder *lb, struct strpool *pool, struct arena *arena)
{
    *lb = (struct label_builder){ .pool = pool, .arena = arena };
}

void label_builder_clear(struct label_builder *lb)
{
    lb->n = 0;
    lb->is_overfull = false;
    lb->produced_bytes = 0;
}

size_t label_builder_find(const struct label_builder *lb, const struct str *name, size_t hint)
{
    if (hint < lb->n && lb->v[hint].name == name) {
        return hint;
    }
    for (size_t i = 0; i < lb->n; i++) {
        if (lb->v[i].name == name) {
            return i;
        }
    }
    return LABEL_NONE;
}

struct span label_builder_get(const struct label_builder *lb, const struct str *name)
{
    size_t i = label_builder_find(lb, name, 0);
    return i == LABEL_NONE ? SPAN_LIT("") : lb->v[i].value;
}

void label_builder_del_at(struct label_builder *lb, size_t index)
{
    lb->n--;
    lb->v[index] = lb->v[lb->n];
}

void label_builder_del(struct label_builder *lb, const struct str *name)
{
    size_t i = label_builder_find(lb, name, 0);
    if (i != LABEL_NONE) {
        label_builder_del_at(lb, i);
    }
}

void label_builder_append(struct label_builder *lb, const struct str *name, struct span value)
{
    if (lb->n == LIMIT_LABELS_PER_TARGET) {
        lb->is_overfull = true;
        return;
    }
    if (lb->n == lb->cap) {
        lb->cap = lb->cap == 0 ? 64 : lb->cap * 2;
        lb->v = mem_realloc(lb->v, lb->cap * sizeof(*lb->v));
    }
    lb->v[lb->n++] = (struct label){ name, value };
}

void label_builder_put(struct label_builder *lb, const struct str *name, struct span value,
                       size_t *hint)
{
    size_t i = label_builder_find(lb, name, *hint);
    if (i == LABEL_NONE) {
        *hint = lb->n;
        if (value.len > 0) {
            label_builder_append(lb, name, value);
        }
        return;
    }
    *hint = i;
    if (value.len > 0) {
        lb->v[i].value = value;
    } else {
        label_builder_del_at(lb, i);
    }
}

void label_builder_set(struct label_builder *lb, const struct str *name, struct span value)
{
    size_t hint = 0;
    label_builder_put(lb, name, value, &hint);
}

bool label_builder_charge(struct label_builder *lb, size_t size)
{
    if (lb->is_overfull || size > LIMIT_RELABEL_BYTES - lb->produced_bytes) {
        lb->is_overfull = true;
        return false;
    }
    lb->produced_bytes += size;
    return true;
}

void label_builder_sort(struct label_builder *lb)
{
    labels_sort(lb->v, lb->n);
}

void label_builder_fini(struct label_builder *lb)
{
    mem_free(lb->v);
    *lb = (struct label_builder){ 0 };
}

/* ---- sorting */

#define ORDER_MAX 256 /* label sets up to this size remember their order */

/* How the last label set of this thread was ordered. It is a memory of names by their hash, not by
 * their address: a swept and reused address cannot bring a wrong order back. Being thread-local
 * keeps labels_sort() free of an argument that every caller would have to carry for speed alone; it
 * has no influence on the result. */
struct order_memory {
    size_t n;
    uint64_t hash[ORDER_MAX];   /* of the name at each place before sorting */
    uint16_t source[ORDER_MAX]; /* sorted[i] = unsorted[source[i]] */
};
static _Thread_local struct order_memory last_order;

static int name_cmp(const struct label *a, const struct label *b)
{
    return a->name == b->name ? 0 : span_cmp(str_span(a->name), str_span(b->name));
}

static bool order_is_known(const struct order_memory *m, const struct label *v, size_t n)
{
    if (m->n != n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (m->hash[i] != v[i].name->node.hash) {
            return false;
        }
    }
    return true;
}

static int index_cmp(const void *a, const void *b, void *labels)
{
    const struct label *v = labels;
    uint16_t ia = *(const uint16_t *)a;
    uint16_t ib = *(const uint16_t *)b;
    int c = name_cmp(&v[ia], &v[ib]);
    return c != 0 ? c : (ia > ib) - (ia < ib);
}

static void order_learn(struct order_memory *m, struct label *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        m->hash[i] = v[i].name->node.hash;
        m->source[i] = (uint16_t)i;
    }
    m->n = n;
    qsort_r(m->source, n, sizeof(m->source[0]), index_cmp, v);
}

static int label_cmp(const void *a, const void *b)
{
    return name_cmp(a, b);
}

void labels_sort(struct label *v, size_t n)
{
    if (n < 2) {
        return;
    }
    if (n > ORDER_MAX) {
        qsort(v, n, sizeof(*v), label_cmp);
        return;
    }
    struct order_memory *m = &last_order;
    if (!order_is_known(m, v, n)) {
        order_learn(m, v, n);
    }
    struct label unsorted[ORDER_MAX];
    memcpy(unsorted, v, n * sizeof(*v));
    for (size_t i = 0; i < n; i++) {
        v[i] = unsorted[m->source[i]];
    }
}

/* ---- names and UTF-8 */

size_t utf8_decode(struct span s, uint32_t *out_rune)
{
    const unsigned char *p = (const unsigned char *)s.p;
    *out_rune = p[0];
    if (p[0] < 0x80) {
        return 1;
    }
    size_t size = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint32_t rune = p[0] & (0x7fU >> size);
    bool is_valid = p[0] >= 0xc2 && p[0] <= 0xf4 && s.len >= size;
    for (size_t i = 1; is_valid && i < size; i++) {
        is_valid = (p[i] & 0xc0) == 0x80;
        rune = rune << 6 | (p[i] & 0x3fU);
    }
    if (!is_valid || rune < smallest[size] || rune > 0x10ffff ||
        (rune >= 0xd800 && rune <= 0xdfff)) {
        *out_rune = 0xfffd;
        return 1;
    }
    *out_rune = rune;
    return size;
}

bool utf8_is_valid(struct span s)
{
    size_t i = 0;
    while (i < s.len) {
        uint64_t word;
        if (s.len - i >= sizeof(word)) {
            memcpy(&word, s.p + i, sizeof(word));
            if ((word & 0x8080808080808080ULL) == 0) {
                i += sizeof(word);
                continue;
            }
        }
        uint32_t rune;
        size_t size = utf8_decode(span_from(s, i), &rune);
        if (size == 1 && rune == 0xfffd) {
            return false;
        }
        i += size;
    }
    return true;
}

bool label_name_is_valid(struct span name, enum name_scheme scheme)
{
    if (name.len == 0) {
        return false;
    }
    if (scheme == NAME_UTF8) {
        return utf8_is_valid(name);
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_letter && (i == 0 || c < '0' || c > '9')) {
            return false;
        }
    }
    return true;
}

/* ---- identity */

struct gather { /* small pieces are hashed in one go: a hash call for each would cost more than the
                   hashing */
    struct hash64_state st;
    size_t n;
    char bytes[1024];
};

static void gather_add(struct gather *g, struct span s)
{
    if (s.len > sizeof(g->bytes) - g->n) {
        hash64_add(&g->st, span_make(g->bytes, g->n));
        g->n = 0;
    }
    if (s.len > sizeof(g->bytes)) {
        hash64_add(&g->st, s);
        return;
    }
    if (s.len > 0) {
        memcpy(g->bytes + g->n, s.p, s.len);
        g->n += s.len;
    }
}

uint64_t labels_identity(struct label_builder *lb, struct span job)
{
    struct gather g;
    g.n = 0;
    hash64_begin(&g.st);
    label_builder_sort(lb);
    for (size_t i = 0; i < lb->n; i++) {
        if (!lb->v[i].name->is_meta) {
            gather_add(&g, str_span(lb->v[i].name));
            gather_add(&g, SPAN_LIT("\xff"));
            gather_add(&g, lb->v[i].value);
            gather_add(&g, SPAN_LIT("\xff"));
        }
    }
    gather_add(&g, job);
    hash64_add(&g.st, span_make(g.bytes, g.n));
    return hash64_end(&g.st);
}

#include "allocator/tenant/jobtexts.h"

#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/memorylimit.h"
#include "allocator/base/order.h"
#include "allocator/codec/spanmap.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/tenant/wire.h"

#include <stdlib.h>

#define LIST_KEY "scrape_configs:"

void jobtexts_fini(struct jobtexts *m)
{
    vec_each(&m->rows, row) {
        scrapejob_free(&row->job);
    }
    vec_fini(&m->rows);
    *m = (struct jobtexts){ 0 };
}

/* ---- lines */

static void make_hash(struct span s, uint64_t out[2])
{
    out[0] = hash64(s);
    out[1] = hash_fast(s);
}

static bool is_hash(const uint64_t a[2], const uint64_t b[2])
{
    return a[0] == b[0] && a[1] == b[1];
}

/* With its line feed. */
static struct span line_at(struct span text, size_t at)
{
    struct span rest = span_from(text, at);
    const char *end = memchr(rest.p, '\n', rest.len);

    return span_make(rest.p, end == NULL ? rest.len : (size_t)(end - rest.p) + 1);
}

static size_t indent_of(struct span line)
{
    size_t n = 0;

    while (n < line.len && line.p[n] == ' ') {
        n++;
    }
    return n;
}

static bool is_blank(struct span line, size_t indent)
{
    return indent == line.len || strchr("\r\n#", line.p[indent]) != NULL;
}

static bool is_item(struct span line, size_t indent)
{
    struct span rest = span_from(line, indent);

    return rest.len > 1 && rest.p[0] == '-' && strchr(" \r\n", rest.p[1]) != NULL;
}

/* No anchor is in it: an alias elsewhere could stand for a part of it. */
static bool is_alone(struct span text)
{
    for (const char *p = text.p; (p = memchr(p, '&', text.len - (size_t)(p - text.p))) != NULL;
         p++) {
        if (p == text.p || strchr(" \t\n[{,:-", p[-1]) != NULL) {
            return false;
        }
        if (p + 1 == text.p + text.len) {
            break;
        }
    }
    return true;
}

/* ---- the list in its file */

struct layout {
    size_t begin, end; /* of all items */
    size_t indent;
    VEC(size_t) items; /* where each begins */
};

/* Where the first line after the only LIST_KEY begins; SIZE_MAX: there is none such. */
static size_t find_list(struct span text)
{
    size_t at = span_find(text, LIST_KEY);

    if (at == SIZE_MAX || span_find(span_from(text, at + 1), LIST_KEY) != SIZE_MAX) {
        return SIZE_MAX;
    }
    size_t end = at + strlen(LIST_KEY);
    struct span rest = line_at(text, end);
    bool is_bare =
        is_blank(rest, indent_of(rest)) && rest.len > 0 && rest.p[indent_of(rest)] == '\n';
    return is_bare ? end + rest.len : SIZE_MAX;
}

/* The items from 'at' on, up to the first line that is none of the list. */
static void find_items(struct span text, size_t at, struct layout *l)
{
    size_t last = at;

    l->begin = at;
    while (at < text.len) {
        struct span line = line_at(text, at);
        size_t indent = indent_of(line);
        if (!is_blank(line, indent)) {
            bool is_new = is_item(line, indent) && (l->items.n == 0 || indent == l->indent);
            if (!is_new && (l->items.n == 0 || indent <= l->indent)) {
                break;
            }
            if (is_new) {
                l->indent = indent;
                *vec_push(&l->items) = at;
            }
            last = at + line.len;
        }
        at += line.len;
    }
    l->end = last;
}

static bool find_layout(struct span text, struct layout *l)
{
    size_t at = find_list(text);

    *l = (struct layout){ 0 };
    if (at == SIZE_MAX || span_find(text, WIRE_ANNOTATION) != SIZE_MAX) {
        return false;
    }
    find_items(text, at, l);
    if (l->items.n == 0 || text.p[l->end - 1] != '\n' ||
        !is_alone(span_make(text.p + l->begin, l->end - l->begin))) {
        vec_fini(&l->items);
        return false;
    }
    l->begin = l->items.v[0]; /* what comments are before it belong to the head */
    return true;
}

static struct span item_of(struct span text, const struct layout *l, size_t i)
{
    size_t end = i + 1 < l->items.n ? l->items.v[i + 1] : l->end;

    return span_make(text.p + l->items.v[i], end - l->items.v[i]);
}

static void note_frame(struct jobtexts *m, struct span text, const struct layout *l)
{
    struct span tail = span_from(text, l->end);

    m->indent = l->indent;
    m->head_len = l->begin;
    m->tail_len = tail.len;
    make_hash(span_make(text.p, l->begin), m->head);
    make_hash(tail, m->tail);
}

static bool has_frame_of(const struct jobtexts *a, const struct jobtexts *b)
{
    return a->indent == b->indent && a->head_len == b->head_len && a->tail_len == b->tail_len &&
           is_hash(a->head, b->head) && is_hash(a->tail, b->tail);
}

/* ---- learning */

static bool is_plain(const struct tenants *t, const struct faults *f)
{
    return f->n == 0 && t->n == 1 && t->gaps.n == 0 && t->left.n == 0 && t->passed_over.n == 0 &&
           t->v[0]->jobs.refused.n == 0;
}

void jobtexts_learn(struct jobtexts *m, struct span text, const struct tenants *tenants,
                    const struct faults *faults)
{
    struct layout l;

    jobtexts_fini(m);
    if (!is_plain(tenants, faults) || !find_layout(text, &l)) {
        return;
    }
    const struct scrapejobs *jobs = &tenants->v[0]->jobs;
    if (jobs->n == l.items.n) {
        note_frame(m, text, &l);
        for (size_t i = 0; i < l.items.n; i++) {
            struct jobtext *row = vec_push(&m->rows);
            make_hash(item_of(text, &l, i), row->hash);
            row->job = scrapejob_remember(jobs->v[i]);
        }
    }
    vec_fini(&l.items);
}

/* ---- reducing */

static int compare_rows(const void *a, const void *b)
{
    const struct jobtext *x = *(struct jobtext *const *)a, *y = *(struct jobtext *const *)b;

    return x->hash[0] != y->hash[0] ? order_u64(x->hash[0], y->hash[0])
                                    : order_u64(x->hash[1], y->hash[1]);
}

struct known { /* rows by hash */
    const struct jobtext **v;
    size_t n;
};

static const struct jobtext *look_up(const struct known *k, const struct jobtext *row)
{
    const struct jobtext **found =
        bsearch(&row, (void *)k->v, k->n, sizeof(struct jobtext *), compare_rows);

    return found == NULL ? NULL : *found;
}

/* It is one item and nothing else, by itself. */
static bool is_whole(struct span item)
{
    struct arena arena;
    struct node *root = NULL;
    struct err err;

    arena_init(&arena);
    bool is = yamldoc_parse(item, &arena, &root, &err) == 0 && root != NULL &&
              root->type == NODE_LIST && root->style == NODE_BLOCK && root->n == 1 &&
              root->items[0]->type == NODE_MAP;
    arena_fini(&arena);
    return is;
}

static bool reduce_items(const struct known *known, struct span text, const struct layout *l,
                         struct buf *out_text, struct jobtexts *out)
{
    size_t n_new = 0;

    for (size_t i = 0; i < l->items.n; i++) {
        struct span item = item_of(text, l, i);
        struct jobtext *row = vec_push(&out->rows);
        *row = (struct jobtext){ 0 };
        make_hash(item, row->hash);
        const struct jobtext *before = look_up(known, row);
        bool is_last_chance =
            n_new == 0 && i + 1 == l->items.n; /* a list without jobs is a fault */
        if (before != NULL && !is_last_chance) {
            row->job = scrapejob_remember(before->job);
            continue;
        }
        n_new++;
        buf_add_span(out_text, item);
        if (!is_whole(item)) {
            return false;
        }
    }
    return buf_error(out_text) == 0;
}

bool jobtexts_reduce(const struct jobtexts *m, struct span text, struct buf *out_text,
                     struct jobtexts *out)
{
    struct layout l;

    *out = (struct jobtexts){ 0 };
    if (m->rows.n == 0 || !find_layout(text, &l)) {
        return false;
    }
    note_frame(out, text, &l);
    bool is_good = has_frame_of(m, out);
    if (is_good) {
        struct known known = { mem_array(m->rows.n, sizeof(struct jobtext *)), m->rows.n };
        for (size_t i = 0; i < m->rows.n; i++) {
            known.v[i] = &m->rows.v[i];
        }
        qsort((void *)known.v, known.n, sizeof(struct jobtext *), compare_rows);
        buf_add(out_text, text.p, l.begin);
        is_good = reduce_items(&known, text, &l, out_text, out);
        buf_add_span(out_text, span_from(text, l.end));
        is_good = is_good && buf_error(out_text) == 0;
        mem_free((void *)known.v);
    }
    vec_fini(&l.items);
    if (!is_good) {
        jobtexts_fini(out);
    }
    return is_good;
}

/* ---- restoring */

/* None has a name twice, and they are far from what all together may cost. */
static bool are_within_bounds(const struct scrapejobs *jobs)
{
    struct regex_budget most = regex_budget_new();
    struct spanmap names;
    size_t memory = 0, work = 0, weight = 0;
    bool is_good = true;

    spanmap_init(&names, NULL);
    for (size_t i = 0; i < jobs->n; i++) {
        is_good = spanmap_put(&names, jobs->v[i]->name, jobs->v[i]) && is_good;
        memory += jobs->v[i]->patterns.memory_left;
        work += jobs->v[i]->patterns.work_left;
        weight += jobs->v[i]->weight;
    }
    spanmap_fini(&names);
    return is_good && memory < most.memory_left / 2 && work < most.work_left / 2 &&
           weight <= memorylimit_jobs(memorylimit_bytes());
}

bool jobtexts_restore(const struct jobtexts *reduced, struct tenants *tenants,
                      const struct faults *faults)
{
    size_t n_new = 0, k = 0;

    vec_each(&reduced->rows, row) {
        n_new += row->job == NULL;
    }
    if (!is_plain(tenants, faults) || tenants->v[0]->jobs.n != n_new) {
        return false;
    }
    struct scrapejobs *jobs = &tenants->v[0]->jobs, all = { 0 };
    vec_each(&reduced->rows, row) {
        *vec_push(&all) = row->job == NULL ? jobs->v[k++] : scrapejob_remember(row->job);
    }
    vec_fini(jobs);
    jobs->v = all.v;
    jobs->n = all.n;
    jobs->cap = all.cap;
    return are_within_bounds(jobs);
}

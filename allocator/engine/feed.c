#include "allocator/engine/feed.h"

#include "allocator/engine/tenantkey.h"

#include <stdlib.h>
#include <string.h>

void feed_init(struct feed *f, struct mailbox *engine)
{
    *f = (struct feed){ .engine = engine };
}

static void free_row(struct feed_row *row)
{
    mem_free(row->ns);
    mem_free(row->name);
    mem_free(row->file);
}

void feed_fini(struct feed *f)
{
    vec_each(&f->rows, row) {
        free_row(row);
    }
    vec_fini(&f->rows);
}

static int compare_tenants(const void *a, const void *b)
{
    const struct tenant *x = *(struct tenant *const *)a, *y = *(struct tenant *const *)b;
    return tenant_compare(x->ns, x->name, y->ns, y->name);
}

static bool is_key(const uint64_t a[2], const uint64_t b[2])
{
    return a[0] == b[0] && a[1] == b[1];
}

/* Tells about what goes, its collectors too. */
static void tell_gone(struct feed *f, struct feed_row *row)
{
    struct span ns = span_of(row->ns), name = span_of(row->name);
    struct collectorlist none;

    collectorlist_init(&none);
    mailbox_post_quietly(f->engine, tenantmail_gone(ns, name));
    mailbox_post_quietly(f->engine, tenantmail_collectors(ns, name, &none));
    free_row(row);
}

/* 'before' is what was told of it, or NULL. Moves '*tenant'; true when there was something to tell.
 */
static bool tell_one(struct feed *f, const struct feed_row *before, struct tenant **tenant,
                     struct feed_row *row)
{
    struct tenant *t = *tenant;

    tenantkey_make(t);
    memcpy(row->key, t->key, sizeof(row->key));
    collectorlist_key(&t->collectors, row->collectors_key);
    bool has_list = before == NULL || !is_key(row->collectors_key, before->collectors_key);
    bool has_tenant = before == NULL || !is_key(row->key, before->key);
    if (before == NULL) {
        row->ns = mem_strndup(t->ns.len == 0 ? "" : t->ns.p, t->ns.len);
        row->name = mem_strndup(t->name.len == 0 ? "" : t->name.p, t->name.len);
    } else {
        row->ns = before->ns;
        row->name = before->name;
        mem_free(before->file);
    }
    row->file = mem_strndup(t->file.len == 0 ? "" : t->file.p, t->file.len);
    if (has_list) {
        mailbox_post_quietly(f->engine, tenantmail_collectors(t->ns, t->name, &t->collectors));
    }
    if (has_tenant) {
        mailbox_post_quietly(f->engine, tenantmail_tenant(tenant));
    }
    tenant_free(tenant);
    return has_list || has_tenant;
}

/* It is not among the tenants: whether it is missing or gone. Moves '*row'. */
static size_t pass_row(struct feed *f, struct feed_row *row, const struct gaps *gaps,
                       struct feed_row *rows, size_t *n_rows)
{
    if (gaps_cover(gaps, row->file, span_of(row->ns), span_of(row->name))) {
        rows[(*n_rows)++] = *row;
        return 0;
    }
    tell_gone(f, row);
    return 1;
}

size_t feed_tell(struct feed *f, struct tenants *tenants)
{
    const struct gaps *gaps = &tenants->gaps;
    struct feed_row *rows = mem_array(tenants->n + f->rows.n + 1, sizeof(*rows));
    size_t n_told = 0, n_rows = 0, k = 0;

    if (tenants->n > 1) {
        qsort(tenants->v, tenants->n, sizeof(struct tenant *), compare_tenants);
    }
    for (size_t i = 0; i < tenants->n; i++) { /* one merge of two sorted lists */
        const struct tenant *t = tenants->v[i];
        int c = 1;
        while (k < f->rows.n &&
               (c = tenant_compare(span_of(f->rows.v[k].ns), span_of(f->rows.v[k].name), t->ns,
                                   t->name)) < 0) {
            n_told += pass_row(f, &f->rows.v[k++], gaps, rows, &n_rows);
        }
        bool is_known = k < f->rows.n && c == 0;
        n_told += tell_one(f, is_known ? &f->rows.v[k] : NULL, &tenants->v[i], &rows[n_rows++]);
        k += is_known;
    }
    for (; k < f->rows.n; k++) {
        n_told += pass_row(f, &f->rows.v[k], gaps, rows, &n_rows);
    }
    size_t cap = tenants->n + f->rows.n + 1;
    mem_free(f->rows.v);
    f->rows.v = rows;
    f->rows.n = n_rows;
    f->rows.cap = cap;
    (void)feed_put_gaps(f, &tenants->gaps);
    vec_clear(tenants);
    tenants_fini(tenants);
    feed_complete(f);
    return n_told;
}

/* ---- piece by piece */

bool feed_put_gaps(struct feed *f, struct gaps *gaps)
{
    if (gaps->n == 0 && !f->has_gaps) {
        return false;
    }
    f->has_gaps = gaps->n > 0;
    mailbox_post_quietly(f->engine, tenantmail_gaps(gaps));
    return true;
}

void feed_complete(struct feed *f)
{
    mailbox_post_quietly(f->engine, tenantmail_complete());
    mailbox_ring(f->engine);
}

/* Where it is, or would be. */
static size_t seek_row(const struct feed *f, struct span ns, struct span name, bool *out_is_there)
{
    size_t low = 0, high = f->rows.n;

    *out_is_there = false;
    while (low < high && !*out_is_there) {
        size_t mid = low + (high - low) / 2;
        const struct feed_row *row = &f->rows.v[mid];
        int c = tenant_compare(span_of(row->ns), span_of(row->name), ns, name);
        if (c < 0) {
            low = mid + 1;
        } else {
            high = mid;
            *out_is_there = c == 0;
        }
    }
    return high;
}

static struct feed_row *find_row(struct feed *f, struct span ns, struct span name)
{
    bool is_there;
    size_t i = seek_row(f, ns, name, &is_there);

    return is_there ? &f->rows.v[i] : NULL;
}

bool feed_put(struct feed *f, struct tenant **tenant)
{
    struct feed_row row;
    bool is_there;
    size_t i = seek_row(f, (*tenant)->ns, (*tenant)->name, &is_there);
    bool is_told = tell_one(f, is_there ? &f->rows.v[i] : NULL, tenant, &row);

    if (!is_there) {
        (void)vec_push(&f->rows);
        memmove(&f->rows.v[i + 1], &f->rows.v[i], (f->rows.n - 1 - i) * sizeof(row));
    }
    f->rows.v[i] = row;
    return is_told;
}

bool feed_drop(struct feed *f, struct span ns, struct span name)
{
    bool is_there;
    size_t i = seek_row(f, ns, name, &is_there);

    if (is_there) {
        tell_gone(f, &f->rows.v[i]);
        f->rows.n--;
        memmove(&f->rows.v[i], &f->rows.v[i + 1], (f->rows.n - i) * sizeof(f->rows.v[0]));
    }
    return is_there;
}

bool feed_tell_collectors(struct feed *f, struct span ns, struct span name,
                          struct collectorlist *list)
{
    struct feed_row *row = find_row(f, ns, name);
    uint64_t key[2];

    collectorlist_key(list, key);
    if (row == NULL || is_key(key, row->collectors_key)) {
        collectorlist_fini(list);
        return false;
    }
    memcpy(row->collectors_key, key, sizeof(key));
    mailbox_post_quietly(f->engine, tenantmail_collectors(ns, name, list));
    feed_complete(f);
    return true;
}

void feed_forget(struct feed *f, struct span ns, struct span name)
{
    struct feed_row *row = find_row(f, ns, name);

    if (row != NULL) {
        memset(row->key, 0, sizeof(row->key));
    }
}

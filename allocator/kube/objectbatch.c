#include "allocator/kube/objectbatch.h"

#include <assert.h>

struct objectbatch {
    struct ref ref;
    char *text;
    size_t n;
    struct objectrow *rows;
};

size_t objectbatch_count(const struct objectbatch *b)
{
    return b->n;
}

struct objectevent objectbatch_at(const struct objectbatch *b, size_t i)
{
    assert(i < b->n);
    const struct objectrow *row = &b->rows[i];
    const char *p = b->text + row->at;

    return (struct objectevent){
        .kind = row->kind,
        .object = { p, row->object_len },
        .key = { p + row->object_len, row->key_len },
        .version = { p + row->object_len + row->key_len, row->version_len },
    };
}

struct objectbatch *objectbatch_ref(struct objectbatch *b)
{
    ref_get(&b->ref);
    return b;
}

void objectbatch_free(struct objectbatch **batch)
{
    struct objectbatch *b = *batch;

    *batch = NULL;
    if (b != NULL && ref_put(&b->ref)) {
        mem_free(b->text);
        mem_free(b->rows);
        mem_free(b);
    }
}

/* ---- drafts */

void objectdraft_init(struct objectdraft *d, size_t max_bytes)
{
    *d = (struct objectdraft){ 0 };
    buf_init(&d->text, max_bytes);
}

void objectdraft_mark(struct objectdraft *d, enum objectevent_kind kind)
{
    *vec_push(&d->rows) = (struct objectrow){ .kind = kind, .at = d->used };
}

void objectdraft_add(struct objectdraft *d, enum objectevent_kind kind, size_t object_len,
                     struct span key, struct span version)
{
    struct objectrow *row = vec_push(&d->rows);

    *row = (struct objectrow){
        .kind = kind,
        .object_len = (uint32_t)object_len,
        .key_len = (uint32_t)key.len,
        .version_len = (uint32_t)version.len,
        .at = d->text.len - object_len,
    };
    buf_add_span(&d->text, key);
    buf_add_span(&d->text, version);
    assert(buf_error(&d->text) == 0); /* it holds much more than one batch can have */
    d->used = d->text.len;
}

void objectdraft_replace(struct objectdraft *d, size_t object_len, struct span key,
                         struct span version)
{
    *vec_push(&d->rows) =
        (struct objectrow){ .kind = OBJECT_GONE, .key_len = (uint32_t)key.len, .at = d->text.len };
    objectdraft_add(d, OBJECT_SET, object_len, key, version); /* its key comes there */
}

void objectdraft_forget_rest(struct objectdraft *d)
{
    const size_t used = d->used;

    if (buf_error(&d->text) != 0) {
        d->text.error = 0;
    }
    d->text.len = used;
}

struct objectbatch *objectdraft_take(struct objectdraft *d)
{
    if (d->rows.n == 0) {
        return NULL;
    }
    struct objectbatch *b = mem_zalloc(sizeof(*b));
    AUTO_STR rest =
        mem_strndup(d->text.p == NULL ? "" : d->text.p + d->used, d->text.len - d->used);
    const size_t rest_len = d->text.len - d->used;
    size_t len;

    ref_init(&b->ref);
    b->text = buf_take(&d->text, &len);
    b->n = d->rows.n;
    b->rows = d->rows.v;
    d->rows.v = NULL;
    d->rows.n = d->rows.cap = 0;
    d->used = 0;
    buf_add(&d->text, rest, rest_len);
    return b;
}

void objectdraft_fini(struct objectdraft *d)
{
    buf_fini(&d->text);
    vec_fini(&d->rows);
}

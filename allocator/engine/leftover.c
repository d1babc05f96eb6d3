#include "allocator/engine/leftover.h"

#include "allocator/base/limits.h"
#include "allocator/codec/zlib.h"

#include <assert.h>

#define CHUNK_BYTES (64 * KIB)
#define PLAIN_BYTES (4 * KIB) /* less is not worth the time */
#define PACK_LEVEL 1

/* A target in the text of a chunk: these, 'own', and 'tail' if it is another one than before. */
struct head {
    uint32_t own_len, tail_len; /* SAME: the tail of the target before */
};
#define SAME UINT32_MAX

static void close_chunk(struct leftover *l)
{
    struct leftover_chunk *c = vec_push(&l->chunks);
    struct buf packed;

    *c = (struct leftover_chunk){ .plain_len = l->text.len };
    buf_init(&packed, l->text.len);
    if (l->text.len >= PLAIN_BYTES) {
        zlib_deflate(buf_span(&l->text), PACK_LEVEL, &packed);
    }
    if (packed.len > 0 && buf_error(&packed) == 0 && packed.len < l->text.len) {
        c->bytes = mem_strndup(packed.p, packed.len);
        c->len = packed.len;
    } else {
        c->bytes = mem_strndup(l->text.p, l->text.len);
        c->len = l->text.len;
    }
    buf_fini(&packed);
    buf_clear(&l->text);
    l->tail_len = 0;
}

struct leftover *leftover_new(bool is_whole)
{
    struct leftover *l = mem_zalloc(sizeof(*l));

    l->n_refs = 1;
    l->is_whole = is_whole;
    return l;
}

struct leftover *leftover_ref(struct leftover *l)
{
    if (l != NULL) {
        l->n_refs++;
    }
    return l;
}

void leftover_add(struct leftover *l, struct span own, struct span tail)
{
    if (l->text.max == 0) {
        buf_init(&l->text, SIZE_MAX / 2); /* a target is capped where it is rendered */
    }
    bool is_same = l->tail_len > 0 && span_eq(span_make(l->text.p + l->tail_at, l->tail_len), tail);
    const struct head head = { (uint32_t)own.len, is_same ? SAME : (uint32_t)tail.len };
    buf_add(&l->text, &head, sizeof(head));
    buf_add_span(&l->text, own);
    if (!is_same) {
        l->tail_at = l->text.len;
        l->tail_len = tail.len;
        buf_add_span(&l->text, tail);
    }
    if (l->text.len >= CHUNK_BYTES) {
        close_chunk(l);
    }
}

void leftover_close(struct leftover *l)
{
    if (l->text.len > 0) {
        close_chunk(l);
    }
    buf_fini(&l->text);
}

static void show_text(struct span text, leftover_fn *fn, void *arg)
{
    struct span tail = SPAN_LIT("");
    struct head head;

    while (text.len > 0) {
        memcpy(&head, text.p, sizeof(head));
        text = span_from(text, sizeof(head));
        struct span own = span_make(text.p, head.own_len);
        text = span_from(text, head.own_len);
        if (head.tail_len != SAME) {
            tail = span_make(text.p, head.tail_len);
            text = span_from(text, head.tail_len);
        }
        fn(arg, own, tail);
    }
}

void leftover_each(const struct leftover *l, leftover_fn *fn, void *arg)
{
    vec_each(&l->chunks, c) {
        if (c->len == c->plain_len) {
            show_text(span_make(c->bytes, c->len), fn, arg);
            continue;
        }
        AUTO_BUF plain;
        buf_init(&plain, c->plain_len);
        int rc = zlib_inflate(span_make(c->bytes, c->len), &plain, NULL);
        assert(rc == 0); /* our own bytes */
        show_text(buf_span(&plain), fn, arg);
    }
}

static size_t weigh(const struct leftover *l)
{
    size_t bytes = sizeof(*l);

    vec_each(&l->chunks, c) {
        bytes += sizeof(*c) + c->len;
    }
    return bytes;
}

void leftover_charge(struct leftover *l, size_t *account)
{
    if (l->account == NULL) {
        l->account = account;
        *account += weigh(l);
    }
}

size_t leftover_weight(const struct leftover *l)
{
    return l == NULL || l->n_refs > 1 ? 0 : weigh(l);
}

void leftover_unref(struct leftover **left)
{
    struct leftover *l = *left;

    *left = NULL;
    if (l == NULL || --l->n_refs > 0) {
        return;
    }
    if (l->account != NULL) {
        *l->account -= weigh(l);
    }
    vec_each(&l->chunks, c) {
        mem_free(c->bytes);
    }
    vec_fini(&l->chunks);
    buf_fini(&l->text);
    mem_free(l);
}

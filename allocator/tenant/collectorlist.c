#include "allocator/tenant/collectorlist.h"

#include "allocator/base/buf.h"
#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/codec/spanmap.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

void collectorlist_init(struct collectorlist *l)
{
    *l = (struct collectorlist){ 0 };
    arena_init(&l->arena);
}

void collectorlist_fini(struct collectorlist *l)
{
    arena_fini(&l->arena);
    l->v = NULL;
    l->n = 0;
}

static void make_room(struct collectorlist *l, size_t n)
{
    l->v = arena_zalloc(&l->arena, (n + 1) * sizeof(*l->v));
}

/* ---- the text of --collectors */

/* The form that peers are compared in. */
static int read_address(struct collectorlist *l, struct span text, struct span *out,
                        struct err *err)
{
    const char *given = arena_strndup(&l->arena, text.p, text.len);
    char address[INET6_ADDRSTRLEN];
    unsigned char bytes[sizeof(struct in6_addr)];
    int family = strchr(given, ':') == NULL ? AF_INET : AF_INET6;

    if (inet_pton(family, given, bytes) != 1) {
        return err_set(err, ERR_INVALID, "a list of NAME, NAME@NODE or NAME=IP-ADDRESS");
    }
    *out = arena_span(&l->arena, span_of(inet_ntop(family, bytes, address, sizeof(address))));
    return 0;
}

/* Cuts 'text' before the first 'mark'; what is after it, or nothing. */
static struct span cut(struct span *text, char mark)
{
    const char *at = text->len == 0 ? NULL : memchr(text->p, mark, text->len);

    if (at == NULL) {
        return SPAN_LIT("");
    }
    size_t len = (size_t)(at - text->p);
    struct span rest = span_from(*text, len + 1);
    text->len = len;
    return rest;
}

static bool has_blanks(struct span item)
{
    for (size_t i = 0; i < item.len; i++) {
        if (!isgraph((unsigned char)item.p[i])) {
            return true;
        }
    }
    return false;
}

/* Pods are named by letters, digits, '-' and '.'; others may name collectors more freely, but a
 * name that begins with anything else is a slip. */
static int read_item(struct collectorlist *l, struct span item, struct spanmap *seen,
                     struct err *err)
{
    struct span name = item, address = cut(&name, '='), node = cut(&name, '@');
    bool has_address = item.len > 0 && memchr(item.p, '=', item.len) != NULL;

    if (name.len == 0 || (item.len == name.len + 1 && item.p[name.len] == '@')) {
        return err_set(err, ERR_INVALID,
                       "a list of NAME, NAME@NODE or NAME=IP-ADDRESS: a name is empty");
    }
    if (!isalnum((unsigned char)name.p[0])) {
        return err_set(err, ERR_INVALID, "a list of names or a number from 1 to 65534");
    }
    if (has_blanks(item)) {
        return err_set(err, ERR_INVALID, "a list of names: there are blanks in it");
    }
    if (!spanmap_put(seen, name, NULL)) {
        return err_set(err, ERR_INVALID, "a list of different names: one is given twice");
    }
    struct strategy_collector *c = &l->v[l->n++];
    c->name = arena_span(&l->arena, name);
    c->node = arena_span(&l->arena, node);
    c->address = SPAN_LIT("");
    return has_address ? read_address(l, address, &c->address, err) : 0;
}

int collectorlist_parse(struct collectorlist *l, struct span text, struct err *err)
{
    struct spanmap seen;
    size_t n = 1;
    int rc = 0;

    for (size_t i = 0; i < text.len; i++) {
        n += text.p[i] == ',';
    }
    if (n > LIMIT_COLLECTORS) {
        return err_set(err, ERR_INVALID, "a list of at most %d names", LIMIT_COLLECTORS);
    }
    make_room(l, n);
    spanmap_init(&seen, NULL);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct span item = text;
        text = cut(&item, ',');
        rc = read_item(l, item, &seen, err);
    }
    spanmap_fini(&seen);
    return rc;
}

/* ---- from elsewhere */

void collectorlist_number(struct collectorlist *l, const char *set, size_t n)
{
    make_room(l, n);
    for (; l->n < n; l->n++) {
        const char *name = arena_printf(&l->arena, "%s-%zu", set, l->n);
        l->v[l->n] = (struct strategy_collector){ span_of(name), SPAN_LIT(""), SPAN_LIT("") };
    }
}

void collectorlist_copy(struct collectorlist *l, const struct collectorlist *from)
{
    make_room(l, from->n);
    for (; l->n < from->n; l->n++) {
        const struct strategy_collector *c = &from->v[l->n];
        l->v[l->n] = (struct strategy_collector){ arena_span(&l->arena, c->name),
                                                  arena_span(&l->arena, c->node),
                                                  arena_span(&l->arena, c->address) };
    }
}

void collectorlist_key(const struct collectorlist *l, uint64_t out_key[2])
{
    AUTO_BUF bytes;

    buf_init(&bytes, SIZE_MAX / 2);
    for (size_t i = 0; i < l->n; i++) {
        const struct span texts[] = { l->v[i].name, l->v[i].node, l->v[i].address };
        for (size_t k = 0; k < 3; k++) {
            buf_add(&bytes, (const char *)&texts[k].len, sizeof(texts[k].len));
            buf_add_span(&bytes, texts[k]);
        }
    }
    out_key[0] = hash64(buf_span(&bytes));
    out_key[1] = hash_fast(buf_span(&bytes));
}

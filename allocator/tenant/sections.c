#include "allocator/tenant/sections.h"

#include "allocator/base/limits.h"
#include "allocator/codec/nodeedit.h"
#include "allocator/codec/spanmap.h"
#include "allocator/tenant/wire.h"

#define HTTP_SD "http_sd_configs"

/* Sorted insertion; the caller made room. A job has a handful of sections. */
static void insert(struct sections *s, struct span name, const struct node *value)
{
    size_t at = s->n;

    while (at > 0 && span_cmp(s->v[at - 1].name, name) > 0) {
        s->v[at] = s->v[at - 1];
        at--;
    }
    s->v[at] = (struct section){ .name = name, .value = value };
    s->n++;
}

/* Does this item of http_sd_configs hold a URL of ours? */
static bool is_own_item(const struct node *item, struct arena *arena, struct own_entry *out)
{
    struct span url;

    if (item == NULL || item->type != NODE_MAP || !node_as_text(node_get(item, "url"), &url)) {
        return false;
    }
    if (!wire_url_is_ours(url, arena, &out->job.text, &out->receiver)) {
        return false;
    }
    out->url = url;
    out->options = item->n > 1 ? item : NULL;
    out->is_there = true;
    return true;
}

/* The section without our own items; NULL when nothing is left. */
static const struct node *without_own(const struct node *list, struct arena *arena,
                                      struct own_entry *out_own)
{
    if (list->type != NODE_LIST) {
        return list;
    }
    struct node **items = arena_alloc(arena, (list->n + 1) * sizeof(struct node *));
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        struct own_entry entry = { .is_there = false };
        if (!is_own_item(list->items[i], arena, &entry)) {
            items[n++] = list->items[i];
        } else if (!out_own->is_there) {
            *out_own = entry;
        }
    }
    out_own->is_alone = n == 0 && list->n == 1;
    return n == list->n ? list : n == 0 ? NULL : nodeedit_list(arena, items, n);
}

static bool is_empty_list(const struct node *value)
{
    return node_is_null(value) || (value->type == NODE_LIST && value->n == 0);
}

/* With 'http' in place of its http_sd_configs. */
static void collect(const struct node *job, const struct node *http, bool has_own,
                    struct arena *arena, struct sections *out)
{
    size_t n = 0;

    for (size_t i = 0; i < job->n; i++) {
        n += wire_is_sd_key(job->pairs[i].key->text) ? 1U : 0U;
    }
    *out = (struct sections){ .v = arena_alloc(arena, (n + 1) * sizeof(struct section)) };
    for (size_t i = 0; i < job->n; i++) {
        struct span name = job->pairs[i].key->text;
        /* A merged section may be hidden by an own one. */
        if (!wire_is_sd_key(name) || node_get_span(job, name) != job->pairs[i].value) {
            continue;
        }
        const struct node *value = span_is(name, HTTP_SD) ? http : job->pairs[i].value;
        if (value != NULL && !(has_own && is_empty_list(value))) {
            insert(out, name, value);
        }
    }
}

void sections_of_job(const struct node *job, struct arena *arena, struct sections *out,
                     struct own_entry *out_own)
{
    const struct node *http = node_get(job, HTTP_SD);

    *out_own = (struct own_entry){ .is_there = false };
    http = http == NULL ? NULL : without_own(http, arena, out_own);
    collect(job, http, out_own->is_there, arena, out);
}

void sections_as_written(const struct node *job, struct arena *arena, struct sections *out)
{
    collect(job, node_get(job, HTTP_SD), false, arena, out);
}

void sections_of_map(const struct node *map, struct arena *arena, struct sections *out)
{
    size_t n = map == NULL || map->type != NODE_MAP ? 0 : map->n;

    *out = (struct sections){ .v = arena_alloc(arena, (n + 1) * sizeof(struct section)) };
    for (size_t i = 0; i < n; i++) {
        if (wire_is_sd_key(map->pairs[i].key->text)) {
            insert(out, map->pairs[i].key->text, map->pairs[i].value);
        }
    }
}

static struct span canonical(const struct node *n, struct arena *arena)
{
    AUTO_BUF json = { 0 };

    buf_init(&json, LIMIT_DOCUMENT_BYTES);
    node_write_json(n, &json);
    return arena_span(arena, buf_span(&json));
}

static const struct node *join_lists(const struct node *stored, const struct node *added,
                                     struct arena *arena)
{
    if (stored->type != NODE_LIST || added->type != NODE_LIST) {
        return added;
    }
    struct node **items = arena_alloc(arena, (stored->n + added->n + 1) * sizeof(struct node *));
    size_t n = stored->n;
    struct spanmap seen;
    spanmap_init(&seen, arena);
    for (size_t i = 0; i < n; i++) {
        items[i] = stored->items[i];
        (void)spanmap_put(&seen, canonical(items[i], arena), items[i]);
    }
    for (size_t i = 0; i < added->n; i++) {
        if (spanmap_put(&seen, canonical(added->items[i], arena), added->items[i])) {
            items[n++] = added->items[i];
        }
    }
    spanmap_fini(&seen);
    return n == stored->n ? stored : nodeedit_list(arena, items, n);
}

void sections_join(const struct sections *stored, const struct sections *added, struct arena *arena,
                   struct sections *out)
{
    struct sections all = { .v = arena_alloc(arena,
                                             (stored->n + added->n + 1) * sizeof(struct section)) };
    size_t a = 0, b = 0;

    while (a < stored->n || b < added->n) {
        int order = a == stored->n  ? 1
                    : b == added->n ? -1
                                    : span_cmp(stored->v[a].name, added->v[b].name);
        if (order < 0) {
            all.v[all.n++] = stored->v[a++];
        } else if (order > 0) {
            all.v[all.n++] = added->v[b++];
        } else {
            insert(&all, stored->v[a].name,
                   join_lists(stored->v[a].value, added->v[b].value, arena));
            a++;
            b++;
        }
    }
    *out = all;
}

const struct node *sections_put(const struct sections *s, const struct node *job,
                                struct arena *arena)
{
    struct node_pair *pairs = arena_alloc(arena, (job->n + s->n + 1) * sizeof(*pairs));
    size_t n = 0;

    for (size_t i = 0; i < job->n; i++) {
        if (!wire_is_sd_key(job->pairs[i].key->text)) {
            pairs[n++] = job->pairs[i];
        }
    }
    for (size_t i = 0; i < s->n; i++) {
        struct node *key = nodeedit_text(arena, s->v[i].name);
        key->line = s->v[i].value->line;
        pairs[n++] =
            (struct node_pair){ .key = key, .value = (struct node *)(uintptr_t)s->v[i].value };
    }
    struct node *map = nodeedit_map(arena, pairs, n);
    map->line = job->line;
    return map;
}

void sections_write(const struct sections *s, struct buf *out)
{
    buf_add_char(out, '{');
    for (size_t i = 0; i < s->n; i++) {
        if (i > 0) {
            buf_add_char(out, ',');
        }
        buf_add_json(out, s->v[i].name);
        buf_add_char(out, ':');
        node_write_json(s->v[i].value, out);
    }
    buf_add_char(out, '}');
}

static bool has_nul(struct span s)
{
    return s.len > 0 && memchr(s.p, '\0', s.len) != NULL;
}

/* In JSON a NUL has to be escaped.
 * NOLINTNEXTLINE(misc-no-recursion): parsers cap the depth */
const struct node *sections_find_nul(const struct node *n)
{
    if (n->canonical != NULL) {
        return NULL;
    }
    const struct node *found = n->type == NODE_SCALAR && has_nul(n->text) ? n : NULL;
    for (size_t i = 0; n->type == NODE_LIST && i < n->n && found == NULL; i++) {
        found = sections_find_nul(n->items[i]);
    }
    for (size_t i = 0; n->type == NODE_MAP && i < n->n && found == NULL; i++) {
        found =
            has_nul(n->pairs[i].key->text) ? n->pairs[i].key : sections_find_nul(n->pairs[i].value);
    }
    return found;
}

/* NOLINTNEXTLINE(misc-no-recursion): parsers cap the depth */
void sections_push_nul(const struct node *n, struct faults *f)
{
    for (size_t i = 0; n->type == NODE_LIST && i < n->n; i++) {
        if (sections_find_nul(n->items[i]) != NULL) {
            faults_push_index(f, i);
            sections_push_nul(n->items[i], f);
            return;
        }
    }
    for (size_t i = 0; n->type == NODE_MAP && i < n->n; i++) {
        const struct node_pair *pair = &n->pairs[i];
        if (has_nul(pair->key->text) || sections_find_nul(pair->value) != NULL) {
            faults_push(f, "%.*s", SPAN_ARG(pair->key->text));
            sections_push_nul(pair->value, f);
            return;
        }
    }
}

#include "allocator/scrape/scrapememo.h"

#include "allocator/base/hash.h"
#include "allocator/base/limits.h"

#include <assert.h>

void scrapememo_init(struct scrapememo *m)
{
    table_init(&m->jobs);
    buf_init(&m->key, LIMIT_DOCUMENT_BYTES * 4);
}

void scrapememo_fini(struct scrapememo *m)
{
    assert(m->jobs.n == 0);
    table_fini(&m->jobs);
    buf_fini(&m->key);
}

static void add_bytes(struct buf *out, const void *p, size_t n)
{
    buf_add(out, (const char *)p, n);
}

static void add_text(struct buf *out, struct span s)
{
    add_bytes(out, &s.len, sizeof(s.len));
    buf_add_span(out, s);
}

/* Everything a reader of the tree can see but where it stands.
 * NOLINTNEXTLINE(misc-no-recursion): documents are at most LIMIT_DEPTH deep. */
static void add_node(struct buf *out, const struct node *n)
{
    if (n == NULL) {
        buf_add_char(out, '0');
        return;
    }
    const unsigned char head[] = { '1', (unsigned char)n->type, (unsigned char)n->style,
                                   n->is_json };
    add_bytes(out, head, sizeof(head));
    switch (n->type) {
    case NODE_NULL:
        break;
    case NODE_SCALAR:
        add_text(out, n->text);
        break;
    case NODE_LIST:
        add_bytes(out, &n->n, sizeof(n->n));
        for (size_t i = 0; i < n->n; i++) {
            add_node(out, n->items[i]);
        }
        break;
    case NODE_MAP:
        add_bytes(out, &n->n, sizeof(n->n));
        for (size_t i = 0; i < n->n; i++) {
            buf_add_char(out, n->pairs[i].is_merged ? 'm' : 'o');
            add_text(out, n->pairs[i].key->text);
            add_node(out, n->pairs[i].value);
        }
        break;
    }
}

static struct scrapememo_key end_key(const struct scrapememo *m)
{
    return (struct scrapememo_key){ { hash64(buf_span(&m->key)), hash_fast(buf_span(&m->key)) },
                                    buf_error(&m->key) == 0 };
}

struct scrapememo_key scrapememo_base(struct scrapememo *m, const struct scrape_globals *globals,
                                      const struct scrape_options *options)
{
    const unsigned char flags[] = { options->strict, options->unescape_dollars, options->thorough,
                                    options->disable_sharding, (unsigned char)options->filter };

    buf_clear(&m->key);
    add_bytes(&m->key, flags, sizeof(flags));
    add_text(&m->key, options->base_dir);
    add_text(&m->key, options->receiver);
    add_node(&m->key, globals->node); /* the rest of it comes from there */
    return end_key(m);
}

struct scrapememo_key scrapememo_key(struct scrapememo *m, const struct scrapememo_key *base,
                                     const struct node *job)
{
    buf_clear(&m->key);
    add_bytes(&m->key, base->v, sizeof(base->v));
    add_node(&m->key, job);
    struct scrapememo_key key = end_key(m);
    key.is_complete = key.is_complete && base->is_complete;
    return key;
}

static bool has_key(const struct table_node *node, const void *key)
{
    const struct scrapejob *job = TABLE_ITEM(node, struct scrapejob, memo_node);
    return job->memo_check == ((const struct scrapememo_key *)key)->v[1];
}

struct scrapejob *scrapememo_take(const struct scrapememo *m, const struct scrapememo_key *key)
{
    struct table_node *node =
        key->is_complete ? table_find(&m->jobs, key->v[0], has_key, key) : NULL;

    if (node == NULL) {
        return NULL;
    }
    struct scrapejob *job = TABLE_ITEM(node, struct scrapejob, memo_node);
    job->n_others++;
    return job;
}

void scrapememo_put(struct scrapememo *m, const struct scrapememo_key *key, struct scrapejob *job)
{
    if (key->is_complete) {
        job->memo = &m->jobs;
        job->memo_check = key->v[1];
        table_put(&m->jobs, &job->memo_node, key->v[0]);
    }
}

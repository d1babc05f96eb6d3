#include "allocator/tenant/originals.h"

#include "allocator/base/limits.h"
#include "allocator/scrape/sdconfig.h"
#include "allocator/tenant/wire.h"

/* ---- what is stored */

static struct span key_of(struct arena *arena, struct span receiver, struct span job)
{
    char *key = arena_bytes(arena, receiver.len + 1 + job.len);

    memcpy(key, receiver.p, receiver.len);
    key[receiver.len] = (char)0xff;
    if (job.len > 0) {
        memcpy(key + receiver.len + 1, job.p, job.len);
    }
    return span_make(key, receiver.len + 1 + job.len);
}

void originals_init(struct originals *o, const struct node *stash, struct arena *arena)
{
    const struct node *receivers = node_get(stash, "receivers");

    o->arena = arena;
    spanmap_init(&o->jobs, arena);
    spanmap_init(&o->lists, arena);
    for (size_t i = 0; receivers != NULL && i < receivers->n; i++) {
        struct span receiver = receivers->pairs[i].key->text;
        const struct node *jobs = node_get(receivers->pairs[i].value, "jobs");
        const struct node *list = node_get(receivers->pairs[i].value, "scrape_configs");
        for (size_t k = 0; jobs != NULL && k < jobs->n; k++) {
            struct span key = key_of(arena, receiver, jobs->pairs[k].key->text);
            (void)spanmap_put(&o->jobs, key, jobs->pairs[k].value);
        }
        if (list != NULL) {
            (void)spanmap_put(&o->lists, receiver, list);
        }
    }
}

void originals_fini(struct originals *o)
{
    spanmap_fini(&o->jobs);
    spanmap_fini(&o->lists);
}

/* ---- one job */

/* An entry that the rewrite made: a URL of ours and nothing beside it. */
static bool is_our_entry(const struct node *entry, struct arena *arena, struct span *out_job,
                         struct span *out_receiver)
{
    struct span url;

    return entry->type == NODE_MAP && entry->n == 1 && node_as_text(node_get(entry, "url"), &url) &&
           wire_url_is_ours(url, arena, out_job, out_receiver);
}

static struct span canonical(const struct node *n, struct arena *arena)
{
    AUTO_BUF json;

    buf_init(&json, LIMIT_DOCUMENT_BYTES);
    node_write_json(n, &json);
    return arena_span(arena, buf_span(&json));
}

/* Originals first, then what the user added since; our own entry and exact duplicates are left out.
 */
static struct node *join_lists(const struct originals *o, const struct node *stored,
                               const struct node *present)
{
    struct node *list = arena_zalloc(o->arena, sizeof(*list));
    size_t n_stored = stored != NULL && stored->type == NODE_LIST ? stored->n : 0;
    size_t n_present = present != NULL && present->type == NODE_LIST ? present->n : 0;
    struct span job, receiver;
    struct spanmap seen;

    spanmap_init(&seen, o->arena);
    list->type = NODE_LIST;
    list->line = present == NULL ? 0 : present->line;
    list->items = arena_zalloc(o->arena, (n_stored + n_present) * sizeof(*list->items));
    for (size_t i = 0; i < n_stored; i++) {
        list->items[list->n++] = stored->items[i];
        (void)spanmap_put(&seen, canonical(stored->items[i], o->arena), stored);
    }
    for (size_t i = 0; i < n_present; i++) {
        struct node *entry = present->items[i];
        if (!is_our_entry(entry, o->arena, &job, &receiver) &&
            spanmap_put(&seen, canonical(entry, o->arena), present)) {
            list->items[list->n++] = entry;
        }
    }
    spanmap_fini(&seen);
    return list;
}

static bool is_section(struct span key)
{
    for (const char *const *section = sdconfig_sections; *section != NULL; section++) {
        if (span_is(key, *section)) {
            return true;
        }
    }
    return false;
}

static struct node_pair new_pair(const char *key, struct node *value, struct arena *arena)
{
    struct node *name = arena_zalloc(arena, sizeof(*name));

    name->type = NODE_SCALAR;
    name->text = span_of(key);
    name->line = value->line;
    return (struct node_pair){ name, value, false };
}

/* 'job' with the stored sections joined in. What is no section of Prometheus is taken over as it
 * is: the checker will say so. */
static struct node *join_job(const struct originals *o, const struct node *job,
                             const struct node *stored)
{
    struct node *whole = arena_alloc(o->arena, sizeof(*whole));
    const struct node *const sources[] = { job, stored };

    *whole = *job;
    whole->canonical = NULL;
    whole->n = 0;
    whole->pairs = arena_zalloc(o->arena, (job->n + stored->n + 1) * sizeof(*whole->pairs));
    for (size_t s = 0; s < COUNT(sources); s++) {
        for (size_t i = 0; i < sources[s]->n; i++) {
            if (!is_section(sources[s]->pairs[i].key->text)) {
                whole->pairs[whole->n++] = sources[s]->pairs[i];
            }
        }
    }
    for (const char *const *section = sdconfig_sections; *section != NULL; section++) {
        const struct node *here = node_get(job, *section), *there = node_get(stored, *section);
        if (here != NULL || there != NULL) {
            whole->pairs[whole->n++] = new_pair(*section, join_lists(o, there, here), o->arena);
        }
    }
    return whole;
}

static void report_lost(const struct node *job, size_t index, struct faults *f)
{
    struct span name = { "", 0 };
    size_t mark = faults_push(f, "scrape_configs");

    (void)node_as_text(node_get(job, "job_name"), &name);
    faults_push_index(f, index);
    faults_push(f, "http_sd_configs");
    faults_add(f, FAULT_ERROR, node_get(job, "http_sd_configs")->line,
               "the job \"%.*s\" points at the allocator but carries no discovery configuration: "
               "restore the annotation " WIRE_ANNOTATION " or the original sections",
               SPAN_ARG(name));
    faults_pop(f, mark);
}

static const struct node *find_sections(const struct originals *o, struct span receiver,
                                        struct span url_job, struct span job)
{
    const struct node *stored = spanmap_get(&o->jobs, key_of(o->arena, receiver, url_job));

    return stored != NULL ? stored : spanmap_get(&o->jobs, key_of(o->arena, receiver, job));
}

/* The URL says under which name the originals were stored: a renamed job still finds them. */
static struct node *put_back_job(const struct originals *o, struct node *job, size_t index,
                                 struct faults *f, struct spanmap *lost)
{
    const struct node *http = node_get(job, "http_sd_configs");
    struct span url_job, receiver, name = { "", 0 };

    for (size_t i = 0; http != NULL && http->type == NODE_LIST && i < http->n; i++) {
        if (!is_our_entry(http->items[i], o->arena, &url_job, &receiver)) {
            continue;
        }
        (void)node_as_text(node_get(job, "job_name"), &name);
        const struct node *stored = find_sections(o, receiver, url_job, name);
        if (stored != NULL) {
            return join_job(o, job, stored);
        }
        report_lost(job, index, f);
        (void)spanmap_put(lost, name, job);
        return job;
    }
    return job;
}

/* ---- the list of a receiver */

/* A "target_allocator" block whose endpoint a rewrite made. */
static bool is_our_block(const struct node *block, struct arena *arena)
{
    struct span endpoint, job, receiver;

    if (!node_as_text(node_get(block, "endpoint"), &endpoint) || endpoint.len > 4 * KIB) {
        return false;
    }
    const char *url = arena_printf(arena, "%.*s/jobs/x/targets?collector_id=", SPAN_ARG(endpoint));
    return wire_url_is_ours(span_of(url), arena, &job, &receiver);
}

static const struct node *stored_list(const struct originals *o, const struct node_pair *receiver)
{
    const struct node *list = spanmap_get(&o->lists, receiver->key->text);

    return list != NULL && is_our_block(node_get(receiver->value, "target_allocator"), o->arena)
               ? list
               : NULL;
}

const struct node *originals_put_back(const struct originals *o, const struct node_pair *receiver,
                                      const struct node *list, struct faults *f,
                                      struct spanmap *lost)
{
    const struct node *stored = stored_list(o, receiver);
    struct node *whole = arena_zalloc(o->arena, sizeof(*whole));
    struct spanmap names;
    struct span name;

    if (!node_is_null(list) && list->type != NODE_LIST) {
        return list; /* somebody else says so */
    }
    size_t n = node_is_null(list) ? 0 : list->n, n_stored = stored == NULL ? 0 : stored->n;
    whole->type = NODE_LIST;
    whole->line = list == NULL ? 0 : list->line;
    whole->items = arena_zalloc(o->arena, (n + n_stored) * sizeof(*whole->items));
    spanmap_init(&names, o->arena);
    for (size_t i = 0; i < n; i++) {
        if (node_as_text(node_get(list->items[i], "job_name"), &name)) {
            (void)spanmap_put(&names, name, list);
        }
        whole->items[whole->n++] = put_back_job(o, list->items[i], i, f, lost);
    }
    /* A job of the same name that is in the list again is the user's newer word. */
    for (size_t i = 0; i < n_stored; i++) {
        if (!node_as_text(node_get(stored->items[i], "job_name"), &name) ||
            !spanmap_has(&names, name)) {
            struct node *job = put_back_job(o, stored->items[i], whole->n, f, lost);
            whole->items[whole->n++] = job;
        }
    }
    spanmap_fini(&names);
    return whole;
}

#include "allocator/tenant/originals.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/nodeedit.h"
#include "allocator/tenant/wire.h"

#define LEFT_MARK "left"

/* ---- what is stored */

static void add(struct originals *o, struct span receiver, const struct node_pair *job)
{
    struct original *new = arena_alloc(o->arena, sizeof(*new));
    struct jobname_written written = { job->key->text };
    struct jobname_read name = jobname_read(written, o->arena);

    *new = (struct original){
        .map = job->value, .records = o->records, .receiver = receiver, .job = written
    };
    if (!spanmap_put_in(&o->jobs, receiver, name.text, new)) {
        struct original *first =
            (struct original *)(uintptr_t)spanmap_get_in(&o->jobs, receiver, name.text);
        new->next = first->next;
        first->next = new;
    }
}

void originals_init(struct originals *o, const struct node *annotation, struct arena *arena)
{
    o->arena = arena;
    o->receivers = node_get(annotation, "receivers");
    o->records = node_get(annotation, "text");
    spanmap_init(&o->jobs, arena);
    for (size_t r = 0; o->receivers != NULL && r < o->receivers->n; r++) {
        const struct node_pair *receiver = &o->receivers->pairs[r];
        const struct node *jobs = node_get(receiver->value, "jobs");
        for (size_t i = 0; jobs != NULL && i < jobs->n; i++) {
            add(o, receiver->key->text, &jobs->pairs[i]);
        }
    }
}

void originals_fini(struct originals *o)
{
    spanmap_fini(&o->jobs);
}

/* Of several with one name, the one that is written as the job is. */
static const struct original *look_up(const struct originals *o, struct span receiver,
                                      struct jobname_read name, struct jobname_written job)
{
    const struct original *first =
        (struct original *)(uintptr_t)spanmap_get_in(&o->jobs, receiver, name.text);
    const struct original *one = first;

    while (one != NULL && !span_eq(one->job.text, job.text)) {
        one = one->next;
    }
    return one != NULL ? one : first == NULL || first->next == NULL ? first : NULL;
}

const struct original *originals_find(const struct originals *o, const struct own_entry *own,
                                      struct span receiver, struct jobname_written job)
{
    const struct original *found = look_up(o, own->receiver, own->job, job);

    return found != NULL ? found : look_up(o, receiver, jobname_read(job, o->arena), job);
}

const struct node *originals_of_receiver(const struct originals *o, struct span receiver)
{
    return node_get_span(o->receivers, receiver);
}

bool originals_is_our_block(const struct node *block, struct arena *arena)
{
    struct span endpoint, job, receiver;

    if (!node_as_text(node_get(block, "endpoint"), &endpoint) || endpoint.len > 4 * KIB) {
        return false;
    }
    const char *url = arena_printf(arena, "%.*s/jobs/x/targets?collector_id=", SPAN_ARG(endpoint));
    return wire_url_is_ours(span_of(url), arena, &job, &receiver);
}

/* ---- one job */

char *originals_loss(struct span job)
{
    return mem_printf("job '%.*s' points at the allocator but carries no discovery config; restore "
                      "the annotation or the original SD blocks",
                      SPAN_ARG(job));
}

static void report_lost(const struct node *job, struct jobname_written name, size_t index,
                        struct faults *f)
{
    size_t mark = faults_push(f, "scrape_configs");

    faults_push_index(f, index);
    faults_push(f, "http_sd_configs");
    AUTO_STR loss = originals_loss(name.text);
    faults_add(f, FAULT_ERROR, node_get(job, "http_sd_configs")->line, "%s", loss);
    faults_pop(f, mark);
}

static const struct node *put_back_job(const struct originals *o, struct span receiver,
                                       const struct node *job, size_t index, struct faults *f,
                                       struct spanmap *lost)
{
    struct sections present, stored;
    struct jobname_written name = { SPAN_LIT("") };
    struct own_entry own;

    if (job->type != NODE_MAP) {
        return job;
    }
    sections_of_job(job, o->arena, &present, &own);
    if (!own.is_there) {
        return job;
    }
    (void)jobname_of(job, &name);
    const struct original *original = originals_find(o, &own, receiver, name);
    if (original != NULL) {
        sections_of_map(original->map, o->arena, &stored);
        sections_join(&stored, &present, o->arena, &present);
    } else if (own.options != NULL) {
        return job;
    } else if (present.n == 0) {
        report_lost(job, name, index, f);
        (void)spanmap_put(lost, jobname_read(name, o->arena).text, job);
        return job;
    }
    return sections_put(&present, job, o->arena);
}

/* ---- the list of a receiver */

const struct node *originals_left_job(struct span job, struct arena *arena)
{
    struct node *is = nodeedit_text(arena, SPAN_LIT("true"));

    is->style = NODE_PLAIN;
    const struct node *map = nodeedit_single(arena, SPAN_LIT(LEFT_MARK), is);
    return job.len == 0
               ? map
               : nodeedit_member(arena, map, SPAN_LIT("job_name"), nodeedit_text(arena, job));
}

/* Empty when it has none. */
static struct span name_of(const struct node *job)
{
    struct span name = { "", 0 };

    (void)node_as_text(node_get(job, "job_name"), &name);
    return name;
}

bool originals_is_rest(const struct node *list, const struct node *stored, struct arena *arena)
{
    struct spanmap left;
    bool is = stored != NULL && stored->type == NODE_LIST;

    spanmap_init(&left, arena);
    for (size_t i = 0; is && i < stored->n; i++) {
        if (node_get(stored->items[i], LEFT_MARK) != NULL) {
            (void)spanmap_put(&left, name_of(stored->items[i]), stored->items[i]);
        }
    }
    for (size_t i = 0; is && i < list->n; i++) {
        is = spanmap_has(&left, name_of(list->items[i]));
    }
    spanmap_fini(&left);
    return is;
}

/* Those of 'list' whose name is among 'names', or is not. */
static size_t select_jobs(const struct node *list, const struct spanmap *names, bool is_among,
                          struct node **out)
{
    size_t n = 0;

    for (size_t i = 0; !node_is_null(list) && i < list->n; i++) {
        if (spanmap_has(names, name_of(list->items[i])) == is_among) {
            out[n++] = list->items[i];
        }
    }
    return n;
}

/* Jobs that are stored and in the list stand where the stored ones stood, in the order that the
 * list has: it is the user's newer word. */
const struct node *originals_join_jobs(const struct node *list, const struct node *stored,
                                       struct arena *arena)
{
    size_t n_list = node_is_null(list) ? 0 : list->n, next = 0;
    struct spanmap stored_names, list_names;

    if (stored == NULL || stored->type != NODE_LIST || stored->n == 0) {
        return list;
    }
    struct node **items = arena_alloc(arena, (2 * n_list + stored->n) * sizeof(struct node *));
    struct node **known = arena_alloc(arena, (n_list + 1) * sizeof(struct node *));
    spanmap_init(&stored_names, arena);
    spanmap_init(&list_names, arena);
    for (size_t i = 0; i < stored->n; i++) {
        (void)spanmap_put(&stored_names, name_of(stored->items[i]), stored->items[i]);
    }
    for (size_t i = 0; i < n_list; i++) {
        (void)spanmap_put(&list_names, name_of(list->items[i]), list->items[i]);
    }
    size_t n = select_jobs(list, &stored_names, false, items);
    size_t n_known = select_jobs(list, &stored_names, true, known);
    for (size_t i = 0; i < stored->n; i++) {
        bool is_left = node_get(stored->items[i], LEFT_MARK) != NULL;
        if (spanmap_has(&list_names, name_of(stored->items[i]))) {
            if (next < n_known) {
                items[n++] = known[next++];
            }
        } else if (!is_left) {
            items[n++] = stored->items[i];
        }
    }
    while (next < n_known) {
        items[n++] = known[next++];
    }
    spanmap_fini(&list_names);
    spanmap_fini(&stored_names);
    struct node *whole = nodeedit_list(arena, items, n);
    whole->line = list == NULL ? 0 : list->line;
    return whole;
}

const struct node *originals_put_back(const struct originals *o, const struct node_pair *receiver,
                                      const struct node *list, struct faults *f,
                                      struct spanmap *lost)
{
    struct span name = receiver->key->text;
    bool is_ours = originals_is_our_block(node_get(receiver->value, "target_allocator"), o->arena);
    const struct node *stored =
        is_ours ? node_get(originals_of_receiver(o, name), "scrape_configs") : NULL;

    if (!node_is_null(list) && list->type != NODE_LIST) {
        return list; /* somebody else says so */
    }
    const struct node *jobs = originals_join_jobs(list, stored, o->arena);
    if (node_is_null(jobs)) {
        return jobs;
    }
    struct node **items = arena_alloc(o->arena, (jobs->n + 1) * sizeof(struct node *));
    for (size_t i = 0; i < jobs->n; i++) {
        items[i] = (struct node *)(uintptr_t)put_back_job(o, name, jobs->items[i], i, f, lost);
    }
    struct node *whole = nodeedit_list(o->arena, items, jobs->n);
    whole->line = jobs->line;
    return whole;
}

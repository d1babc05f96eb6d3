#include "allocator/engine/state.h"

#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/base/metric.h"
#include "allocator/codec/spanmap.h"
#include "allocator/engine/roster.h"
#include "allocator/engine/shortage.h"
#include "allocator/engine/state_fields.h"
#include "allocator/engine/tenantkey.h"

#include <assert.h>
#include <stdlib.h>

/* ---- what is told */

static struct told *push_told(struct state *s, struct span ns, struct span name)
{
    struct told *t = vec_push(&s->told);

    *t = (struct told){ .order = s->n_told++ };
    t->ns = mem_strndup(ns.len == 0 ? "" : ns.p, ns.len);
    t->name = mem_strndup(name.len == 0 ? "" : name.p, name.len);
    collectorlist_init(&t->list);
    return t;
}

int state_put_tenant(struct state *s, struct tenant **tenant, struct err *err)
{
    struct tenancy *fresh = NULL;

    int rc = tenancy_new(*tenant, &fresh, err);
    if (rc < 0) {
        return err_wrap(err, rc, "collector %.*s", SPAN_ARG((*tenant)->name));
    }
    struct told *t = push_told(s, (*tenant)->ns, (*tenant)->name);
    t->fresh = fresh;
    t->tenant = *tenant;
    *tenant = NULL;
    return 0;
}

void state_drop_tenant(struct state *s, struct span ns, struct span name)
{
    push_told(s, ns, name)->is_gone = true;
}

void state_put_collectors(struct state *s, struct span ns, struct span name,
                          struct collectorlist *list)
{
    struct told *t = push_told(s, ns, name);

    t->has_list = true;
    t->list = *list;
    collectorlist_init(list);
}

void state_put_gaps(struct state *s, struct gaps *gaps)
{
    bool was_empty = s->gaps.n == 0;

    gaps_fini(&s->gaps);
    s->gaps = *gaps;
    *gaps = (struct gaps){ 0 };
    s->has_new_gaps |= !was_empty || s->gaps.n > 0;
}

static int compare_told(const void *a, const void *b)
{
    const struct told *x = a, *y = b;
    int c = tenant_compare(span_of(x->ns), span_of(x->name), span_of(y->ns), span_of(y->name));
    return c != 0 ? c : (x->order > y->order) - (x->order < y->order);
}

/* What 'later' says counts, where it says something. */
static void merge_told(struct told *t, struct told *later) ON(engine)
{
    if (later->tenant != NULL || later->is_gone) {
        tenant_free(&t->tenant);
        tenancy_free(&t->fresh);
        t->tenant = later->tenant;
        t->fresh = later->fresh;
        t->is_gone = later->is_gone;
        later->tenant = NULL;
        later->fresh = NULL;
    }
    if (later->has_list) {
        collectorlist_fini(&t->list);
        t->list = later->list;
        t->has_list = true;
        collectorlist_init(&later->list);
    }
    state_free_told(later);
}

/* One row for each key, in their order. */
static void sort_told(struct state *s) ON(engine)
{
    size_t n = 0;

    if (s->told.n > 1) {
        qsort(s->told.v, s->told.n, sizeof(*s->told.v), compare_told);
    }
    for (size_t i = 0; i < s->told.n; i++) {
        struct told *t = &s->told.v[i], *last = n == 0 ? NULL : &s->told.v[n - 1];
        if (last != NULL && strcmp(last->ns, t->ns) == 0 && strcmp(last->name, t->name) == 0) {
            merge_told(last, t);
        } else {
            s->told.v[n++] = *t;
        }
    }
    s->told.n = n;
}

/* ---- the new configuration while it replaces the old one */

struct place {           /* of one tenant */
    struct told *told;   /* NULL: nothing */
    struct tenancy *old; /* NULL: it is new */
    struct tenancy *now; /* that, a fresh one, or NULL: it goes, or is not there yet */
    bool has_new_label;
    VEC(struct job *) jobs; /* of a tenant that was told */
};

struct renewal {
    struct state *s;
    VEC(struct place) places; /* by key */
    VEC(struct job *) jobs;   /* of all tenants */
    int64_t now_ms;
    bool has_changed;
};

static bool has_tenant(const struct place *p)
{
    return p->told != NULL && p->told->tenant != NULL;
}

static void add_place(struct renewal *r, struct tenancy *old, struct told *told)
{
    struct place *p = vec_push(&r->places);

    *p = (struct place){ .told = told, .old = old, .now = old };
    if (told == NULL) {
        return;
    }
    if (told->is_gone) {
        p->now = NULL;
    } else if (told->tenant != NULL && (old == NULL || !tenancy_is_like(old, told->tenant))) {
        p->now = told->fresh;
        told->fresh = NULL;
        r->has_changed = true;
    }
}

static void make_places(struct renewal *r)
{
    struct state *s = r->s;
    size_t i = 0, k = 0;

    while (i < s->tenancies.n || k < s->told.n) {
        struct tenancy *t = i < s->tenancies.n ? s->tenancies.v[i] : NULL;
        struct told *told = k < s->told.n ? &s->told.v[k] : NULL;
        int c = t == NULL ? 1
                : told == NULL
                    ? -1
                    : tenant_compare(t->ns, t->name, span_of(told->ns), span_of(told->name));
        add_place(r, c <= 0 ? t : NULL, c >= 0 ? told : NULL);
        i += c <= 0;
        k += c >= 0;
    }
}

/* Its collectors, as told or as they were. */
static void renew_collectors(struct renewal *r, struct place *p) ON(engine)
{
    const struct collectorlist *list = NULL;

    if (p->told != NULL && p->told->has_list) {
        list = &p->told->list;
    } else if (p->old != NULL && p->now != p->old) {
        list = &p->old->collectors;
    }
    if (p->now != NULL && list != NULL) {
        int64_t from = clock_mono_us();
        r->has_changed |= tenancy_set_collectors(p->now, list);
        state_show_time(p->now, "SetCollectors", clock_mono_us() - from);
    }
    if (p->now == NULL && p->told != NULL && p->old != NULL &&
        !p->told->has_list) { /* for when it comes back */
        p->told->has_list = true;
        collectorlist_copy(&p->told->list, list);
    }
}

/* True when it is another one. */
static bool take_style(const struct place *p)
{
    bool before = p->now->are_jobs_inline;

    if (has_tenant(p)) {
        p->now->are_jobs_inline = p->told->tenant->are_jobs_inline;
    }
    return p->now->are_jobs_inline != before;
}

static void renew_tenancies(struct renewal *r) ON(engine)
{
    size_t n = 0;

    vec_each(&r->places, p) {
        n += p->now != NULL;
    }
    vec_each(&r->places, p) {
        if (p->now != NULL) {
            p->has_new_label = tenancy_set_alone(p->now, n == 1);
            r->has_changed |= take_style(p);
        }
        renew_collectors(r, p);
    }
}

/* ---- jobs */

/* The job's name in metrics: upstream's form where that is unique. */
static char *job_label(const struct tenancy *t, const struct scrapejob *config)
{
    bool is_default = config->receiver.len == 0 || span_is(config->receiver, "prometheus");
    struct buf label;
    size_t len;

    buf_init(&label, LIMIT_DOCUMENT_BYTES);
    buf_add_str(&label, t->prefix);
    if (!is_default) {
        buf_addf(&label, "%.*s/", SPAN_ARG(config->receiver));
    }
    buf_add_span(&label, config->name);
    return buf_take(&label, &len);
}

/* The jobs that a tenant had, by name. */
static void list_old(const struct place *p, struct spanmap *out)
{
    spanmap_init(out, NULL);
    for (size_t i = 0; p->old != NULL && i < p->old->jobs.n; i++) {
        const struct scrapejob *config = p->old->jobs.v[i]->config;
        (void)spanmap_put_in(out, config->receiver, config->name, &p->old->jobs.v[i]);
    }
}

/* Where the job of this name was; NULL: nowhere, or it is taken. 'at' is where it is if nothing has
 * changed. */
static struct job **find_place(const struct place *p, const struct spanmap *old,
                               struct span receiver, struct span name, size_t at)
{
    struct job *likely = p->old != NULL && at < p->old->jobs.n ? p->old->jobs.v[at] : NULL;

    if (likely != NULL && span_eq(likely->config->name, name) &&
        span_eq(likely->config->receiver, receiver)) {
        return &p->old->jobs.v[at];
    }
    const struct job *const *place = spanmap_get_in(old, receiver, name);
    return place == NULL || *place == NULL ? NULL : (struct job **)(uintptr_t)place;
}

/* The job, or the one that it has not taken over from, if it was configured in the same way. */
static struct job *take_same(struct job **place, const struct scrapejob *config)
{
    struct job *j = *place;

    if (memcmp(j->config->key, config->key, sizeof(config->key)) == 0) {
        *place = NULL;
        return j;
    }
    const struct job *from = j->handover.from;
    return from != NULL && memcmp(from->config->key, config->key, sizeof(config->key)) == 0
               ? handover_end(j)
               : NULL;
}

static void start_job(struct renewal *r, struct job *j) ON(engine)
{
    struct state *s = r->s;

    for (uint32_t i = 0; i < j->config->n_sds; i++) {
        const struct provider_ops *ops = provider_find(&j->config->sds[i]);
        if (ops == NULL) {
            continue; /* is counted and was reported when the configuration was read */
        }
        if (ops->carrier != CARRIER_NONE) {
            wants_use(&s->wants, j, i, r->now_ms);
            continue;
        }
        shortage_read_static(s, j, i);
    }
}

/* The job goes on as it is. */
static void keep_job(const struct place *p, struct job *j, const char *label) ON(engine)
{
    for (; j != NULL; j = j->handover.from) {
        if (p->now != p->old) {
            job_join(j, p->now->fleet, tenancy_take_number(p->now));
        }
        job_set_label(j, label);
    }
}

/* Moves the configuration. 'before' is where the job of this name was, or NULL. */
static struct job *begin_job(struct renewal *r, const struct place *p, struct scrapejob **config,
                             const char *label, struct job **before) ON(engine)
{
    struct state *s = r->s;

    scrapejob_adopt(*config, &s->pool);
    struct job *j =
        job_new(*config, label, p->now->fleet, tenancy_take_number(p->now), &s->tails, &s->labels);
    *config = NULL;
    start_job(r, j);
    if (s->is_synced && before != NULL && !handover_is_served(&j->handover)) {
        handover_begin(j, handover_leave(before));
        keep_job(p, j->handover.from, label);
    }
    r->has_changed = true;
    return j;
}

/* Jobs of a tenant, by receiver and name. */
struct names {
    struct spanmap old, given; /* where they were; those that it has now */
};

/* It is one of the tenant's from now on. */
static void give(struct place *p, struct names *names, struct job *j)
{
    *vec_push(&p->jobs) = j;
    (void)spanmap_put_in(&names->given, j->config->receiver, j->config->name, j);
}

/* It has a fault: if it was there before, it goes on as it was. A name that is given twice is
 * refused the second time: the first one has it. */
static void keep_refused(struct renewal *r, struct place *p, struct names *names,
                         const struct scrapejob_refused *refused) ON(engine)
{
    struct span receiver = span_of(refused->receiver), name = span_of(refused->name);
    struct job **place = find_place(p, &names->old, receiver, name, SIZE_MAX);

    if (place == NULL || spanmap_get_in(&names->given, receiver, name) != NULL) {
        return;
    }
    struct job *j = *place;
    if (handover_is_served(&j->handover)) {
        state_end_handover(r->s, j);
    }
    AUTO_STR label = job_label(p->now, j->config);
    keep_job(p, j, label);
    *place = NULL;
    give(p, names, j);
}

/* Moves the configuration. */
static void renew_job(struct renewal *r, struct place *p, struct names *names,
                      struct scrapejob **config, size_t at) ON(engine)
{
    AUTO_STR label = job_label(p->now, *config);
    struct job **before = find_place(p, &names->old, (*config)->receiver, (*config)->name, at);

    if (before != NULL && handover_is_served(&(*before)->handover)) {
        state_end_handover(r->s, *before);
    }
    struct job *j = before == NULL ? NULL : take_same(before, *config);
    /* Who tells of a job by its key alone has told of all of it, and nothing else since. */
    assert(j != NULL || !(*config)->is_known);
    if (j == NULL) {
        j = begin_job(r, p, config, label, before);
    } else {
        keep_job(p, j, label);
    }
    give(p, names, j);
}

static void renew_jobs(struct renewal *r, struct place *p) ON(engine)
{
    struct tenant *tenant = p->told->tenant;
    struct names names;

    tenantkey_make(tenant);
    list_old(p, &names.old);
    spanmap_init(&names.given, NULL);
    for (size_t k = 0; k < tenant->jobs.n; k++) {
        renew_job(r, p, &names, &tenant->jobs.v[k], k);
    }
    vec_each(&tenant->jobs.refused, refused) {
        keep_refused(r, p, &names, refused);
    }
    spanmap_fini(&names.old);
    spanmap_fini(&names.given);
    r->has_changed |= p->now->refused.n > 0 || tenant->jobs.refused.n > 0;
    tenancy_set_refused(p->now, &tenant->jobs);
}

/* Nothing was told of its jobs. */
static void relabel_jobs(const struct place *p)
{
    vec_each(&p->now->jobs, place) {
        AUTO_STR label = job_label(p->now, (*place)->config);
        for (struct job *j = *place; j != NULL; j = j->handover.from) {
            job_set_label(j, label);
        }
    }
}

/* Old jobs that the new configuration did not take. */
static void end_jobs(struct renewal *r, struct place *p) ON(engine)
{
    vec_each(&p->old->jobs, place) {
        if (*place != NULL) {
            state_end_handover(r->s, *place);
            state_forget_job(r->s, *place, NULL);
            if (p->now == p->old) {
                tenancy_give_number(p->old, (*place)->fleet_job);
                job_free(place, false);
            }
            r->has_changed = true;
        }
    }
    if (p->now != p->old) {
        tenancy_free(&p->old);
        r->has_changed = true;
    }
}

static void renew_all_jobs(struct renewal *r) ON(engine)
{
    vec_each(&r->places, p) {
        if (p->now == NULL) {
            continue;
        }
        if (has_tenant(p)) {
            renew_jobs(r, p);
        } else if (p->has_new_label) {
            relabel_jobs(p);
        }
    }
    wants_serve(&r->s->wants, r->now_ms);
    vec_each(&r->places, p) { /* after all of them: what is wanted on is not asked for anew */
        if (p->old != NULL && (has_tenant(p) || p->now == NULL)) {
            end_jobs(r, p);
        }
    }
}

/* ---- the new lists become the state's */

static void settle_tenancies(struct renewal *r)
{
    vec_clear(&r->s->tenancies);
    vec_clear(&r->s->dirty);
    vec_each(&r->places, p) {
        if (p->now == NULL) {
            continue;
        }
        *vec_push(&r->s->tenancies) = p->now;
        if (has_tenant(p)) {
            vec_fini(&p->now->jobs);
            p->now->jobs.v = p->jobs.v;
            p->now->jobs.n = p->jobs.n;
            p->now->jobs.cap = p->jobs.cap;
        }
        vec_each(&p->now->jobs,
                 place) { /* those of tenants of which nothing was told are as before */
            struct job *j = *place;
            bool may_render = j->is_listed || p->told != NULL || p->has_new_label;
            j->row = r->jobs.n;
            j->is_listed = false;
            if (may_render) {
                state_list_job(r->s, j);
            }
            *vec_push(&r->jobs) = j;
        }
    }
}

static void settle_jobs(struct renewal *r)
{
    struct state *s = r->s;

    r->has_changed |= s->jobs.n != r->jobs.n;
    mem_free(s->rows);
    s->n_rows = r->jobs.n + roster_count_refused(s);
    s->rows = mem_array(s->n_rows + 1, sizeof(*s->rows));
    for (size_t i = 0; i < r->jobs.n; i++) {
        struct job *j = r->jobs.v[i];
        r->has_changed |= i < s->jobs.n && s->jobs.v[i] != j;
        struct job *served = handover_served(j);
        s->rows[i] = served == NULL ? NULL : served->pages.row;
    }
    vec_fini(&s->jobs);
    s->jobs.v = r->jobs.v;
    s->jobs.n = r->jobs.n;
    s->jobs.cap = r->jobs.cap;
}

/* Collectors of tenants that are not there are kept for when these come. */
static void settle_told(struct renewal *r) ON(engine)
{
    struct state *s = r->s;
    size_t n = 0;

    vec_each(&r->places, p) {
        if (p->told == NULL) {
            continue;
        }
        bool is_kept = p->now == NULL && p->told->list.n > 0;
        if (is_kept) {
            tenant_free(&p->told->tenant);
            p->told->is_gone = false;
            s->told.v[n++] = *p->told;
        } else {
            state_free_told(p->told);
        }
    }
    s->told.n = n;
}

static void show_configuration(const struct state *s)
{
    size_t n_collectors = 0, n_unsupported = 0;

    for (size_t i = 0; i < s->tenancies.n; i++) {
        n_collectors += fleet_collectors(s->tenancies.v[i]->fleet);
    }
    for (size_t i = 0; i < s->jobs.n; i++) {
        for (size_t k = 0; k < s->jobs.v[i]->config->n_sds; k++) {
            n_unsupported += provider_find(&s->jobs.v[i]->config->sds[k]) == NULL;
        }
    }
    metric_set(METRIC_COLLECTORS_DISCOVERED, (double)n_collectors);
    for (size_t i = 0; strategies[i] != NULL; i++) {
        size_t n = 0;
        for (size_t k = 0; k < s->tenancies.n; k++) {
            struct fleet *fleet = s->tenancies.v[k]->fleet;
            n += strcmp(fleet_strategy(fleet), strategies[i]->name) == 0 ? fleet_collectors(fleet)
                                                                         : 0;
        }
        if (n > 0) {
            metric_set_for(METRIC_COLLECTORS_ALLOCATABLE, (const char *[]){ strategies[i]->name },
                           (double)n);
        } else {
            metric_forget(METRIC_COLLECTORS_ALLOCATABLE, (const char *[]){ strategies[i]->name });
        }
    }
    metric_set_for(METRIC_SD_FAILED_CONFIGS, (const char *[]){ "" }, (double)n_unsupported);
    metric_add_for(METRIC_EVENTS, (const char *[]){ "EventSourceConfigMap" }, 1);
}

/* ---- whole */

void state_complete(struct state *s, int64_t now_ms)
{
    struct renewal r = { .s = s, .now_ms = now_ms };

    sort_told(s);
    make_places(&r);
    renew_tenancies(&r);
    renew_all_jobs(&r);
    settle_tenancies(&r);
    settle_jobs(&r);
    settle_told(&r);
    vec_fini(&r.places);
    if (r.has_changed || s->has_new_gaps || !s->is_configured) {
        roster_make(s);
    }
    s->has_new_gaps = false;
    s->is_configured = true;
    joins_work(&s->joins);
    shortage_settle(s);
    show_configuration(s);
}

/* Everything that is there, or will be, is gone unless it is told again. */
static void drop_all(struct state *s)
{
    for (size_t i = 0; i < s->tenancies.n; i++) {
        struct tenancy *t = s->tenancies.v[i];
        struct collectorlist none;
        collectorlist_init(&none);
        state_drop_tenant(s, t->ns, t->name);
        state_put_collectors(s, t->ns, t->name, &none);
    }
}

static void forget_told(struct state *s, size_t n) ON(engine)
{
    while (s->told.n > n) {
        state_free_told(&s->told.v[--s->told.n]);
    }
}

/* Of two with one key the later would take the place of the other, and of its jobs. */
static int find_twin(const struct tenants *config, struct err *err)
{
    for (size_t i = 0; i < config->n; i++) {
        const struct tenant *t = config->v[i];
        for (size_t k = 0; k < i; k++) {
            if (tenant_compare(config->v[k]->ns, config->v[k]->name, t->ns, t->name) == 0) {
                return err_set(err, ERR_INVALID, "collector '%.*s' is defined twice",
                               SPAN_ARG(t->name));
            }
        }
    }
    return 0;
}

int state_configure(struct state *s, struct tenants *config, int64_t now_ms, struct err *err)
{
    size_t n_before = s->told.n;
    int rc = find_twin(config, err);

    drop_all(s);
    for (size_t i = 0; rc == 0 && i < config->n; i++) {
        struct tenant *t = config->v[i];
        state_put_collectors(s, t->ns, t->name, &t->collectors);
        rc = state_put_tenant(s, &config->v[i], err);
    }
    if (rc < 0) {
        forget_told(s, n_before);
        return rc;
    }
    state_complete(s, now_ms);
    tenants_fini(config);
    return 0;
}

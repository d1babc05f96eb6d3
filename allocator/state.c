#define LOG_MODULE "engine"
#include "allocator/state.h"

#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/base/log.h"
#include "allocator/base/metric.h"
#include "allocator/tenancy.h"
#include "allocator/wants.h"

#include <stdlib.h>

struct state {
    struct strpool pool;
    struct publisher *publisher;
    struct fragments fragments;
    struct wants wants;
    struct sd_batch batch;
    VEC(struct tenancy *) tenancies;
    VEC(struct job *) jobs; /* by row */
    VEC(struct job *) dirty;
    const struct page_row **rows;
    struct directory *directory;
    bool is_configured;
    bool is_synced;
    bool is_directory_new, is_synced_new; /* since the last snapshot */
    size_t n_kept;                        /* sum over the jobs, as of the last snapshot */
    int64_t allocating_us;                /* spent on targets since the last snapshot */
};

/* ---- life */

/* For a predecessor its successor is listed, which knows what is served. */
static void list_job(void *state, struct job *changed)
{
    struct state *s = state;
    struct job *j = changed->successor != NULL ? changed->successor : changed;

    if (!j->is_listed) {
        j->is_listed = true;
        *vec_push(&s->dirty) = j;
    }
}

struct state *state_new(struct mailbox *watcher)
{
    struct state *s = mem_zalloc(sizeof(*s));

    strpool_init(&s->pool);
    s->publisher = publisher_new();
    fragments_init(&s->fragments, s->publisher);
    wants_init(&s->wants, watcher, list_job, s);
    sd_batch_init(&s->batch, &s->pool);
    s->rows = mem_array(1, sizeof(*s->rows));
    s->directory = directory_new(NULL, 0, NULL, 0);
    return s;
}

struct strpool *state_pool(struct state *s)
{
    return &s->pool;
}

static void free_directory(void *directory)
{
    directory_free(directory);
}

void state_free(struct state **state)
{
    struct state *s = *state;

    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < s->tenancies.n; i++) {
        tenancy_free(&s->tenancies.v[i]);
    }
    publisher_retire(s->publisher, s->directory, free_directory);
    publisher_free(&s->publisher);
    fragments_fini(&s->fragments);
    wants_fini(&s->wants);
    sd_batch_fini(&s->batch);
    vec_fini(&s->tenancies);
    vec_fini(&s->jobs);
    vec_fini(&s->dirty);
    mem_free(s->rows);
    strpool_fini(&s->pool);
    mem_free(s);
    *state = NULL;
}

void state_release_watcher(struct state *s)
{
    if (s->wants.watcher != NULL) {
        mailbox_post(s->wants.watcher, want_note_new(WATCHER_RELEASED));
        s->wants.watcher = NULL;
    }
}

/* ---- arrivals */

/* For each job that depends on it, under the name it has now. Upstream counts only what is polled.
 */
static void count_failed_refresh(const struct want_entry *e)
{
    for (size_t i = 0; e->ops->mechanism != SD_FILE && i < e->users.n; i++) {
        const struct job *j = e->users.v[i].job;
        if (j->successor == NULL) {
            metric_add_for(METRIC_SD_REFRESH_FAILURES, (const char *[]){ e->ops->name, j->label },
                           1);
        }
    }
}

static void count_unreadable(const struct want_entry *e)
{
    metric_add(e->ops->mechanism == SD_FILE ? METRIC_SD_FILE_READ_ERRORS : METRIC_SD_HTTP_FAILURES,
               1);
    count_failed_refresh(e);
}

static void apply_batch(struct state *s, struct want_entry *e, struct span source) ON(engine)
{
    vec_each(&e->users, user) {
        int64_t from = clock_mono_us();
        job_apply(user->job, user->section, source, &s->batch);
        int64_t used_us = clock_mono_us() - from;
        s->allocating_us += used_us;
        metric_observe_for(METRIC_PROCESS_GROUPS, (const char *[]){ user->job->label },
                           (double)used_us / 1e6);
        list_job(s, user->job);
    }
}

static void digest_arrival(struct state *s, struct want_entry *e, const struct arrival *a)
    ON(engine)
{
    const struct want_user *first = &e->users.v[0];
    struct provider_input in = { &first->job->config->sds[first->section],
                                 span_of(a->source),
                                 { a->body, a->body_len } };
    struct err err;

    if (s->pool.bytes > LIMIT_POOL_BYTES) {
        strpool_sweep(&s->pool);
    }
    sd_batch_reset(&s->batch);
    if (e->ops->digest(&in, &s->batch, &err) < 0) {
        log_warn("discovered targets cannot be read, those known before stay",
                 LOG_STR("mechanism", e->ops->name), LOG_STR("source", a->source),
                 LOG_STR("error", err.text));
        count_unreadable(e);
        return;
    }
    apply_batch(s, e, span_of(a->source));
}

void state_arrive(struct state *s, const struct arrival *a)
{
    struct want_entry *e = wants_find(&s->wants, a->want);

    if (e == NULL) {
        return; /* was dropped while the arrival was under way */
    }
    switch (a->status) {
    case ARRIVAL_OK:
        digest_arrival(s, e, a);
        break;
    case ARRIVAL_VANISHED:
        vec_each(&e->users, user) {
            job_vanish(user->job, user->section, span_of(a->source));
            list_job(s, user->job);
        }
        break;
    case ARRIVAL_SETTLED:
        wants_settle(&s->wants, e);
        break;
    case ARRIVAL_FAILED: /* the watcher has logged it and counted the attempt */
        count_failed_refresh(e);
        break;
    }
}

int64_t state_deadline_ms(const struct state *s)
{
    return wants_deadline_ms(&s->wants);
}

void state_tick(struct state *s, int64_t now_ms)
{
    size_t n = wants_lose_patience(&s->wants, now_ms);

    if (n > 0) {
        log_warn("discovery sections without an answer are no longer waited for",
                 LOG_INT("sections", n));
    }
}

/* ---- configuration */

struct renewal { /* the new configuration while it replaces the old one */
    struct state *s;
    struct tenants *config;
    struct tenancy **tenancies;        /* by tenant: new, or the old one that goes on */
    bool *goes_on;                     /* by tenant */
    VEC(struct job *) jobs;            /* of all tenants */
    VEC(struct directory_job) entries; /* of the same; texts are owned */
    int64_t now_ms;
    bool has_changed;
};

static struct tenancy *find_tenancy(const struct state *s, const struct tenant *config)
{
    for (size_t i = 0; i < s->tenancies.n; i++) {
        struct tenancy *t = s->tenancies.v[i];
        if (span_eq(t->ns, config->ns) && span_eq(t->name, config->name)) {
            return t;
        }
    }
    return NULL;
}

static int compare_tenants(const void *a, const void *b)
{
    const struct tenant *x = a, *y = b;
    int c = span_cmp(x->ns, y->ns);
    return c != 0 ? c : span_cmp(x->name, y->name);
}

/* The part that can fail comes first and changes nothing. */
static int make_tenancies(struct renewal *r, struct err *err) ON(engine)
{
    for (size_t i = 0; i < r->config->n; i++) {
        const struct tenant *tenant = &r->config->v[i];
        struct tenancy *old = find_tenancy(r->s, tenant);
        if (old != NULL && tenancy_is_like(old, tenant)) {
            r->tenancies[i] = old;
            r->goes_on[i] = true;
            continue;
        }
        int rc = tenancy_new(tenant, &r->tenancies[i], err);
        if (rc < 0) {
            return err_wrap(err, rc, "collector %.*s", SPAN_ARG(tenant->name));
        }
        r->has_changed = true;
    }
    return 0;
}

static void drop_new_tenancies(struct renewal *r) ON(engine)
{
    for (size_t i = 0; i < r->config->n; i++) {
        if (!r->goes_on[i]) {
            tenancy_free(&r->tenancies[i]);
        }
    }
}

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

/* Where the job of this name was. 'at' is where it is found first, if nothing has changed. */
static struct job **find_place(struct tenancy *from, const struct scrapejob *config, size_t at)
{
    for (size_t i = 0; from != NULL && i < from->jobs.n; i++) {
        struct job **place = &from->jobs.v[(at + i) % from->jobs.n], *j = *place;
        if (j != NULL && span_eq(j->config->name, config->name) &&
            span_eq(j->config->receiver, config->receiver)) {
            return place;
        }
    }
    return NULL;
}

/* The job, or its predecessor, if it was configured in the same way. */
static struct job *take_same(struct job **place, const struct scrapejob *config)
{
    struct job *j = *place;
    uint64_t key[2];

    job_key(config, key);
    if (memcmp(j->key, key, sizeof(key)) == 0) {
        *place = NULL;
        return j;
    }
    return j->predecessor != NULL && memcmp(j->predecessor->key, key, sizeof(key)) == 0
               ? job_take_predecessor(j)
               : NULL;
}

/* What is served until a new job has settled: the job in its place, or that one's predecessor. */
static struct job *take_served(struct job **place)
{
    struct job *j = *place;

    if (j->n_open > 0) {
        return job_take_predecessor(j);
    }
    *place = NULL;
    return j;
}

static void start_job(struct renewal *r, struct job *j) ON(engine)
{
    struct state *s = r->s;

    for (uint32_t i = 0; i < j->config->n_sds; i++) {
        const struct provider_ops *ops = provider_find(j->config->sds[i].mechanism);
        if (ops == NULL) {
            continue; /* is counted and was reported when the configuration was read */
        }
        if (ops->needs_want) {
            wants_use(&s->wants, j, i, r->now_ms);
            continue;
        }
        struct provider_input in = { .section = &j->config->sds[i] };
        sd_batch_reset(&s->batch);
        if (ops->digest(&in, &s->batch, NULL) == 0) {
            job_apply(j, i, SPAN_LIT(""), &s->batch);
        }
    }
}

/* 'heir', if any, is shown in the metrics in its place. */
static void forget_job(struct state *s, const struct job *j, struct job *heir)
{
    if (heir != NULL && strcmp(heir->label, j->label) == 0) {
        heir->has_news = true;
    } else {
        job_forget_series(j);
    }
    s->n_kept -= j->n_kept_shown;
    wants_release(&s->wants, j);
}

/* The job itself is served from now on, or not at all. */
static void end_predecessor(struct state *s, struct job *j) ON(engine)
{
    struct job *before = job_take_predecessor(j);

    if (before == NULL) {
        return;
    }
    forget_job(s, before, j);
    for (size_t i = 0; i < s->tenancies.n; i++) {
        if (s->tenancies.v[i]->fleet == before->fleet) {
            tenancy_give_number(s->tenancies.v[i], before->fleet_job);
        }
    }
    job_free(&before, false);
}

static void add_entry(struct renewal *r, size_t tenant, const struct scrapejob *config)
{
    struct directory_job *entry = vec_push(&r->entries);

    *entry = (struct directory_job){ .tenant = tenant,
                                     .receiver = config->receiver,
                                     .name = config->name };
    if (!r->tenancies[tenant]->are_jobs_inline) {
        entry->config = span_of(scrapejob_dump(config->config));
        entry->config_masked = span_of(scrapejob_dump(config->config_masked));
    }
}

/* The job goes on as it is. */
static void keep_job(struct renewal *r, size_t i, struct job *j, const char *label) ON(engine)
{
    struct tenancy *t = r->tenancies[i];

    for (; j != NULL; j = j->predecessor) {
        if (!r->goes_on[i]) {
            job_join(j, t->fleet, tenancy_take_number(t));
        }
        job_set_label(j, label);
    }
}

/* Moves the configuration. 'place' is where the job of this name was, or NULL. */
static struct job *begin_job(struct renewal *r, size_t i, struct scrapejob **config,
                             const char *label, struct job **place) ON(engine)
{
    struct tenancy *t = r->tenancies[i];
    struct job *j =
        job_new(*config, label, t->fleet, tenancy_take_number(t), &r->s->fragments, &r->s->pool);
    struct directory_job *entry = &r->entries.v[r->entries.n - 1];

    *config = NULL;
    entry->receiver = j->config->receiver;
    entry->name = j->config->name;
    start_job(r, j);
    if (r->s->is_synced && place != NULL && j->n_open > 0) {
        j->predecessor = take_served(place);
    }
    if (j->predecessor != NULL) {
        j->predecessor->successor = j;
        keep_job(r, i, j->predecessor, label);
    }
    r->has_changed = true;
    return j;
}

static void renew_jobs(struct renewal *r, size_t i) ON(engine)
{
    struct tenant *tenant = &r->config->v[i];
    struct tenancy *old = find_tenancy(r->s, tenant);

    for (size_t k = 0; k < tenant->jobs.n; k++) {
        struct scrapejob **config = &tenant->jobs.v[k];
        AUTO_STR label = job_label(r->tenancies[i], *config);
        add_entry(r, i, *config);
        struct job **place = find_place(old, *config, k);
        if (place != NULL && (*place)->n_open == 0) {
            end_predecessor(r->s, *place);
        }
        struct job *j = place == NULL ? NULL : take_same(place, *config);
        if (j == NULL) {
            j = begin_job(r, i, config, label, place);
        } else {
            keep_job(r, i, j, label);
        }
        *vec_push(&r->jobs) = j;
    }
}

/* Old jobs that no tenancy of the new configuration took. */
static void end_jobs(struct renewal *r) ON(engine)
{
    for (size_t i = 0; i < r->s->tenancies.n; i++) {
        struct tenancy *t = r->s->tenancies.v[i];
        bool goes_on = false;
        for (size_t k = 0; k < r->config->n; k++) {
            goes_on |= r->tenancies[k] == t;
        }
        vec_each(&t->jobs, place) {
            if (*place != NULL) {
                end_predecessor(r->s, *place);
                forget_job(r->s, *place, NULL);
                if (goes_on) {
                    tenancy_give_number(t, (*place)->fleet_job);
                    job_free(place, false);
                }
                r->has_changed = true;
            }
        }
        if (!goes_on) {
            tenancy_free(&t);
            r->has_changed = true;
        }
    }
}

/* The job whose pages are shown for 'j': itself, its predecessor, or NULL. */
static struct job *served(const struct state *s, struct job *j)
{
    return j->n_open == 0 || !s->is_synced ? j : j->predecessor;
}

/* The new lists become the state's. */
static void settle_in(struct renewal *r)
{
    struct state *s = r->s;

    vec_clear(&s->tenancies);
    for (size_t i = 0; i < r->config->n; i++) {
        *vec_push(&s->tenancies) = r->tenancies[i];
        vec_clear(&r->tenancies[i]->jobs);
    }
    r->has_changed |= s->jobs.n != r->jobs.n;
    vec_clear(&s->dirty);
    mem_free(s->rows);
    s->rows = mem_array(r->jobs.n + 1, sizeof(*s->rows));
    for (size_t i = 0; i < r->jobs.n; i++) {
        struct job *j = r->jobs.v[i];
        r->has_changed |= i < s->jobs.n && s->jobs.v[i] != j;
        *vec_push(&r->tenancies[r->entries.v[i].tenant]->jobs) = j;
        j->row = i;
        j->is_listed = false;
        list_job(s, j);
        s->rows[i] = served(s, j) == NULL ? NULL : served(s, j)->pages.row;
    }
    vec_fini(&s->jobs);
    s->jobs.v = r->jobs.v;
    s->jobs.n = r->jobs.n;
    s->jobs.cap = r->jobs.cap;
}

static void make_directory(struct renewal *r) ON(engine)
{
    struct state *s = r->s;
    struct directory_tenant *tenants = mem_array(s->tenancies.n + 1, sizeof(*tenants));

    for (size_t i = 0; i < s->tenancies.n; i++) {
        struct tenancy *t = s->tenancies.v[i];
        size_t n = fleet_collectors(t->fleet);
        struct span *names = mem_array(2 * n + 1, sizeof(*names));
        for (uint32_t k = 0; k < n; k++) {
            names[k] = fleet_collector_name(t->fleet, k);
            names[n + k] = tenancy_address_of(t, names[k]);
        }
        tenants[i] = (struct directory_tenant){ t->ns, t->name, names, n, names + n };
    }
    publisher_retire(s->publisher, s->directory, free_directory);
    s->directory = directory_new(tenants, s->tenancies.n, r->entries.v, r->entries.n);
    s->is_directory_new = true;
    for (size_t i = 0; i < s->tenancies.n; i++) {
        mem_free((struct span *)(uintptr_t)tenants[i].collectors);
    }
    mem_free(tenants);
}

static void show_configuration(const struct state *s)
{
    size_t n_collectors = 0, n_unsupported = 0;

    for (size_t i = 0; i < s->tenancies.n; i++) {
        n_collectors += fleet_collectors(s->tenancies.v[i]->fleet);
    }
    for (size_t i = 0; i < s->jobs.n; i++) {
        for (size_t k = 0; k < s->jobs.v[i]->config->n_sds; k++) {
            n_unsupported += provider_find(s->jobs.v[i]->config->sds[k].mechanism) == NULL;
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

static void finish_renewal(struct renewal *r)
{
    vec_each(&r->entries, entry) {
        mem_free((char *)(uintptr_t)entry->config.p);
        mem_free((char *)(uintptr_t)entry->config_masked.p);
    }
    vec_fini(&r->entries);
    mem_free(r->tenancies);
    mem_free(r->goes_on);
}

/* Upstream's name for how long it takes to assign targets. */
static void show_time(const struct tenancy *t, const char *method, int64_t us)
{
    metric_observe_for(METRIC_TIME_TO_ALLOCATE,
                       (const char *[]){ method, fleet_strategy(t->fleet) }, (double)us / 1e6);
}

int state_configure(struct state *s, struct tenants *config, int64_t now_ms, struct err *err)
{
    struct renewal r = { .s = s, .config = config, .now_ms = now_ms };

    if (config->n > 1) {
        qsort(config->v, config->n, sizeof(*config->v), compare_tenants);
    }
    r.tenancies = mem_array(config->n + 1, sizeof(struct tenancy *));
    r.goes_on = mem_array(config->n + 1, sizeof(bool));
    int rc = make_tenancies(&r, err);
    if (rc < 0) {
        drop_new_tenancies(&r);
        finish_renewal(&r);
        return rc;
    }
    for (size_t i = 0; i < config->n; i++) {
        int64_t from = clock_mono_us();
        tenancy_set_alone(r.tenancies[i], config->n == 1);
        r.has_changed |= r.tenancies[i]->are_jobs_inline != config->v[i].are_jobs_inline;
        r.tenancies[i]->are_jobs_inline = config->v[i].are_jobs_inline;
        r.has_changed |= tenancy_set_collectors(r.tenancies[i], &config->v[i]);
        show_time(r.tenancies[i], "SetCollectors", clock_mono_us() - from);
    }
    for (size_t i = 0; i < config->n; i++) {
        renew_jobs(&r, i);
    }
    end_jobs(&r);
    settle_in(&r);
    if (r.has_changed || !s->is_configured) {
        make_directory(&r);
    }
    s->is_configured = true;
    show_configuration(s);
    finish_renewal(&r);
    tenants_fini(config);
    return 0;
}

/* ---- publication */

bool state_is_synced(const struct state *s)
{
    return s->is_synced;
}

bool state_has_news(const struct state *s)
{
    if (!s->is_configured) {
        return false;
    }
    if (!s->is_synced) { /* while something is open: only that there is something to wait for */
        return s->wants.n_open == 0 || s->is_directory_new;
    }
    return s->dirty.n > 0 || s->is_directory_new;
}

static void become_synced(struct state *s) ON(engine)
{
    for (size_t i = 0; i < s->tenancies.n; i++) {
        if (tenancy_assign_in_order(s->tenancies.v[i])) {
            vec_each(&s->tenancies.v[i]->jobs, j) {
                list_job(s, *j);
            }
        }
    }
    s->is_synced = s->is_synced_new = true;
    metric_set(METRIC_SYNCED, 1);
}

/* Pages and row of a job that may have changed; true when the row did. */
static bool render_job(struct state *s, struct job *current, size_t *n_rendered) ON(engine)
{
    struct job *j = served(s, current);
    size_t n = 0;

    current->is_listed = false;
    if (j == NULL) {
        return false;
    }
    if (j == current) {
        end_predecessor(s, current);
    }
    bool has_changed = pages_render(&j->pages, j->fleet, j->heads.n, &n);
    s->rows[current->row] = j->pages.row;
    *n_rendered += n;
    if (j->has_news) {
        s->n_kept += j->n_kept - j->n_kept_shown;
        j->n_kept_shown = j->n_kept;
        job_show(j);
    }
    return has_changed;
}

static bool render_jobs(struct state *s) ON(engine)
{
    size_t n_rendered = 0;
    bool has_changed = false;

    vec_each(&s->dirty, place) {
        has_changed |= render_job(s, *place, &n_rendered);
    }
    vec_clear(&s->dirty);
    metric_add(METRIC_PAGES_RENDERED, n_rendered);
    return has_changed;
}

static void show_allocation(const struct state *s)
{
    size_t n_unassigned = 0;

    for (size_t i = 0; i < s->tenancies.n; i++) {
        tenancy_show(s->tenancies.v[i]);
        n_unassigned += fleet_unassigned(s->tenancies.v[i]->fleet);
    }
    metric_set(METRIC_TARGETS_REMAINING, (double)s->n_kept);
    metric_set(METRIC_TARGETS_UNASSIGNED, (double)n_unassigned);
}

const struct snapshot *state_publish(struct state *s)
{
    if (!state_has_news(s)) {
        return NULL;
    }
    int64_t from = clock_mono_us();
    if (!s->is_synced && s->wants.n_open == 0) {
        become_synced(s);
    }
    bool has_changed = render_jobs(s);
    show_allocation(s);
    s->allocating_us += clock_mono_us() - from;
    metric_observe(METRIC_PROCESS_TARGETS, (double)s->allocating_us / 1e6);
    if (s->tenancies.n > 0) { /* targets of several tenants are assigned in one go */
        show_time(s->tenancies.v[0], "SetTargets", s->allocating_us);
    }
    s->allocating_us = 0;
    if (!has_changed && !s->is_directory_new && !s->is_synced_new) {
        return NULL;
    }
    s->is_directory_new = s->is_synced_new = false;
    const struct snapshot *snapshot =
        publisher_publish(s->publisher, s->directory, s->rows, s->jobs.n, s->is_synced);
    metric_add_for(METRIC_SD_UPDATES, (const char *[]){ "" }, 1);
    return snapshot;
}

bool state_reap(struct state *s)
{
    size_t n_live = publisher_reap(s->publisher);

    metric_set(METRIC_SNAPSHOTS_LIVE, (double)n_live);
    return n_live > 1;
}

void state_count(const struct state *s, struct state_counts *out)
{
    *out = (struct state_counts){ .n_jobs = s->jobs.n, .n_wants_open = s->wants.n_open };
    for (size_t i = 0; i < s->jobs.n; i++) {
        const struct job *j = s->jobs.v[i];
        out->n_discovered += j->n_discovered;
        out->n_kept += j->n_kept;
        out->n_dropped += j->n_dropped;
        out->n_invalid += j->n_invalid;
        out->n_served += j->heads.n;
    }
    for (size_t i = 0; i < s->tenancies.n; i++) {
        out->n_unassigned += fleet_unassigned(s->tenancies.v[i]->fleet);
    }
}

static void each_target_of(const struct tenancy *t, const struct job *j,
                           void (*fn)(void *arg, const struct state_target *t), void *arg)
{
    for (struct table_node *node = table_next(&j->heads, NULL); node != NULL;
         node = table_next(&j->heads, node)) {
        const struct target *target = TABLE_ITEM(node, struct target, node);
        uint32_t owner = fleet_owner(j->fleet, target->slot);
        const struct state_target out = {
            .ns = t->ns,
            .name = t->name,
            .strategy = fleet_strategy(t->fleet),
            .receiver = j->config->receiver,
            .job = j->config->name,
            .collector = owner == FLEET_NONE ? SPAN_LIT("") : fleet_collector_name(j->fleet, owner),
            .own = span_make(target->own, target->own_len),
            .tail = span_make(target->tail->text, target->tail->len),
        };
        fn(arg, &out);
    }
}

void state_each_target(const struct state *s, void (*fn)(void *arg, const struct state_target *t),
                       void *arg)
{
    for (size_t i = 0; i < s->tenancies.n; i++) {
        const struct tenancy *t = s->tenancies.v[i];
        for (size_t k = 0; k < t->jobs.n; k++) {
            each_target_of(t, t->jobs.v[k], fn, arg);
        }
    }
}

void state_each_collector(const struct state *s,
                          void (*fn)(void *arg, struct span ns, struct span name,
                                     struct span collector, size_t n),
                          void *arg)
{
    for (size_t i = 0; i < s->tenancies.n; i++) {
        const struct tenancy *t = s->tenancies.v[i];
        for (uint32_t k = 0; k < fleet_collectors(t->fleet); k++) {
            fn(arg, t->ns, t->name, fleet_collector_name(t->fleet, k),
               fleet_targets_of(t->fleet, k));
        }
    }
}

#include "allocator/engine/state.h"

#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/base/metric.h"
#include "allocator/engine/state_fields.h"

#include <stdlib.h>

struct renewal { /* the new configuration while it replaces the old one */
    struct state *s;
    struct tenants *config;
    struct tenancy **tenancies;        /* by tenant: new, or the old one that goes on */
    bool *goes_on;                     /* by tenant */
    VEC(struct job *) jobs;            /* of all tenants */
    VEC(struct directory_job) entries; /* of the same */
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

    if (j->config == config) {
        *place = NULL;
        return j;
    }
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

    if (!state_is_served(j)) {
        return job_take_predecessor(j);
    }
    *place = NULL;
    return j;
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
        struct provider_input in = { .section = &j->config->sds[i] };
        sd_batch_reset(&s->batch);
        if (ops->digest(&in, &s->batch, NULL) == 0) {
            job_apply(j, i, SPAN_LIT(""), &s->batch);
        }
    }
}

static void add_entry(struct renewal *r, size_t tenant, const struct scrapejob *config)
{
    struct directory_job *entry = vec_push(&r->entries);

    *entry = (struct directory_job){ .tenant = tenant,
                                     .receiver = config->receiver,
                                     .name = config->name };
    if (!r->tenancies[tenant]->are_jobs_inline) {
        entry->config = span_of(config->text);
        entry->config_masked = span_of(config->text_masked);
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
        job_new(*config, label, t->fleet, tenancy_take_number(t), &r->s->tails, &r->s->pool);

    *config = NULL;
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
        scrapejob_settle(*config);
        struct job **place = find_place(old, *config, k);
        if (place != NULL && state_is_served(*place)) {
            state_end_predecessor(r->s, *place);
        }
        struct job *j = place == NULL ? NULL : take_same(place, *config);
        if (j == NULL) {
            j = begin_job(r, i, config, label, place);
        } else {
            keep_job(r, i, j, label);
        }
        add_entry(r, i, j->config);
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
                state_end_predecessor(r->s, *place);
                state_forget_job(r->s, *place, NULL);
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
        state_list_job(s, j);
        struct job *served = state_served_job(j);
        s->rows[i] = served == NULL ? NULL : served->pages.row;
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
        uint32_t *seats = mem_array(n + 1, sizeof(*seats));
        for (size_t k = 0; k < n; k++) {
            seats[k] = fleet_seat(t->fleet, k);
            names[k] = fleet_collector_name(t->fleet, seats[k]);
            names[n + k] = tenancy_address_of(t, names[k]);
        }
        tenants[i] = (struct directory_tenant){ t->ns, t->name, names, n, names + n, seats };
    }
    struct directory *directory =
        directory_new(tenants, s->tenancies.n, r->entries.v, r->entries.n, s->directory);
    state_retire_directory(s);
    s->directory = directory;
    s->is_directory_new = true;
    for (size_t i = 0; i < s->tenancies.n; i++) {
        mem_free((struct span *)(uintptr_t)tenants[i].collectors);
        mem_free((uint32_t *)(uintptr_t)tenants[i].seats);
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

static void finish_renewal(struct renewal *r)
{
    vec_fini(&r->entries);
    mem_free(r->tenancies);
    mem_free(r->goes_on);
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
        r.has_changed |= tenancy_set_collectors(r.tenancies[i], &config->v[i].collectors);
        state_show_time(r.tenancies[i], "SetCollectors", clock_mono_us() - from);
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

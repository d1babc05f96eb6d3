#define LOG_MODULE "engine"
#include "allocator/engine/state.h"

#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/limits.h"
#include "allocator/base/log.h"
#include "allocator/base/memorylimit.h"
#include "allocator/base/metric.h"
#include "allocator/engine/room.h"
#include "allocator/engine/shortage.h"
#include "allocator/engine/state_fields.h"
#include "allocator/engine/takeover.h"

/* ---- jobs */

void state_forget_job(struct state *s, const struct job *j, struct job *next)
{
    if (next != NULL && strcmp(next->label, j->label) == 0) {
        next->has_news = true;
    } else {
        job_forget_series(j);
    }
    s->n_kept -= j->n_kept_shown;
    s->n_starved -= j->n_starved;
    wants_release(&s->wants, j);
}

void state_end_handover(struct state *s, struct job *j)
{
    struct job *before = handover_end(j);

    if (before == NULL) {
        return;
    }
    state_forget_job(s, before, j);
    for (size_t i = 0; i < s->tenancies.n; i++) {
        if (s->tenancies.v[i]->fleet == before->fleet) {
            tenancy_give_number(s->tenancies.v[i], before->fleet_job);
        }
    }
    job_free(&before, false);
}

/* ---- sections that wait */

static void on_settled(void *state, struct job *j)
{
    state_list_job(state, j);
}

/* Another user than this one who has heard of everything, or else of something. */
static const struct want_user *find_twin(const struct want_entry *e, const struct want_user *user)
{
    const struct want_user *found = NULL;

    vec_each(&e->users, twin) {
        if (twin->job != user->job && (found == NULL || twin->stage == WANT_SETTLED)) {
            found = twin;
        }
        if (found != NULL && found->stage == WANT_SETTLED) {
            break;
        }
    }
    return found;
}

static void on_timeout(void *state, const struct want_entry *e, const struct want_user *user)
    ON(engine)
{
    struct state *s = state;
    const struct want_user *twin = find_twin(e, user);
    bool has_changed = twin != NULL &&
                       takeover_twin(user->job, user->section, twin->job, twin->section, &s->batch);

    if (takeover_section(user->job, user->section, &s->batch) || has_changed) {
        state_list_job(s, user->job);
    }
}

/* ---- arrivals */

/* For each job that depends on it, under the name it has now. Upstream counts only what is polled.
 */
static void count_failed_refresh(const struct want_entry *e)
{
    for (size_t i = 0; ask_is_polled(e->ops->carrier) && i < e->users.n; i++) {
        const struct job *j = e->users.v[i].job;
        if (j->handover.to == NULL) {
            metric_add_for(METRIC_SD_REFRESH_FAILURES, (const char *[]){ e->ops->name, j->label },
                           1);
        }
    }
}

/* The source as some user knows it, or NULL. */
static const struct source *find_known(const struct want_entry *e, struct span source)
{
    const struct source *known = NULL;

    for (size_t i = 0; known == NULL && i < e->users.n; i++) {
        known = job_find_source(e->users.v[i].job, e->users.v[i].section, source);
    }
    return known;
}

/* What could not be read stays as it was, also for those who did not know it yet. */
static void keep_known(struct state *s, struct want_entry *e, struct span source) ON(engine)
{
    const struct source *known = find_known(e, source);

    vec_each(&e->users, user) {
        bool has_changed = known != NULL
                               ? takeover_copy(user->job, user->section, known, &s->batch)
                               : takeover_source(user->job, user->section, source, &s->batch);
        if (has_changed) {
            state_list_job(s, user->job);
        }
    }
    wants_fail(e, source);
}

static void count_unreadable(const struct want_entry *e)
{
    if (e->ops->failures != METRIC_NONE) {
        metric_add(e->ops->failures, 1);
    }
    count_failed_refresh(e);
}

static void apply_to(struct state *s, const struct want_user *user, struct span source,
                     struct reading *reading) ON(engine)
{
    int64_t from = clock_mono_us();

    job_apply(user->job, user->section, source, reading);
    int64_t used_us = clock_mono_us() - from;
    s->allocating_us += used_us;
    metric_observe_for(METRIC_PROCESS_GROUPS, (const char *[]){ user->job->label },
                       (double)used_us / 1e6);
    state_list_job(s, user->job);
}

/* Who has room for it; false: somebody has not. */
static bool apply_batch(struct state *s, struct want_entry *e, struct span source) ON(engine)
{
    bool has_room = true;
    struct reading reading = { .batch = &s->batch, .is_shared = e->users.n > 1 };

    vec_each(&e->users, user) {
        if (room_has(user->job, user->section, source, &s->batch)) {
            apply_to(s, user, source, &reading);
        } else {
            has_room = false;
        }
    }
    reading_fini(&reading);
    return has_room;
}

/* There was no room for what came: whoever has not taken it keeps what he has. */
static void starve(struct state *s, struct want_entry *e, struct span source) ON(engine)
{
    shortage_note(s, e->ops->name, source);
    if (e->ops->carrier != CARRIER_JOIN) {
        wants_reject(&s->wants, e);
    }
    keep_known(s, e, source);
    wants_starve(&s->wants, e, source);
}

static void begin_batch(struct state *s)
{
    if (s->pool.bytes > LIMIT_POOL_BYTES) {
        strpool_sweep(&s->pool);
    }
    sd_batch_reset(&s->batch);
}

/* ---- users that join others */

static bool needs(const struct want_user *user, struct span source)
{
    return user->is_new && job_find_source(user->job, user->section, source) == NULL;
}

static bool tell_joined(struct state *s, const struct want_entry *e, const struct source *from)
    ON(engine)
{
    struct span name = span_of(from->name);
    AUTO_BUF text;
    size_t n = 0;

    buf_init(&text, SIZE_MAX / 2);
    vec_each(&e->users, user) {
        n += needs(user, name);
    }
    if (n == 0) {
        return true;
    }
    begin_batch(s);
    if (!takeover_read(from, &text, &s->batch)) {
        return false;
    }
    struct leftover *left = from->leftover;
    bool is_whole = left != NULL && left->is_whole, is_told = true;
    struct reading reading = { .batch = &s->batch,
                               .is_shared = is_whole || n > 1,
                               .whole = is_whole ? leftover_ref(left) : NULL };
    vec_each(&e->users, user) {
        if (needs(user, name) && room_has(user->job, user->section, name, &s->batch)) {
            apply_to(s, user, name, &reading);
        } else {
            is_told &= !needs(user, name);
        }
    }
    reading_fini(&reading);
    return is_told;
}

/* One who has heard of everything, if there is one, tells them all. */
static bool on_join(void *state, const struct want_entry *e) ON(engine)
{
    const struct want_user *knows = NULL;
    bool is_told = true;

    for (size_t i = 0; knows == NULL && i < e->users.n; i++) {
        knows = e->users.v[i].stage == WANT_SETTLED ? &e->users.v[i] : NULL;
    }
    vec_each(&e->users, user) {
        if (user->is_new || (knows != NULL && user != knows)) {
            continue;
        }
        for (const struct table_node *node = table_next(&user->job->sources, NULL); node != NULL;
             node = table_next(&user->job->sources, node)) {
            const struct source *from = CONTAINER_OF(node, struct source, node);
            if (from->section == user->section) {
                is_told &= tell_joined(state, e, from);
            }
        }
    }
    return is_told;
}

static void digest_arrival(struct state *s, struct want_entry *e, const struct arrival *a)
    ON(engine)
{
    const struct want_user *first = &e->users.v[0];
    struct provider_input in = { .section = &first->job->config->sds[first->section],
                                 .source = span_of(a->source),
                                 .body = { a->body, a->body_len } };
    struct err err;

    begin_batch(s);
    if (e->ops->digest(&in, &s->batch, &err) < 0) {
        log_warn("discovered targets cannot be read; those known before stay",
                 LOG_STR("mechanism", e->ops->name), LOG_STR("source", a->source),
                 LOG_STR("error", err.text));
        count_unreadable(e);
        wants_reject(&s->wants, e);
        keep_known(s, e, span_of(a->source));
        return;
    }
    if (apply_batch(s, e, span_of(a->source))) {
        wants_learn(&s->wants, e, span_of(a->source));
    } else {
        starve(s, e, span_of(a->source));
    }
}

static void vanish(struct state *s, const struct want_entry *e, struct span source) ON(engine)
{
    vec_each(&e->users, user) {
        job_vanish(user->job, user->section, source);
        state_list_job(s, user->job);
    }
}

static void take_arrival(struct state *s, const struct arrival *a) ON(engine)
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
        vanish(s, e, span_of(a->source));
        wants_learn(&s->wants, e, span_of(a->source));
        break;
    case ARRIVAL_BLIND:
    case ARRIVAL_SIGHTED:
        wants_set_blind(&s->wants, e, a->status == ARRIVAL_BLIND);
        break;
    case ARRIVAL_SETTLED:
        wants_settle(&s->wants, e);
        break;
    case ARRIVAL_FAILED: /* the watcher has logged it */
        count_unreadable(e);
        if (a->source != NULL) {
            keep_known(s, e, span_of(a->source));
        }
        break;
    }
}

void state_arrive(struct state *s, const struct arrival *a)
{
    take_arrival(s, a);
    shortage_settle(s);
}

/* ---- objects of a cluster */

static void on_object(void *state, uint64_t want, struct span name, const struct role_input *object)
    ON(engine)
{
    struct state *s = state;
    struct want_entry *e = wants_find(&s->wants, want);
    const struct want_user *first = &e->users.v[0];
    struct provider_input in = { .section = &first->job->config->sds[first->section],
                                 .source = name,
                                 .object = object };
    struct err err;

    if (object == NULL) {
        vanish(s, e, name);
        wants_learn(&s->wants, e, name);
        return;
    }
    begin_batch(s);
    if (e->ops->digest(&in, &s->batch, &err) == 0) {
        if (apply_batch(s, e, name)) {
            wants_learn(&s->wants, e, name);
        } else {
            starve(s, e, name);
        }
    } else { /* costs this object only */
        log_warn("a Kubernetes object has no targets that can be known; those of before stay",
                 LOG_SPAN("source", name), LOG_STR("error", err.text));
    }
}

static void on_objects_told(void *state, uint64_t want)
{
    struct state *s = state;

    wants_settle(&s->wants, wants_find(&s->wants, want));
}

static void post_to_watcher(void *state, struct mail *mail)
{
    struct state *s = state;

    wants_post(&s->wants, mail);
}

void state_take_objects(struct state *s, const struct object_arrival *a)
{
    joins_arrive(&s->joins, a);
    joins_work(&s->joins);
    shortage_settle(s);
}

/* ---- life */

struct state *state_new(struct mailbox *watcher)
{
    struct state *s = mem_zalloc(sizeof(*s));

    strpool_init(&s->pool);
    label_builder_init(&s->labels, &s->pool, NULL);
    s->publisher = publisher_new();
    tails_init(&s->tails, s->publisher);
    s->tails.most_bytes = memorylimit_targets(memorylimit_bytes());
    joins_init(&s->joins, &(struct joins_hooks){ on_object, on_objects_told, post_to_watcher, s });
    wants_init(&s->wants, watcher, &s->joins,
               &(struct wants_hooks){ on_join, on_settled, on_timeout, s });
    sd_batch_init(&s->batch, &s->pool);
    s->rows = mem_array(1, sizeof(*s->rows));
    s->directory = directory_new(NULL, 0, NULL, 0, NULL);
    return s;
}

void state_free_told(struct told *t)
{
    mem_free(t->ns);
    mem_free(t->name);
    tenant_free(&t->tenant);
    tenancy_free(&t->fresh);
    collectorlist_fini(&t->list);
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
    vec_each(&s->told, told) {
        state_free_told(told);
    }
    vec_fini(&s->told);
    gaps_fini(&s->gaps);
    state_retire_directory(s);
    publisher_free(&s->publisher);
    tails_fini(&s->tails);
    wants_fini(&s->wants);
    joins_fini(&s->joins);
    sd_batch_fini(&s->batch);
    vec_fini(&s->tenancies);
    vec_fini(&s->jobs);
    vec_fini(&s->dirty);
    mem_free(s->rows);
    label_builder_fini(&s->labels);
    strpool_fini(&s->pool);
    mem_free(s);
    *state = NULL;
}

void state_release_watcher(struct state *s)
{
    if (s->wants.watcher != NULL) {
        mailbox_post(s->wants.watcher, want_signal_new(WATCHER_RELEASED));
        s->wants.watcher = NULL;
    }
}

int64_t state_deadline_ms(const struct state *s)
{
    return wants_deadline_ms(&s->wants);
}

void state_tick(struct state *s, int64_t now_ms)
{
    size_t n = wants_expire(&s->wants, now_ms);

    if (n > 0) {
        log_warn("discovery sections without an answer are no longer waited for",
                 LOG_INT("sections", n));
    }
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
        return s->wants.n_untried == 0 || s->is_directory_new;
    }
    return s->dirty.n > 0 || s->is_directory_new;
}

static void become_synced(struct state *s) ON(engine)
{
    for (size_t i = 0; i < s->tenancies.n; i++) {
        if (tenancy_assign_in_order(s->tenancies.v[i])) {
            vec_each(&s->tenancies.v[i]->jobs, j) {
                state_list_job(s, *j);
            }
        }
    }
    s->is_synced = s->is_synced_new = true;
    metric_set(METRIC_SYNCED, 1);
}

/* Pages and row of a job that may have changed; true when the row did. */
static bool render_job(struct state *s, struct job *current, size_t *n_rendered) ON(engine)
{
    struct job *j = handover_served(current);
    size_t n = 0;

    current->is_listed = false;
    for (struct job *other = current; other != NULL; other = other->handover.from) {
        if (other != j) {
            pages_merge(&other->pages, other->fleet);
        }
    }
    if (j == NULL) {
        return false;
    }
    bool has_changed = pages_render(&j->pages, j->fleet, j->heads.n, &n);
    handover_note(&j->handover, HANDOVER_PUBLISHED);
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

    vec_each(&s->dirty, place) { /* their targets count until they go */
        if (handover_served(*place) == *place) {
            state_end_handover(s, *place);
        }
    }
    for (size_t i = 0; i < s->tenancies.n; i++) {
        tenancy_settle(s->tenancies.v[i], on_settled, s);
    }
    vec_each(&s->dirty, place) {
        has_changed |= render_job(s, *place, &n_rendered);
    }
    vec_clear(&s->dirty);
    metric_add(METRIC_PAGES_RENDERED, n_rendered);
    return has_changed;
}

/* Before the first sync no job is shown, but what was retired is freed after each snapshot. */
static void merge_jobs(struct state *s)
{
    vec_each(&s->dirty, place) {
        pages_merge(&(*place)->pages, (*place)->fleet);
    }
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

void state_show_time(const struct tenancy *t, const char *method, int64_t us)
{
    metric_observe_for(METRIC_TIME_TO_ALLOCATE,
                       (const char *[]){ method, fleet_strategy(t->fleet) }, (double)us / 1e6);
}

const struct snapshot *state_publish(struct state *s)
{
    if (!state_has_news(s)) {
        return NULL;
    }
    int64_t from = clock_mono_us();
    if (!s->is_synced && s->wants.n_untried == 0) {
        become_synced(s);
    }
    bool has_changed = false;
    if (s->is_synced) {
        has_changed = render_jobs(s);
    } else {
        merge_jobs(s);
    }
    show_allocation(s);
    s->allocating_us += clock_mono_us() - from;
    metric_observe(METRIC_PROCESS_TARGETS, (double)s->allocating_us / 1e6);
    if (s->tenancies.n > 0) { /* targets of several tenants are assigned in one go */
        state_show_time(s->tenancies.v[0], "SetTargets", s->allocating_us);
    }
    s->allocating_us = 0;
    if (!has_changed && !s->is_directory_new && !s->is_synced_new) {
        return NULL;
    }
    s->is_directory_new = s->is_synced_new = false;
    const struct snapshot *snapshot =
        publisher_publish(s->publisher, s->directory, s->rows, s->n_rows, s->is_synced);
    metric_add_for(METRIC_SD_UPDATES, (const char *[]){ "" }, 1);
    return snapshot;
}

bool state_reap(struct state *s)
{
    size_t n_live = publisher_reap(s->publisher);

    metric_set(METRIC_SNAPSHOTS_LIVE, (double)n_live);
    return n_live > 1;
}

uint64_t state_crowding(const struct state *s)
{
    return publisher_crowding(s->publisher);
}

void state_count(const struct state *s, struct state_counts *out)
{
    *out = (struct state_counts){ .n_jobs = s->jobs.n, .n_wants_open = s->wants.n_untried };
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
        const struct target *target = CONTAINER_OF(node, struct target, node);
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
        for (size_t k = 0; k < fleet_collectors(t->fleet); k++) {
            uint32_t seat = fleet_seat(t->fleet, k);
            fn(arg, t->ns, t->name, fleet_collector_name(t->fleet, seat),
               fleet_targets_of(t->fleet, seat));
        }
    }
}

#include "allocator/engine/tenancy.h"

#include "allocator/base/metric.h"

#include <stdlib.h>

/* ---- metrics */

static void forget_shown(const struct tenancy *t, struct shown_collector *shown)
{
    AUTO_STR label = mem_printf("%s%s", t->prefix, shown->name);

    metric_forget(METRIC_TARGETS_PER_COLLECTOR,
                  (const char *[]){ label, fleet_strategy(t->fleet) });
    mem_free(shown->name);
}

static void forget_all_shown(struct tenancy *t)
{
    while (t->shown.n > 0) {
        forget_shown(t, &t->shown.v[--t->shown.n]);
    }
}

bool tenancy_set_alone(struct tenancy *t, bool is_alone)
{
    char *prefix =
        is_alone ? mem_strdup("") : mem_printf("%.*s/%.*s/", SPAN_ARG(t->ns), SPAN_ARG(t->name));

    bool is_new = strcmp(prefix, t->prefix) != 0;

    if (is_new) {
        forget_all_shown(t);
        t->has_new_collectors = true;
    }
    mem_free(t->prefix);
    t->prefix = prefix;
    return is_new;
}

/* The list of what is shown gets the collectors of the fleet, in its order. */
static void match_shown(struct tenancy *t)
{
    size_t n = fleet_collectors(t->fleet), k = 0;
    struct shown_collector *now = mem_array(n + 1, sizeof(*now));

    for (uint32_t i = 0; i < n; i++) {
        struct span name = fleet_collector_name(t->fleet, fleet_seat(t->fleet, i));
        while (k < t->shown.n && span_cmp(span_of(t->shown.v[k].name), name) < 0) {
            forget_shown(t, &t->shown.v[k++]);
        }
        if (k < t->shown.n && span_is(name, t->shown.v[k].name)) {
            now[i] = t->shown.v[k++];
        } else {
            now[i] = (struct shown_collector){ mem_strndup(name.p, name.len), SIZE_MAX };
        }
    }
    while (k < t->shown.n) {
        forget_shown(t, &t->shown.v[k++]);
    }
    mem_free(t->shown.v);
    t->shown.v = now;
    t->shown.n = n;
    t->shown.cap = n + 1;
    t->has_new_collectors = false;
}

void tenancy_show(struct tenancy *t)
{
    if (t->has_new_collectors) {
        match_shown(t);
    }
    for (uint32_t i = 0; i < t->shown.n; i++) {
        size_t n_targets = fleet_targets_of(t->fleet, fleet_seat(t->fleet, i));
        if (t->shown.v[i].n_targets != n_targets) {
            AUTO_STR label = mem_printf("%s%s", t->prefix, t->shown.v[i].name);
            t->shown.v[i].n_targets = n_targets;
            metric_set_for(METRIC_TARGETS_PER_COLLECTOR,
                           (const char *[]){ label, fleet_strategy(t->fleet) }, (double)n_targets);
        }
    }
}

/* ---- life */

bool tenancy_is_like(const struct tenancy *t, const struct tenant *config)
{
    return span_eq(config->strategy, t->strategy) && span_eq(config->fallback, t->fallback) &&
           config->is_v0 == t->is_v0;
}

static int new_fleet(const struct tenancy *t, struct fleet **out, struct err *err)
{
    struct fleet_options options = { t->strategy, t->fallback, t->is_v0 };
    return fleet_new(&options, out, err);
}

int tenancy_new(const struct tenant *config, struct tenancy **out, struct err *err)
{
    struct tenancy *t = mem_zalloc(sizeof(*t));

    t->ns = mem_dup_span(config->ns);
    t->name = mem_dup_span(config->name);
    t->strategy = mem_dup_span(config->strategy);
    t->fallback = mem_dup_span(config->fallback);
    t->is_v0 = config->is_v0;
    t->prefix = mem_strdup("");
    collectorlist_init(&t->collectors);
    int rc = new_fleet(t, &t->fleet, err);
    if (rc < 0) {
        tenancy_free(&t);
        return rc;
    }
    *out = t;
    return 0;
}

void tenancy_free(struct tenancy **tenancy)
{
    struct tenancy *t = *tenancy;

    if (t == NULL) {
        return;
    }
    for (size_t i = 0; i < t->jobs.n; i++) {
        job_free(&t->jobs.v[i], true);
    }
    vec_fini(&t->jobs);
    tenancy_set_refused(t, &(struct scrapejobs){ 0 });
    vec_fini(&t->refused);
    vec_fini(&t->free_numbers);
    forget_all_shown(t);
    vec_fini(&t->shown);
    collectorlist_fini(&t->collectors);
    fleet_free(&t->fleet);
    mem_free_span(&t->ns);
    mem_free_span(&t->name);
    mem_free_span(&t->strategy);
    mem_free_span(&t->fallback);
    mem_free(t->prefix);
    mem_free(t);
    *tenancy = NULL;
}

void tenancy_set_refused(struct tenancy *t, struct scrapejobs *from)
{
    vec_each(&t->refused, r) {
        mem_free(r->receiver);
        mem_free(r->name);
        mem_free(r->why);
    }
    vec_clear(&t->refused);
    vec_each(&from->refused, r) {
        *vec_push(&t->refused) = *r;
    }
    vec_fini(&from->refused);
}

uint32_t tenancy_take_number(struct tenancy *t)
{
    if (t->free_numbers.n > 0) {
        return t->free_numbers.v[--t->free_numbers.n];
    }
    return t->n_numbers++;
}

void tenancy_give_number(struct tenancy *t, uint32_t number)
{
    *vec_push(&t->free_numbers) = number;
}

/* ---- collectors */

static void note_move(void *arg, void *target, uint32_t from, uint32_t to)
{
    const struct target *t = target;
    struct pages *pages = &t->source->job->pages;
    (void)arg;

    pages_touch(pages, from, target_identity(t));
    pages_add(pages, to, target);
}

static int compare_collectors(const void *a, const void *b)
{
    const struct strategy_collector *x = a, *y = b;
    return span_cmp(x->name, y->name);
}

struct span tenancy_address_of(const struct tenancy *t, struct span collector)
{
    const struct strategy_collector key = { .name = collector };
    const struct strategy_collector *c =
        bsearch(&key, t->collectors.v, t->collectors.n, sizeof(key), compare_collectors);

    return c == NULL ? SPAN_LIT("") : c->address;
}

bool tenancy_set_collectors(struct tenancy *t, const struct collectorlist *list)
{
    struct collectorlist before = t->collectors;
    uint64_t key_before[2], key[2];

    collectorlist_init(&t->collectors);
    collectorlist_copy(&t->collectors, list);
    if (t->collectors.n > 1) {
        qsort(t->collectors.v, t->collectors.n, sizeof(*t->collectors.v), compare_collectors);
    }
    collectorlist_key(&before, key_before);
    collectorlist_key(&t->collectors, key);
    collectorlist_fini(&before);
    t->has_new_collectors |=
        fleet_set_collectors(t->fleet, t->collectors.v, t->collectors.n, note_move, NULL);
    return memcmp(key_before, key, sizeof(key)) != 0;
}

struct settling {
    void (*touched)(void *arg, struct job *j);
    void *arg;
};

static void note_settled(void *arg, void *target, uint32_t from, uint32_t to)
{
    const struct settling *s = arg;

    note_move(NULL, target, from, to);
    s->touched(s->arg, ((const struct target *)target)->source->job);
}

void tenancy_settle(struct tenancy *t, void (*touched)(void *arg, struct job *j), void *arg)
{
    fleet_settle(t->fleet, note_settled, &(struct settling){ touched, arg });
}

bool tenancy_assign_in_order(struct tenancy *t)
{
    const struct strategy_ops *ops = strategy_find(span_of(fleet_strategy(t->fleet)));
    const struct strategy_ops *fallback = t->fallback.len == 0 ? NULL : strategy_find(t->fallback);

    if (!ops->needs_load && (fallback == NULL || !fallback->needs_load)) {
        return false;
    }
    fleet_clear(t->fleet);
    for (size_t i = 0; i < t->jobs.n; i++) {
        job_join(t->jobs.v[i], t->fleet, t->jobs.v[i]->fleet_job);
    }
    return true;
}

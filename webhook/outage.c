#define LOG_MODULE "settings"

#include "webhook/outage.h"

#include "allocator/base/log.h"
#include "allocator/base/metric.h"

#include <stdlib.h>

enum { FILE_NAME, COLLECTOR, JOB, WHY, N_TEXTS };

#define MAX_WHY 500   /* characters of a label */
#define MAX_LINES 100 /* in the log at a time */

/* Moves 'collector' and 'job'. */
/* NOLINTNEXTLINE(readability-non-const-parameter): they are moved */
static void add(struct outages *o, const char *file, char *collector, char *job, const char *why)
{
    *vec_push(o) = (struct outage){ { mem_strdup(file), collector, job,
                                      mem_strndup(why, strnlen(why, MAX_WHY)) } };
}

static char *name_of(const char *ns, const char *name)
{
    return mem_printf("%s%s%s", ns, ns[0] != '\0' ? "/" : "", name);
}

static void collect(const struct tenants *tenants, struct outages *o)
{
    vec_each(&tenants->gaps, gap) {
        add(o, gap->file, gap->name == NULL ? mem_strdup("") : name_of(gap->ns, gap->name),
            mem_strdup(""), gap->why);
    }
    vec_each(tenants, place) {
        const struct tenant *t = *place;
        AUTO_STR file = mem_strndup(t->file.len == 0 ? "" : t->file.p, t->file.len);
        AUTO_STR ns = mem_strndup(t->ns.len == 0 ? "" : t->ns.p, t->ns.len);
        AUTO_STR name = mem_strndup(t->name.len == 0 ? "" : t->name.p, t->name.len);
        vec_each(&t->jobs.refused, r) {
            add(o, file, name_of(ns, name), name_of(r->receiver, r->name), r->why);
        }
    }
}

static int compare(const void *a, const void *b)
{
    const struct outage *x = a, *y = b;
    int c = 0;

    for (size_t i = 0; c == 0 && i < N_TEXTS; i++) {
        c = strcmp(x->texts[i], y->texts[i]);
    }
    return c;
}

static void free_one(struct outage *o)
{
    for (size_t i = 0; i < N_TEXTS; i++) {
        mem_free(o->texts[i]);
    }
}

static void begin(const struct outage *o, size_t *n_said)
{
    metric_set_for(METRIC_CONFIG_OUT, (const char *const *)o->texts, 1);
    if ((*n_said)++ < MAX_LINES) {
        log_error("not served as configured, since that has a fault; what was known of it stays",
                  LOG_STR("file", o->texts[FILE_NAME]), LOG_STR("collector", o->texts[COLLECTOR]),
                  LOG_STR("job", o->texts[JOB]), LOG_STR("fault", o->texts[WHY]));
    }
}

static void end(const struct outage *o, size_t *n_said)
{
    metric_forget(METRIC_CONFIG_OUT, (const char *const *)o->texts);
    if ((*n_said)++ < MAX_LINES) {
        log_info("a fault in the configuration is gone", LOG_STR("file", o->texts[FILE_NAME]),
                 LOG_STR("collector", o->texts[COLLECTOR]), LOG_STR("job", o->texts[JOB]),
                 LOG_STR("fault", o->texts[WHY]));
    }
}

void outages_tell(struct outages *o, const struct tenants *tenants)
{
    struct outages now = { 0 };
    size_t i = 0, k = 0, n_said = 0;

    collect(tenants, &now);
    if (now.n > 1) {
        qsort(now.v, now.n, sizeof(*now.v), compare);
    }
    while (i < o->n || k < now.n) { /* one merge of two sorted lists */
        int c = i == o->n ? 1 : k == now.n ? -1 : compare(&o->v[i], &now.v[k]);
        if (c < 0) {
            end(&o->v[i], &n_said);
        } else if (c > 0) {
            begin(&now.v[k], &n_said);
        }
        i += c <= 0;
        k += c >= 0;
    }
    if (n_said > MAX_LINES) {
        log_error("and more like these", LOG_INT("n", (int64_t)(n_said - MAX_LINES)));
    }
    outages_fini(o);
    *o = now;
}

void outages_fini(struct outages *o)
{
    vec_each(o, it) {
        free_one(it);
    }
    vec_fini(o);
}

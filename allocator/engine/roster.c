#include "allocator/engine/roster.h"

#include "allocator/base/limits.h"

/* ---- jobs */

static bool is_named(const struct scrapejob_refused *r, struct span receiver, struct span name)
{
    return span_is(name, r->name) && span_is(receiver, r->receiver);
}

static bool is_running(const struct tenancy *t, const struct scrapejob_refused *r)
{
    vec_each(&t->jobs, j) {
        if (is_named(r, (*j)->config->receiver, (*j)->config->name)) {
            return true;
        }
    }
    return false;
}

/* Known by name, does not run, and is the first of that name. */
static bool is_listed(const struct tenancy *t, const struct scrapejob_refused *r)
{
    for (const struct scrapejob_refused *other = t->refused.v; other < r; other++) {
        if (is_named(r, span_of(other->receiver), span_of(other->name))) {
            return false;
        }
    }
    return r->name[0] != '\0' && !is_running(t, r);
}

size_t roster_count_refused(const struct state *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->tenancies.n; i++) {
        vec_each(&s->tenancies.v[i]->refused, r) {
            n += is_listed(s->tenancies.v[i], r);
        }
    }
    return n;
}

/* With what is missing of them in 'faults'. */
static struct directory_job *list_jobs(const struct state *s, struct span *faults)
{
    struct directory_job *entries = mem_array(s->n_rows + 1, sizeof(*entries));
    size_t n = 0;

    for (size_t i = 0; i < s->tenancies.n; i++) {
        vec_each(&s->tenancies.v[i]->jobs, place) {
            const struct scrapejob *config = (*place)->config;
            struct directory_job *entry = &entries[n++];
            *entry = (struct directory_job){ .tenant = i,
                                             .receiver = config->receiver,
                                             .name = config->name };
            if (!s->tenancies.v[i]->are_jobs_inline) {
                entry->config = span_of(config->text);
                entry->config_masked = span_of(config->text_masked);
            }
        }
    }
    for (size_t i = 0; i < s->tenancies.n; i++) {
        vec_each(&s->tenancies.v[i]->refused, r) {
            if (is_listed(s->tenancies.v[i], r)) {
                faults[n] = r->why[0] != '\0' ? span_of(r->why) : SPAN_LIT("it has a fault");
                entries[n++] = (struct directory_job){ .tenant = i,
                                                       .receiver = span_of(r->receiver),
                                                       .name = span_of(r->name) };
            }
        }
    }
    return entries;
}

/* ---- tenants */

/* A refused job without a name could be any that is asked for. */
static bool may_have_more(const struct tenancy *t)
{
    vec_each(&t->refused, r) {
        if (r->name[0] == '\0') {
            return true;
        }
    }
    return false;
}

static struct directory_tenant describe(const struct tenancy *t)
{
    size_t n = fleet_collectors(t->fleet);
    struct span *names = mem_array(2 * n + 1, sizeof(*names));
    uint32_t *seats = mem_array(n + 1, sizeof(*seats));

    for (size_t k = 0; k < n; k++) {
        seats[k] = fleet_seat(t->fleet, k);
        names[k] = fleet_collector_name(t->fleet, seats[k]);
        names[n + k] = tenancy_address_of(t, names[k]);
    }
    return (struct directory_tenant){ t->ns, t->name, names, n, names + n, seats };
}

/* Those that are missing and were not there before: nothing is known of them but the name. */
static void add_missing(const struct gaps *gaps, struct directory_tenant *tenants,
                        struct span *faults, size_t *n)
{
    vec_each(gaps, gap) {
        size_t i = 0;

        while (gap->name != NULL && i < *n &&
               !(span_is(tenants[i].ns, gap->ns) && span_is(tenants[i].name, gap->name))) {
            i++;
        }
        if (gap->name != NULL && i == *n) {
            faults[i] = gap->why[0] != '\0' ? span_of(gap->why) : SPAN_LIT("it has a fault");
            tenants[(*n)++] =
                (struct directory_tenant){ .ns = span_of(gap->ns), .name = span_of(gap->name) };
        }
    }
}

/* ---- what is missing, for people */

static void add_words(struct buf *out, const char *what, const char *ns, const char *name)
{
    buf_addf(out, "[-]%s ", what);
    if (ns != NULL && ns[0] != '\0') {
        buf_add_visible(out, span_of(ns));
        buf_add_char(out, '/');
    }
    buf_add_visible(out, span_of(name));
}

static void describe_refused(const struct tenancy *t, const struct scrapejob_refused *r,
                             struct buf *out)
{
    AUTO_STR owner = t->name.len == 0 ? mem_strdup("")
                                      : mem_printf("%.*s%s%.*s: ", SPAN_ARG(t->ns),
                                                   t->ns.len > 0 ? "/" : "", SPAN_ARG(t->name));
    AUTO_STR name = mem_printf("%s%s%s%s", owner, r->receiver, r->receiver[0] != '\0' ? ": " : "",
                               r->name[0] != '\0' ? r->name : "(without a name)");

    add_words(out, "job", NULL, name);
    buf_add_str(out, is_running(t, r) ? " (goes on as it was): " : ": ");
    buf_add_str(out, r->why);
    buf_add_char(out, '\n');
}

static void describe_gaps(const struct state *s, struct buf *out)
{
    vec_each(&s->gaps, gap) {
        if (gap->name == NULL) {
            add_words(out, "file", NULL, gap->file);
        } else {
            add_words(out, "collector", gap->ns, gap->name);
        }
        buf_addf(out, ": %s\n", gap->why);
    }
    for (size_t i = 0; i < s->tenancies.n; i++) {
        vec_each(&s->tenancies.v[i]->refused, r) {
            describe_refused(s->tenancies.v[i], r, out);
        }
    }
}

static bool has_unread_file(const struct gaps *gaps)
{
    vec_each(gaps, gap) {
        if (gap->name == NULL) {
            return true;
        }
    }
    return false;
}

/* ---- whole */

void roster_make(struct state *s)
{
    size_t n = s->tenancies.n, max = n + s->gaps.n + 1;
    struct directory_tenant *tenants = mem_array(max, sizeof(*tenants));
    struct span *of_tenants = mem_array(max, sizeof(*of_tenants));
    struct span *of_jobs = mem_array(s->n_rows + 1, sizeof(*of_jobs));
    bool *more = mem_array(max, sizeof(*more));
    AUTO_BUF lines;

    for (size_t i = 0; i < n; i++) {
        tenants[i] = describe(s->tenancies.v[i]);
        more[i] = may_have_more(s->tenancies.v[i]);
    }
    add_missing(&s->gaps, tenants, of_tenants, &n);
    struct directory_job *jobs = list_jobs(s, of_jobs);
    buf_init(&lines, LIMIT_DOCUMENT_BYTES);
    describe_gaps(s, &lines);
    struct directory *directory = directory_new(tenants, n, jobs, s->n_rows, s->directory);
    const struct directory_gaps gaps = { of_tenants, more, of_jobs, has_unread_file(&s->gaps),
                                         buf_span(&lines) };
    directory_set_gaps(directory, &gaps);
    state_retire_directory(s);
    s->directory = directory;
    s->is_directory_new = true;
    for (size_t i = 0; i < s->tenancies.n; i++) {
        mem_free((struct span *)(uintptr_t)tenants[i].collectors);
        mem_free((uint32_t *)(uintptr_t)tenants[i].seats);
    }
    mem_free(jobs);
    mem_free(tenants);
    mem_free(of_tenants);
    mem_free(of_jobs);
    mem_free(more);
}

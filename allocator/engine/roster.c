#include "allocator/engine/roster.h"

#include "allocator/base/limits.h"
#include "allocator/codec/spanmap.h"

/* ---- jobs */

/* What becomes of a refused job. */
enum standing {
    STANDING_LISTED,  /* known by name, does not run, and is the first of that name */
    STANDING_OTHER,   /* one of no name, or not the first of its own */
    STANDING_RUNNING, /* goes on as it was */
};

/* Of all refused jobs of a tenant, in their order; the caller's. */
static enum standing *find_standings(const struct tenancy *t)
{
    enum standing *out = mem_array(t->refused.n + 1, sizeof(*out));
    struct spanmap running, met;

    spanmap_init(&running, NULL);
    spanmap_init(&met, NULL);
    for (size_t i = 0; t->refused.n > 0 && i < t->jobs.n; i++) {
        const struct scrapejob *config = t->jobs.v[i]->config;
        (void)spanmap_put_in(&running, config->receiver, config->name, config);
    }
    for (size_t i = 0; i < t->refused.n; i++) {
        struct span receiver = span_of(t->refused.v[i].receiver),
                    name = span_of(t->refused.v[i].name);
        bool is_first = spanmap_put_in(&met, receiver, name, t);
        out[i] = spanmap_get_in(&running, receiver, name) != NULL ? STANDING_RUNNING
                 : is_first && name.len > 0                       ? STANDING_LISTED
                                                                  : STANDING_OTHER;
    }
    spanmap_fini(&running);
    spanmap_fini(&met);
    return out;
}

size_t roster_count_refused(const struct state *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->tenancies.n; i++) {
        enum standing *standings = find_standings(s->tenancies.v[i]);
        for (size_t k = 0; k < s->tenancies.v[i]->refused.n; k++) {
            n += standings[k] == STANDING_LISTED;
        }
        mem_free(standings);
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
        enum standing *standings = find_standings(s->tenancies.v[i]);
        for (size_t k = 0; k < s->tenancies.v[i]->refused.n; k++) {
            const struct scrapejob_refused *r = &s->tenancies.v[i]->refused.v[k];
            if (standings[k] == STANDING_LISTED) {
                faults[n] = r->why[0] != '\0' ? span_of(r->why) : SPAN_LIT("it has a fault");
                entries[n++] = (struct directory_job){ .tenant = i,
                                                       .receiver = span_of(r->receiver),
                                                       .name = span_of(r->name) };
            }
        }
        mem_free(standings);
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
                             enum standing standing, struct buf *out)
{
    AUTO_STR owner = t->name.len == 0 ? mem_strdup("")
                                      : mem_printf("%.*s%s%.*s: ", SPAN_ARG(t->ns),
                                                   t->ns.len > 0 ? "/" : "", SPAN_ARG(t->name));
    AUTO_STR name = mem_printf("%s%s%s%s", owner, r->receiver, r->receiver[0] != '\0' ? ": " : "",
                               r->name[0] != '\0' ? r->name : "(without a name)");

    add_words(out, "job", NULL, name);
    buf_add_str(out, standing == STANDING_RUNNING ? " (goes on as it was): " : ": ");
    buf_add_str(out, r->why);
    buf_add_char(out, '\n');
}

/* engine/shortage.h */
static void describe_shortage(const struct state *s, struct buf *out)
{
    if (s->is_short) {
        buf_addf(
            out,
            "[-]targets: no room: the targets of all jobs together take the %zu MiB that there "
            "are for them (--memory-limit); sources that would need more keep what they gave "
            "(otel_ta_sources_without_room)\n",
            s->tails.most_bytes / MIB);
    }
}

static void describe_gaps(const struct state *s, struct buf *out)
{
    describe_shortage(s, out);
    vec_each(&s->gaps, gap) {
        if (gap->name == NULL) {
            add_words(out, "file", NULL, gap->file);
        } else {
            add_words(out, "collector", gap->ns, gap->name);
        }
        buf_addf(out, ": %s\n", gap->why);
    }
    for (size_t i = 0; i < s->tenancies.n; i++) {
        const struct tenancy *t = s->tenancies.v[i];
        enum standing *standings = find_standings(t);
        for (size_t k = 0; k < t->refused.n; k++) {
            describe_refused(t, &t->refused.v[k], standings[k], out);
        }
        mem_free(standings);
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

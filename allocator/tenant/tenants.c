#include "allocator/tenant/tenants.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/memorylimit.h"
#include "allocator/base/vec.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/tenant/collectoradvice.h"
#include "allocator/tenant/dropin.h"
#include "allocator/tenant/receivers.h"
#include "allocator/tenant/wire.h"

#define MAX_APART 1000 /* documents of a broken file that are tried one by one */

struct loading {
    const struct tenants_options *options;
    struct faults *f;
    struct arena scratch; /* documents */
    const char *path;     /* of the file at hand */
    bool is_dropin;       /* it is one */
    bool has_collectors;  /* the file has a Collector, or a list that could have */
    size_t room;          /* for jobs, of all sources together */
    struct tenants tenants;
};

/* ---- collectors */

static bool has_list(const struct tenants_options *o)
{
    return o->collectors != NULL && o->collectors->n > 0;
}

/* Those of the command line, or <set>-0 … as a StatefulSet makes them. */
static void set_collectors(struct loading *l, struct tenant *t, size_t n_replicas)
{
    const struct tenants_options *o = l->options;
    size_t n = o->collector_count > 0 ? o->collector_count : n_replicas;
    AUTO_BUF set = { 0 };

    if (o->has_pods) {
        return;
    }
    if (has_list(o)) {
        collectorlist_copy(&t->collectors, o->collectors);
        return;
    }
    if (n > LIMIT_COLLECTORS) {
        faults_add(l->f, FAULT_ERROR, 0, "more than %d collectors", LIMIT_COLLECTORS);
        return;
    }
    buf_init(&set, KIB);
    wire_collector_name(t->name, &set);
    collectorlist_number(&t->collectors, set.p, n);
}

static struct span choose(struct span given, struct span documented)
{
    return given.len > 0 ? given : documented;
}

static void report_unsupported(struct loading *l, const struct tenant *t)
{
    for (size_t i = 0; i < t->jobs.n; i++) {
        const struct scrapejob *job = t->jobs.v[i];
        for (size_t k = 0; k < job->n_sds; k++) {
            struct span section = span_of(job->sds[k].section);
            if (!sdconfig_is_run(section)) {
                AUTO_STR gap = sdconfig_gap(job->name, section);
                faults_add(l->f, FAULT_WARNING, 0, "%s", gap);
            }
        }
    }
}

static void name_service(struct tenant *t)
{
    AUTO_BUF name;

    buf_init(&name, KIB);
    if (t->name.len > 0) {
        wire_service_name(t->name, &name);
    }
    t->service = arena_span(&t->arena, buf_span(&name));
}

/* Names that differ may become one when they are cut and made DNS labels. */
static void report_shared_service(struct loading *l, const struct tenant *t)
{
    for (size_t i = 0; i < l->tenants.n; i++) {
        const struct tenant *other = l->tenants.v[i];
        if (span_eq(other->ns, t->ns) && span_eq(other->service, t->service)) {
            faults_add(
                l->f, FAULT_WARNING, 0,
                "collector '%.*s' has the same Service as '%.*s', %.*s: requests that could mean "
                "either are answered 421",
                SPAN_ARG(t->name), SPAN_ARG(other->name), SPAN_ARG(t->service));
        }
    }
}

/* What 'ns' and 'name' stand for has had errors since then. */
static void add_gap(struct loading *l, struct span ns, struct span name, size_t from)
{
    if (name.len > 0 || ns.len > 0 || l->is_dropin) {
        gaps_add_collector(&l->tenants.gaps, l->path, ns, name, faults_why(l->f, from));
    } else {
        gaps_add_file(&l->tenants.gaps, l->path, faults_why(l->f, from));
    }
}

/* Moves 't'. */
static void add_tenant(struct loading *l, struct tenant *t)
{
    for (size_t i = 0; i < l->tenants.n; i++) {
        const struct tenant *other = l->tenants.v[i];
        if (tenant_compare(other->ns, other->name, t->ns, t->name) == 0) {
            size_t from = l->f->n;
            faults_add(l->f, FAULT_ERROR, 0, "collector '%.*s' is defined twice",
                       SPAN_ARG(t->name));
            add_gap(l, t->ns, t->name, from);
            tenant_free(&t);
            return;
        }
    }
    name_service(t);
    report_unsupported(l, t);
    report_shared_service(l, t);
    *vec_push(&l->tenants) = t;
}

struct mark { /* of the faults there were before */
    size_t n, n_errors;
};

static struct mark mark_faults(const struct loading *l)
{
    return (struct mark){ l->f->n, l->f->n_errors };
}

/* Moves 't', whose parts have been read since 'before': an error that is not of one of its jobs
 * costs all of it. */
static void finish_tenant(struct loading *l, struct tenant *t, struct mark before)
{
    if (l->f->n_errors - before.n_errors > t->jobs.n_errors) {
        add_gap(l, t->ns, t->name, before.n);
        tenant_free(&t);
        return;
    }
    t->file = arena_span(&t->arena, span_of(l->path));
    add_tenant(l, t);
}

/* How its targets are shared out: as the command line says, else as its document does. */
static void set_strategy(const struct tenants_options *o, struct tenant *t, struct span strategy,
                         struct span fallback)
{
    t->strategy = arena_span(&t->arena, choose(o->strategy, strategy));
    t->fallback = arena_span(&t->arena, choose(o->fallback, fallback));
    t->is_v0 = o->is_v0;
}

/* ---- Collector manifests */

/* The folder of a file: what relative paths in it start from. Empty for the working directory. */
static struct span folder_of(const char *path)
{
    const char *slash = path == NULL ? NULL : strrchr(path, '/');
    return slash == NULL   ? SPAN_LIT("")
           : slash == path ? SPAN_LIT("/")
                           : span_make(path, (size_t)(slash - path));
}

/* One that opted out is nobody's business; one that asks for nothing, or cannot get it, only that
 * of somebody who wants to see its jobs all the same. */
static bool is_wanted(const struct loading *l, const struct collector *c)
{
    return collector_is_served(c) ||
           (c->intent != COLLECTOR_OPTED_OUT && l->options->include_disabled);
}

static void pass_over(struct loading *l, const struct collector *c)
{
    AUTO_STR title = collector_title(c);
    AUTO_STR why = collector_refusal(c);

    *vec_push(&l->tenants.passed_over) = mem_printf("%s %s", title, why == NULL ? "" : why);
}

static void load_collector(struct loading *l, const struct node *doc, const char *path)
{
    struct mark before = mark_faults(l);
    struct collector cr;

    collector_read(doc, &cr);
    collector_check(&cr, l->f);
    collectoradvice_give(&cr, l->f);
    if (!is_wanted(l, &cr)) {
        pass_over(l, &cr);
        if (l->f->n_errors > before.n_errors) {
            add_gap(l, cr.ns, cr.name, before.n);
        }
        return;
    }
    struct tenant *t = tenant_new(cr.ns, cr.name);
    set_strategy(l->options, t, cr.strategy, cr.fallback);
    t->are_jobs_inline = cr.has_prometheus_cr && !l->options->is_block_style;
    struct receivers_options how = {
        .takable = { .leaves_files = l->options->leaves_files,
                     .has_cluster = l->options->has_cluster,
                     .is_block_style = l->options->is_block_style,
                     .strategy = l->options->strategy,
                     .fallback = l->options->fallback },
    };
    how.scrape = (struct scrape_options){
        .base_dir = folder_of(path),
        .unescape_dollars = true,
        .strict = l->options->thorough, /* the collector that gets it is */
        .thorough = l->options->thorough,
        .advises = l->options->advises,
        .disable_sharding = true,
        .as_text = true,
        .room = &l->room,
        .filter = cr.filter_strategy.p == NULL || span_is(cr.filter_strategy, "relabel-config")
                      ? SCRAPE_FILTER_RELABEL
                      : SCRAPE_FILTER_NONE,
    };
    if (!receivers_jobs(&cr, &how, &t->names, l->f, &t->jobs, &l->tenants.left)) {
        add_gap(l, cr.ns, cr.name, before.n);
        tenant_free(&t);
        return;
    }
    set_collectors(l, t, cr.replicas > 0 ? (size_t)cr.replicas : 0);
    finish_tenant(l, t, before);
}

static void load_document(struct loading *l, const struct node *doc, const char *path)
{
    const struct node *one;

    l->has_collectors = l->has_collectors || collector_is(doc) || collector_items(doc) != NULL;
    collectoradvice_of_others(doc, l->f);
    for (size_t at = 0; (one = collector_next(doc, &at)) != NULL;) {
        size_t mark = collector_push(doc, at, l->f);
        load_collector(l, one, path);
        faults_pop(l->f, mark);
    }
}

/* Of a document of which not everything is understood: who is in it, as far as one can see. */
static void refuse_document(struct loading *l, const struct yamldoc *doc)
{
    struct mark before = mark_faults(l);
    const struct node *one;

    l->has_collectors = true;
    yamldoc_report(doc->fault, l->f);
    for (size_t at = 0; (one = collector_next(doc->root, &at)) != NULL;) {
        struct collector cr;
        collector_read(one, &cr);
        add_gap(l, cr.ns, cr.name, before.n);
    }
}

static int load_stream(struct loading *l, struct span text, struct err *err)
{
    struct yamldoc *docs = NULL;
    size_t n = 0;
    int rc = yamldoc_parse_stream(text, &l->scratch, &docs, &n, err);

    for (size_t i = 0; rc == 0 && i < n; i++) {
        l->f->document = n > 1 ? i + 1 : 0;
        if (docs[i].fault == NULL) {
            load_document(l, docs[i].root, l->path);
        } else if (collector_count(docs[i].root) > 0) {
            refuse_document(l, &docs[i]);
        }
    }
    l->f->document = 0;
    return rc;
}

static bool is_marker(struct span line)
{
    return span_has_prefix(line, "---") && (line.len == 3 || strchr(" \t\r", line.p[3]) != NULL);
}

static struct span first_line(struct span text)
{
    const char *end = memchr(text.p, '\n', text.len);
    return span_make(text.p, end == NULL ? text.len : (size_t)(end - text.p));
}

/* The documents one by one, where the text as a whole is no YAML: a marker at the beginning of a
 * line ends a document whatever is in it. Each is read below as many empty lines as it stands
 * below, for the places in faults. */
static void load_apart(struct loading *l, struct span text)
{
    struct mark before = mark_faults(l);
    AUTO_BUF one = { 0 };
    size_t n_lines = 0;
    struct err err;

    buf_init(&one, 2 * text.len + 2);
    for (unsigned n = 0; n < MAX_APART && text.len > 0; n++) {
        buf_clear(&one);
        for (size_t i = 0; i < n_lines; i++) {
            buf_add_char(&one, '\n');
        }
        do {
            struct span line = first_line(text);
            buf_add_span(&one, line);
            buf_add_char(&one, '\n');
            text = span_from(text, line.len < text.len ? line.len + 1 : line.len);
            n_lines++;
        } while (text.len > 0 && !is_marker(first_line(text)));
        if (load_stream(l, arena_span(&l->scratch, buf_span(&one)), &err) < 0) {
            faults_add(l->f, FAULT_ERROR, 0, "%s", err.text);
        }
    }
    gaps_add_file(&l->tenants.gaps, l->path, faults_why(l->f, before.n));
}

static void load_manifest(struct loading *l, const struct tenants_source *source)
{
    struct mark before = mark_faults(l);
    struct span text = span_make(source->text, source->len);
    struct err err;

    l->has_collectors = false;
    if (load_stream(l, text, &err) < 0) {
        if (l->options->keeps_sound) {
            load_apart(l, text);
        } else {
            faults_add(l->f, FAULT_ERROR, 0, "%s", err.text);
        }
        return;
    }
    if (!l->has_collectors && (!source->is_found || span_trim(text).len == 0)) {
        /* a file that is being written, perhaps: not a wish to drop everything */
        faults_add(l->f, FAULT_ERROR, 0, "no OpenTelemetryCollector in this file");
        gaps_add_file(&l->tenants.gaps, l->path, faults_why(l->f, before.n));
    }
}

/* ---- upstream's targetallocator.yaml */

static bool parse_dropin(struct loading *l, const struct tenants_source *source, struct dropin *out)
{
    struct node *root = NULL;
    struct err err;

    if (yamldoc_parse(span_make(source->text, source->len), &l->scratch, &root, &err) < 0) {
        faults_add(l->f, FAULT_ERROR, 0, "%s", err.text);
        return false;
    }
    dropin_parse(root, l->f, out);
    return true;
}

static void load_dropin(struct loading *l, const struct tenants_source *source)
{
    const struct tenants_options *o = l->options;
    const struct dropin_support support = { .has_cluster = o->has_cluster,
                                            .has_pods = o->has_pods,
                                            .has_namespace = o->has_namespace,
                                            .has_collectors = has_list(o) ||
                                                              o->collector_count > 0 ||
                                                              o->needs_no_collectors,
                                            .room = &l->room };
    struct mark before = mark_faults(l);
    struct dropin parsed;
    const struct dropin *d = source->dropin;

    if (d == NULL) {
        if (!parse_dropin(l, source, &parsed)) {
            return;
        }
        d = &parsed;
    }
    dropin_check(d, support, l->f);
    struct tenant *t = tenant_new(SPAN_LIT(""), SPAN_LIT(""));
    set_strategy(o, t, d->strategy, d->fallback);
    dropin_jobs(d, support, o->thorough, &t->names, l->f, &t->jobs);
    set_collectors(l, t, 0);
    finish_tenant(l, t, before);
}

/* ---- all sources */

/* Moves what was loaded, whose faults came after 'n_errors'. */
static int finish(struct loading *l, size_t n_errors, struct tenants *out)
{
    bool is_refused = l->f->n_errors > n_errors && !l->options->keeps_sound;

    l->f->file = NULL;
    arena_fini(&l->scratch);
    if (is_refused) {
        tenants_fini(&l->tenants);
    }
    *out = l->tenants;
    return is_refused ? ERR_INVALID : 0;
}

int tenants_load_object(const struct node *object, const char *path,
                        const struct tenants_options *options, size_t *room, struct faults *f,
                        struct tenants *out)
{
    struct loading l = { .options = options, .f = f, .path = path, .room = *room };
    size_t n_errors = f->n_errors;

    arena_init(&l.scratch);
    f->file = path;
    load_document(&l, object, NULL);
    *room = l.room;
    return finish(&l, n_errors, out);
}

int tenants_load(const struct tenants_source *sources, size_t n,
                 const struct tenants_options *options, struct faults *f, struct tenants *out)
{
    struct loading l = { .options = options,
                         .f = f,
                         .room = memorylimit_jobs(memorylimit_bytes()) };
    size_t n_errors = f->n_errors;

    arena_init(&l.scratch);
    for (size_t i = 0; i < n; i++) {
        f->file = sources[i].path;
        l.path = f->file == NULL ? "" : f->file;
        l.is_dropin = sources[i].kind == TENANTS_DROPIN;
        if (sources[i].fault != NULL) {
            gaps_add_file(&l.tenants.gaps, l.path, mem_strdup(sources[i].fault));
        } else if (sources[i].kind == TENANTS_DROPIN) {
            load_dropin(&l, &sources[i]);
        } else {
            load_manifest(&l, &sources[i]);
        }
    }
    return finish(&l, n_errors, out);
}

bool tenants_are_usable(const struct tenants *t)
{
    vec_each(t, tenant) {
        if ((*tenant)->jobs.n > 0 || (*tenant)->jobs.refused.n == 0) {
            return true;
        }
    }
    return false;
}

/* The one without name, which is made if there is none. */
static struct tenant *need_nameless(struct tenants *t, const struct tenants_options *options)
{
    struct loading l = { .options = options };

    for (size_t i = 0; i < t->n; i++) {
        if (t->v[i]->ns.len == 0 && t->v[i]->name.len == 0) {
            return t->v[i];
        }
    }
    struct tenant *one = tenant_new(SPAN_LIT(""), SPAN_LIT(""));
    set_strategy(options, one, SPAN_LIT(""), SPAN_LIT(""));
    set_collectors(&l, one, 0);
    *vec_push(t) = one;
    return one;
}

void tenants_add(struct tenants *t, const struct tenants_options *options, struct scrapejobs *jobs)
{
    struct tenant *one = need_nameless(t, options);

    vec_each(jobs, job) {
        scrapejob_adopt(*job, &one->names);
        *vec_push(&one->jobs) = *job;
    }
    vec_clear(jobs);
    scrapejobs_fini(jobs);
}

void tenants_adopt(struct tenants *t, struct strpool *pool)
{
    vec_each(t, tenant) {
        for (size_t i = 0; i < (*tenant)->jobs.n; i++) {
            scrapejob_adopt((*tenant)->jobs.v[i], pool);
        }
    }
}

void tenants_fini(struct tenants *t)
{
    vec_each(t, tenant) {
        tenant_free(tenant);
    }
    vec_fini(t);
    vec_each(&t->passed_over, text) {
        mem_free(*text);
    }
    vec_fini(&t->passed_over);
    left_jobs_fini(&t->left);
    gaps_fini(&t->gaps);
}

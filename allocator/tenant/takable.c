#include "allocator/tenant/takable.h"

#include "allocator/base/mem.h"
#include "allocator/codec/nodeedit.h"
#include "allocator/scrape/scrapefields.h"
#include "allocator/scrape/sdconfig.h"
#include "allocator/tenant/decisive.h"
#include "allocator/tenant/jobname.h"
#include "allocator/tenant/wire.h"

#include <ctype.h>
#include <stdlib.h>

#define PER_NODE "per-node"
#define STATIC_SECTION "static_configs"
#define FILE_SECTION "file_sd_configs"
#define KUBERNETES_SECTION "kubernetes_sd_configs"
#define MAX_NAME 1024 /* bytes of "receiver/job" that are looked for every receiver in */
#define MAX_SHOWN 60  /* bytes of an expression in a sentence */

const char *left_kind_name(enum left_kind kind)
{
    static const char *const names[LEFT_KINDS] = {
        [LEFT_NOT] = "taken",           [LEFT_OWNER] = "owner",
        [LEFT_MECHANISM] = "mechanism", [LEFT_EXPRESSION] = "expression",
        [LEFT_FILE] = "file",
    };
    return names[kind];
}

/* The next name of the list; false: there is none. */
static bool next_name(struct span *rest, struct span *out)
{
    while (rest->len > 0) {
        const char *comma = memchr(rest->p, ',', rest->len);
        size_t n = comma == NULL ? rest->len : (size_t)(comma - rest->p);
        *out = span_trim(span_make(rest->p, n));
        *rest = span_from(*rest, n + (comma == NULL ? 0 : 1));
        if (out->len > 0) {
            return true;
        }
    }
    return false;
}

static int compare_names(const void *a, const void *b)
{
    const struct span *x = a, *y = b;

    return span_cmp(*x, *y);
}

static void read_names(struct takable *t)
{
    struct span rest = t->local_jobs, name, *names;
    size_t n = 0;

    while (next_name(&rest, &name)) {
        n++;
    }
    names = arena_alloc(t->arena, (n + 1) * sizeof(*names));
    rest = t->local_jobs;
    while (next_name(&rest, &name)) {
        names[t->n_names++] = name;
    }
    qsort(names, n, sizeof(*names), compare_names);
    t->names = names;
}

void takable_init(struct takable *t, const struct collector *c,
                  const struct takable_options *options, struct arena *arena)
{
    *t = (struct takable){ .collector = c, .options = *options, .arena = arena };
    environment_read(node_get(c->root, "spec"), arena, &t->environment);
    t->has_rules = c->filter_strategy.p == NULL || span_is(c->filter_strategy, "relabel-config");
    struct span strategy = options->strategy.len > 0 ? options->strategy : c->strategy;
    struct span fallback = options->fallback.len > 0 ? options->fallback : c->fallback;
    t->needs_nodes =
        span_is(strategy, PER_NODE) && (fallback.len == 0 || span_is(fallback, PER_NODE));
    t->local_jobs = (struct span){ NULL, 0 };
    (void)node_as_text(node_get(c->annotations, WIRE_LOCAL_JOBS), &t->local_jobs);
    read_names(t);
}

/* Its text goes into a URL, or it is stored as a whole. */
static bool stays_as_written(const struct node_pair *pair)
{
    return pair->value->type == NODE_SCALAR &&
           (wire_is_sd_key(pair->key->text) || span_is(pair->key->text, "job_name"));
}

const struct node *takable_fill(const struct takable *t, const struct node *job)
{
    if (job->type != NODE_MAP || expression_holder(job) == NULL) {
        return job;
    }
    struct node *filled = nodeedit_copy(t->arena, job);
    for (size_t i = 0; i < filled->n; i++) {
        if (!stays_as_written(&filled->pairs[i])) {
            filled->pairs[i].value = (struct node *)(uintptr_t)expression_fill(
                &t->environment, filled->pairs[i].value, t->arena);
        }
    }
    return filled;
}

const struct node *takable_fill_global(const struct takable *t, const struct node *global)
{
    return expression_fill(&t->environment, global, t->arena);
}

/* ---- the owner's word */

static bool has_name(const struct takable *t, struct span name)
{
    return t->n_names > 0 &&
           bsearch(&name, t->names, t->n_names, sizeof(name), compare_names) != NULL;
}

/* "job", or "receiver/job". */
static bool is_local(const struct takable *t, struct span receiver, struct span job)
{
    if (t->n_names == 0) {
        return false;
    }
    char *both = arena_printf(t->arena, "%.*s/%.*s", SPAN_ARG(receiver), SPAN_ARG(job));
    return has_name(t, job) || has_name(t, span_of(both));
}

static bool is_known(const struct spanmap *seen, struct span name)
{
    if (spanmap_has(seen, name)) {
        return true;
    }
    for (size_t i = 0; i < name.len && name.len < MAX_NAME; i++) {
        if (name.p[i] == '/' &&
            spanmap_get_in(seen, span_make(name.p, i), span_from(name, i + 1)) != NULL) {
            return true;
        }
    }
    return false;
}

void takable_report_strangers(const struct takable *t, const struct spanmap *seen, struct faults *f)
{
    struct span rest = t->local_jobs, name;

    while (next_name(&rest, &name)) {
        if (!is_known(seen, name)) {
            size_t mark = faults_push(f, "metadata");
            faults_push(f, "annotations");
            faults_push(f, WIRE_LOCAL_JOBS);
            faults_add(f, FAULT_WARNING, node_get(t->collector->annotations, WIRE_LOCAL_JOBS)->line,
                       "annotation " WIRE_LOCAL_JOBS ": there is no job '%.*s'", SPAN_ARG(name));
            faults_pop(f, mark);
        }
    }
}

/* ---- expressions */

static const char *explain(const struct takable *t, const struct decisive *d, struct arena *arena)
{
    struct span expression = d->text->text;

    (void)expression_find(d->text->text, &expression);
    bool is_long = expression.len > MAX_SHOWN;
    return arena_printf(arena, "%.*s%s in %.*s %s", (int)(is_long ? MAX_SHOWN : expression.len),
                        expression.p, is_long ? "…" : "", SPAN_ARG(d->path),
                        expression_gap(&t->environment, expression));
}

static bool leave(struct left *out, enum left_kind kind, struct span path, unsigned line,
                  const char *why)
{
    *out = (struct left){ kind, path, line, why };
    return false;
}

/* Is it known what decides about the targets? */
static bool judge_expressions(const struct takable *t, const struct node *job,
                              const struct node *global, struct left *out)
{
    struct decisive d;
    bool is_found = false;

    if (expression_holder(job) == NULL && expression_holder(global) == NULL) {
        return true;
    }
    for (size_t i = 0; i < job->n && !is_found; i++) {
        struct span key = job->pairs[i].key->text;
        bool decides = t->options.is_block_style || wire_is_sd_key(key);
        is_found = decides && decisive_find_any(job->pairs[i].value, key, t->arena, &d);
    }
    if (!is_found && t->options.is_block_style) {
        is_found = decisive_find_any(global, SPAN_LIT("global"), t->arena, &d);
    }
    if (!is_found && t->has_rules) {
        is_found = decisive_find(job, global, t->arena, &d);
    }
    return !is_found || leave(out, LEFT_EXPRESSION, d.path, d.text->line, explain(t, &d, t->arena));
}

/* Where 'n' (at 'path', "": the job itself) is an expression, known or not: what is written in its
 * place, or of it into a URL, is written before it is filled in. */
static bool judge_unfilled(const struct takable *t, struct span path, const struct node *n,
                           struct left *out)
{
    struct span expression;

    if (n == NULL || n->type != NODE_SCALAR || !expression_find(n->text, &expression)) {
        return true;
    }
    const char *flaw = expression_flaw(expression);
    bool is_long = expression.len > MAX_SHOWN;
    return leave(out, LEFT_EXPRESSION, path, n->line,
                 arena_printf(t->arena, "%.*s%s in %.*s %s",
                              (int)(is_long ? MAX_SHOWN : expression.len), expression.p,
                              is_long ? "…" : "",
                              SPAN_ARG(path.len == 0 ? SPAN_LIT("the job") : path),
                              flaw != NULL ? flaw : "is read where each collector runs"));
}

/* Is it the same name for everybody? */
static bool judge_name(const struct takable *t, const struct node *job, struct left *out)
{
    const struct node *name = node_get(job, "job_name");

    return judge_unfilled(t, SPAN_LIT("job_name"), name, out) &&
           (jobname_is_sure(name) ||
            leave(out, LEFT_EXPRESSION, SPAN_LIT("job_name"), name->line,
                  arena_printf(t->arena, "its name is a number or a truth to YAML, '%.*s' is text",
                               SPAN_ARG(name->text))));
}

/* "$X", which collectors before 0.104 fill in, and later ones take for text.
 * NOLINTNEXTLINE(misc-no-recursion): documents are at most LIMIT_DEPTH deep. */
static const struct node *find_bare(const struct node *n)
{
    const struct node *found = NULL;

    for (size_t i = 0; n->type == NODE_LIST && i < n->n && found == NULL; i++) {
        found = find_bare(n->items[i]);
    }
    for (size_t i = 0; n->type == NODE_MAP && i < n->n && found == NULL; i++) {
        found = find_bare(n->pairs[i].value);
    }
    for (size_t i = 0; n->type == NODE_SCALAR && i + 1 < n->text.len; i++) {
        if (n->text.p[i] != '$') {
            continue;
        }
        if (isalpha((unsigned char)n->text.p[i + 1]) || n->text.p[i + 1] == '_') {
            return n;
        }
        i += n->text.p[i + 1] == '$' ? 1U : 0U;
    }
    return found;
}

/* ---- discovery sections */

static bool is_empty(const struct node *section)
{
    return node_is_null(section) ||
           ((section->type == NODE_LIST || section->type == NODE_MAP) && section->n == 0);
}

static bool is_path_option(struct span key)
{
    return span_has_suffix(key, "_file") || span_is(key, "files");
}

/* An option that names a file, below an entry of a section.
 * NOLINTNEXTLINE(misc-no-recursion): documents are at most LIMIT_DEPTH deep. */
static const struct node *find_file(const struct node *n)
{
    const struct node *found = NULL;

    for (size_t i = 0; n->type == NODE_LIST && i < n->n && found == NULL; i++) {
        found = find_file(n->items[i]);
    }
    for (size_t i = 0; n->type == NODE_MAP && i < n->n && found == NULL; i++) {
        const struct node_pair *pair = &n->pairs[i];
        bool is_set = !is_empty(pair->value) &&
                      (pair->value->type != NODE_SCALAR || pair->value->text.len > 0);
        found = is_set && is_path_option(pair->key->text) ? pair->key : find_file(pair->value);
    }
    return found;
}

static bool judge_files(const struct takable *t, struct span section, const struct node *value,
                        struct left *out)
{
    const struct node *file = span_is(section, STATIC_SECTION) ? NULL : find_file(value);

    if (span_is(section, FILE_SECTION)) {
        return leave(out, LEFT_FILE, section, value->line,
                     arena_printf(t->arena, "the files of %s lie where they run", FILE_SECTION));
    }
    return file == NULL || leave(out, LEFT_FILE, section, file->line,
                                 arena_printf(t->arena, "%.*s in %.*s lies where they run",
                                              SPAN_ARG(file->text), SPAN_ARG(section)));
}

static bool judge_section(const struct takable *t, struct span section, const struct node *value,
                          struct left *out)
{
    const struct node *bare = find_bare(value);

    if (bare != NULL) {
        return leave(out, LEFT_EXPRESSION, section, bare->line,
                     arena_printf(t->arena,
                                  "'%.*s' in %.*s is filled in by some releases of them only; "
                                  "${env:…} is meant",
                                  (int)(bare->text.len > MAX_SHOWN ? MAX_SHOWN : bare->text.len),
                                  bare->text.p, SPAN_ARG(section)));
    }
    return !t->options.leaves_files || judge_files(t, section, value, out);
}

static bool judge_mechanism(const struct takable *t, struct span section, const struct node *value,
                            struct left *out)
{
    bool is_run = sdconfig_is_run(section) &&
                  (t->options.has_cluster || !span_is(section, KUBERNETES_SECTION));

    return is_run ||
           leave(out, LEFT_MECHANISM, section, value->line,
                 arena_printf(t->arena, "the allocator cannot run %.*s", SPAN_ARG(section)));
}

/* All sections that say anything, own ones before those of a merge key. */
static bool judge_sections(const struct takable *t, const struct node *job,
                           bool (*judge)(const struct takable *, struct span, const struct node *,
                                         struct left *),
                           struct left *out)
{
    for (size_t i = 0; i < job->n; i++) {
        struct span section = job->pairs[i].key->text;
        const struct node *value = job->pairs[i].value;
        if (wire_is_sd_key(section) && node_get_span(job, section) == value && !is_empty(value) &&
            !judge(t, section, value, out)) {
            return false;
        }
    }
    return true;
}

/* ---- the verdict */

bool takable_judge(const struct takable *t, struct span receiver, const struct node *job,
                   const struct node *global, struct left *out)
{
    struct jobname_written name;

    *out = (struct left){ .kind = LEFT_NOT, .line = job->line };
    if (job->type != NODE_MAP) {
        return judge_unfilled(t, SPAN_LIT(""), job, out);
    }
    if (jobname_of(job, &name) && (is_local(t, receiver, name.text) ||
                                   is_local(t, receiver, jobname_read(name, t->arena).text))) {
        return leave(out, LEFT_OWNER, SPAN_LIT(""), job->line,
                     "annotation " WIRE_LOCAL_JOBS " says so");
    }
    return judge_sections(t, job, judge_mechanism, out) && judge_name(t, job, out) &&
           judge_sections(t, job, judge_unfilled, out) && judge_expressions(t, job, global, out) &&
           judge_sections(t, job, judge_section, out);
}

char *takable_sentence(const struct left *left, struct span job)
{
    return job.len == 0
               ? mem_printf("stays with the collectors: %s", left->why)
               : mem_printf("job '%.*s' stays with the collectors: %s", SPAN_ARG(job), left->why);
}

void takable_report(const struct left *left, struct span job, enum fault_severity severity,
                    struct faults *f)
{
    AUTO_STR sentence = takable_sentence(left, job);

    faults_add_kind(f, severity == FAULT_WARNING ? FAULT_STANDING : FAULT_PLAIN, severity,
                    left->line, "%s", sentence);
}

bool takable_is_template(const struct node *n, enum fault_severity severity, struct faults *f)
{
    struct span expression;

    if (n == NULL || n->type != NODE_SCALAR || !expression_find(n->text, &expression)) {
        return false;
    }
    faults_add_kind(f, severity == FAULT_WARNING ? FAULT_STANDING : FAULT_PLAIN, severity, n->line,
                    "jobs in %.*s stay with the collectors: it is read where they run",
                    (int)(expression.len > MAX_SHOWN ? MAX_SHOWN : expression.len), expression.p);
    return true;
}

/* ---- what the collectors alone have to know */

/* Can a member be read although its value is not known? */
static bool is_readable(const struct takable *t, const struct node_pair *pair, bool is_global)
{
    struct node_pair pairs[2] = { *pair };
    struct faults f;
    size_t n = 1;

    if (span_is(pair->key->text, "metric_relabel_configs") || span_is(pair->key->text, "scheme")) {
        return false; /* nobody looks at it here, and nothing is to be said about it */
    }
    if (!is_global) {
        pairs[n++] = (struct node_pair){ .key = nodeedit_text(t->arena, SPAN_LIT("job_name")),
                                         .value = nodeedit_text(t->arena, SPAN_LIT("a")) };
    }
    faults_init(&f);
    const struct node *map = nodeedit_map(t->arena, pairs, n);
    schema_check(is_global ? scrapefields_global : scrapefields_job, map, FAULT_WARNING, &f);
    bool is = f.n_errors == 0;
    faults_fini(&f);
    return is;
}

static bool is_unknown(const struct node *map, const char *key)
{
    return expression_holder(node_get(map, key)) != NULL;
}

/* "global: ${env:X}" hides all of them. */
static bool is_unknown_global(const struct node *global)
{
    return global != NULL && global->type == NODE_SCALAR ? expression_holder(global) != NULL
                                                         : is_unknown(global, "scrape_interval");
}

/* 'drops_times': a timeout is compared with the interval, and both are not there. */
static const struct node *without_unread(const struct takable *t, const struct node *map,
                                         bool is_global, bool drops_times)
{
    struct node_pair *pairs = arena_alloc(t->arena, (map->n + 1) * sizeof(*pairs));
    size_t n = 0;

    for (size_t i = 0; i < map->n; i++) {
        const struct node_pair *pair = &map->pairs[i];
        struct span key = pair->key->text;
        bool is_time = span_is(key, "scrape_interval") || span_is(key, "scrape_timeout");
        bool is_known = expression_holder(pair->value) == NULL || span_is(key, "relabel_configs");
        if (!(drops_times && is_time) && (is_known || is_readable(t, pair, is_global))) {
            pairs[n++] = *pair;
        }
    }
    struct node *copy = nodeedit_map(t->arena, pairs, n);
    copy->line = map->line;
    copy->is_json = map->is_json;
    return copy;
}

const struct node *takable_readable(const struct takable *t, const struct node *job,
                                    const struct node *global)
{
    bool drops_times = is_unknown(job, "scrape_interval") || is_unknown(job, "scrape_timeout") ||
                       (is_unknown_global(global) && node_get(job, "scrape_interval") == NULL);

    return job->type != NODE_MAP || (expression_holder(job) == NULL && !drops_times)
               ? job
               : without_unread(t, job, false, drops_times);
}

const struct node *takable_readable_global(const struct takable *t, const struct node *global)
{
    bool drops_times =
        is_unknown(global, "scrape_interval") || is_unknown(global, "scrape_timeout");

    if (expression_holder(global) == NULL || global->type == NODE_LIST) {
        return global;
    }
    return global->type == NODE_SCALAR ? NULL : without_unread(t, global, true, drops_times);
}

/* A file that is read again in part means what it means as a whole: after any edits the state that
 * was told of changed jobs publishes what a new state does that was told of all. */
#define LOG_MODULE "test"
#include "allocator/tenant/jobtexts.h"

#include "allocator/base/log.h"
#include "allocator/engine/tenantkey.h"
#include "tests/check.h"
#include "tests/unit/engine/side.h"
#include "tests/unit/engine/state_bodies.h"

#define MAX_JOBS 8

enum odd { PLAIN, COMMENT, BLANK, QUOTED, BLOCK, FLOW, ANCHOR, ALIAS, BROKEN, UNKNOWN, N_ODD };

struct item {
    unsigned name, targets, rules, comment;
    enum odd odd;
};

struct file {
    enum tenants_kind kind;
    unsigned interval, tail, indent;
    struct item items[MAX_JOBS];
    unsigned n;
};

/* ---- texts */

static void add_line(struct buf *out, unsigned indent, const char *text)
{
    buf_addf(out, "%*s%s\n", (int)indent, "", text);
}

static void write_odd(const struct item *it, unsigned indent, struct buf *out)
{
    switch (it->odd) {
    case COMMENT:
        buf_addf(out, "%*s# %u\n# - x: '\n", (int)indent, "", it->comment);
        break;
    case BLANK:
        buf_add_str(out, "\n   \n");
        break;
    case QUOTED: /* looks like the next item, is a text of this one */
        buf_addf(out, "%*s  params: {a: [\"x\n%*s- job_name: y\n%*s  z\"]}\n", (int)indent, "",
                 (int)indent, "", (int)indent, "");
        break;
    case BLOCK:
        buf_addf(out, "%*s  params:\n%*s    b:\n%*s    - |\n%*s      - job_name: y\n", (int)indent,
                 "", (int)indent, "", (int)indent, "", (int)indent, "");
        break;
    case FLOW:
        add_line(out, indent, "  params: {a: [b,");
        add_line(out, indent, "     c]}");
        break;
    case ANCHOR:
        buf_addf(out, "%*s  params: &p {a: [b%u]}\n", (int)indent, "", it->targets);
        break;
    case ALIAS:
        add_line(out, indent, "  params: *p");
        break;
    case BROKEN:
        add_line(out, indent, "  scrape_interval: x");
        break;
    case UNKNOWN:
        add_line(out, indent, "  unheard_of: 1");
        break;
    case PLAIN:
    case N_ODD:
        break;
    }
}

static void write_item(const struct item *it, unsigned indent, struct buf *out)
{
    buf_addf(out, "%*s- job_name: j%u\n", (int)indent, "", it->name);
    if (it->rules > 0) {
        buf_addf(out,
                 "%*s  relabel_configs:\n%*s  - source_labels: [__address__]\n%*s    regex: "
                 "'t(.*)%u'\n%*s    target_label: l\n",
                 (int)indent, "", (int)indent, "", (int)indent, "", it->rules, (int)indent, "");
    }
    write_odd(it, indent, out);
    buf_addf(out, "%*s  static_configs: [{targets: [t%u, u%u]}]\n", (int)indent, "", it->targets,
             it->targets);
}

static void write_file(const struct file *f, struct buf *out)
{
    bool is_cr = f->kind == TENANTS_MANIFEST;
    unsigned at = is_cr ? 8 : 2;

    if (is_cr) {
        buf_add_str(out,
                    "apiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\n"
                    "metadata: {name: a, namespace: n}\nspec:\n  mode: statefulset\n  replicas: 2\n"
                    "  targetAllocator: {enabled: true}\n  config:\n    receivers:\n"
                    "     prometheus:\n      config:\n");
    } else {
        buf_add_str(out, "config:\n");
    }
    buf_addf(out, "%*sglobal: {scrape_interval: %us}\n%*sscrape_configs:\n", (int)at, "",
             20 + f->interval, (int)at, "");
    for (unsigned i = 0; i < f->n; i++) {
        write_item(&f->items[i], at + f->indent, out);
    }
    buf_addf(out, "# the end %u\n", f->tail);
    if (is_cr) {
        buf_add_str(out, "    exporters: {debug: {}}\n");
    } else {
        buf_add_str(out, "filter_strategy: relabel-config\n");
    }
}

/* ---- edits */

static struct item new_item(void)
{
    return (struct item){ chance(30), chance(4), chance(3), chance(3),
                          chance(6) > 0 ? PLAIN : (enum odd)chance(N_ODD) };
}

static void edit(struct file *f)
{
    unsigned i = f->n == 0 ? 0 : chance(f->n), k = f->n == 0 ? 0 : chance(f->n);
    struct item moved = f->items[i];

    switch (f->n == 0 ? 0 : chance(9)) {
    case 0:
    case 1:
        if (f->n < MAX_JOBS) {
            memmove(f->items + k + 1, f->items + k, (f->n - k) * sizeof(moved));
            f->items[k] = new_item();
            f->n++;
        }
        break;
    case 2:
        memmove(f->items + i, f->items + i + 1, (f->n - i - 1) * sizeof(moved));
        f->n--;
        break;
    case 3:
        f->items[i] = f->items[k];
        f->items[k] = moved;
        break;
    case 4:
        f->items[i].name = chance(30);
        break;
    case 5:
        f->items[i].rules = chance(3);
        break;
    case 6:
        f->items[i].targets = chance(4);
        break;
    case 7:
        f->items[i].odd = chance(2) == 0 ? PLAIN : (enum odd)chance(N_ODD);
        f->items[i].comment = chance(3);
        break;
    default:
        f->interval = chance(4) == 0 ? chance(3) : f->interval;
        f->tail = chance(4) == 0 ? chance(3) : f->tail;
        f->indent = chance(8) == 0 ? 2 - f->indent : f->indent;
        break;
    }
}

/* ---- reading, as the keeper does it */

static void load(enum tenants_kind kind, struct span text, struct faults *f, struct tenants *out)
{
    struct collectorlist collectors;
    const struct tenants_options options = { .keeps_sound = true, .collectors = &collectors };
    struct tenants_source source = { .kind = kind,
                                     .path = (char *)(uintptr_t) "x.yaml",
                                     .text = (char *)(uintptr_t)text.p,
                                     .len = text.len };

    collectorlist_init(&collectors);
    collectorlist_number(&collectors, "c", 3);
    is_int(tenants_load(&source, 1, &options, f, out), 0, "loaded");
    collectorlist_fini(&collectors);
}

static void throw_away(struct tenants *t, struct faults *f)
{
    tenants_fini(t);
    *t = (struct tenants){ 0 };
    faults_fini(f);
    faults_init(f);
}

/* True when not all of it was read. */
static bool load_changed(struct jobtexts *known, enum tenants_kind kind, struct span text,
                         struct faults *f, struct tenants *out)
{
    struct jobtexts reduced;
    AUTO_BUF part = { 0 };
    bool is_part = false;

    buf_init(&part, MIB);
    if (jobtexts_reduce(known, text, &part, &reduced)) {
        load(kind, buf_span(&part), f, out);
        is_part = jobtexts_restore(&reduced, out, f);
        if (!is_part) {
            throw_away(out, f);
        }
        jobtexts_fini(&reduced);
    }
    if (!is_part) {
        load(kind, text, f, out);
    }
    vec_each(out, tenant) {
        tenantkey_make(*tenant);
    }
    jobtexts_learn(known, text, out, f);
    return is_part;
}

static void configure(struct side *s, struct tenants *t)
{
    role_enter(engine);
    struct err err = { 0 };

    is_int(state_configure(s->state, t, 0, &err), 0, "configured %s", err.text);
    publish(s);
}

static bool is_same(const struct side *a, const struct side *b)
{
    const struct snapshot *x = shown(a), *y = shown(b);

    if (!is_same_snapshot(x, y, job_text)) {
        return false;
    }
    const struct directory_view *v = directory_view(x->directory, 0),
                                *w = directory_view(y->directory, 0);
    return x->n_jobs == 0 ||
           (span_eq(v->jobs.plain, w->jobs.plain) && span_eq(v->configs.plain, w->configs.plain));
}

/* One edit further; counts the files that were read in part. */
static bool check_step(struct side *s, struct jobtexts *known, const struct file *file,
                       unsigned *n_parts)
{
    struct tenants all, changed;
    struct faults f, f_all;
    struct side twin;
    AUTO_BUF text = { 0 };

    buf_init(&text, MIB);
    write_file(file, &text);
    faults_init(&f);
    faults_init(&f_all);
    bool is_part = load_changed(known, file->kind, buf_span(&text), &f, &changed);
    *n_parts += is_part;
    load(file->kind, buf_span(&text), &f_all, &all);
    bool is_good = !is_part || f_all.n == 0, is_sound = f_all.n_errors == 0;
    configure(s, &changed);
    if (is_sound) { /* else what was there before goes on */
        side_init(&twin);
        configure(&twin, &all);
        is_good = is_good && is_same(s, &twin);
        side_fini(&twin);
    }
    tenants_fini(&changed);
    tenants_fini(&all);
    faults_fini(&f);
    faults_fini(&f_all);
    if (!is_good) {
        check_note("read %s: %.*s", is_part ? "in part" : "as a whole", SPAN_ARG(buf_span(&text)));
    }
    return is_good;
}

static void test_histories(enum tenants_kind kind)
{
    unsigned n_parts = 0;
    bool is_good = true;

    for (unsigned history = 0; is_good && history < 60; history++) {
        struct file file = { .kind = kind, .indent = 2 * (history & 1), .n = 5 };
        struct jobtexts known = { 0 };
        struct side s;
        seed = history;
        for (unsigned i = 0; i < file.n; i++) {
            file.items[i] = (struct item){ .name = i };
        }
        side_init(&s);
        for (unsigned step = 0; is_good && step < 25; step++) {
            is_good = check_step(&s, &known, &file, &n_parts);
            edit(&file);
            if (chance(3) == 0) {
                edit(&file);
            }
        }
        side_fini(&s);
        jobtexts_fini(&known);
    }
    ok(is_good, "in part is as a whole");
    ok(n_parts > 300, "%u of 1500 were read in part", n_parts);
}

/* ---- what is read */

static void reduces_to(const char *before, const char *now, const char *want)
{
    struct jobtexts known = { 0 }, reduced;
    struct tenants t;
    struct faults f;
    AUTO_BUF part = { 0 };

    faults_init(&f);
    buf_init(&part, MIB);
    (void)load_changed(&known, TENANTS_DROPIN, span_of(before), &f, &t);
    is_int(f.n, 0, "no faults");
    bool is_part = jobtexts_reduce(&known, span_of(now), &part, &reduced);
    buf_add_char(&part, '\0');
    ok(is_part == (want != NULL), "read in part or not: %s", now);
    if (want != NULL) {
        is_str(part.p, want, "what is read");
    }
    jobtexts_fini(&reduced);
    jobtexts_fini(&known);
    tenants_fini(&t);
    faults_fini(&f);
}

#define HEAD "config:\n  scrape_configs:\n"
#define JOB(name, target) "  - job_name: " name "\n    static_configs: [{targets: [" target "]}]\n"
#define TAIL "allocation_strategy: rendezvous\n"

static void test_reduced(void)
{
    static const char abc[] = HEAD JOB("a", "x") JOB("b", "x") JOB("c", "x") TAIL;

    reduces_to(abc, HEAD JOB("a", "x") JOB("b", "y") JOB("c", "x") TAIL, HEAD JOB("b", "y") TAIL);
    reduces_to(abc, HEAD JOB("c", "x") JOB("d", "y") JOB("a", "x") TAIL, HEAD JOB("d", "y") TAIL);
    reduces_to(abc, HEAD JOB("c", "x") JOB("a", "x") TAIL, HEAD JOB("a", "x") TAIL);
    reduces_to(abc, HEAD JOB("a", "x") JOB("b", "x") JOB("c", "x") "https: {}\n", NULL);
    reduces_to(abc, "https: {}\n" HEAD JOB("a", "x") TAIL, NULL);
    reduces_to(abc, HEAD JOB("a", "x") JOB("b", "&t y") JOB("c", "x") TAIL, NULL);
    reduces_to(abc, HEAD JOB("a", "x") JOB("b", "'y") JOB("c", "x'") TAIL, NULL);
    reduces_to(abc, HEAD TAIL, NULL);
    reduces_to(abc, "", NULL);
    reduces_to(HEAD JOB("a", "&t x") JOB("b", "*t") TAIL, HEAD JOB("a", "&t y") JOB("b", "*t") TAIL,
               NULL);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    test_reduced();
    test_histories(TENANTS_DROPIN);
    test_histories(TENANTS_MANIFEST);
    return check_done();
}

/* Manifests with a history: rewritten in one way and another, and in between edited as people edit
 * them, above the sections, below them, beside them; renamed, damaged, mended. At the end they are
 * restored: either to the very bytes of a text that was edited likewise and never rewritten, or
 * the annotation is still there and every job that hangs on it is named. */
#include "tests/check.h"

#include "allocator/codec/yamldoc.h"
#include "allocator/tenant/sections.h"
#include "allocator/tenant/wire.h"
#include "tests/unit/rewrite/collectorgen.h"
#include "webhook/rewrite/manifest.h"

#ifndef HISTORIES
#define HISTORIES 1500
#endif
#define MAX_STEPS 8
#define ID SPAN_LIT(WIRE_DEFAULT_COLLECTOR_ID)

static const struct rewrite_options ways[] = {
    { .collector_id_expr = ID },
    { .collector_id_expr = ID, .style = WIRE_QUALIFIED },
    { .collector_id_expr = SPAN_LIT("${env:HOSTNAME}") },
    { .collector_id_expr = ID, .style = WIRE_SHARED, .shared_host = SPAN_LIT("otel-ta.x.svc:80") },
    { .collector_id_expr = ID, .is_block_style = true },
};

enum state { INTACT, DROPPED, UNREADABLE, NEWER };

struct history {
    struct arena arena;
    struct gen g;
    struct span now;    /* the manifest as it is */
    struct span shadow; /* as it would be, had it never been rewritten */
    enum state state;   /* of the annotation */
    bool is_block;      /* the jobs are in the annotation: nobody edits them */
    struct buf log;
};

static void say(struct history *h, const char *what)
{
    buf_addf(&h->log, "%s%s", h->log.len > 0 ? ", " : "", what);
}

/* ---- edits */

static const char *find(struct span text, const char *what, size_t from)
{
    return from >= text.len ? NULL : memmem(text.p + from, text.len - from, what, strlen(what));
}

static size_t count(struct span text, const char *what)
{
    size_t n = 0, from = 0;

    for (const char *at; (at = find(text, what, from)) != NULL; n++) {
        from = (size_t)(at - text.p) + strlen(what);
    }
    return n;
}

/* The n-th 'what' becomes 'with'. */
static struct span replace(struct history *h, struct span text, const char *what, size_t n,
                           const char *with)
{
    AUTO_BUF out = { 0 };
    const char *at = find(text, what, 0);

    for (size_t i = 0; i < n && at != NULL; i++) {
        at = find(text, what, (size_t)(at - text.p) + strlen(what));
    }
    if (at == NULL) {
        return text;
    }
    buf_init(&out, 4 * MIB);
    buf_add(&out, text.p, (size_t)(at - text.p));
    buf_add_str(&out, with);
    buf_add_span(&out, span_from(text, (size_t)(at - text.p) + strlen(what)));
    return arena_span(&h->arena, buf_span(&out));
}

/* In both texts, where both have it as often. */
static void edit(struct history *h, const char *what, const char *with)
{
    size_t n = count(h->now, what);

    if (n > 0 && n == count(h->shadow, what)) {
        size_t which = gen_below(&h->g, (unsigned)n);
        h->now = replace(h, h->now, what, which, with);
        h->shadow = replace(h, h->shadow, what, which, with);
        say(h, with);
    }
}

static void edit_job(struct history *h)
{
    static const char *const edits[][2] = {
        { "scrape_interval: 10s", "scrape_interval: 20s" },
        { "scrape_interval: 10s", "sample_limit: 7" },
        { "honor_labels: true", "honor_labels: false" },
        { "scrape_interval: 10s", "scrape_interval: 10s # slowly" },
        { "metrics_path: '/m etrics'", "metrics_path: /other" },
        { "scheme: \"http\"", "scheme: https" },
        { "module: [a, 'b c']", "module: [a]" },
        { "regex: (id|name)", "regex: id" },
        { "job_name: job-", "job_name: renamed-" },
        { "job_name: 'job ", "job_name: 'renamed to " },
        { "job_name: '$$", "job_name: '$$$$$$" },
        { "job_name: flow-", "job_name: flown-" },
        { "# remark", "# another remark" },
        { "# note: keep me [as] {i: am}", "# note" },
    };
    size_t i = gen_below(&h->g, COUNT(edits));

    if (!h->is_block) {
        edit(h, edits[i][0], edits[i][1]);
    }
}

static void edit_around(struct history *h)
{
    static const char *const edits[][2] = {
        { "kind: OpenTelemetryCollector\n", "kind: OpenTelemetryCollector # edited\n" },
        { "apiVersion: ", "# a line above\napiVersion: " },
        { "mode: statefulset", "mode: deployment" },
        { "name: made-", "name: renamed-" },
        { "  labels: {app: x}", "  labels: {app: y, b: c}" },
        { "  # NOTE: `debug`\n", "" },
        { "processors: []", "processors: [batch]" },
        { "# the end", "# the very end" },
    };
    size_t i = gen_below(&h->g, COUNT(edits));

    edit(h, edits[i][0], edits[i][1]);
}

/* Our entry gets an option, which goes with it. */
static void edit_entry(struct history *h)
{
    static const char plain[] = "- url: http://made-";
    const char *at = find(h->now, plain, 0);
    int indent = 0;

    if (at == NULL || h->is_block) {
        return;
    }
    while (at[-1 - indent] == ' ') {
        indent++;
    }
    AUTO_STR with = mem_printf("- refresh_interval: 5s\n%*surl: http://made-", indent + 2, "");
    h->now = replace(h, h->now, plain, 0, with);
    say(h, "an option");
}

/* ---- the annotation */

static bool edit_annotation(struct history *h, const char *what, const char *with)
{
    const char *at = find(h->now, WIRE_ANNOTATION, 0);

    if (at == NULL || count(h->now, what) != 1) {
        return false;
    }
    h->now = replace(h, h->now, what, 0, with);
    return true;
}

static void spoil(struct history *h)
{
    if (h->state != INTACT) {
        return;
    }
    if (gen_chance(&h->g, 50) && edit_annotation(h, "\"v\":1}", "\"v\":x}")) {
        h->state = UNREADABLE;
        say(h, "unreadable");
    } else if (edit_annotation(h, "\"v\":1}", "\"v\":9}")) {
        h->state = NEWER;
        say(h, "newer");
    }
}

static void mend(struct history *h)
{
    if ((h->state == UNREADABLE && edit_annotation(h, "\"v\":x}", "\"v\":1}")) ||
        (h->state == NEWER && edit_annotation(h, "\"v\":9}", "\"v\":1}"))) {
        h->state = INTACT;
        say(h, "mended");
    }
}

/* Its line goes, where it has one. */
static void drop(struct history *h)
{
    const char *at = find(h->now, "    " WIRE_ANNOTATION ": ", 0);
    const char *end = at == NULL ? NULL : find(h->now, "\n", (size_t)(at - h->now.p));
    AUTO_BUF out = { 0 };

    if (end == NULL || h->state != INTACT || count(h->now, WIRE_ANNOTATION) != 1) {
        return;
    }
    buf_init(&out, 4 * MIB);
    buf_add(&out, h->now.p, (size_t)(at - h->now.p));
    buf_add_span(&out, span_from(h->now, (size_t)(end + 1 - h->now.p)));
    h->now = arena_span(&h->arena, buf_span(&out));
    h->state = DROPPED;
    say(h, "dropped");
}

/* ---- rewrite and restore */

struct outcome {
    struct span text;
    char said[8192]; /* all errors */
    size_t n_errors;
};

static bool run(struct history *h, const struct rewrite_options *way, bool is_restore,
                struct outcome *out)
{
    struct manifest_input in = { .text = h->now, .options = way, .is_restore = is_restore };
    struct manifest m = { .n_changed = 0 };
    struct node *root = NULL;
    struct faults f;
    struct err err = { .text = "" };
    size_t len = 0;

    *out = (struct outcome){ .text = h->now };
    if (yamldoc_parse(h->now, &h->arena, &root, &err) < 0) {
        snprintf(out->said, sizeof(out->said), "%s", err.text);
        return false;
    }
    in.root = root;
    faults_init(&f);
    bool is_done = manifest_make(&in, &h->arena, &f, &m) == 0;
    for (size_t i = 0; i < f.n && len < sizeof(out->said); i++) {
        if (f.v[i].severity == FAULT_ERROR) {
            len += (size_t)snprintf(out->said + len, sizeof(out->said) - len, "%s\n", f.v[i].text);
        }
    }
    out->n_errors = f.n_errors;
    out->text = is_done ? m.result : h->now;
    manifest_fini(&m);
    faults_fini(&f);
    return is_done;
}

static const char *rewrite(struct history *h)
{
    size_t way = gen_below(&h->g, COUNT(ways));
    struct outcome o;

    bool is_done = run(h, &ways[way], false, &o);
    if (is_done) {
        h->is_block = h->state == INTACT ? ways[way].is_block_style : h->is_block;
        h->now = o.text;
    }
    buf_addf(&h->log, ", way %zu%s", way, is_done ? "" : " (refused)");
    return is_done || h->state != INTACT ? NULL : arena_strndup(&h->arena, o.said, strlen(o.said));
}

/* ---- what must hold */

/* Is every job with an entry of ours named? */
static bool names_all(struct history *h, const char *said)
{
    struct node *root = NULL;
    struct collector c;
    bool is_named = true;

    if (yamldoc_parse(h->now, &h->arena, &root, NULL) < 0) {
        return false;
    }
    collector_read(root, &c);
    if (collector_parse_text(&c, &h->arena, NULL) < 0) {
        return false;
    }
    const struct node *receivers = node_get(c.config, "receivers");
    for (size_t i = 0; receivers != NULL && i < receivers->n; i++) {
        const struct node *list =
            node_path(receivers->pairs[i].value, "config", "scrape_configs", NULL);
        for (size_t j = 0; list != NULL && list->type == NODE_LIST && j < list->n; j++) {
            struct sections present;
            struct own_entry own;
            struct span name = SPAN_LIT("");
            sections_of_job(list->items[j], &h->arena, &present, &own);
            (void)node_as_text(node_get(list->items[j], "job_name"), &name);
            AUTO_STR quoted = mem_printf("job '%.*s'", SPAN_ARG(name));
            is_named = is_named && (!own.is_there || strstr(said, quoted) != NULL);
        }
    }
    return is_named;
}

/* NULL: all is well. */
static const char *end_of(struct history *h)
{
    struct outcome o, again;

    if (!run(h, &ways[0], true, &o)) {
        return "cannot be restored";
    }
    struct span before = h->now;
    h->now = o.text;
    bool is_stable = run(h, &ways[0], true, &again) && span_eq(again.text, o.text);
    h->now = before;
    if (!is_stable) {
        return "a second restore changes something";
    }
    if (h->state == INTACT) {
        return o.n_errors > 0               ? "an intact annotation is complained of"
               : span_eq(o.text, h->shadow) ? NULL
                                            : "not the bytes that it had";
    }
    if (h->state == DROPPED && h->is_block) {
        return NULL; /* such a block may be the user's own */
    }
    if (o.n_errors == 0) {
        return "nothing is said of what is lost";
    }
    if (h->state != DROPPED && find(o.text, WIRE_ANNOTATION, 0) == NULL) {
        return "the annotation is gone";
    }
    if (h->state != DROPPED && !span_eq(o.text, h->now)) {
        return "something was changed";
    }
    return names_all(h, o.said) ? NULL : "not all jobs are named";
}

static const char *live(struct history *h, unsigned seed)
{
    AUTO_BUF text = { 0 };
    const char *what = NULL;

    buf_init(&text, MIB);
    gen_collector(&h->g, seed % 2 == 0 ? GEN_OBJECT : GEN_LITERAL, &text);
    if (seed % 10 == 0) {
        gen_crlf(&text);
    }
    h->now = h->shadow = arena_span(&h->arena, buf_span(&text));
    what = rewrite(h);
    for (unsigned i = 0, n = gen_below(&h->g, MAX_STEPS); i < n && what == NULL; i++) {
        unsigned step = gen_below(&h->g, 100);
        if (step < 45) {
            edit_job(h);
        } else if (step < 50) {
            edit_entry(h);
        } else if (step < 65) {
            edit_around(h);
        } else if (step < 80) {
            what = rewrite(h);
        } else if (step < 86) {
            spoil(h);
        } else if (step < 96) {
            mend(h);
        } else {
            drop(h);
        }
    }
    return what == NULL ? end_of(h) : what;
}

int main(void)
{
    unsigned n_ends[4] = { 0 }, n_bad = 0;

    for (unsigned seed = 1; seed <= HISTORIES; seed++) {
        struct history h = { .g = { .state = 0x9e3779b97f4a7c15ULL * seed } };
        arena_init(&h.arena);
        buf_init(&h.log, MIB);
        const char *what = live(&h, seed);
        n_ends[h.state]++;
        if (what != NULL && ++n_bad <= 3) {
            struct outcome o;
            (void)run(&h, &ways[0], true, &o);
            check_note("seed %u: %s\n%s\n--- wanted\n%.*s\n--- is\n%.*s\n--- restored\n%.*s\n%s",
                       seed, what, h.log.p, SPAN_ARG(h.shadow), SPAN_ARG(h.now), SPAN_ARG(o.text),
                       o.said);
        }
        buf_fini(&h.log);
        arena_fini(&h.arena);
    }
    is_int(n_bad, 0, "nothing is lost in any of %d histories", HISTORIES);
    ok(n_ends[INTACT] > HISTORIES / 2 && n_ends[DROPPED] > 0 && n_ends[UNREADABLE] > 20 &&
           n_ends[NEWER] > 20,
       "of all kinds (%u, %u, %u, %u)", n_ends[INTACT], n_ends[DROPPED], n_ends[UNREADABLE],
       n_ends[NEWER]);
    return check_done();
}

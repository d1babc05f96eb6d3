/* Whoever reads a Collector sees the same in it: what the allocator runs is what a restore would
 * bring back. Generated Collectors, rewritten in every way and then changed as people change them.
 */
#include "allocator/codec/nodeedit.h"
#include "allocator/codec/spanmap.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/tenant/originals.h"
#include "allocator/tenant/receivers.h"
#include "tests/check.h"
#include "tests/unit/rewrite/collectorgen.h"
#include "webhook/rewrite/manifest.h"
#include "webhook/rewrite/revision.h"

#define PER_CHANGE 400
#define ID SPAN_LIT(WIRE_DEFAULT_COLLECTOR_ID)

static const struct rewrite_options ways[] = {
    { .collector_id_expr = ID },
    { .collector_id_expr = ID, .is_block_style = true },
    { .collector_id_expr = ID, .style = WIRE_QUALIFIED },
    { .collector_id_expr = ID, .style = WIRE_SHARED, .shared_host = SPAN_LIT("otel-ta.x.svc:80") },
};

struct side {
    struct arena arena;
    struct gen g;
    const struct node *root; /* the Collector */
};

static const struct node *parse(struct side *s, const char *yaml)
{
    struct node *root = NULL;

    if (yamldoc_parse(span_of(yaml), &s->arena, &root, NULL) < 0) {
        ok(false, "'%s' can be read", yaml);
    }
    return root;
}

static void set(struct side *s, const struct node *map, const char *key, const struct node *value)
{
    const struct node *changed = nodeedit_member(&s->arena, map, span_of(key), value);

    s->root = nodeedit_replace(&s->arena, s->root, map, changed);
}

static const struct node *config_of(const struct node *root)
{
    return node_path(root, "spec", "config", "receivers", NULL);
}

/* Some job of the list of the first receiver, or NULL. */
static const struct node *some_job(struct side *s)
{
    const struct node *list =
        node_path(config_of(s->root), "prometheus", "config", "scrape_configs", NULL);

    return list == NULL || list->type != NODE_LIST || list->n == 0
               ? NULL
               : list->items[gen_below(&s->g, (unsigned)list->n)];
}

/* ---- what people do to a Collector */

static void leave(struct side *s)
{
    (void)s;
}

static void rename_job(struct side *s)
{
    const struct node *job = some_job(s);

    if (job != NULL) {
        set(s, job, "job_name", nodeedit_text(&s->arena, SPAN_LIT("a new name")));
    }
}

static void add_section(struct side *s)
{
    static const char *const sections[] = {
        "[{targets: [added:1]}]",
        "[{targets: ['sdmark:9100']}, {targets: [added:1]}, {targets: [added:1]}]",
        "[]",
        "null",
    };
    const struct node *job = some_job(s);

    if (job != NULL) {
        set(s, job, "static_configs", parse(s, gen_pick(&s->g, sections)));
    }
}

/* Beside our entry, in its section. */
static void add_entry(struct side *s)
{
    static const char *const entries[] = {
        "{url: 'http://sdmark.example/sd'}",
        "{url: 'http://other.example/sd', refresh_interval: 5s}",
        "{url: 'http://x-targetallocator:80/jobs/unknown/targets?collector_id=$POD_NAME'}",
    };
    const struct node *job = some_job(s), *list = node_get(job, "http_sd_configs");

    if (list != NULL && list->type == NODE_LIST) {
        struct node **items = arena_zalloc(&s->arena, (list->n + 1) * sizeof(struct node *));
        size_t at = gen_below(&s->g, (unsigned)list->n + 1);
        for (size_t i = 0; i <= list->n; i++) {
            items[i] = i == at ? (struct node *)(uintptr_t)parse(s, gen_pick(&s->g, entries))
                               : list->items[i < at ? i : i - 1];
        }
        set(s, job, "http_sd_configs", nodeedit_list(&s->arena, items, list->n + 1));
    }
}

static void forget_annotation(struct side *s)
{
    const struct node *annotations = node_path(s->root, "metadata", "annotations", NULL);

    if (annotations != NULL && annotations->type == NODE_MAP) {
        set(s, annotations, WIRE_ANNOTATION, NULL);
    }
}

static void rename_receiver(struct side *s)
{
    const struct node *receivers = config_of(s->root), *one = node_get(receivers, "prometheus");

    if (one != NULL) {
        set(s, receivers, "prometheus", NULL);
        set(s, config_of(s->root), "prometheus/renamed", one);
    }
}

static void copy_receiver(struct side *s)
{
    const struct node *receivers = config_of(s->root), *one = node_get(receivers, "prometheus");

    if (one != NULL) {
        set(s, receivers, "prometheus/2", one);
    }
}

static void add_strange_section(struct side *s)
{
    const struct node *job = some_job(s);

    if (job != NULL) {
        set(s, job, "strange_sd_configs", parse(s, "[{a: 1}]"));
    }
}

static void point_elsewhere(struct side *s)
{
    const struct node *job = some_job(s);

    if (job != NULL) {
        set(s, job, "http_sd_configs",
            parse(s, "[{url: 'http://x-targetallocator:80/jobs/gone/"
                     "targets?collector_id=$POD_NAME&receiver=prometheus%2Fgone'}]"));
    }
}

static const struct {
    const char *name;
    void (*make)(struct side *s);
} changes[] = {
    { "nothing", leave },
    { "another job name", rename_job },
    { "a section beside our entry", add_section },
    { "an entry beside ours", add_entry },
    { "no annotation", forget_annotation },
    { "another receiver name", rename_receiver },
    { "the receiver twice", copy_receiver },
    { "a section that nobody knows", add_strange_section },
    { "our entry of another job", point_elsewhere },
};

/* ---- the readers */

static bool is_equal(const struct node *a, const struct node *b)
{
    return a == NULL || b == NULL ? a == b : node_equal(a, b);
}

static bool is_same_list(const struct node *a, const struct node *b)
{
    size_t n = a == NULL || node_is_null(a) ? 0 : a->n, m = b == NULL || node_is_null(b) ? 0 : b->n;

    return (n == 0 && m == 0) || is_equal(a, b);
}

/* The list of each receiver as the allocator puts it together, and as a restore does. */
static const char *compare_lists(struct side *s, const struct node *annotation,
                                 const struct revision *back)
{
    const struct node *receivers = node_get(back->collector.config, "receivers");
    const struct node *restored = node_get(back->intended_config, "receivers");
    struct originals o;
    struct spanmap lost;
    struct faults f;
    const char *what = NULL;

    faults_init(&f);
    originals_init(&o, annotation, &s->arena);
    spanmap_init(&lost, &s->arena);
    for (size_t i = 0; receivers != NULL && i < receivers->n && what == NULL; i++) {
        const struct node_pair *pair = &receivers->pairs[i];
        if (!receivers_is(pair->key->text)) {
            continue;
        }
        const struct node *list = node_path(pair->value, "config", "scrape_configs", NULL);
        const struct node *seen = originals_put_back(&o, pair, list, &f, &lost);
        const struct node *other =
            node_path(node_get_span(restored, pair->key->text), "config", "scrape_configs", NULL);
        what = is_same_list(seen, other) ? NULL : "the jobs of a receiver";
    }
    if (what == NULL && f.n_errors != back->plan.n_lost) {
        what = "which originals are lost";
    }
    spanmap_fini(&lost);
    originals_fini(&o);
    faults_fini(&f);
    return what;
}

static const char *compare_readers(struct side *s)
{
    const struct revision_input in = { .root = s->root, .options = &ways[0], .is_restore = true };
    struct node *annotation = NULL;
    struct revision back;
    struct faults f;
    struct span json;
    const char *what = NULL;

    faults_init(&f);
    if (revision_make(&in, &s->arena, &f, &back) < 0 ||
        collector_annotation(&back.collector, &s->arena, &annotation, &json, NULL) < 0) {
        what = "whether it can be restored";
    } else {
        what = compare_lists(s, annotation, &back);
    }
    revision_fini(&back);
    faults_fini(&f);
    return what;
}

/* A Collector of the generator, rewritten in some way: its tree, configuration as an object, or as
 * text for as long as nobody changes something in there. */
static bool make(struct side *s, unsigned seed, bool is_object)
{
    struct manifest_input in = { .options = &ways[gen_below(&s->g, COUNT(ways))] };
    enum gen_form form = is_object ? GEN_OBJECT : (enum gen_form)(seed % GEN_FORMS);
    struct manifest m = { .n_changed = 0 };
    struct node *root = NULL;
    struct faults f;
    AUTO_BUF text = { 0 };

    buf_init(&text, MIB);
    gen_collector(&s->g, form, &text);
    if (seed % 10 == 0) {
        gen_crlf(&text);
    }
    in.text = arena_span(&s->arena, buf_span(&text));
    faults_init(&f);
    bool is_made = yamldoc_parse(in.text, &s->arena, &root, NULL) == 0;
    in.root = root;
    is_made = is_made && manifest_make(&in, &s->arena, &f, &m) == 0 && m.n_changed > 0 &&
              yamldoc_parse(m.result, &s->arena, &root, NULL) == 0;
    s->root = root;
    manifest_fini(&m);
    faults_fini(&f);
    return is_made;
}

static void check_change(size_t change)
{
    unsigned n_different = 0, n_made = 0;

    for (unsigned seed = 1; seed <= PER_CHANGE; seed++) {
        struct side s = { .g = { .state = 0x9e3779b97f4a7c15ULL * (seed + change * 7919) } };
        arena_init(&s.arena);
        if (make(&s, seed, changes[change].make != leave)) {
            changes[change].make(&s);
            const char *what = compare_readers(&s);
            n_made++;
            if (what != NULL && ++n_different <= 2) {
                AUTO_BUF json = { 0 };
                buf_init(&json, MIB);
                node_write_json(s.root, &json);
                check_note("%s, seed %u: %s\n%s", changes[change].name, seed, what, json.p);
            }
        }
        arena_fini(&s.arena);
    }
    is_int(n_different, 0, "%s: all readers see the same", changes[change].name);
    ok(n_made > PER_CHANGE * 3 / 4, "%s: most were rewritten (%u)", changes[change].name, n_made);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(changes); i++) {
        check_change(i);
    }
    return check_done();
}

#include "allocator/tenant/decisive.h"

#include "allocator/codec/spanmap.h"
#include "allocator/tenant/expression.h"

#include <ctype.h>

#define NO_SCOPE ((struct span){ NULL, 0 })
#define MAX_LOOKED_AT 64 /* of more labels that are not known, labelmap is taken to reach one */

/* ---- below a value */

/* NOLINTNEXTLINE(misc-no-recursion): documents are at most LIMIT_DEPTH deep. */
bool decisive_find_any(const struct node *n, struct span head, struct arena *arena,
                       struct decisive *out)
{
    if (expression_holder(n) == NULL) {
        return false;
    }
    for (size_t i = 0; n->type == NODE_LIST && i < n->n; i++) {
        if (expression_holder(n->items[i]) != NULL) {
            char *path = arena_printf(arena, "%.*s[%zu]", SPAN_ARG(head), i);
            return decisive_find_any(n->items[i], span_of(path), arena, out);
        }
    }
    for (size_t i = 0; n->type == NODE_MAP && i < n->n; i++) {
        if (expression_holder(n->pairs[i].value) != NULL) {
            struct span key = n->pairs[i].key->text;
            char *path = arena_printf(arena, "%.*s%s%.*s", SPAN_ARG(head), head.len > 0 ? "." : "",
                                      SPAN_ARG(key));
            return decisive_find_any(n->pairs[i].value, span_of(path), arena, out);
        }
    }
    *out = (struct decisive){ n, head };
    return true;
}

/* ---- the labels that hold what is not known */

struct held {
    struct span name;
    struct decisive from;
    const struct held *before;
};

struct flow {
    struct arena *arena;
    const struct held *last; /* all of both */
    struct spanmap seeds;    /* from the members of the job, which are right if the job is */
    struct spanmap written;  /* by rules */
};

static void put(struct flow *f, struct spanmap *labels, struct span name, struct decisive from)
{
    struct held *held = arena_alloc(f->arena, sizeof(*held));

    *held = (struct held){ name, from, f->last };
    if (spanmap_put(labels, name, held)) {
        f->last = held;
    }
}

static const struct decisive *get(const struct flow *f, struct span name)
{
    const struct held *held = spanmap_get_in(&f->written, NO_SCOPE, name);

    held = held != NULL ? held : spanmap_get_in(&f->seeds, NO_SCOPE, name);
    return held == NULL ? NULL : &held->from;
}

/* "global: ${env:X}" may say anything. */
static void seed(struct flow *f, const struct node *map, const char *key, const char *label)
{
    bool is_whole = map != NULL && map->type == NODE_SCALAR;
    const struct node *value = is_whole ? map : node_get(map, key);
    struct span head = is_whole ? SPAN_LIT("global") : span_of(key);
    struct decisive from;

    if (decisive_find_any(value, head, f->arena, &from)) {
        put(f, &f->seeds, span_of(label), from);
    }
}

/* What the interval is also bounds the timeout. */
static void seed_times(struct flow *f, const struct node *job, const struct node *global)
{
    const struct node *from = node_get(job, "scrape_interval") != NULL ? job : global;

    seed(f, job, "scrape_timeout", "__scrape_timeout__");
    seed(f, from, "scrape_interval", "__scrape_interval__");
    seed(f, from, "scrape_interval", "__scrape_timeout__");
    seed(f, global, "scrape_timeout", "__scrape_timeout__");
}

static void seed_params(struct flow *f, const struct node *params)
{
    struct decisive from;

    for (size_t i = 0; params != NULL && params->type == NODE_MAP && i < params->n; i++) {
        struct span key = params->pairs[i].key->text;
        char *path = arena_printf(f->arena, "params.%.*s", SPAN_ARG(key));
        if (decisive_find_any(params->pairs[i].value, span_of(path), f->arena, &from)) {
            char *label = arena_printf(f->arena, "__param_%.*s", SPAN_ARG(key));
            put(f, &f->seeds, span_of(label), from);
        }
    }
}

static void seed_all(struct flow *f, const struct node *job, const struct node *global)
{
    static const struct {
        const char *key, *label;
    } t[] = {
        { "metrics_path", "__metrics_path__" },
        { "scheme", "__scheme__" },
        { "convert_classic_histograms_to_nhcb", "__convert_classic_histograms_to_nhcb__" },
        { "always_scrape_classic_histograms", "__always_scrape_classic_histograms__" },
        { "scrape_native_histograms", "__scrape_native_histograms__" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        seed(f, job, t[i].key, t[i].label);
        seed(f, global, t[i].key, t[i].label);
    }
    seed_times(f, job, global);
    seed_params(f, node_get(job, "params"));
}

/* ---- one rule */

static struct span text_of(const struct node *rule, const char *key, const char *otherwise)
{
    struct span text = span_of(otherwise);

    (void)node_as_text(node_get(rule, key), &text);
    return text;
}

static bool is_action(const struct node *rule, const char *a, const char *b)
{
    struct span action = text_of(rule, "action", "replace");

    return span_is_nocase(action, a) || span_is_nocase(action, b);
}

static const struct decisive *read_sources(const struct flow *f, const struct node *rule)
{
    const struct node *list = node_get(rule, "source_labels");
    const struct decisive *found = NULL;
    struct span name;

    for (size_t i = 0; list != NULL && list->type == NODE_LIST && i < list->n && found == NULL;
         i++) {
        found = node_as_text(list->items[i], &name) ? get(f, name) : NULL;
    }
    return found;
}

/* What every name that the pattern matches begins with. */
static struct span literal_head(struct span regex)
{
    size_t n = 0;

    while (n < regex.len && (regex.p[n] == '_' || isalnum((unsigned char)regex.p[n]))) {
        n++;
    }
    bool is_optional = n > 0 && n < regex.len && strchr("?*{", regex.p[n]) != NULL;
    return memchr(regex.p, '|', regex.len) != NULL ? SPAN_LIT("")
                                                   : span_make(regex.p, n - (is_optional ? 1 : 0));
}

/* Could labelmap take up a label that is not known? */
static const struct decisive *read_mapped(const struct flow *f, const struct node *rule)
{
    struct span head = literal_head(text_of(rule, "regex", ""));
    size_t n = 0;

    for (const struct held *h = f->last; h != NULL; h = h->before) {
        bool is_reached =
            h->name.len >= head.len && (head.len == 0 || memcmp(h->name.p, head.p, head.len) == 0);
        if (is_reached || n++ == MAX_LOOKED_AT) {
            return &h->from;
        }
    }
    return NULL;
}

/* True: the rule decides by something that is not known. */
static bool choose(struct flow *f, const struct node *rule, struct span path, struct decisive *out)
{
    const struct decisive *source = read_sources(f, rule);
    struct span target = text_of(rule, "target_label", "");
    struct decisive written;

    if (is_action(rule, "keepequal", "dropequal") && source == NULL) {
        source = get(f, target);
    }
    if (is_action(rule, "keep", "drop") || is_action(rule, "keepequal", "dropequal")) {
        if (source != NULL) {
            *out = *source;
        }
        return source != NULL;
    }
    bool is_written = decisive_find_any(node_get(rule, "replacement"), path, f->arena, &written);
    if (!is_written && is_action(rule, "labelmap", "labelmap")) {
        source = read_mapped(f, rule);
    }
    if (!is_written && source == NULL) {
        return false;
    }
    written = is_written ? written : *source;
    if (is_action(rule, "labelmap", "labelmap") || memchr(target.p, '$', target.len) != NULL) {
        *out = written; /* it may be any label */
        return true;
    }
    put(f, &f->written, target, written);
    return false;
}

static bool read_rule(struct flow *f, const struct node *rule, size_t index, struct decisive *out)
{
    struct span head = span_of(arena_printf(f->arena, "relabel_configs[%zu]", index));

    if (rule->type != NODE_MAP) {
        return decisive_find_any(rule, head, f->arena, out);
    }
    for (size_t i = 0; i < rule->n; i++) {
        struct span key = rule->pairs[i].key->text;
        char *path = arena_printf(f->arena, "%.*s.%.*s", SPAN_ARG(head), SPAN_ARG(key));
        if (!span_is(key, "replacement") &&
            decisive_find_any(rule->pairs[i].value, span_of(path), f->arena, out)) {
            return true;
        }
    }
    return choose(f, rule, span_of(arena_printf(f->arena, "%.*s.replacement", SPAN_ARG(head))),
                  out);
}

/* ---- all of them */

/* What Prometheus looks at when the rules have run. */
static bool read_end(const struct flow *f, struct decisive *out)
{
    static const char *const looked_at[] = {
        "__address__",
        "__scrape_interval__",
        "__scrape_timeout__",
        "__convert_classic_histograms_to_nhcb__",
        "__always_scrape_classic_histograms__",
        "__scrape_native_histograms__",
    };

    for (size_t i = 0; i < COUNT(looked_at); i++) {
        const struct held *held = spanmap_get_in(&f->written, NO_SCOPE, span_of(looked_at[i]));
        if (held != NULL) {
            *out = held->from;
            return true;
        }
    }
    return false;
}

bool decisive_find(const struct node *job, const struct node *global, struct arena *arena,
                   struct decisive *out)
{
    const struct node *rules = node_get(job, "relabel_configs");
    struct flow f = { .arena = arena };
    bool is_found = false;

    if (rules == NULL || (expression_holder(job) == NULL && expression_holder(global) == NULL)) {
        return false;
    }
    if (rules->type != NODE_LIST) {
        return decisive_find_any(rules, SPAN_LIT("relabel_configs"), arena, out);
    }
    spanmap_init(&f.seeds, arena);
    spanmap_init(&f.written, arena);
    seed_all(&f, job, global);
    for (size_t i = 0; i < rules->n && !is_found; i++) {
        is_found = read_rule(&f, rules->items[i], i, out);
    }
    is_found = is_found || read_end(&f, out);
    spanmap_fini(&f.written);
    spanmap_fini(&f.seeds);
    return is_found;
}

#include "allocator/scrape/verdict.h"

#include "allocator/base/limits.h"
#include "allocator/base/utf8.h"
#include "allocator/prom/duration.h"

#define REASON_VALUE_MAX 512 /* bytes of a label value that a reason shows */

/* ---- seeds */

static void set_seeds(const struct scrapejob *job, struct label_builder *lb)
{
    for (size_t i = 0; i < job->n_seeds; i++) {
        if (label_builder_get(lb, job->seeds[i].name).len == 0) {
            label_builder_set(lb, job->seeds[i].name, job->seeds[i].value);
        }
    }
}

static enum relabel_outcome run_watched(struct relabel *rules, struct label_builder *lb,
                                        const struct verdict_watch *w, size_t *out_rule)
{
    size_t n = rules == NULL ? 0 : relabel_count(rules);

    for (size_t i = 0; i < n && !lb->is_overfull; i++) {
        w->will_run(w->arg, i, lb);
        enum relabel_outcome outcome = relabel_run_one(rules, i, lb);
        w->has_run(w->arg, i, outcome, lb);
        if (outcome == RELABEL_DROP) {
            *out_rule = i;
            return RELABEL_DROP;
        }
    }
    return RELABEL_KEEP;
}

static enum relabel_outcome run(struct relabel *rules, struct label_builder *lb,
                                const struct verdict_watch *w, size_t *out_rule)
{
    return w == NULL ? relabel_run(rules, lb, out_rule) : run_watched(rules, lb, w, out_rule);
}

/* prometheus-operator shards by a keep rule that lets everything pass while this label is set. The
 * allocator spreads the targets itself, so it sets the label before the rules and takes it away
 * after them. */
static enum relabel_outcome run_rules(const struct scrapejob *job, struct label_builder *lb,
                                      const struct verdict_watch *w, size_t *out_rule)
{
    if (!job->disable_sharding) {
        return run(job->rules, lb, w, out_rule);
    }
    const struct str *mark = strpool_intern(lb->pool, SPAN_LIT("__tmp_disable_sharding"));
    label_builder_set(lb, mark, SPAN_LIT("true"));
    enum relabel_outcome outcome = run(job->rules, lb, w, out_rule);
    label_builder_del(lb, mark);
    return outcome;
}

/* ---- checks */

/* The labels that are looked at after the rules; an empty span where one is absent. */
struct outcome_labels {
    struct span address, instance, interval, timeout;
    struct span to_nhcb, always_classic, native;
};

static void collect(const struct label_builder *lb, struct outcome_labels *out)
{
    *out = (struct outcome_labels){ 0 };
    const struct {
        struct span name;
        struct span *value;
    } t[] = {
        { SPAN_LIT("__address__"), &out->address },
        { SPAN_LIT("instance"), &out->instance },
        { SPAN_LIT("__scrape_interval__"), &out->interval },
        { SPAN_LIT("__scrape_timeout__"), &out->timeout },
        { SPAN_LIT("__convert_classic_histograms_to_nhcb__"), &out->to_nhcb },
        { SPAN_LIT("__always_scrape_classic_histograms__"), &out->always_classic },
        { SPAN_LIT("__scrape_native_histograms__"), &out->native },
    };
    uint64_t lengths = 0; /* of the names wanted: most labels are told apart by it */
    for (size_t k = 0; k < COUNT(t); k++) {
        lengths |= 1ULL << t[k].name.len;
    }
    for (size_t i = 0; i < lb->n; i++) {
        const struct str *name = lb->v[i].name;
        bool is_candidate = name->len < 64 && (lengths >> name->len & 1) != 0 && !name->is_meta;
        for (size_t k = 0; is_candidate && k < COUNT(t); k++) {
            if (name->len == t[k].name.len && memcmp(name->text, t[k].name.p, name->len) == 0) {
                *t[k].value = lb->v[i].value;
            }
        }
    }
}

static const char *say(struct label_builder *lb, const char *before, struct span value,
                       const char *behind)
{
    int len = (int)(value.len < REASON_VALUE_MAX ? value.len : REASON_VALUE_MAX);
    return arena_printf(lb->arena, "%s\"%.*s\"%s", before, len, len == 0 ? "" : value.p, behind);
}

static const char *check_duration(struct label_builder *lb, const char *what, struct span text,
                                  int64_t *out_ms)
{
    struct err err;
    if (duration_parse(text, out_ms, &err) < 0) {
        return arena_printf(lb->arena, "error parsing scrape %s: %s", what, err.text);
    }
    return *out_ms == 0 ? arena_printf(lb->arena, "scrape %s cannot be 0", what) : NULL;
}

/* The seeds have passed the checks of the configuration; only what differs from them has to be
 * looked at. */
static bool is_seed(const struct scrapejob *job, struct span value)
{
    for (size_t i = 0; i < job->n_seeds; i++) {
        if (job->seeds[i].value.p == value.p && job->seeds[i].value.len == value.len) {
            return true;
        }
    }
    return false;
}

static const char *check_times(const struct scrapejob *job, struct label_builder *lb,
                               const struct outcome_labels *o)
{
    if (is_seed(job, o->interval) && is_seed(job, o->timeout)) {
        return NULL;
    }
    int64_t interval_ms = 0;
    int64_t timeout_ms = 0;
    const char *reason = check_duration(lb, "interval", o->interval, &interval_ms);
    if (reason == NULL) {
        reason = check_duration(lb, "timeout", o->timeout, &timeout_ms);
    }
    if (reason == NULL && timeout_ms > interval_ms) {
        reason =
            say(lb, "scrape timeout cannot be greater than scrape interval (", o->timeout, " > ");
        reason = say(lb, reason, o->interval, ")");
    }
    return reason;
}

/* As Go's strconv.ParseBool. */
static bool is_bool(struct span s)
{
    static const char *const words[] = { "1", "t", "T", "TRUE",  "true",  "True",
                                         "0", "f", "F", "FALSE", "false", "False" };
    for (size_t i = 0; i < COUNT(words); i++) {
        if (span_is(s, words[i])) {
            return true;
        }
    }
    return false;
}

static const char *check_histograms(struct label_builder *lb, const struct outcome_labels *o)
{
    const struct {
        const char *name;
        struct span value;
    } t[] = {
        { "__convert_classic_histograms_to_nhcb__", o->to_nhcb },
        { "__always_scrape_classic_histograms__", o->always_classic },
        { "__scrape_native_histograms__", o->native },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        if (t[i].value.len > 0 && !is_bool(t[i].value)) {
            return say(
                lb,
                arena_printf(lb->arena, "error parsing %s: strconv.ParseBool: parsing ", t[i].name),
                t[i].value, ": invalid syntax");
        }
    }
    return NULL;
}

static const char *check_values(struct label_builder *lb)
{
    for (size_t i = 0; i < lb->n; i++) {
        const struct label *label = &lb->v[i];
        if (!label->name->is_meta && !utf8_is_valid(label->value)) {
            return arena_printf(lb->arena, "invalid label value for \"%.*s\"",
                                SPAN_ARG(str_span(label->name)));
        }
    }
    return NULL;
}

/* NULL when the target can be scraped, else Prometheus' sentence. */
static const char *check(const struct scrapejob *job, struct label_builder *lb,
                         const struct outcome_labels *o)
{
    if (lb->is_overfull) {
        return arena_printf(lb->arena, "relabeling makes more than %d labels or %zu bytes",
                            LIMIT_LABELS_PER_TARGET, LIMIT_RELABEL_BYTES);
    }
    if (o->address.len == 0) {
        return "no address";
    }
    if (memchr(o->address.p, '/', o->address.len) != NULL) {
        return say(lb, "", o->address, " is not a valid hostname");
    }
    const char *reason = check_times(job, lb, o);
    if (reason == NULL) {
        reason = check_histograms(lb, o);
    }
    return reason == NULL ? check_values(lb) : reason;
}

static void judge(const struct scrapejob *job, struct label_builder *lb,
                  const struct verdict_watch *w, struct verdict *out)
{
    *out = (struct verdict){ .kind = VERDICT_KEPT };
    if (job->filter == SCRAPE_FILTER_NONE) {
        return;
    }
    set_seeds(job, lb);
    if (w != NULL) {
        w->seeded(w->arg, lb);
    }
    if (run_rules(job, lb, w, &out->rule) == RELABEL_DROP) {
        out->kind = VERDICT_DROPPED;
        return;
    }
    struct outcome_labels o;
    collect(lb, &o);
    out->reason = check(job, lb, &o);
    if (out->reason != NULL) {
        out->kind = VERDICT_INVALID;
    } else if (o.instance.len == 0) {
        label_builder_append(lb, strpool_intern(lb->pool, SPAN_LIT("instance")), o.address);
    }
}

void verdict_judge(const struct scrapejob *job, struct label_builder *lb, struct verdict *out)
{
    judge(job, lb, NULL, out);
}

void verdict_watch(const struct scrapejob *job, struct label_builder *lb,
                   const struct verdict_watch *w, struct verdict *out)
{
    judge(job, lb, w, out);
    if (out->kind == VERDICT_KEPT) {
        out->identity = labels_identity(lb, job->name);
    }
}

void verdict_reach(const struct scrapejob *job, struct label_builder *lb, struct verdict *out)
{
    verdict_watch(job, lb, NULL, out);
}

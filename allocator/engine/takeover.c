#include "allocator/engine/takeover.h"

#include "allocator/base/container.h"
#include "allocator/base/limits.h"
#include "allocator/discovery/provider.h"
#include "allocator/discovery/targetgroup.h"
#include "allocator/engine/room.h"

/* Puts the targets that are kept, and the others, in the order in which they were discovered. */
struct writing {
    const struct source *from;
    struct buf *out;
    uint32_t n; /* kept ones that were written */
    uint32_t index;
};

static void write_kept(struct writing *w)
{
    const struct target *t = w->from->targets[w->n++]; /* begins with a comma */

    buf_add(w->out, t->own, t->own_len);
    buf_add(w->out, t->tail->text, t->tail->len);
    w->index++;
}

static void write_other(void *arg, struct span own, struct span tail)
{
    struct writing *w = arg;
    const struct source *from = w->from;

    while (!from->leftover->is_whole && w->n < from->n && from->targets[w->n]->index == w->index) {
        write_kept(w);
    }
    buf_add_span(w->out, own);
    buf_add_span(w->out, tail);
    w->index++;
}

/* What is served of a target is its group in the form of http_sd. */
static void write_groups(const struct source *s, struct buf *out)
{
    struct writing w = { .from = s, .out = out };

    if (s->leftover != NULL) {
        leftover_each(s->leftover, write_other, &w);
    }
    while ((s->leftover == NULL || !s->leftover->is_whole) && w.n < s->n) {
        write_kept(&w);
    }
    if (out->len > 0) {
        out->p[0] = '[';
    } else {
        buf_add_char(out, '[');
    }
    buf_add_char(out, ']');
}

bool takeover_read(const struct source *from, struct buf *text, struct sd_batch *out)
{
    write_groups(from, text);
    sd_batch_reset(out);
    return targetgroup_parse_json(buf_span(text), NULL, out, NULL) == 0;
}

bool takeover_copy(struct job *j, uint32_t section, const struct source *from,
                   struct sd_batch *scratch)
{
    AUTO_BUF text;

    buf_init(&text, SIZE_MAX / 2);
    if (job_find_source(j, section, span_of(from->name)) != NULL ||
        !takeover_read(from, &text, scratch) ||
        !room_has(j, section, span_of(from->name), scratch)) {
        return false;
    }
    job_apply(j, section, span_of(from->name), &(struct reading){ .batch = scratch });
    return true;
}

bool takeover_twin(struct job *j, uint32_t section, const struct job *twin, uint32_t its_section,
                   struct sd_batch *scratch)
{
    bool has_changed = false;

    for (const struct table_node *node = table_next(&twin->sources, NULL); node != NULL;
         node = table_next(&twin->sources, node)) {
        const struct source *from = CONTAINER_OF(node, struct source, node);
        if (from->section == its_section) {
            has_changed |= takeover_copy(j, section, from, scratch);
        }
    }
    return has_changed;
}

static bool is_same_mechanism(const struct sdconfig *a, const struct sdconfig *b)
{
    return provider_find(a) == provider_find(b);
}

bool takeover_source(struct job *j, uint32_t section, struct span source, struct sd_batch *scratch)
{
    const struct job *before = j->handover.from;

    for (uint32_t i = 0; before != NULL && i < before->config->n_sds; i++) {
        const struct source *from = job_find_source(before, i, source);
        if (from != NULL && is_same_mechanism(&before->config->sds[i], &j->config->sds[section]) &&
            takeover_copy(j, section, from, scratch)) {
            return true;
        }
    }
    return false;
}

/* The name of its one source, in 'arena'; empty: it may have many. */
static struct span source_of(const struct sdconfig *section, struct arena *arena)
{
    const struct provider_ops *ops = provider_find(section);
    struct ask ask;

    if (ops == NULL || ops->carrier == CARRIER_NONE) {
        return SPAN_LIT("");
    }
    provider_plan(section, arena, &ask);
    return ask_source(&ask);
}

bool takeover_section(struct job *j, uint32_t section, struct sd_batch *scratch)
{
    bool has_changed = false;
    struct arena arena;

    if (j->handover.from == NULL) {
        return false;
    }
    arena_init(&arena);
    /* How it is asked may be what changed. Where nothing did, the job before uses the same want,
     * and told of it when this one joined. */
    struct span source = source_of(&j->config->sds[section], &arena);
    if (source.len > 0) {
        has_changed = takeover_source(j, section, source, scratch);
    }
    arena_fini(&arena);
    return has_changed;
}

struct places { /* the addresses that the sections of a job ask; empty: they ask none */
    struct arena arena;
    struct span *v;
    size_t n;
};

static void find_places(const struct job *j, struct places *out)
{
    arena_init(&out->arena);
    out->n = j->config->n_sds;
    out->v = arena_alloc(&out->arena, out->n * sizeof(*out->v));
    for (size_t i = 0; i < out->n; i++) {
        out->v[i] = source_of(&j->config->sds[i], &out->arena);
    }
}

static bool is_among(const struct places *places, struct span place)
{
    for (size_t i = 0; i < places->n; i++) {
        if (span_eq(places->v[i], place)) {
            return true;
        }
    }
    return false;
}

bool takeover_has_moved(const struct job *j)
{
    const struct job *before = j->handover.from;
    struct places old, new;
    bool is_missing = false;

    if (before == NULL) {
        return false;
    }
    find_places(before, &old);
    find_places(j, &new);
    for (const struct table_node *node = table_next(&before->sources, NULL);
         node != NULL && !is_missing; node = table_next(&before->sources, node)) {
        const struct source *from = CONTAINER_OF(node, struct source, node);
        struct span place = old.v[from->section];
        is_missing = from->n > 0 && place.len > 0 && !is_among(&new, place);
    }
    arena_fini(&old.arena);
    arena_fini(&new.arena);
    return is_missing;
}

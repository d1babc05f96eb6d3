#include "allocator/engine/room.h"

#include "allocator/engine/render.h"

#define PACKED 4 /* text of targets that are not kept is packed to a part of it, at most */

/* At most, when all is kept and nothing shared. */
static size_t most_of(const struct sd_batch *batch)
{
    size_t bytes = 0;

    vec_each(&batch->groups, g) {
        size_t labels = 0;
        for (uint32_t i = 0; i < g->shape->n; i++) {
            labels += str_span(g->shape->fields[i].name).len + 2 * g->values[i].len + 8;
        }
        bytes += g->n_targets * (target_weight(labels) + tail_weight(0));
        for (uint32_t i = 0; i < g->n_targets; i++) {
            bytes += 4 * g->targets[i].len;
        }
    }
    return bytes;
}

static size_t weight_of(const struct source *s)
{
    size_t bytes = s == NULL ? 0 : leftover_weight(s->leftover);

    for (uint32_t i = 0; s != NULL && i < s->n; i++) {
        bytes += target_weight(s->targets[i]->own_len);
    }
    return bytes;
}

struct weighing {
    struct job *job;
    struct sd_batch *batch;
    struct render render;
    struct arena scratch;
    size_t bytes;
};

static bool is_kept(struct weighing *w, const struct sd_group *g, struct span address)
{
    struct label_builder *lb = w->job->labels;
    struct verdict v;

    arena_reset(&w->scratch);
    sd_batch_labels(w->batch, g, address, w->job->config->rules != NULL, lb);
    verdict_judge(w->job->config, lb, &v);
    return v.kind == VERDICT_KEPT;
}

static void weigh_group(struct weighing *w, const struct sd_group *g)
{
    struct span tail = render_tail(&w->render, g)->text;
    bool has_tail = false;

    for (uint32_t i = 0; i < g->n_targets; i++) {
        struct span own = render_own(&w->render, g, g->targets[i]);
        if (is_kept(w, g, g->targets[i])) {
            w->bytes += target_weight(own.len);
            has_tail = true;
        } else {
            w->bytes += own.len / PACKED;
        }
    }
    if (has_tail && !tails_have(w->job->tails, tail)) {
        w->bytes += tail_weight(tail.len);
    }
}

/* Tails of neighbours that are equal count each time while nobody has them. */
static size_t weigh(struct job *j, struct sd_batch *batch)
{
    struct weighing w = { .job = j, .batch = batch };

    arena_init(&w.scratch);
    j->labels->arena = &w.scratch;
    render_init(&w.render, batch);
    vec_each(&batch->groups, g) {
        weigh_group(&w, g);
    }
    render_fini(&w.render);
    label_builder_clear(j->labels);
    j->labels->arena = NULL;
    arena_fini(&w.scratch);
    return w.bytes;
}

bool room_has(struct job *j, uint32_t section, struct span source, struct sd_batch *batch)
{
    const struct tails *t = j->tails;
    size_t left = t->most_bytes > t->used_bytes ? t->most_bytes - t->used_bytes : 0;

    return most_of(batch) <= left ||
           weigh(j, batch) <= left + weight_of(job_find_source(j, section, source));
}

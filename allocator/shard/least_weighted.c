/* The collector with the fewest targets; ties: fewer of this job, then the smaller name. A target
 * keeps its collector as long as that exists. Source: upstream's
 * internal/allocation/least_weighted.go. */
#include "allocator/base/mem.h"
#include "allocator/shard/strategy.h"

struct strategy {
    size_t n;
};

static struct strategy *create(const struct strategy_options *options)
{
    (void)options;
    return mem_zalloc(sizeof(struct strategy));
}

static void set_collectors(struct strategy *s, const struct strategy_collector *v, size_t n)
{
    (void)v;
    s->n = n;
}

static bool is_lighter(const struct strategy_load *load, uint32_t a, uint32_t b)
{
    if (load->targets[a] != load->targets[b]) {
        return load->targets[a] < load->targets[b];
    }
    return load->job_targets != NULL && load->job_targets[a] < load->job_targets[b];
}

static uint32_t pick(const struct strategy *s, const struct strategy_target *t,
                     const struct strategy_load *load)
{
    if (t->owner != STRATEGY_NONE) {
        return t->owner;
    }
    uint32_t best = s->n == 0 ? STRATEGY_NONE : 0;
    for (uint32_t i = 1; i < s->n; i++) {
        if (is_lighter(load, i, best)) {
            best = i;
        }
    }
    return best;
}

static void destroy(struct strategy *s)
{
    mem_free(s);
}

const struct strategy_ops strategy_least_weighted = {
    .name = "least-weighted",
    .needs_load = true,
    .create = create,
    .set_collectors = set_collectors,
    .pick = pick,
    .destroy = destroy,
};

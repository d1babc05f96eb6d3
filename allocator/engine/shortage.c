#define LOG_MODULE "engine"
#include "allocator/engine/shortage.h"

#include "allocator/base/limits.h"
#include "allocator/base/log.h"
#include "allocator/base/metric.h"
#include "allocator/engine/room.h"
#include "allocator/engine/roster.h"

void shortage_note(struct state *s, const char *mechanism, struct span source)
{
    s->used_when_short = s->tails.used_bytes;
    metric_add(METRIC_READINGS_WITHOUT_ROOM, 1);
    log_warn("no room for the targets of a source; those known before stay (--memory-limit)",
             LOG_STR("mechanism", mechanism), LOG_SPAN("source", source),
             LOG_INT("all_targets_mib", s->tails.most_bytes / MIB));
}

static bool is_missing(const struct job *j, uint32_t section)
{
    const struct provider_ops *ops = provider_find(&j->config->sds[section]);

    return ops != NULL && ops->carrier == CARRIER_NONE &&
           job_find_source(j, section, SPAN_LIT("")) == NULL;
}

/* False: there is no room. */
static bool read_static(struct state *s, struct job *j, uint32_t section) ON(engine)
{
    const struct sdconfig *sd = &j->config->sds[section];
    struct provider_input in = { .section = sd };

    sd_batch_reset(&s->batch);
    if (provider_find(sd)->digest(&in, &s->batch, NULL) < 0) {
        return true; /* was reported when the configuration was read */
    }
    if (!room_has(j, section, SPAN_LIT(""), &s->batch)) {
        return false;
    }
    job_apply(j, section, SPAN_LIT(""), &(struct reading){ .batch = &s->batch });
    return true;
}

void shortage_read_static(struct state *s, struct job *j, uint32_t section)
{
    if (!read_static(s, j, section)) {
        handover_note(&j->handover, HANDOVER_ASKED);
        handover_note(&j->handover, HANDOVER_EXPIRED);
        j->n_starved++;
        s->n_starved++;
        shortage_note(s, j->config->sds[section].section, j->config->name);
    }
}

static void retry_job(struct state *s, struct job *j) ON(engine)
{
    for (uint32_t i = 0; j->n_starved > 0 && i < j->config->n_sds; i++) {
        if (is_missing(j, i) && read_static(s, j, i)) {
            j->n_starved--;
            s->n_starved--;
            handover_note(&j->handover, HANDOVER_LATE);
            state_list_job(s, j);
        }
    }
}

static void retry(struct state *s) ON(engine)
{
    s->used_when_short = s->tails.used_bytes;
    for (size_t i = 0; s->n_starved > 0 && i < s->jobs.n; i++) {
        retry_job(s, s->jobs.v[i]);
    }
    wants_feed_starved(&s->wants);
}

void shortage_settle(struct state *s)
{
    bool is_short = s->n_starved + s->wants.n_starved > 0;

    if (is_short && s->tails.used_bytes + s->tails.most_bytes / 16 <= s->used_when_short) {
        retry(s);
        is_short = s->n_starved + s->wants.n_starved > 0;
    }
    metric_set(METRIC_SOURCES_WITHOUT_ROOM, (double)(s->n_starved + s->wants.n_starved));
    metric_set(METRIC_TARGET_BYTES, (double)s->tails.used_bytes);
    if (is_short != s->is_short && s->is_configured) {
        s->is_short = is_short;
        roster_make(s);
        if (!is_short) {
            log_info("all targets have room again");
        }
    }
}

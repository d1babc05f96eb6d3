#include "allocator/watch/polling.h"

#include "allocator/base/hash.h"

#define FIRST_RETRY_MS 1000

void polling_init(struct polling *p, int64_t interval_ms)
{
    *p = (struct polling){ .interval_ms = interval_ms,
                           .next_ms = INT64_MAX,
                           .retry_ms = FIRST_RETRY_MS };
}

static bool begin(struct polling *p, int64_t now_ms)
{
    p->is_trying = true;
    p->next_ms = now_ms + p->interval_ms;
    return true;
}

bool polling_refresh(struct polling *p, int64_t now_ms)
{
    p->n_unsettled++;
    p->must_deliver = true;
    return !p->is_trying && begin(p, now_ms);
}

void polling_redeliver(struct polling *p)
{
    p->must_deliver = true;
}

int64_t polling_deadline_ms(const struct polling *p)
{
    return p->is_trying ? INT64_MAX : p->next_ms;
}

bool polling_tick(struct polling *p, int64_t now_ms)
{
    return polling_deadline_ms(p) <= now_ms && begin(p, now_ms);
}

static unsigned settle(struct polling *p)
{
    unsigned n = p->n_unsettled;

    p->is_trying = false;
    p->n_unsettled = 0;
    return n;
}

struct polling_outcome polling_answer(struct polling *p, struct span answer)
{
    uint64_t hash = hash_fast(answer);
    struct polling_outcome out = {
        .is_news = p->must_deliver || hash != p->answer_hash || answer.len != p->answer_len,
        .is_change = p->is_failing,
        .n_settled = settle(p),
    };

    p->has_answered = true;
    p->is_failing = false;
    if (out.is_news) {
        p->answer_hash = hash;
        p->answer_len = answer.len;
        p->must_deliver = false;
    }
    return out;
}

struct polling_outcome polling_fail(struct polling *p, int64_t now_ms)
{
    struct polling_outcome out = { .is_change = !p->is_failing, .n_settled = settle(p) };

    p->is_failing = true;
    if (!p->has_answered && now_ms + p->retry_ms < p->next_ms) {
        p->next_ms = now_ms + p->retry_ms;
        p->retry_ms *= 2;
    }
    return out;
}

/* Stage and event make the next stage; "–" cannot be.
 *
 *          ASKED   ANSWERED   EXPIRED   LATE    GAINED   EMPTY   PUBLISHED
 *   READY  WAITS   –          –         READY   READY    rest    SHOWN
 *   WAITS  WAITS   rest       rest      WAITS   WAITS    WAITS   –
 *   MUTE   WAITS   –          –         rest    READY    MUTE    –
 *   SHOWN  SHOWN   SHOWN      SHOWN     SHOWN   SHOWN    SHOWN   SHOWN
 *
 * rest: WAITS while a section is open, else MUTE while one has expired and there is no target, else
 * READY.
 */
#include "allocator/engine/handover.h"

#include "allocator/engine/job.h"

#include <assert.h>

/* ---- stages */

static void count(struct handover *h, enum handover_event event)
{
    switch (event) {
    case HANDOVER_ASKED:
        h->n_open++;
        break;
    case HANDOVER_ANSWERED:
        assert(h->n_open > 0);
        h->n_open--;
        break;
    case HANDOVER_EXPIRED:
        assert(h->n_open > 0);
        h->n_open--;
        h->n_expired++;
        break;
    case HANDOVER_LATE:
        assert(h->n_expired > 0);
        h->n_expired--;
        break;
    case HANDOVER_GAINED:
    case HANDOVER_EMPTY:
        h->has_targets = event == HANDOVER_GAINED;
        break;
    case HANDOVER_PUBLISHED:
        assert(handover_is_served(h));
        h->stage = HANDOVER_SHOWN;
        break;
    }
}

void handover_note(struct handover *h, enum handover_event event)
{
    count(h, event);
    if (h->stage != HANDOVER_SHOWN) {
        h->stage = h->n_open > 0                         ? HANDOVER_WAITS
                   : h->n_expired > 0 && !h->has_targets ? HANDOVER_MUTE
                                                         : HANDOVER_READY;
    }
}

bool handover_is_served(const struct handover *h)
{
    return h->stage == HANDOVER_READY || h->stage == HANDOVER_SHOWN;
}

/* ---- one after the other */

struct job *handover_served(struct job *j)
{
    for (; j != NULL && !handover_is_served(&j->handover); j = j->handover.from) {
    }
    return j;
}

struct job *handover_last(struct job *j)
{
    return j->handover.to != NULL ? j->handover.to : j;
}

struct job *handover_leave(struct job **place)
{
    struct job *j = *place;

    if (!handover_is_served(&j->handover)) {
        return handover_end(j);
    }
    *place = NULL;
    return j;
}

void handover_begin(struct job *j, struct job *from)
{
    j->handover.from = from;
    if (from != NULL) {
        from->handover.to = j;
    }
}

struct job *handover_end(struct job *j)
{
    struct job *from = j->handover.from;

    if (from != NULL) {
        from->handover.to = NULL;
        from->has_news = true;
        j->handover.from = NULL;
    }
    return from;
}

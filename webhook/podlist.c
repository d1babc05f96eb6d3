#include "webhook/podlist.h"

#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/mem.h"
#include "allocator/discovery/objectarrival.h"

void podlist_init(struct podlist *p)
{
    *p = (struct podlist){ .due_ms = INT64_MAX };
}

void podlist_start(struct podlist *p, const struct ask_kube *ask, int64_t grace_ms,
                   struct watcher *watcher)
{
    p->is_on = true;
    p->box = mailbox_new(0); /* a list comes while nobody looks, at the end of the process, too */
    collectorfollow_init(&p->follow, grace_ms);
    watcher_follow(watcher, 1, ask, p->box);
}

int podlist_fd(const struct podlist *p)
{
    return p->is_on ? mailbox_fd(p->box) : -1;
}

int podlist_wait_ms(const struct podlist *p, int most_ms, int64_t now_ms)
{
    return clock_wait_ms(p->due_ms, most_ms, now_ms);
}

void podlist_turn(struct podlist *p, int64_t now_ms, int64_t wall_ms)
{
    if (!p->is_on) {
        return;
    }
    for (struct mail *mail = mailbox_drain(p->box), *next; mail != NULL; mail = next) {
        const struct object_arrival *a = CONTAINER_OF(mail, struct object_arrival, mail);
        next = mail->next;
        /* Each API server has pods: what says otherwise at first is none. */
        if (a->batch != NULL && (podlist_is_known(p) || a->state != REFLECTOR_ABSENT)) {
            collectorfollow_take(&p->follow, a->batch, now_ms, wall_ms);
        }
        mail->dispose(mail);
    }
    p->due_ms = collectorfollow_settle(&p->follow, now_ms);
}

bool podlist_is_known(const struct podlist *p)
{
    return !p->is_on || p->follow.pods.is_known;
}

void podlist_get(const struct podlist *p, struct collectorlist *out)
{
    (void)collectorfollow_list(&p->follow, out);
}

void podlist_put(const struct podlist *p, struct tenants *tenants)
{
    for (size_t i = 0; p->is_on && i < tenants->n; i++) {
        struct collectorlist *list = &tenants->v[i]->collectors;
        collectorlist_fini(list);
        collectorlist_init(list);
        podlist_get(p, list);
    }
}

void podlist_fini(struct podlist *p)
{
    if (p->is_on) {
        collectorfollow_fini(&p->follow);
        mailbox_free(&p->box);
    }
    podlist_init(p);
}

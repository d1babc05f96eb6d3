#include "webhook/cli/survey.h"

#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/terminal.h"
#include "webhook/cli/options.h"

#include <poll.h>

int survey_open(struct survey *s, const struct watcher_options *options, bool is_explained,
                FILE *errout)
{
    struct err err;

    *s = (struct survey){ 0 };
    if (watcher_start(options, &s->watcher, &err) < 0) {
        terminal_line(errout, "otel-ta: %s", err.text);
        return EXIT_CANNOT;
    }
    s->box = mailbox_new(0);
    watcher_connect(s->watcher, s->box);
    s->state = state_new(watcher_mailbox(s->watcher));
    s->explain = is_explained ? explain_new(s->state) : NULL;
    return EXIT_OK;
}

static void take(struct survey *s, struct mail *mail) ON(engine)
{
    if (mail->kind == ENGINE_OBJECTS) {
        state_take_objects(s->state, CONTAINER_OF(mail, struct object_arrival, mail));
    } else if (s->explain != NULL) {
        struct arrival *a = CONTAINER_OF(mail, struct arrival, mail);
        explain_arrive(s->explain, &a);
        return;
    } else {
        state_arrive(s->state, CONTAINER_OF(mail, struct arrival, mail));
    }
    mail->dispose(mail);
}

static void wait_until_settled(struct survey *s, int64_t timeout_ms) ON(engine)
{
    int64_t end_ms = clock_mono_ms() + timeout_ms;
    struct state_counts counts;

    state_count(s->state, &counts);
    while (counts.n_wants_open > 0) {
        int64_t left_ms = end_ms - clock_mono_ms();
        struct pollfd fd = { .fd = mailbox_fd(s->box), .events = POLLIN };
        if (left_ms <= 0 || poll(&fd, 1, (int)left_ms) < 0) {
            s->n_missing = counts.n_wants_open;
            state_tick(s->state, INT64_MAX);
            return;
        }
        for (struct mail *mail = mailbox_drain(s->box), *next; mail != NULL; mail = next) {
            next = mail->next;
            take(s, mail);
        }
        state_count(s->state, &counts);
    }
}

int survey_run(struct survey *s, struct tenants *tenants, int64_t timeout_ms, FILE *errout)
{
    struct err err = { 0 };

    if (state_configure(s->state, tenants, clock_mono_ms(), &err) < 0) {
        terminal_line(errout, "otel-ta: %s", err.text);
        return EXIT_FAULTS;
    }
    wait_until_settled(s, timeout_ms);
    const struct snapshot *snapshot = state_publish(s->state);
    if (snapshot != NULL) {
        snapshot_put(snapshot);
    }
    return EXIT_OK;
}

void survey_close(struct survey *s)
{
    explain_free(&s->explain);
    watcher_connect(s->watcher, NULL);
    state_release_watcher(s->state);
    mailbox_close(s->box); /* what is still on its way is dropped */
    state_free(&s->state);
    watcher_stop(&s->watcher);
    mailbox_free(&s->box);
}

#include "webhook/cli/findings.h"

#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/mem.h"
#include "allocator/base/terminal.h"
#include "allocator/discovery/provider.h"
#include "allocator/watch/watcher.h"

#include <poll.h>
#include <stdlib.h>

struct gathering {
    const struct scrapejob *job;
    struct mailbox *box;
    struct watcher *watcher;
    struct findings *out;
    size_t n_open;
};

static struct finding *find(const struct gathering *g, const struct arrival *a)
{
    for (size_t i = 0; i < g->out->list.n; i++) {
        struct finding *f = &g->out->list.v[i];
        if (f->section == a->want && strcmp(f->arrival->source, a->source) == 0) {
            return f;
        }
    }
    return NULL;
}

/* The section is the want's id. */
static void take(struct gathering *g, struct arrival *a)
{
    struct finding *found = a->status == ARRIVAL_OK ? find(g, a) : NULL;

    switch (a->status) {
    case ARRIVAL_OK:
        if (found != NULL) {
            arrival_free(&found->arrival);
            found->arrival = a;
        } else {
            *vec_push(&g->out->list) = (struct finding){ a->want, a };
        }
        return;
    case ARRIVAL_FAILED:
        g->out->n_failed++;
        break;
    case ARRIVAL_SETTLED:
        g->n_open--;
        break;
    case ARRIVAL_VANISHED:
    case ARRIVAL_BLIND:
    case ARRIVAL_SIGHTED:
        break;
    }
    arrival_free(&a);
}

static void wait_for_answers(struct gathering *g, int64_t timeout_ms)
{
    int64_t end_ms = clock_mono_ms() + timeout_ms;

    while (g->n_open > 0) {
        int64_t left_ms = end_ms - clock_mono_ms();
        struct pollfd fd = { .fd = mailbox_fd(g->box), .events = POLLIN };
        if (left_ms <= 0 || poll(&fd, 1, (int)left_ms) < 0) {
            break;
        }
        for (struct mail *mail = mailbox_drain(g->box), *next; mail != NULL; mail = next) {
            next = mail->next;
            take(g, CONTAINER_OF(mail, struct arrival, mail));
        }
    }
    g->out->n_missing = g->n_open;
}

static int compare_findings(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;
    if (x->section != y->section) {
        return x->section < y->section ? -1 : 1;
    }
    return strcmp(x->arrival->source, y->arrival->source);
}

static void ask(struct gathering *g)
{
    struct arena arena;
    struct ask ask;

    arena_init(&arena);
    for (size_t i = 0; i < g->job->n_sds; i++) {
        const struct provider_ops *ops = provider_find(&g->job->sds[i]);
        if (ops != NULL && ops->carrier == CARRIER_FILE) {
            provider_plan(&g->job->sds[i], &arena, &ask);
            mailbox_post(watcher_mailbox(g->watcher), &want_new(i, &ask)->mail);
            g->n_open++;
        }
    }
    arena_fini(&arena);
}

int findings_discover_once(const struct scrapejob *job, int64_t timeout_ms, struct findings *out,
                           struct err *err)
{
    struct gathering g = { .job = job, .out = out };

    *out = (struct findings){ 0 };
    const struct watcher_options files_only = { 0 };
    int rc = watcher_start(&files_only, &g.watcher, err);
    if (rc < 0) {
        return rc;
    }
    g.box = mailbox_new(0);
    watcher_connect(g.watcher, g.box);
    ask(&g);
    wait_for_answers(&g, timeout_ms);
    watcher_connect(g.watcher, NULL);
    mailbox_close(g.box); /* what is still on its way is dropped */
    watcher_stop(&g.watcher);
    mailbox_free(&g.box);
    if (out->list.n > 1) {
        qsort(out->list.v, out->list.n, sizeof(*out->list.v), compare_findings);
    }
    return 0;
}

int findings_digest(const struct scrapejob *job, const struct finding *f, struct sd_batch *batch,
                    struct err *err)
{
    const struct sdconfig *section = &job->sds[f->section];
    const struct provider_input in = { .section = section,
                                       .source = span_of(f->arrival->source),
                                       .body = span_make(f->arrival->body, f->arrival->body_len) };

    sd_batch_reset(batch);
    int rc = provider_find(section)->digest(&in, batch, err);
    return rc < 0 ? err_wrap(err, rc, "%.*s", SPAN_ARG(in.source)) : 0;
}

void findings_report_gaps(const struct scrapejob *job, size_t n_failed, size_t n_missing,
                          FILE *errout)
{
    for (size_t i = 0; i < job->n_sds; i++) {
        struct span section = span_of(job->sds[i].section);
        if (!sdconfig_is_run(section)) {
            AUTO_STR gap = sdconfig_gap(job->name, section);
            terminal_line(errout, "otel-ta: %s", gap);
        }
    }
    if (n_failed > 0) {
        terminal_line(errout, "otel-ta: job '%.*s': %zu discovery sources could not be read",
                      SPAN_ARG(job->name), n_failed);
    }
    if (n_missing > 0) {
        terminal_line(errout, "otel-ta: job '%.*s': %zu discovery sections did not answer in time",
                      SPAN_ARG(job->name), n_missing);
    }
}

void findings_fini(struct findings *f)
{
    vec_each(&f->list, it) {
        arrival_free(&it->arrival);
    }
    vec_fini(&f->list);
}

#include "allocator/watch/watcher.h"

#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/thread.h"
#include "allocator/watch/carriers.h"
#include "allocator/watch/filealarm.h"
#include "allocator/watch/filewatch.h"
#include "allocator/watch/httppoll.h"
#include "allocator/watch/kubewatch.h"

#include <assert.h>
#include <poll.h>

/* What changes so soon after other files is read with what follows it. */
#define ROWS_APART_MS 5
/* A file is created and written before it is renamed into its place. */
#define EVENTS_APART_MS 1

enum { MAIL_CONNECT = 100, MAIL_FOLLOW, MAIL_STOP };

struct watcher {
    struct mailbox *box;
    pthread_t thread;
    struct http_client *client;
    struct dirwatch *dirs;
    struct filealarm *alarm;
    struct carriers carriers;
    const struct carrier_source *files; /* the one of them */
    struct mailbox *engine;
    struct carriers follows; /* for somebody else than the engine */
    struct mailbox *follower;
    int64_t events_ms; /* file events wait until then */
    bool is_leaving;   /* told to stop; the engine may still post */
    bool is_stopping;  /* nobody posts any more */
};

/* ---- mail of the keeper */

struct connect_mail {
    struct mail mail;
    struct mailbox *engine;
};

struct files_mail {
    struct mail mail;
    char **paths;
    size_t n;
    int fd;
};

struct follow_mail {
    struct mail mail;
    struct want *want; /* moved to the carrier */
    struct mailbox *to;
};

static void dispose_plain(struct mail *mail)
{
    mem_free(mail);
}

static void dispose_follow(struct mail *mail)
{
    struct follow_mail *m = CONTAINER_OF(mail, struct follow_mail, mail);

    want_free(&m->want);
    mem_free(m);
}

static void dispose_files(struct mail *mail)
{
    struct files_mail *m = CONTAINER_OF(mail, struct files_mail, mail);

    for (size_t i = 0; i < m->n; i++) {
        mem_free(m->paths[i]);
    }
    mem_free(m->paths);
    mem_free(m);
}

struct mailbox *watcher_mailbox(struct watcher *w)
{
    return w->box;
}

void watcher_connect(struct watcher *w, struct mailbox *engine)
{
    struct connect_mail *m = mem_zalloc(sizeof(*m));

    m->mail = (struct mail){ .kind = MAIL_CONNECT, .dispose = dispose_plain };
    m->engine = engine;
    mailbox_post(w->box, &m->mail);
}

void watcher_follow(struct watcher *w, uint64_t id, const struct ask_kube *ask, struct mailbox *to)
{
    const struct ask whole = { .carrier = CARRIER_KUBE, .refresh_ms = 1, .kube = *ask };
    struct follow_mail *m = mem_zalloc(sizeof(*m));

    m->mail = (struct mail){ .kind = MAIL_FOLLOW, .dispose = dispose_follow };
    m->want = want_new(id, &whole);
    m->to = to;
    mailbox_post(w->box, &m->mail);
}

void watcher_watch_files(struct watcher *w, const char *const *paths, size_t n, int fd)
{
    struct files_mail *m = mem_zalloc(sizeof(*m));

    m->mail = (struct mail){ .kind = WATCHER_FILES, .dispose = dispose_files };
    m->paths = mem_array(n, sizeof(char *));
    m->n = n;
    m->fd = fd;
    for (size_t i = 0; i < n; i++) {
        m->paths[i] = mem_strdup(paths[i]);
    }
    mailbox_post(w->box, &m->mail);
}

/* ---- loop */

static void connect_to(struct watcher *w, struct mailbox *engine) ON(watcher)
{
    w->engine = engine;
    carriers_connect(&w->carriers, engine);
}

static void follow(struct watcher *w, struct follow_mail *m, int64_t now_ms) ON(watcher)
{
    struct mail *want = &m->want->mail;

    assert(w->follower == NULL || w->follower == m->to);
    m->want = NULL;
    w->follower = m->to;
    carriers_connect(&w->follows, m->to);
    (void)carriers_take(&w->follows, want, now_ms);
}

/* The engine is asked for its last mail, so that its mails never meet a mailbox that is gone. */
static void leave(struct watcher *w) ON(watcher)
{
    w->is_leaving = true;
    if (w->engine == NULL) {
        w->is_stopping = true;
    } else {
        mailbox_post(w->engine, want_signal_new(ENGINE_RELEASE));
    }
}

/* Takes over the mail. */
static void take_mail(struct watcher *w, struct mail *mail, int64_t now_ms) ON(watcher)
{
    if (carriers_take(&w->carriers, mail, now_ms)) {
        return;
    }
    switch (mail->kind) {
    case WATCHER_FILES: {
        const struct files_mail *m = CONTAINER_OF(mail, struct files_mail, mail);
        filealarm_set(w->alarm, m->paths, m->n, m->fd, now_ms);
        break;
    }
    case MAIL_FOLLOW:
        follow(w, CONTAINER_OF(mail, struct follow_mail, mail), now_ms);
        break;
    case MAIL_CONNECT:
        connect_to(w, CONTAINER_OF(mail, struct connect_mail, mail)->engine);
        break;
    case WATCHER_RELEASED: /* an engine that goes before it is asked to */
        connect_to(w, NULL);
        break;
    default:
        assert(mail->kind == MAIL_STOP);
        leave(w);
    }
    mail->dispose(mail);
}

static int64_t wait_ms(const struct watcher *w, int64_t now_ms) ON(watcher)
{
    const int64_t deadlines[] = { carriers_deadline_ms(&w->carriers),
                                  carriers_deadline_ms(&w->follows),
                                  filealarm_deadline_ms(w->alarm), dirwatch_deadline_ms(w->dirs),
                                  w->events_ms > now_ms ? w->events_ms : INT64_MAX };
    int64_t first = INT64_MAX;

    for (size_t i = 0; i < COUNT(deadlines); i++) {
        first = deadlines[i] < first ? deadlines[i] : first;
    }
    return first == INT64_MAX ? -1 : first <= now_ms ? 0 : first - now_ms;
}

/* What changes after a while of quiet is read at once. Under load files are read in rows, and those
 * they wake (the engine, and with a snapshot every serving thread) wake once for a row. */
static void read_events(struct watcher *w) ON(watcher)
{
    dirwatch_read(w->dirs);
    int64_t now = clock_mono_ms();
    bool is_row = w->files->ops->deadline_ms(w->files) <= now;
    w->events_ms = now + (is_row ? ROWS_APART_MS : EVENTS_APART_MS);
}

static void turn(struct watcher *w) ON(watcher)
{
    int64_t from = clock_mono_ms();
    bool has_events = dirwatch_fd(w->dirs) >= 0 && from >= w->events_ms;
    struct pollfd fds[2] = { { .fd = mailbox_fd(w->box), .events = POLLIN },
                             { .fd = dirwatch_fd(w->dirs), .events = POLLIN } };

    http_client_poll(w->client, fds, has_events ? 2 : 1, wait_ms(w, from));
    for (struct mail *mail = mailbox_drain(w->box), *next; mail != NULL; mail = next) {
        next = mail->next;
        if (w->is_leaving) {
            w->is_stopping |= mail->kind == WATCHER_RELEASED;
            mail->dispose(mail);
        } else {
            take_mail(w, mail, clock_mono_ms());
        }
    }
    if (w->is_leaving) {
        return;
    }
    if ((fds[1].revents & POLLIN) != 0) {
        read_events(w);
    }
    int64_t now = clock_mono_ms();
    dirwatch_tick(w->dirs, now);
    carriers_tick(&w->carriers, now);
    carriers_tick(&w->follows, now);
    filealarm_tick(w->alarm, now);
    if (w->engine != NULL) {
        mailbox_ring(w->engine);
    }
    if (w->follower != NULL) {
        mailbox_ring(w->follower);
    }
}

static void *run(void *arg)
{
    struct watcher *w = arg;
    role_enter(watcher);

    thread_background();
    while (!w->is_stopping) {
        turn(w);
    }
    carriers_fini(&w->follows);
    carriers_fini(&w->carriers);
    filealarm_free(&w->alarm);
    return NULL;
}

/* ---- life */

int watcher_start(const struct watcher_options *options, struct watcher **out, struct err *err)
{
    struct watcher *w = mem_zalloc(sizeof(*w));

    w->client = http_client_new();
    if (options->is_guarded) {
        http_client_guard(w->client);
    }
    w->box = mailbox_new(0); /* the engine is bounded by its configuration, the keeper by itself */
    w->dirs = dirwatch_new();
    w->alarm = filealarm_new(w->dirs);
    carriers_init(&w->carriers);
    struct carrier_source *files = filewatch_new(w->dirs, LIMIT_GLOB_FILES);
    w->files = files;
    carriers_put(&w->carriers, files);
    carriers_put(&w->carriers, httppoll_new(w->client));
    struct kubeconfig_places places;
    kubeconfig_look_around(&places);
    places.named = options->kubeconfig;
    places.is_command_line = options->kubeconfig != NULL && !options->is_sandboxed;
    carriers_put(&w->carriers, kubewatch_new(w->client, &places, options->user_agent));
    carriers_init(&w->follows);
    carriers_put(&w->follows, kubewatch_new(w->client, &places, options->user_agent));
    int rc = thread_start(&w->thread, "watcher", run, w, err);
    if (rc < 0) {
        role_enter(watcher); /* it never ran */
        carriers_fini(&w->follows);
        carriers_fini(&w->carriers);
        filealarm_free(&w->alarm);
        dirwatch_free(&w->dirs);
        mailbox_free(&w->box);
        http_client_free(&w->client);
        mem_free(w);
        return rc;
    }
    *out = w;
    return 0;
}

void watcher_stop(struct watcher **watcher)
{
    struct watcher *w = *watcher;

    if (w == NULL) {
        return;
    }
    mailbox_post(w->box, want_signal_new(MAIL_STOP));
    thread_join(w->thread);
    dirwatch_free(&w->dirs);
    mailbox_free(&w->box);
    http_client_free(&w->client);
    mem_free(w);
    *watcher = NULL;
}

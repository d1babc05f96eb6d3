/* The thread: what is posted to it and what it posts, over files and a server of the test. */
#include "allocator/watch/watcher.h"

#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/mem.h"
#include "allocator/discovery/want.h"
#include "tests/check.h"
#include "tests/fake/rawserver.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const struct watcher_options options = { .user_agent = "otel-ta/test" };

static char *dir;

static void put(const char *path, const char *text)
{
    AUTO_STR whole = mem_printf("%s.tmp", path); /* is renamed when all of it is there */
    FILE *f = fopen(whole, "we");
    ok(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0 && rename(whole, path) == 0, "'%s' in %s",
       text, path);
}

/* The next mail that the watcher posts; NULL when none comes. Others wait in 'm'. */
struct inbox {
    struct mailbox *box;
    struct mail *m;
};

static struct mail *next_mail(struct inbox *in)
{
    int64_t end_ms = clock_mono_ms() + 20000;

    while (in->m == NULL && clock_mono_ms() < end_ms) {
        struct pollfd fd = { .fd = mailbox_fd(in->box), .events = POLLIN };
        poll(&fd, 1, 100);
        in->m = mailbox_drain(in->box);
    }
    struct mail *mail = in->m;
    in->m = mail == NULL ? NULL : mail->next;
    return mail;
}

static void is_arrival(struct inbox *in, uint64_t want, enum arrival_status status,
                       const char *body)
{
    struct mail *mail = next_mail(in);
    const struct arrival *a = CONTAINER_OF(mail, struct arrival, mail);

    if (!ok(mail != NULL && mail->kind == ENGINE_ARRIVAL, "an arrival")) {
        return;
    }
    is_int(a->want, want, "for want %u", (unsigned)want);
    is_int(a->status, status, "its status");
    is_span(span_make(a->body == NULL ? "" : a->body, a->body_len), span_of(body), "its body");
    mail->dispose(mail);
}

static void ask_file(struct watcher *w, uint64_t id, const char *path)
{
    struct span pattern = span_of(path);
    const struct ask ask = { .carrier = CARRIER_FILE,
                             .refresh_ms = 60000,
                             .file = { .patterns = &pattern, .n_patterns = 1 } };

    mailbox_post(watcher_mailbox(w), &want_new(id, &ask)->mail);
}

static void ask_url(struct watcher *w, uint64_t id, const char *url)
{
    struct httpconfig client = { 0 };
    const struct ask ask = { .carrier = CARRIER_HTTP,
                             .refresh_ms = 60000,
                             .http = { .url = span_of(url), .client = &client } };

    mailbox_post(watcher_mailbox(w), &want_new(id, &ask)->mail);
}

static void change(struct watcher *w, enum watcher_mail kind, uint64_t id)
{
    mailbox_post(watcher_mailbox(w), &want_change_new(kind, id)->mail);
}

/* As the engine answers when it is asked to let go. */
static void *let_go(void *arg)
{
    struct inbox *in = ((void **)arg)[0];
    struct watcher *w = ((void **)arg)[1];
    struct mail *mail = next_mail(in);

    while (mail != NULL && mail->kind != ENGINE_RELEASE) {
        mail->dispose(mail);
        mail = next_mail(in);
    }
    if (mail != NULL) {
        mail->dispose(mail);
        mailbox_post(watcher_mailbox(w), want_signal_new(WATCHER_RELEASED));
    }
    return NULL;
}

static void stop_with_engine(struct watcher **w, struct inbox *in)
{
    void *arg[] = { in, *w };
    pthread_t engine;
    struct err err;

    is_int(thread_start(&engine, "engine", let_go, arg, &err), 0, "an engine");
    watcher_stop(w);
    thread_join(engine);
    ok(*w == NULL, "both have let go");
}

static void test_wants(void)
{
    AUTO_STR path = mem_printf("%s/sd.json", dir);
    struct inbox in = { .box = mailbox_new(0) };
    struct rawserver server;
    struct watcher *w;
    struct err err;

    put(path, "[1]");
    rawserver_start(&server, SPAN_LIT("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[]"));
    AUTO_STR url = mem_printf("http://127.0.0.1:%u/", server.port);
    is_int(watcher_start(&options, &w, &err), 0, "starts");
    watcher_connect(w, in.box);
    ask_file(w, 1, path);
    is_arrival(&in, 1, ARRIVAL_OK, "[1]");
    is_arrival(&in, 1, ARRIVAL_SETTLED, "");
    ask_url(w, 2, url);
    is_arrival(&in, 2, ARRIVAL_OK, "[]");
    is_arrival(&in, 2, ARRIVAL_SETTLED, "");
    put(path, "[2]");
    is_arrival(&in, 1, ARRIVAL_OK, "[2]"); /* an event woke it */
    change(w, WATCHER_WANT_REFRESH, 2);
    is_arrival(&in, 2, ARRIVAL_OK, "[]");
    is_arrival(&in, 2, ARRIVAL_SETTLED, "");
    change(w, WATCHER_WANT_CANCEL, 1);
    change(w, WATCHER_WANT_REFRESH, 1); /* nobody is told of it */
    change(w, WATCHER_WANT_REFRESH, 2);
    is_arrival(&in, 2, ARRIVAL_OK, "[]");
    stop_with_engine(&w, &in);
    rawserver_stop(&server);
    for (struct mail *mail = in.m; mail != NULL; mail = in.m) {
        in.m = mail->next;
        mail->dispose(mail);
    }
    mailbox_free(&in.box);
    (void)unlink(path);
}

/* An engine that goes unasked is not told anything more, and the watcher does not end by it. */
static void test_released(void)
{
    AUTO_STR path = mem_printf("%s/sd.json", dir);
    struct inbox gone = { .box = mailbox_new(0) }, in = { .box = mailbox_new(0) };
    struct watcher *w;
    struct err err;

    put(path, "[1]");
    is_int(watcher_start(&options, &w, &err), 0, "starts");
    watcher_connect(w, gone.box);
    mailbox_post(watcher_mailbox(w), want_signal_new(WATCHER_RELEASED));
    ask_file(w, 1, path);
    watcher_connect(w, in.box);
    ask_file(w, 2, path);
    is_arrival(&in, 2, ARRIVAL_OK, "[1]");
    is_arrival(&in, 2, ARRIVAL_SETTLED, "");
    ok(mailbox_drain(gone.box) == NULL, "the one that is gone has no mail");
    stop_with_engine(&w, &in);
    mailbox_free(&gone.box);
    mailbox_free(&in.box);
    (void)unlink(path);
}

static bool rings(int fd, int wait_ms)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    eventfd_t n;

    return poll(&p, 1, wait_ms) == 1 && eventfd_read(fd, &n) == 0;
}

/* Files of the keeper, without any engine. */
static void test_files(void)
{
    AUTO_STR path = mem_printf("%s/key.pem", dir);
    const char *paths[] = { path };
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct watcher *w;
    struct err err;

    put(path, "one");
    is_int(watcher_start(&options, &w, &err), 0, "starts");
    watcher_watch_files(w, paths, 1, fd);
    ok(rings(fd, 20000), "rings when it has begun to look");
    put(path, "two");
    ok(rings(fd, 20000), "and when it changes");
    watcher_stop(&w);
    watcher_stop(&w); /* none: nothing */
    close(fd);
    (void)unlink(path);
}

int main(void)
{
    dir = check_folder("watcher");
    test_wants();
    test_released();
    test_files();
    ok(rmdir(dir) == 0, "nothing is left");
    mem_free(dir);
    return check_done();
}

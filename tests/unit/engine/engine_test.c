/* The engine as a thread: what is posted to it, what it publishes and posts, and how it ends. */
#define LOG_MODULE "test"
#include "allocator/engine/engine.h"

#include "allocator/base/container.h"
#include "allocator/base/log.h"
#include "allocator/base/mem.h"
#include "allocator/discovery/want.h"
#include "allocator/engine/wants.h"
#include "allocator/tenant/tenants.h"
#include "tests/check.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REAP_MS 1000     /* how often it looks whether old snapshots are still read */
#define TIMEOUT_MS 60000 /* nothing takes that long; a test that waits for it has failed */

/* ---- how long the engine's thread means to sleep, and how often it does */

static atomic_int asked_ms;
static atomic_uint n_sleeps;

/* In the place of the library's poll(): the same, and of other threads than the test's it is noted.
 */
int noted_poll(struct pollfd *fds, nfds_t n, int timeout_ms) __asm__("poll");
int noted_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
    const struct timespec t = { timeout_ms / 1000, timeout_ms % 1000 * 1000000L };

    if (gettid() != getpid()) {
        atomic_store(&asked_ms, timeout_ms);
        atomic_fetch_add(&n_sleeps, 1);
    }
    return ppoll(fds, n, timeout_ms < 0 ? NULL : &t, NULL);
}

/* Waits until the engine sleeps for so long. */
static void sleeps(int from_ms, int to_ms, const char *why)
{
    for (int i = 0; i < TIMEOUT_MS; i++) {
        int ms = atomic_load(&asked_ms);
        if (from_ms <= ms && ms <= to_ms) {
            break;
        }
        (void)poll(NULL, 0, 1);
    }
    int ms = atomic_load(&asked_ms);
    ok(from_ms <= ms && ms <= to_ms, "%s: sleeps %d ms, from %d to %d", why, ms, from_ms, to_ms);
}

/* ---- what it is told, and tells */

struct published { /* a snapshot, on its way to the test's thread */
    struct mail mail;
    const struct snapshot *snapshot;
};

struct rig {
    struct engine *engine;
    struct mailbox *watcher, *refusals, *snapshots; /* what the engine posts */
    const struct snapshot *current;
};

static void dispose_published(struct mail *mail)
{
    struct published *p = CONTAINER_OF(mail, struct published, mail);

    snapshot_put(p->snapshot);
    mem_free(p);
}

static void on_snapshot(void *arg, const struct snapshot *s)
{
    struct rig *r = arg;
    struct published *p = mem_zalloc(sizeof(*p));

    p->mail.dispose = dispose_published;
    p->snapshot = s;
    mailbox_post(r->snapshots, &p->mail);
}

/* The next mails, at least one; NULL when none came in time. */
static struct mail *next_mails(struct mailbox *box, const char *what)
{
    struct pollfd fd = { .fd = mailbox_fd(box), .events = POLLIN };

    if (poll(&fd, 1, TIMEOUT_MS) != 1) {
        ok(false, "%s", what);
        return NULL;
    }
    return mailbox_drain(box);
}

static void dispose_all(struct mail *mail)
{
    for (struct mail *next; mail != NULL; mail = next) {
        next = mail->next;
        mail->dispose(mail);
    }
}

/* What was published last. */
static const struct snapshot *next_snapshot(struct rig *r)
{
    for (struct mail *mail = next_mails(r->snapshots, "a snapshot"), *next; mail != NULL;
         mail = next) {
        struct published *p = CONTAINER_OF(mail, struct published, mail);
        next = mail->next;
        if (r->current != NULL) {
            snapshot_put(r->current);
        }
        r->current = p->snapshot;
        mem_free(p);
    }
    if (r->current == NULL) {
        exit(check_done());
    }
    return r->current;
}

static void rig_init(struct rig *r)
{
    *r = (struct rig){ 0 };
    r->watcher = mailbox_new(0);
    r->refusals = mailbox_new(0);
    r->snapshots = mailbox_new(0);
    const struct engine_options options = {
        .watcher = r->watcher, .refusals = r->refusals, .publish = on_snapshot, .publish_arg = r
    };
    struct err err = { 0 };
    atomic_store(&asked_ms, 0);
    is_int(engine_start(&options, &r->engine, &err), 0, "the thread runs: %s", err.text);
    sleeps(-1, -1, "nothing to do");
}

static void rig_fini(struct rig *r)
{
    if (r->current != NULL) {
        snapshot_put(r->current);
    }
    mailbox_free(&r->snapshots);
    engine_free(&r->engine);
    ok(r->engine == NULL, "the engine is gone");
    mailbox_free(&r->watcher);
    mailbox_free(&r->refusals);
}

#define CR(jobs)                                                                                   \
    "apiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\n"                         \
    "metadata: {name: c, namespace: n}\nspec:\n  targetAllocator: {enabled: true}\n"               \
    "  config: {receivers: {prometheus: {config: {scrape_configs: [" jobs "]}}}}\n"

static void tell_tenant(struct rig *r, const char *text, const char *strategy)
{
    const struct tenants_options none = { 0 };
    struct tenants_source source = { .kind = TENANTS_MANIFEST,
                                     .text = (char *)(uintptr_t)text,
                                     .len = strlen(text) };
    struct tenants tenants;
    struct faults faults;

    faults_init(&faults);
    is_int(tenants_load(&source, 1, &none, &faults, &tenants), 0, "a tenant");
    if (strategy != NULL) {
        tenants.v[0]->strategy = span_of(strategy);
    }
    mailbox_post(engine_mailbox(r->engine), tenantmail_tenant(&tenants.v[0]));
    tenants_fini(&tenants);
    faults_fini(&faults);
}

static void tell_collectors(struct rig *r, size_t n)
{
    struct collectorlist list;

    collectorlist_init(&list);
    collectorlist_number(&list, "c", n);
    mailbox_post(engine_mailbox(r->engine),
                 tenantmail_collectors(SPAN_LIT("n"), SPAN_LIT("c"), &list));
}

static void complete(struct rig *r)
{
    mailbox_post(engine_mailbox(r->engine), tenantmail_complete());
}

static void answer(struct rig *r, uint64_t want, const char *body)
{
    struct arrival *a = arrival_new(want, ARRIVAL_OK, "/f.json");

    a->body = mem_strdup(body);
    a->body_len = strlen(body);
    arrival_post(a, engine_mailbox(r->engine));
    arrival_post(arrival_new(want, ARRIVAL_SETTLED, NULL), engine_mailbox(r->engine));
    mailbox_ring(engine_mailbox(r->engine));
}

/* ---- tests */

static void test_first(struct rig *r)
{
    tell_tenant(r, CR("{job_name: j, file_sd_configs: [{files: [/f.json]}]}"), NULL);
    tell_collectors(r, 2);
    complete(r);
    const struct snapshot *s = next_snapshot(r);
    is_int(s->n_jobs, 1, "all that was told is in the first snapshot");
    ok(!s->is_synced && s->rows[0] == NULL, "which waits for the first answer");
    size_t n = 0;
    directory_collectors(s->directory, 0, &n);
    is_int(n, 2, "its collectors are known");

    struct mail *mail = next_mails(r->watcher, "a want");
    uint64_t id = mail == NULL ? 0 : CONTAINER_OF(mail, struct want, mail)->id;
    is_int(mail == NULL ? -1 : mail->kind, WATCHER_WANT_ADD, "the file is wanted");
    dispose_all(mail);
    sleeps(REAP_MS + 1, WANTS_TIMEOUT_MS + 1, "an answer is awaited");
    answer(r, id, "[{\"targets\":[\"a:1\",\"b:1\",\"c:1\"]}]");
    s = next_snapshot(r);
    ok(s->is_synced, "the answer makes it synced");
    is_int(s->rows[0]->n_targets, 3, "with its targets");
    answer(r, id, "[{\"targets\":[\"a:1\"]}]");
    const struct snapshot *old = r->current;
    snapshot_get(old);
    is_int(next_snapshot(r)->rows[0]->n_targets, 1, "another body, other targets");
    sleeps(0, REAP_MS, "somebody reads what is gone");
    snapshot_put(old);
    sleeps(REAP_MS + 1, WANTS_TIMEOUT_MS + 1, "nobody does");
}

static void test_refusal(struct rig *r)
{
    check_expect_errors(1);
    tell_tenant(r, CR(""), "best");
    complete(r);
    struct mail *mail = next_mails(r->refusals, "a refusal");
    if (mail != NULL) {
        const struct refusal_mail *m = CONTAINER_OF(mail, struct refusal_mail, mail);
        is_str(m->ns, "n", "namespace");
        is_str(m->name, "c", "and name of a tenant that cannot be used");
        ok(strstr(m->err.text, "unknown") != NULL || strstr(m->err.text, "best") != NULL,
           "and why: %s", m->err.text);
    }
    dispose_all(mail);
    tell_collectors(r, 3);
    complete(r);
    const struct snapshot *s = next_snapshot(r);
    is_int(s->n_jobs, 1, "what it had stays");
    size_t n = 0;
    directory_collectors(s->directory, 0, &n);
    is_int(n, 3, "and it goes on");
}

static void test_gone(struct rig *r)
{
    mailbox_post(engine_mailbox(r->engine), tenantmail_gone(SPAN_LIT("n"), SPAN_LIT("c")));
    complete(r);
    is_int(next_snapshot(r)->n_jobs, 0, "a tenant goes");
    struct mail *mail = next_mails(r->watcher, "a cancelled want");
    is_int(mail == NULL ? -1 : mail->kind, WATCHER_WANT_CANCEL, "what it wanted is cancelled");
    dispose_all(mail);
}

static void test_end(struct rig *r)
{
    tell_tenant(r, CR("{job_name: s, static_configs: [{targets: [x]}]}"), NULL);
    complete(r);
    const struct snapshot *s = next_snapshot(r);
    is_int(s->rows[0]->n_targets, 1, "a job that waits for nobody");
    mailbox_post(engine_mailbox(r->engine), want_signal_new(ENGINE_RELEASE));
    struct mail *mail = next_mails(r->watcher, "a release");
    is_int(mail == NULL ? -1 : mail->kind, WATCHER_RELEASED, "the watcher may go");
    dispose_all(mail);
    tell_tenant(r, CR("{job_name: f, file_sd_configs: [{files: [/f.json]}]}"), NULL);
    complete(r);
    is_int(next_snapshot(r)->n_jobs, 1, "tenants come all the same");
    engine_stop(r->engine);
    ok(atomic_load(&n_sleeps) < 200, "it never spins: %u sleeps", atomic_load(&n_sleeps));
    ok(mailbox_drain(r->watcher) == NULL, "and nothing is wanted after that");
    is_int(r->current->n_jobs, 1, "what was published stays until it is put");
}

int main(void)
{
    struct rig r;

    log_set_level(LOG_ERROR);
    rig_init(&r);
    test_first(&r);
    test_refusal(&r);
    test_gone(&r);
    test_end(&r);
    rig_fini(&r);
    return check_done();
}

/* Dispatch to carriers that only write down what they are told. */
#include "allocator/watch/carriers.h"

#include "allocator/base/container.h"
#include "allocator/base/mem.h"
#include "tests/check.h"

#include <stdio.h>
#include <string.h>

struct fake {
    struct carrier_source base;
    char name;
    int64_t deadline_ms;
};

static char told[256]; /* what the fakes were told: "<name><verb><id>@<now> …" */

static void note(const struct carrier_source *s, const char *verb, uint64_t id, int64_t now_ms)
{
    size_t n = strlen(told);

    (void)snprintf(told + n, sizeof(told) - n, "%s%c:%s%u@%u", n > 0 ? " " : "",
                   CONTAINER_OF(s, struct fake, base)->name, verb, (unsigned)id, (unsigned)now_ms);
}

static struct source_want *add(struct carrier_source *s, struct want *want, int64_t now_ms)
{
    struct source_want *w = mem_zalloc(sizeof(*w));

    note(s, "add", want->id, now_ms);
    source_keep(s, w, want);
    source_tell(w, ARRIVAL_SETTLED, NULL, NULL, 0);
    return w;
}

static void refresh(struct source_want *w, int64_t now_ms)
{
    note(w->source, "refresh", w->want->id, now_ms);
}

static void redeliver(struct source_want *w)
{
    note(w->source, "redeliver", w->want->id, 0);
}

static void cancel(struct source_want *w)
{
    note(w->source, "cancel", w->want->id, 0);
    source_forget(w);
    mem_free(w);
}

static int64_t deadline_ms(const struct carrier_source *s)
{
    return CONTAINER_OF(s, struct fake, base)->deadline_ms;
}

static void tick(struct carrier_source *s, int64_t now_ms)
{
    note(s, "tick", 0, now_ms);
}

static void free_all(struct carrier_source *s)
{
    while (s->wants != NULL) {
        cancel(s->wants);
    }
    mem_free(s);
}

static struct fake *fake_new(char name, enum carrier carrier)
{
    static const struct source_ops file = { CARRIER_FILE, add,         refresh, redeliver,
                                            cancel,       deadline_ms, tick,    free_all };
    static const struct source_ops http = { CARRIER_HTTP, add,         refresh, redeliver,
                                            cancel,       deadline_ms, tick,    free_all };
    struct fake *f = mem_zalloc(sizeof(*f));

    f->base.ops = carrier == CARRIER_FILE ? &file : &http;
    f->name = name;
    f->deadline_ms = INT64_MAX;
    return f;
}

static void was_told(const char *what)
{
    is_str(told, what, "told");
    told[0] = '\0';
}

static void take(struct carriers *c, struct mail *mail)
{
    ok(carriers_take(c, mail, 7), "taken");
}

static void want(struct carriers *c, uint64_t id, enum carrier carrier)
{
    struct httpconfig client = { 0 };
    struct ask ask = { .carrier = carrier, .refresh_ms = 1 };

    if (carrier == CARRIER_HTTP) {
        ask.http.client = &client;
    }
    take(c, &want_new(id, &ask)->mail);
}

static void change(struct carriers *c, enum watcher_mail kind, uint64_t id)
{
    take(c, &want_change_new(kind, id)->mail);
}

static size_t n_arrivals(struct mailbox *engine)
{
    size_t n = 0;

    for (struct mail *mail = mailbox_drain(engine), *next; mail != NULL; mail = next) {
        next = mail->next;
        n += mail->kind == ENGINE_ARRIVAL;
        mail->dispose(mail);
    }
    return n;
}

int main(void)
{
    struct fake *files = fake_new('f', CARRIER_FILE), *urls = fake_new('h', CARRIER_HTTP);
    struct mailbox *engine = mailbox_new(0);
    struct carriers c;

    carriers_init(&c);
    carriers_put(&c, &files->base);
    carriers_put(&c, &urls->base);

    want(&c, 1, CARRIER_HTTP);
    was_told("h:add1@7");
    carriers_connect(&c, engine);
    want(&c, 2, CARRIER_FILE);
    want(&c, 3, CARRIER_FILE);
    want(&c, 4, CARRIER_FILE);
    was_told("f:add2@7 f:add3@7 f:add4@7");
    is_int(n_arrivals(engine), 3, "what is told before there is an engine goes nowhere");

    change(&c, WATCHER_WANT_REFRESH, 1);
    change(&c, WATCHER_WANT_REFRESH, 3);
    change(&c, WATCHER_WANT_REDELIVER, 2);
    was_told("h:refresh1@7 f:refresh3@7 f:redeliver2@0");
    change(&c, WATCHER_WANT_CANCEL, 3);
    change(&c, WATCHER_WANT_CANCEL, 2);
    was_told("f:cancel3@0 f:cancel2@0");
    change(&c, WATCHER_WANT_CANCEL, 3);
    change(&c, WATCHER_WANT_REFRESH, 3);
    change(&c, WATCHER_WANT_REDELIVER, 9);
    was_told("");

    struct mail *other = want_signal_new(WATCHER_RELEASED);
    ok(!carriers_take(&c, other, 7), "mail about something else is left alone");
    other->dispose(other);

    is_int(carriers_deadline_ms(&c), INT64_MAX, "nothing is due");
    urls->deadline_ms = 50;
    is_int(carriers_deadline_ms(&c), 50, "the only deadline");
    files->deadline_ms = 20;
    is_int(carriers_deadline_ms(&c), 20, "the first of two");
    carriers_tick(&c, 60);
    was_told("f:tick0@60 h:tick0@60");

    carriers_fini(&c);
    was_told("f:cancel4@0 h:cancel1@0");
    mailbox_free(&engine);
    return check_done();
}

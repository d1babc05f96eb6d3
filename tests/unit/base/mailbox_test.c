#include "allocator/base/mailbox.h"

#include "allocator/base/container.h"
#include "allocator/base/mem.h"
#include "allocator/base/thread.h"
#include "tests/check.h"

#include <poll.h>
#include <stdatomic.h>

enum { N_SENDERS = 4, N_MAILS = 5000 };

struct letter {
    struct mail mail;
    int sender;
    int number;
};

static atomic_int n_disposed;

static void dispose(struct mail *mail)
{
    atomic_fetch_add(&n_disposed, 1);
    mem_free(mail);
}

static struct mail *letter(int sender, int number)
{
    struct letter *l = mem_zalloc(sizeof(*l));

    l->mail.dispose = dispose;
    l->sender = sender;
    l->number = number;
    return &l->mail;
}

static bool is_rung(const struct mailbox *box)
{
    struct pollfd p = { .fd = mailbox_fd(box), .events = POLLIN };
    return poll(&p, 1, 0) == 1;
}

static void test_alone(void)
{
    struct mailbox *box = mailbox_new(2);
    int n = 0;

    ok(mailbox_drain(box) == NULL && !is_rung(box), "an empty box is silent");
    ok(mailbox_post(box, letter(0, 1)) && mailbox_post(box, letter(0, 2)), "two letters");
    ok(is_rung(box), "the bell is rung");
    for (struct mail *m = mailbox_drain(box), *next = NULL; m != NULL; m = next) {
        next = m->next;
        n = n * 10 + CONTAINER_OF(m, struct letter, mail)->number;
        mem_free(m);
    }
    is_int(n, 12, "oldest first");
    ok(!is_rung(box), "draining clears the bell");
    ok(mailbox_post(box, letter(0, 3)) && is_rung(box), "the next letter rings again");
    mailbox_close(box);
    atomic_store(&n_disposed, 0);
    ok(!mailbox_post(box, letter(0, 4)), "a closed box takes nothing");
    is_int(atomic_load(&n_disposed), 1, "what comes is disposed");
    mailbox_free(&box);
    is_int(atomic_load(&n_disposed), 2, "and what waits, at the end");
    ok(box == NULL, "mailbox_free sets NULL");
    mailbox_free(&box);
}

static void test_quietly(void)
{
    struct mailbox *box = mailbox_new(2);

    mailbox_ring(box);
    ok(!is_rung(box), "nothing to ring for");
    ok(mailbox_post_quietly(box, letter(0, 1)) && !is_rung(box), "a letter without a bell");
    mailbox_ring(box);
    ok(is_rung(box), "rung for later");
    for (int i = 0; i < 2; i++) {
        for (struct mail *m = mailbox_drain(box), *next = NULL; m != NULL; m = next) {
            next = m->next;
            mem_free(m);
        }
        ok(!is_rung(box) && mailbox_post_quietly(box, letter(0, 2)) && !is_rung(box), "drained");
    }
    ok(mailbox_post_quietly(box, letter(0, 3)) && is_rung(box), "a full box rings of itself");
    mailbox_free(&box);
}

struct sender {
    struct mailbox *box;
    int number;
    int n_posted;
};

static void *send_all(void *arg)
{
    struct sender *s = arg;

    for (int i = 0; i < N_MAILS; i++) {
        s->n_posted += mailbox_post(s->box, letter(s->number, i)) ? 1 : 0;
    }
    return NULL;
}

/* Returns how many letters were read; each sender's must come in order. */
static int receive(struct mailbox *box, int want, bool *out_in_order)
{
    int next_of[N_SENDERS] = { 0 }, n = 0;

    *out_in_order = true;
    while (n < want) {
        struct pollfd p = { .fd = mailbox_fd(box), .events = POLLIN };
        if (poll(&p, 1, 20000) != 1) {
            return n; /* a lost bell */
        }
        for (struct mail *m = mailbox_drain(box), *next = NULL; m != NULL; m = next) {
            struct letter *l = CONTAINER_OF(m, struct letter, mail);
            next = m->next;
            *out_in_order = *out_in_order && l->number == next_of[l->sender]++;
            mem_free(l);
            n++;
        }
    }
    return n;
}

static void test_race(size_t max)
{
    struct mailbox *box = mailbox_new(max);
    struct sender senders[N_SENDERS];
    pthread_t threads[N_SENDERS];
    bool is_in_order = false;

    for (int i = 0; i < N_SENDERS; i++) {
        senders[i] = (struct sender){ box, i, 0 };
        ok(thread_start(&threads[i], "sender", send_all, &senders[i], NULL) == 0, "sender %d", i);
    }
    is_int(receive(box, N_SENDERS * N_MAILS, &is_in_order), N_SENDERS * N_MAILS,
           "box of %zu: no letter is lost", max);
    ok(is_in_order, "box of %zu: each sender's letters come in order", max);
    for (int i = 0; i < N_SENDERS; i++) {
        thread_join(threads[i]);
    }
    ok(mailbox_drain(box) == NULL, "box of %zu: and none comes twice", max);
    mailbox_free(&box);
}

/* Senders that wait for room wake up and dispose their letters when the box closes. */
static void test_close(void)
{
    struct mailbox *box = mailbox_new(3);
    struct sender senders[N_SENDERS];
    pthread_t threads[N_SENDERS];
    int n_posted = 0;

    atomic_store(&n_disposed, 0);
    for (int i = 0; i < N_SENDERS; i++) {
        senders[i] = (struct sender){ box, i, 0 };
        ok(thread_start(&threads[i], "sender", send_all, &senders[i], NULL) == 0, "sender %d", i);
    }
    struct pollfd p = { .fd = mailbox_fd(box), .events = POLLIN };
    is_int(poll(&p, 1, 20000), 1, "something comes");
    mailbox_close(box);
    for (int i = 0; i < N_SENDERS; i++) {
        thread_join(threads[i]);
        n_posted += senders[i].n_posted;
    }
    ok(n_posted <= 3, "nothing was taken after the box was full");
    mailbox_free(&box);
    is_int(atomic_load(&n_disposed), N_SENDERS * N_MAILS, "every letter was disposed once");
}

int main(void)
{
    test_alone();
    test_quietly();
    test_race(1);
    test_race(16);
    test_race(0);
    test_close();
    return check_done();
}

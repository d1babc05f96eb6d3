#include "allocator/base/mailbox.h"

#include "allocator/base/mem.h"
#include "allocator/base/thread.h"

#include <assert.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct mailbox {
    struct mutex mu;
    pthread_cond_t has_room;
    struct mail *first GUARDED, **last GUARDED;
    size_t n GUARDED;
    bool is_closed GUARDED;
    bool is_rung GUARDED; /* not yet heard */
    size_t max;
    int bell; /* an eventfd */
};

struct mailbox *mailbox_new(size_t max)
{
    struct mailbox *box = mem_zalloc(sizeof(*box));

    mutex_init(&box->mu);
    pthread_cond_init(&box->has_room, NULL);
    box->max = max;
    box->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert(box->bell >= 0);
    mutex_lock(&box->mu); /* nobody else knows it yet; said for the checker */
    box->last = &box->first;
    mutex_unlock(&box->mu);
    return box;
}

static void dispose(struct mail *mail)
{
    if (mail->dispose != NULL) {
        mail->dispose(mail);
    }
}

static void ring_locked(struct mailbox *box) REQUIRES(box->mu);

static void ring_locked(struct mailbox *box)
{
    if (!box->is_rung) {
        box->is_rung = true;
        ssize_t n = write(box->bell, &(uint64_t){ 1 }, sizeof(uint64_t));
        (void)n; /* the counter cannot overflow: it is written once per drain */
    }
}

static void append_locked(struct mailbox *box, struct mail *mail) REQUIRES(box->mu);

static void append_locked(struct mailbox *box, struct mail *mail)
{
    mail->next = NULL;
    *box->last = mail;
    box->last = &mail->next;
    box->n++;
}

static bool post(struct mailbox *box, struct mail *mail, bool must_ring)
{
    mutex_lock(&box->mu);
    while (!box->is_closed && box->max > 0 && box->n >= box->max) {
        pthread_cond_wait(&box->has_room, &box->mu.m);
    }
    bool is_open = !box->is_closed;
    if (is_open) {
        append_locked(box, mail);
        if (must_ring || box->n == box->max) {
            ring_locked(box);
        }
    }
    mutex_unlock(&box->mu);
    if (!is_open) {
        dispose(mail);
    }
    return is_open;
}

bool mailbox_post(struct mailbox *box, struct mail *mail)
{
    return post(box, mail, true);
}

bool mailbox_post_quietly(struct mailbox *box, struct mail *mail)
{
    return post(box, mail, false);
}

void mailbox_ring(struct mailbox *box)
{
    mutex_lock(&box->mu);
    if (box->n > 0) {
        ring_locked(box);
    }
    mutex_unlock(&box->mu);
}

int mailbox_fd(const struct mailbox *box)
{
    return box->bell;
}

struct mail *mailbox_drain(struct mailbox *box)
{
    uint64_t count = 0;

    mutex_lock(&box->mu);
    if (box->is_rung) {
        box->is_rung = false;
        ssize_t n = read(box->bell, &count, sizeof(count));
        (void)n; /* it does not block */
    }
    struct mail *list = box->first;
    box->first = NULL;
    box->last = &box->first;
    box->n = 0;
    pthread_cond_broadcast(&box->has_room);
    mutex_unlock(&box->mu);
    return list;
}

void mailbox_close(struct mailbox *box)
{
    mutex_lock(&box->mu);
    box->is_closed = true;
    pthread_cond_broadcast(&box->has_room);
    mutex_unlock(&box->mu);
}

void mailbox_free(struct mailbox **box)
{
    if (*box == NULL) {
        return;
    }
    mailbox_close(*box);
    for (struct mail *mail = mailbox_drain(*box), *next = NULL; mail != NULL; mail = next) {
        next = mail->next;
        dispose(mail);
    }
    close((*box)->bell);
    pthread_cond_destroy(&(*box)->has_room);
    mutex_fini(&(*box)->mu);
    mem_free(*box);
    *box = NULL;
}

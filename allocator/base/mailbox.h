/* Many senders, one owner: a bounded queue of messages with an eventfd bell.
 * A message is a struct that starts with 'struct mail'; posting moves it (the sender's pointer is
 * dead). Threads: post and ring from any; everything else from the owner only. */
#ifndef OTEL_TA_BASE_MAILBOX_H
#define OTEL_TA_BASE_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>

struct mail {
    struct mail *next;
    int kind;                           /* the owner's enum */
    void (*dispose)(struct mail *mail); /* frees the message when nobody will read it */
};

struct mailbox;

/* 'max' messages at most; 0 = unbounded (only where the sender is bounded otherwise). */
struct mailbox *mailbox_new(size_t max);
/* Blocks while the box is full: TCP or the file system pushes back on the source. Returns false,
 * and disposes the mail, once the box is closed. */
bool mailbox_post(struct mailbox *box, struct mail *mail);
/* The same without the bell, unless the box is full then: several in a row wake the owner once. The
 * sender calls mailbox_ring() after the last. */
bool mailbox_post_quietly(struct mailbox *box, struct mail *mail);
void mailbox_ring(struct mailbox *box); /* if something waits */
/* Readable once the bell was rung. The owner polls it. */
int mailbox_fd(const struct mailbox *box);
/* All waiting messages, oldest first, as a list; NULL when none. Clears the bell. */
struct mail *mailbox_drain(struct mailbox *box);
/* After this, posts dispose their mail; waiting posters wake. */
void mailbox_close(struct mailbox *box);
void mailbox_free(struct mailbox **box); /* closes, disposes what waits; NULL-safe */

#endif

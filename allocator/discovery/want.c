#include "allocator/discovery/want.h"

#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/mem.h"

static void dispose_want(struct mail *mail)
{
    struct want *want = CONTAINER_OF(mail, struct want, mail);
    want_free(&want);
}

struct want *want_new(uint64_t id, const struct ask *ask)
{
    struct want *want = mem_zalloc(sizeof(*want));

    want->mail = (struct mail){ .kind = WATCHER_WANT_ADD, .dispose = dispose_want };
    want->id = id;
    arena_init(&want->arena);
    ask_copy(ask, &want->arena, &want->ask);
    return want;
}

void want_free(struct want **want)
{
    if (*want != NULL) {
        arena_fini(&(*want)->arena);
        mem_free(*want);
        *want = NULL;
    }
}

static void dispose_plain(struct mail *mail)
{
    mem_free(mail);
}

struct want_change *want_change_new(enum watcher_mail kind, uint64_t id)
{
    struct want_change *change = mem_zalloc(sizeof(*change));

    change->mail = (struct mail){ .kind = (int)kind, .dispose = dispose_plain };
    change->id = id;
    return change;
}

struct mail *want_signal_new(int kind)
{
    struct mail *mail = mem_zalloc(sizeof(*mail));

    *mail = (struct mail){ .kind = kind, .dispose = dispose_plain };
    return mail;
}

/* ---- arrivals */

static void dispose_arrival(struct mail *mail)
{
    struct arrival *arrival = CONTAINER_OF(mail, struct arrival, mail);
    arrival_free(&arrival);
}

struct arrival *arrival_new(uint64_t want, enum arrival_status status, const char *source)
{
    struct arrival *a = mem_zalloc(sizeof(*a));

    a->mail = (struct mail){ .kind = ENGINE_ARRIVAL, .dispose = dispose_arrival };
    a->want = want;
    a->status = status;
    a->seen_us = clock_mono_us();
    a->source = source == NULL ? NULL : mem_strdup(source);
    return a;
}

void arrival_post(struct arrival *arrival, struct mailbox *engine)
{
    if (engine == NULL) {
        arrival_free(&arrival);
    } else {
        mailbox_post_quietly(engine, &arrival->mail);
    }
}

void arrival_free(struct arrival **arrival)
{
    if (*arrival != NULL) {
        mem_free((*arrival)->source);
        mem_free((*arrival)->body);
        mem_free(*arrival);
        *arrival = NULL;
    }
}

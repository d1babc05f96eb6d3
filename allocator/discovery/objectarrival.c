#include "allocator/discovery/objectarrival.h"

#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/mem.h"
#include "allocator/discovery/want.h"

static void dispose(struct mail *mail)
{
    struct object_arrival *a = CONTAINER_OF(mail, struct object_arrival, mail);

    objectbatch_free(&a->batch);
    mem_free(a->problem);
    mem_free(a);
}

struct object_arrival *object_arrival_new(uint64_t want, struct objectbatch *batch,
                                          const struct reflector_report *report)
{
    struct object_arrival *a = mem_zalloc(sizeof(*a));

    a->mail = (struct mail){ .kind = ENGINE_OBJECTS, .dispose = dispose };
    a->want = want;
    a->seen_us = clock_mono_us();
    a->batch = batch == NULL ? NULL : objectbatch_ref(batch);
    a->state = report->state;
    a->problem = mem_strdup(report->problem);
    return a;
}

void object_arrival_post(struct object_arrival *arrival, struct mailbox *engine)
{
    if (engine == NULL) {
        arrival->mail.dispose(&arrival->mail);
    } else {
        mailbox_post_quietly(engine, &arrival->mail);
    }
}

#include "allocator/engine/state_fields.h"

void state_list_job(struct state *s, struct job *changed)
{
    struct job *j = handover_last(changed);

    if (!j->is_listed) {
        j->is_listed = true;
        *vec_push(&s->dirty) = j;
    }
}

static void free_directory(void *directory)
{
    directory_free(directory);
}

void state_retire_directory(struct state *s)
{
    publisher_retire(s->publisher, s->directory, mem_size(s->directory), free_directory);
    s->directory = NULL;
}

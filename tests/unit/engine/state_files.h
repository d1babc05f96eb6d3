/* The outside world of an allocator without threads (side.h): files by path, and a watcher that
 * answers with what they hold, in an order of chance. */
#ifndef OTEL_TA_TESTS_UNIT_ENGINE_STATE_FILES_H
#define OTEL_TA_TESTS_UNIT_ENGINE_STATE_FILES_H

#include "allocator/base/container.h"
#include "allocator/discovery/want.h"
#include "tests/unit/engine/side.h"
#include "tests/unit/engine/state_bodies.h"

#include <string.h>

/* ---- the outside world: files by path */

static char *files[N_FILES]; /* NULL: not there */

/* ---- the watcher's part: who wants which files */

static inline bool listens(const struct listener *l, int file)
{
    assert(l != NULL);
    return strchr(l->text, '0' + file) != NULL || strchr(l->text, '*') != NULL;
}

static inline void show_file(struct side *s, struct listener *l, int file)
{
    if (!listens(l, file)) {
        return;
    }
    if (files[file] != NULL) {
        tell(s, l->id, ARRIVAL_OK, file, files[file]);
        l->is_known[file] = true;
    } else if (l->is_known[file]) {
        tell(s, l->id, ARRIVAL_VANISHED, file, NULL);
        l->is_known[file] = false;
    }
}

/* Everything of a want, in an order of chance; that is how the watcher answers. */
static inline void answer(struct side *s, struct listener *l)
{
    int from = (int)chance(N_FILES);

    for (int i = 0; i < N_FILES; i++) {
        show_file(s, l, (from + i) % N_FILES);
    }
    tell(s, l->id, ARRIVAL_SETTLED, 0, NULL);
}

static inline struct listener *find_listener(struct side *s, uint64_t id)
{
    vec_each(&s->listeners, l) {
        if (l->id == id) {
            return l;
        }
    }
    return NULL;
}

static inline void answer_wants(struct side *s)
{
    for (struct mail *mail = mailbox_drain(s->wants), *next; mail != NULL; mail = next) {
        next = mail->next;
        uint64_t id = mail->kind == WATCHER_WANT_ADD
                          ? CONTAINER_OF(mail, struct want, mail)->id
                          : CONTAINER_OF(mail, struct want_change, mail)->id;
        struct listener *l = find_listener(s, id);
        if (mail->kind == WATCHER_WANT_ADD) {
            const struct want *w = CONTAINER_OF(mail, struct want, mail);
            struct span p = w->ask.file.patterns[0];
            l = vec_push(&s->listeners);
            *l = (struct listener){ .id = id, .text = mem_strndup(p.p, p.len) };
        } else if (mail->kind == WATCHER_WANT_CANCEL && l != NULL) {
            mem_free(l->text);
            *l = s->listeners.v[--s->listeners.n];
            l = NULL;
        }
        if (l != NULL) {
            answer(s, l);
        }
        mail->dispose(mail);
    }
}

static inline void clear_files(void)
{
    for (int i = 0; i < N_FILES; i++) {
        mem_free(files[i]);
        files[i] = NULL;
    }
}

#endif

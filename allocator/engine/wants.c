/* What becomes of a section that uses a want:
 *
 *            settled    learned    expired
 *   OPEN     (1)        OPEN       (2)
 *   FAILED   FAILED     (3)        LOST
 *   LOST     LOST       (3)        LOST
 *   SETTLED  SETTLED    SETTLED    SETTLED
 *
 * Who joins a want that has settled is SETTLED if he knows all once he was told what others know,
 * else OPEN as who joins another.
 *
 * Settled: every source was tried. Learned: one could be read, or is gone. Expired: patience has
 * ended. Its user knows all, when of no source of the want nothing is known to him:
 * (1) SETTLED if he does; LOST if the job before has all that it could know; else FAILED.
 * (2) SETTLED if he does (as long as it has ever settled, or its only source is known); else LOST.
 * (3) SETTLED if he does; else as it was.
 *
 * OPEN and FAILED are open for the job (handover.h), LOST is a section of it that expired. */
#include "allocator/engine/wants.h"

#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/engine/takeover.h"

void wants_init(struct wants *w, struct mailbox *watcher, struct joins *joins,
                const struct wants_hooks *hooks)
{
    *w = (struct wants){
        .watcher = watcher, .joins = joins, .hooks = *hooks, .deadline_ms = INT64_MAX
    };
    table_init(&w->by_key);
    table_init(&w->by_id);
}

static bool is_key(const struct table_node *node, const void *key)
{
    const struct want_entry *e = CONTAINER_OF(node, struct want_entry, by_key);
    return span_eq(e->key, *(const struct span *)key);
}

static bool is_id(const struct table_node *node, const void *key)
{
    const struct want_entry *e = CONTAINER_OF(node, struct want_entry, by_id);
    return e->id == *(const uint64_t *)key;
}

void wants_post(struct wants *w, struct mail *mail)
{
    if (w->watcher != NULL) {
        mailbox_post(w->watcher, mail);
    } else {
        mail->dispose(mail);
    }
}

static void wait_for(struct wants *w, struct want_entry *e, int64_t now_ms)
{
    e->expires_ms = now_ms + WANTS_TIMEOUT_MS;
    if (e->expires_ms < w->deadline_ms) {
        w->deadline_ms = e->expires_ms;
    }
}

static void open_entry(struct wants *w, struct want_entry *e, int64_t now_ms)
{
    w->n_untried += e->n_asked == 0;
    e->n_asked++;
    wait_for(w, e, now_ms);
}

static void note_joined(struct wants *w, struct want_entry *e)
{
    if (!e->has_new) {
        e->has_new = true;
        *vec_push(&w->joined) = e->id;
    }
}

static struct want_entry *new_entry(struct wants *w, struct span key,
                                    const struct sdconfig *section)
{
    struct want_entry *e = mem_zalloc(sizeof(*e));
    struct arena arena;
    struct ask ask;

    e->id = ++w->last_id;
    e->key = mem_dup_span(key);
    e->ops = provider_find(section);
    table_init(&e->failing);
    table_put(&w->by_key, &e->by_key, hash_fast(key));
    table_put(&w->by_id, &e->by_id, hash_mix(e->id));
    arena_init(&arena);
    provider_plan(section, &arena, &ask);
    e->source = mem_dup_span(ask_source(&ask));
    if (ask.carrier == CARRIER_JOIN) {
        joins_add(w->joins, e->id, section, &ask, &w->last_id);
    } else {
        wants_post(w, &want_new(e->id, &ask)->mail);
    }
    arena_fini(&arena);
    return e;
}

static void ask_again(struct wants *w, const struct want_entry *e)
{
    if (e->ops->carrier == CARRIER_JOIN) {
        joins_refresh(w->joins, e->id);
    } else {
        wants_post(w, &want_change_new(WATCHER_WANT_REFRESH, e->id)->mail);
    }
}

void wants_use(struct wants *w, struct job *job, uint32_t section, int64_t now_ms)
{
    const struct sdconfig *sd = &job->config->sds[section];
    AUTO_BUF bytes;

    buf_init(&bytes, LIMIT_DOCUMENT_BYTES);
    provider_key(sd, &bytes);
    struct span key = buf_span(&bytes);
    struct table_node *node = table_find(&w->by_key, hash_fast(key), is_key, &key);
    struct want_entry *e;
    if (node == NULL) {
        e = new_entry(w, key, sd);
        open_entry(w, e, now_ms);
    } else {
        e = CONTAINER_OF(node, struct want_entry, by_key);
        note_joined(w, e);
    }
    *vec_push(&e->users) = (struct want_user){ job, section, WANT_OPEN, node != NULL };
    handover_note(&job->handover, HANDOVER_ASKED);
}

static void advance(struct wants *w, struct want_user *user, enum want_stage stage)
{
    struct handover *h = &user->job->handover;

    if (user->stage < WANT_LOST && stage >= WANT_LOST) {
        handover_note(h, stage == WANT_LOST ? HANDOVER_EXPIRED : HANDOVER_ANSWERED);
    } else if (user->stage == WANT_LOST && stage == WANT_SETTLED) {
        handover_note(h, HANDOVER_LATE);
    }
    user->stage = stage;
    if (h->n_open == 0) {
        w->hooks.on_settled(w->hooks.arg, user->job);
    }
}

/* ---- what is known */

struct failing_source {
    struct table_node node;
    struct span name; /* owned */
    bool is_starved;  /* there was no room */
};

static bool is_failing(const struct table_node *node, const void *key)
{
    return span_eq(CONTAINER_OF(node, struct failing_source, node)->name,
                   *(const struct span *)key);
}

static void drop_failing(struct wants *w, struct want_entry *e, struct table_node *node)
{
    struct failing_source *s = CONTAINER_OF(node, struct failing_source, node);

    table_del(&e->failing, node);
    w->n_starved -= s->is_starved;
    mem_free_span(&s->name);
    mem_free(s);
}

static bool has_source(const struct want_user *user, struct span name)
{
    return job_find_source(user->job, user->section, name) != NULL;
}

/* Of some source nothing is known to him, not even that there is none. */
static bool is_unanswered(const struct want_entry *e, const struct want_user *user)
{
    if (e->is_blind) {
        return true;
    }
    for (const struct table_node *node = table_next(&e->failing, NULL); node != NULL;
         node = table_next(&e->failing, node)) {
        if (!has_source(user, CONTAINER_OF(node, struct failing_source, node)->name)) {
            return true;
        }
    }
    return !e->has_settled && (e->source.len == 0 || !has_source(user, e->source));
}

/* Whoever waits, or waits no more, for what has come by now. */
static void review(struct wants *w, const struct want_entry *e)
{
    vec_each(&e->users, user) {
        if ((user->stage == WANT_FAILED || user->stage == WANT_LOST) && !is_unanswered(e, user)) {
            advance(w, user, WANT_SETTLED);
        }
    }
}

static void settle_user(struct wants *w, const struct want_entry *e, struct want_user *user)
{
    if (!is_unanswered(e, user)) {
        advance(w, user, WANT_SETTLED);
    } else {
        bool has_all = user->job->handover.from != NULL && !takeover_has_moved(user->job);
        advance(w, user, has_all ? WANT_LOST : WANT_FAILED);
    }
}

static void serve_entry(struct wants *w, struct want_entry *e, int64_t now_ms)
{
    bool is_missing = false;

    e->has_new = false;
    bool is_told = w->hooks.on_join(w->hooks.arg, e);
    vec_each(&e->users, user) {
        if (!user->is_new) {
            continue;
        }
        user->is_new = false;
        if (is_told && e->has_settled && !is_unanswered(e, user)) {
            advance(w, user, WANT_SETTLED);
        } else {
            is_missing = true;
        }
    }
    if (is_missing && e->n_asked == 0) {
        ask_again(w, e);
        open_entry(w, e, now_ms);
    } else if (is_missing) {
        wait_for(w, e, now_ms);
    }
}

void wants_serve(struct wants *w, int64_t now_ms)
{
    vec_each(&w->joined, id) {
        struct want_entry *e = wants_find(w, *id);
        if (e != NULL) { /* was not released meanwhile */
            serve_entry(w, e, now_ms);
        }
    }
    vec_clear(&w->joined);
}

void wants_settle(struct wants *w, struct want_entry *e)
{
    e->has_settled = true;
    if (e->n_late > 0) {
        e->n_late--;
        review(w, e);
        return;
    }
    if (e->n_asked == 0 || --e->n_asked > 0) {
        return;
    }
    w->n_untried--;
    vec_each(&e->users, user) {
        if (user->stage == WANT_OPEN) {
            settle_user(w, e, user);
        }
    }
}

void wants_learn(struct wants *w, struct want_entry *e, struct span source)
{
    struct table_node *node = table_find(&e->failing, hash_fast(source), is_failing, &source);

    if (node != NULL) {
        drop_failing(w, e, node);
    }
    review(w, e);
}

static struct failing_source *need_failing(struct want_entry *e, struct span source)
{
    struct table_node *node = table_find(&e->failing, hash_fast(source), is_failing, &source);

    if (node != NULL) {
        return CONTAINER_OF(node, struct failing_source, node);
    }
    struct failing_source *s = mem_zalloc(sizeof(*s));
    s->name = mem_dup_span(source);
    table_put(&e->failing, &s->node, hash_fast(source));
    return s;
}

void wants_fail(struct want_entry *e, struct span source)
{
    (void)need_failing(e, source);
}

void wants_starve(struct wants *w, struct want_entry *e, struct span source)
{
    struct failing_source *s = need_failing(e, source);

    w->n_starved += !s->is_starved;
    s->is_starved = true;
}

static bool has_starved(const struct want_entry *e)
{
    for (const struct table_node *node = table_next(&e->failing, NULL); node != NULL;
         node = table_next(&e->failing, node)) {
        if (CONTAINER_OF(node, struct failing_source, node)->is_starved) {
            return true;
        }
    }
    return false;
}

void wants_feed_starved(struct wants *w)
{
    for (struct table_node *node = table_next(&w->by_id, NULL); w->n_starved > 0 && node != NULL;
         node = table_next(&w->by_id, node)) {
        const struct want_entry *e = CONTAINER_OF(node, struct want_entry, by_id);
        if (has_starved(e)) {
            ask_again(w, e);
        }
    }
}

void wants_set_blind(struct wants *w, struct want_entry *e, bool is_blind)
{
    e->is_blind = is_blind;
    review(w, e);
}

void wants_reject(struct wants *w, const struct want_entry *e)
{
    wants_post(w, &want_change_new(WATCHER_WANT_REDELIVER, e->id)->mail);
}

static void free_entry(struct wants *w, struct want_entry *e)
{
    w->n_untried -= e->n_asked > 0;
    table_del(&w->by_key, &e->by_key);
    table_del(&w->by_id, &e->by_id);
    mem_free_span(&e->key);
    mem_free_span(&e->source);
    struct table_node *node = table_next(&e->failing, NULL);
    while (node != NULL) {
        struct table_node *next = table_next(&e->failing, node);
        drop_failing(w, e, node);
        node = next;
    }
    table_fini(&e->failing);
    vec_fini(&e->users);
    mem_free(e);
}

static void release_entry(struct wants *w, struct want_entry *e, const struct job *job)
{
    size_t n = 0;

    for (size_t i = 0; i < e->users.n; i++) {
        if (e->users.v[i].job != job) {
            e->users.v[n++] = e->users.v[i];
        }
    }
    e->users.n = n;
    if (n > 0) {
        return;
    }
    if (e->ops->carrier == CARRIER_JOIN) {
        joins_cancel(w->joins, e->id);
    } else {
        wants_post(w, &want_change_new(WATCHER_WANT_CANCEL, e->id)->mail);
    }
    free_entry(w, e);
}

void wants_release(struct wants *w, const struct job *job)
{
    AUTO_BUF bytes;

    buf_init(&bytes, LIMIT_DOCUMENT_BYTES);
    for (size_t i = 0; i < job->config->n_sds; i++) {
        buf_clear(&bytes);
        provider_key(&job->config->sds[i], &bytes);
        struct span key = buf_span(&bytes);
        struct table_node *node = table_find(&w->by_key, hash_fast(key), is_key, &key);
        if (node != NULL) {
            release_entry(w, CONTAINER_OF(node, struct want_entry, by_key), job);
        }
    }
}

struct want_entry *wants_find(const struct wants *w, uint64_t id)
{
    struct table_node *node = table_find(&w->by_id, hash_mix(id), is_id, &id);
    return node == NULL ? NULL : CONTAINER_OF(node, struct want_entry, by_id);
}

static bool is_waiting(const struct want_entry *e)
{
    vec_each(&e->users, user) {
        if (user->stage < WANT_LOST) {
            return true;
        }
    }
    return false;
}

static void expire(struct wants *w, struct want_entry *e)
{
    w->n_untried -= e->n_asked > 0;
    e->n_late += e->n_asked;
    e->n_asked = 0;
    vec_each(&e->users, user) {
        if (user->stage < WANT_LOST) {
            w->hooks.on_timeout(w->hooks.arg, e, user);
            advance(w, user, is_unanswered(e, user) ? WANT_LOST : WANT_SETTLED);
        }
    }
}

size_t wants_expire(struct wants *w, int64_t now_ms)
{
    size_t n = 0;

    if (now_ms < w->deadline_ms) {
        return 0;
    }
    w->deadline_ms = INT64_MAX;
    for (struct table_node *node = table_next(&w->by_id, NULL); node != NULL;
         node = table_next(&w->by_id, node)) {
        struct want_entry *e = CONTAINER_OF(node, struct want_entry, by_id);
        if (!is_waiting(e)) {
            continue;
        }
        if (e->expires_ms <= now_ms) {
            expire(w, e);
            n++;
        } else if (e->expires_ms < w->deadline_ms) {
            w->deadline_ms = e->expires_ms;
        }
    }
    return n;
}

int64_t wants_deadline_ms(const struct wants *w)
{
    return w->deadline_ms;
}

void wants_fini(struct wants *w)
{
    struct table_node *node = table_next(&w->by_id, NULL);

    while (node != NULL) {
        struct table_node *next = table_next(&w->by_id, node);
        free_entry(w, CONTAINER_OF(node, struct want_entry, by_id));
        node = next;
    }
    table_fini(&w->by_key);
    table_fini(&w->by_id);
    vec_fini(&w->joined);
}

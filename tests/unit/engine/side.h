/* One allocator without threads, for tests: a state, the wants it has, and what it published. */
#ifndef OTEL_TA_TESTS_UNIT_ENGINE_SIDE_H
#define OTEL_TA_TESTS_UNIT_ENGINE_SIDE_H

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/vec.h"
#include "allocator/engine/explain.h"
#include "allocator/engine/state.h"
#include "tests/check.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define N_FILES 6

struct side {
    struct state *state;
    struct explain *explain; /* what arrives is shown to it; NULL: to the state alone */
    struct mailbox *wants;
    VEC(struct listener {
        uint64_t id;
        struct span pattern;
        char *text;
        bool is_known[N_FILES];
    })
    listeners;
    const struct snapshot *current;
};

static inline void side_init(struct side *s)
{
    *s = (struct side){ 0 };
    s->wants = mailbox_new(0);
    s->state = state_new(s->wants);
}

static inline void publish(struct side *s)
{
    role_enter(engine);
    const struct snapshot *next = state_publish(s->state);

    if (next != NULL) {
        if (s->current != NULL) {
            snapshot_put(s->current);
        }
        s->current = next;
    }
    state_reap(s->state);
    struct err err = { 0 };
    if (state_verify(s->state, &err) < 0) {
        ok(false, "the state is sound: %s", err.text);
    }
}

/* What was published last. */
static inline const struct snapshot *shown(const struct side *s)
{
    assert(s->current != NULL);
    return s->current;
}

static inline void side_fini(struct side *s)
{
    role_enter(engine);
    if (s->current != NULL) {
        snapshot_put(s->current);
    }
    explain_free(&s->explain);
    state_free(&s->state);
    mailbox_free(&s->wants);
    vec_each(&s->listeners, l) {
        mem_free(l->text);
    }
    vec_fini(&s->listeners);
}

static inline void tell(struct side *s, uint64_t id, enum arrival_status status, int file,
                        const char *body)
{
    role_enter(engine);
    AUTO_STR path = mem_printf("/f%d.json", file);
    struct arrival *a = arrival_new(id, status, status == ARRIVAL_SETTLED ? NULL : path);

    if (body != NULL) {
        a->body = mem_strdup(body);
        a->body_len = strlen(body);
    }
    if (s->explain != NULL) {
        explain_arrive(s->explain, &a);
    } else {
        state_arrive(s->state, a);
    }
    arrival_free(&a);
}

static inline void configure_text(struct side *s, const char *text, unsigned n_collectors)
{
    role_enter(engine);
    struct collectorlist collectors;
    char texts[256] = "";
    struct tenants_source source = { .kind = TENANTS_DROPIN,
                                     .text = (char *)(uintptr_t)text,
                                     .len = strlen(text) };
    struct tenants_options options = { .collectors = &collectors, .has_cluster = true };
    struct tenants tenants;
    struct faults faults;
    struct err err = { 0 };

    for (unsigned i = 0; i < n_collectors; i++) {
        snprintf(texts + strlen(texts), sizeof(texts) - strlen(texts), "%sc%u@vA%u",
                 i == 0 ? "" : ",", i, i);
    }
    collectorlist_init(&collectors);
    if (collectorlist_parse(&collectors, span_of(texts), &err) < 0) {
        ok(false, "%s", err.text);
    }
    faults_init(&faults);
    int rc = tenants_load(&source, 1, &options, &faults, &tenants);
    faults_first(&faults, &err);
    if (rc == 0) {
        rc = state_configure(s->state, &tenants, 0, &err);
    }
    if (rc < 0) {
        ok(false, "configuration accepted: %s\n%s", err.text, text);
        exit(check_done());
    }
    faults_fini(&faults);
    collectorlist_fini(&collectors);
}

static inline void add_page(const struct page *page, struct buf *out)
{
    for (size_t i = 0; page != NULL && i < page->n_runs; i++) {
        for (size_t k = 0; k < page->runs[i]->n; k++) {
            buf_add(out, page->runs[i]->v[k].iov_base, page->runs[i]->v[k].iov_len);
        }
    }
}

static inline size_t collectors_of(const struct snapshot *s, size_t job)
{
    size_t n = 0;

    directory_collectors(s->directory, directory_job_tenant(s->directory, job), &n);
    return n;
}

/* Without the seats: they depend on who was there before. */
static inline void job_text(const struct snapshot *s, size_t job, struct buf *out)
{
    const uint32_t *seats = directory_seats(s->directory, directory_job_tenant(s->directory, job));

    buf_clear(out);
    buf_addf(out, "job %zu of %zu targets", job, s->rows[job]->n_targets);
    for (size_t k = 0; k < collectors_of(s, job); k++) {
        buf_addf(out, "\n# collector %zu ", k);
        add_page(page_row_find(s->rows[job], seats[k]), out);
    }
}

static inline bool page_has(const struct side *s, size_t job, const char *text)
{
    const struct page_row *row = shown(s)->rows[job];
    AUTO_BUF page;

    buf_init(&page, MIB);
    for (size_t k = 0; row != NULL && k < row->n; k++) {
        add_page(row->pages[k], &page);
        buf_add_char(&page, '\n');
    }
    buf_add_char(&page, '\0');
    return strstr(page.p, text) != NULL;
}

typedef void text_fn(const struct snapshot *s, size_t job, struct buf *out);

static inline bool is_same_snapshot(const struct snapshot *a, const struct snapshot *b,
                                    text_fn *text)
{
    AUTO_BUF x;
    AUTO_BUF y;
    assert(a != NULL && b != NULL);
    bool is_same = a->n_jobs == b->n_jobs && a->is_synced == b->is_synced;

    buf_init(&x, MIB);
    buf_init(&y, MIB);
    for (size_t i = 0; is_same && i < a->n_jobs; i++) {
        text(a, i, &x);
        text(b, i, &y);
        is_same = span_eq(buf_span(&x), buf_span(&y));
        if (!is_same) {
            check_note("got %s\n# want %s", x.p, y.p);
        }
    }
    return is_same;
}

#endif

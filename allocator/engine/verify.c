/* What a build with CHECK=1 asserts after each publication, whatever it costs: every kept target
 * has one owner or is counted, and every page is what the targets and owners of now give when it is
 * rendered from nothing. Whether a target is rightly kept, and its owner the one that a strategy
 * picks from an empty state, is compared by the property tests (tests/unit/engine/state_test.c). */
#include "allocator/engine/state.h"

#include "allocator/base/container.h"
#include "allocator/base/mem.h"
#include "allocator/engine/state_fields.h"

#include <stdlib.h>

static int fail(struct err *err, const struct job *j, const char *what)
{
    return err_set(err, ERR_INVALID, "job %s: %s", j->label, what);
}

/* ---- the targets of a job, as the sources have them */

static bool is_before(const struct target *a, const struct target *b)
{
    if (a->source->section != b->source->section) {
        return a->source->section < b->source->section;
    }
    int c =
        a->source == b->source ? 0 : span_cmp(span_of(a->source->name), span_of(b->source->name));
    return c != 0 ? c < 0 : a->index < b->index;
}

/* Each of them is served or has a twin that is, and that comes before it. */
static int verify_source(const struct job *j, const struct source *s, size_t *n_heads,
                         struct err *err)
{
    for (uint32_t i = 0; i < s->n; i++) {
        const struct target *t = s->targets[i], *head = job_find_head(j, target_identity(t));
        if (head == NULL) {
            return fail(err, j, "a kept target has nobody who is served in its place");
        }
        if (head == t) {
            ++*n_heads;
            continue;
        }
        if (is_before(t, head)) {
            return fail(err, j, "of two targets of one identity the later one is served");
        }
        if (t->slot != FLEET_NONE) {
            return fail(err, j, "a target that is not served has an owner");
        }
    }
    return 0;
}

static int verify_sources(const struct job *j, struct err *err)
{
    size_t n_heads = 0;
    int rc = 0;

    for (const struct table_node *node = table_next(&j->sources, NULL); rc == 0 && node != NULL;
         node = table_next(&j->sources, node)) {
        rc = verify_source(j, CONTAINER_OF(node, struct source, node), &n_heads, err);
    }
    if (rc == 0 && n_heads != j->heads.n) {
        rc = fail(err, j, "a target is served that no source has");
    }
    return rc;
}

/* ---- pages */

static int compare_identities(const void *a, const void *b)
{
    uint64_t x = target_identity(*(const struct target *const *)a),
             y = target_identity(*(const struct target *const *)b);
    return (x > y) - (x < y);
}

/* The body that the collector in this seat has to get; the number of its targets. */
static size_t render_page(const struct job *j, uint32_t seat, struct buf *out)
{
    const struct target **v = (const struct target **)mem_array(j->heads.n + 1, sizeof(*v));
    size_t n = 0;

    for (const struct table_node *node = table_next(&j->heads, NULL); node != NULL;
         node = table_next(&j->heads, node)) {
        const struct target *t = CONTAINER_OF(node, struct target, node);
        if (fleet_owner(j->fleet, t->slot) == seat) {
            v[n++] = t;
        }
    }
    qsort((void *)v, n, sizeof(*v), compare_identities);
    buf_clear(out);
    buf_add_char(out, '[');
    for (size_t i = 0; i < n; i++) {
        buf_add_span(out, span_from(span_make(v[i]->own, v[i]->own_len), i == 0));
        buf_add(out, v[i]->tail->text, v[i]->tail->len);
    }
    buf_add_str(out, "]\n");
    mem_free((void *)v);
    return n;
}

static bool is_page(const struct page *page, struct span body)
{
    size_t n = page_n_pieces(page);
    struct iovec *v = mem_array(n, sizeof(*v));
    bool is_equal = page->bytes == body.len && page_copy(page, v) == n;

    for (size_t i = 0; i < n && is_equal; i++) {
        struct span piece = span_make(v[i].iov_base, v[i].iov_len);
        is_equal = piece.len <= body.len && span_eq(piece, span_make(body.p, piece.len));
        body = is_equal ? span_from(body, piece.len) : body;
    }
    mem_free(v);
    return is_equal && body.len == 0;
}

static int verify_page(const struct job *j, const struct page_row *row, uint32_t seat,
                       size_t *n_owned, struct err *err)
{
    const struct page *page = page_row_find(row, seat);
    AUTO_BUF body;

    buf_init(&body, SIZE_MAX / 2);
    size_t n = render_page(j, seat, &body);
    *n_owned += n;
    if (page == NULL) {
        return n == 0 ? 0 : fail(err, j, "targets have an owner without a page");
    }
    return page->n_targets == n && is_page(page, buf_span(&body))
               ? 0
               : fail(err, j, "a page is not what its targets come to");
}

static size_t count_unassigned(const struct job *j)
{
    size_t n = 0;

    for (const struct table_node *node = table_next(&j->heads, NULL); node != NULL;
         node = table_next(&j->heads, node)) {
        n += fleet_owner(j->fleet, CONTAINER_OF(node, struct target, node)->slot) == FLEET_NONE;
    }
    return n;
}

/* Every target is on one page, or has no owner. */
static int verify_row(const struct job *j, const struct page_row *row, struct err *err)
{
    size_t n_owned = 0, n_pages = 0;

    if (row == NULL || row->n_targets != j->heads.n) {
        return fail(err, j, "its row does not have the targets that it has");
    }
    for (size_t i = 0; i < fleet_collectors(j->fleet); i++) {
        uint32_t seat = fleet_seat(j->fleet, i);
        int rc = verify_page(j, row, seat, &n_owned, err);
        if (rc < 0) {
            return rc;
        }
        n_pages += page_row_find(row, seat) != NULL;
    }
    if (n_pages != row->n) {
        return fail(err, j, "there is a page of nobody");
    }
    return n_owned + count_unassigned(j) == j->heads.n
               ? 0
               : fail(err, j, "a kept target is neither owned nor unassigned");
}

/* ---- whole */

/* Those that wait have owners too, and are counted with the others. */
static int verify_tenancy(const struct tenancy *t, struct err *err)
{
    size_t n = 0;

    for (size_t i = 0; i < t->jobs.n; i++) {
        for (const struct job *j = t->jobs.v[i]; j != NULL; j = j->handover.from) {
            int rc = verify_sources(j, err);
            if (rc < 0) {
                return rc;
            }
            n += count_unassigned(j);
        }
    }
    return n == fleet_unassigned(t->fleet)
               ? 0
               : err_set(err, ERR_INVALID,
                         "collector %.*s: %zu targets have no owner, %zu are counted",
                         SPAN_ARG(t->name), n, fleet_unassigned(t->fleet));
}

int state_verify(const struct state *s, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < s->tenancies.n; i++) {
        rc = verify_tenancy(s->tenancies.v[i], err);
    }
    for (size_t i = 0; rc == 0 && s->is_synced && i < s->jobs.n; i++) {
        const struct job *j = handover_served(s->jobs.v[i]);
        if (j == NULL && s->rows[i] != NULL) {
            rc = fail(err, s->jobs.v[i], "it is shown, though nobody is served");
        } else if (j != NULL) {
            rc = verify_row(j, s->rows[i], err);
        }
    }
    return rc;
}

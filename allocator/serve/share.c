#include "allocator/serve/share.h"

#include "allocator/base/limits.h"
#include "allocator/base/metric.h"
#include "allocator/codec/urlform.h"
#include "allocator/serve/unknown.h"
#include "allocator/tenant/wire.h"

/* The word as url.QueryEscape writes it, whatever the client made of it; false when an escape is
 * broken. */
static bool normalize(struct request *r, struct span raw, struct span *out)
{
    if (!request_decode(r, raw, out)) {
        return false;
    }
    AUTO_BUF escaped;
    buf_init(&escaped, 3 * out->len + 1);
    urlform_escape(*out, &escaped);
    *out = arena_span(r->scratch, buf_span(&escaped));
    return true;
}

static void answer_empty(struct request *r)
{
    exchange_reply(r->x, 200, REQUEST_JSON, SPAN_LIT("[]\n"));
}

/* It has a fault, or has not been heard of. */
static void not_shown(struct request *r, size_t job)
{
    struct span fault = directory_job_fault(r->snapshot->directory, job);

    if (fault.len > 0) {
        unknown_fault(r, fault);
    } else {
        request_not_ready(r);
    }
}

static void answer_page(struct request *r, size_t job, size_t seat)
{
    const struct page_row *row = r->snapshot->rows[job];
    const struct page *page = row == NULL ? NULL : page_row_find(row, seat);

    if (row == NULL) {
        not_shown(r, job);
    } else if (page == NULL) {
        answer_empty(r);
    } else {
        request_reply_page(r, page);
    }
}

/* collector_id arrived as "$POD_NAME": only the source address can say who asks. */
static void answer_unexpanded(struct request *r, struct directory_question *q)
{
    size_t job = 0, seat = 0;

    metric_add(METRIC_LITERAL_COLLECTOR, 1);
    q->peer = exchange_peer(r->x);
    q->is_by_peer = true;
    if (!normalize(r, r->job, &q->escaped_job)) {
        exchange_fail(r->x, 400, "the job's name has a broken %% escape");
    } else if (directory_find(r->snapshot->directory, q, &job, &seat) == DIRECTORY_FOUND) {
        metric_add(METRIC_COLLECTOR_BY_ADDRESS, 1);
        answer_page(r, job, seat);
    } else {
        unknown_note(r, "collector_id is an unexpanded variable", q->collector);
        exchange_fail(r->x, 400,
                      "collector_id is an unexpanded variable, and the address it comes from names "
                      "no collector: write ${POD_NAME} (collectors since 0.104 leave $POD_NAME as "
                      "it is), and give the container POD_NAME from metadata.name");
    }
}

static void answer_one_collector(struct request *r, struct directory_question *q)
{
    const struct directory *d = r->snapshot->directory;
    size_t job = 0, seat = 0;
    enum directory_answer found = directory_find(d, q, &job, &seat);

    if (found == DIRECTORY_UNKNOWN_JOB && !normalize(r, r->job, &q->escaped_job)) {
        exchange_fail(r->x, 400, "the job's name has a broken %% escape");
        return;
    }
    if (found == DIRECTORY_UNKNOWN_JOB) {
        found = directory_find(d, q, &job, &seat);
    }
    if (found == DIRECTORY_AMBIGUOUS) {
        q->peer = exchange_peer(r->x);
        found = directory_find(d, q, &job, &seat);
    }
    switch (found) {
    case DIRECTORY_FOUND:
        answer_page(r, job, seat);
        return;
    case DIRECTORY_AMBIGUOUS:
        request_ambiguous(r);
        return;
    case DIRECTORY_UNKNOWN_JOB:
        unknown_job(r, q, SPAN_LIT("[]\n"));
        return;
    case DIRECTORY_UNKNOWN_TENANT:
    case DIRECTORY_UNKNOWN_COLLECTOR:
        unknown_collector(r, q);
        return;
    }
}

/* One member of the object: "c":{"_link":"…","targets":[…]}. Adds to 'v', returns how many pieces.
 */
static size_t add_member(struct request *r, const struct directory_question *q,
                         struct span collector, const struct page *page, bool is_first,
                         struct iovec *v)
{
    struct buf text;
    size_t n = 0;

    buf_init(&text, MIB);
    buf_add_str(&text, is_first ? "{" : ",");
    buf_add_json(&text, collector);
    buf_add_str(&text, ":{\"_link\":\"");
    if (r->has_prefix) { /* raw segments of a tenant that was found: their escapes are sound, their
                            bytes printable */
        buf_addf(&text, "/n/%.*s/%.*s", SPAN_ARG(r->ns), SPAN_ARG(r->cr));
    }
    buf_addf(&text, "/jobs/%.*s/targets?collector_id=", SPAN_ARG(q->escaped_job));
    urlform_escape(collector, &text);
    if (q->receiver.len > 0) {
        buf_add_str(&text, "&receiver=");
        urlform_escape(q->receiver, &text);
    }
    buf_add_str(&text, "\",\"targets\":");
    struct span head = arena_span(exchange_arena(r->x), buf_span(&text));
    buf_fini(&text);

    v[n++] = page_piece(head);
    if (page == NULL) {
        v[n++] = page_piece(SPAN_LIT("[]"));
    } else {
        n += page_copy(page, v + n);
        v[n - 1].iov_len--; /* the newline at the end of a page */
    }
    v[n++] = page_piece(SPAN_LIT("}"));
    return n;
}

/* What the Go allocator says of a job that it does not know. */
static void add_upstream_empty(struct request *r, const struct directory_question *q,
                               struct buf *out)
{
    const struct directory *d = r->snapshot->directory;
    size_t n = 0;
    const struct span *collectors =
        directory_n_tenants(d) == 1 ? directory_collectors(d, 0, &n) : NULL;
    struct iovec v[3];

    for (size_t c = 0; c < n; c++) {
        size_t n_pieces = add_member(r, q, collectors[c], NULL, c == 0, v);
        for (size_t i = 0; i < n_pieces; i++) {
            buf_add(out, v[i].iov_base, v[i].iov_len);
        }
    }
    buf_add_str(out, n == 0 ? "{}\n" : "}\n");
}

static void answer_by_collector(struct request *r, const struct directory_question *q,
                                size_t tenant, const struct page_row *row)
{
    size_t n_collectors = 0, n_pieces = 2, n = 0, bytes = 0;
    const struct span *collectors =
        directory_collectors(r->snapshot->directory, tenant, &n_collectors);
    const uint32_t *seats = directory_seats(r->snapshot->directory, tenant);

    for (size_t c = 0; c < n_collectors; c++) {
        const struct page *page = page_row_find(row, seats[c]);
        n_pieces += 2 + (page == NULL ? 1 : page_n_pieces(page));
    }
    struct iovec *v = arena_alloc(exchange_arena(r->x), n_pieces * sizeof(*v));

    for (size_t c = 0; c < n_collectors; c++) {
        const struct page *page = page_row_find(row, seats[c]);
        n += add_member(r, q, collectors[c], page, c == 0, v + n);
    }
    struct span end = n == 0 ? SPAN_LIT("{}\n") : SPAN_LIT("}\n");
    v[n++] = page_piece(end);
    for (size_t i = 0; i < n; i++) {
        bytes += v[i].iov_len;
    }
    request_reply_pieces(r, v, n, bytes);
}

static void answer_all_collectors(struct request *r, struct directory_question *q)
{
    const struct directory *d = r->snapshot->directory;
    size_t job = 0;

    if (!normalize(r, r->job, &q->escaped_job)) {
        exchange_fail(r->x, 400, "the job's name has a broken %% escape");
        return;
    }
    enum directory_answer found = directory_find_job(d, q, &job);

    if (found == DIRECTORY_FOUND && r->snapshot->rows[job] == NULL) {
        not_shown(r, job);
        return;
    }
    if (found == DIRECTORY_FOUND) {
        answer_by_collector(r, q, directory_job_tenant(d, job), r->snapshot->rows[job]);
        return;
    }
    if (found == DIRECTORY_AMBIGUOUS) {
        request_ambiguous(r);
        return;
    }
    AUTO_BUF empty;
    buf_init(&empty, LIMIT_PAGE_BYTES);
    add_upstream_empty(r, q, &empty);
    unknown_job(r, q, buf_span(&empty));
}

void share_answer(struct request *r)
{
    struct span query = exchange_query(r->x);
    struct span collector = { 0 }, receiver = { 0 };
    bool has_collector = urlform_query(query, "collector_id", &collector);

    (void)urlform_query(query, "receiver", &receiver);
    if (!request_decode(r, collector, &collector) || !request_decode(r, receiver, &receiver)) {
        exchange_fail(r->x, 400, "the query has a broken %% escape");
        return;
    }
    if (span_is(receiver, WIRE_DEFAULT_RECEIVER)) {
        receiver = (struct span){ 0 };
    }
    struct directory_question q = {
        .tenant = r->tenant,
        .host = exchange_host(r->x),
        .escaped_job = r->job,
        .receiver = receiver,
        .collector = collector,
    };
    if (has_collector && wire_is_unexpanded(collector)) {
        answer_unexpanded(r, &q);
    } else if (has_collector) {
        answer_one_collector(r, &q);
    } else {
        answer_all_collectors(r, &q);
    }
}

#include "allocator/serve/request.h"

#include "allocator/base/mem.h"
#include "allocator/codec/urlform.h"

void pin_drop(void *arg)
{
    struct pin *pin = arg;

    if (--pin->n == 0) {
        snapshot_put(pin->snapshot);
        mem_free(pin);
    }
}

bool request_decode(struct request *r, struct span raw, struct span *out)
{
    return urlform_unescape(raw, r->scratch, out, NULL) == 0;
}

static void reply_pinned(struct request *r, struct exchange_pieces pieces)
{
    r->pin->n++;
    pieces.release = pin_drop;
    pieces.arg = r->pin;
    pieces.generation = r->pin->snapshot->sequence;
    exchange_reply_pinned(r->x, 200, REQUEST_JSON, &pieces);
}

void request_reply_pieces(struct request *r, const struct iovec *v, size_t n, size_t bytes)
{
    reply_pinned(r, (struct exchange_pieces){ .v = v, .n = n, .bytes = bytes });
}

void request_reply_page(struct request *r, const struct page *page)
{
    reply_pinned(r, (struct exchange_pieces){
                        .bytes = page->bytes, .runs = page->runs, .n_runs = page->n_runs });
}

void request_not_ready(struct request *r)
{
    exchange_add_header(r->x, "Retry-After", SPAN_LIT("5"));
    exchange_fail(r->x, 503, "discovery has not had its first result yet");
}

void request_ambiguous(struct request *r)
{
    exchange_fail(r->x, 421,
                  "several Collectors could be meant: ask "
                  "http://<collector>-targetallocator.<namespace>.svc, or below "
                  "/n/<namespace>/<collector>");
}

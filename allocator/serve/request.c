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

void request_reply_pieces(struct request *r, const struct iovec *v, size_t n, size_t bytes)
{
    struct pin *pin = r->pin;
    const struct exchange_pieces pieces = { v, n, bytes, pin_drop, pin, pin->snapshot->sequence };

    pin->n++;
    exchange_reply_pinned(r->x, 200, REQUEST_JSON, &pieces);
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

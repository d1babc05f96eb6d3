/* What an API server sends, to a reflector: whatever it is, events keep their contract, and are the
 * same however the bytes were split. Answers are separated by lines "%%"; the first byte of each
 * says how it comes: 'g' 'b' 'd' 'n' as 410, 429, 503, 404, 'c' cut, 'r' not at all, others 200. */
#include "allocator/kube/reflector.h"

#include "allocator/base/limits.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

struct run {
    struct reflector *r;
    int64_t now;
    size_t split; /* 0: all at once */
    bool is_listing, is_synced;
    struct buf log;
};

static void take(struct run *x)
{
    struct objectbatch *b = reflector_take(x->r);

    for (size_t i = 0; b != NULL && i < objectbatch_count(b); i++) {
        const struct objectevent e = objectbatch_at(b, i);
        bool is_object = e.kind == OBJECT_SET || e.kind == OBJECT_GONE;
        require(is_object == (e.key.len > 0));
        require((e.object.len > 0) == (e.kind == OBJECT_SET));
        require(e.object.len == 0 || e.object.p[0] == '{');
        require((e.kind == OBJECTS_BEGIN) <= !x->is_listing);
        require((e.kind == OBJECTS_COMMIT || e.kind == OBJECTS_DROP) <= x->is_listing);
        require(x->is_listing || x->is_synced || e.kind == OBJECTS_BEGIN);
        x->is_listing = is_object ? x->is_listing : e.kind == OBJECTS_BEGIN;
        x->is_synced |= e.kind == OBJECTS_COMMIT;
        buf_addf(&x->log, "%d ", e.kind);
        buf_add_span(&x->log, e.key);
        buf_add_span(&x->log, e.version);
        buf_add_span(&x->log, e.object);
    }
    objectbatch_free(&b);
}

static void answer(struct run *x, char how, struct span body)
{
    static const struct {
        char how;
        int status;
    } statuses[] = { { 'g', 410 }, { 'b', 429 }, { 'd', 503 }, { 'n', 404 } };
    struct reflector_request request;
    enum transfer_end end = how == 'c' ? TRANSFER_CUT : TRANSFER_COMPLETE;
    int status = 200;

    x->now = reflector_deadline_ms(x->r) > x->now ? reflector_deadline_ms(x->r) : x->now;
    require(reflector_next(x->r, x->now, &request) && request.target.len > 0);
    x->now += 2000;
    if (how == 'r') {
        reflector_end(x->r, TRANSFER_REFUSED, "no", x->now);
        return;
    }
    for (size_t i = 0; i < COUNT(statuses); i++) {
        status = statuses[i].how == how ? statuses[i].status : status;
    }
    reflector_head(x->r, status, 0);
    while (body.len > 0 && end != TRANSFER_STOPPED) {
        size_t n = x->split == 0 || body.len < x->split ? body.len : x->split;
        if (!reflector_piece(x->r, span_make(body.p, n))) {
            end = TRANSFER_STOPPED;
        }
        body = span_from(body, n);
        if (x->split != 0) {
            take(x);
        }
    }
    reflector_end(x->r, end, NULL, x->now);
    take(x);
}

static void run(struct run *x, struct span text, size_t split)
{
    const struct reflector_want want = { .version = SPAN_LIT("v1"),
                                         .resource = SPAN_LIT("pods"),
                                         .kind = SPAN_LIT("Pod") };
    const struct reflector_options options = { 1000, 100000, 2, 1 };

    *x = (struct run){ .r = reflector_new(&want, &options), .split = split, .now = 1 };
    buf_init(&x->log, 64 * MIB);
    while (text.len > 0) {
        const char *end = memmem(text.p, text.len, "\n%%\n", 4);
        size_t len = end == NULL ? text.len : (size_t)(end - text.p) + 1;
        answer(x, text.p[0], span_make(text.p + 1, len - 1));
        text = span_from(text, end == NULL ? len : len + 3);
    }
    reflector_free(&x->r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span text = { (const char *)data, size };
    struct run whole, split;

    if (size == 0) {
        return 0;
    }
    run(&whole, text, 0);
    run(&split, text, 1 + data[size - 1] % 7);
    require(span_eq(buf_span(&whole.log), buf_span(&split.log)));
    buf_fini(&whole.log);
    buf_fini(&split.log);
    return 0;
}

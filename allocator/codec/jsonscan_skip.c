/* Skipping a value without looking at its tokens: 64 bytes at a time, one bit a byte. */
#include "allocator/codec/jsonscan.h"

#include "allocator/codec/jsonblock.h"
#include "allocator/codec/jsonscan_state.h"

struct skipping {
    unsigned until; /* the depth to come back to */
    struct jsonblock_seam seam;
};

/* Follows the brackets of one block at s->p; moves s->p past the one that ends the skipping. */
static enum json_event follow(struct jsonscan *s, unsigned until, const char *block,
                              uint64_t brackets)
{
    while (brackets != 0) {
        unsigned i = (unsigned)__builtin_ctzll(brackets);
        char c = block[i];
        brackets &= brackets - 1;
        if (c == '{' || c == '[') {
            if (!push(s, c == '{')) {
                return jsonscan_fault(s, offset_of(s, s->p + i), "nested too deeply");
            }
            continue;
        }
        bool is_object = is_in_object(s);
        if (c != (is_object ? '}' : ']')) {
            return jsonscan_fault(s, offset_of(s, s->p + i), "brackets do not match");
        }
        if (--s->depth == until) {
            s->p += i + 1;
            after_value(s);
            return is_object ? JSON_END_OBJECT : JSON_END_ARRAY;
        }
    }
    return GO_ON;
}

static ALWAYS_INLINE enum json_event skip_block(struct jsonscan *s, struct skipping *k,
                                                const char *block, unsigned n)
{
    uint64_t brackets = jsonblock_brackets(block, n, &k->seam);

    return brackets == 0 ? GO_ON : follow(s, k->until, block, brackets);
}

static enum json_event skip_brackets(struct jsonscan *s)
{
    struct skipping k = { .until = s->depth - 1 };

    while (s->p < s->end) {
        size_t left = (size_t)(s->end - s->p);
        enum json_event e;
        if (left >= 64) {
            left = 64;
            e = skip_block(s, &k, s->p, 64);
        } else {
            char tail[64];
            memset(tail, ' ', sizeof(tail));
            memcpy(tail, s->p, left);
            e = skip_block(s, &k, tail, (unsigned)left);
        }
        if (e != GO_ON) {
            return e;
        }
        s->p += left;
    }
    return jsonscan_fault(s, offset_of(s, s->p),
                          k.seam.in_string ? JSONSCAN_CUT_STRING : "the text ends too early");
}

enum json_event jsonscan_skip(struct jsonscan *s, struct span *out_value)
{
    struct json_token t = { .begin = 0 };
    bool is_behind = s->state == WANT_KEY_OR_END || s->state == WANT_VALUE_OR_END; /* a bracket */
    enum json_event e = is_behind ? GO_ON : jsonscan_next(s, &t);

    if (is_behind || e == JSON_BEGIN_OBJECT || e == JSON_BEGIN_ARRAY) {
        t.begin = offset_of(s, s->p - 1);
        e = skip_brackets(s);
        t.end = offset_of(s, s->p);
    }
    if (out_value != NULL && e > JSON_FAULT) {
        *out_value = span_make(s->text + t.begin, (size_t)(t.end - t.begin));
    }
    return e;
}

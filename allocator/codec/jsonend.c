#include "allocator/codec/jsonend.h"

#include "allocator/codec/jsonblock.h"

#include <string.h>

void jsonend_init(struct jsonend *e)
{
    *e = (struct jsonend){ 0 };
}

/* The number of bytes up to the bracket that ends the value; 0 when none of these does. */
static unsigned follow(struct jsonend *e, const char *block, uint64_t brackets)
{
    while (brackets != 0) {
        unsigned i = (unsigned)__builtin_ctzll(brackets);

        brackets &= brackets - 1;
        if (block[i] == '{' || block[i] == '[') {
            e->depth++;
            e->is_too_deep |= e->depth > LIMIT_SKIP_DEPTH;
        } else if (--e->depth == 0) {
            e->is_found = true;
            return i + 1;
        }
    }
    return 0;
}

static JSONBLOCK_INLINE unsigned look(struct jsonend *e, const char *block, unsigned n)
{
    struct jsonblock_seam seam = { e->in_string, e->in_escape };
    uint64_t brackets = jsonblock_brackets(block, n, &seam);

    e->in_string = seam.in_string;
    e->in_escape = seam.in_escape;
    return brackets == 0 ? 0 : follow(e, block, brackets);
}

size_t jsonend_feed(struct jsonend *e, struct span piece)
{
    size_t at = 0;

    while (at < piece.len && !e->is_found && !e->is_too_deep) {
        unsigned n = piece.len - at < 64 ? (unsigned)(piece.len - at) : 64, end;
        if (n == 64) {
            end = look(e, piece.p + at, 64);
        } else {
            char tail[64];
            memset(tail, ' ', sizeof(tail));
            memcpy(tail, piece.p + at, n);
            end = look(e, tail, n);
        }
        at += end > 0 ? end : n;
    }
    return at;
}

#include "allocator/codec/keyset.h"

#include "allocator/base/hash.h"
#include "allocator/base/mem.h"

void keyset_init(struct keyset *set, size_t max)
{
    size_t n = 8;

    while (n < 2 * max) {
        n *= 2;
    }
    set->slots = mem_array(n, sizeof(*set->slots));
    set->mask = n - 1;
}

bool keyset_add(struct keyset *set, struct span key)
{
    size_t i = (size_t)hash_fast(key) & set->mask;

    while (set->slots[i].p != NULL) {
        if (span_eq(set->slots[i], key)) {
            return false;
        }
        i = (i + 1) & set->mask;
    }
    set->slots[i] = key.p == NULL ? SPAN_LIT("") : key;
    return true;
}

void keyset_fini(struct keyset *set)
{
    mem_free(set->slots);
    set->slots = NULL;
}

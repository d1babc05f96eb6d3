#include "allocator/prom/regex_words.h"

#include "allocator/base/hash.h"

/* The slot of the text, or the free one where it belongs. */
static uint16_t *slot_of(const struct regex_words *w, struct span text)
{
    size_t s = hash_fast(text) & (w->n_slots - 1);

    while (w->slots[s] != 0 && !span_eq(w->v[w->slots[s] - 1], text)) {
        s = (s + 1) & (w->n_slots - 1);
    }
    return &w->slots[s];
}

static bool note_length(struct regex_words *w, size_t len)
{
    for (size_t i = 0; i < w->n_lengths; i++) {
        if (w->lengths[i] == len) {
            return true;
        }
    }
    if (w->n_lengths == WORDS_LENGTHS_MAX) {
        return false;
    }
    w->lengths[w->n_lengths++] = (uint16_t)len;
    return true;
}

static bool collect_lengths(struct regex_words *w, struct arena *arena)
{
    w->lengths = arena_alloc(arena, WORDS_LENGTHS_MAX * sizeof(*w->lengths));
    for (size_t i = 0; i < w->n; i++) {
        if (!note_length(w, w->v[i].len)) {
            return false;
        }
    }
    return true;
}

struct regex_words *regex_words_new(const struct span *v, size_t n, struct arena *arena)
{
    struct regex_words *w = arena_zalloc(arena, sizeof(*w));
    struct span *kept = arena_alloc(arena, n * sizeof(*kept));

    memcpy(kept, v, n * sizeof(*kept));
    w->v = kept;
    w->n = n;
    w->rest_len = SIZE_MAX;
    if (n < WORDS_HASHED || n >= UINT16_MAX || !collect_lengths(w, arena)) {
        return w;
    }
    w->n_slots = 2 * WORDS_HASHED;
    while (w->n_slots < 2 * n) {
        w->n_slots *= 2;
    }
    w->slots = arena_zalloc(arena, w->n_slots * sizeof(*w->slots));
    for (size_t i = 0; i < n; i++) {
        uint16_t *slot = slot_of(w, v[i]);
        *slot = *slot == 0 ? (uint16_t)(i + 1) : *slot;
    }
    return w;
}

size_t regex_words_find(const struct regex_words *w, struct span text)
{
    uint16_t found = *slot_of(w, text);

    return found == 0 ? WORDS_NONE : (size_t)found - 1;
}

size_t regex_words_prefixes(const struct regex_words *w, struct span text, uint16_t *out)
{
    size_t n = 0;

    for (size_t i = 0; i < w->n_lengths; i++) {
        if (w->lengths[i] > text.len) {
            continue;
        }
        size_t found = regex_words_find(w, span_make(text.p, w->lengths[i]));
        if (found == WORDS_NONE) {
            continue;
        }
        size_t at = n++;
        for (; at > 0 && out[at - 1] > found; at--) {
            out[at] = out[at - 1];
        }
        out[at] = (uint16_t)found;
    }
    return n;
}

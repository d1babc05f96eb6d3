#include "webhook/rewrite/afresh.h"

#include "allocator/tenant/collector.h"

static bool is_equal(const struct node *a, const struct node *b)
{
    return a == NULL || b == NULL ? a == b : node_equal(a, b);
}

/* What the annotation keeps, without the records that lead back. */
static const struct node *originals_of(const struct collector *c, struct arena *arena)
{
    struct node *annotation = NULL;
    struct span json;

    return collector_annotation(c, arena, &annotation, &json, NULL) == 0
               ? node_get(annotation, "receivers")
               : NULL;
}

static bool is_same_collector(const struct node *one, const struct node *other, struct arena *arena)
{
    struct collector x, y;

    collector_read(one, &x);
    collector_read(other, &y);
    return collector_parse_text(&x, arena, NULL) == 0 &&
           collector_parse_text(&y, arena, NULL) == 0 && is_equal(x.config, y.config) &&
           is_equal(originals_of(&x, arena), originals_of(&y, arena));
}

static bool is_same(const struct node *one, const struct node *other, struct arena *arena)
{
    const struct node *a, *b;

    if (collector_items(one) == NULL) { /* in a review it need not say what it is */
        return is_same_collector(one, other, arena);
    }
    for (size_t at = 0, b_at = 0; (a = collector_next(one, &at)) != NULL;) {
        b = collector_next(other, &b_at);
        if (b == NULL || !is_same_collector(a, b, arena)) {
            return false;
        }
    }
    return true;
}

bool afresh_make(const struct afresh *a, struct arena *arena)
{
    const struct node *original = a->restore(a->arg);
    const struct node *result = original == NULL ? NULL : a->rewrite(a->arg, original);

    return result != NULL && (a->on_top == NULL || is_same(a->on_top, result, arena));
}

#include "webhook/rewrite/block.h"

#include "allocator/base/limits.h"
#include "allocator/codec/nodeedit.h"
#include "allocator/tenant/originals.h"
#include "webhook/rewrite/plan.h"

static const char *const own_members[] = { "collector_id", "endpoint", "interval" };

static struct span endpoint_of(const struct collector *c, const struct rewrite_options *o,
                               struct arena *arena)
{
    const struct wire_cr cr = { c->ns, c->name };
    AUTO_BUF url = { 0 };

    /* The endpoint is the part of a job's URL in front of "/jobs/". */
    buf_init(&url, LIMIT_DOCUMENT_BYTES);
    wire_job_url(cr, SPAN_LIT(WIRE_DEFAULT_RECEIVER), SPAN_LIT("x"),
                 &(struct wire_form){ o->style, SPAN_LIT(""), o->shared_host }, &url);
    struct span text = buf_span(&url);
    text.len -= sizeof("/jobs/x/targets?collector_id=") - 1;
    return arena_span(arena, text);
}

/* The user's values of our members: null when there is no block, a map of those that it has
 * otherwise. */
static const struct node *users_members(const struct node *present, struct arena *arena)
{
    if (present == NULL || present->type != NODE_MAP) {
        struct node *null = arena_zalloc(arena, sizeof(*null));
        null->type = NODE_NULL;
        return null;
    }
    const struct node *members = nodeedit_map(arena, NULL, 0);
    for (size_t i = 0; i < COUNT(own_members); i++) {
        const struct node *value = node_get(present, own_members[i]);
        if (value != NULL) {
            members = nodeedit_member(arena, members, span_of(own_members[i]), value);
        }
    }
    return members;
}

static const struct node *with_own(const struct block_input *in, struct arena *arena)
{
    const struct span values[COUNT(own_members)] = {
        in->options->collector_id_expr,
        endpoint_of(in->collector, in->options, arena),
        in->collector->reload_interval,
    };
    const struct node *value =
        in->present != NULL && in->present->type == NODE_MAP ? in->present : NULL;

    for (size_t i = 0; i < COUNT(own_members); i++) {
        value =
            nodeedit_member(arena, value, span_of(own_members[i]), nodeedit_text(arena, values[i]));
    }
    return value;
}

static const struct node *without_own(const struct block_input *in, struct arena *arena)
{
    const struct node *value = in->present;

    for (size_t i = 0; i < COUNT(own_members); i++) {
        struct span name = span_of(own_members[i]);
        value = nodeedit_member(arena, value, name, node_get_span(in->stored, name));
    }
    return value->n == 0 && node_is_null(in->stored) ? NULL : value;
}

void block_plan(const struct block_input *in, struct arena *arena, struct block_plan *out)
{
    bool is_kept = in->stored != NULL && originals_is_our_block(in->present, arena);

    *out = (struct block_plan){ .value = in->present };
    if (in->is_wanted) {
        out->stored = is_kept ? in->stored : users_members(in->present, arena);
        out->value = with_own(in, arena);
        out->is_changed = in->present == NULL || !node_equal(out->value, in->present);
    } else if (is_kept) {
        out->value = without_own(in, arena);
        out->is_changed = out->value == NULL || !node_equal(out->value, in->present);
    }
}

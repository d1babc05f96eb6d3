#include "allocator/kube/leasetext.h"

#include "allocator/base/limits.h"
#include "allocator/codec/nodeedit.h"
#include "allocator/codec/timestamp.h"

#include <assert.h>

enum { LONGEST_DURATION_S = 1000000 };

static struct span text_at(const struct node *map, const char *key)
{
    struct span text = { "", 0 };

    return node_as_text(node_get(map, key), &text) ? text : (struct span){ "", 0 };
}

static uint64_t number_at(const struct node *map, const char *key, uint64_t most)
{
    uint64_t n = 0;

    if (!node_as_uint(node_get(map, key), &n)) {
        return 0;
    }
    return n < most ? n : most;
}

int leasetext_read(struct span text, struct arena *arena, struct lease_record *out, struct err *err)
{
    struct node *root = NULL;

    int rc = node_from_json(text, 0, arena, &root, err);
    if (rc < 0) {
        return rc;
    }
    const struct node *spec = node_get(root, "spec");
    const struct span version = text_at(node_get(root, "metadata"), "resourceVersion");
    if (!span_is(text_at(root, "kind"), "Lease") || version.len == 0) {
        return err_set(err, ERR_INVALID, "not a Lease with a resourceVersion");
    }
    *out = (struct lease_record){
        .version = version,
        .holder = text_at(spec, "holderIdentity"),
        .duration_ms = 1000 * (int64_t)number_at(spec, "leaseDurationSeconds", LONGEST_DURATION_S),
        .transitions = (uint32_t)number_at(spec, "leaseTransitions", INT32_MAX),
    };
    return 0;
}

static void write_spec(const struct lease_request *request, struct span identity, int64_t wall_ms,
                       struct buf *out)
{
    const uint32_t transitions =
        request->transitions < INT32_MAX ? request->transitions : INT32_MAX;

    buf_add_str(out, "{\"holderIdentity\":");
    buf_add_json(out, request->is_release ? SPAN_LIT("") : identity);
    buf_addf(out, ",\"leaseDurationSeconds\":%d,\"leaseTransitions\":%u,\"renewTime\":\"",
             request->is_release ? 1 : LEASE_DURATION_MS / 1000, transitions);
    timestamp_write_micro(wall_ms, out);
    if (request->is_new_holder) {
        buf_add_str(out, "\",\"acquireTime\":\"");
        timestamp_write_micro(wall_ms, out);
    }
    buf_add_str(out, "\"}");
}

static void write_new(struct span spec, const struct leasetext_place *place, struct buf *out)
{
    buf_add_str(out, "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{"
                     "\"name\":");
    buf_add_json(out, place->name);
    buf_add_str(out, ",\"namespace\":");
    buf_add_json(out, place->namespace);
    buf_add_str(out, "},\"spec\":");
    buf_add_span(out, spec);
    buf_add_char(out, '}');
}

/* 'last' with the members of 'spec', if it still has 'version'. */
static int write_changed(struct span spec, struct span last, const char *version,
                         struct arena *arena, struct buf *out, struct err *err)
{
    struct node *root = NULL, *ours = NULL;

    int rc = node_from_json(last, 0, arena, &root, err);
    if (rc != 0) {
        return rc;
    }
    if (root->type != NODE_MAP) {
        return err_set(err, ERR_INVALID, "not a Lease");
    }
    rc = node_from_json(spec, 0, arena, &ours, err);
    if (rc != 0) {
        return rc;
    }
    struct node *metadata =
        nodeedit_member(arena, node_get(root, "metadata"), SPAN_LIT("resourceVersion"),
                        nodeedit_text(arena, span_of(version)));
    const struct node *old = node_get(root, "spec");
    struct node *changed = old != NULL && old->type == NODE_MAP ? nodeedit_copy(arena, old) : NULL;
    for (size_t i = 0; i < ours->n; i++) {
        changed = nodeedit_member(arena, changed, ours->pairs[i].key->text, ours->pairs[i].value);
    }
    root = nodeedit_member(arena, root, SPAN_LIT("metadata"), metadata);
    root = nodeedit_member(arena, root, SPAN_LIT("spec"), changed);
    node_write_json(root, out);
    return 0;
}

int leasetext_write(const struct lease_request *request, const struct leasetext_place *place,
                    struct span last, int64_t wall_ms, struct buf *out, struct err *err)
{
    struct arena arena;
    struct buf spec;
    int rc = 0;

    assert(request->verb == LEASE_POST || request->verb == LEASE_PUT);
    arena_init_small(&arena);
    buf_init_in(&spec, &arena, LIMIT_PAGE_BYTES);
    write_spec(request, place->identity, wall_ms, &spec);
    buf_clear(out);
    if (request->verb == LEASE_POST) {
        write_new(buf_span(&spec), place, out);
    } else {
        rc = write_changed(buf_span(&spec), last, request->version, &arena, out, err);
    }
    if (rc == 0 && (buf_error(out) != 0 || buf_error(&spec) != 0)) {
        rc = err_set(err, ERR_TOO_BIG, "the Lease is too big");
    }
    arena_fini(&arena);
    return rc;
}

#include "allocator/tenant/subject.h"

#include "allocator/base/limits.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/tenant/wire.h"

#define GROUP_PREFIX "opentelemetry.io/"

static struct span text_at(const struct node *map, const char *key)
{
    struct span text = { NULL, 0 };

    (void)node_as_text(node_get(map, key), &text);
    return text;
}

static bool is_true(const struct node *map, const char *key)
{
    bool value = false;

    return node_as_bool(node_get(map, key), &value) && value;
}

bool subject_is(const struct node *root)
{
    return root != NULL && root->type == NODE_MAP &&
           span_is(text_at(root, "kind"), "OpenTelemetryCollector") &&
           span_has_prefix(text_at(root, "apiVersion"), GROUP_PREFIX);
}

static void read_wish(const struct node *spec, struct subject *s)
{
    struct span label = text_at(node_get(s->metadata, "labels"), WIRE_INJECT_LABEL);
    struct span mode = text_at(spec, "mode");
    const struct node *allocator = node_get(spec, "targetAllocator");

    s->wish = SUBJECT_RESTORE;
    if (span_is(label, "false") || (!span_is(label, "true") && !is_true(allocator, "enabled"))) {
        return;
    }
    /* A sidecar's collectors are other people's pods: nobody can say who they are and how many. */
    if (span_is(mode, "sidecar")) {
        s->unsupported_mode = mode;
        return;
    }
    s->wish = SUBJECT_REWRITE;
    s->has_prometheus_cr = is_true(node_get(allocator, "prometheusCR"), "enabled");
    struct span interval = text_at(allocator, "collectorTargetReloadInterval");
    if (interval.len > 0) {
        s->reload_interval = interval;
    }
}

static void read_annotations(struct subject *s)
{
    s->annotations = node_get(s->metadata, "annotations");
    if (s->annotations == NULL || s->annotations->type != NODE_MAP) {
        return;
    }
    for (size_t i = 0; i < s->annotations->n; i++) {
        const struct node_pair *pair = &s->annotations->pairs[i];
        struct span value = { NULL, 0 };
        (void)node_as_text(pair->value, &value);
        if (span_is(pair->key->text, WIRE_ANNOTATION)) {
            s->annotation = pair->value;
        } else {
            s->annotations_bytes += pair->key->text.len + value.len;
        }
    }
}

void subject_read(const struct node *root, struct subject *out)
{
    *out = (struct subject){ .root = root, .reload_interval = SPAN_LIT("30s") };
    const struct node *spec = node_get(root, "spec");

    out->metadata = node_get(root, "metadata");
    out->api_version = text_at(root, "apiVersion");
    out->ns = text_at(out->metadata, "namespace");
    out->name = text_at(out->metadata, "name");
    out->is_deleting = !node_is_null(node_get(out->metadata, "deletionTimestamp"));
    read_annotations(out);
    read_wish(spec, out);
    out->config_node = node_get(spec, "config");
    if (out->config_node == NULL || node_is_null(out->config_node)) {
        return;
    }
    if (out->config_node->type == NODE_SCALAR) {
        out->config_text = out->config_node->text;
    } else {
        out->config = out->config_node;
    }
}

int subject_parse_text(struct subject *s, struct arena *arena, struct err *err)
{
    struct node *tree = NULL;

    if (s->config_text.p == NULL) {
        return 0;
    }
    if (s->config_text.len > LIMIT_CONFIG_TEXT_BYTES) {
        return err_set(err, ERR_TOO_BIG, "the text has %zu bytes, more than %zu",
                       s->config_text.len, (size_t)LIMIT_CONFIG_TEXT_BYTES);
    }
    int rc = yamldoc_parse(s->config_text, arena, &tree, err);
    s->config = rc == 0 ? tree : NULL;
    return rc;
}

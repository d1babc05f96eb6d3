#include "allocator/discovery/rolelabels.h"

#include <ctype.h>
#include <stdio.h>

#define MOST_NAME 640 /* a label of an object has at most 253 + 1 + 63 characters */

static const struct str *label_name(struct sd_batch *b, const char *prefix, struct span rest)
{
    char name[MOST_NAME];
    size_t n = 0;

    for (const char *p = ROLE_LABEL; *p != '\0'; p++) {
        name[n++] = *p;
    }
    for (; *prefix != '\0'; prefix++) {
        name[n++] = *prefix;
    }
    for (size_t i = 0; i < rest.len && n < sizeof(name); i++) {
        unsigned char c = (unsigned char)rest.p[i];
        if ((c & 0xc0) == 0x80) {
            continue; /* one '_' for a character, not for each of its bytes */
        }
        name[n++] = (char)(c < 0x80 && (isalnum(c) || c == '_') ? c : '_');
    }
    return strpool_intern(b->pool, span_make(name, n));
}

void role_labels_init(struct role_labels *l, struct sd_batch *batch)
{
    l->batch = batch;
    memset(&l->v, 0, sizeof(l->v));
}

static void add(struct role_labels *l, const struct str *name, struct span value)
{
    *vec_push(&l->v) = (struct role_label){ name, value.p == NULL ? SPAN_LIT("") : value };
}

void role_labels_add(struct role_labels *l, const char *name, struct span value)
{
    add(l, label_name(l->batch, name, SPAN_LIT("")), value);
}

void role_labels_add_given(struct role_labels *l, const char *name, struct span value)
{
    if (value.len > 0) {
        role_labels_add(l, name, value);
    }
}

void role_labels_add_made(struct role_labels *l, const char *prefix, struct span rest,
                          struct span value)
{
    add(l, label_name(l->batch, prefix, rest), value);
}

/* ---- metadata */

void role_labels_add_families(struct role_labels *l, const char *kind,
                              const struct object_meta *meta)
{
    const struct object_pairs *const families[] = { &meta->labels, &meta->annotations };
    static const char *const words[] = { "label", "annotation" };

    for (size_t f = 0; f < 2; f++) {
        char value[64], present[64];
        (void)snprintf(value, sizeof(value), "%s_%s_", kind, words[f]);
        (void)snprintf(present, sizeof(present), "%s_%spresent_", kind, words[f]);
        for (size_t i = 0; i < families[f]->n; i++) {
            const struct object_pair *pair = &families[f]->v[i];
            role_labels_add_made(l, value, pair->name, pair->value);
            role_labels_add_made(l, present, pair->name, SPAN_LIT("true"));
        }
    }
}

void role_labels_add_meta(struct role_labels *l, const char *kind, const struct object_meta *meta)
{
    role_labels_add_made(l, kind, SPAN_LIT("_name"), meta->name);
    role_labels_add_families(l, kind, meta);
}

int role_labels_add_namespace(struct role_labels *l, const struct role_input *in, struct span name,
                              struct err *err)
{
    struct object_bare ns;
    struct span text;

    if (!in->attach.namespace ||
        !in->world.find(in->world.arg, OBJECT_NAMESPACE, SPAN_LIT(""), name, &text)) {
        return 0;
    }
    int rc = object_view(OBJECT_NAMESPACE, text, &l->batch->arena, &ns, err);
    if (rc < 0) {
        return err_wrap(err, rc, "namespace %.*s", SPAN_ARG(name));
    }
    role_labels_add_families(l, "namespace", &ns.meta);
    return 0;
}

int role_labels_add_service(struct role_labels *l, const struct role_input *in, struct span ns,
                            struct span name, struct object_service *out, struct err *err)
{
    struct object_service ours = { 0 }, *service = out == NULL ? &ours : out;
    struct span text;

    if (name.len == 0 || !in->world.find(in->world.arg, OBJECT_SERVICE, ns, name, &text)) {
        return 0;
    }
    int rc = object_view(OBJECT_SERVICE, text, &l->batch->arena, service, err);
    if (rc < 0) {
        return err_wrap(err, rc, "service %.*s", SPAN_ARG(name));
    }
    role_labels_add_meta(l, "service", &service->meta);
    return 0;
}

int role_labels_add_node(struct role_labels *l, const struct role_input *in, struct span name,
                         bool *out_found, struct err *err)
{
    struct object_bare node;
    struct span text;
    bool is_found =
        name.len > 0 && in->world.find(in->world.arg, OBJECT_NODE, SPAN_LIT(""), name, &text);

    if (out_found != NULL) {
        *out_found = is_found;
    }
    if (!is_found) {
        return 0;
    }
    /* Its metadata alone, as of a kind that has nothing else. */
    int rc = object_view(OBJECT_NAMESPACE, text, &l->batch->arena, &node, err);
    if (rc < 0) {
        return err_wrap(err, rc, "node %.*s", SPAN_ARG(name));
    }
    role_labels_add_meta(l, "node", &node.meta);
    return 0;
}

void role_labels_fini(struct role_labels *l)
{
    vec_fini(&l->v);
}

/* ---- groups */

void role_labels_put(const struct role_labels *l)
{
    for (size_t i = 0; i < l->v.n; i++) {
        sd_batch_label(l->batch, l->v.v[i].name, l->v.v[i].value);
    }
}

void role_put(struct sd_batch *b, const char *name, struct span value)
{
    sd_batch_label(b, label_name(b, name, SPAN_LIT("")), value.p == NULL ? SPAN_LIT("") : value);
}

void role_put_given(struct sd_batch *b, const char *name, struct span value)
{
    if (value.len > 0) {
        role_put(b, name, value);
    }
}

void role_put_made(struct sd_batch *b, const char *prefix, struct span rest, struct span value)
{
    sd_batch_label(b, label_name(b, prefix, rest), value.p == NULL ? SPAN_LIT("") : value);
}

int role_put_node(struct sd_batch *b, const struct role_input *in, struct span name,
                  struct err *err)
{
    struct role_labels l;

    if (!in->attach.node) {
        return 0;
    }
    role_labels_init(&l, b);
    int rc = role_labels_add_node(&l, in, name, NULL, err);
    if (rc == 0) {
        role_labels_put(&l);
    }
    role_labels_fini(&l);
    return rc;
}

struct span role_lower(struct sd_batch *b, struct span s)
{
    char *p = arena_bytes(&b->arena, s.len);

    for (size_t i = 0; i < s.len; i++) {
        p[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] - 'A' + 'a' : s.p[i]);
    }
    return span_make(p, s.len);
}

unsigned role_attached_namespace(struct role_attach attach)
{
    return attach.namespace ? 1U << OBJECT_NAMESPACE : 0;
}

unsigned role_attached(struct role_attach attach)
{
    return role_attached_namespace(attach) | (attach.node ? 1U << OBJECT_NODE : 0) |
           (attach.deployment ? 1U << OBJECT_REPLICASET : 0) |
           (attach.job || attach.cronjob ? 1U << OBJECT_JOB : 0);
}

struct span role_address(struct sd_batch *b, struct span host, struct span port)
{
    bool needs_brackets = host.len > 0 && (memchr(host.p, ':', host.len) != NULL ||
                                           memchr(host.p, '%', host.len) != NULL);

    if (port.p == NULL) {
        return host;
    }
    return span_of(arena_printf(&b->arena, needs_brackets ? "[%.*s]:%.*s" : "%.*s:%.*s",
                                SPAN_ARG(host), SPAN_ARG(port)));
}

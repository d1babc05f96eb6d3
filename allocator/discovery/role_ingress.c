/* role: ingress. A target for each path of each host. */
#include "allocator/discovery/rolelabels.h"

/* "*.example.com" covers exactly one more name. */
static bool covers(struct span pattern, struct span host)
{
    if (span_eq(pattern, host)) {
        return true;
    }
    const char *dot = host.len == 0 ? NULL : memchr(host.p, '.', host.len);
    return span_has_prefix(pattern, "*.") && dot != NULL &&
           span_eq(span_from(pattern, 1), span_from(host, (size_t)(dot - host.p)));
}

static struct span scheme_of(const struct object_ingress *ingress, struct span host)
{
    for (size_t i = 0; i < ingress->tls.n; i++) {
        const struct object_texts *hosts = &ingress->tls.v[i].hosts;
        for (size_t k = 0; k < hosts->n; k++) {
            if (covers(hosts->v[k], host)) {
                return SPAN_LIT("https");
            }
        }
    }
    return SPAN_LIT("http");
}

static void put_path(const struct role_labels *l, const struct object_ingress *ingress,
                     struct span host, struct span path)
{
    struct sd_batch *b = l->batch;

    sd_batch_begin(b);
    role_labels_put(l);
    role_put(b, "ingress_scheme", scheme_of(ingress, host));
    role_put(b, "ingress_host", host);
    role_put(b, "ingress_path", path.len == 0 ? SPAN_LIT("/") : path);
    sd_batch_target(b, host.p == NULL ? SPAN_LIT("") : host);
    (void)sd_batch_end(b);
}

static void put_rules(const struct role_labels *l, const struct object_ingress *ingress)
{
    for (size_t i = 0; i < ingress->rules.n; i++) {
        const struct object_rule *rule = &ingress->rules.v[i];
        for (size_t k = 0; k < rule->paths.n; k++) {
            put_path(l, ingress, rule->host, rule->paths.v[k].path);
        }
        if (!rule->has_http) {
            put_path(l, ingress, rule->host, SPAN_LIT("/"));
        }
    }
}

static int digest(const struct role_input *in, struct sd_batch *out, struct err *err)
{
    struct role_labels l;
    struct object_ingress ingress;
    int rc = object_view(OBJECT_INGRESS, in->object, &out->arena, &ingress, err);

    if (rc < 0) {
        return rc;
    }
    role_labels_init(&l, out);
    role_labels_add(&l, "namespace", ingress.meta.namespace);
    role_labels_add_meta(&l, "ingress", &ingress.meta);
    role_labels_add_given(&l, "ingress_class_name", ingress.class_name);
    rc = role_labels_add_namespace(&l, in, ingress.meta.namespace, err);
    if (rc == 0) {
        put_rules(&l, &ingress);
    }
    role_labels_fini(&l);
    return rc;
}

const struct role_ops role_ingress = {
    .name = "ingress",
    .source_prefix = "ingress/",
    .kind = OBJECT_INGRESS,
    .attached = role_attached_namespace,
    .digest = digest,
};

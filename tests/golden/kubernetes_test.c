/* kubernetes_sd_configs by example: what a cluster's objects mean as targets.
 * tests/golden/kubernetes/ objects.jsonl has the objects as an API server wrote them, a line each
 * (their kind first looked for in "kind"); <job>.jsonl what the Go target allocator served for a
 * job of those below, labels that are empty included. Where Prometheus 3.16 differs from it (the
 * address of a load balancer), the file has what Prometheus says. Every object goes through the cut
 * as well: nothing may depend on what that leaves out. */
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/jsonscan.h"
#include "allocator/discovery/role.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>

#define ROOT "tests/golden/kubernetes/"

struct thing {
    enum object_kind kind;
    struct span text; /* the cut */
    struct object_bare head;
    struct span node_name; /* of a pod */
};

static struct {
    struct arena arena;
    VEC(struct thing) things;
} cluster;

struct job {
    const char *name, *role;
    struct role_attach attach;
    bool (*may_see)(const struct thing *t); /* what selectors and namespaces leave; NULL: all */
};

static char *read_file(const char *path, size_t *out_len)
{
    FILE *f = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;
    ssize_t len = f == NULL ? -1 : getdelim(&text, &size, '\0', f);

    ok(len > 0, "%s is there", path);
    if (f != NULL) {
        fclose(f);
    }
    *out_len = len > 0 ? (size_t)len : 0;
    return text;
}

static bool next_line(struct span *rest, struct span *out)
{
    const char *end = rest->len == 0 ? NULL : memchr(rest->p, '\n', rest->len);

    if (end == NULL) {
        return false;
    }
    *out = span_make(rest->p, (size_t)(end - rest->p));
    *rest = span_from(*rest, out->len + 1);
    return true;
}

/* ---- the cluster */

static const char *const kind_names[OBJECT_N_KINDS] = {
    [OBJECT_NODE] = "Node",
    [OBJECT_NAMESPACE] = "Namespace",
    [OBJECT_POD] = "Pod",
    [OBJECT_SERVICE] = "Service",
    [OBJECT_ENDPOINTS] = "Endpoints",
    [OBJECT_ENDPOINTSLICE] = "EndpointSlice",
    [OBJECT_INGRESS] = "Ingress",
    [OBJECT_REPLICASET] = "ReplicaSet",
    [OBJECT_JOB] = "Job",
};

static bool find_kind(struct span object, enum object_kind *out)
{
    struct json_token t;
    struct jsonscan s;

    jsonscan_init(&s, object, LIMIT_SKIP_DEPTH);
    (void)jsonscan_next(&s, &t);
    while (jsonscan_next(&s, &t) == JSON_KEY) {
        if (!span_is(t.raw, "kind")) {
            (void)jsonscan_skip(&s, NULL);
            continue;
        }
        (void)jsonscan_next(&s, &t);
        for (int kind = 0; kind < OBJECT_N_KINDS; kind++) {
            if (span_is(t.raw, kind_names[kind])) {
                *out = (enum object_kind)kind;
                return true;
            }
        }
        return false;
    }
    return false;
}

static void add_object(struct span line)
{
    struct thing *t = vec_push(&cluster.things);
    struct err err = { 0 };
    struct object_pod pod;
    struct buf cut;

    memset(t, 0, sizeof(*t));
    if (!find_kind(line, &t->kind)) {
        cluster.things.n--; /* a Deployment, say */
        return;
    }
    buf_init(&cut, 1 << 20);
    ok(object_cut(t->kind, line, &cut, &err) == 0, "it can be cut %s", err.text);
    t->text = arena_span(&cluster.arena, buf_span(&cut));
    buf_fini(&cut);
    ok(object_view(OBJECT_NAMESPACE, t->text, &cluster.arena, &t->head, &err) == 0,
       "it has metadata %s", err.text);
    if (t->kind == OBJECT_POD) {
        ok(object_view(OBJECT_POD, t->text, &cluster.arena, &pod, &err) == 0, "a pod %s", err.text);
        t->node_name = pod.node_name;
    }
}

static void read_cluster(void)
{
    size_t len;
    char *text = read_file(ROOT "objects.jsonl", &len);
    struct span rest = span_make(text, len), line;

    while (next_line(&rest, &line)) {
        add_object(line);
    }
    free(text);
}

static bool find(const void *arg, enum object_kind kind, struct span ns, struct span name,
                 struct span *out_text)
{
    const struct job *job = arg;

    vec_each(&cluster.things, t) {
        if (t->kind == kind && span_eq(t->head.meta.namespace, ns) &&
            span_eq(t->head.meta.name, name) && (job->may_see == NULL || job->may_see(t))) {
            *out_text = t->text;
            return true;
        }
    }
    return false;
}

/* ---- what the selectors of the jobs leave */

static struct span label(const struct thing *t, const char *name)
{
    for (size_t i = 0; i < t->head.meta.labels.n; i++) {
        if (span_is(t->head.meta.labels.v[i].name, name)) {
            return t->head.meta.labels.v[i].value;
        }
    }
    return (struct span){ NULL, 0 };
}

static bool in_two_namespaces(const struct thing *t)
{
    struct span ns = t->head.meta.namespace;
    return ns.len == 0 || span_is(ns, "pay") || span_is(ns, "lab");
}
static bool node_sel(const struct thing *t)
{
    return t->kind != OBJECT_NODE || (span_is(label(t, "topology.kubernetes.io/zone"), "zone-b") &&
                                      !span_is(t->head.meta.name, "crs-n3"));
}
static bool pod_sel(const struct thing *t)
{
    struct span app = label(t, "app");
    return t->kind != OBJECT_POD || ((span_is(app, "web") || span_is(app, "cache")) &&
                                     label(t, "role").p == NULL && span_is(t->node_name, "crs-n1"));
}
static bool service_sel(const struct thing *t)
{
    return t->kind != OBJECT_SERVICE ||
           (span_is(label(t, "team"), "shop") && !span_is(t->head.meta.name, "cache"));
}
static bool is_web(const struct thing *t)
{
    return span_is(label(t, "app"), "web");
}
static bool endpoints_sel(const struct thing *t)
{
    return t->kind == OBJECT_ENDPOINTS ? span_is(t->head.meta.name, "web")
           : t->kind == OBJECT_SERVICE ? is_web(t)
           : t->kind == OBJECT_POD     ? span_is(t->node_name, "crs-n1")
                                       : true;
}
static bool endpointslice_sel(const struct thing *t)
{
    struct span service = label(t, "kubernetes.io/service-name");
    return t->kind == OBJECT_ENDPOINTSLICE ? span_is(service, "web") || span_is(service, "manual")
           : t->kind == OBJECT_SERVICE     ? is_web(t)
           : t->kind == OBJECT_POD         ? span_is(label(t, "app"), "cache")
                                           : true;
}
static bool ingress_sel(const struct thing *t)
{
    return t->kind != OBJECT_INGRESS || span_is(label(t, "probe"), "yes");
}
static bool pods_of_a_zone(const struct thing *t)
{
    struct span ns = t->head.meta.namespace;
    return t->kind == OBJECT_NODE
               ? span_is(label(t, "topology.kubernetes.io/zone"), "zone-a")
               : t->kind != OBJECT_POD ||
                     (label(t, "app").p != NULL && (span_is(ns, "shop") || span_is(ns, "pay")));
}

#define ALL                                                                                        \
    {                                                                                              \
        true, true, true, true, true                                                               \
    }
#define NONE                                                                                       \
    {                                                                                              \
        false, false, false, false, false                                                          \
    }
static const struct job jobs[] = {
    { "node", "node", NONE, NULL },
    { "node-attach", "node", ALL, NULL },
    { "node-sel", "node", NONE, node_sel },
    { "pod", "pod", NONE, NULL },
    { "pod-attach", "pod", ALL, NULL },
    { "pod-ns", "pod", NONE, in_two_namespaces },
    { "pod-sel", "pod", NONE, pod_sel },
    { "pod-attach-nodesel", "pod", { .node = true }, pods_of_a_zone },
    { "service", "service", NONE, NULL },
    { "service-attach", "service", ALL, NULL },
    { "service-ns", "service", NONE, in_two_namespaces },
    { "service-sel", "service", NONE, service_sel },
    { "endpoints", "endpoints", NONE, NULL },
    { "endpoints-attach", "endpoints", ALL, NULL },
    { "endpoints-ns", "endpoints", NONE, in_two_namespaces },
    { "endpoints-sel", "endpoints", NONE, endpoints_sel },
    { "endpointslice", "endpointslice", NONE, NULL },
    { "endpointslice-attach", "endpointslice", ALL, NULL },
    { "endpointslice-ns", "endpointslice", NONE, in_two_namespaces },
    { "endpointslice-sel", "endpointslice", NONE, endpointslice_sel },
    { "ingress", "ingress", NONE, NULL },
    { "ingress-attach", "ingress", ALL, NULL },
    { "ingress-ns", "ingress", NONE, in_two_namespaces },
    { "ingress-sel", "ingress", NONE, ingress_sel },
};

/* ---- comparing */

static void write_target(const struct sd_group *g, struct span address, struct buf *out)
{
    buf_add_str(out, "{\"__address__\":");
    buf_add_json(out, address);
    for (uint32_t i = 0; i < g->shape->n; i++) {
        buf_add_char(out, ',');
        buf_add_json(out, str_span(g->shape->fields[i].name));
        buf_add_char(out, ':');
        buf_add_json(out, g->values[i]);
    }
    buf_add_char(out, '}');
}

struct lines {
    struct arena arena;
    VEC(struct span) v;
};

static int by_text(const void *a, const void *b)
{
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

/* Targets that are equal are one. */
static void sort_lines(struct lines *l)
{
    size_t n = 0;

    if (l->v.n > 1) {
        qsort(l->v.v, l->v.n, sizeof(*l->v.v), by_text);
    }
    for (size_t i = 0; i < l->v.n; i++) {
        if (n == 0 || !span_eq(l->v.v[i], l->v.v[n - 1])) {
            l->v.v[n++] = l->v.v[i];
        }
    }
    l->v.n = n;
}

static void digest(const struct job *job, const struct thing *t, const struct role_ops *role,
                   struct sd_batch *batch, struct lines *out)
{
    struct role_input in = { t->text, job->attach, { find, job } };
    struct err err = { 0 };

    sd_batch_reset(batch);
    int rc = role->digest(&in, batch, &err);
    ok(rc == 0 || rc == ERR_NOT_FOUND, "%s: %.*s %s", job->name, SPAN_ARG(t->head.meta.name),
       err.text);
    for (size_t i = 0; rc == 0 && i < batch->groups.n; i++) {
        const struct sd_group *g = &batch->groups.v[i];
        struct buf line;
        buf_init(&line, 1 << 20);
        is_int(g->n_targets, 1, "one target a group");
        write_target(g, g->targets[0], &line);
        *vec_push(&out->v) = arena_span(&out->arena, buf_span(&line));
        buf_fini(&line);
    }
}

static void run(const struct job *job)
{
    const struct role_ops *role = role_find(span_of(job->role));
    AUTO_STR path = mem_printf(ROOT "%s.jsonl", job->name);
    struct lines got = { 0 }, want = { 0 };
    struct strpool pool;
    struct sd_batch batch;
    size_t len;

    arena_init(&got.arena);
    strpool_init(&pool);
    sd_batch_init(&batch, &pool);
    vec_each(&cluster.things, t) {
        if (t->kind == role->kind && (job->may_see == NULL || job->may_see(t))) {
            digest(job, t, role, &batch, &got);
        }
    }
    char *text = read_file(path, &len);
    struct span rest = span_make(text, len), line;
    while (next_line(&rest, &line)) {
        *vec_push(&want.v) = line;
    }
    sort_lines(&got);
    sort_lines(&want);
    is_int(got.v.n, want.v.n, "%s: as many targets", job->name);
    for (size_t i = 0; i < got.v.n && i < want.v.n; i++) {
        if (!check_text(__FILE__, __LINE__, got.v.v[i], want.v.v[i], "%s: target %zu", job->name,
                        i)) {
            break;
        }
    }
    free(text);
    vec_fini(&got.v);
    vec_fini(&want.v);
    arena_fini(&got.arena);
    sd_batch_fini(&batch);
    strpool_fini(&pool);
}

int main(int argc, char **argv)
{
    arena_init(&cluster.arena);
    read_cluster();
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        bool is_wanted = argc < 2;
        for (int a = 1; a < argc; a++) {
            is_wanted = is_wanted || strcmp(argv[a], jobs[i].name) == 0;
        }
        if (is_wanted) {
            run(&jobs[i]);
        }
    }
    vec_fini(&cluster.things);
    arena_fini(&cluster.arena);
    return check_done();
}

#include "allocator/kube/configplace.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/readfile.h"
#include "allocator/base/vec.h"

#include <stdlib.h>

/* Nobody writes the environment while it is read. */
static const char *environment(const char *name)
{
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe) */

    return value != NULL && value[0] != '\0' ? value : NULL;
}

void kubeconfig_look_around(struct kubeconfig_places *out)
{
    *out = (struct kubeconfig_places){
        .list = environment("KUBECONFIG"),
        .home = environment("HOME"),
        .service_host = environment("KUBERNETES_SERVICE_HOST"),
        .service_port = environment("KUBERNETES_SERVICE_PORT"),
        .pod_namespace = environment("POD_NAMESPACE"),
    };
}

/* ---- kubeconfig files */

struct texts {
    VEC(struct kubeconfig_text) list;
};

/* A missing file is skipped unless it was named. */
static int add_file(struct texts *t, const char *path, bool must_exist, struct arena *arena,
                    struct faults *f)
{
    struct readfile_signature signature;
    AUTO_STR body = NULL;
    size_t len = 0;
    struct err err;
    int rc = readfile_read(path, LIMIT_DOCUMENT_BYTES, &signature, &body, &len, &err);

    if (rc == ERR_NOT_FOUND && !must_exist) {
        return 0;
    }
    if (rc < 0) {
        faults_add(f, FAULT_ERROR, 0, "%s", err.text);
        return ERR_INVALID;
    }
    *vec_push(&t->list) = (struct kubeconfig_text){
        .path = arena_strndup(arena, path, strlen(path)),
        .text = { arena_strndup(arena, body, len), len },
    };
    return 0;
}

/* 'is_named': one path, which must be there; else paths with colons between them. */
static int read_files(const char *list, bool is_named, bool may_run, struct arena *arena,
                      struct kubeconfig *out, struct faults *f)
{
    struct texts t = { 0 };
    int rc = 0;

    for (const char *p = list; rc == 0 && *p != '\0';) {
        size_t len = is_named ? strlen(p) : strcspn(p, ":");
        AUTO_STR path = mem_strndup(p, len);
        rc = len == 0 ? 0 : add_file(&t, path, is_named, arena, f);
        p += len + (p[len] == ':');
    }
    if (rc == 0) {
        rc = kubeconfig_read(t.list.v, t.list.n, may_run, arena, out, f);
    }
    vec_fini(&t.list);
    return rc;
}

/* ---- in a pod */

static const char *in_folder(const struct kubeconfig_places *p, const char *name,
                             struct arena *arena)
{
    return arena_printf(arena, "%s/%s",
                        p->pod_folder == NULL ? KUBECONFIG_POD_FOLDER : p->pod_folder, name);
}

static struct span read_namespace(const struct kubeconfig_places *p, struct arena *arena)
{
    struct readfile_signature signature;
    AUTO_STR body = NULL;
    size_t len = 0;
    struct span name = span_of(p->pod_namespace);

    if (name.len == 0 && readfile_read(in_folder(p, "namespace", arena), LIMIT_SECRET, &signature,
                                       &body, &len, NULL) == 0) {
        name = arena_span(arena, span_trim(span_make(body, len)));
    }
    return name.len > 0 ? name : SPAN_LIT("default");
}

static bool is_file(const char *path)
{
    struct readfile_signature signature;

    return readfile_look(path, &signature, NULL) == 0;
}

bool kubeconfig_is_in_pod(const struct kubeconfig_places *p)
{
    struct arena arena;

    arena_init(&arena);
    bool has_token = p->service_host != NULL && p->service_port != NULL &&
                     is_file(in_folder(p, "token", &arena));
    arena_fini(&arena);
    return has_token;
}

static void describe_pod(const struct kubeconfig_places *p, struct arena *arena,
                         struct kubeconfig *out)
{
    bool is_ipv6 = strchr(p->service_host, ':') != NULL && p->service_host[0] != '[';
    const char *ca = in_folder(p, "ca.crt", arena);

    *out = (struct kubeconfig){
        .server = span_of(arena_printf(arena, is_ipv6 ? "https://[%s]:%s" : "https://%s:%s",
                                       p->service_host, p->service_port)),
        .namespace = read_namespace(p, arena),
        .token_file = span_of(in_folder(p, "token", arena)),
        .ca_file = is_file(ca) ? span_of(ca) : (struct span){ "", 0 },
    };
}

int kubeconfig_find(const struct kubeconfig_places *p, struct arena *arena, struct kubeconfig *out,
                    struct faults *f)
{
    if (p->named != NULL) {
        return read_files(p->named, true, p->is_command_line, arena, out, f);
    }
    if (kubeconfig_is_in_pod(p)) {
        describe_pod(p, arena, out);
        return 0;
    }
    if (p->list != NULL) {
        return read_files(p->list, false, false, arena, out, f);
    }
    if (p->home != NULL) {
        AUTO_STR path = mem_printf("%s/.kube/config", p->home);
        return is_file(path) ? read_files(path, true, false, arena, out, f) : ERR_NOT_FOUND;
    }
    return ERR_NOT_FOUND;
}

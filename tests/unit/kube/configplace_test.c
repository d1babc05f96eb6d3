/* Where the way to an API server is found, in folders of our own. */
#include "allocator/kube/configplace.h"

#include "allocator/base/mem.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char *folder;

static char *in_folder(const char *name)
{
    return mem_printf("%s/%s", folder, name);
}

static void write_file(const char *name, const char *text)
{
    AUTO_STR path = in_folder(name);
    FILE *file = fopen(path, "w");

    ok(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0, "%s is written", path);
}

static void write_config(const char *name, const char *server)
{
    AUTO_STR text = mem_printf("current-context: c\n"
                               "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
                               "clusters: [{name: k, cluster: {server: '%s'}}]\n"
                               "users: [{name: u, user: {token: t}}]\n",
                               server);
    write_file(name, text);
}

static void remove_file(const char *name)
{
    AUTO_STR path = in_folder(name);
    ok(unlink(path) == 0, "%s is removed", path);
}

struct found {
    struct arena arena;
    struct faults f;
    struct kubeconfig c;
    int rc;
};

static void find(struct found *x, const struct kubeconfig_places *places)
{
    *x = (struct found){ 0 };
    arena_init(&x->arena);
    faults_init(&x->f);
    x->rc = kubeconfig_find(places, &x->arena, &x->c, &x->f);
}

static void done(struct found *x)
{
    faults_fini(&x->f);
    arena_fini(&x->arena);
}

static void test_order(void)
{
    AUTO_STR named = in_folder("named");
    AUTO_STR list =
        mem_printf(":%s/missing::%s/listed:%s/home/.kube/config", folder, folder, folder);
    AUTO_STR home = in_folder("home");
    struct kubeconfig_places p = { .named = named,
                                   .list = list,
                                   .home = home,
                                   .service_host = "fd00::1",
                                   .service_port = "443",
                                   .pod_folder = folder };
    struct found x;

    ok(kubeconfig_is_in_pod(&p), "a pod with an account");
    find(&x, &p);
    is_span(x.c.server, SPAN_LIT("https://named"), "what was named comes first");
    done(&x);

    p.named = NULL;
    find(&x, &p);
    is_span(x.c.server, SPAN_LIT("https://[fd00::1]:443"), "then the pod's cluster");
    done(&x);

    p.service_port = NULL;
    find(&x, &p);
    is_span(x.c.server, SPAN_LIT("https://listed"),
            "then $KUBECONFIG, without what is missing or empty");
    done(&x);

    p.list = NULL;
    find(&x, &p);
    is_span(x.c.server, SPAN_LIT("https://home"), "then the home folder");
    done(&x);

    p.home = folder;
    find(&x, &p);
    is_int(x.rc, ERR_NOT_FOUND, "then nothing");
    is_int(x.f.n, 0, "which is no fault");
    done(&x);

    p.home = NULL;
    find(&x, &p);
    is_int(x.rc, ERR_NOT_FOUND, "nor is having no home");
    done(&x);
}

static void test_named_must_exist(void)
{
    AUTO_STR path = in_folder("missing");
    struct found x;

    find(&x, &(struct kubeconfig_places){ .named = path, .home = folder });
    is_int(x.rc, ERR_INVALID, "a named file that is missing");
    is_int(x.f.n_errors, 1, "is an error");
    done(&x);
}

static void test_pod(void)
{
    struct kubeconfig_places p = { .service_host = "10.96.0.1",
                                   .service_port = "443",
                                   .pod_folder = folder };
    AUTO_STR token = in_folder("token");
    AUTO_STR ca = in_folder("ca.crt");
    struct found x;

    find(&x, &p);
    is_int(x.rc, 0, "is found");
    is_span(x.c.server, SPAN_LIT("https://10.96.0.1:443"), "server");
    is_span(x.c.token_file, span_of(token), "the token is read when it is needed");
    is_int(x.c.token.len, 0, "and not before");
    is_span(x.c.namespace, SPAN_LIT("default"), "no namespace file");
    is_int(x.c.ca_file.len, 0, "no ca.crt: the system's authorities");
    done(&x);

    write_file("namespace", " otel\n");
    write_file("ca.crt", "x");
    find(&x, &p);
    is_span(x.c.namespace, SPAN_LIT("otel"), "the file's namespace, trimmed");
    is_span(x.c.ca_file, span_of(ca), "ca.crt");
    done(&x);

    p.pod_namespace = "mine";
    find(&x, &p);
    is_span(x.c.namespace, SPAN_LIT("mine"), "POD_NAMESPACE counts before it");
    done(&x);
    remove_file("namespace");
    remove_file("ca.crt");

    remove_file("token");
    find(&x, &p);
    is_int(x.rc, ERR_NOT_FOUND, "without a token it is no pod with rights");
    ok(!kubeconfig_is_in_pod(&p), "nor one at all");
    done(&x);
}

static void test_environment(void)
{
    struct kubeconfig_places p;

    setenv("KUBECONFIG", "/a:/b", 1);
    setenv("KUBERNETES_SERVICE_HOST", "", 1);
    kubeconfig_look_around(&p);
    is_str(p.list, "/a:/b", "$KUBECONFIG");
    ok(p.service_host == NULL, "what is empty is not set");
    ok(p.named == NULL, "nothing was named");
}

int main(void)
{
    folder = check_folder("kubeconfig");
    AUTO_STR home = in_folder("home");
    AUTO_STR kube = in_folder("home/.kube");
    ok(mkdir(home, 0700) == 0 && mkdir(kube, 0700) == 0, "folders are made");
    write_config("named", "https://named");
    write_config("listed", "https://listed");
    write_config("home/.kube/config", "https://home");
    write_file("token", "secret\n");

    test_order();
    test_named_must_exist();
    test_pod();
    test_environment();

    remove_file("named");
    remove_file("listed");
    remove_file("home/.kube/config");
    rmdir(kube);
    rmdir(home);
    rmdir(folder);
    mem_free(folder);
    return check_done();
}

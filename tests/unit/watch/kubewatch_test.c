/* The carrier of objects against a fake API server, over TLS and sockets: what only they can do
 * (cut, reset, be silent, compress, show another certificate), who shares what, and what is read
 * anew. */
#include "allocator/watch/kubewatch.h"

#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/log.h"
#include "allocator/base/metric.h"
#include "allocator/codec/zlib.h"
#include "allocator/discovery/objectarrival.h"
#include "allocator/watch/carriers.h"
#include "tests/check.h"
#include "tests/fake/apiserver.h"
#include "tests/fake/objectset.h"
#include "tests/fake/testcert.h"

#include <sys/stat.h>

enum { WANTS = 4, PATIENCE_MS = 20000 };

struct rig {
    struct apiserver server;
    struct http_client *client;
    struct carriers carriers;
    struct mailbox *engine;
    struct objectset sets[WANTS + 1]; /* by id of the want */
    enum reflector_state states[WANTS + 1];
    char problem[512];
    int64_t skew_ms; /* of the carrier's clock: what it would wait for comes at once */
    struct kubeconfig_places places;
    char *kubeconfig;
};

static char *folder;
static struct testcert authority, other_authority, leaf, other_leaf;
static SSL_CTX *tls, *other_tls;

static void write_text(const char *name, const char *text)
{
    AUTO_STR path = mem_printf("%s/%s", folder, name);
    AUTO_STR fresh = mem_printf("%s.new", path);
    FILE *file = fopen(fresh, "w");

    ok(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0 && rename(fresh, path) == 0,
       "%s is written", name);
}

static void write_authority(const struct testcert *c)
{
    char *pem = testcert_pem(c, false);

    write_text("ca.crt", pem);
    OPENSSL_free(pem);
}

static void write_kubeconfig(const struct rig *r, const char *cluster, const char *user)
{
    AUTO_STR text =
        mem_printf("current-context: c\n"
                   "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
                   "clusters: [{name: k, cluster: {server: "
                   "'https://127.0.0.1:%u/prefix/', certificate-authority: ca.crt%s}}]\n"
                   "users: [{name: u, user: {%s}}]\n",
                   r->server.port, cluster, user);

    write_text("kubeconfig", text);
}

static void open_rig(struct rig *r)
{
    memset(r, 0, sizeof(*r));
    apiserver_start(&r->server, tls);
    write_authority(&authority);
    write_text("token", "first\n");
    write_kubeconfig(r, "", "tokenFile: token");
    r->kubeconfig = mem_printf("%s/kubeconfig", folder);
    r->places.named = r->kubeconfig;
    r->client = http_client_new();
    r->engine = mailbox_new(0);
    for (size_t i = 0; i <= WANTS; i++) {
        objectset_init(&r->sets[i]);
    }
    carriers_init(&r->carriers);
    carriers_put(&r->carriers, kubewatch_new(r->client, &r->places, "otel-ta/1.2.3"));
    carriers_connect(&r->carriers, r->engine);
}

static void drain(struct rig *r)
{
    for (struct mail *m = mailbox_drain(r->engine), *next; m != NULL; m = next) {
        struct object_arrival *a = CONTAINER_OF(m, struct object_arrival, mail);
        next = m->next;
        ok(m->kind == ENGINE_OBJECTS && a->want <= WANTS, "an object arrival");
        if (a->batch != NULL) {
            objectset_take(&r->sets[a->want], objectbatch_ref(a->batch));
        }
        r->states[a->want] = a->state;
        snprintf(r->problem, sizeof(r->problem), "%s", a->problem);
        m->dispose(m);
    }
}

static void close_rig(struct rig *r)
{
    carriers_fini(&r->carriers);
    http_client_free(&r->client);
    drain(r);
    mailbox_free(&r->engine);
    apiserver_stop(&r->server);
    for (size_t i = 0; i <= WANTS; i++) {
        objectset_fini(&r->sets[i]);
    }
    mem_free(r->kubeconfig);
}

static void want(struct rig *r, uint64_t id, const char *resource, const char *selector)
{
    const struct ask ask = { .carrier = CARRIER_KUBE,
                             .refresh_ms = (int64_t)id,
                             .digest_by = span_of(resource),
                             .kube = { .version = SPAN_LIT("v1"),
                                       .resource = span_of(resource),
                                       .kind = SPAN_LIT("Pod"),
                                       .label_selector = span_of(selector) } };

    ok(carriers_take(&r->carriers, &want_new(id, &ask)->mail, clock_mono_ms()), "a want");
}

static void change(struct rig *r, enum watcher_mail kind, uint64_t id)
{
    ok(carriers_take(&r->carriers, &want_change_new(kind, id)->mail, clock_mono_ms()), "a change");
}

static void turn(struct rig *r)
{
    carriers_tick(&r->carriers, clock_mono_ms() + r->skew_ms);
    http_client_poll(r->client, NULL, 0, 5);
    drain(r);
}

/* Turns until a request with this part in its head came 'n' times. */
static void until_asked(struct rig *r, const char *part, unsigned n)
{
    int64_t end = clock_mono_ms() + PATIENCE_MS;

    while (apiserver_count(&r->server, part) < n && clock_mono_ms() < end) {
        turn(r);
    }
    ok(apiserver_count(&r->server, part) >= n, "'%s' is asked %u times", part, n);
}

/* Turns until the want was told this, in all. */
static void until_told(struct rig *r, uint64_t id, const char *log)
{
    int64_t end = clock_mono_ms() + PATIENCE_MS;
    struct objectset *set = &r->sets[id];

    while (set->log.len <= strlen(log) && clock_mono_ms() < end) {
        turn(r);
    }
    is_span(objectset_log(set), span_of(log), "want %d is told", (int)id);
}

static void until_state(struct rig *r, uint64_t id, enum reflector_state state)
{
    int64_t end = clock_mono_ms() + PATIENCE_MS;

    while (r->states[id] != state && clock_mono_ms() < end) {
        turn(r);
    }
    is_str(reflector_state_name(r->states[id]), reflector_state_name(state), "%s", r->problem);
}

static const char *const two = API_LIST("10", API_ITEM("a", "1") "," API_ITEM("b", "2"));

static void settle(struct rig *r)
{
    apiserver_answer(&r->server, "/pods?resourceVersion=0 ", "200 OK", "", two);
    want(r, 1, "pods", "");
    until_told(r, 1, "[ +d/a@1 +d/b@2 ]");
}

/* ---- what is asked */

static void test_request(void)
{
    struct rig r;

    open_rig(&r);
    settle(&r);
    until_asked(&r, "watch=1", 1);
    const char *list = r.server.requests.v[0], *watch = r.server.requests.v[1];
    ok(strstr(list, "GET /prefix/api/v1/pods?resourceVersion=0 HTTP/1.1\r\n") == list, "%s", list);
    ok(strstr(list, "\r\nAuthorization: Bearer first\r\n") != NULL, "by the token");
    ok(strstr(list, "\r\nUser-Agent: otel-ta/1.2.3\r\n") != NULL, "by our name");
    ok(strstr(list, "\r\nAccept: application/json\r\n") != NULL, "as JSON");
    ok(strstr(list, "\r\nAccept-Encoding: gzip\r\n") != NULL, "compressed");
    ok(strstr(watch, "resourceVersion=10&allowWatchBookmarks=true&timeoutSeconds=") != NULL, "%s",
       watch);
    ok(strstr(watch, "Accept-Encoding") == NULL, "a watch is not");
    is_int(atomic_load(&r.server.n_connections), 2, "and has a connection of its own");
    close_rig(&r);
}

/* Another namespace than the one that was named, or none, would be of others. */
static void test_own_namespace(void)
{
    const struct ask ask = { .carrier = CARRIER_KUBE,
                             .refresh_ms = 1,
                             .kube = { .version = SPAN_LIT("v1"),
                                       .resource = SPAN_LIT("pods"),
                                       .kind = SPAN_LIT("Pod"),
                                       .is_own_namespace = true } };
    struct rig r;

    open_rig(&r);
    AUTO_STR text = mem_printf("current-context: c\n"
                               "contexts: [{name: c, context: {cluster: k, user: u, namespace: "
                               "mine}}]\n"
                               "clusters: [{name: k, cluster: {server: 'https://127.0.0.1:%u', "
                               "certificate-authority: ca.crt}}]\n"
                               "users: [{name: u, user: {tokenFile: token}}]\n",
                               r.server.port);
    write_text("kubeconfig", text);
    apiserver_answer(&r.server, "/namespaces/mine/pods?", "200 OK", "", two);
    ok(carriers_take(&r.carriers, &want_new(1, &ask)->mail, clock_mono_ms()), "a want");
    until_told(&r, 1, "[ +d/a@1 +d/b@2 ]");
    is_int(apiserver_count(&r.server, "/api/v1/pods"), 0, "nobody else's are asked for");
    close_rig(&r);

    open_rig(&r);
    apiserver_answer(&r.server, "/namespaces/default/pods?", "200 OK", "", two);
    ok(carriers_take(&r.carriers, &want_new(1, &ask)->mail, clock_mono_ms()), "a want");
    until_told(&r, 1, "[ +d/a@1 +d/b@2 ]");
    close_rig(&r);
}

static void test_impersonation(void)
{
    struct rig r;

    open_rig(&r);
    write_kubeconfig(&r, ", disable-compression: true",
                     "username: me, password: pw, as: other, as-uid: 7, as-groups: [g, h], "
                     "as-user-extra: {'a/b c': [v]}");
    settle(&r);
    const char *head = r.server.requests.v[0];
    ok(strstr(head, "\r\nAuthorization: Basic bWU6cHc=\r\n") != NULL, "%s", head);
    ok(strstr(head, "\r\nImpersonate-User: other\r\n") != NULL, "user");
    ok(strstr(head, "\r\nImpersonate-Uid: 7\r\n") != NULL, "uid");
    ok(strstr(head, "\r\nImpersonate-Group: g\r\nImpersonate-Group: h\r\n") != NULL, "groups");
    ok(strstr(head, "\r\nImpersonate-Extra-a%2Fb%20c: v\r\n") != NULL, "extra");
    ok(strstr(head, "Accept-Encoding") == NULL, "not compressed");
    close_rig(&r);
}

static void test_gzip(void)
{
    struct rig r;
    struct buf packed, answer;

    open_rig(&r);
    buf_init(&packed, 10000);
    buf_init(&answer, 10000);
    zlib_deflate_gzip(span_of(two), 1, &packed);
    for (unsigned part = 2; part >= 1; part--) { /* half of it, then all */
        buf_clear(&answer);
        buf_addf(&answer,
                 "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n%zx\r\n",
                 packed.len / part);
        buf_add(&answer, packed.p, packed.len / part);
        buf_add_str(&answer, "\r\n" API_END);
        (void)apiserver_step(&r.server, "resourceVersion=0", buf_span(&answer), API_KEEP);
    }
    r.skew_ms = 100000;
    want(&r, 1, "pods", "");
    until_asked(&r, "watch=1", 1);
    is_int(r.sets[1].items.n, 2, "all of it");
    is_int(r.sets[1].n_committed, 1, "once");
    is_int(apiserver_count(&r.server, "resourceVersion=0"), 2, "half a list is none");
    buf_fini(&packed);
    buf_fini(&answer);
    close_rig(&r);
}

/* ---- how a watch ends */

static void test_watch_ends(void)
{
    static const struct {
        const char *body;
        enum apiserver_end end;
        unsigned piece;
    } t[] = {
        { API_EVENT("ADDED", "c", "15"), API_KEEP, 0 },
        { API_EVENT("ADDED", "c", "15"), API_CLOSE, 0 },
        { API_EVENT("ADDED", "c", "15"), API_RESET, 50 },
        { API_EVENT("ADDED", "c", "15"), API_CLOSE, 1 },
        { API_EVENT("ADDED", "c", "15") "{\"type\":\"MODIFIED\",\"obj", API_CLOSE, 0 },
        { API_EVENT("ADDED", "c", "15") "{\"type\":\"MODIFIED\",\"obj", API_KEEP, 0 },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct rig r;
        open_rig(&r);
        apiserver_chunks(&r.server, "watch=1", t[i].body, t[i].end);
        r.server.steps.v[0].piece = t[i].piece;
        settle(&r);
        until_asked(&r, "watch=1", 2);
        is_span(objectset_log(&r.sets[1]), SPAN_LIT("+d/c@15"), "the event is told: %zu", i);
        is_int(apiserver_count(&r.server, "resourceVersion=15&"), 1, "and watched from there");
        is_int(apiserver_count(&r.server, "GET"), 3, "without a list");
        is_int(r.states[1], REFLECTOR_FOLLOWING, "all is well");
        close_rig(&r);
    }
}

static void test_silence_is_well(void)
{
    struct rig r;

    open_rig(&r);
    (void)apiserver_step(&r.server, "watch=1", SPAN_LIT(API_CHUNKED), API_HOLD);
    settle(&r);
    until_state(&r, 1, REFLECTOR_FOLLOWING);
    is_int(r.sets[1].items.n, 2, "a watch that says nothing is followed");
    close_rig(&r);
}

/* ---- answers that are none */

static void test_bad_lists(void)
{
    static const struct {
        const char *bytes;
        enum apiserver_end end;
    } t[] = {
        { "HTTP/1.1 200 OK\r\nContent-Ty", API_CLOSE },
        { "", API_CLOSE },
        { "garbage\r\n\r\n", API_CLOSE },
        { API_CHUNKED "2\r\n{\"\r\n" API_END, API_KEEP },
        { API_CHUNKED "zz\r\n", API_CLOSE },
        { "HTTP/1.1 307 Temporary Redirect\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: "
          "0\r\n\r\n",
          API_KEEP },
        { "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: "
          "15\r\n\r\n<html>bad</html",
          API_KEEP },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct rig r;
        open_rig(&r);
        settle(&r);
        until_asked(&r, "watch=1", 1);
        (void)apiserver_step(&r.server, "/pods?resourceVersion=10 ", span_of(t[i].bytes), t[i].end);
        apiserver_answer(&r.server, "/pods?resourceVersion=10 ", "200 OK", "",
                         API_LIST("20", API_ITEM("a", "1")));
        r.skew_ms = 100000;
        change(&r, WATCHER_WANT_REFRESH, 1);
        until_told(&r, 1, "[ +d/a@1 -d/b ]");
        is_int(apiserver_count(&r.server, "/pods?resourceVersion=10 "), 2, "%s: is tried again",
               t[i].bytes);
        is_int(r.sets[1].n_dropped, 0, "and nothing of it was told");
        close_rig(&r);
    }
}

static void test_retry_after(void)
{
    struct rig r;

    open_rig(&r);
    apiserver_answer(&r.server, "resourceVersion=0", "429 Too Many Requests", "Retry-After: 2\r\n",
                     API_STATUS(429, "TooManyRequests", "storage is (re)initializing"));
    int64_t from = clock_mono_ms();
    settle(&r);
    ok(clock_mono_ms() - from >= 2000, "it waits as long as it was told to");
    close_rig(&r);
}

/* ---- who is let in */

static void test_token_is_read_again(void)
{
    struct rig r;

    open_rig(&r);
    settle(&r);
    apiserver_answer(&r.server, "Bearer first", "401 Unauthorized", "",
                     API_STATUS(401, "Unauthorized", "Unauthorized"));
    until_asked(&r, "Bearer first", 2);
    write_text("token", "second\n");
    until_asked(&r, "Bearer second", 1);
    is_span(objectset_log(&r.sets[1]), SPAN_LIT(""), "nobody is told");
    is_int(r.states[1] == REFLECTOR_FAILING, 0, "nor warned");
    close_rig(&r);

    open_rig(&r);
    settle(&r);
    AUTO_STR path = mem_printf("%s/token", folder);
    ok(unlink(path) == 0, "the token is removed");
    until_asked(&r, "watch=1", 1);
    ok(apiserver_count(&r.server, "Bearer first") == 2, "what it held is used");
    close_rig(&r);
}

static void test_authority_is_read_again(void)
{
    struct rig r;

    open_rig(&r);
    settle(&r);
    until_asked(&r, "watch=1", 1);
    apiserver_close(&r.server);
    r.server.tls = other_tls;
    apiserver_open(&r.server, r.server.port);
    r.skew_ms = 100000;
    until_state(&r, 1, REFLECTOR_FAILING);
    ok(strstr(r.problem, "certificate") != NULL, "%s", r.problem);
    is_int(apiserver_count(&r.server, "Bearer"), 2, "the token went nowhere");
    is_int(r.sets[1].items.n, 2, "what is known stays");
    apiserver_answer(&r.server, "limit=1", "200 OK", "", API_LIST("12", ""));
    write_authority(&other_authority);
    until_asked(&r, "watch=1", 2);
    is_span(objectset_log(&r.sets[1]), SPAN_LIT(""), "no flap");
    close_rig(&r);
}

static void test_no_configuration(void)
{
    struct rig r;
    AUTO_STR path = mem_printf("%s/kubeconfig", folder);

    open_rig(&r);
    ok(unlink(path) == 0, "the kubeconfig is removed");
    want(&r, 1, "pods", "");
    r.skew_ms = 100000;
    until_state(&r, 1, REFLECTOR_FAILING);
    ok(strstr(r.problem, "kubeconfig") != NULL, "%s", r.problem);
    write_kubeconfig(&r, "", "auth-provider: {name: gcp}");
    for (unsigned i = 0; i < 5; i++) {
        turn(&r);
    }
    apiserver_answer(&r.server, NULL, "200 OK", "", two);
    write_kubeconfig(&r, "", "token: t");
    until_told(&r, 1, "[ +d/a@1 +d/b@2 ]");
    close_rig(&r);
}

static void test_exec_plugin(void)
{
    struct rig r;
    AUTO_STR path = mem_printf("%s/plugin", folder);

    open_rig(&r);
    r.places.is_command_line = true;
    write_text("plugin",
               "#!/bin/sh\nn=$(cat $1/n 2>/dev/null)x\necho $n >$1/n\n"
               "echo '{\"kind\":\"ExecCredential\",\"apiVersion\":"
               "\"client.authentication.k8s.io/v1\",\"status\":{\"token\":\"t-'$n'\"}}'\n");
    ok(chmod(path, 0700) == 0, "a plugin");
    AUTO_STR user = mem_printf("exec: {command: ./plugin, args: ['%s'], apiVersion: "
                               "client.authentication.k8s.io/v1, interactiveMode: Never}",
                               folder);
    write_kubeconfig(&r, "", user);
    carriers_fini(&r.carriers); /* which read the places when it was made */
    carriers_init(&r.carriers);
    carriers_put(&r.carriers, kubewatch_new(r.client, &r.places, "otel-ta/1.2.3"));
    carriers_connect(&r.carriers, r.engine);
    settle(&r);
    is_int(apiserver_count(&r.server, "Bearer t-x\r"), 1, "what it said is carried");
    apiserver_answer(&r.server, "watch=1", "401 Unauthorized", "",
                     API_STATUS(401, "Unauthorized", "Unauthorized"));
    until_asked(&r, "Bearer t-xx\r", 1);
    is_int(apiserver_count(&r.server, "GET"), 3, "after a refusal it is asked again");
    AUTO_STR n = mem_printf("%s/n", folder);
    ok(unlink(n) == 0 && unlink(path) == 0, "away with it");
    close_rig(&r);

    open_rig(&r);
    write_kubeconfig(&r, "", user);
    want(&r, 1, "pods", "");
    r.skew_ms = 100000;
    until_state(&r, 1, REFLECTOR_FAILING);
    ok(strstr(r.problem, "users[0].user.exec") != NULL, "not without leave: %s", r.problem);
    close_rig(&r);
}

/* ---- outages */

static void test_restart(void)
{
    struct rig r;

    open_rig(&r);
    settle(&r);
    apiserver_answer(&r.server, "/services?", "200 OK", "", API_LIST("11", ""));
    want(&r, 2, "services", "");
    until_told(&r, 2, "[ ]");
    until_asked(&r, "watch=1", 2);
    unsigned port = r.server.port;
    apiserver_close(&r.server);
    r.skew_ms = 100000;
    for (unsigned i = 0; i < 30; i++) {
        turn(&r);
    }
    r.skew_ms = 0; /* both wait for half a minute now */
    apiserver_answer(&r.server, "limit=1", "200 OK", "", API_LIST("12", ""));
    apiserver_answer(&r.server, "limit=1", "200 OK", "", API_LIST("12", ""));
    apiserver_chunks(&r.server, "watch=1", "", API_HOLD);
    apiserver_chunks(&r.server, "watch=1", "", API_HOLD);
    apiserver_open(&r.server, port);
    change(&r, WATCHER_WANT_REFRESH, 2); /* one of them tries */
    apiserver_answer(&r.server, "/services?", "200 OK", "", API_LIST("12", ""));
    until_asked(&r, "watch=1", 4);
    is_span(objectset_log(&r.sets[1]), SPAN_LIT(""), "the other is up at once, without a flap");
    is_int(apiserver_count(&r.server, "/pods?resourceVersion=0"), 1, "and without a list");
    close_rig(&r);
}

/* ---- who shares what */

static void test_sharing(void)
{
    struct rig r;

    open_rig(&r);
    settle(&r);
    until_asked(&r, "watch=1", 1);
    apiserver_answer(&r.server, "/pods?resourceVersion=10 ", "200 OK", "",
                     API_LIST("20", API_ITEM("a", "1") "," API_ITEM("c", "12")));
    apiserver_chunks(&r.server, "watch=1", API_EVENT("DELETED", "a", "21"), API_HOLD);
    want(&r, 2, "pods", "");
    until_told(&r, 2, "[ +d/a@1 +d/c@12 -d/b ] -d/a");
    ok(span_has_prefix(objectset_log(&r.sets[1]), "[ +d/a@1 +d/c@12 -d/b ]"),
       "the first is told the same");
    is_int(apiserver_count(&r.server, "watch=1"), 2, "by one watch");

    apiserver_answer(&r.server, "labelSelector=x", "200 OK", "", API_LIST("20", ""));
    want(&r, 3, "pods", "x");
    until_told(&r, 3, "[ ]");
    is_int(apiserver_count(&r.server, "labelSelector=x"), 1, "another selector is another");

    change(&r, WATCHER_WANT_CANCEL, 1);
    change(&r, WATCHER_WANT_REDELIVER, 2);
    apiserver_answer(&r.server, "/pods?resourceVersion=21 ", "200 OK", "", API_LIST("30", ""));
    change(&r, WATCHER_WANT_REFRESH, 2);
    until_told(&r, 2, "[ -d/c ]");
    is_span(objectset_log(&r.sets[1]), SPAN_LIT(""), "who has left is told nothing");
    change(&r, WATCHER_WANT_CANCEL, 2);
    change(&r, WATCHER_WANT_CANCEL, 3);
    is_int(carriers_deadline_ms(&r.carriers) == INT64_MAX, 1, "nobody wants anything");
    close_rig(&r);
}

/* While a list comes in, somebody joins. */
static void test_join_within_a_list(void)
{
    struct rig r;

    open_rig(&r);
    apiserver_chunks(&r.server, "resourceVersion=0", "{\"items\":[", API_HOLD);
    want(&r, 1, "pods", "");
    until_asked(&r, "resourceVersion=0", 1);
    apiserver_answer(&r.server, "resourceVersion=0", "200 OK", "", two);
    want(&r, 2, "pods", "");
    until_told(&r, 2, "[ +d/a@1 +d/b@2 ]");
    is_span(objectset_log(&r.sets[1]), SPAN_LIT("[ +d/a@1 +d/b@2 ]"), "both are told the same");
    close_rig(&r);
}

static void test_forbidden_costs_itself(void)
{
    struct rig r;
    struct buf metrics;

    open_rig(&r);
    settle(&r);
    apiserver_chunks(&r.server, "/pods?watch=1", "", API_HOLD);
    apiserver_answer(&r.server, "/secrets?", "403 Forbidden", "",
                     API_STATUS(403, "Forbidden", "secrets is forbidden"));
    want(&r, 2, "secrets", "");
    until_state(&r, 2, REFLECTOR_FORBIDDEN);
    ok(strstr(r.problem, "resources: [secrets], verbs: [list, watch]") != NULL, "%s", r.problem);
    until_state(&r, 1, REFLECTOR_FOLLOWING);
    buf_init(&metrics, MIB);
    metric_render(&metrics);
    ok(strstr(metrics.p, "otel_ta_kubernetes_following{resource=\"secrets\",namespace=\"\"} 0\n") !=
           NULL,
       "it is told which");
    ok(strstr(metrics.p, "otel_ta_kubernetes_following{resource=\"pods\",namespace=\"\"} 1\n") !=
           NULL,
       "and which is not");
    ok(strstr(metrics.p, "otel_ta_kubernetes_requests_total{resource=\"secrets\",verb=\"list\","
                         "result=\"403\"}") != NULL,
       "and how it was answered");
    buf_fini(&metrics);
    close_rig(&r);
}

/* What is not there is seen to come. */
static void test_kind_comes(void)
{
    const struct ask ask = { .carrier = CARRIER_KUBE,
                             .refresh_ms = 1,
                             .kube = { .group = SPAN_LIT("example.com"),
                                       .version = SPAN_LIT("v1"),
                                       .resource = SPAN_LIT("widgets"),
                                       .kind = SPAN_LIT("Widget") } };
    static const char not_found[] = "404 page not found\n";
    struct rig r;

    open_rig(&r);
    apiserver_answer(&r.server, "/widgets?", "404 Not Found", "", not_found);
    apiserver_answer(&r.server, "/customresourcedefinitions?resourceVersion=0", "200 OK", "",
                     "{\"kind\":\"PartialObjectMetadataList\",\"metadata\":{\"resourceVersion\":"
                     "\"5\"},\"items\":[]}");
    apiserver_chunks(&r.server, "/customresourcedefinitions?watch=1",
                     "{\"type\":\"ADDED\",\"object\":{\"kind\":\"PartialObjectMetadata\","
                     "\"metadata\":{\"name\":\"other.example.com\",\"resourceVersion\":\"6\"}}}\n"
                     "{\"type\":\"ADDED\",\"object\":{\"kind\":\"PartialObjectMetadata\","
                     "\"metadata\":{\"name\":\"widgets.example.com\",\"resourceVersion\":\"7\"}}}"
                     "\n",
                     API_HOLD);
    apiserver_answer(&r.server, "/widgets?", "404 Not Found", "", not_found);
    apiserver_answer(&r.server, "/widgets?", "404 Not Found", "", not_found);
    apiserver_answer(&r.server, "/widgets?", "429 Too Many Requests", "Retry-After: 1\r\n",
                     API_STATUS(429, "TooManyRequests", "storage is (re)initializing"));
    apiserver_answer(&r.server, "/widgets?resourceVersion", "200 OK", "",
                     API_LIST("9", API_ITEM("w", "8")));
    apiserver_answer(&r.server, "/widgets?limit", "200 OK", "", API_LIST("9", API_ITEM("w", "8")));
    apiserver_answer(&r.server, "/widgets ", "200 OK", "", API_LIST("9", API_ITEM("w", "8")));
    ok(carriers_take(&r.carriers, &want_new(1, &ask)->mail, clock_mono_ms()), "a want");
    int64_t from = clock_mono_ms();
    until_told(&r, 1, "[ ] [ +d/w@8 ]");
    ok(clock_mono_ms() - from < 15000, "it is followed long before a minute has gone by");
    ok(apiserver_count(&r.server, "as=PartialObjectMetadataList") == 1, "definitions are not read");
    change(&r, WATCHER_WANT_CANCEL, 1);
    is_int(carriers_deadline_ms(&r.carriers) == INT64_MAX, 1, "nobody wants anything");
    close_rig(&r);
}

/* A long list is told as it comes, and never held. */
static void test_long_list(void)
{
    struct rig r;
    struct buf list;

    open_rig(&r);
    buf_init(&list, 64 * MIB);
    buf_add_str(&list, API_CHUNKED);
    buf_add_str(&list, "6400000\r\n{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[");
    AUTO_STR pad = mem_zalloc(5001);
    memset(pad, 'x', 5000);
    for (unsigned i = 0; i < 2000; i++) {
        buf_addf(&list,
                 "%s{\"metadata\":{\"name\":\"p%u\",\"resourceVersion\":\"%u\"},\"s\":\"%s\"}",
                 i == 0 ? "" : ",", i, i, pad);
    }
    (void)apiserver_step(&r.server, "resourceVersion=0", buf_span(&list), API_HOLD);
    want(&r, 1, "pods", "");
    for (int64_t end = clock_mono_ms() + PATIENCE_MS;
         r.sets[1].n_set < 1900 && clock_mono_ms() < end;) {
        turn(&r);
    }
    ok(r.sets[1].n_set >= 1900 && !r.sets[1].is_synced, "%u objects are told before its end",
       r.sets[1].n_set);
    change(&r, WATCHER_WANT_CANCEL, 1);
    buf_fini(&list);
    close_rig(&r);
}

int main(void)
{
    folder = check_folder("kubewatch");
    authority = testcert_new(NULL, "cluster authority", NULL);
    other_authority = testcert_new(NULL, "another authority", NULL);
    leaf = testcert_new(&authority, "kube-apiserver", "IP:127.0.0.1");
    other_leaf = testcert_new(&other_authority, "kube-apiserver", "IP:127.0.0.1");
    tls = testcert_server(&leaf, NULL, 0);
    other_tls = testcert_server(&other_leaf, NULL, 0);

    test_request();
    test_own_namespace();
    test_impersonation();
    test_gzip();
    test_watch_ends();
    test_silence_is_well();
    test_bad_lists();
    test_retry_after();
    test_token_is_read_again();
    test_authority_is_read_again();
    test_no_configuration();
    test_exec_plugin();
    test_restart();
    test_sharing();
    test_join_within_a_list();
    test_forbidden_costs_itself();
    test_kind_comes();
    test_long_list();

    static const char *const files[] = { "ca.crt", "kubeconfig", "token" };
    for (size_t i = 0; i < COUNT(files); i++) {
        AUTO_STR path = mem_printf("%s/%s", folder, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
    mem_free(folder);
    SSL_CTX_free(tls);
    SSL_CTX_free(other_tls);
    testcert_free(&authority);
    testcert_free(&other_authority);
    testcert_free(&leaf);
    testcert_free(&other_leaf);
    return check_done();
}

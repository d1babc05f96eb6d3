/* What the feed is told of the Collectors of a cluster, when two collections are told in any order.
 */
#include "webhook/clusterlist.h"

#include "allocator/base/container.h"
#include "allocator/base/limits.h"
#include "allocator/discovery/objectarrival.h"
#include "allocator/discovery/want.h"
#include "tests/check.h"

#include <string.h>

#define CR(ns, name, more, jobs)                                                                   \
    "{\"apiVersion\":\"opentelemetry.io/v1beta1\",\"kind\":\"OpenTelemetryCollector\","            \
    "\"metadata\":{\"name\":\"" name "\",\"namespace\":\"" ns "\"" more "},\"spec\":{\"mode\":"    \
    "\"statefulset\",\"targetAllocator\":{\"enabled\":true},\"config\":{\"receivers\":{"           \
    "\"prometheus\":{\"config\":{\"scrape_configs\":[" jobs "]}}}}},\"status\":{\"a\":1}}"
#define JOB(name, target)                                                                          \
    "{\"job_name\":\"" name "\",\"static_configs\":[{\"targets\":[\"" target "\"]}]}"
#define POD(name, instance)                                                                        \
    "{\"metadata\":{\"name\":\"" name "\",\"labels\":{\"app.kubernetes.io/instance\":\"" instance  \
    "\"}},\"spec\":{\"nodeName\":\"m\"},\"status\":{\"phase\":\"Running\"}}"

#define FROM_THE_FUTURE ",\"annotations\":{\"otel-ta/sd-configs\":\"{\\\"v\\\":99}\"}"
#define NEWER                                                                                      \
    "metadata: annotation otel-ta/sd-configs is of a newer version: version 99 is not known to "   \
    "this program"

static struct mailbox *engine;
static struct feed feed;
static struct clusterlist list;

static void write_mail(const struct mail *mail, struct buf *out)
{
    if (mail->kind == ENGINE_TENANT) {
        const struct tenant_mail *m = CONTAINER_OF(mail, struct tenant_mail, mail);
        buf_addf(out, "%s/%s %zu jobs", m->ns, m->name, m->tenant == NULL ? 0 : m->tenant->jobs.n);
        buf_add_str(out, m->tenant == NULL ? " gone" : "");
    } else if (mail->kind == ENGINE_COLLECTORS) {
        const struct collectors_mail *m = CONTAINER_OF(mail, struct collectors_mail, mail);
        buf_addf(out, "%s/%s %zu pods", m->ns, m->name, m->list.n);
    } else if (mail->kind == ENGINE_GAPS) {
        const struct gaps_mail *m = CONTAINER_OF(mail, struct gaps_mail, mail);
        buf_addf(out, "%zu gaps", m->gaps.n);
        vec_each(&m->gaps, gap) {
            buf_addf(out, " %s: %s", gap->name == NULL ? gap->file : gap->name, gap->why);
        }
    } else {
        buf_add_str(out, "complete");
    }
}

static int64_t now_ms;

static void is_told(const char *want, const char *what)
{
    AUTO_BUF got;

    buf_init(&got, MIB);
    clusterlist_turn(&list, now_ms, 1796068800000);
    for (struct mail *mail = mailbox_drain(engine), *next; mail != NULL; mail = next) {
        next = mail->next;
        buf_add_str(&got, got.len > 0 ? "; " : "");
        write_mail(mail, &got);
        mail->dispose(mail);
    }
    buf_add_char(&got, '\0');
    is_str(got.p, want, "%s", what);
}

/* One object as an event or as the only one of a list; 'object' NULL: it is gone, or there is none.
 */
static void put_as(uint64_t want, const char *key, const char *object, bool is_list,
                   enum reflector_state state)
{
    const struct reflector_report report = { .state = state, .problem = "" };
    struct objectdraft draft;

    objectdraft_init(&draft, MIB);
    if (is_list) {
        objectdraft_mark(&draft, OBJECTS_BEGIN);
    }
    if (object != NULL) {
        buf_add_str(&draft.text, object);
        objectdraft_add(&draft, OBJECT_SET, strlen(object), span_of(key), SPAN_LIT("1"));
    } else if (key != NULL) {
        objectdraft_add(&draft, OBJECT_GONE, 0, span_of(key), SPAN_LIT(""));
    }
    if (is_list) {
        objectdraft_mark(&draft, OBJECTS_COMMIT);
    }
    struct objectbatch *batch = objectdraft_take(&draft);
    object_arrival_post(object_arrival_new(want, batch, &report), list.box);
    objectbatch_free(&batch);
    objectdraft_fini(&draft);
}

static void put(uint64_t want, const char *key, const char *object, bool is_list)
{
    put_as(want, key, object, is_list, REFLECTOR_FOLLOWING);
}

static void goes(uint64_t want, enum reflector_state state, const char *problem)
{
    const struct reflector_report report = { .state = state, .problem = problem };

    object_arrival_post(object_arrival_new(want, NULL, &report), list.box);
}

static void collector(const char *key, const char *object)
{
    put(CLUSTERLIST_COLLECTORS, key, object, false);
}

static void pod(const char *key, const char *object)
{
    put(CLUSTERLIST_PODS, key, object, false);
}

static void begin(void)
{
    static const struct tenants_options none = { 0 };

    feed_init(&feed, engine);
    clusterlist_init(&list);
    clusterlist_open(&list, &none, &feed);
}

static void end(void)
{
    clusterlist_fini(&list);
    feed_fini(&feed);
}

static void test_changes(void)
{
    begin();
    is_told("", "nothing is known");
    put(CLUSTERLIST_COLLECTORS, "n/a", CR("n", "a", "", JOB("j", "x:1")), true);
    is_told("", "nor is it before pods are");
    put(CLUSTERLIST_PODS, "n/a-0", POD("a-0", "n.a"), true);
    is_told("n/a 1 pods; n/a 1 jobs; complete", "both are");
    is_told("", "once");
    collector("n/a", CR("n", "a", ",\"resourceVersion\":\"9\"", JOB("j", "x:1")));
    is_told("", "what is not the author's is no change");
    collector("n/a", CR("n", "a", "", JOB("j", "x:1") "," JOB("k", "x:1")));
    is_told("n/a 2 jobs; complete", "another job");
    pod("n/a-1", POD("a-1", "n.a"));
    is_told("n/a 2 pods; complete", "another pod");
    pod("n/c-0", POD("c-0", "n.c"));
    pod("m/a-0", POD("a-0", "n.a"));
    is_told("", "pods of nobody, for all we know");
    collector("n/c", CR("n", "c", "", JOB("j", "x:1")));
    is_told("n/c 1 pods; n/c 1 jobs; complete", "whose Collector comes later");
    collector("m/a", CR("m", "a", "", JOB("j", "x:1")));
    is_told("m/a 0 pods; m/a 1 jobs; complete", "a label of another namespace is nobody's");
    collector("n/a", NULL);
    is_told("n/a 0 jobs gone; n/a 0 pods; complete", "one goes");
    pod("n/a-1", NULL);
    is_told("", "its pods follow");
    collector("n/c",
              "{\"kind\":\"OpenTelemetryCollector\",\"apiVersion\":\"opentelemetry.io/v1beta1\","
              "\"metadata\":{\"name\":\"c\",\"namespace\":\"n\"},\"spec\":{}}");
    is_told("n/c 0 jobs gone; n/c 0 pods; complete", "it wants no allocator any more");
    end();
}

static void test_faults(void)
{
    check_expect_errors(3);
    begin();
    put(CLUSTERLIST_PODS, NULL, NULL, true);
    put(CLUSTERLIST_COLLECTORS, "n/a", CR("n", "a", "", JOB("j", "x:1")), true);
    collector("n/b", CR("n", "b", FROM_THE_FUTURE, ""));
    is_told("n/a 0 pods; n/a 1 jobs; 1 gaps b: n/b: " NEWER "; complete", "a fault costs one");
    collector("n/a", CR("n", "a", "",
                        JOB("j", "x:1") "," JOB("k", "x:1") ",{\"job_name\":\"l\","
                                                            "\"scrape_interval\":\"x\"}"));
    is_told("n/a 2 jobs; complete", "or one job");
    collector("n/a", CR("n", "a", FROM_THE_FUTURE, ""));
    collector("n/b", NULL);
    is_told("1 gaps a: n/a: " NEWER "; complete", "what it had stays, and it is said");
    collector("n/a", CR("n", "a", "", JOB("j", "x:1") "," JOB("k", "x:1")));
    is_told("n/a 2 jobs; 0 gaps; complete", "mended");
    end();
}

/* Who may not read is told apart from who has nothing. */
static void test_refused(void)
{
    begin();
    goes(CLUSTERLIST_COLLECTORS, REFLECTOR_FORBIDDEN, "no right");
    is_told("", "pods are awaited");
    put(CLUSTERLIST_PODS, NULL, NULL, true);
    is_told("1 gaps the cluster: opentelemetrycollectors cannot be watched: no right; complete",
            "then it is said");
    goes(CLUSTERLIST_PODS, REFLECTOR_FORBIDDEN, "no more");
    is_told("1 gaps the cluster: opentelemetrycollectors cannot be watched: no right; complete",
            "what is known of pods stays");
    put(CLUSTERLIST_COLLECTORS, "n/a", CR("n", "a", "", JOB("j", "x:1")), true);
    is_told("n/a 0 pods; n/a 1 jobs; 0 gaps; complete", "the right came");
    goes(CLUSTERLIST_COLLECTORS, REFLECTOR_FAILING, "away");
    is_told("", "what is known stays");
    end();

    begin();
    put(CLUSTERLIST_PODS, NULL, NULL, true);
    goes(CLUSTERLIST_COLLECTORS, REFLECTOR_FAILING, "away");
    is_told("", "an API server that is away may still tell");
    end();

    begin();
    put(CLUSTERLIST_COLLECTORS, NULL, NULL, true);
    goes(CLUSTERLIST_PODS, REFLECTOR_ABSENT, "no pods");
    is_told("1 gaps the cluster: pods cannot be watched: no pods; complete",
            "no API server has none");
    end();
}

/* An older operator's kind, until it has the newer version. */
static void test_versions(void)
{
    begin();
    put(CLUSTERLIST_PODS, NULL, NULL, true);
    put_as(CLUSTERLIST_COLLECTORS, NULL, NULL, true, REFLECTOR_ABSENT);
    is_told("", "no v1beta1: v1alpha1 is awaited");
    ok(list.asks_old, "and asked for");
    put(CLUSTERLIST_OLD_COLLECTORS, "n/a", CR("n", "a", "", JOB("j", "x:1")), true);
    is_told("n/a 0 pods; n/a 1 jobs; complete", "which there is");
    put(CLUSTERLIST_OLD_COLLECTORS, "n/b", CR("n", "b", "", JOB("j", "x:1")), false);
    is_told("n/b 0 pods; n/b 1 jobs; complete", "and is followed");
    goes(CLUSTERLIST_COLLECTORS, REFLECTOR_STARTING, "");
    goes(CLUSTERLIST_COLLECTORS, REFLECTOR_FAILING, "away");
    is_told("", "v1beta1 seems to come, and nothing is known of it");
    put(CLUSTERLIST_COLLECTORS, "n/a", CR("n", "a", "", JOB("j", "x:1") "," JOB("k", "x:1")), true);
    is_told("n/a 2 jobs; n/b 0 jobs gone; n/b 0 pods; complete", "v1beta1 counts when it comes");
    put(CLUSTERLIST_OLD_COLLECTORS, "n/a", CR("n", "a", "", ""), false);
    is_told("", "and the other no more");

    now_ms = 1000;
    put_as(CLUSTERLIST_COLLECTORS, "n/a", NULL, true, REFLECTOR_ABSENT);
    put_as(CLUSTERLIST_OLD_COLLECTORS, "n/a", NULL, true, REFLECTOR_ABSENT);
    put_as(CLUSTERLIST_OLD_COLLECTORS, "n/b", NULL, false, REFLECTOR_ABSENT);
    is_told("", "neither is there");
    is_int(clusterlist_wait_ms(&list, 1000000, 2000), 29000, "which may be a moment's");
    put(CLUSTERLIST_PODS, "n/a-0", POD("a-0", "n.a"), false);
    is_told("n/a 1 pods; complete", "when pods go on");
    now_ms = 20000;
    goes(CLUSTERLIST_COLLECTORS, REFLECTOR_FAILING, "away");
    is_told("", "who fails knows no more than before");
    put(CLUSTERLIST_COLLECTORS, "n/a", CR("n", "a", "", JOB("j", "x:1") "," JOB("k", "x:1")), true);
    is_told("", "it was");
    put_as(CLUSTERLIST_COLLECTORS, "n/a", NULL, true, REFLECTOR_ABSENT);
    is_told("", "away again");
    now_ms = 49999;
    is_told("", "for not so long");
    now_ms = 50000;
    is_told("n/a 0 jobs gone; n/a 0 pods; complete", "for half a minute: it is gone");
    now_ms = 0;
    end();

    begin();
    put(CLUSTERLIST_PODS, NULL, NULL, true);
    put_as(CLUSTERLIST_COLLECTORS, NULL, NULL, true, REFLECTOR_ABSENT);
    put_as(CLUSTERLIST_OLD_COLLECTORS, NULL, NULL, true, REFLECTOR_ABSENT);
    is_told("complete", "no such kind at all is no Collector");
    put(CLUSTERLIST_COLLECTORS, "n/a", CR("n", "a", "", JOB("j", "x:1")), true);
    is_told("n/a 0 pods; n/a 1 jobs; complete", "until it comes");
    end();
}

int main(void)
{
    clusterlist_init(&list);
    is_int(clusterlist_fd(&list), -1, "no cluster, nothing comes");
    is_int(clusterlist_wait_ms(&list, 70, 5), 70, "nor is it due");
    clusterlist_turn(&list, 0, 0);
    clusterlist_fini(&list);
    engine = mailbox_new(0);
    test_changes();
    test_faults();
    test_refused();
    test_versions();
    mailbox_free(&engine);
    return check_done();
}

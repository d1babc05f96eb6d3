/* Sections of kubernetes_sd_configs at the engine, whose watcher is played here: which collections
 * it asks for and lets go, when jobs have an answer, and that a change reaches every job that
 * shares the section. */
#include "allocator/base/container.h"
#include "allocator/discovery/objectarrival.h"
#include "allocator/engine/wants.h"
#include "tests/check.h"
#include "tests/unit/engine/side.h"

struct asked {
    uint64_t id;
    char what[64];
    bool is_there;
};

static struct side side;
static struct objectdraft draft;
static struct asked asked[32];
static size_t n_asked;

static void note_want(const struct want *w)
{
    struct asked *a = &asked[n_asked++];

    is_int(w->ask.carrier, CARRIER_KUBE, "a collection");
    a->id = w->id;
    a->is_there = true;
    (void)snprintf(a->what, sizeof(a->what), "%.*s@%.*s", SPAN_ARG(w->ask.kube.resource),
                   SPAN_ARG(w->ask.kube.namespace));
}

static void note_cancel(const struct want_change *c)
{
    for (size_t i = 0; i < n_asked; i++) {
        asked[i].is_there = asked[i].is_there && asked[i].id != c->id;
    }
}

/* What is asked for now, sorted as it was asked for. */
static const char *listen(void)
{
    static char text[256];
    size_t n = 0;

    for (struct mail *mail = mailbox_drain(side.wants), *next; mail != NULL; mail = next) {
        next = mail->next;
        if (mail->kind == WATCHER_WANT_ADD) {
            note_want(CONTAINER_OF(mail, struct want, mail));
        } else {
            is_int(mail->kind, WATCHER_WANT_CANCEL, "nothing is asked twice");
            note_cancel(CONTAINER_OF(mail, struct want_change, mail));
        }
        mail->dispose(mail);
    }
    text[0] = '\0';
    for (size_t i = 0; i < n_asked; i++) {
        if (asked[i].is_there) {
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n == 0 ? "" : " ",
                                  asked[i].what);
        }
    }
    return text;
}

static void begin(void)
{
    objectdraft_mark(&draft, OBJECTS_BEGIN);
}

static void put(const char *key, const char *object)
{
    buf_add_str(&draft.text, object);
    objectdraft_add(&draft, OBJECT_SET, strlen(object), span_of(key), SPAN_LIT("1"));
}

static void commit(void)
{
    objectdraft_mark(&draft, OBJECTS_COMMIT);
}

static void say(const char *what, enum reflector_state is, const char *problem)
{
    const struct reflector_report report = { .state = is, .problem = problem };
    AUTO(objectbatch) batch = objectdraft_take(&draft);

    role_enter(engine);
    (void)listen();
    for (size_t i = 0; i < n_asked; i++) {
        if (asked[i].is_there && strcmp(asked[i].what, what) == 0) {
            struct object_arrival *a = object_arrival_new(asked[i].id, batch, &report);
            state_take_objects(side.state, a);
            a->mail.dispose(&a->mail);
        }
    }
    publish(&side);
}

static void send(const char *what)
{
    say(what, REFLECTOR_FOLLOWING, "");
}

static bool is_known(size_t job)
{
    return shown(&side)->is_synced && shown(&side)->rows[job] != NULL;
}

static size_t targets(size_t job)
{
    return is_known(job) ? shown(&side)->rows[job]->n_targets : 999;
}

#define POD(name, ip)                                                                              \
    "{\"metadata\":{\"name\":\"" name                                                              \
    "\",\"namespace\":\"n\"},\"spec\":{\"containers\":[{\"name\":"                                 \
    "\"c\",\"ports\":[{\"containerPort\":80}]}]},\"status\":{\"podIP\":\"" ip "\"}}"
#define SLICE(ip)                                                                                  \
    "{\"metadata\":{\"name\":\"e\",\"namespace\":\"n\"},\"addressType\":\"IPv4\",\"endpoints\":[{" \
    "\"addresses\":[\"" ip "\"],\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"n\",\"name\":"     \
    "\"a\"}}],\"ports\":[{\"port\":80}]}"

static const char pods_twice[] =
    "config:\n  scrape_configs:\n"
    "  - {job_name: a, kubernetes_sd_configs: [{role: pod}]}\n"
    "  - {job_name: b, kubernetes_sd_configs: [{role: pod}], relabel_configs: [{action: keep, "
    "source_labels: [__meta_kubernetes_pod_name], regex: x}]}\n"
    "filter_strategy: relabel-config\n";
static const char slices_too[] =
    "config:\n  scrape_configs:\n"
    "  - {job_name: a, kubernetes_sd_configs: [{role: pod}]}\n"
    "  - {job_name: c, kubernetes_sd_configs: [{role: endpointslice}], relabel_configs: [{action: "
    "labelmap, regex: __meta_kubernetes_pod_label_(.+)}]}\n"
    "filter_strategy: relabel-config\n";

static void test_first_answer(void)
{
    configure_text(&side, pods_twice, 2);
    publish(&side);
    is_str(listen(), "pods@", "two jobs with one section ask once");
    ok(!shown(&side)->is_synced, "nothing is known");
    say("pods@", REFLECTOR_FORBIDDEN, "no");
    ok(!shown(&side)->is_synced, "who may not look has not looked");
    begin();
    put("n/x", POD("x", "1.1.1.1"));
    put("n/y", POD("y", "1.1.1.2"));
    send("pods@");
    ok(!shown(&side)->is_synced, "half a list is none");
    commit();
    send("pods@");
    is_int(targets(0), 2, "both pods");
    is_int(targets(1), 1, "the one that is kept");
}

static void test_changes(void)
{
    put("n/x", POD("x", "1.1.1.9"));
    send("pods@");
    ok(page_has(&side, 0, "1.1.1.9:80") && page_has(&side, 1, "1.1.1.9:80"),
       "a change reaches all who share the section");
    put("n/x", "{\"metadata\":{\"name\":3}}");
    send("pods@");
    ok(page_has(&side, 0, "1.1.1.9:80"), "what cannot be read stays as it was");
    is_int(targets(0), 2, "and costs nobody else anything");
    objectdraft_add(&draft, OBJECT_GONE, 0, SPAN_LIT("n/y"), SPAN_LIT("2"));
    say("pods@", REFLECTOR_FAILING, "cut");
    is_int(targets(0), 1, "what is gone is gone");
    begin();
    commit();
    objectdraft_mark(&draft, OBJECTS_BEGIN);
    objectdraft_mark(&draft, OBJECTS_DROP);
    say("pods@", REFLECTOR_FAILING, "cut");
    is_int(targets(0), 1, "a list that fails changes nothing");
}

static void test_joining(void)
{
    configure_text(&side, slices_too, 2);
    publish(&side);
    is_str(listen(), "pods@ services@ endpointslices@", "what is known is not asked for again");
    is_int(targets(0), 1, "a job that stays keeps what it has");
    ok(!is_known(1), "a new one has no answer");
    begin();
    put("n/e", SLICE("1.1.1.5"));
    commit();
    send("endpointslices@");
    ok(!is_known(1), "nor when it knows some of what it needs");
    begin();
    commit();
    send("services@");
    is_int(targets(1), 1, "with the last of it");
    ok(!page_has(&side, 1, "__meta_kubernetes_pod_name"), "the pod is not known");
    put("n/a", POD("a", "1.1.1.5"));
    send("pods@");
    ok(page_has(&side, 1, "\"__meta_kubernetes_pod_name\":\"a\""),
       "a pod that comes reaches the slice that points to it");
    is_int(targets(0), 2, "and is a pod");
}

struct told {
    struct buf text;
};

static void tell_target(void *arg, const struct explain_target *t)
{
    struct told *told = arg;

    buf_addf(&told->text, "%.*s %.*s %.*s%s\n", SPAN_ARG(t->job->name), SPAN_ARG(t->source),
             SPAN_ARG(t->address), t->is_served ? "" : " not served");
}

static void test_explained(void)
{
    const struct explain_question all = { 0 };
    struct told told;

    side.explain = explain_new(side.state);
    buf_init(&told.text, 1 << 16);
    explain_targets(side.explain, &all, tell_target, &told);
    is_span(buf_span(&told.text),
            SPAN_LIT("a pod/n/a 1.1.1.5:80\na pod/n/x 1.1.1.9:80\n"
                     "c endpointslice/n/e 1.1.1.5:80\n"),
            "why a target is there can be told");
    objectdraft_add(&draft, OBJECT_GONE, 0, SPAN_LIT("n/x"), SPAN_LIT("3"));
    send("pods@");
    buf_clear(&told.text);
    explain_targets(side.explain, &all, tell_target, &told);
    is_span(buf_span(&told.text),
            SPAN_LIT("a pod/n/a 1.1.1.5:80\nc endpointslice/n/e 1.1.1.5:80\n"), "of what there is");
    put("n/x", POD("x", "1.1.1.9"));
    send("pods@");
    buf_fini(&told.text);
    explain_free(&side.explain);
}

static void test_later_users(void)
{
    AUTO_STR more = mem_printf("%s", slices_too);
    char *end = strstr(more, "filter_strategy");
    AUTO_STR text =
        mem_printf("%.*s  - {job_name: d, kubernetes_sd_configs: [{role: pod}]}\nfilter_strategy: "
                   "relabel-config\n",
                   (int)(end - more), more);

    configure_text(&side, text, 2);
    publish(&side);
    is_str(listen(), "pods@ services@ endpointslices@", "nothing new is asked for");
    is_int(targets(2), 2, "who comes later is served from what is known, at once");
    is_int(targets(0), 2, "and nobody else notices");
    configure_text(&side,
                   "config: {scrape_configs: [{job_name: z, static_configs: [{targets: "
                   "[x]}]}]}\n",
                   2);
    publish(&side);
    is_str(listen(), "", "what nobody needs is let go");
    configure_text(&side, pods_twice, 2);
    publish(&side);
    is_str(listen(), "pods@", "and asked for anew");
    ok(!is_known(0), "for it is not known any more");
}

int main(void)
{
    side_init(&side);
    objectdraft_init(&draft, 1 << 20);
    test_first_answer();
    test_changes();
    test_joining();
    test_explained();
    test_later_users();
    objectdraft_fini(&draft);
    side_fini(&side);
    return check_done();
}

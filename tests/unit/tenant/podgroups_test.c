/* Which pods are whose collectors, as they come, fail, change hands and go. */
#include "allocator/tenant/podgroups.h"

#include "allocator/base/limits.h"
#include "tests/check.h"

#include <string.h>

#define GRACE_MS 30000
#define WALL_MS 1796068800000

static struct podgroups groups;
static struct buf changes;

static void note(void *arg, struct span key)
{
    (void)arg;
    buf_addf(&changes, "%.*s ", SPAN_ARG(key));
}

/* One batch: a list, or an event; 'instance' is NULL: the pod is gone. Of whom that makes news. */
static void tell(bool is_list, const char *key, const char *instance, bool is_ready, int64_t now_ms,
                 const char *want)
{
    struct objectdraft draft;

    objectdraft_init(&draft, MIB);
    if (is_list) {
        objectdraft_mark(&draft, OBJECTS_BEGIN);
    }
    if (key != NULL && instance == NULL) {
        objectdraft_add(&draft, OBJECT_GONE, 0, span_of(key), SPAN_LIT(""));
    } else if (key != NULL) {
        size_t from = draft.text.len;
        buf_addf(
            &draft.text,
            "{\"metadata\":{\"name\":\"%s\",\"labels\":{\"app.kubernetes.io/instance\":\"%s\"}},"
            "\"spec\":{\"nodeName\":\"m\"},\"status\":{\"phase\":\"Running\",\"conditions\":[{"
            "\"type\":\"Ready\",\"status\":\"%s\",\"lastTransitionTime\":"
            "\"2026-11-30T20:00:00Z\"}]}}",
            strchr(key, '/') + 1, instance, is_ready ? "True" : "False");
        objectdraft_add(&draft, OBJECT_SET, draft.text.len - from, span_of(key), SPAN_LIT("1"));
    }
    if (is_list) {
        objectdraft_mark(&draft, OBJECTS_COMMIT);
    }
    struct objectbatch *batch = objectdraft_take(&draft);
    if (batch != NULL) {
        podgroups_take(&groups, batch, now_ms, WALL_MS + now_ms);
    }
    objectbatch_free(&batch);
    objectdraft_fini(&draft);
    buf_clear(&changes);
    podgroups_settle(&groups, now_ms, note, NULL);
    buf_add_char(&changes, '\0');
    is_str(changes.p, want, "%s at %lld", key == NULL ? "nothing" : key, (long long)now_ms);
}

static void due(int64_t now_ms, const char *want)
{
    buf_clear(&changes);
    podgroups_settle(&groups, now_ms, note, NULL);
    buf_add_char(&changes, '\0');
    is_str(changes.p, want, "what is due at %lld", (long long)now_ms);
}

static void has(const char *ns, const char *instance, const char *want)
{
    struct collectorlist list;
    AUTO_BUF names;

    buf_init(&names, KIB);
    collectorlist_init(&list);
    AUTO_STR key = mem_printf("%s/%s", ns, instance);
    bool is_known = podgroups_list(&groups, span_of(key), &list);
    for (size_t i = 0; i < list.n; i++) {
        buf_addf(&names, "%s%.*s", i > 0 ? " " : "", SPAN_ARG(list.v[i].name));
    }
    buf_add_str(&names, is_known ? "" : "?");
    buf_add_char(&names, '\0');
    is_str(names.p, want, "of %s/%s", ns, instance);
    collectorlist_fini(&list);
}

static void test_instance(void)
{
    static const struct {
        const char *ns, *name, *want;
    } t[] = {
        { "shop", "many", "shop.many" },
        { "n", "a.b", "n.a.b" },
        /* the namespace is cut first, and then the whole */
        { "abcdefghij", "n23456789012345678901234567890123456789012345678901234",
          "abcdefgh.n23456789012345678901234567890123456789012345678901234" },
        { "abc", "n2345678901234567890123456789012345678901234567890123456789012345",
          ".n2345678901234567890123456789012345678901234567890123456789012" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        AUTO_BUF out;
        buf_init(&out, KIB);
        podgroups_instance(span_of(t[i].ns), span_of(t[i].name), &out);
        is_span(buf_span(&out), span_of(t[i].want), "%s.%s", t[i].ns, t[i].name);
        ok(out.len <= 63, "is a label");
    }
}

int main(void)
{
    test_instance();
    buf_init(&changes, KIB);
    podgroups_init(&groups, GRACE_MS);
    has("n", "n.a", "?");
    tell(false, NULL, NULL, false, 0, "");
    tell(true, "n/a-0", "n.a", true, 0, "n/n.a ");
    has("n", "n.a", "a-0");
    has("n", "n.b", "");
    has("m", "n.a", "");
    tell(false, "n/b-0", "n.b", true, 10, "n/n.b ");
    tell(false, "m/a-0", "n.a", true, 20, "m/n.a "); /* a label that says so in another namespace */
    has("n", "n.a", "a-0");
    has("m", "n.a", "a-0");
    tell(false, "n/a-1", "n.a", true, 30, "n/n.a ");
    has("n", "n.a", "a-0 a-1");

    tell(false, "n/a-1", "n.a", false, 40, "n/n.a ");
    has("n", "n.a", "a-0 a-1");
    ok(groups.due_ms > 40 && groups.due_ms <= 40 + GRACE_MS, "its grace ends some time");
    int64_t due_ms = groups.due_ms;
    due(due_ms - 1, "");
    due(due_ms, "n/n.a ");
    has("n", "n.a", "a-0");

    tell(false, "n/a-0", "n.b", true, 40000, "n/n.a n/n.b "); /* changes hands */
    has("n", "n.a", "");
    has("n", "n.b", "a-0 b-0");
    tell(false, "n/a-0", NULL, false, 40010, "n/n.b ");
    has("n", "n.b", "b-0");
    tell(false, "n/zzz", NULL, false, 40020, "");
    tell(true, NULL, NULL, false, 40030, "");
    has("n", "n.b", "b-0");
    tell(false, "n/b-0", NULL, false, 40040, "n/n.b ");
    has("n", "n.b", "");
    podgroups_fini(&groups);
    buf_fini(&changes);
    return check_done();
}

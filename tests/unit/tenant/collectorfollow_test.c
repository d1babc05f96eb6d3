/* Pods as the API server writes them, and who is a collector then. */
#include "allocator/tenant/collectorfollow.h"

#include "allocator/base/limits.h"
#include "tests/check.h"

#include <stdio.h>
#include <string.h>

/* 2026-11-30T20:00:00Z */
#define WALL 1796068800000
#define POD(name, meta, node, ready, since)                                                        \
    "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"d\"" meta                                \
    "},\"spec\":{\"nodeName\":\"" node                                                             \
    "\"},\"status\":{\"podIP\":\"10.0.0.1\",\"phase\":\"Running\",\"startTime\":"                  \
    "\"2026-11-30T10:00:00Z\",\"conditions\":[{\"type\":\"Initialized\",\"status\":\"True\"},"     \
    "{\"type\":\"Ready\",\"status\":\"" ready "\",\"lastTransitionTime\":\"2026-11-30T" since      \
    "Z\"}]}}"
#define WELL(name) POD(name, "", "n", "True", "19:00:00")

static struct collectorfollow follow;
static struct objectdraft draft;

static void put(const char *key, const char *object)
{
    buf_add_str(&draft.text, object);
    objectdraft_add(&draft, OBJECT_SET, strlen(object), span_of(key), SPAN_LIT("1"));
}

static void gone(const char *key)
{
    objectdraft_add(&draft, OBJECT_GONE, 0, span_of(key), SPAN_LIT("1"));
}

/* What was put is told 'at_ms' after the beginning: who counts then, and when that changes next. */
static void tells(int64_t at_ms, const char *want)
{
    struct objectbatch *batch = objectdraft_take(&draft);
    struct collectorlist list;
    char got[256] = "";
    size_t n = 0;

    if (batch != NULL) {
        collectorfollow_take(&follow, batch, at_ms, WALL + at_ms);
        objectbatch_free(&batch);
    }
    int64_t due_ms = collectorfollow_settle(&follow, at_ms);
    collectorlist_init(&list);
    bool is_known = collectorfollow_list(&follow, &list);
    n += (size_t)snprintf(got, sizeof(got), "%s", is_known ? "" : "unknown");
    for (size_t i = 0; i < list.n; i++) {
        n += (size_t)snprintf(got + n, sizeof(got) - n, "%.*s@%.*s=%.*s ", SPAN_ARG(list.v[i].name),
                              SPAN_ARG(list.v[i].node), SPAN_ARG(list.v[i].address));
    }
    snprintf(got + n, sizeof(got) - n, "%lld", due_ms == INT64_MAX ? -1LL : (long long)due_ms);
    is_str(got, want, "at %d ms", (int)at_ms);
    collectorlist_fini(&list);
}

int main(void)
{
    collectorfollow_init(&follow, 30000);
    objectdraft_init(&draft, MIB);

    objectdraft_mark(&draft, OBJECTS_BEGIN);
    put("d/a", WELL("a"));
    tells(0, "unknown-1");
    put("d/b", POD("b", "", "", "False", "19:59:59"));
    objectdraft_mark(&draft, OBJECTS_COMMIT);
    tells(0, "a@n=10.0.0.1 -1");
    put("d/b", POD("b", "", "m", "False", "19:59:50"));
    tells(0, "a@n=10.0.0.1 b@m=10.0.0.1 20000");
    tells(19999, "a@n=10.0.0.1 b@m=10.0.0.1 20000");
    tells(20000, "a@n=10.0.0.1 -1");
    put("d/a",
        POD("a", ",\"deletionTimestamp\":\"2026-11-30T20:00:50Z\"", "n", "True", "19:00:00"));
    tells(20001, "-1");
    put("d/c", WELL("c"));
    tells(20002, "c@n=10.0.0.1 -1");
    put("d/c", "{\"status\":{\"phase\":3}}");
    tells(20003, "c@n=10.0.0.1 -1");
    put("d/e", "{\"metadata\":{\"name\":\"e\"},\"spec\":{\"nodeName\":\"n\"},\"status\":{\"phase\":"
               "\"Running\"}}");
    tells(20004, "c@n=10.0.0.1 e@n= -1");
    gone("d/e");
    gone("d/c");
    tells(20005, "-1");

    objectdraft_fini(&draft);
    collectorfollow_fini(&follow);
    return check_done();
}

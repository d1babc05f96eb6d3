/* What a carrier tells of pods, and when that is an answer. */
#include "webhook/podlist.h"

#include "allocator/base/limits.h"
#include "allocator/discovery/objectarrival.h"
#include "tests/check.h"

static struct podlist pods;

/* A list of what 'pod' is (NULL: nothing), and how it goes. */
static void tell(const char *pod, enum reflector_state state)
{
    const struct reflector_report report = { .state = state, .problem = "" };
    struct objectdraft draft;

    objectdraft_init(&draft, MIB);
    objectdraft_mark(&draft, OBJECTS_BEGIN);
    if (pod != NULL) {
        buf_add_str(&draft.text, pod);
        objectdraft_add(&draft, OBJECT_SET, strlen(pod), SPAN_LIT("n/a"), SPAN_LIT("1"));
    }
    objectdraft_mark(&draft, OBJECTS_COMMIT);
    struct objectbatch *batch = objectdraft_take(&draft);
    object_arrival_post(object_arrival_new(1, batch, &report), pods.box);
    objectbatch_free(&batch);
    objectdraft_fini(&draft);
    podlist_turn(&pods, 0, 1796068800000);
}

static size_t count(void)
{
    struct collectorlist list;

    collectorlist_init(&list);
    podlist_get(&pods, &list);
    size_t n = list.n;
    collectorlist_fini(&list);
    return n;
}

int main(void)
{
    podlist_init(&pods);
    ok(podlist_is_known(&pods), "nothing to know");
    is_int(podlist_fd(&pods), -1, "and nothing comes");
    podlist_turn(&pods, 0, 0);
    is_int(podlist_wait_ms(&pods, 70, 5), 70, "nothing becomes due");
    podlist_fini(&pods);

    pods.is_on = true;
    pods.box = mailbox_new(0);
    collectorfollow_init(&pods.follow, 30000);
    ok(!podlist_is_known(&pods), "not known");
    tell(NULL, REFLECTOR_ABSENT);
    ok(!podlist_is_known(&pods), "an API server that has no pods is none");
    tell(NULL, REFLECTOR_FOLLOWING);
    ok(podlist_is_known(&pods) && count() == 0, "known, and empty");
    tell("{\"metadata\":{\"name\":\"a\"},\"spec\":{\"nodeName\":\"m\"},\"status\":{\"phase\":"
         "\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\","
         "\"lastTransitionTime\":\"2026-11-30T19:59:50Z\"}]}}",
         REFLECTOR_FOLLOWING);
    is_int(count(), 1, "one collector");
    is_int(podlist_wait_ms(&pods, 70000, 5), 19995, "until its grace is over");
    is_int(podlist_wait_ms(&pods, 70, 5), 70, "or the keeper has something else to do");
    is_int(podlist_wait_ms(&pods, 70, 30000), 0, "what is due is due");
    podlist_turn(&pods, 20000, 1796068820000);
    is_int(count(), 0, "then it is none");
    podlist_fini(&pods);
    return check_done();
}

/* A replica of a collection: what counts when, and of what changes somebody hears. */
#include "allocator/kube/replica.h"

#include "allocator/base/limits.h"
#include "tests/check.h"

#include <stdio.h>

static struct replica replica;
static struct objectdraft draft;
static char heard[512];

static void changed(void *arg, struct span key)
{
    size_t n = strlen(heard);
    struct span cut;
    bool is_there = replica_find(arg, key, &cut);

    (void)snprintf(heard + n, sizeof(heard) - n, "%s%.*s%s", n == 0 ? "" : " ", SPAN_ARG(key),
                   is_there ? "" : "-");
}

static void unreadable(void *arg, struct span key, const struct err *err)
{
    size_t n = strlen(heard);

    (void)arg;
    (void)snprintf(heard + n, sizeof(heard) - n, "%s%.*s!(%.99s)", n == 0 ? "" : " ", SPAN_ARG(key),
                   err->text);
}

static void put(const char *key, const char *object)
{
    buf_add_str(&draft.text, object);
    objectdraft_add(&draft, OBJECT_SET, strlen(object), span_of(key), SPAN_LIT("1"));
}

static void gone(const char *key)
{
    objectdraft_add(&draft, OBJECT_GONE, 0, span_of(key), SPAN_LIT("1"));
}

/* What was put and marked since the last call. */
static const char *take(void)
{
    const struct replica_hooks hooks = { changed, unreadable, &replica };
    struct objectbatch *batch = objectdraft_take(&draft);

    heard[0] = '\0';
    replica_take(&replica, batch, &hooks);
    objectbatch_free(&batch);
    return heard;
}

#define NODE(id) "{\"metadata\":{\"name\":\"n\"},\"spec\":{\"providerID\":\"" id "\"}}"

int main(void)
{
    struct span cut;

    replica_init(&replica, OBJECT_NODE);
    objectdraft_init(&draft, 1 << 20);

    objectdraft_mark(&draft, OBJECTS_BEGIN);
    put("a", NODE("1"));
    is_str(take(), "", "a list does not count before its end");
    ok(!replica_find(&replica, SPAN_LIT("a"), &cut) && !replica.is_known, "nothing is known");
    put("b", NODE("2"));
    objectdraft_mark(&draft, OBJECTS_COMMIT);
    is_str(take(), "a b", "then it counts as a whole");
    ok(replica.is_known, "the collection is known");
    ok(replica_find(&replica, SPAN_LIT("a"), &cut), "an object is there");
    is_span(cut, SPAN_LIT(NODE("1")), "its cut");

    put("a", NODE("3"));
    is_str(take(), "a", "outside of lists changes count at once");
    put("a", "{\"status\":{\"images\":[]},\"metadata\":{\"name\":\"n\"},\"spec\":{\"providerID\":"
             "\"3\"}}");
    (void)take();
    put("a", "{\"status\":{\"images\":[1]},\"metadata\":{\"name\":\"n\"},\"spec\":{\"providerID\":"
             "\"3\"}}");
    is_str(take(), "", "a change that no cut shows is none");
    put("a", "{\"spec\":3}");
    is_str(take(), "a!(spec has the wrong type)", "what cannot be read is told");
    put("a", "{\"metadata\":{\"name\":3}}");
    is_str(take(), "a!(name has the wrong type)", "in a member that is cut as it is, too");
    ok(replica_find(&replica, SPAN_LIT("a"), &cut), "and stays as it was");
    gone("c");
    gone("b");
    is_str(take(), "b-", "what is gone is gone, what never was is no news");
    size_t size = replica.size_bytes;

    objectdraft_mark(&draft, OBJECTS_BEGIN);
    put("d", NODE("4"));
    gone("a");
    (void)take();
    objectdraft_mark(&draft, OBJECTS_DROP);
    is_str(take(), "", "a list that is dropped never was");
    is_int(replica.size_bytes, size, "and takes no room");
    objectdraft_mark(&draft, OBJECTS_BEGIN);
    put("e", NODE("5"));
    objectdraft_mark(&draft, OBJECTS_BEGIN);
    put("f", NODE("6"));
    gone("a");
    objectdraft_mark(&draft, OBJECTS_COMMIT);
    is_str(take(), "f a-", "a list that begins anew forgets the one before");
    is_int(replica.objects.n, 1, "one object is left");
    gone("f");
    (void)take();
    is_int(replica.size_bytes, 0, "nothing, no room");

    objectdraft_mark(&draft, OBJECTS_BEGIN);
    put("g", NODE("7"));
    (void)take();
    replica_fini(&replica); /* in the middle of a list */
    objectdraft_fini(&draft);
    return check_done();
}

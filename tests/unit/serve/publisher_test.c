/* Nothing is freed while a snapshot that may show it lives. */
#include "allocator/serve/publisher.h"

#include "allocator/base/mem.h"
#include "tests/check.h"

static size_t n_freed;

static void note_free(void *part)
{
    (void)part;
    n_freed++;
}

static void test_reclamation(void)
{
    struct publisher *p = publisher_new();
    const struct page_row *rows[2] = { NULL, NULL };
    int a = 0, b = 0, c = 0;

    n_freed = 0;
    publisher_retire(p, &a, note_free);
    is_int(publisher_reap(p), 0, "no snapshot yet");
    is_int(n_freed, 1, "what no snapshot ever showed goes at once");
    publisher_retire(p, NULL, note_free);

    const struct snapshot *one = publisher_publish(p, NULL, rows, 2, false);
    is_int(one->sequence, 1, "first");
    is_int(one->n_jobs, 2, "rows");
    publisher_retire(p, &b, note_free);
    is_int(publisher_reap(p), 1, "only the current one");
    is_int(n_freed, 1, "what the current one shows stays");

    snapshot_get(one); /* a second reader */
    const struct snapshot *two = publisher_publish(p, NULL, rows, 0, true);
    is_int(publisher_reap(p), 2, "the old one is pinned");
    is_int(n_freed, 1, "and keeps its parts");
    publisher_retire(p, &c, note_free);
    snapshot_put(one);
    is_int(publisher_reap(p), 2, "still pinned once");
    snapshot_put(one);
    is_int(publisher_reap(p), 1, "the old one is gone");
    is_int(n_freed, 2, "and with it what only it showed");
    snapshot_put(two);
    is_int(publisher_reap(p), 1, "the current one stays without readers");
    publisher_free(&p);
    is_int(n_freed, 3, "the end frees the rest");
    ok(p == NULL, "and forgets the publisher");
    publisher_free(&p);
}

/* A slow reader of an old snapshot holds back what was retired after it, and nothing else is lost
 * or freed twice. */
static void test_many(void)
{
    enum { N = 1000 };
    struct publisher *p = publisher_new();
    const struct snapshot *held = NULL;
    int part = 0;

    n_freed = 0;
    for (int i = 0; i < N; i++) {
        const struct snapshot *s = publisher_publish(p, NULL, NULL, 0, true);
        publisher_retire(p, &part, note_free);
        if (i == N / 2) {
            held = s;
        } else {
            snapshot_put(s);
        }
        publisher_reap(p);
    }
    is_int(publisher_reap(p), 2, "the held one and the current one");
    is_int(n_freed, N / 2, "only parts older than the held one are gone");
    snapshot_put(held);
    is_int(publisher_reap(p), 1, "released");
    is_int(n_freed, N - 1, "all but what the current one shows");
    publisher_free(&p);
    is_int(n_freed, N, "each part once");
}

/* A connection that does not close when the process ends. */
static void test_pinned_at_the_end(void)
{
    struct publisher *p = publisher_new();
    int before = 0, shown = 0, after = 0;

    n_freed = 0;
    snapshot_put(publisher_publish(p, NULL, NULL, 0, true));
    publisher_retire(p, &before, note_free);
    const struct snapshot *pinned = publisher_publish(p, NULL, NULL, 0, true);
    publisher_retire(p, &shown, note_free);
    snapshot_put(publisher_publish(p, NULL, NULL, 0, true));
    publisher_retire(p, &after, note_free);
    publisher_free(&p);
    ok(p == NULL, "a publisher goes although a request holds a snapshot");
    is_int(n_freed, 1, "what the request may read stays, what it cannot does not");
    is_int(pinned->sequence, 2, "its snapshot is there");
    snapshot_put(pinned);
    mem_free((struct snapshot *)(uintptr_t)pinned);
}

int main(void)
{
    test_reclamation();
    test_many();
    test_pinned_at_the_end();
    return check_done();
}

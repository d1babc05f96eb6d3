/* Nothing is freed while a snapshot that may show it lives. */
#include "allocator/serve/publisher.h"

#include "allocator/base/limits.h"
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
    publisher_retire(p, &a, 1, note_free);
    is_int(publisher_reap(p), 0, "no snapshot yet");
    is_int(n_freed, 1, "what no snapshot ever showed goes at once");
    publisher_retire(p, NULL, 1, note_free);

    const struct snapshot *one = publisher_publish(p, NULL, rows, 2, false);
    is_int(one->sequence, 1, "first");
    is_int(one->n_jobs, 2, "rows");
    publisher_retire(p, &b, 1, note_free);
    is_int(publisher_reap(p), 1, "only the current one");
    is_int(n_freed, 1, "what the current one shows stays");

    snapshot_get(one); /* a second reader */
    const struct snapshot *two = publisher_publish(p, NULL, rows, 0, true);
    is_int(publisher_reap(p), 2, "the old one is pinned");
    is_int(n_freed, 1, "and keeps its parts");
    publisher_retire(p, &c, 1, note_free);
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
        publisher_retire(p, &part, 1, note_free);
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
    publisher_retire(p, &before, 1, note_free);
    const struct snapshot *pinned = publisher_publish(p, NULL, NULL, 0, true);
    publisher_retire(p, &shown, 1, note_free);
    snapshot_put(publisher_publish(p, NULL, NULL, 0, true));
    publisher_retire(p, &after, 1, note_free);
    publisher_free(&p);
    ok(p == NULL, "a publisher goes although a request holds a snapshot");
    is_int(n_freed, 1, "what the request may read stays, what it cannot does not");
    is_int(pinned->sequence, 2, "its snapshot is there");
    snapshot_put(pinned);
    mem_free((struct snapshot *)(uintptr_t)pinned);
}

/* Readers hold old snapshots while everything changes again and again: the publisher says up to
 * which of them should go. */
static void test_crowding(void)
{
    enum { PARTS = 64, PART_BYTES = 2 * LIMIT_PINNED_BYTES / PARTS };
    struct publisher *p = publisher_new();
    const struct snapshot *held[PARTS];
    int part = 0;
    uint64_t n_calm = 0;

    n_freed = 0;
    for (size_t i = 0; i < PARTS; i++) {
        held[i] = publisher_publish(p, NULL, NULL, 0, true);
        publisher_retire(p, &part, PART_BYTES, note_free);
        publisher_reap(p);
        n_calm += publisher_crowding(p) == 0;
    }
    is_int(n_calm, PARTS / 2, "no crowd while as much as is allowed is held");
    uint64_t sequence = publisher_crowding(p);
    is_int(sequence, PARTS * 3 / 4, "then the older ones have to go");
    for (size_t i = 0; i < sequence; i++) {
        snapshot_put(held[i]);
    }
    publisher_reap(p);
    is_int(n_freed, PARTS * 3 / 4, "with half of what is allowed they take the rest");
    is_int(publisher_crowding(p), 0, "and the others may stay");
    for (size_t i = sequence; i < PARTS; i++) {
        snapshot_put(held[i]);
    }
    publisher_reap(p);
    publisher_retire(p, &part, 2 * LIMIT_PINNED_BYTES, note_free);
    is_int(publisher_crowding(p), 0, "what only the current one shows is no crowd");
    publisher_free(&p);
}

/* Small ones, but many. */
static void test_crowd_of_snapshots(void)
{
    struct publisher *p = publisher_new();
    const struct snapshot *held[LIMIT_PINNED_SNAPSHOTS + 1];

    for (size_t i = 0; i < COUNT(held); i++) {
        is_int(publisher_crowding(p), 0, "%zu snapshots", i);
        held[i] = publisher_publish(p, NULL, NULL, 0, true);
    }
    is_int(publisher_crowding(p), LIMIT_PINNED_SNAPSHOTS / 2 + 2, "too many snapshots");
    for (size_t i = 0; i < COUNT(held); i++) {
        snapshot_put(held[i]);
    }
    publisher_free(&p);
}

int main(void)
{
    test_reclamation();
    test_many();
    test_pinned_at_the_end();
    test_crowding();
    test_crowd_of_snapshots();
    return check_done();
}

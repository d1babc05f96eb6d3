/* Pods as collectors: who counts when, by given clocks, and random histories against a model that
 * remembers everything. */
#include "allocator/tenant/collectorpods.h"

#include "allocator/base/mem.h"
#include "tests/check.h"

#include <stdio.h>
#include <string.h>

#define GRACE 30000
#define NEVER INT64_MAX

static struct collectorpods pods;

enum look { WELL, ILL, PENDING, NOWHERE, TERMINATING };

static void see(const char *name, enum look look, int64_t for_ms, int64_t now_ms)
{
    const struct podstate pod = {
        .name = span_of(name),
        .node = look == NOWHERE ? SPAN_LIT("") : SPAN_LIT("n"),
        .address = SPAN_LIT("10.0.0.1"),
        .is_terminating = look == TERMINATING,
        .is_running = look != PENDING && look != NOWHERE,
        .is_ready = look == WELL || look == TERMINATING,
        .started_ms_ago = look == PENDING ? for_ms : 3600000, /* a running pod may be old */
        .turned_ms_ago = look == PENDING ? 0 : for_ms,
    };
    collectorpods_see(&pods, &pod, now_ms);
}

/* The names that count, with a blank between two. */
static const char *listed(void)
{
    static char text[256];
    struct collectorlist list;
    size_t n = 0;

    text[0] = '\0';
    collectorlist_init(&list);
    collectorpods_list(&pods, &list);
    for (size_t i = 0; i < list.n; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s", i == 0 ? "" : " ",
                              SPAN_ARG(list.v[i].name));
    }
    collectorlist_fini(&list);
    return text;
}

static const char *settled(int64_t now_ms)
{
    (void)!collectorpods_settle(&pods, now_ms);
    return listed();
}

static void begin(int64_t grace_ms)
{
    collectorpods_fini(&pods);
    collectorpods_init(&pods, grace_ms);
}

static void test_coming_and_going(void)
{
    struct collectorlist list;

    begin(GRACE);
    is_int(collectorpods_settle(&pods, 0), NEVER, "without pods nothing is due");
    is_str(listed(), "", "and nobody counts");
    see("b", WELL, 0, 10);
    see("a", WELL, 0, 10);
    see("c", NOWHERE, 0, 10);
    is_int(collectorpods_settle(&pods, 10), NEVER, "nothing is due of pods that are well");
    is_str(listed(), "a b", "they count at once, but for the one without a node");
    collectorlist_init(&list);
    collectorpods_list(&pods, &list);
    is_span(list.v[0].node, SPAN_LIT("n"), "with their node");
    is_span(list.v[0].address, SPAN_LIT("10.0.0.1"), "and address");
    collectorlist_fini(&list);
    see("c", WELL, 0, 20);
    is_str(settled(20), "a b c", "which does when it has one");
    see("b", TERMINATING, 0, 30);
    is_str(settled(30), "a c", "one that terminates leaves at once, ready or not");
    see("b", WELL, 0, 40);
    collectorpods_gone(&pods, SPAN_LIT("a"));
    collectorpods_gone(&pods, SPAN_LIT("nobody"));
    is_str(settled(40), "b c", "who is gone is gone");
}

static void test_grace(void)
{
    begin(GRACE);
    see("a", WELL, 0, 0);
    see("b", ILL, 1000, 5000);
    is_int(collectorpods_settle(&pods, 5000), 34000, "grace counts from when it turned");
    is_str(settled(33999), "a b", "until then it counts");
    see("b", ILL, 0, 33999);
    is_int(collectorpods_settle(&pods, 33999), 34000, "that it is said again does not prolong it");
    is_str(settled(34000), "a", "then it is out, and nobody had to say anything");
    see("c", PENDING, 29999, 34000);
    is_str(settled(34000), "a c", "a pending pod with a node has its grace from its start");
    is_str(settled(34001), "a", "and no more");
    see("d", ILL, 999999, 34001);
    is_int(collectorpods_settle(&pods, 34001), NEVER, "one that was ill before it was seen");
    is_str(listed(), "a", "never counts");
    see("e", ILL, -50000, 40000);
    is_int(collectorpods_settle(&pods, 40000), 70000, "a clock that is ahead gives no more grace");
    see("e", WELL, 0, 50000);
    is_int(collectorpods_settle(&pods, 50000), NEVER, "well in time, it stays");
    is_str(listed(), "a e", "without having left");

    const struct podstate odd = {
        .name = SPAN_LIT("f"), .node = SPAN_LIT("n"), .is_ready = true, .turned_ms_ago = 999999
    };
    collectorpods_see(&pods, &odd, 50000);
    is_int(collectorpods_settle(&pods, 50000), 80000,
           "how long it has been ready says nothing of one that does not run");

    begin(0);
    see("a", ILL, 999999, 0);
    see("b", PENDING, 999999, 0);
    see("c", TERMINATING, 0, 0);
    see("d", NOWHERE, 0, 0);
    is_int(collectorpods_settle(&pods, 0), NEVER, "without grace nothing is due");
    is_str(listed(), "a b", "and health is not looked at");
}

/* One crash: ill at 'now', out after its grace, well at once after that. When it counts again. */
static int64_t crash(int64_t now_ms)
{
    see("b", ILL, 0, now_ms);
    is_str(settled(now_ms + GRACE), "a", "out after its grace");
    see("b", WELL, 0, now_ms + GRACE);
    int64_t due_ms = collectorpods_settle(&pods, now_ms + GRACE);
    is_str(settled(due_ms - 1), "a", "held");
    is_str(settled(due_ms), "a b", "and back");
    return due_ms;
}

static void test_hold(void)
{
    static const int64_t factors[] = { 1, 2, 4, 8, 16, 16, 16 };
    int64_t now_ms = 0;

    begin(GRACE);
    see("a", WELL, 0, 0);
    see("b", WELL, 0, 0);
    for (size_t i = 0; i < sizeof(factors) / sizeof(*factors); i++) {
        int64_t back_ms = crash(now_ms);
        is_int(back_ms - now_ms - GRACE, factors[i] * GRACE, "crash %zu: how long it is held", i);
        now_ms = back_ms + 1000;
    }
    /* Told late. */
    see("c", ILL, 0, now_ms);
    see("c", WELL, 0, now_ms + GRACE);
    is_str(settled(now_ms + GRACE), "a b", "what was due before it was well has happened");
    collectorpods_gone(&pods, SPAN_LIT("c"));

    int64_t back_ms = crash(now_ms + 600000);
    is_int(back_ms - now_ms - 600000 - GRACE, GRACE, "ten good minutes are forgiven");

    see("b", ILL, 0, back_ms);
    is_str(settled(back_ms + GRACE), "a", "out again");
    see("b", WELL, 0, back_ms + GRACE);
    see("b", ILL, 0, back_ms + GRACE + 100);
    is_int(collectorpods_settle(&pods, back_ms + GRACE + 100), NEVER,
           "one that crashes while it is held waits for its health");
    see("b", WELL, 0, back_ms + GRACE + 200);
    is_int(collectorpods_settle(&pods, back_ms + GRACE + 200), back_ms + GRACE + 200 + 2 * GRACE,
           "and is held from then");
    collectorpods_gone(&pods, SPAN_LIT("a"));
    is_str(settled(back_ms + GRACE + 300), "b", "but not when there is nobody else");
}

/* ---- random histories */

struct rnd {
    uint64_t x;
};

static uint64_t below(struct rnd *r, uint64_t n)
{
    r->x ^= r->x << 13;
    r->x ^= r->x >> 7;
    r->x ^= r->x << 17;
    return r->x % n;
}

/* What anybody could say who saw it all: true of every rule that does not speak of holding. */
struct witness {
    bool is_there;
    enum look look;
    int64_t ill_ms;  /* since when without a break */
    int64_t told_ms; /* when it was last told to be well, after something else */
};

#define N 4

static bool counts(const char *list, size_t i)
{
    return strchr(list, (char)('a' + i)) != NULL;
}

static bool is_right(const struct witness *w, const char *list, size_t i, int64_t now_ms)
{
    bool is_in = counts(list, i);

    if (!w->is_there || w->look == NOWHERE || w->look == TERMINATING) {
        return !is_in;
    }
    if (w->look == WELL) {
        return is_in || (list[0] != '\0' && now_ms - w->told_ms < 16 * GRACE);
    }
    return !is_in || now_ms - w->ill_ms < GRACE;
}

static void happen(struct rnd *r, struct witness *w, size_t i, int64_t now_ms)
{
    const char name[] = { (char)('a' + i), '\0' };
    enum look look = (enum look)below(r, 5);
    int64_t for_ms = (int64_t)below(r, 2 * GRACE);
    bool was_ill = w->is_there && (w->look == ILL || w->look == PENDING);

    if (below(r, 8) == 0) {
        collectorpods_gone(&pods, span_of(name));
        w->is_there = false;
        return;
    }
    see(name, look, for_ms, now_ms);
    if (!was_ill || now_ms - for_ms < w->ill_ms) {
        w->ill_ms = now_ms - for_ms;
    }
    if (!w->is_there || w->look != WELL) {
        w->told_ms = now_ms;
    }
    w->is_there = true;
    w->look = look;
}

static bool run_history(uint64_t seed)
{
    struct rnd r = { seed * 0x9e3779b97f4a7c15ULL + 1 };
    struct witness w[N] = { 0 };
    int64_t now_ms = 0;
    int64_t due_ms = NEVER;
    char before[256] = "";

    begin(GRACE);
    for (int i = 0; i < 300; i++) {
        int64_t until_ms = now_ms + (int64_t)below(&r, 3 * GRACE);
        if (due_ms <= until_ms) { /* what the caller does: it comes back when something is due */
            if (strcmp(settled(due_ms - 1), before) != 0) {
                return ok(false, "seed %d, step %d: changed before it was due", (int)seed, i);
            }
            now_ms = due_ms;
        } else {
            now_ms = until_ms;
            size_t which = below(&r, N);
            happen(&r, &w[which], which, now_ms);
        }
        due_ms = collectorpods_settle(&pods, now_ms);
        if (due_ms <= now_ms) {
            return ok(false, "seed %d, step %d: due at once again", (int)seed, i);
        }
        (void)snprintf(before, sizeof(before), "%s", listed());
        for (size_t k = 0; k < N; k++) {
            if (!is_right(&w[k], before, k, now_ms)) {
                return ok(false, "seed %d, step %d: '%s' is wrong about %c", (int)seed, i, before,
                          (int)('a' + k));
            }
        }
    }
    return true;
}

int main(void)
{
    bool is_good = true;

    collectorpods_init(&pods, GRACE);
    test_coming_and_going();
    test_grace();
    test_hold();
    for (uint64_t seed = 1; is_good && seed <= 200; seed++) {
        is_good = run_history(seed);
    }
    ok(is_good, "200 histories of 300 steps");
    collectorpods_fini(&pods);
    return check_done();
}

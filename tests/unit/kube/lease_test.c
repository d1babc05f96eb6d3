/* The election: single turns by hand, and random histories of three replicas whose clocks drift,
 * whose requests come late or never, which are stopped, killed and told to go. */
#include "allocator/kube/lease.h"

#include "tests/check.h"

#include <stdio.h>

static struct lease_record record(const char *version, const char *holder)
{
    return (struct lease_record){ span_of(version), span_of(holder), 15000, 7 };
}

static struct lease_request ask(struct lease *l, enum lease_verb verb, int64_t now)
{
    struct lease_request r = lease_ask(l, now);
    is_int(r.verb, verb, "asked at %lld", (long long)now);
    return r;
}

static void hear(struct lease *l, struct lease_request r, enum lease_answer answer,
                 const char *version, const char *holder, int64_t now)
{
    struct lease_record seen = record(version, holder);
    lease_heard(l, r.number, answer, &seen, now);
}

/* A machine that leads since 'now'. */
static void lead(struct lease *l, int64_t now)
{
    lease_init(l, SPAN_LIT("a"), 1, now);
    hear(l, ask(l, LEASE_GET, now), LEASE_MISSING, "", "", now);
    hear(l, ask(l, LEASE_POST, now), LEASE_WRITTEN, "1", "a", now);
    ok(lease_is_held(l, now), "leads");
}

static void test_first(void)
{
    struct lease l;

    lease_init(&l, SPAN_LIT("a"), 1, 100);
    struct lease_request r = ask(&l, LEASE_GET, 100);
    ask(&l, LEASE_NOTHING, 100);
    hear(&l, r, LEASE_MISSING, "", "", 110);
    r = ask(&l, LEASE_POST, 110);
    ok(r.is_new_holder && r.transitions == 0, "the first");
    ok(!lease_is_held(&l, 110), "not before the answer");
    hear(&l, r, LEASE_WRITTEN, "1", "a", 5110);
    ok(lease_is_held(&l, 5110) && lease_is_held(&l, 10109), "leads");
    ok(!lease_is_held(&l, 10110), "but counts from the question");
    ask(&l, LEASE_NOTHING, 7109);
    r = ask(&l, LEASE_PUT, 7110);
    is_str(r.version, "1", "what it must be");
    ok(!r.is_new_holder && !r.is_release && r.transitions == 7, "renewed");
    hear(&l, r, LEASE_WRITTEN, "2", "a", 7120);
    is_int(lease_wake_ms(&l), 9120, "the next");
    ok(lease_is_held(&l, 17109) && !lease_is_held(&l, 17110), "until");
}

static void test_loses(void)
{
    static const struct {
        enum lease_answer answer;
        bool is_held;
        enum lease_verb next;
        int64_t at_ms;
    } t[] = {
        { LEASE_CONFLICT, false, LEASE_GET, 2000 }, /* another wrote */
        { LEASE_FAILED, true, LEASE_GET, 4000 },    /* who knows: look before writing */
        { LEASE_REFUSED, true, LEASE_GET, 4000 },
        { LEASE_MISSING, false, LEASE_POST, 17000 }, /* whoever made it anew waits as well */
    };

    for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
        struct lease l;
        lead(&l, 0);
        hear(&l, ask(&l, LEASE_PUT, 2000), t[i].answer, "", "", 2000);
        is_int(lease_is_held(&l, 2000), t[i].is_held, "answer %d", t[i].answer);
        if (t[i].at_ms > 2000) {
            ask(&l, LEASE_NOTHING, t[i].at_ms - 1);
        }
        ask(&l, t[i].next, t[i].at_ms);
    }
}

static void test_no_answer(void)
{
    struct lease l;

    lead(&l, 0);
    struct lease_request late = ask(&l, LEASE_PUT, 2000);
    is_int(lease_wake_ms(&l), 10000, "wakes to stop");
    ask(&l, LEASE_NOTHING, 9999);
    ok(lease_is_held(&l, 9999), "still");
    ok(!lease_is_held(&l, 10000), "over, before the 15 s are");
    ask(&l, LEASE_GET, 10000);
    hear(&l, late, LEASE_WRITTEN, "2", "a", 10001);
    ok(!lease_is_held(&l, 10001), "given up is given up");

    lead(&l, 0);
    hear(&l, ask(&l, LEASE_PUT, 2000), LEASE_FAILED, "", "", 3000);
    hear(&l, ask(&l, LEASE_GET, 5000), LEASE_FOUND, "2", "a", 5000);
    ok(lease_is_held(&l, 9999) && !lease_is_held(&l, 10000), "to be found there is no renewal");
    struct lease_request r = ask(&l, LEASE_PUT, 5000);
    is_str(r.version, "2", "our own lost write");
    hear(&l, r, LEASE_WRITTEN, "3", "a", 5001);
    ok(lease_is_held(&l, 14999), "renewed");
}

static void test_follows(void)
{
    struct lease l;
    struct lease_record seen = record("1", "b");

    lease_init(&l, SPAN_LIT("a"), 1, 0);
    lease_heard(&l, ask(&l, LEASE_GET, 0).number, LEASE_FOUND, &seen, 10);
    for (int64_t now = lease_wake_ms(&l); now < 15010; now = lease_wake_ms(&l)) {
        lease_heard(&l, ask(&l, LEASE_GET, now).number, LEASE_FOUND, &seen, now);
    }
    struct lease_request r = ask(&l, LEASE_PUT, 15010);
    ok(r.is_new_holder && r.transitions == 8, "takes what has not changed for so long");
    hear(&l, r, LEASE_CONFLICT, "", "", 15010);
    ok(!lease_is_held(&l, 15010), "another was first");
    r = ask(&l, LEASE_GET, lease_wake_ms(&l));
    hear(&l, r, LEASE_FOUND, "2", "", 20000);
    hear(&l, ask(&l, LEASE_PUT, 20000), LEASE_WRITTEN, "3", "a", 20001);
    ok(lease_is_held(&l, 20001), "what was given back is taken at once");

    seen = record("1", "b");
    seen.duration_ms = 60000;
    lease_init(&l, SPAN_LIT("a"), 1, 0);
    lease_heard(&l, ask(&l, LEASE_GET, 0).number, LEASE_FOUND, &seen, 0);
    for (int64_t now = lease_wake_ms(&l); now < 60000; now = lease_wake_ms(&l)) {
        lease_heard(&l, ask(&l, LEASE_GET, now).number, LEASE_FOUND, &seen, now);
    }
    ask(&l, LEASE_PUT, 60000);
}

static void test_leaves(void)
{
    struct lease l;

    lead(&l, 0);
    lease_leave(&l, 10);
    ok(!lease_is_held(&l, 10), "stops first");
    struct lease_request r = ask(&l, LEASE_PUT, 10);
    ok(r.is_release && r.transitions == 7, "gives it back");
    hear(&l, r, LEASE_WRITTEN, "2", "", 20);
    ok(!lease_is_held(&l, 20) && lease_wake_ms(&l) == INT64_MAX, "the end");
    ask(&l, LEASE_NOTHING, 100000);

    lease_init(&l, SPAN_LIT("a"), 1, 0);
    hear(&l, ask(&l, LEASE_GET, 0), LEASE_FOUND, "1", "b", 0);
    lease_leave(&l, 1);
    ask(&l, LEASE_NOTHING, 1);
}

static void test_odd_versions(void)
{
    char longest[LEASE_VERSION_SIZE + 1];
    struct lease l;

    memset(longest, '1', LEASE_VERSION_SIZE);
    longest[LEASE_VERSION_SIZE] = '\0';
    for (int i = 0; i < 2; i++) {
        lease_init(&l, SPAN_LIT("a"), 1, 0);
        hear(&l, ask(&l, LEASE_GET, 0), LEASE_FOUND, i == 0 ? "" : longest, "", 0);
        ask(&l, LEASE_NOTHING, 1999);
        ask(&l, LEASE_GET, 4400);
    }
}

/* ---- histories */

enum { REPLICAS = 3, HISTORIES = 300, STEP_MS = 100, FAULTS_MS = 200000, CALM_MS = 100000 };

struct message {
    struct lease_request request;
    char version[LEASE_VERSION_SIZE];
    int64_t arrives_ms, returns_ms; /* true time; INT64_MAX: never */
    bool has_arrived;
    enum lease_answer answer;
    char answer_version[LEASE_VERSION_SIZE], answer_holder[16];
    uint32_t transitions;
};

struct replica {
    struct lease lease;
    char name[16];
    double pace; /* of its clock */
    int64_t offset_ms, stopped_until_ms;
    unsigned n_lives;
    struct message messages[8]; /* a ring: what was given up may still arrive */
    unsigned n_messages;
};

struct world {
    struct replica replicas[REPLICAS];
    uint64_t seed;
    int64_t now;
    bool is_there, is_faulty, can_vanish;
    unsigned version;
    char holder[16];
    uint32_t transitions;
    int64_t vanished_ms;
    int64_t n_led, n_turns;
};

static unsigned chance(struct world *w, unsigned n)
{
    w->seed = w->seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)((w->seed >> 33) % n);
}

static int64_t clock_of(const struct world *w, const struct replica *r)
{
    return r->offset_ms + (int64_t)((double)w->now * r->pace);
}

static void be_born(struct world *w, struct replica *r, char letter)
{
    snprintf(r->name, sizeof(r->name), "%c%u", letter, r->n_lives++);
    memset(r->messages, 0, sizeof(r->messages));
    lease_init(&r->lease, span_of(r->name), chance(w, 1000000), clock_of(w, r));
}

static void serve(struct world *w, const struct replica *r, struct message *m)
{
    char version[16];

    snprintf(version, sizeof(version), "%u", w->version);
    m->has_arrived = true;
    if (m->request.verb == LEASE_POST ? w->is_there : !w->is_there) {
        m->answer = w->is_there ? LEASE_CONFLICT : LEASE_MISSING;
        return;
    }
    if (m->request.verb == LEASE_PUT && strcmp(m->version, version) != 0) {
        m->answer = LEASE_CONFLICT;
        return;
    }
    m->answer = m->request.verb == LEASE_GET ? LEASE_FOUND : LEASE_WRITTEN;
    if (m->request.verb != LEASE_GET) {
        w->is_there = true;
        w->version++;
        w->transitions = m->request.transitions;
        snprintf(w->holder, sizeof(w->holder), "%s", m->request.is_release ? "" : r->name);
    }
    snprintf(m->answer_version, sizeof(m->answer_version), "%u", w->version);
    snprintf(m->answer_holder, sizeof(m->answer_holder), "%s", w->holder);
    m->transitions = w->transitions;
}

static int64_t delay(struct world *w)
{
    if (!w->is_faulty || chance(w, 3) > 0) {
        return 10 + (int64_t)chance(w, 200);
    }
    return chance(w, 4) == 0 ? INT64_MAX / 4 : (int64_t)chance(w, 25000);
}

static void send(struct world *w, struct replica *r, struct lease_request request)
{
    struct message *m = &r->messages[r->n_messages++ % 8];

    *m = (struct message){ .request = request, .arrives_ms = w->now + delay(w) };
    m->returns_ms = m->arrives_ms + delay(w);
    if (request.version != NULL) {
        snprintf(m->version, sizeof(m->version), "%s", request.version);
    }
}

static void carry(struct world *w, struct replica *r)
{
    for (unsigned i = 0; i < 8; i++) {
        struct message *m = &r->messages[i];
        if (m->request.verb == LEASE_NOTHING) {
            continue;
        }
        if (!m->has_arrived && w->now >= m->arrives_ms) {
            serve(w, r, m);
        }
        if (w->now < r->stopped_until_ms) {
            continue;
        }
        const int64_t timeout = m->arrives_ms > w->now + 5000 ? w->now : m->arrives_ms + 5000;
        if (m->has_arrived && w->now >= m->returns_ms) {
            struct lease_record seen = { span_of(m->answer_version), span_of(m->answer_holder),
                                         15000, m->transitions };
            lease_heard(&r->lease, m->request.number, m->answer, &seen, clock_of(w, r));
            m->request.verb = LEASE_NOTHING;
        } else if (w->now >= timeout && m->request.number == r->lease.pending &&
                   chance(w, 20) == 0) {
            /* It may still arrive. */
            lease_heard(&r->lease, m->request.number, LEASE_FAILED, NULL, clock_of(w, r));
        }
    }
}

static void disturb(struct world *w)
{
    const unsigned i = chance(w, REPLICAS);
    struct replica *r = &w->replicas[i];

    switch (chance(w, 400)) {
    case 0:
    case 1:
        r->stopped_until_ms = w->now + (int64_t)chance(w, 40000);
        break;
    case 2:
        if (!w->can_vanish) { /* who begins cannot know that there was one */
            be_born(w, r, (char)('a' + i));
        }
        break;
    case 3:
        lease_leave(&r->lease, clock_of(w, r));
        break;
    case 4:
    case 5:
        if (w->can_vanish && w->now - w->vanished_ms > 60000) {
            w->is_there = false;
            w->vanished_ms = w->now;
        }
        break;
    default:
        break;
    }
}

/* How many lead. */
static unsigned turn(struct world *w)
{
    unsigned n = 0;

    w->now += STEP_MS;
    if (w->is_faulty) {
        disturb(w);
    }
    for (unsigned i = 0; i < REPLICAS; i++) {
        struct replica *r = &w->replicas[i];
        carry(w, r);
        if (w->now >= r->stopped_until_ms) {
            struct lease_request request = lease_ask(&r->lease, clock_of(w, r));
            if (request.verb != LEASE_NOTHING) {
                send(w, r, request);
            }
        }
        if (r->lease.stage == LEASE_LEFT && !w->can_vanish) {
            be_born(w, r, (char)('a' + i));
        }
        n += lease_is_held(&r->lease, clock_of(w, r));
    }
    w->n_led += n;
    w->n_turns++;
    return n;
}

static void test_history(uint64_t seed, int64_t *n_led, int64_t *n_turns)
{
    struct world w = { .seed = seed, .can_vanish = seed % 3 == 0 };
    unsigned n_most = 0, n_calm = 0, n_left = 0;

    for (unsigned i = 0; i < REPLICAS; i++) {
        w.replicas[i].pace = 0.85 + 0.001 * chance(&w, 350); /* at most 1.2 : 0.85 */
        w.replicas[i].offset_ms = (int64_t)chance(&w, 1000000);
        be_born(&w, &w.replicas[i], (char)('a' + i));
    }
    for (; w.now < 5000;) { /* all have seen it before somebody deletes it */
        (void)turn(&w);
    }
    w.is_faulty = true;
    for (; w.now < FAULTS_MS;) {
        unsigned n = turn(&w);
        n_most = n > n_most ? n : n_most;
    }
    w.is_faulty = false;
    for (; w.now < FAULTS_MS + CALM_MS;) {
        unsigned n = turn(&w);
        n_most = n > n_most ? n : n_most;
        n_calm += w.now > FAULTS_MS + CALM_MS - 10000 && n == 1;
    }
    for (unsigned i = 0; i < REPLICAS; i++) {
        n_left += w.replicas[i].lease.stage == LEASE_LEFT;
    }
    ok(n_most == 1, "history %llu: at most %u led at a time", (unsigned long long)seed, n_most);
    is_int(n_calm, n_left == REPLICAS ? 0 : 10000 / STEP_MS,
           "history %llu: one leads when all is well", (unsigned long long)seed);
    *n_led += w.n_led;
    *n_turns += w.n_turns;
}

int main(void)
{
    int64_t n_led = 0, n_turns = 0;

    test_first();
    test_loses();
    test_no_answer();
    test_follows();
    test_leaves();
    test_odd_versions();
    for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
        test_history(seed, &n_led, &n_turns);
    }
    check_note("led %lld of %lld turns", (long long)n_led, (long long)n_turns);
    ok(n_led * 3 > n_turns, "with all those faults somebody leads a good part of the time");
    return check_done();
}

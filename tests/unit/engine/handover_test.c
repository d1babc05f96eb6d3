/* The table of handover.c, cell by cell, and who is served of two. */
#include "allocator/engine/handover.h"

#include "allocator/engine/job.h"
#include "tests/check.h"

#include <string.h>

static const char *const stage_names[] = { "READY", "WAITS", "MUTE", "SHOWN" };

static enum handover_event event_of(char letter)
{
    static const char letters[] = "aAelgnp";
    return (enum handover_event)(strchr(letters, letter) - letters);
}

/* What happens to a job, a letter an event: a section is asked (a), answers (A), expires (e),
 * answers late (l); targets are gained (g), there are none (n); pages are published (p). */
static struct handover after(const char *events)
{
    struct handover h = { 0 };

    for (const char *p = events; *p != '\0'; p++) {
        handover_note(&h, event_of(*p));
    }
    return h;
}

static void test_stages(void)
{
    static const struct {
        const char *events;
        enum handover_stage stage;
        const char *why;
    } t[] = {
        { "", HANDOVER_READY, "a job that asks nothing can be served" },
        { "n", HANDOVER_READY, "without targets too" },
        { "g", HANDOVER_READY, "or with" },
        { "p", HANDOVER_SHOWN, "and is, once published" },
        { "a", HANDOVER_WAITS, "a section is asked" },
        { "aa", HANDOVER_WAITS, "and another" },
        { "aag", HANDOVER_WAITS, "targets are not enough" },
        { "agn", HANDOVER_WAITS, "nor that they are gone" },
        { "aA", HANDOVER_READY, "the answer is" },
        { "aaA", HANDOVER_WAITS, "if it is the last one" },
        { "aaAA", HANDOVER_READY, "as here" },
        { "ae", HANDOVER_MUTE, "it expires, and there is nothing to show" },
        { "aae", HANDOVER_WAITS, "another is waited for" },
        { "aaeA", HANDOVER_MUTE, "and has none either" },
        { "aaAe", HANDOVER_MUTE, "in either order" },
        { "age", HANDOVER_READY, "it expires, but there are targets" },
        { "aagAe", HANDOVER_READY, "of the other section" },
        { "agen", HANDOVER_MUTE, "which go before anybody saw them" },
        { "agenn", HANDOVER_MUTE, "and stay away" },
        { "agepn", HANDOVER_SHOWN, "which go when they were shown" },
        { "aeg", HANDOVER_READY, "they come from elsewhere" },
        { "aegn", HANDOVER_MUTE, "and go" },
        { "ael", HANDOVER_READY, "the late answer" },
        { "aaeel", HANDOVER_MUTE, "is one of two" },
        { "aaeell", HANDOVER_READY, "are two" },
        { "aael", HANDOVER_WAITS, "late, and another is open" },
        { "agel", HANDOVER_READY, "late, with targets" },
        { "aea", HANDOVER_WAITS, "asked again" },
        { "aAa", HANDOVER_WAITS, "asked after an answer" },
        { "aApaA", HANDOVER_SHOWN, "what was shown is shown on" },
        { "aApaen", HANDOVER_SHOWN, "whatever comes" },
        { "aApael", HANDOVER_SHOWN, "late or not" },
        { "aApg", HANDOVER_SHOWN, "with targets" },
        { "aApp", HANDOVER_SHOWN, "again and again" },
    };

    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        struct handover h = after(t[i].events);
        is_str(stage_names[h.stage], stage_names[t[i].stage], "'%s': %s", t[i].events, t[i].why);
        ok(handover_is_served(&h) == (t[i].stage == HANDOVER_READY || t[i].stage == HANDOVER_SHOWN),
           "and is served accordingly");
    }
}

static void set(struct job *j, const char *events)
{
    *j = (struct job){ .handover = after(events) };
}

static void test_pair(void)
{
    struct job old, new;

    set(&old, "aAp");
    set(&new, "a");
    ok(handover_served(&new) == NULL, "a new job that waits: nobody");
    ok(handover_last(&old) == &old, "alone");
    struct job *place = &old;
    ok(handover_leave(&place) == &old && place == NULL, "the one that is served leaves its place");
    handover_begin(&new, &old);
    ok(handover_served(&new) == &old, "it is served");
    ok(handover_last(&old) == &new &&handover_last(&new) == &new, "in place of the new one");
    handover_note(&new.handover, HANDOVER_EXPIRED);
    ok(handover_served(&new) == &old, "until that has something to show");
    handover_note(&new.handover, HANDOVER_LATE);
    ok(handover_served(&new) == &new, "which is served then");
    ok(handover_end(&new) == &old, "they part");
    ok(old.has_news && handover_last(&old) == &old, "both alone");
    ok(handover_end(&new) == NULL, "once");
}

static void test_replaced_while_waiting(void)
{
    struct job old, new, newer;

    set(&old, "p");
    set(&new, "a");
    set(&newer, "a");
    handover_begin(&new, &old);
    struct job *place = &new;
    struct job *served = handover_leave(&place);
    ok(served == &old && place == &new, "of a job that waits the one before it is served");
    handover_begin(&newer, served);
    ok(handover_served(&newer) == &old && handover_served(&new) == NULL, "and goes on to be");
    set(&old, "agen");
    set(&new, "a");
    handover_begin(&new, &old);
    ok(handover_served(&new) == NULL, "one that lost its targets unseen is not shown");
    set(&new, "a");
    place = &new;
    ok(handover_leave(&place) == NULL, "nobody leaves where nobody is served");
    handover_begin(&newer, NULL);
    ok(newer.handover.from == NULL, "and nobody is waited with");
}

int main(void)
{
    test_stages();
    test_pair();
    test_replaced_while_waiting();
    return check_done();
}

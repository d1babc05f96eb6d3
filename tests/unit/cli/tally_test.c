/* 'explain --summary': what became of so many targets, in an order that the input does not choose.
 */
#include "webhook/cli/tally.h"

#include "allocator/base/mem.h"
#include "tests/check.h"

#include <stdlib.h>

static void dropped(struct tally *t, size_t n, size_t rule, const char *description)
{
    const struct explain_step steps[] = { { .description = "a rule before it" },
                                          { .rule = rule, .description = description } };
    const struct explain_target target = { .verdict = { .kind = VERDICT_DROPPED, .rule = rule },
                                           .steps = steps,
                                           .n_steps = COUNT(steps) };

    for (size_t i = 0; i < n; i++) {
        tally_count(t, &target);
    }
}

static void invalid(struct tally *t, size_t n, const char *reason)
{
    const struct explain_target target = { .verdict = { .kind = VERDICT_INVALID,
                                                        .reason = reason } };

    for (size_t i = 0; i < n; i++) {
        tally_count(t, &target);
    }
}

/* 'owner' NULL: it is a twin, "": of nobody. */
static void kept(struct tally *t, size_t n, const char *owner)
{
    const struct explain_target target = { .verdict = { .kind = VERDICT_KEPT },
                                           .is_served = owner != NULL,
                                           .owner = span_of(owner),
                                           .strategy = "per-node",
                                           .n_collectors = 3 };

    for (size_t i = 0; i < n; i++) {
        tally_count(t, &target);
    }
}

static void is_printed(struct tally *t, bool losses_only, const char *want, const char *what)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    is_int(tally_print(t, "job j", losses_only, out), want != NULL, "%s: printed?", what);
    fclose(out);
    is_str(text, want == NULL ? "" : want, "%s", what);
    free(text);
}

static void test_order(void)
{
    struct tally t;

    tally_init(&t);
    kept(&t, 2, "c-1");
    kept(&t, 1, NULL);
    invalid(&t, 1, "b");
    invalid(&t, 1, "a");
    kept(&t, 3, "");
    dropped(&t, 1, 1, "drop it");
    invalid(&t, 2, "z");
    kept(&t, 1, "c-0");
    dropped(&t, 5, 10, "keep it");
    dropped(&t, 2, 9, "drop others");
    kept(&t, 1, "c-1");
#define LOSSES                                                                                     \
    "job j: 20 discovered, 8 kept, 8 dropped, 4 not usable\n"                                      \
    "       1 dropped by rule 1: drop it\n       2 dropped by rule 9: drop others\n"               \
    "       5 dropped by rule 10: keep it\n       2 not usable: z\n       1 not usable: a\n"       \
    "       1 not usable: b\n"
    is_printed(&t, false,
               LOSSES "       1 collector c-0\n       3 collector c-1\n"
                      "       3 no collector (per-node, 3 collectors)\n"
                      "       1 the same as one before, which is served\n",
               "rules in their order, reasons by how often, owners by name, twins last");
    is_printed(&t, true, LOSSES, "what is lost alone");
    tally_fini(&t);
}

/* Ten reasons are named. */
static void test_many_reasons(void)
{
    for (size_t n = 9; n <= 13; n++) {
        AUTO_BUF want = { 0 };
        struct tally t;
        tally_init(&t);
        buf_init(&want, 4096);
        buf_addf(&want, "job j: %zu discovered, 0 kept, 0 dropped, %zu not usable\n", 2 * n + 1,
                 2 * n + 1);
        buf_add_str(&want, "       3 not usable: reason 00\n");
        for (size_t i = n; i > 0; i--) {
            AUTO_STR reason = mem_printf("reason %02zu", i - 1);
            invalid(&t, i == 1 ? 3 : 2, reason);
        }
        for (size_t i = 1; i < n && i < 10; i++) {
            buf_addf(&want, "       2 not usable: reason %02zu\n", i);
        }
        if (n > 10) {
            buf_addf(&want, "%8zu not usable for %zu other reasons\n", 2 * (n - 10), n - 10);
        }
        is_printed(&t, true, want.p, "many reasons");
        tally_fini(&t);
    }
}

static void test_nothing(void)
{
    struct tally t;

    tally_init(&t);
    is_printed(&t, true, NULL, "nothing is lost where nothing is");
    is_printed(&t, false, "job j: 0 discovered, 0 kept, 0 dropped, 0 not usable\n", "no target");
    kept(&t, 1, "c");
    is_printed(&t, true, NULL, "nor where all are kept");
    dropped(&t, 1, 0, "drop");
    is_printed(&t, true,
               "job j: 2 discovered, 1 kept, 1 dropped, 0 not usable\n"
               "       1 dropped by rule 0: drop\n",
               "one is dropped");
    tally_fini(&t);
    tally_init(&t);
    invalid(&t, 1, "no address");
    is_printed(&t, true,
               "job j: 1 discovered, 0 kept, 0 dropped, 1 not usable\n"
               "       1 not usable: no address\n",
               "one is not usable");
    tally_fini(&t);
}

int main(void)
{
    test_order();
    test_many_reasons();
    test_nothing();
    return check_done();
}

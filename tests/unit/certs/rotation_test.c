#include "certs/rotation.h"
#include "tests/check.h"

int main(void)
{
    static const struct {
        const char *name;
        struct rotation_facts facts;
        int64_t now_s;
        enum rotation_step step;
    } t[] = {
        { "nothing yet", { 0 }, 0, ROTATION_BOOTSTRAP },
        { "expired",
          { .has_authority = true, .is_authority_expired = true, .has_leaf = true },
          0,
          ROTATION_BOOTSTRAP },
        { "of the future, before anything else that is due",
          { .has_authority = true,
            .is_early = true,
            .is_authority_due = true,
            .has_next = true,
            .has_leaf = true },
          ROTATION_SOAK_SECONDS,
          ROTATION_REDATE },
        { "no leaf", { .has_authority = true }, 0, ROTATION_ISSUE },
        { "leaf due",
          { .has_authority = true, .has_leaf = true, .is_leaf_due = true },
          0,
          ROTATION_ISSUE },
        { "all is well", { .has_authority = true, .has_leaf = true }, 0, ROTATION_REST },
        { "authority due",
          { .has_authority = true, .has_leaf = true, .is_authority_due = true },
          0,
          ROTATION_STAGE },
        { "asked for",
          { .has_authority = true, .has_leaf = true, .is_rotation_wanted = true },
          0,
          ROTATION_STAGE },
        { "soaking",
          { .has_authority = true, .has_leaf = true, .has_next = true, .next_since_s = 100 },
          100 + ROTATION_SOAK_SECONDS - 1,
          ROTATION_REST },
        { "soaked",
          { .has_authority = true, .has_leaf = true, .has_next = true, .next_since_s = 100 },
          100 + ROTATION_SOAK_SECONDS,
          ROTATION_SWITCH },
        { "leaf due while soaking",
          { .has_authority = true,
            .has_leaf = true,
            .is_leaf_due = true,
            .has_next = true,
            .next_since_s = 100 },
          200,
          ROTATION_ISSUE },
        { "old leaves about",
          { .has_authority = true,
            .has_leaf = true,
            .has_previous = true,
            .previous_since_s = 100 },
          200,
          ROTATION_REST },
        { "old leaves gone",
          { .has_authority = true,
            .has_leaf = true,
            .has_previous = true,
            .previous_since_s = 100 },
          100 + ROTATION_RETIRE_SECONDS,
          ROTATION_RETIRE },
        { "not two rotations at once",
          { .has_authority = true,
            .has_leaf = true,
            .has_previous = true,
            .previous_since_s = 100,
            .is_rotation_wanted = true },
          200,
          ROTATION_REST },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        is_str(rotation_step_name(rotation_next(&t[i].facts, t[i].now_s)),
               rotation_step_name(t[i].step), "%s", t[i].name);
    }
    return check_done();
}

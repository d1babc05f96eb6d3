#include "certs/rotation.h"

enum rotation_step rotation_next(const struct rotation_facts *f, int64_t now_s)
{
    if (!f->has_authority || f->is_authority_expired) {
        return ROTATION_BOOTSTRAP;
    }
    if (f->is_early) {
        return ROTATION_REDATE;
    }
    if (f->has_next && now_s >= f->next_since_s + ROTATION_SOAK_SECONDS) {
        return ROTATION_SWITCH;
    }
    if (f->has_previous && now_s >= f->previous_since_s + ROTATION_RETIRE_SECONDS) {
        return ROTATION_RETIRE;
    }
    if (!f->has_next && !f->has_previous && (f->is_authority_due || f->is_rotation_wanted)) {
        return ROTATION_STAGE;
    }
    if (!f->has_leaf || f->is_leaf_due) {
        return ROTATION_ISSUE;
    }
    return ROTATION_REST;
}

const char *rotation_step_name(enum rotation_step step)
{
    static const char *const names[] = {
        [ROTATION_REST] = "rest",     [ROTATION_BOOTSTRAP] = "bootstrap",
        [ROTATION_STAGE] = "stage",   [ROTATION_SWITCH] = "switch",
        [ROTATION_REDATE] = "redate", [ROTATION_RETIRE] = "retire",
        [ROTATION_ISSUE] = "issue",
    };
    return names[step];
}

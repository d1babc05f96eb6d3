#include "allocator/kube/reflector.h"

#include "allocator/kube/reflector_state.h"

#include <assert.h>
#include <stdio.h>

enum {
    LIVED_MS = 1000,     /* a watch that ends sooner and brought nothing had better not come again
                            at once */
    OUTAGE_MS = 5000,    /* after which a version is probed */
    PROBED_MS = 3600000, /* it is good for so long */
    MAX_VERSION_BYTES = 64 * 1024,
};

#define MAX_DRAFT_BYTES ((size_t)1 << 31)

struct reflector *reflector_new(const struct reflector_want *want,
                                const struct reflector_options *options)
{
    struct reflector *r = mem_zalloc(sizeof(*r));
    struct reflector_want *w = &r->want;

    arena_init(&r->arena);
    *w = *want;
    struct span *texts[] = { &w->group,     &w->version,        &w->resource,      &w->kind,
                             &w->namespace, &w->label_selector, &w->field_selector };
    for (size_t i = 0; i < COUNT(texts); i++) {
        *texts[i] = arena_span(&r->arena, *texts[i]);
    }
    r->options = *options;
    reflectorpace_init(&r->pace, options->seed);
    objectindex_init(&r->index);
    objectdraft_init(&r->draft, MAX_DRAFT_BYTES);
    buf_init(&r->last, MAX_VERSION_BYTES);
    buf_init(&r->list_version, MAX_VERSION_BYTES);
    buf_init(&r->next_page, MAX_VERSION_BYTES);
    buf_init(&r->said, MIB);
    buf_init(&r->target, MIB);
    r->lost_ms = INT64_MAX;
    r->due_ms = INT64_MIN;
    return r;
}

void reflector_free(struct reflector **reflector)
{
    struct reflector *r = *reflector;

    if (r == NULL) {
        return;
    }
    objectindex_fini(&r->index);
    objectdraft_fini(&r->draft);
    listframe_fini(&r->frame);
    buf_fini(&r->last);
    buf_fini(&r->list_version);
    buf_fini(&r->next_page);
    buf_fini(&r->said);
    buf_fini(&r->target);
    arena_fini(&r->arena);
    mem_free(r);
    *reflector = NULL;
}

/* ---- requests */

int64_t reflector_deadline_ms(const struct reflector *r)
{
    return r->is_running ? INT64_MAX : r->due_ms;
}

static bool must_probe(const struct reflector *r, int64_t now_ms)
{
    bool was_lost = r->lost_ms != INT64_MAX && now_ms - r->lost_ms > OUTAGE_MS;

    return was_lost || now_ms - r->checked_ms >= PROBED_MS;
}

static void begin_list(struct reflector *r)
{
    if (r->index.is_listing) { /* this is another page of it */
        return;
    }
    r->is_whole = r->is_whole_wanted;
    r->is_whole_wanted = false;
    buf_clear(&r->list_version);
    objectindex_begin_list(&r->index);
}

bool reflector_next(struct reflector *r, int64_t now_ms, struct reflector_request *out)
{
    if (r->is_running || now_ms < r->due_ms) {
        return false;
    }
    if (r->stage == REFLECTOR_WATCH && must_probe(r, now_ms)) {
        r->stage = REFLECTOR_PROBE;
    }
    if (r->stage == REFLECTOR_LIST) {
        begin_list(r);
    }
    r->is_running = true;
    r->began_ms = now_ms;
    r->status = r->retry_after_s = 0;
    r->n_bytes = r->n_lines = 0;
    r->decided = -1;
    reflector_read_begin(r);
    reflector_ask_write(r, out);
    return true;
}

/* ---- how it goes */

static void set_state(struct reflector *r, enum reflector_state state)
{
    r->n_changes += r->state != state;
    r->state = state;
}

const char *reflector_state_name(enum reflector_state state)
{
    static const char *const names[] = {
        [REFLECTOR_STARTING] = "starting",   [REFLECTOR_FOLLOWING] = "following",
        [REFLECTOR_FAILING] = "failing",     [REFLECTOR_ABSENT] = "absent",
        [REFLECTOR_FORBIDDEN] = "forbidden", [REFLECTOR_REJECTED] = "rejected",
    };

    return names[state];
}

void reflector_report(struct reflector *r, struct reflector_report *out)
{
    bool is_well = r->state == REFLECTOR_FOLLOWING || r->state == REFLECTOR_STARTING;

    *out = (struct reflector_report){
        .state = r->state,
        .is_synced = r->is_synced,
        .waits_for_host = !r->is_running && r->status == 0 && r->lost_ms != INT64_MAX,
        .problem = is_well ? "" : r->problem,
        .oddity = r->oddity,
        .n_changes = r->n_changes,
        .n_objects = r->index.n,
        .n_lists = r->n_lists,
        .n_watches = r->n_watches,
        .n_events = r->n_events,
        .n_failures = r->n_failures,
    };
    r->oddity = NULL;
}

/* What a role lacks, in its own words. */
static void say_right(struct reflector *r)
{
    size_t n = strlen(r->problem);

    snprintf(r->problem + n, sizeof(r->problem) - n,
             "; needed: {apiGroups: [\"%.*s\"], resources: [%.*s], verbs: [list, watch]}",
             SPAN_ARG(r->want.group), SPAN_ARG(r->want.resource));
}

/* A failure is none yet, and is said when it comes again; what nobody will mend by trying again is
 * said at once. */
static void note_failure(struct reflector *r, enum reflector_outcome outcome)
{
    r->n_failures++;
    r->n_failures_in_row++;
    if (outcome == OUTCOME_FORBIDDEN) {
        say_right(r);
        set_state(r, REFLECTOR_FORBIDDEN);
    } else if (outcome == OUTCOME_ABSENT) {
        set_state(r, REFLECTOR_ABSENT);
    } else if (outcome == OUTCOME_REJECTED) {
        set_state(r, REFLECTOR_REJECTED);
    } else if (r->n_failures_in_row > 1) {
        set_state(r, REFLECTOR_FAILING);
    }
}

/* ---- answers */

void reflector_head(struct reflector *r, int status, int retry_after_s)
{
    r->status = status;
    r->retry_after_s = retry_after_s;
    if (r->stage != REFLECTOR_WATCH) {
        return;
    }
    /* A watch says nothing for minutes, so that it was taken must do. */
    if (status == 200) {
        r->lost_ms = INT64_MAX;
        r->renews_credentials = false;
        r->n_failures_in_row = 0;
        r->n_watches++;
        set_state(r, REFLECTOR_FOLLOWING);
    }
}

bool reflector_piece(struct reflector *r, struct span piece)
{
    return r->decided < 0 && reflector_read_piece(r, piece);
}

static enum reflector_outcome outcome_of(struct reflector *r, enum transfer_end end,
                                         const char *why)
{
    if (r->decided >= 0) {
        return (enum reflector_outcome)r->decided;
    }
    if (end == TRANSFER_REFUSED) {
        reflector_say(r, "no connection: %s", why == NULL ? "" : why);
        return OUTCOME_REFUSED;
    }
    if (r->status != 0 && r->status != 200) {
        return reflector_read_refusal(r);
    }
    if (end != TRANSFER_COMPLETE) {
        reflector_say(r, "the answer ended too early: %s", why == NULL ? "" : why);
        return OUTCOME_CUT;
    }
    return reflector_read_end(r);
}

/* The collection is known, and it is empty. */
static void commit_nothing(struct reflector *r)
{
    if (!r->index.is_listing) {
        begin_list(r);
    }
    reflector_list_commit(r);
    buf_clear(&r->last);
}

static void end_list(struct reflector *r, enum reflector_outcome outcome, int64_t now_ms)
{
    if (outcome == OUTCOME_ABSENT) {
        reflector_list_abort(r);
        commit_nothing(r);
    } else if (outcome != OUTCOME_DONE) {
        r->has_no_pages |= outcome == OUTCOME_GONE;
        reflector_list_abort(r);
    } else if (r->next_page.len == 0) {
        reflector_list_commit(r);
        buf_clear(&r->last);
        buf_add_span(&r->last, buf_span(&r->list_version));
        r->is_unset = r->has_no_pages = false;
        r->checked_ms = now_ms;
        r->n_lists++;
    }
}

static void note_host(struct reflector *r, enum reflector_outcome outcome, int64_t now_ms)
{
    if (r->status == 0 && outcome != OUTCOME_RELIST) {
        r->lost_ms = r->lost_ms < now_ms ? r->lost_ms : now_ms;
    } else if (r->stage != REFLECTOR_LOOK && outcome == OUTCOME_DONE) {
        r->lost_ms = INT64_MAX;
    }
}

static void finish(struct reflector *r, enum reflector_outcome outcome, int64_t now_ms)
{
    if (r->stage == REFLECTOR_LIST) {
        end_list(r, outcome, now_ms);
    } else if (r->stage == REFLECTOR_LOOK && outcome == OUTCOME_ABSENT) {
        commit_nothing(r);
    } else if (r->stage == REFLECTOR_PROBE && outcome == OUTCOME_DONE) {
        r->checked_ms = now_ms;
    }
}

void reflector_end(struct reflector *r, enum transfer_end end, const char *why, int64_t now_ms)
{
    assert(r->is_running);
    r->is_running = false;
    enum reflector_outcome outcome = outcome_of(r, end, why);
    bool has_lived = r->n_lines > 0 || (r->status == 200 && now_ms - r->began_ms >= LIVED_MS);
    struct reflector_step step = reflectorstep_of(r->stage, outcome);

    finish(r, outcome, now_ms);
    note_host(r, outcome, now_ms);
    bool is_page = r->stage == REFLECTOR_LIST && outcome == OUTCOME_DONE && r->next_page.len > 0;
    bool is_well = outcome == OUTCOME_DONE || outcome == OUTCOME_RELIST ||
                   (r->stage == REFLECTOR_WATCH && outcome == OUTCOME_CUT && has_lived);
    if (!is_well) {
        note_failure(r, outcome);
    }
    r->renews_credentials = outcome == OUTCOME_UNAUTHORIZED;
    r->is_unset |= step.is_unset;
    r->stage = is_page ? REFLECTOR_LIST : step.next;
    r->due_ms = reflectorpace_due_ms(&r->pace, step.pace, has_lived,
                                     (int64_t)r->retry_after_s * 1000, now_ms);
}

/* ---- what is known */

size_t reflector_pending_bytes(const struct reflector *r)
{
    return r->draft.used;
}

struct objectbatch *reflector_take(struct reflector *r)
{
    return objectdraft_take(&r->draft);
}

bool reflector_refresh(struct reflector *r, int64_t now_ms)
{
    r->is_whole_wanted = true;
    if (r->is_running) {
        r->decided = (int)OUTCOME_RELIST;
        return true;
    }
    if (r->index.is_listing) { /* between two pages */
        reflector_list_abort(r);
    }
    r->stage = REFLECTOR_LIST;
    r->due_ms = now_ms < r->due_ms ? now_ms : r->due_ms;
    return false;
}

void reflector_hurry(struct reflector *r, int64_t now_ms)
{
    r->due_ms = now_ms < r->due_ms ? now_ms : r->due_ms;
}

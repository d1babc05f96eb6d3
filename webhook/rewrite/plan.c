#include "webhook/rewrite/plan.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/nodeedit.h"
#include "allocator/codec/urlform.h"
#include "allocator/tenant/collectoradvice.h"
#include "allocator/tenant/jobadvice.h"
#include "allocator/tenant/receivers.h"
#include "webhook/rewrite/block.h"

#include <stdarg.h>
#include <stdio.h>

#define HTTP_SD "http_sd_configs"

struct planner {
    const struct plan_input *in;
    struct arena *arena;
    struct faults *f;
    struct plan *plan;
    struct takable takable;
    bool is_rewrite;
    enum fault_severity severity;   /* of what the user has to mend: a restore does not insist */
    size_t index;                   /* of the job that is being planned */
    struct span url_head, url_tail; /* of its receiver */
    struct spanmap names;           /* of this configuration: finds duplicates */
    struct originals originals, old_originals;
    struct spanmap old_jobs;
    bool has_old, has_old_jobs; /* they were filled: only a job without originals asks for them */
    struct plan_old old;
};

/* A fault of the job that is being planned, or of a member of it: the path is only made when there
 * is one. */
static void PRINTF_LIKE(5, 6)
    job_fault(struct planner *p, enum fault_severity severity, const char *member,
              const struct node *at, const char *fmt, ...)
{
    size_t mark = faults_push_index(p->f, p->index);
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (member != NULL) {
        faults_push(p->f, "%s", member);
    }
    faults_add(p->f, severity, at->line, "%s", text);
    faults_pop(p->f, mark);
}

/* ---- the originals of a job */

static bool has_old_originals(struct planner *p)
{
    if (!p->has_old && p->in->load_old != NULL) {
        p->in->load_old(p->in->load_arg, &p->old);
    }
    if (!p->has_old) {
        originals_init(&p->old_originals, p->old.annotation, p->arena);
    }
    p->has_old = true;
    return p->old.annotation != NULL;
}

static const struct original *find_original(struct planner *p, struct span receiver,
                                            struct jobname_written job, const struct own_entry *own)
{
    const struct original *found = originals_find(&p->originals, own, receiver, job);

    return found == NULL && has_old_originals(p)
               ? originals_find(&p->old_originals, own, receiver, job)
               : found;
}

static void index_old_jobs(struct planner *p)
{
    const struct node *receivers = node_get(p->old.config, "receivers");

    p->has_old_jobs = true;
    for (size_t r = 0; receivers != NULL && receivers->type == NODE_MAP && r < receivers->n; r++) {
        const struct node *list =
            node_get(node_get(receivers->pairs[r].value, "config"), "scrape_configs");
        for (size_t i = 0; list != NULL && list->type == NODE_LIST && i < list->n; i++) {
            struct jobname_written name;
            if (jobname_of(list->items[i], &name)) {
                (void)spanmap_put_in(&p->old_jobs, receivers->pairs[r].key->text, name.text,
                                     list->items[i]);
            }
        }
    }
}

/* An object that was stored in this state may still be changed in other ways. */
static bool was_lost_before(struct planner *p, struct span receiver, struct jobname_written job)
{
    struct sections sections;
    struct own_entry own;

    (void)has_old_originals(p);
    if (p->old.config == NULL) {
        return false;
    }
    if (!p->has_old_jobs) {
        index_old_jobs(p);
    }
    const struct node *old = spanmap_get_in(&p->old_jobs, receiver, job.text);
    if (old == NULL || old->type != NODE_MAP) {
        return false;
    }
    sections_of_job(old, p->arena, &sections, &own);
    return own.is_there;
}

/* ---- one job */

/* What the URLs of a receiver's jobs have in common. */
static void set_url(struct planner *p, struct span receiver)
{
    const struct rewrite_options *o = p->in->options;
    const struct wire_form form = { o->style, o->collector_id_expr, o->shared_host };
    const struct wire_cr cr = { p->in->collector->ns, p->in->collector->name };
    struct buf head, tail;

    buf_init_in(&head, p->arena, LIMIT_DOCUMENT_BYTES);
    wire_url_head(cr, &form, &head);
    buf_init_in(&tail, p->arena, LIMIT_DOCUMENT_BYTES);
    wire_url_tail(receiver, &form, &tail);
    p->url_head = buf_span(&head);
    p->url_tail = buf_span(&tail);
}

static struct span job_url(const struct planner *p, struct jobname_read job)
{
    struct span name = job.text;
    struct buf url;

    buf_init_in(&url, p->arena, LIMIT_DOCUMENT_BYTES);
    (void)buf_reserve(&url, p->url_head.len + name.len + p->url_tail.len);
    buf_add_span(&url, p->url_head);
    urlform_escape(name, &url);
    buf_add_span(&url, p->url_tail);
    return buf_span(&url);
}

/* Something of ours without its originals: what the user was told before is told as a warning, and
 * so is what stays as it is, unless somebody wants it back. 'f' stands there. */
static void report_loss(struct planner *p, const struct node *at, const char *text)
{
    if (p->in->is_restore) {
        faults_add(p->f, FAULT_ERROR, at->line, "%s", text);
    } else {
        faults_add_kind(p->f, FAULT_STANDING, FAULT_WARNING, at->line, "%s", text);
    }
}

/* Nothing of its own to discover, our entry, and no originals anywhere. */
static void plan_lost(struct planner *p, const struct plan_receiver *r, struct plan_job *job)
{
    const char *why = p->in->is_annotation_unread ? "in an annotation that cannot be read" : "lost";

    job->action = JOB_LEAVE;
    job->is_lost = true;
    p->plan->n_lost++;
    if (p->is_rewrite && !was_lost_before(p, r->name, job->name)) {
        AUTO_STR loss = originals_loss(job->name.text);
        job_fault(p, p->severity, "http_sd_configs", node_get(job->node, "http_sd_configs"), "%s%s",
                  loss, p->in->is_annotation_unread ? " (the annotation cannot be read)" : "");
        return;
    }
    size_t mark = faults_push_index(p->f, p->index);
    AUTO_STR text =
        mem_printf("job '%.*s' %s: its originals are %s", SPAN_ARG(job->name.text),
                   p->is_rewrite ? "discovers nothing" : "keeps the allocator's URL", why);
    report_loss(p, job->node, text);
    faults_pop(p->f, mark);
}

static bool is_finished(const struct plan_job *job, const struct own_entry *own,
                        const struct sections *present)
{
    return own->is_there && own->is_alone && present->n == 0 && span_eq(own->url, job->url);
}

/* Can the allocator run it, with all that it discovers? A job that an earlier write took and that
 * cannot be run comes back. */
static bool is_takable(struct planner *p, const struct plan_receiver *r, struct plan_job *job)
{
    const struct node *whole =
        job->original == NULL ? job->node : sections_put(&job->sections, job->node, p->arena);
    enum fault_severity severity = p->in->options->denies_untakable ? FAULT_ERROR : FAULT_WARNING;

    const struct node *filled = takable_fill(&p->takable, whole);
    bool is = takable_judge(&p->takable, r->name, filled, r->global, &job->left);
    size_t mark = faults_push_index(p->f, p->index);
    const struct jobadvice about = { job->name.text, is, p->takable.needs_nodes };
    jobadvice_give(filled, &about, p->f);
    faults_pop(p->f, mark);
    if (is) {
        return true;
    }
    p->plan->n_left[job->left.kind]++;
    mark = faults_push_index(p->f, p->index);
    takable_report(&job->left, job->name.text,
                   job->left.kind == LEFT_OWNER ? FAULT_WARNING : severity, p->f);
    faults_pop(p->f, mark);
    return false;
}

static void decide(struct planner *p, struct plan_receiver *r, struct plan_job *job)
{
    struct sections present;
    struct own_entry own;

    sections_of_job(job->node, p->arena, &present, &own);
    job->original = own.is_there ? find_original(p, r->name, job->name, &own) : NULL;
    bool is_theirs = own.options != NULL && !p->in->is_annotation_unread && !p->in->is_restore;
    if (job->original == NULL && is_theirs) {
        own = (struct own_entry){ .is_there = false };
        sections_as_written(job->node, p->arena, &present);
    }
    if (job->original == NULL && own.is_there && (present.n == 0 || p->in->is_annotation_unread)) {
        plan_lost(p, r, job);
        return;
    }
    if (job->original == NULL && present.n == 0) {
        if (p->is_rewrite) {
            job_fault(p, FAULT_WARNING, NULL, job->node, "job '%.*s' has nothing to discover",
                      SPAN_ARG(job->name.text));
        }
        return;
    }
    job->sections = present;
    job->entry = own.options;
    if (job->original != NULL) {
        struct sections stored;
        sections_of_map(job->original->map, p->arena, &stored);
        sections_join(&stored, &present, p->arena, &job->sections);
        job->has_more = present.n > 0;
        job->is_mixed = !own.is_alone || job->sections.n < stored.n + present.n;
    }
    if (p->is_rewrite && is_takable(p, r, job)) {
        r->n_taken++;
        job->url = job_url(p, jobname_read(job->name, p->arena));
        job->action = is_finished(job, &own, &present) ? JOB_LEAVE : JOB_REWRITE;
        if (job->original != NULL && present.n > 0) {
            job_fault(p, FAULT_WARNING, NULL, job->node,
                      "job '%.*s': added discovery sections join the stored ones",
                      SPAN_ARG(job->name.text));
        }
    } else {
        job->action = own.is_there ? JOB_RESTORE : JOB_LEAVE;
    }
}

/* The name as text, or a fault. */
static bool read_name(struct planner *p, const struct node *node, struct jobname_written *out)
{
    const struct node *name = node_get(node, "job_name");

    if (name == NULL || node_is_null(name)) {
        job_fault(p, p->severity, "job_name", node, "is required");
        return false;
    }
    bool is_text = node_as_text(name, &out->text);
    if (!is_text) {
        job_fault(p, p->severity, "job_name", name, "must be text, not %s", node_type_name(name));
    } else if (out->text.len == 0 || memchr(out->text.p, '\0', out->text.len) != NULL) {
        job_fault(p, p->severity, "job_name", name, "%s",
                  out->text.len == 0 ? "is required" : "holds a NUL character");
        is_text = false;
    }
    return is_text;
}

/* A section is a list, and nothing in it holds what C and many a tool would cut off. */
static bool check_section(struct planner *p, const struct node_pair *pair)
{
    bool is_list = pair->value->type == NODE_LIST || node_is_null(pair->value) ||
                   (pair->value->type == NODE_SCALAR && expression_holder(pair->value) != NULL);
    const struct node *nul = sections_find_nul(pair->value);

    if (is_list && nul == NULL) {
        return true;
    }
    size_t mark = faults_push_index(p->f, p->index);
    faults_push(p->f, "%.*s", SPAN_ARG(pair->key->text));
    if (is_list) {
        sections_push_nul(pair->value, p->f);
        faults_add(p->f, p->severity, nul->line, "holds a NUL character");
    } else {
        faults_add(p->f, p->severity, pair->value->line, "must be a list, not %s",
                   node_type_name(pair->value));
    }
    faults_pop(p->f, mark);
    return false;
}

static bool check_sections(struct planner *p, const struct node *job)
{
    bool is_good = true;

    for (size_t i = 0; i < job->n; i++) {
        is_good = (!wire_is_sd_key(job->pairs[i].key->text) || check_section(p, &job->pairs[i])) &&
                  is_good;
    }
    return is_good;
}

/* Collectors, and so the allocator and its URLs, know jobs by the names that they read. */
static bool is_only_one(struct planner *p, const struct plan_receiver *r,
                        const struct plan_job *job)
{
    struct jobname_read name = jobname_read(job->name, p->arena);
    const struct plan_job *other = spanmap_get_in(&p->names, r->name, name.text);

    if (other == NULL) {
        (void)spanmap_put_in(&p->names, r->name, name.text, job);
        (void)spanmap_put(&p->names, name.text, job);
        (void)spanmap_put(&p->names, job->name.text, job);
        return true;
    }
    if (span_eq(other->name.text, job->name.text)) {
        job_fault(p, p->severity, "job_name", job->node,
                  "found multiple scrape configs with job name \"%.*s\"", SPAN_ARG(name.text));
    } else {
        job_fault(
            p, p->severity, "job_name", job->node,
            "found multiple scrape configs with job name \"%.*s\": collectors read both '%.*s' "
            "and '%.*s' so",
            SPAN_ARG(name.text), SPAN_ARG(other->name.text), SPAN_ARG(job->name.text));
    }
    return false;
}

/* One that nothing can be done for. */
static void plan_untouched(struct planner *p, const struct plan_receiver *r, struct plan_job *job)
{
    struct sections present;
    struct own_entry own;

    sections_of_job(job->node, p->arena, &present, &own);
    if (own.is_there && !p->is_rewrite) {
        plan_lost(p, r, job);
    }
}

static void plan_one_job(struct planner *p, struct plan_receiver *r, const struct node *node,
                         size_t index)
{
    struct plan_job *job = &r->jobs[r->n_jobs++];

    p->index = index;
    *job = (struct plan_job){ .node = node, .index = index };
    if (node->type != NODE_MAP) {
        bool is_left = node->type == NODE_SCALAR && p->is_rewrite && !is_takable(p, r, job);
        if (!is_left && node_is_null(node)) {
            job_fault(p, p->severity, NULL, node, "empty or null scrape config section");
        } else if (!is_left) {
            job_fault(p, p->severity, NULL, node, "must be a mapping, not %s",
                      node_type_name(node));
        }
        return;
    }
    bool is_good = read_name(p, node, &job->name) && is_only_one(p, r, job);
    if (!check_sections(p, node)) {
        plan_untouched(p, r, job);
    } else if (is_good || !p->is_rewrite) { /* a restore needs no name: our URL has it */
        decide(p, r, job);
    }
}

/* ---- the intended job */

const struct node *plan_intended_job(const struct plan_job *job, struct arena *arena)
{
    const struct node *node = job->node;

    if (job->action == JOB_LEAVE) {
        return node;
    }
    if (job->action == JOB_RESTORE) {
        return sections_put(&job->sections, node, arena);
    }
    bool has_merge = node_has_merge(node);
    struct node_pair *pairs = arena_alloc(arena, (node->n + 1) * sizeof(*pairs));
    size_t n = 0;
    for (size_t i = 0; i < node->n; i++) {
        struct span key = node->pairs[i].key->text;
        if (!wire_is_sd_key(key)) {
            pairs[n++] = node->pairs[i];
        } else if (has_merge && !span_is(key, HTTP_SD)) {
            pairs[n++] = (struct node_pair){ .key = node->pairs[i].key,
                                             .value = nodeedit_list(arena, NULL, 0) };
        }
    }
    struct node **items = arena_alloc(arena, sizeof(struct node *));
    items[0] = nodeedit_member(arena, job->entry, SPAN_LIT("url"), nodeedit_text(arena, job->url));
    return nodeedit_member(arena, nodeedit_map(arena, pairs, n), SPAN_LIT(HTTP_SD),
                           nodeedit_list(arena, items, 1));
}

/* ---- one receiver */

/* What the annotation keeps of a receiver; it counts while the block is ours. */
static const struct node *stored_receiver(struct planner *p, struct plan_receiver *r)
{
    const struct originals *o = &p->originals;
    const struct node *found = originals_of_receiver(o, r->name);

    if (found == NULL && has_old_originals(p)) {
        o = &p->old_originals;
        found = originals_of_receiver(o, r->name);
    }
    r->records = o->records;
    return found;
}

static bool has_our_block(const struct planner *p, const struct plan_receiver *r)
{
    return originals_is_our_block(node_get(r->node, "target_allocator"), p->arena);
}

/* The block will be ours again, and the list is what was left of it. */
static bool gets_list_back(struct planner *p, struct plan_receiver *r, bool is_block_wanted)
{
    return is_block_wanted &&
           (r->list == NULL || r->list->n == 0 ||
            originals_is_rest(r->list, node_get(stored_receiver(p, r), "scrape_configs"),
                              p->arena));
}

static void plan_jobs(struct planner *p, struct plan_receiver *r, bool is_block_wanted)
{
    /* With those that an earlier rewrite in block style took out of the list. */
    const struct node *stored = has_our_block(p, r) || gets_list_back(p, r, is_block_wanted)
                                    ? node_get(stored_receiver(p, r), "scrape_configs")
                                    : NULL;
    const struct node *jobs = originals_join_jobs(r->list, stored, p->arena);
    size_t n = jobs == NULL ? 0 : jobs->n;

    r->has_stored_list = stored != NULL;
    set_url(p, r->name);
    r->jobs = arena_alloc(p->arena, (n + 1) * sizeof(struct plan_job));
    size_t mark = faults_push(p->f, "scrape_configs");
    for (size_t i = 0; i < n; i++) {
        plan_one_job(p, r, jobs->items[i], i);
    }
    faults_pop(p->f, mark);
}

/* Is it the list as it is? */
static bool is_list(const struct plan_receiver *r, struct node *const *items, size_t n)
{
    bool is = n == (r->list == NULL ? 0 : r->list->n);

    for (size_t i = 0; i < n && is; i++) {
        is = items[i] == r->list->items[i];
    }
    return is;
}

/* All jobs that are taken leave the list for the annotation, or come back from it. */
static void plan_whole_list(struct planner *p, struct plan_receiver *r, bool is_block)
{
    struct node **kept = arena_alloc(p->arena, (r->n_jobs + 1) * sizeof(struct node *));
    struct node **moved = arena_alloc(p->arena, (r->n_jobs + 1) * sizeof(struct node *));
    size_t n_kept = 0, n_moved = 0;

    if (!is_block && r->n_jobs == (r->list == NULL ? 0 : r->list->n)) {
        return;
    }
    for (size_t i = 0; i < r->n_jobs; i++) {
        struct plan_job job = r->jobs[i];
        bool moves = is_block && job.left.kind == LEFT_NOT;
        if (moves && job.sections.n > 0) {
            job.action = JOB_RESTORE;
        }
        struct node *intended = (struct node *)(uintptr_t)plan_intended_job(&job, p->arena);
        moved[n_moved++] =
            moves ? intended
                  : (struct node *)(uintptr_t)originals_left_job(job.name.text, p->arena);
        if (!moves) {
            kept[n_kept++] = intended;
        }
    }
    r->stored_list = is_block ? nodeedit_list(p->arena, moved, n_moved) : NULL;
    r->new_list = is_list(r, kept, n_kept) ? NULL : nodeedit_list(p->arena, kept, n_kept);
}

/* True for a map, and for nothing; anything else is a fault where 'f' stands. */
static bool is_map_or_nothing(struct planner *p, const struct node *n)
{
    if (n == NULL || node_is_null(n) || n->type == NODE_MAP) {
        return true;
    }
    faults_add(p->f, p->severity, n->line, "must be a mapping, not %s", node_type_name(n));
    return false;
}

/* An expression that each collector reads, with all jobs that come of it. */
static bool is_template(struct planner *p, const struct node *n)
{
    enum fault_severity severity = p->in->options->denies_untakable ? FAULT_ERROR : FAULT_WARNING;

    if (n == NULL || !p->is_rewrite) {
        return n != NULL && n->type == NODE_SCALAR && expression_holder(n) != NULL;
    }
    bool is = takable_is_template(n, severity, p->f);
    p->plan->n_left[LEFT_EXPRESSION] += is ? 1 : 0;
    return is;
}

static void open_list(struct planner *p, struct plan_receiver *r)
{
    const struct node *list = node_get(r->config, "scrape_configs");
    size_t mark = faults_push(p->f, "scrape_configs");

    if (!node_is_null(list) && list->type == NODE_LIST) {
        r->list = list;
    } else if (!node_is_null(list) && !is_template(p, list)) {
        faults_add(p->f, p->severity, list->line, "must be a list, not %s", node_type_name(list));
    }
    faults_pop(p->f, mark);
}

static bool open_receiver(struct planner *p, struct plan_receiver *r)
{
    if (is_template(p, r->node) || !is_map_or_nothing(p, r->node) || node_is_null(r->node)) {
        return false;
    }
    r->config = node_get(r->node, "config");
    if (node_is_null(r->config)) {
        r->config = NULL;
        return true;
    }
    size_t mark = faults_push(p->f, "config");
    bool is_usable = !is_template(p, r->config) && is_map_or_nothing(p, r->config);
    if (is_usable) {
        r->global = takable_fill_global(&p->takable, node_get(r->config, "global"));
        open_list(p, r);
        if (p->is_rewrite) {
            collectoradvice_of_config(r->config, p->f);
        }
    }
    faults_pop(p->f, mark);
    return is_usable;
}

/* Jobs and a block of the user's may be in the annotation, and nobody knows. */
static void plan_lost_block(struct planner *p, struct plan_receiver *r, const struct node *block)
{
    const struct node *old =
        node_get(node_get_span(node_get(p->old.config, "receivers"), r->name), "target_allocator");
    bool was_lost = old != NULL && originals_is_our_block(old, p->arena);
    size_t mark = faults_push(p->f, "target_allocator");

    r->is_block_lost = true;
    p->plan->n_lost++;
    if (p->is_rewrite && !was_lost) {
        faults_add(p->f, FAULT_ERROR, block->line, "%s", ORIGINALS_BLOCK_LOSS);
    } else {
        AUTO_STR text = mem_printf("the block of %.*s %s", SPAN_ARG(r->name), ORIGINALS_BLOCK_LOSS);
        report_loss(p, block, text);
    }
    faults_pop(p->f, mark);
}

static void plan_block(struct planner *p, struct plan_receiver *r, bool is_wanted)
{
    struct block_plan block;
    const struct block_input in = {
        .collector = p->in->collector,
        .options = p->in->options,
        .present = node_get(r->node, "target_allocator"),
        .stored = has_our_block(p, r) ? node_get(stored_receiver(p, r), "target_allocator") : NULL,
        .is_wanted = is_wanted,
    };

    if (in.stored == NULL && p->in->is_annotation_unread && has_our_block(p, r)) {
        plan_lost_block(p, r, in.present);
        return;
    }
    block_plan(&in, p->arena, &block);
    r->block_action =
        block.is_changed ? (block.value == NULL ? BLOCK_REMOVE : BLOCK_SET) : BLOCK_LEAVE;
    r->block = block.value;
    r->stored_block = block.stored;
}

static void plan_one_receiver(struct planner *p, struct span name, const struct node *node,
                              bool has_block)
{
    struct plan_receiver *r = &p->plan->receivers[p->plan->n_receivers];
    const struct plan_input *in = p->in;
    bool is_block_wanted = p->is_rewrite && has_block;

    *r = (struct plan_receiver){ .name = name, .node = node };
    size_t mark = faults_push(p->f, "%.*s", SPAN_ARG(name));
    if (open_receiver(p, r)) {
        size_t inner = faults_push(p->f, "config");
        plan_jobs(p, r, is_block_wanted);
        faults_pop(p->f, inner);
        bool is_moved = is_block_wanted && in->options->is_block_style;
        bool is_idle = is_moved && r->n_jobs > 0 && r->n_taken == 0;
        plan_whole_list(p, r, is_moved && r->n_taken > 0);
        plan_block(p, r, is_block_wanted && (!is_idle || in->collector->has_prometheus_cr));
        p->plan->n_receivers++;
    }
    faults_pop(p->f, mark);
}

/* The block goes into one receiver, or every target of it would be scraped as often as there are
 * receivers. */
static struct span receiver_of_block(const struct planner *p, const struct node *receivers)
{
    struct span none = { NULL, 0 };

    if (!p->in->options->is_block_style && !p->in->collector->has_prometheus_cr) {
        return none;
    }
    if (node_get(receivers, WIRE_DEFAULT_RECEIVER) != NULL) {
        return SPAN_LIT(WIRE_DEFAULT_RECEIVER);
    }
    for (size_t i = 0; i < receivers->n; i++) {
        if (receivers_is(receivers->pairs[i].key->text)) {
            return receivers->pairs[i].key->text;
        }
    }
    return none;
}

static void count(struct plan *plan)
{
    for (size_t r = 0; r < plan->n_receivers; r++) {
        const struct plan_receiver *receiver = &plan->receivers[r];
        plan->n_changed += (receiver->block_action != BLOCK_LEAVE ? 1U : 0U) +
                           (receiver->new_list != NULL ? 1U : 0U);
        plan->has_annotation =
            plan->has_annotation || receiver->stored_list != NULL || receiver->stored_block != NULL;
        for (size_t i = 0; i < receiver->n_jobs; i++) {
            const struct plan_job *job = &receiver->jobs[i];
            bool is_served = job->url.p != NULL;
            plan->n_jobs_served += is_served ? 1 : 0;
            plan->n_changed += job->action != JOB_LEAVE && receiver->new_list == NULL &&
                                       receiver->stored_list == NULL
                                   ? 1
                                   : 0;
            plan->has_annotation = plan->has_annotation || is_served;
        }
    }
}

/* 'f' stands at "spec.config.receivers". */
static void plan_receivers(struct planner *p, const struct node *receivers)
{
    struct span block = receiver_of_block(p, receivers);

    p->plan->receivers = arena_alloc(p->arena, (receivers->n + 1) * sizeof(struct plan_receiver));
    originals_init(&p->originals, p->in->annotation, p->arena);
    spanmap_init(&p->old_jobs, p->arena);
    for (size_t i = 0; i < receivers->n; i++) {
        struct span name = receivers->pairs[i].key->text;
        if (receivers_is(name)) {
            plan_one_receiver(p, name, receivers->pairs[i].value,
                              block.p != NULL && span_eq(block, name));
        }
    }
    count(p->plan);
    originals_fini(&p->originals);
    if (p->has_old) {
        originals_fini(&p->old_originals);
    }
    spanmap_fini(&p->old_jobs);
}

void plan_make(const struct plan_input *in, struct arena *arena, struct faults *f, struct plan *out)
{
    struct planner p = { .in = in, .arena = arena, .f = f, .plan = out };
    const struct node *receivers = node_get(in->collector->config, "receivers");

    *out = (struct plan){ .n_receivers = 0 };
    p.is_rewrite = !in->is_restore && collector_is_served(in->collector);
    p.severity = p.is_rewrite ? FAULT_ERROR : FAULT_WARNING;
    size_t mark = faults_push(f, "spec");
    faults_push(f, "config");
    faults_push(f, "receivers");
    spanmap_init(&p.names, arena);
    takable_init(&p.takable, in->collector, &in->options->takable, arena);
    if (!is_template(&p, receivers) && is_map_or_nothing(&p, receivers) && receivers != NULL &&
        !node_is_null(receivers)) {
        plan_receivers(&p, receivers);
    }
    faults_pop(f, mark);
    if (p.is_rewrite) {
        takable_report_strangers(&p.takable, &p.names, f);
    }
    spanmap_fini(&p.names);
}

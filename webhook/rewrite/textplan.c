#include "webhook/rewrite/textplan.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/nodeedit.h"
#include "allocator/codec/yamldoc.h"
#include "webhook/text/anchored.h"
#include "webhook/text/member.h"
#include "webhook/text/undo.h"

#define HTTP_SD "http_sd_configs"

/* ---- texts */

static unsigned list_column(const struct text_editor *t, const struct node_pair *pair)
{
    const struct node *value = pair->value;
    bool is_dash =
        value->type == NODE_LIST && value->style == NODE_BLOCK && t->text.p[value->begin] == '-';

    return is_dash ? value->column : pair->key->column + 2;
}

/* Between members on one place. */
static void add_separator(enum yamltext_form form, unsigned column, struct buf *out)
{
    if (form == YAMLTEXT_BLOCK) {
        buf_addf(out, "\n%*s", (int)column, "");
    } else {
        buf_add_str(out, form == YAMLTEXT_JSON_COMPACT ? "," : ", ");
    }
}

/* What stands in place of a job's first discovery section: all members of the intended job that are
 * discovery sections. */
static struct span sections_text(struct text_editor *t, const struct plan_job *job,
                                 const struct node_pair *first)
{
    const struct node *intended = plan_intended_job(job, t->arena);
    enum yamltext_form form = member_form(t, job->node);
    unsigned column = first != NULL ? first->key->column : member_column(job->node);
    unsigned dash = first != NULL ? list_column(t, first) : column + 2;
    bool is_first = true;
    AUTO_BUF made = { 0 };

    buf_init(&made, LIMIT_DOCUMENT_BYTES);
    for (size_t i = intended->n; i > 0; i--) {
        /* Backwards: our entry was set last, overrides follow it. */
        const struct node_pair *pair =
            &intended->pairs[job->action == JOB_RESTORE ? intended->n - i : i - 1];
        if (!wire_is_sd_key(pair->key->text)) {
            continue;
        }
        if (!is_first) {
            add_separator(form, column, &made);
        }
        is_first = false;
        yamltext_member(pair->key->text, pair->value, form, column, dash, &made);
    }
    return member_text(t, &made);
}

/* ---- edits */

static int refuse_shared(struct err *err)
{
    return err_set(
        err, ERR_REFUSED,
        "comes from an alias or a merge key and would change elsewhere too; write it out here");
}

static int edit_job(struct text_editor *t, const struct plan_job *job, struct err *err)
{
    const struct node_pair *first = NULL;

    for (size_t i = 0; i < job->node->n; i++) {
        const struct node_pair *pair = &job->node->pairs[i];
        if (pair->is_merged || !wire_is_sd_key(pair->key->text)) {
            continue;
        }
        if (first == NULL) {
            first = pair;
            continue;
        }
        int rc = member_remove(t, job->node, pair, err);
        if (rc < 0) {
            return rc;
        }
    }
    struct span text = sections_text(t, job, first);
    if (first != NULL) {
        member_replace(t, first, text);
    } else {
        member_append(t, job->node, text);
    }
    return 0;
}

static const struct span none = { NULL, 0 };

/* Of a job, or of the receiver itself. */
static const struct node *record_of(const struct plan_receiver *r, const struct plan_job *job)
{
    if (job == NULL) {
        return undo_find(r->records, r->name, SPAN_LIT(""));
    }
    const struct original *o = job->original;
    return o == NULL ? NULL : undo_find(o->records, o->receiver, o->job.text);
}

static int edit_one_job(const struct textplan *in, const struct plan_receiver *r,
                        const struct plan_job *job, bool use_records, struct text_editor *t,
                        struct err *err)
{
    const struct node *record = record_of(r, job);

    if (job->node->is_alias) {
        return refuse_shared(err);
    }
    if (use_records && job->action == JOB_RESTORE && !job->is_mixed &&
        undo_take(record, in->text, job->node, SPAN_LIT(HTTP_SD), t->splice)) {
        return 0;
    }
    return edit_job(t, job, err);
}

static int edit_jobs(const struct textplan *in, const struct plan_receiver *r, bool use_records,
                     struct text_editor *t, struct faults *f)
{
    struct err err;
    int rc = 0;

    for (size_t i = 0; i < r->n_jobs; i++) {
        const struct plan_job *job = &r->jobs[i];
        size_t from = t->splice->edits.n;
        if (job->action == JOB_LEAVE) {
            continue;
        }
        if (edit_one_job(in, r, job, use_records, t, &err) < 0) {
            size_t config = faults_push(f, "config");
            faults_push(f, "scrape_configs");
            faults_push_index(f, job->index);
            faults_add(f, FAULT_ERROR, job->node->line, "%s", err.text);
            faults_pop(f, config);
            rc = ERR_REFUSED;
        }
        splice_own(t->splice, from, job);
    }
    return rc;
}

/* Can the block be changed member by member? A member is put in front of the first one, which then
 * must not go, and of neighbours on one line only one can be taken out. */
static bool keeps_members(const struct node_pair *pair, const struct node *block)
{
    const struct node *now = pair == NULL ? NULL : pair->value;
    size_t n_new = 0, n_gone = 0;

    if (now == NULL || now->is_alias || now->type != NODE_MAP || node_has_merge(now) ||
        block->n == 0) {
        return false;
    }
    for (size_t i = 0; i < block->n; i++) {
        n_new += member_find(now, block->pairs[i].key->text) == NULL ? 1U : 0U;
    }
    for (size_t i = 0; i < now->n; i++) {
        n_gone += member_find(block, now->pairs[i].key->text) == NULL ? 1U : 0U;
    }
    return n_gone == 0 || (n_new == 0 && (n_gone == 1 || now->style == NODE_BLOCK));
}

/* What stays the same in the block keeps its bytes. */
static int edit_members(struct text_editor *t, const struct node *now, const struct node *block,
                        struct err *err)
{
    int rc = 0;

    for (size_t i = 0; i < block->n && rc == 0; i++) {
        const struct node_pair *pair = &block->pairs[i];
        const struct node_pair *was = member_find(now, pair->key->text);
        if (was == NULL || !node_equal(was->value, pair->value)) {
            rc = member_set(t, now, pair->key->text, pair->value, err);
        }
    }
    for (size_t i = 0; i < now->n && rc == 0; i++) {
        if (member_find(block, now->pairs[i].key->text) == NULL) {
            rc = member_remove(t, now, &now->pairs[i], err);
        }
    }
    return rc;
}

static int edit_block(const struct plan_receiver *r, struct text_editor *t, struct err *err)
{
    const struct span key = SPAN_LIT("target_allocator");
    const struct node_pair *pair = member_find(r->node, key);

    if (r->block_action == BLOCK_SET && keeps_members(pair, r->block)) {
        return edit_members(t, pair->value, r->block, err);
    }
    return member_set(t, r->node, key, r->block_action == BLOCK_SET ? r->block : NULL, err);
}

/* The receiver's own members: its list as a whole, and the block. */
static int edit_receiver(const struct plan_receiver *r, struct text_editor *t, struct err *err)
{
    int rc = 0;

    if (r->new_list != NULL && r->config == NULL) {
        const struct node *config =
            nodeedit_single(t->arena, SPAN_LIT("scrape_configs"), r->new_list);
        rc = member_set(t, r->node, SPAN_LIT("config"), config, err);
    } else if (r->new_list != NULL) {
        rc = member_set(t, r->config, SPAN_LIT("scrape_configs"), r->new_list, err);
    }
    return rc == 0 && r->block_action != BLOCK_LEAVE ? edit_block(r, t, err) : rc;
}

static bool has_change(const struct plan_receiver *r)
{
    bool is_changed = r->new_list != NULL || r->block_action != BLOCK_LEAVE;

    for (size_t i = 0; i < r->n_jobs && !is_changed && r->stored_list == NULL; i++) {
        is_changed = r->jobs[i].action != JOB_LEAVE;
    }
    return is_changed;
}

/* Every step from the configuration down to the list has to be written where it is. */
static int check_own(const struct node *map, struct span key, const struct node *value,
                     struct err *err)
{
    const struct node_pair *pair = member_find(map, key);

    if (value != NULL && (pair == NULL || pair->value->is_alias)) {
        return refuse_shared(err);
    }
    return 0;
}

static int check_path(const struct textplan *in, const struct plan_receiver *r, struct err *err)
{
    const struct node *receivers = node_get(in->config, "receivers");
    int rc = check_own(in->config, SPAN_LIT("receivers"), receivers, err);

    rc = rc < 0 ? rc : check_own(receivers, r->name, r->node, err);
    rc = rc < 0 ? rc : check_own(r->node, SPAN_LIT("config"), r->config, err);
    return rc < 0 ? rc : check_own(r->config, SPAN_LIT("scrape_configs"), r->list, err);
}

static int edit_whole(const struct textplan *in, const struct plan_receiver *r, bool use_records,
                      struct text_editor *t, struct faults *f)
{
    const struct node *record = record_of(r, NULL);
    bool is_undone =
        (r->new_list != NULL || r->block_action != BLOCK_LEAVE) && r->stored_block == NULL;
    size_t from = t->splice->edits.n;
    struct err err;

    int rc = check_path(in, r, &err);
    bool is_taken = rc == 0 && use_records && is_undone &&
                    undo_take(record, in->text, r->node, none, t->splice);
    rc = rc < 0 || is_taken ? rc : edit_receiver(r, t, &err);
    splice_own(t->splice, from, r);
    if (rc < 0) {
        faults_add(f, FAULT_ERROR, r->node->line, "%s", err.text);
    } else if (r->new_list == NULL && r->stored_list == NULL) {
        rc = edit_jobs(in, r, use_records, t, f);
    }
    return rc;
}

int textplan_edits(const struct textplan *in, bool use_records, struct arena *arena,
                   struct splice *out, struct faults *f)
{
    struct text_editor t;
    struct err err;
    int rc = 0;

    text_editor_init(&t, in->text, arena, out);
    for (size_t i = 0; i < in->plan->n_receivers; i++) {
        const struct plan_receiver *r = &in->plan->receivers[i];
        size_t mark = faults_push(f, "receivers");
        faults_push(f, "%.*s", SPAN_ARG(r->name));
        if (has_change(r) && edit_whole(in, r, use_records, &t, f) < 0) {
            rc = ERR_REFUSED;
        }
        faults_pop(f, mark);
    }
    if (rc == 0 && splice_sort(out, in->text.len, &err) < 0) {
        faults_add(f, FAULT_ERROR, in->config->line, "%s", err.text);
        rc = ERR_REFUSED;
    }
    return rc;
}

/* Do the trees differ? Then 'path' is where, as far as one can say.
 * NOLINTNEXTLINE(misc-no-recursion): parsers cap the depth */
static bool find_difference(const struct node *a, const struct node *b, struct buf *path)
{
    size_t mark = path->len;

    if (a == b) {
        return false;
    }
    if (a->type == NODE_LIST && b->type == NODE_LIST && a->n == b->n) {
        for (size_t i = 0; i < a->n; i++) {
            buf_addf(path, "[%zu]", i);
            if (find_difference(a->items[i], b->items[i], path)) {
                return true;
            }
            path->len = mark;
        }
        return false;
    }
    if (a->type != NODE_MAP || b->type != NODE_MAP) {
        return !node_equal(a, b);
    }
    for (size_t i = 0; i < a->n; i++) {
        struct span key = a->pairs[i].key->text;
        const struct node *other = node_get_near(b, i, key);
        buf_addf(path, "%s%.*s", mark > 0 ? "." : "", SPAN_ARG(key));
        if (other == NULL || find_difference(a->pairs[i].value, other, path)) {
            return true;
        }
        path->len = mark;
    }
    return a->n != b->n;
}

static int refuse_difference(const struct node *tree, const struct node *intended, struct err *err)
{
    AUTO_BUF path = { 0 };

    buf_init(&path, KIB);
    if (tree == NULL || !find_difference(intended, tree, &path) || path.len == 0) {
        return err_set(err, ERR_REFUSED,
                       "the text cannot be changed without changing something else in it");
    }
    return err_set(err, ERR_REFUSED,
                   "the text cannot be changed without changing %.*s, too; write that value out",
                   SPAN_ARG(buf_span(&path)));
}

int textplan_check(struct span result, const struct node *intended, struct arena *arena,
                   struct err *err)
{
    struct node *tree = NULL;
    struct err why;

    if (yamldoc_parse(result, arena, &tree, &why) < 0) {
        return err_set(
            err, ERR_REFUSED,
            "without its discovery sections the document would be broken: %s; write that value out",
            why.text);
    }
    if (!node_equal(tree, intended)) {
        return refuse_difference(tree, intended, err);
    }
    return 0;
}

/* ---- records */

/* The edits of one owner: they follow each other in a sorted splice. */
struct run {
    const void *owner;
    size_t first, n;
};

struct record_writer {
    const struct textplan *in;
    const struct splice *splice;
    struct splice undo;
    struct run *runs; /* sorted by owner */
    size_t n_runs;
    struct span result;
    struct buf *out;
    bool has_receiver, has_record;
};

static int compare_runs(const void *a, const void *b)
{
    const struct run *x = a, *y = b;
    uintptr_t p = (uintptr_t)x->owner, q = (uintptr_t)y->owner;
    return (p > q) - (p < q);
}

static void find_runs(struct record_writer *w, struct arena *arena)
{
    w->runs = arena_alloc(arena, (w->splice->edits.n + 1) * sizeof(struct run));
    for (size_t i = 0; i < w->splice->edits.n; i++) {
        const void *owner = w->splice->edits.v[i].owner;
        if (w->n_runs > 0 && w->runs[w->n_runs - 1].owner == owner) {
            w->runs[w->n_runs - 1].n++;
        } else {
            w->runs[w->n_runs++] = (struct run){ owner, i, 1 };
        }
    }
    qsort(w->runs, w->n_runs, sizeof(w->runs[0]), compare_runs);
}

static void open_record(struct record_writer *w, const struct plan_receiver *r, struct span job)
{
    if (!w->has_record) {
        buf_add_char(w->out, w->has_receiver ? ',' : '{');
        buf_add_json(w->out, r->name);
        buf_add_str(w->out, ":{");
    } else {
        buf_add_char(w->out, ',');
    }
    w->has_receiver = w->has_record = true;
    buf_add_json(w->out, job);
    buf_add_char(w->out, ':');
}

/* ---- members of a map in the rewritten text */

struct members {
    const struct record_writer *w;
    struct anchored_member *v;
    size_t n;
};

static bool is_there(const struct record_writer *w, size_t at, struct span bytes)
{
    return at <= w->result.len && bytes.len <= w->result.len - at &&
           memcmp(w->result.p + at, bytes.p, bytes.len) == 0;
}

static void add_member(struct members *m, struct span parent, struct span key, size_t begin,
                       size_t end)
{
    struct anchored_member *new = &m->v[m->n++];

    *new = (struct anchored_member){ .path = { key }, .depth = 1, .begin = begin, .end = end };
    if (parent.p != NULL) {
        new->path[0] = parent;
        new->path[1] = key;
        new->depth = 2;
    }
}

/* A member that stayed, or that another value was written for. */
static bool find_member(const struct members *m, const struct node_pair *pair, size_t *out)
{
    const struct node *key = pair->key;
    struct span bytes = span_make(m->w->in->text.p + key->begin, key->end - key->begin);
    size_t end = splice_map(m->w->splice, key->end);

    *out = end < bytes.len ? 0 : end - bytes.len;
    if (is_there(m->w, *out, bytes)) {
        return true;
    }
    *out = splice_map(m->w->splice, key->begin);
    return is_there(m->w, *out, bytes);
}

/* A member that was written in front of 'pair', or in its place. */
static void add_new(struct members *m, const struct node_pair *pair, const char *key, size_t end)
{
    size_t begin = splice_map(m->w->splice, pair->key->begin);
    size_t at = begin + (begin < m->w->result.len && m->w->result.p[begin] == '"' ? 1 : 0);

    if (is_there(m->w, at, span_of(key))) {
        add_member(m, (struct span){ NULL, 0 }, span_of(key), begin, end);
    }
}

static void add_members(struct members *m, struct span parent, const struct node *map)
{
    for (size_t i = 0; i < map->n; i++) {
        const struct node_pair *pair = &map->pairs[i];
        size_t begin;
        if (!pair->is_merged && find_member(m, pair, &begin)) {
            add_member(m, parent, pair->key->text, begin,
                       splice_map(m->w->splice, member_end(pair)));
        }
    }
}

static int by_place(const void *a, const void *b)
{
    const struct anchored_member *x = a, *y = b;
    return x->begin != y->begin ? (x->begin > y->begin) - (x->begin < y->begin)
                                : (x->depth > y->depth) - (x->depth < y->depth);
}

static const struct node *own_map(const struct node *map, const char *key)
{
    const struct node_pair *pair = member_find(map, span_of(key));

    return pair == NULL || pair->value->is_alias || pair->value->type != NODE_MAP ? NULL
                                                                                  : pair->value;
}

static void write_anchored(struct record_writer *w, const struct node *map, const struct edit *undo,
                           size_t n)
{
    static const char *const inner[] = { "config", "target_allocator" };
    struct members m = { .w = w };
    size_t n_all = map->n + 2;

    for (size_t i = 0; i < COUNT(inner); i++) {
        const struct node *child = own_map(map, inner[i]);
        n_all += child == NULL ? 0 : child->n;
    }
    m.v = mem_alloc(n_all * sizeof(*m.v));
    add_members(&m, (struct span){ NULL, 0 }, map);
    for (size_t i = 0; i < COUNT(inner); i++) {
        const struct node *child = own_map(map, inner[i]);
        if (child != NULL) {
            add_members(&m, span_of(inner[i]), child);
        }
    }
    for (size_t i = 0; i < map->n; i++) {
        if (!map->pairs[i].is_merged && wire_is_sd_key(map->pairs[i].key->text)) {
            add_new(&m, &map->pairs[i], HTTP_SD,
                    node_has_merge(map) ? SIZE_MAX /* more than one member was written there */
                                        : splice_map(w->splice, member_end(&map->pairs[i])));
            break;
        }
    }
    if (map->n > 0 && !map->pairs[0].is_merged && own_map(map, "target_allocator") == NULL) {
        add_new(&m, &map->pairs[0], "target_allocator", SIZE_MAX);
    }
    qsort(m.v, m.n, sizeof(m.v[0]), by_place);
    const struct anchored_place place = { .text = w->result,
                                          .begin = splice_map(w->splice, map->begin),
                                          .members = m.v,
                                          .n_members = m.n };
    anchored_write(&place, undo, n, w->out);
    mem_free(m.v);
}

/* Does the record that is there lead from the new text, too? Another URL in the same place does not
 * matter to it; undoing a second rewrite as such would lead to the first one's result. */
static bool is_record_good(const struct record_writer *w, const struct plan_receiver *r,
                           const struct plan_job *job, bool is_changed)
{
    bool is_same = !is_changed || (job != NULL && job->original != NULL && !job->has_more);

    return is_same && undo_take(record_of(r, job), w->in->text, job == NULL ? r->node : job->node,
                                job == NULL ? none : SPAN_LIT(HTTP_SD), NULL);
}

static void write_record(struct record_writer *w, const struct plan_receiver *r,
                         const struct plan_job *job)
{
    const struct node *node = job == NULL ? r->node : job->node;
    const struct run key = { .owner = job == NULL ? (const void *)r : job };
    const struct run *run = bsearch(&key, w->runs, w->n_runs, sizeof(*run), compare_runs);
    const struct edit *undo = run == NULL ? NULL : &w->undo.edits.v[run->first];
    struct span name = job == NULL ? SPAN_LIT("") : job->name.text;
    bool is_first = undo != NULL && (job == NULL || job->original == NULL);

    if (is_first && undo->begin >= splice_map(w->splice, node->begin)) {
        open_record(w, r, name);
        write_anchored(w, node, undo, run->n);
    } else if (!is_first && is_record_good(w, r, job, undo != NULL)) {
        open_record(w, r, name);
        node_write_json(record_of(r, job), w->out);
    }
}

static int by_name(const void *a, const void *b)
{
    const struct plan_job *const *x = a, *const *y = b;
    return span_cmp((*x)->name.text, (*y)->name.text);
}

static int by_receiver(const void *a, const void *b)
{
    const struct plan_receiver *const *x = a, *const *y = b;
    return span_cmp((*x)->name, (*y)->name);
}

static void write_receiver(struct record_writer *w, const struct plan_receiver *r,
                           struct arena *arena)
{
    const struct plan_job **jobs = arena_alloc(arena, (r->n_jobs + 1) * sizeof(struct plan_job *));
    size_t n = 0;

    for (size_t i = 0; i < r->n_jobs && r->stored_list == NULL && r->new_list == NULL; i++) {
        if (r->jobs[i].url.p != NULL) {
            jobs[n++] = &r->jobs[i];
        }
    }
    qsort(jobs, n, sizeof(jobs[0]), by_name);
    w->has_record = false;
    if (r->stored_block != NULL || r->stored_list != NULL) {
        write_record(w, r, NULL);
    }
    for (size_t i = 0; i < n; i++) {
        write_record(w, r, jobs[i]);
    }
    if (w->has_record) {
        buf_add_char(w->out, '}');
    }
}

void textplan_write_records(const struct textplan *in, const struct splice *splice,
                            struct span result, struct arena *arena, struct buf *out)
{
    struct record_writer w = { .in = in, .splice = splice, .result = result, .out = out };
    const struct plan *plan = in->plan;
    const struct plan_receiver **sorted =
        arena_alloc(arena, (plan->n_receivers + 1) * sizeof(struct plan_receiver *));

    splice_invert(splice, in->text, &w.undo);
    find_runs(&w, arena);
    for (size_t i = 0; i < plan->n_receivers; i++) {
        sorted[i] = &plan->receivers[i];
    }
    qsort(sorted, plan->n_receivers, sizeof(sorted[0]), by_receiver);
    for (size_t i = 0; i < plan->n_receivers; i++) {
        write_receiver(&w, sorted[i], arena);
    }
    if (w.has_receiver) {
        buf_add_char(out, '}');
    }
    splice_fini(&w.undo);
}

#include "allocator/prom/relabel_program.h"

#include "allocator/base/buf.h"
#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/memorylimit.h"
#include "allocator/base/thread.h"
#include "allocator/codec/walk.h"

struct shared {
    struct table_node node;
    struct span key;
    size_t n_refs;
    struct shared *newer, *older; /* idle: in the order in which they became it */
    struct relabel_program program;
    struct arena arena; /* key, sources, templates, description */
};

/* The one table of the process: rules of different Collectors come from different threads. */
static struct {
    struct mutex mutex;
    struct table table GUARDED;
    struct shared *newest, *oldest GUARDED; /* of those that are idle */
    size_t n_idle, idle_bytes GUARDED;
    size_t bytes, most_bytes GUARDED; /* of all; most: 0 until the first is made */
    uint64_t last_number GUARDED;
    size_t n_refused GUARDED;
} state = { .mutex = MUTEX_INIT };

/* ---- what makes two rules one program */

static void add_text(struct buf *out, struct span s)
{
    uint32_t len = (uint32_t)s.len;

    buf_add(out, &len, sizeof(len));
    buf_add_span(out, s);
}

static void add_key(const struct relabel_config *c, struct buf *out)
{
    const uint64_t numbers[] = { c->action, c->modulus, c->n_sources };

    buf_add(out, numbers, sizeof(numbers));
    for (size_t i = 0; i < c->n_sources; i++) {
        add_text(out, c->sources[i]);
    }
    add_text(out, c->separator);
    add_text(out, c->regex);
    add_text(out, c->target);
    add_text(out, c->replacement);
}

/* The next text of a key, which keeps its bytes. */
static struct span next_text(const char **at)
{
    uint32_t len;

    memcpy(&len, *at, sizeof(len));
    struct span s = span_make(*at + sizeof(len), len);
    *at += sizeof(len) + len;
    return s;
}

/* ---- compiling */

static const char *describe(const struct relabel_config *c, struct arena *arena)
{
    AUTO_BUF text;
    buf_init(&text, 4 * LIMIT_REGEX_BYTES);
    buf_add_str(&text, relabel_action_name(c->action));
    bool takes_names = c->action == RELABEL_LABELMAP || c->action == RELABEL_LABELDROP ||
                       c->action == RELABEL_LABELKEEP;
    if (!takes_names && c->n_sources > 0) {
        buf_add_str(&text, " [");
        for (size_t i = 0; i < c->n_sources; i++) {
            buf_add_span(&text, i == 0 ? SPAN_LIT("") : c->separator);
            buf_add_span(&text, c->sources[i]);
        }
        buf_add_char(&text, ']');
    }
    bool is_conditional = c->action == RELABEL_REPLACE || c->action == RELABEL_ACTION_KEEP ||
                          c->action == RELABEL_ACTION_DROP;
    if (takes_names || (is_conditional &&
                        (c->action != RELABEL_REPLACE || !relabel_config_has_default_regex(c)))) {
        buf_addf(&text, " =~ %.*s", SPAN_ARG(c->regex));
    }
    if (c->action == RELABEL_HASHMOD) {
        buf_addf(&text, " %% %llu", (unsigned long long)c->modulus);
    }
    if (c->action == RELABEL_REPLACE) {
        buf_addf(&text, " -> %.*s := \"%.*s\"", SPAN_ARG(c->target), SPAN_ARG(c->replacement));
    } else if (c->action == RELABEL_LABELMAP) {
        buf_addf(&text, " -> %.*s", SPAN_ARG(c->replacement));
    } else if (c->action == RELABEL_KEEPEQUAL || c->action == RELABEL_DROPEQUAL) {
        buf_addf(&text, " == %.*s", SPAN_ARG(c->target));
    } else if (c->target.len > 0 && !takes_names && !is_conditional) {
        buf_addf(&text, " -> %.*s", SPAN_ARG(c->target));
    }
    return buf_error(&text) != 0 ? relabel_action_name(c->action)
                                 : arena_strndup(arena, text.p, text.len);
}

/* The template in a field; NULL after a fault. 'text' is of the key. */
static const struct regex_template *compile_template(struct shared *s, const struct node *node,
                                                     const char *field, struct span text,
                                                     struct faults *f)
{
    struct err err;
    const struct regex_template *template = NULL;

    if (regex_template_compile(s->program.regex, text, &s->arena, &template, &err) < 0) {
        walk_fault(node, field, f, "%s", err.text);
    }
    return template;
}

static size_t max(size_t a, size_t b)
{
    return a > b ? a : b;
}

static bool compile_templates(struct shared *s, const struct node *node, struct span target,
                              struct span replacement, struct faults *f)
{
    struct relabel_program *p = &s->program;

    if (p->action != RELABEL_REPLACE && p->action != RELABEL_LABELMAP) {
        return true;
    }
    p->replacement = compile_template(s, node, "replacement", replacement, f);
    p->target_template = compile_template(s, node, "target_label", target, f);
    if (p->replacement == NULL || p->target_template == NULL) {
        return false;
    }
    p->n_groups =
        max(regex_template_groups(p->replacement), regex_template_groups(p->target_template));
    return true;
}

/* Everything but the regex, from the key: 'c' goes before the program does. */
static bool fill(struct shared *s, const struct relabel_config *c, struct faults *f)
{
    struct relabel_program *p = &s->program;
    const char *at = s->key.p + 3 * sizeof(uint64_t);
    struct span *sources = arena_alloc(&s->arena, c->n_sources * sizeof(*sources));

    for (size_t i = 0; i < c->n_sources; i++) {
        sources[i] = next_text(&at);
    }
    p->sources = sources;
    p->n_sources = c->n_sources;
    p->action = c->action;
    p->modulus = c->modulus;
    p->separator = next_text(&at);
    (void)next_text(&at);
    struct span target = next_text(&at);
    p->has_plain_target = c->action != RELABEL_REPLACE || !relabel_config_has_dollar(target);
    p->target = p->has_plain_target ? target : SPAN_LIT("");
    p->is_any = regex_is_any(p->regex);
    p->description = describe(c, &s->arena);
    return compile_templates(s, c->node, target, next_text(&at), f);
}

static void shared_free(struct shared *s)
{
    regex_free(&s->program.regex);
    arena_fini(&s->arena);
    mem_free(s);
}

static struct shared *compile(const struct relabel_config *c, struct span key,
                              struct regex_budget *budget, struct faults *f)
{
    struct shared *s = mem_zalloc(sizeof(*s));
    struct err err;

    s->n_refs = 1;
    arena_init_small(&s->arena);
    s->key = arena_span(&s->arena, key);
    if (regex_compile(c->regex, budget, &s->program.regex, &err) < 0) {
        walk_fault(c->node, "regex", f, "%s", err.text);
    } else if (fill(s, c, f)) {
        return s;
    }
    shared_free(s);
    return NULL;
}

/* ---- the table */

static size_t weight(const struct shared *s)
{
    return sizeof(*s) + s->arena.used_bytes + regex_weight(s->program.regex);
}

static bool has_key(const struct table_node *node, const void *key)
{
    return span_eq(CONTAINER_OF(node, struct shared, node)->key, *(const struct span *)key);
}

static void leave_idle(struct shared *s) REQUIRES(state.mutex)
{
    *(s->newer == NULL ? &state.newest : &s->newer->older) = s->older;
    *(s->older == NULL ? &state.oldest : &s->older->newer) = s->newer;
    s->newer = s->older = NULL;
    state.n_idle--;
    state.idle_bytes -= weight(s);
}

static void enter_idle(struct shared *s) REQUIRES(state.mutex)
{
    s->older = state.newest;
    *(s->older == NULL ? &state.oldest : &s->older->newer) = s;
    state.newest = s;
    state.n_idle++;
    state.idle_bytes += weight(s);
}

static size_t most_bytes(void) REQUIRES(state.mutex)
{
    if (state.most_bytes == 0) {
        state.most_bytes = memorylimit_patterns(memorylimit_bytes());
    }
    return state.most_bytes;
}

static bool is_over(size_t more) REQUIRES(state.mutex)
{
    return state.bytes + more > most_bytes();
}

/* Those that are idle too long, or in the way of 'more' bytes, taken out of the table; a list by
 * 'older'. */
static struct shared *take_surplus(size_t more) REQUIRES(state.mutex)
{
    struct shared *list = NULL;

    while (state.n_idle > LIMIT_PROGRAMS_IDLE || state.idle_bytes > LIMIT_PROGRAMS_IDLE_BYTES ||
           (state.n_idle > 0 && is_over(more))) {
        struct shared *s = state.oldest;
        leave_idle(s);
        table_del(&state.table, &s->node);
        state.bytes -= weight(s);
        s->older = list;
        list = s;
    }
    return list;
}

static void free_list(struct shared *s)
{
    while (s != NULL) {
        struct shared *next = s->older;
        shared_free(s);
        s = next;
    }
}

static struct shared *find(struct span key, uint64_t hash) REQUIRES(state.mutex)
{
    struct table_node *node = table_find(&state.table, hash, has_key, &key);
    struct shared *s = node == NULL ? NULL : CONTAINER_OF(node, struct shared, node);

    if (s != NULL && s->n_refs++ == 0) {
        leave_idle(s);
    }
    return s;
}

static struct shared *find_unlocked(struct span key, uint64_t hash)
{
    mutex_lock(&state.mutex);
    struct shared *s = find(key, hash);
    mutex_unlock(&state.mutex);
    return s;
}

/* Moves 'made' into the table, or frees it: another thread may have made the same in the meantime.
 * NULL when there is no room for it, with a fault. */
static struct shared *enter(struct shared *made, uint64_t hash, const struct node *rule,
                            struct faults *f)
{
    struct shared *surplus = NULL;

    mutex_lock(&state.mutex);
    struct shared *s = find(made->key, hash);
    size_t most = most_bytes();
    if (s == NULL) {
        surplus = take_surplus(weight(made));
        if (!is_over(weight(made))) {
            made->program.number = ++state.last_number;
            table_put(&state.table, &made->node, hash);
            state.bytes += weight(made);
            s = made;
        }
    }
    state.n_refused += s == NULL;
    mutex_unlock(&state.mutex);
    free_list(surplus);
    if (s != made) {
        shared_free(made);
    }
    if (s == NULL) {
        walk_fault(rule, "regex", f,
                   "no room: the patterns of all Collectors together take the %zu MiB that they "
                   "may (--memory-limit)",
                   most / MIB);
    }
    return s;
}

static struct relabel_program *pay(struct shared *s, const struct relabel_config *c,
                                   struct regex_budget *budget, struct faults *f)
{
    struct err err;

    if (regex_pay(s->program.regex, budget, &err) < 0) {
        walk_fault(c->node, "regex", f, "%s", err.text);
        relabel_program_put(&s->program);
        return NULL;
    }
    return &s->program;
}

struct relabel_program *relabel_program_get(const struct relabel_config *c,
                                            struct regex_budget *budget, struct faults *f)
{
    AUTO_BUF key;

    buf_init(&key, LIMIT_DOCUMENT_BYTES);
    add_key(c, &key);
    if (buf_error(&key) != 0) {
        walk_fault(c->node, "source_labels", f, "longer than %zu bytes", LIMIT_DOCUMENT_BYTES);
        return NULL;
    }
    uint64_t hash = hash_fast(buf_span(&key));
    struct shared *s = find_unlocked(buf_span(&key), hash);
    if (s != NULL) {
        return pay(s, c, budget, f);
    }
    s = compile(c, buf_span(&key), budget, f);
    s = s == NULL ? NULL : enter(s, hash, c->node, f);
    return s == NULL ? NULL : &s->program;
}

void relabel_program_put(struct relabel_program *program)
{
    if (program == NULL) {
        return;
    }
    struct shared *s = CONTAINER_OF(program, struct shared, program), *surplus = NULL;

    mutex_lock(&state.mutex);
    if (--s->n_refs == 0) {
        enter_idle(s);
        surplus = take_surplus(0);
    }
    mutex_unlock(&state.mutex);
    free_list(surplus);
}

void relabel_program_cap(size_t bytes)
{
    mutex_lock(&state.mutex);
    state.most_bytes = bytes;
    mutex_unlock(&state.mutex);
}

struct relabel_program_counts relabel_program_count(void)
{
    mutex_lock(&state.mutex);
    struct relabel_program_counts counts = { .n_used = state.table.n - state.n_idle,
                                             .n_idle = state.n_idle,
                                             .n_refused = state.n_refused,
                                             .bytes = state.bytes,
                                             .idle_bytes = state.idle_bytes };
    mutex_unlock(&state.mutex);
    return counts;
}

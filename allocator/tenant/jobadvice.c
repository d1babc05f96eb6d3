#include "allocator/tenant/jobadvice.h"

#include "allocator/tenant/expression.h"
#include "allocator/tenant/wire.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#define MAX_SHOWN 60 /* bytes of a text in a sentence */

static int shown(struct span text)
{
    return (int)(text.len > MAX_SHOWN ? MAX_SHOWN : text.len);
}

/* ---- addresses of the collector itself */

/* Of "host:port", "[::1]:80", "http://host:80/path". */
static struct span host_of(struct span target)
{
    size_t scheme = span_find(target, "://");
    struct span rest = scheme == SIZE_MAX ? target : span_from(target, scheme + 3);
    const char *slash = memchr(rest.p, '/', rest.len);

    rest.len = slash == NULL ? rest.len : (size_t)(slash - rest.p);
    if (rest.len > 0 && rest.p[0] == '[') {
        const char *end = memchr(rest.p, ']', rest.len);
        return end == NULL ? rest : span_make(rest.p + 1, (size_t)(end - rest.p) - 1);
    }
    const char *colon = memchr(rest.p, ':', rest.len);
    bool is_bare = colon != NULL && memchr(colon + 1, ':', rest.len - (size_t)(colon - rest.p) - 1);
    return colon == NULL || is_bare ? rest : span_make(rest.p, (size_t)(colon - rest.p));
}

static bool is_own_number(int family, const char *text)
{
    struct in6_addr six;
    struct in_addr four;

    if (family == AF_INET) {
        return inet_pton(AF_INET, text, &four) == 1 &&
               (four.s_addr == 0 || (ntohl(four.s_addr) >> 24) == 127);
    }
    if (inet_pton(AF_INET6, text, &six) != 1) {
        return false;
    }
    bool is_mapped =
        IN6_IS_ADDR_V4MAPPED(&six) && (six.s6_addr[12] == 127 || six.s6_addr32[3] == 0);
    return IN6_IS_ADDR_LOOPBACK(&six) || IN6_IS_ADDR_UNSPECIFIED(&six) || is_mapped;
}

static bool is_own_address(struct span host)
{
    static const char *const names[] = { "localhost", "localhost.", "localhost.localdomain",
                                         "ip6-localhost", "ip6-loopback" };
    char text[INET6_ADDRSTRLEN];

    for (size_t i = 0; i < COUNT(names); i++) {
        if (span_is_nocase(host, names[i])) {
            return true;
        }
    }
    if (host.len >= sizeof(text) || host.len == 0) {
        return false;
    }
    const char *zone = memchr(host.p, '%', host.len);
    size_t n = zone == NULL ? host.len : (size_t)(zone - host.p);
    memcpy(text, host.p, n);
    text[n] = '\0';
    return is_own_number(AF_INET, text) || is_own_number(AF_INET6, text) ||
           span_has_suffix(host, ".localhost");
}

/* One of the targets is enough to say it. */
static bool report_own(const struct node *targets, struct span job, struct faults *f)
{
    struct span text;

    for (size_t i = 0; targets != NULL && targets->type == NODE_LIST && i < targets->n; i++) {
        if (node_as_text(targets->items[i], &text) && text.len > 0 &&
            is_own_address(host_of(text))) {
            size_t mark = faults_push(f, "targets");
            faults_push_index(f, i);
            faults_add(f, FAULT_WARNING, targets->items[i]->line,
                       "job '%.*s': %.*s means each collector itself; " WIRE_LOCAL_JOBS
                       " keeps it on all",
                       SPAN_ARG(job), shown(text), text.p);
            faults_pop(f, mark);
            return true;
        }
    }
    return false;
}

static void look_at_targets(const struct node *job, struct span name, struct faults *f)
{
    const struct node *list = node_get(job, "static_configs");
    size_t mark = faults_push(f, "static_configs");
    bool is_said = false;

    for (size_t i = 0; list != NULL && list->type == NODE_LIST && i < list->n && !is_said; i++) {
        size_t inner = faults_push_index(f, i);
        is_said = report_own(node_get(list->items[i], "targets"), name, f);
        faults_pop(f, inner);
    }
    faults_pop(f, mark);
}

/* ---- targets without a node */

/* One of the labels that discovery/targetnode.h looks at. */
static bool has_node(const struct node *group)
{
    const struct node *labels = node_get(group, "labels");

    for (size_t i = 0; labels != NULL && labels->type == NODE_MAP && i < labels->n; i++) {
        struct span name = labels->pairs[i].key->text;
        if (span_has_prefix(name, "__meta_kubernetes_") &&
            (span_has_suffix(name, "node_name") || span_has_suffix(name, "address_target_name"))) {
            return true;
        }
    }
    return false;
}

static void look_for_nodes(const struct node *job, struct span name, struct faults *f)
{
    const struct node *list = node_get(job, "static_configs");

    for (size_t i = 0; list != NULL && list->type == NODE_LIST && i < list->n; i++) {
        const struct node *targets = node_get(list->items[i], "targets");
        if (targets == NULL || targets->type != NODE_LIST || targets->n == 0 ||
            has_node(list->items[i])) {
            continue;
        }
        size_t mark = faults_push(f, "static_configs");
        faults_push_index(f, i);
        faults_add(f, FAULT_WARNING, list->items[i]->line,
                   "job '%.*s': static targets have no node, per-node gives them to nobody "
                   "without " WIRE_FALLBACK,
                   SPAN_ARG(name));
        faults_pop(f, mark);
        return;
    }
}

/* ---- expressions with which no collector starts */
/* NOLINTNEXTLINE(misc-no-recursion): documents are at most LIMIT_DEPTH deep. */
static void look_for_flaws(const struct node *n, struct span job, struct faults *f)
{
    struct span expression;

    if (n->type == NODE_SCALAR && expression_find(n->text, &expression)) {
        const char *flaw = expression_flaw(expression);
        if (flaw != NULL) {
            faults_add(f, FAULT_WARNING, n->line,
                       "job '%.*s': %.*s %s, collectors since 0.104 do not start: $%.*s is meant",
                       SPAN_ARG(job), shown(expression), expression.p, flaw, shown(expression),
                       expression.p);
        }
    }
    for (size_t i = 0; n->type == NODE_LIST && i < n->n; i++) {
        size_t mark = faults_push_index(f, i);
        look_for_flaws(n->items[i], job, f);
        faults_pop(f, mark);
    }
    for (size_t i = 0; n->type == NODE_MAP && i < n->n; i++) {
        size_t mark = faults_push(f, "%.*s", SPAN_ARG(n->pairs[i].key->text));
        look_for_flaws(n->pairs[i].value, job, f);
        faults_pop(f, mark);
    }
}

void jobadvice_give(const struct node *job, const struct jobadvice *about, struct faults *f)
{
    if (job->type != NODE_MAP) {
        return;
    }
    if (about->is_taken) {
        look_at_targets(job, about->name, f);
    }
    if (about->is_taken && about->needs_nodes) {
        look_for_nodes(job, about->name, f);
    }
    if (expression_holder(job) != NULL) {
        look_for_flaws(job, about->name, f);
    }
}

/* ---- expressions that nobody fills in */
/* Tells of the first one. 'is_any': of every form; else "${1}" and "${name}" stand for the groups
 * of a pattern. NOLINTNEXTLINE(misc-no-recursion): documents are at most LIMIT_DEPTH deep. */
static bool report_literal(const struct node *n, struct span job, bool is_any, struct faults *f)
{
    struct span expression;
    bool is_said = false;

    if (n->type == NODE_SCALAR) {
        if (!expression_find(n->text, &expression) ||
            (!is_any && span_find(expression, ":") == SIZE_MAX)) {
            return false;
        }
        faults_add(f, FAULT_WARNING, n->line,
                   "job '%.*s': %.*s is taken as written, as the Go allocator takes it: nobody "
                   "fills it in",
                   SPAN_ARG(job), shown(expression), expression.p);
        return true;
    }
    for (size_t i = 0; n->type == NODE_LIST && i < n->n && !is_said; i++) {
        size_t mark = faults_push_index(f, i);
        is_said = report_literal(n->items[i], job, is_any, f);
        faults_pop(f, mark);
    }
    for (size_t i = 0; n->type == NODE_MAP && i < n->n && !is_said; i++) {
        size_t mark = faults_push(f, "%.*s", SPAN_ARG(n->pairs[i].key->text));
        is_said = report_literal(n->pairs[i].value, job,
                                 is_any || wire_is_sd_key(n->pairs[i].key->text), f);
        faults_pop(f, mark);
    }
    return is_said;
}

void jobadvice_give_literal(const struct node *job, struct span name, struct faults *f)
{
    if (expression_holder(job) != NULL) {
        report_literal(job, name, false, f);
    }
}

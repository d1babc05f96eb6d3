#include "allocator/kube/configuser.h"

#include "allocator/base/mem.h"
#include "allocator/codec/walk.h"

#include <string.h>

static void texts_of(struct configreader *r, const struct node *map, const char *key,
                     struct span **out, size_t *out_n)
{
    *out_n = 0;
    (void)walk_texts(map, key, r->f, r->arena, out, out_n);
}

/* ---- users */

static void read_exec_env(struct configreader *r, const struct node *exec,
                          struct kubeconfig_exec *out)
{
    const struct node *list;

    if (!walk_list(exec, "env", r->f, &list)) {
        return;
    }
    out->env = arena_zalloc(r->arena, list->n * sizeof(*out->env));
    for (size_t i = 0; i < list->n; i++) {
        size_t mark = faults_push(r->f, "env");
        (void)faults_push_index(r->f, i);
        struct kubeconfig_pair *pair = &out->env[out->n_env++];
        pair->value = SPAN_LIT("");
        if (list->items[i]->type != NODE_MAP) {
            faults_add(r->f, FAULT_ERROR, list->items[i]->line, "must be a mapping, not %s",
                       node_type_name(list->items[i]));
        } else if (!walk_text(list->items[i], "name", r->f, &pair->name) || pair->name.len == 0) {
            walk_fault(list->items[i], "name", r->f, "is needed");
        } else {
            (void)walk_text(list->items[i], "value", r->f, &pair->value);
        }
        faults_pop(r->f, mark);
    }
}

static void check_interaction(struct configreader *r, const struct node *exec, struct span version)
{
    struct span mode = { "", 0 };

    (void)walk_text(exec, "interactiveMode", r->f, &mode);
    if (span_is(mode, "Always")) {
        walk_fault(exec, "interactiveMode", r->f,
                   "is not supported: nobody is there to answer the plugin");
    } else if (mode.len == 0 && span_is(version, "client.authentication.k8s.io/v1")) {
        walk_fault(exec, "interactiveMode", r->f, "is needed: Never or IfAvailable");
    } else if (mode.len > 0 && !span_is(mode, "Never") && !span_is(mode, "IfAvailable")) {
        walk_fault(exec, "interactiveMode", r->f, "must be Never or IfAvailable, not '%.*s'",
                   SPAN_ARG(mode));
    }
}

static void read_exec(struct configreader *r, const struct configentry *e,
                      struct kubeconfig_exec *out)
{
    const struct node *exec;
    struct span text = { "", 0 };

    if (!walk_map(e->body, "exec", r->f, &exec)) {
        return;
    }
    if (!r->may_run) {
        walk_fault(e->body, "exec", r->f,
                   "runs a program: only a kubeconfig that is named on the command line may");
        return;
    }
    size_t mark = faults_push(r->f, "exec"), n_errors = r->f->n_errors;
    if ((!walk_text(exec, "command", r->f, &text) || text.len == 0) && r->f->n_errors == n_errors) {
        walk_fault(exec, "command", r->f, "is needed");
    }
    out->command = memchr(text.p, '/', text.len) != NULL ? configentry_resolve(r, e, text) : text;
    (void)walk_text(exec, "apiVersion", r->f, &out->api_version);
    if (!span_is(out->api_version, "client.authentication.k8s.io/v1") &&
        !span_is(out->api_version, "client.authentication.k8s.io/v1beta1")) {
        walk_fault(exec, "apiVersion", r->f,
                   "must be client.authentication.k8s.io/v1 or client.authentication.k8s.io/"
                   "v1beta1");
    }
    check_interaction(r, exec, out->api_version);
    (void)walk_text(exec, "installHint", r->f, &out->install_hint);
    (void)walk_bool(exec, "provideClusterInfo", r->f, &out->has_cluster_info);
    texts_of(r, exec, "args", &out->args, &out->n_args);
    read_exec_env(r, exec, out);
    faults_pop(r->f, mark);
}

/* A member for each name, with a list of values. */
static void read_extra(struct configreader *r, const struct configentry *e, struct kubeconfig *c)
{
    const struct node *map;
    size_t n = 0;

    if (!walk_map(e->body, "as-user-extra", r->f, &map)) {
        return;
    }
    size_t mark = faults_push(r->f, "as-user-extra");
    for (size_t i = 0; i < map->n; i++) {
        n += map->pairs[i].value->type == NODE_LIST ? map->pairs[i].value->n : 0;
    }
    c->as_extra = arena_zalloc(r->arena, n * sizeof(*c->as_extra));
    for (size_t i = 0; i < map->n; i++) {
        AUTO_STR key = mem_strndup(map->pairs[i].key->text.p, map->pairs[i].key->text.len);
        struct span *values = NULL;
        size_t n_values;
        texts_of(r, map, key, &values, &n_values);
        for (size_t k = 0; k < n_values; k++) {
            c->as_extra[c->n_as_extra++] =
                (struct kubeconfig_pair){ map->pairs[i].key->text, values[k] };
        }
    }
    faults_pop(r->f, mark);
}

static void read_impersonation(struct configreader *r, const struct configentry *e,
                               struct kubeconfig *c)
{
    c->as = configentry_text(r, e, "as");
    c->as_uid = configentry_text(r, e, "as-uid");
    texts_of(r, e->body, "as-groups", &c->as_groups, &c->n_as_groups);
    read_extra(r, e, c);
    if (c->as.len == 0 && (c->as_uid.len > 0 || c->n_as_groups > 0 || c->n_as_extra > 0)) {
        walk_fault(e->body, "as", r->f, "is needed beside as-uid, as-groups or as-user-extra");
    }
}

void configuser_read(struct configreader *r, const struct configentry *e, struct kubeconfig *c)
{
    const struct node *provider;

    configentry_file_or_data(r, e, "client-certificate", &c->cert_file, &c->cert_pem);
    configentry_file_or_data(r, e, "client-key", &c->key_file, &c->key_pem);
    if ((c->cert_file.len > 0 || c->cert_pem.len > 0) && c->key_file.len == 0 &&
        c->key_pem.len == 0) {
        walk_fault(e->body, "client-key", r->f, "is needed beside a client certificate");
    }
    c->token = configentry_text(r, e, "token");
    c->token_file = configentry_path(r, e, "tokenFile");
    c->username = configentry_text(r, e, "username");
    c->password = configentry_text(r, e, "password");
    if (c->token.len > 0 && (c->username.len > 0 || c->password.len > 0)) {
        walk_fault(e->body, "token", r->f, "cannot stand beside username and password");
    }
    if (walk_map(e->body, "auth-provider", r->f, &provider)) {
        struct span name = { "", 0 };
        (void)walk_text(provider, "name", r->f, &name);
        walk_fault(e->body, "auth-provider", r->f,
                   "'%.*s' is not supported: use an exec plugin or a token", SPAN_ARG(name));
    }
    read_exec(r, e, &c->exec);
    read_impersonation(r, e, c);
}

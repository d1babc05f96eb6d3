#include "allocator/kube/configentry.h"

#include "allocator/base/buf.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/base64.h"
#include "allocator/codec/walk.h"
#include "allocator/codec/yamldoc.h"

#include <string.h>

/* ---- files and entries */

int configfile_parse(struct configreader *r, const struct kubeconfig_text *text,
                     struct configfile *out)
{
    struct node *root = NULL;
    struct err err;

    r->f->file = text->path;
    if (yamldoc_parse(text->text, r->arena, &root, &err) < 0) {
        faults_add(r->f, FAULT_ERROR, err.line, "%s", err.text + err.what);
        return ERR_INVALID;
    }
    if (!node_is_null(root) && root->type != NODE_MAP) {
        faults_add(r->f, FAULT_ERROR, root->line, "must be a mapping, not %s",
                   node_type_name(root));
        return ERR_INVALID;
    }
    *out = (struct configfile){ text->path, node_is_null(root) ? NULL : root };
    return 0;
}

bool configentry_has_name(const struct node *item, struct span name)
{
    struct span text;

    return node_as_text(node_get(item, "name"), &text) && span_eq(text, name);
}

/* Two entries of one name in one file: which is meant? */
static void check_doubles(struct configreader *r, const struct node *list, const char *list_name)
{
    struct span name;

    for (size_t i = 0; i < list->n; i++) {
        for (size_t k = 0; k < i && node_as_text(node_get(list->items[i], "name"), &name); k++) {
            if (configentry_has_name(list->items[k], name)) {
                size_t mark = faults_push(r->f, "%s", list_name);
                (void)faults_push_index(r->f, i);
                walk_fault(list->items[i], "name", r->f, "there is another \"%.*s\" in this file",
                           SPAN_ARG(name));
                faults_pop(r->f, mark);
                break;
            }
        }
    }
}

void configfile_check(struct configreader *r, const struct configfile *file)
{
    static const char *const lists[] = { "clusters", "users", "contexts" };

    r->f->file = file->path;
    for (size_t i = 0; i < COUNT(lists); i++) {
        const struct node *list;
        if (walk_list(file->root, lists[i], r->f, &list)) {
            check_doubles(r, list, lists[i]);
        }
    }
}

/* Opens the entry: faults are in its file and below its path from here to configentry_leave(). */
struct configentry configentry_enter(struct configreader *r, const char *list_name,
                                     const char *word, struct span name)
{
    for (size_t i = 0; i < r->n_files; i++) {
        const struct node *list = node_get(r->files[i].root, list_name);
        for (size_t k = 0; list != NULL && list->type == NODE_LIST && k < list->n; k++) {
            const struct node *item = list->items[k], *body = node_get(item, word);
            if (!configentry_has_name(item, name)) {
                continue;
            }
            struct configentry e = { .file = r->files[i].path, .body = body };
            r->f->file = e.file;
            e.mark = faults_push(r->f, "%s", list_name);
            (void)faults_push_index(r->f, k);
            (void)faults_push(r->f, "%s", word);
            if (node_is_null(body) || body->type != NODE_MAP) {
                faults_add(r->f, FAULT_ERROR, item->line, "must be a mapping, not %s",
                           node_type_name(body));
                e.body = NULL;
            }
            return e;
        }
    }
    return (struct configentry){ 0 };
}

void configentry_leave(struct configreader *r, const struct configentry *e)
{
    if (e->file != NULL) {
        faults_pop(r->f, e->mark);
    }
}

/* ---- members */

struct span configentry_text(struct configreader *r, const struct configentry *e, const char *key)
{
    struct span text = { "", 0 };

    (void)walk_text(e->body, key, r->f, &text);
    return text;
}

bool configentry_flag(struct configreader *r, const struct configentry *e, const char *key)
{
    bool flag = false;

    (void)walk_bool(e->body, key, r->f, &flag);
    return flag;
}

/* Against the folder of the file that holds the entry. */
struct span configentry_resolve(struct configreader *r, const struct configentry *e,
                                struct span path)
{
    const char *slash = strrchr(e->file, '/');

    if (path.len == 0 || path.p[0] == '/' || slash == NULL) {
        return path;
    }
    return span_of(
        arena_printf(r->arena, "%.*s/%.*s", (int)(slash - e->file), e->file, SPAN_ARG(path)));
}

struct span configentry_path(struct configreader *r, const struct configentry *e, const char *key)
{
    return configentry_resolve(r, e, configentry_text(r, e, key));
}

/* Line breaks inside are nothing to Go's decoder. */
static struct span data_of(struct configreader *r, const struct configentry *e, const char *key)
{
    struct span text = configentry_text(r, e, key);
    char *joined = arena_bytes(r->arena, text.len + 1);
    struct buf out;
    size_t n = 0;
    struct err err;

    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] != '\r' && text.p[i] != '\n') {
            joined[n++] = text.p[i];
        }
    }
    buf_init_in(&out, r->arena, LIMIT_CERTIFICATE);
    if (base64_decode(span_make(joined, n), &out, &err) < 0) {
        walk_fault(e->body, key, r->f, "%s", err.text);
        return (struct span){ "", 0 };
    }
    return n == 0 ? (struct span){ "", 0 } : buf_span(&out);
}

/* A file and its data. */
void configentry_file_or_data(struct configreader *r, const struct configentry *e, const char *key,
                              struct span *out_file, struct span *out_data)
{
    AUTO_STR data_key = mem_printf("%s-data", key);

    *out_file = configentry_path(r, e, key);
    *out_data = data_of(r, e, data_key);
    if (out_file->len > 0 && out_data->len > 0) {
        faults_add_at(r->f, FAULT_WARNING, node_get(e->body, key)->line, key,
                      "is not read: %s counts", data_key);
        out_file->len = 0;
    }
}

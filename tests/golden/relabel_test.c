/* Relabeling by example. Each folder of tests/golden/relabel/ is a case:
 *   rules.yaml    a list of relabeling rules
 *   targets.yaml  a list of label sets
 *   want.yaml     for each of them the labels that come out, or null: dropped
 *   faults.txt    instead of the last two: what is wrong with the rules, "path: text" a line
 * "relabel_test CASE…" runs only these. */
#include "allocator/base/buf.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/prom/relabel.h"
#include "tests/check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOT "tests/golden/relabel"

struct fixture {
    const char *name;
    struct strpool pool;
    struct arena arena;
    struct label_builder lb;
    struct faults faults;
};

static bool read_text(struct fixture *x, const char *file, struct span *out)
{
    AUTO_STR path = mem_printf("%s/%s/%s", ROOT, x->name, file);
    FILE *f = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;
    if (f == NULL) {
        return false;
    }
    ssize_t len = getdelim(&text, &size, '\0', f);
    fclose(f);
    *out = len <= 0 ? SPAN_LIT("") : arena_span(&x->arena, span_make(text, (size_t)len));
    free(text);
    return true;
}

static const struct node *read_yaml(struct fixture *x, const char *file)
{
    struct span text = SPAN_LIT("");
    struct node *root = NULL;
    struct err err = { 0 };
    ok(read_text(x, file, &text), "%s: %s is there", x->name, file);
    ok(yamldoc_parse(text, &x->arena, &root, &err) == 0, "%s: %s is YAML %s", x->name, file,
       err.text);
    return root;
}

static void fill(struct fixture *x, const struct node *labels)
{
    label_builder_clear(&x->lb);
    for (size_t i = 0; labels->type == NODE_MAP && i < labels->n; i++) {
        struct span value = SPAN_LIT("");
        (void)node_as_text(labels->pairs[i].value, &value);
        label_builder_set(&x->lb, strpool_intern(&x->pool, labels->pairs[i].key->text), value);
    }
}

static void render(struct fixture *x, struct buf *out)
{
    label_builder_sort(&x->lb);
    for (size_t i = 0; i < x->lb.n; i++) {
        buf_add_char(out, i == 0 ? '{' : ',');
        buf_add_json(out, str_span(x->lb.v[i].name));
        buf_add_char(out, ':');
        buf_add_json(out, x->lb.v[i].value);
    }
    buf_add_str(out, x->lb.n == 0 ? "{}" : "}");
}

static void check_target(struct fixture *x, struct relabel *set, const struct node *target,
                         const struct node *want, size_t number)
{
    AUTO_BUF got;
    AUTO_BUF wanted;
    buf_init(&got, MIB);
    buf_init(&wanted, MIB);
    fill(x, target);
    bool is_kept = relabel_run(set, &x->lb, NULL) == RELABEL_KEEP;
    is_int(is_kept, !node_is_null(want), "%s: target %zu is kept", x->name, number);
    if (is_kept && !node_is_null(want)) {
        render(x, &got);
        fill(x, want);
        render(x, &wanted);
        is_json(buf_span(&got), buf_span(&wanted), "%s: target %zu", x->name, number);
    }
}

static void check_targets(struct fixture *x, struct relabel *set)
{
    const struct node *targets = read_yaml(x, "targets.yaml");
    const struct node *want = read_yaml(x, "want.yaml");
    ok(targets != NULL && want != NULL && targets->n == want->n && want->n > 0,
       "%s: as many results as targets", x->name);
    for (size_t i = 0; targets != NULL && want != NULL && i < targets->n && i < want->n; i++) {
        check_target(x, set, targets->items[i], want->items[i], i);
    }
}

static void check_faults(struct fixture *x, struct span want)
{
    AUTO_BUF got;
    buf_init(&got, MIB);
    for (size_t i = 0; i < x->faults.n; i++) {
        buf_addf(&got, "%s: %s\n", x->faults.v[i].path, x->faults.v[i].text);
    }
    is_span(buf_span(&got), want, "%s: faults", x->name);
}

static void check_case(const char *name)
{
    struct fixture x = { .name = name };
    struct span faults;
    strpool_init(&x.pool);
    arena_init(&x.arena);
    label_builder_init(&x.lb, &x.pool, &x.arena);
    faults_init(&x.faults);
    (void)faults_push(&x.faults, "relabel_configs");
    AUTO(relabel)
    set = relabel_compile(read_yaml(&x, "rules.yaml"), NAME_UTF8, true, NULL, &x.faults);
    if (read_text(&x, "faults.txt", &faults)) {
        ok(set == NULL, "%s: refused", name);
        check_faults(&x, faults);
    } else {
        check_faults(&x, SPAN_LIT(""));
        check_targets(&x, set);
    }
    relabel_free(&set);
    faults_fini(&x.faults);
    label_builder_fini(&x.lb);
    arena_fini(&x.arena);
    strpool_fini(&x.pool);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    struct dirent **entries = NULL;
    for (int i = 1; i < argc; i++) {
        check_case(argv[i]);
    }
    int n = argc > 1 ? 0 : scandir(ROOT, &entries, is_visible, alphasort);
    ok(argc > 1 || n > 0, "there are cases");
    for (int i = 0; i < n; i++) {
        check_case(entries[i]->d_name);
        free(entries[i]);
    }
    free((void *)entries);
    return check_done();
}

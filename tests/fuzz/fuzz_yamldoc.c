/* YAML and JSON documents: whatever is accepted lies where the tree says, can be written as JSON
 * and read again as the same tree. */
#include "allocator/base/limits.h"
#include "allocator/codec/yamldoc.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

/* False when the value, or one inside it, is an alias or has an anchor: its bytes mean nothing
 * alone. */
static bool is_alone(const struct node *n)
{
    if (n->is_alias || n->anchor != NULL) {
        return false;
    }
    for (size_t i = 0; n->type == NODE_MAP && i < n->n; i++) {
        if (n->pairs[i].is_merged || !is_alone(n->pairs[i].key) || !is_alone(n->pairs[i].value)) {
            return false;
        }
    }
    for (size_t i = 0; n->type == NODE_LIST && i < n->n; i++) {
        if (!is_alone(n->items[i])) {
            return false;
        }
    }
    return true;
}

/* These line breaks of Unicode fold to a space in YAML 1.1 and are ordinary text in JSON. */
static bool has_odd_break(struct span s)
{
    return memmem(s.p, s.len, "\xc2\x85", 2) != NULL ||
           memmem(s.p, s.len, "\xe2\x80\xa8", 3) != NULL ||
           memmem(s.p, s.len, "\xe2\x80\xa9", 3) != NULL;
}

/* Quoted texts and flow collections mean the same when cut out. */
static void check_cut(const struct node *n, struct span text)
{
    struct span cut = span_make(text.p + n->begin, n->end - n->begin);
    struct arena arena;
    struct node *again = NULL;
    struct err err;

    /* A single pair in a list ([a: b]) has no brackets of its own. */
    const char *first = n->type == NODE_MAP ? "{" : n->type == NODE_LIST ? "[" : "'\"";
    if (cut.len == 0 || cut.len > 2000 || strchr(first, cut.p[0]) == NULL || !is_alone(n) ||
        has_odd_break(cut)) {
        return;
    }
    arena_init(&arena);
    require(yamldoc_parse(cut, &arena, &again, &err) == 0);
    require(node_equal(n, again));
    arena_fini(&arena);
}

static void check_tree(const struct node *n, struct span text, size_t begin, size_t end);

static void check_pairs(const struct node *n, struct span text)
{
    size_t at = n->begin;

    for (size_t i = 0; i < n->n; i++) {
        const struct node_pair *pair = &n->pairs[i];
        require(pair->key->type == NODE_SCALAR || pair->key->type == NODE_NULL);
        if (pair->is_merged) {
            continue;
        }
        require(i == 0 || !n->pairs[i - 1].is_merged);
        require(pair->key->begin >= at && pair->key->end > pair->key->begin);
        require(pair->value->begin >= pair->key->end);
        check_tree(pair->value, text, pair->key->end, n->end);
        at = pair->value->end;
    }
}

static void check_tree(const struct node *n, struct span text, size_t begin, size_t end)
{
    require(n->begin >= begin && n->begin <= n->end && n->end <= end && n->line >= 1);
    check_cut(n, text);
    if (n->is_alias) {
        require(text.p[n->begin] == '*');
        return; /* its children stand elsewhere */
    }
    if (n->type == NODE_MAP) {
        check_pairs(n, text);
    } else if (n->type == NODE_LIST) {
        size_t at = n->begin;
        for (size_t i = 0; i < n->n; i++) {
            check_tree(n->items[i], text, at, n->end);
            at = n->items[i]->end;
        }
    }
}

static void check_again(const struct node *root)
{
    struct arena arena;
    struct node *again = NULL;
    AUTO_BUF json;

    arena_init(&arena);
    buf_init(&json, 8 * MIB);
    node_write_json(root, &json);
    if (buf_error(&json) == 0) {
        require(node_from_json(buf_span(&json), 0, &arena, &again, NULL) == 0 &&
                node_equal(root, again));
    }
    arena_fini(&arena);
}

/* A stream: the same documents, and a fault where the strict reader has none to give. */
static void check_stream(struct span text, int rc, const struct yamldoc *strict, size_t n_strict)
{
    struct arena arena;
    struct yamldoc *docs = NULL;
    struct err err = { 0 };
    size_t n = 0, n_faults = 0, at = 0;

    arena_init(&arena);
    int rc_stream = yamldoc_parse_stream(text, &arena, &docs, &n, &err);
    require(rc_stream == 0 || (rc != 0 && err.text[0] != '\0'));
    for (size_t i = 0; rc_stream == 0 && i < n; i++) {
        require(docs[i].begin == at && docs[i].end >= at && docs[i].end <= text.len);
        at = docs[i].end;
        n_faults += docs[i].fault != NULL ? 1 : 0;
        if (docs[i].fault != NULL) {
            struct faults f;
            faults_init(&f);
            yamldoc_report(docs[i].fault, &f);
            require(f.n_errors == 1 && f.v[0].line > 0 && f.path_len == 0);
            faults_fini(&f);
        }
    }
    require(rc_stream != 0 || (rc != 0) == (n_faults > 0));
    for (size_t i = 0; rc == 0 && i < n_strict; i++) {
        require(n == n_strict && (docs[i].root == NULL) == (strict[i].root == NULL));
        require(strict[i].root == NULL || node_equal(docs[i].root, strict[i].root));
    }
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_make((const char *)data, size);
    struct arena arena;
    struct yamldoc *docs = NULL;
    struct err err = { 0 };
    size_t n = 0, at = 0;

    arena_init(&arena);
    int rc = yamldoc_parse_all(text, &arena, &docs, &n, &err);
    require(rc == 0 || (err.code == rc && err.text[0] != '\0'));
    for (size_t i = 0; rc == 0 && i < n; i++) {
        require(docs[i].begin == at && docs[i].end >= at && docs[i].end <= size);
        at = docs[i].end;
        if (docs[i].root != NULL) {
            check_tree(docs[i].root, text, docs[i].begin, docs[i].end);
            check_again(docs[i].root);
        }
    }
    require(rc != 0 || n == 0 || at == size);
    check_stream(text, rc, docs, n);
    struct node *root = NULL;
    int rc_read = yamldoc_read(text, &arena, &root, &err);
    require(rc_read == 0 || (rc != 0 && err.code == rc_read)); /* it takes more */
    if (rc_read == 0) {
        check_again(root);
    }
    arena_fini(&arena);
    return 0;
}

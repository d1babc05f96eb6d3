/* What must hold for the rewrite of any manifest; used by generated documents and by the fuzz
 * target. */
#ifndef OTEL_TA_TESTS_UNIT_REWRITE_ORACLE_H
#define OTEL_TA_TESTS_UNIT_REWRITE_ORACLE_H

#include "allocator/base/limits.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/tenant/collector.h"
#include "allocator/tenant/wire.h"
#include "webhook/rewrite/manifest.h"

#include <stdio.h>

enum oracle_result { ORACLE_REFUSED, ORACLE_UNCHANGED, ORACLE_GOOD, ORACLE_BROKEN };

struct oracle {
    struct arena arena;
    struct rewrite_options options;
    struct span result; /* of the rewrite */
    char why[2048];     /* ORACLE_REFUSED, ORACLE_BROKEN */
};

static void oracle_init(struct oracle *o)
{
    *o = (struct oracle){ .options = { .collector_id_expr = SPAN_LIT(WIRE_DEFAULT_COLLECTOR_ID) } };
    arena_init(&o->arena);
}

/* 0, or ERR_INVALID with the first fault in 'why'. */
static int oracle_run(struct oracle *o, struct span text, bool is_restore, struct span *out,
                      size_t *out_changed)
{
    struct manifest_input in = { .text = text, .options = &o->options, .is_restore = is_restore };
    struct node *root = NULL;
    struct manifest m = { .n_changed = 0 };
    struct faults f;
    struct err err;

    if (yamldoc_parse(text, &o->arena, &root, &err) < 0) {
        snprintf(o->why, sizeof(o->why), "%s", err.text);
        return ERR_INVALID;
    }
    *out = text;
    *out_changed = 0;
    if (root == NULL || collector_count(root) == 0) {
        return 0;
    }
    in.root = root;
    faults_init(&f);
    int rc = manifest_make(&in, &o->arena, &f, &m);
    if (rc < 0) {
        struct err first = { .text = "no fault was named" };
        (void)faults_first(&f, &first);
        snprintf(o->why, sizeof(o->why), "%s", first.text);
    } else {
        AUTO_BUF edited = { 0 };
        buf_init(&edited, LIMIT_DOCUMENT_BYTES);
        splice_apply(&m.edits, text, &edited);
        if (!span_eq(buf_span(&edited), m.result)) {
            snprintf(o->why, sizeof(o->why), "the edits do not lead to the result");
            rc = ERR_INVALID;
        }
        *out = m.result;
        *out_changed = m.n_changed;
    }
    manifest_fini(&m);
    faults_fini(&f);
    return rc;
}

static bool oracle_fail(struct oracle *o, const char *what)
{
    char why[1024];

    snprintf(why, sizeof(why), "%.1000s", o->why);
    snprintf(o->why, sizeof(o->why), "%s (%s)", what, why);
    return false;
}

/* Does the text hold anything that a rewrite of ours may have left there? */
static bool oracle_is_fresh(struct span text)
{
    return memmem(text.p, text.len, "otel-ta/", 8) == NULL &&
           memmem(text.p, text.len, "targetallocator", 15) == NULL &&
           memmem(text.p, text.len, "/n/", 3) == NULL;
}

/* Where 'x' has remains of ours that somebody damaged, a second rewrite may refuse what the first
 * took, and what is restored may be an entry of ours, which a second restore then takes. */
static bool oracle_properties(struct oracle *o, struct span x, struct span y)
{
    bool is_fresh = oracle_is_fresh(x);
    struct span again, back, twice;
    size_t n;

    o->why[0] = '\0';
    if (oracle_run(o, x, false, &again, &n) < 0 || !span_eq(again, y)) {
        return oracle_fail(o, "not deterministic");
    }
    int rc = oracle_run(o, y, false, &again, &n);
    if (rc < 0 ? is_fresh : !span_eq(again, y)) {
        return oracle_fail(o, "a second rewrite changes something");
    }
    if (oracle_run(o, y, true, &back, &n) < 0) {
        return oracle_fail(o, "cannot be restored");
    }
    if (is_fresh && !span_eq(back, x)) {
        return oracle_fail(o, "the restored text is not the original one");
    }
    if (!is_fresh && !oracle_is_fresh(back)) {
        return true;
    }
    if (oracle_run(o, back, true, &twice, &n) < 0 || !span_eq(twice, back)) {
        return oracle_fail(o, "a second restore changes something");
    }
    return true;
}

/* Rewritten in one way and then in another: as if rewritten in the other way alone, and restored to
 * the byte. */
static enum oracle_result oracle_changes_way(struct oracle *o, struct span x,
                                             const struct rewrite_options *a,
                                             const struct rewrite_options *b)
{
    struct span one, other, both, back;
    size_t n;

    o->why[0] = '\0';
    o->options = *b;
    if (oracle_run(o, x, false, &other, &n) < 0) {
        return ORACLE_REFUSED; /* not every form has a place for the block */
    }
    o->options = *a;
    if (oracle_run(o, x, false, &one, &n) < 0) {
        return ORACLE_REFUSED;
    }
    o->options = *b;
    if (oracle_run(o, one, false, &both, &n) < 0) {
        (void)oracle_fail(o, "cannot be rewritten in another way");
        return ORACLE_BROKEN;
    }
    if (!span_eq(both, other)) {
        o->result = both;
        (void)oracle_fail(o, "another way leads elsewhere when a rewrite comes before it");
        return ORACLE_BROKEN;
    }
    if (oracle_run(o, both, true, &back, &n) < 0 || !span_eq(back, x)) {
        o->result = back;
        (void)oracle_fail(o, "rewritten twice, the restored text is not the original one");
        return ORACLE_BROKEN;
    }
    return ORACLE_GOOD;
}

static enum oracle_result oracle_check(struct oracle *o, struct span x)
{
    size_t n = 0;

    arena_reset(&o->arena);
    o->why[0] = '\0';
    if (oracle_run(o, x, false, &o->result, &n) < 0) {
        return ORACLE_REFUSED;
    }
    if (n == 0) {
        return span_eq(o->result, x) ? ORACLE_UNCHANGED : ORACLE_BROKEN;
    }
    return oracle_properties(o, x, o->result) ? ORACLE_GOOD : ORACLE_BROKEN;
}

static void oracle_fini(struct oracle *o)
{
    arena_fini(&o->arena);
}

#endif

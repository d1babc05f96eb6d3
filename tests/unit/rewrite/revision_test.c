/* Collectors whose configuration is text, as the webhook sees them: rewritten in one way and then
 * in another, or under another name, they are what the other way alone makes of them, and a restore
 * brings the user's text back. */
#include "allocator/codec/nodeedit.h"
#include "allocator/codec/yamldoc.h"
#include "tests/check.h"
#include "tests/unit/rewrite/collectorgen.h"
#include "webhook/rewrite/revision.h"

#define ID SPAN_LIT(WIRE_DEFAULT_COLLECTOR_ID)
#define SEEDS 150

static const struct rewrite_options ways[] = {
    { .collector_id_expr = ID },
    { .collector_id_expr = ID, .is_block_style = true },
    { .collector_id_expr = ID, .style = WIRE_QUALIFIED },
    { .collector_id_expr = SPAN_LIT("${env:HOSTNAME}") },
};

static const struct node *stored(void *arg)
{
    return *(const struct node *const *)arg;
}

/* The Collector after a review, in which 'old' is what is stored; NULL when it is denied. */
static const struct node *revise_update(struct arena *arena, const struct node *root,
                                        const struct node *old,
                                        const struct rewrite_options *options, bool is_restore)
{
    const struct revision_input in = { .root = root,
                                       .old_root = old == NULL ? NULL : stored,
                                       .old_arg = (void *)&old,
                                       .options = options,
                                       .is_restore = is_restore };
    const struct node *result = NULL;
    struct revision r;
    struct faults f;

    faults_init(&f);
    if (root != NULL && revision_make(&in, arena, &f, &r) == 0) {
        result = revision_intended(&r, arena);
    }
    revision_fini(&r);
    faults_fini(&f);
    return result;
}

static const struct node *revise(struct arena *arena, const struct node *root,
                                 const struct rewrite_options *options, bool is_restore)
{
    return revise_update(arena, root, NULL, options, is_restore);
}

/* As somebody sends it who kept all but our annotation. */
static const struct node *without_annotation(struct arena *arena, const struct node *root)
{
    const struct node *metadata = node_get(root, "metadata");
    const struct node *annotations =
        nodeedit_member(arena, node_get(metadata, "annotations"), SPAN_LIT(WIRE_ANNOTATION), NULL);

    metadata = nodeedit_member(arena, metadata, SPAN_LIT("annotations"), annotations);
    return nodeedit_member(arena, root, SPAN_LIT("metadata"), metadata);
}

/* The originals in the annotation, as JSON; empty when there are none. */
static struct span originals_of(struct arena *arena, const struct node *root)
{
    struct node *annotation = NULL;
    struct span canonical = { NULL, 0 };
    struct collector c;
    AUTO_BUF json = { 0 };

    collector_read(root, &c);
    if (collector_annotation(&c, arena, &annotation, &canonical, NULL) < 0 || annotation == NULL) {
        return canonical;
    }
    buf_init(&json, MIB);
    node_write_json(node_get(annotation, "receivers"), &json);
    return arena_span(arena, buf_span(&json));
}

static const struct node *with_name(struct arena *arena, const struct node *root, const char *name)
{
    const struct node *metadata = nodeedit_member(
        arena, node_get(root, "metadata"), SPAN_LIT("name"), nodeedit_text(arena, span_of(name)));

    return nodeedit_member(arena, root, SPAN_LIT("metadata"), metadata);
}

static bool has_text(const struct node *root, const struct node *original)
{
    struct span a = { NULL, 0 }, b = { NULL, 0 };

    (void)node_as_text(node_path(root, "spec", "config", NULL), &a);
    (void)node_as_text(node_path(original, "spec", "config", NULL), &b);
    return a.p != NULL && span_eq(a, b);
}

int main(void)
{
    unsigned n_elsewhere = 0, n_lost = 0, n_renamed = 0, n_lost_name = 0, n_good = 0,
             n_forgotten = 0;

    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        struct gen g = { .state = 0x9e3779b97f4a7c15ULL * seed };
        const struct rewrite_options *a = &gen_pick(&g, ways), *b = &gen_pick(&g, ways);
        struct arena arena;
        struct node *root = NULL;
        AUTO_BUF text;
        buf_init(&text, MIB);
        arena_init(&arena);
        gen_collector(&g, GEN_LITERAL, &text);
        if (seed % 10 == 0) {
            gen_crlf(&text);
        }
        if (yamldoc_parse(buf_span(&text), &arena, &root, NULL) == 0) {
            const struct node *one = revise(&arena, root, a, false);
            const struct node *other = revise(&arena, root, b, false);
            const struct node *both = revise(&arena, one, b, false);
            n_good += one != NULL && other != NULL && both != NULL ? 1 : 0;
            n_elsewhere += both == NULL || !node_equal(both, other) ? 1 : 0;
            n_lost += has_text(revise(&arena, both, a, true), root) ? 0 : 1;

            const struct node *named = with_name(&arena, one, "another");
            const struct node *again = revise(&arena, named, a, false);
            const struct node *fresh = revise(&arena, with_name(&arena, root, "another"), a, false);
            n_renamed += again == NULL || !node_equal(again, fresh) ? 1 : 0;
            const struct node *bare = without_annotation(&arena, one);
            const struct node *found = revise_update(&arena, bare, one, a, false);
            n_forgotten +=
                found == NULL || !span_eq(originals_of(&arena, found), originals_of(&arena, one))
                    ? 1
                    : 0;
            n_lost_name += has_text(revise(&arena, again, b, true), root) ? 0 : 1;
        }
        arena_fini(&arena);
    }
    is_int(n_good, SEEDS, "all are rewritten twice");
    is_int(n_elsewhere, 0, "two ways lead where the second one leads");
    is_int(n_lost, 0, "and back to the user's text");
    is_int(n_forgotten, 0,
           "what an update leaves out of the annotation is found in what is stored");
    is_int(n_renamed, 0, "another name leads where it would have led from the start");
    is_int(n_lost_name, 0, "and back to the user's text");
    return check_done();
}

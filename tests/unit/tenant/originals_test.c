/* Which stored sections belong to a job: names as written, names as collectors read them, jobs and
 * receivers that were renamed. */
#include "allocator/tenant/originals.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/yamldoc.h"
#include "tests/check.h"

static const char *const stored[] = {
    "{\"prometheus\":{\"jobs\":{\"$$$$a\":{\"static_configs\":[1]},\"$$a\":{\"static_configs\":[2]}"
    ","
    "\"b\":{\"static_configs\":[3]},\"$${x}\":{\"static_configs\":[4]}}},"
    "\"prometheus/$$a\":{\"jobs\":{\"b\":{\"static_configs\":[5]}}},"
    "\"prometheus/$a\":{\"jobs\":{\"b\":{\"static_configs\":[6]}}}}",
    /* Two with one name as it is read, as no rewrite of ours stores them any more. */
    "{\"prometheus\":{\"jobs\":{\"$$a\":{\"static_configs\":[1]},\"$a\":{\"static_configs\":[2]}}}"
    "}",
};

static const struct {
    size_t stored;
    const char *receiver, *job, *url; /* what follows "/jobs/" in it */
    const char *want;                 /* its only target; NULL: nothing is found */
} cases[] = {
    { 0, "prometheus", "$$$$a", "%24%24a/targets?collector_id=x", "1" },
    { 0, "prometheus", "$$a", "%24a/targets?collector_id=x", "2" },
    { 0, "prometheus", "$a", "%24a/targets?collector_id=x", "2" },
    { 0, "prometheus", "renamed", "%24a/targets?collector_id=x", "2" },
    { 0, "prometheus", "renamed", "%24%24a/targets?collector_id=x", "1" },
    { 0, "prometheus", "$$a", "%24%24a/targets?collector_id=x", "1" },
    { 0, "prometheus", "$$a", "b/targets?collector_id=x", "3" },
    { 0, "prometheus", "$${x}", "%24%7Bx%7D/targets?collector_id=x", "4" },
    { 0, "prometheus", "other", "%24%7Bx%7D/targets?collector_id=x", "4" },
    { 0, "prometheus/2", "b", "b/targets?collector_id=x&receiver=prometheus%2F%24%24a", "5" },
    { 0, "prometheus/2", "b", "b/targets?collector_id=x&receiver=prometheus%2F%24a", "6" },
    { 0, "prometheus/$$a", "b", "b/targets?collector_id=x&receiver=prometheus%2Fgone", "5" },
    { 0, "prometheus", "$$a", "gone/targets?collector_id=x", "2" },
    { 0, "prometheus", "$a", "gone/targets?collector_id=x", "2" },
    { 0, "prometheus", "gone", "gone/targets?collector_id=x", NULL },
    { 0, "prometheus", "a", "a/targets?collector_id=x", NULL },
    { 1, "prometheus", "$$a", "%24a/targets?collector_id=x", "1" },
    { 1, "prometheus", "$a", "%24a/targets?collector_id=x", "2" },
    { 1, "prometheus", "renamed", "%24a/targets?collector_id=x", NULL },
};

static const struct node *parse(struct arena *arena, const char *text)
{
    struct node *root = NULL;

    ok(yamldoc_parse(span_of(text), arena, &root, NULL) == 0, "'%s' can be read", text);
    return root;
}

static void test_find(size_t i)
{
    struct arena arena;
    struct originals o;
    struct sections present;
    struct own_entry own;

    arena_init(&arena);
    const struct node *annotation =
        parse(&arena, arena_printf(&arena, "{\"receivers\":%s,\"v\":1}", stored[cases[i].stored]));
    const struct node *job =
        parse(&arena, arena_printf(&arena,
                                   "job_name: '%s'\nhttp_sd_configs:\n"
                                   "- url: http://c-targetallocator:80/jobs/%s\n",
                                   cases[i].job, cases[i].url));
    originals_init(&o, annotation, &arena);
    sections_of_job(job, &arena, &present, &own);
    ok(own.is_there, "%s: the entry is ours", cases[i].url);
    const struct original *found = originals_find(
        &o, &own, span_of(cases[i].receiver), (struct jobname_written){ span_of(cases[i].job) });
    struct span target = SPAN_LIT("nothing");
    const struct node *list = found == NULL ? NULL : node_get(found->map, "static_configs");
    if (list != NULL) {
        (void)node_as_text(list->items[0], &target);
    }
    is_span(target, span_of(cases[i].want == NULL ? "nothing" : cases[i].want),
            "job '%s' of '%s' with %s", cases[i].job, cases[i].receiver, cases[i].url);
    originals_fini(&o);
    arena_fini(&arena);
}

static void test_read(void)
{
    static const char *const t[][2] = { { "a", "a" },      { "$a", "$a" },      { "$$a", "$a" },
                                        { "$$$a", "$$a" }, { "$$$$a", "$$a" },  { "a$", "a$" },
                                        { "a$$", "a$" },   { "$${x}", "${x}" }, { "", "" },
                                        { "${x}", "${x}" } };
    struct arena arena;

    arena_init(&arena);
    for (size_t i = 0; i < COUNT(t); i++) {
        const struct jobname_written written = { span_of(t[i][0]) };
        is_span(jobname_read(written, &arena).text, span_of(t[i][1]), "'%s' as it is read",
                t[i][0]);
    }
    arena_fini(&arena);
}

int main(void)
{
    test_read();
    for (size_t i = 0; i < COUNT(cases); i++) {
        test_find(i);
    }
    return check_done();
}

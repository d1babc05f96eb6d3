#include "allocator/base/fault.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "tests/check.h"

#include <stdio.h>
#include <string.h>

static void test_paths(void)
{
    struct faults f;
    struct err err = { 0 };

    faults_init(&f);
    is_int(faults_first(&f, &err), 0, "no fault, no error");
    size_t top = faults_push(&f, "%s", "scrape_configs");
    size_t index = faults_push_index(&f, 3);
    faults_add(&f, FAULT_WARNING, 0, "odd");
    size_t name = faults_push(&f, "basic_auth");
    faults_add(&f, FAULT_ERROR, 17, "must be %s", "a map");
    faults_pop(&f, name);
    size_t odd = faults_push(&f, "a \"b\"\n");
    faults_add(&f, FAULT_ERROR, 18, "unknown");
    faults_pop(&f, odd);
    faults_pop(&f, index);
    faults_pop(&f, top);
    faults_add(&f, FAULT_ERROR, 0, "at the root");
    is_int(f.n, 4, "four faults");
    is_int(f.n_errors, 3, "three of them errors");
    is_str(f.v[0].path, "scrape_configs[3]", "the path of an item");
    is_str(f.v[1].path, "scrape_configs[3].basic_auth", "the path of a member");
    is_int(f.v[1].line, 17, "with the line");
    is_str(f.v[2].path, "scrape_configs[3][\"a \\\"b\\\"\\n\"]",
           "an odd name is quoted and escaped");
    is_str(f.v[3].path, "", "the root has no path");
    is_int(f.v[3].kind, FAULT_PLAIN, "of no particular kind");
    is_int(faults_first(&f, &err), ERR_INVALID, "an error is an error");
    is_str(err.text, "scrape_configs[3].basic_auth: must be a map", "warnings are not");
    faults_fini(&f);
    faults_add_kind(&f, FAULT_STANDING, FAULT_WARNING, 4, "job %d", 1);
    ok(f.v[0].kind == FAULT_STANDING && f.v[0].line == 4 && f.n_errors == 0, "a kind");
    is_str(f.v[0].text, "job 1", "with a text");
    faults_fini(&f);
    size_t again = faults_push(&f, "x");
    faults_add(&f, FAULT_ERROR, 0, "bad");
    faults_pop(&f, again);
    is_int(f.n, 1, "usable after faults_fini");
    faults_fini(&f);
}

static char *printed(const struct faults *f)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    faults_print(f, out);
    fclose(out);
    return text;
}

static void test_print(void)
{
    struct faults f;

    faults_init(&f);
    faults_add(&f, FAULT_ERROR, 0, "nothing known");
    size_t mark = faults_push(&f, "spec");
    faults_add(&f, FAULT_ERROR, 7, "a line");
    f.file = "a.yaml";
    faults_add(&f, FAULT_WARNING, 0, "a file");
    faults_add(&f, FAULT_ERROR, 8, "both");
    faults_add_at(&f, FAULT_ERROR, 8, "a b", "a member, %d", 1);
    f.document = 2;
    faults_add(&f, FAULT_ERROR, 9, "all, with \x1b[31m and\nmore");
    faults_pop(&f, mark);
    f.n_suppressed = 3;
    AUTO_STR text = printed(&f);
    is_str(text,
           "nothing known\n"
           "line 7: spec: a line\n"
           "a.yaml: warning: spec: a file\n"
           "a.yaml:8: spec: both\n"
           "a.yaml:8: spec[\"a b\"]: a member, 1\n"
           "a.yaml:9: document 2: spec: all, with \\u001b[31m and\\nmore\n"
           "(and 3 more)\n",
           "as people see them");
    faults_fini(&f);
}

static void test_limits(void)
{
    struct faults f;
    size_t marks[300];

    faults_init(&f);
    for (size_t i = 0; i < 300; i++) {
        marks[i] = faults_push(&f, "segment%zu", i);
    }
    is_int(f.path_len, sizeof(f.path) - 1, "a deep path is cut");
    faults_add(&f, FAULT_ERROR, 0, "deep");
    for (size_t i = 300; i-- > 0;) {
        faults_pop(&f, marks[i]);
    }
    is_int(f.path_len, 0, "and popped right nevertheless");
    for (size_t i = 0; i < LIMIT_FAULTS + 5; i++) {
        faults_add(&f, FAULT_ERROR, 0, "one of many");
    }
    is_int(f.n, LIMIT_FAULTS, "no more faults than the limit");
    is_int(f.n_suppressed, 6, "the others are counted");
    is_int(f.n_errors, LIMIT_FAULTS + 6, "as errors, too");
    faults_fini(&f);
}

static void test_drop(void)
{
    struct faults f;

    faults_init(&f);
    faults_add(&f, FAULT_ERROR, 1, "before");
    for (size_t i = 0; i < LIMIT_FAULTS + 5; i++) {
        faults_add(&f, i == 1 ? FAULT_WARNING : FAULT_ERROR, 2, "after %zu", i);
    }
    faults_drop_errors(&f, 1);
    is_int(f.n, 2, "errors from there on are forgotten");
    is_int(f.n_errors, 1, "those before still count");
    is_int(f.n_suppressed, 0, "those past the limit do not");
    is_str(f.v[0].text, "before", "an earlier error");
    is_str(f.v[1].text, "after 1", "and warnings stay");
    faults_fini(&f);
}

static void test_repeats(void)
{
    struct faults f;

    faults_init(&f);
    faults_add(&f, FAULT_WARNING, 1, "a");
    faults_add(&f, FAULT_WARNING, 1, "b");
    faults_add(&f, FAULT_ERROR, 1, "c");
    size_t from = f.n;
    faults_add(&f, FAULT_WARNING, 2, "a");
    faults_add(&f, FAULT_ERROR, 2, "b");
    faults_add(&f, FAULT_ERROR, 2, "c");
    faults_add_at(&f, FAULT_WARNING, 2, "there", "a");
    faults_add(&f, FAULT_ERROR, 2, "d");
    faults_add(&f, FAULT_ERROR, 2, "d");
    faults_drop_repeats(&f, from);
    is_int(f.n, 5, "each once, and the same text elsewhere");
    is_int(f.n_errors, 3, "errors once");
    is_int(f.v[1].severity, FAULT_ERROR, "what one takes for an error is one");
    is_str(f.v[3].path, "there", "another place");
    is_str(f.v[4].text, "d", "what came last");
    faults_fini(&f);
}

int main(void)
{
    test_paths();
    test_print();
    test_limits();
    test_drop();
    test_repeats();
    return check_done();
}

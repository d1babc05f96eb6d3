/* AdmissionReviews and what is answered: in each folder of tests/golden/admission/, review.json
 * gives answer.json, in which the patch is decoded:
 * {"http":200,"verdict":"patched","response":{…,"patch":[…]}}, or {"http":400,…,"status":{…}}. */
#include "allocator/base/limits.h"
#include "allocator/codec/nodeedit.h"
#include "tests/check.h"
#include "tests/unit/admission/reviewcheck.h"
#include "webhook/cli/document.h"

#include <dirent.h>
#include <stdlib.h>

static void read_file(const char *name, const char *file, struct buf *out)
{
    AUTO_STR path = mem_printf("tests/golden/admission/%s/%s", name, file);
    struct err err;

    buf_init(out, LIMIT_REVIEW_BYTES);
    if (document_read(path, out, &err) < 0) {
        ok(false, "%s", err.text);
    }
}

/* The answer with its patch as JSON. */
static void write_answer(struct reviewcheck *c, struct buf *out)
{
    struct node *root = NULL, *patch = NULL;
    const struct node *shown = NULL;

    buf_init(out, LIMIT_REVIEW_BYTES);
    buf_addf(out, "{\"http\":%d,\"verdict\":\"%s\",", c->reply.http_status,
             admission_verdict_name(c->reply.verdict));
    if (node_from_json(c->reply.body, 0, &c->arena, &root, NULL) < 0) {
        return;
    }
    shown = root;
    if (c->patch.len > 0 && node_from_json(c->patch, 0, &c->arena, &patch, NULL) == 0) {
        const struct node *response =
            nodeedit_member(&c->arena, c->response, SPAN_LIT("patch"), patch);
        shown = nodeedit_member(&c->arena, root, SPAN_LIT("response"), response);
    }
    buf_add_str(out, "\"body\":");
    yamltext_value(shown, YAMLTEXT_JSON, out);
    buf_add_char(out, '}');
}

static void check_case(const char *name)
{
    AUTO_BUF review = { 0 }, want = { 0 }, got = { 0 };
    struct reviewcheck c;

    read_file(name, "review.json", &review);
    read_file(name, "answer.json", &want);
    reviewcheck_init(&c);
    struct span text = check_at_edge(buf_span(&review));
    ok(reviewcheck_answer(&c, text), "%s: the reply has the right form %s", name, c.why);
    write_answer(&c, &got);
    is_json(buf_span(&got), buf_span(&want), "%s: answer", name);
    ok(reviewcheck_all(&c, text), "%s: the patch applies, and a second round changes nothing %s",
       name, c.why);
    reviewcheck_fini(&c);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(void)
{
    struct dirent **entries = NULL;

    int n = scandir("tests/golden/admission", &entries, is_visible, alphasort);
    ok(n > 0, "there are cases");
    for (int i = 0; i < n; i++) {
        check_case(entries[i]->d_name);
        free(entries[i]);
    }
    free((void *)entries);
    return check_done();
}

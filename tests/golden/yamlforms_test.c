/* Forms of YAML against what Prometheus makes of them: tests/golden/yamlforms/forms.jsonl has been
 * recorded with promtool (tests/golden/yamlforms/record, which says what a line is). Whatever it
 * takes is taken, with the same labels, and whatever it refuses is refused, but for the lines that
 * say why not. */
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/discovery/provider.h"
#include "allocator/scrape/promconfig.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>

#define FORMS "tests/golden/yamlforms/forms.jsonl"
#define MAX_TEMPLATES 16

static struct template
{
    char *name, *text;
}
templates[MAX_TEMPLATES];
static size_t n_templates, n_lines;

static const char *template_of(const char *name)
{
    for (size_t i = 0; i < n_templates; i++) {
        if (strcmp(templates[i].name, name) == 0) {
            return templates[i].text;
        }
    }
    return "";
}

/* The template with 'form' where its %s is. */
static char *fill(const char *text, const char *form)
{
    const char *gap = strstr(text, "%s");
    return gap == NULL ? mem_strdup(text)
                       : mem_printf("%.*s%s%s", (int)(gap - text), text, form, gap + 2);
}

static void write_labels(struct label_builder *lb, struct buf *out)
{
    label_builder_sort(lb);
    buf_add_char(out, '{');
    for (size_t i = 0, n = 0; i < lb->n; i++) {
        if (strcmp(lb->v[i].name->text, "__address__") != 0) {
            buf_add_str(out, n++ == 0 ? "" : ",");
            buf_add_json(out, str_span(lb->v[i].name));
            buf_add_char(out, ':');
            buf_add_json(out, lb->v[i].value);
        }
    }
    buf_add_char(out, '}');
}

/* The discovered labels of the first static target of job j, as promtool shows them. */
static void find_labels(const struct scrapejobs *jobs, struct strpool *pool, struct buf *out)
{
    const struct scrapejob *j = NULL;
    struct label_builder lb;
    struct sd_batch batch;
    struct arena arena;

    for (size_t i = 0; i < jobs->n; i++) {
        j = span_is(jobs->v[i]->name, "j") ? jobs->v[i] : j;
    }
    if (j == NULL || j->n_sds == 0) {
        return;
    }
    const struct provider_ops *ops = provider_find(&j->sds[0]);
    struct provider_input in = { .section = &j->sds[0] };
    arena_init(&arena);
    label_builder_init(&lb, pool, &arena);
    sd_batch_init(&batch, pool);
    if (ops != NULL && ops->digest(&in, &batch, NULL) == 0 && batch.groups.n > 0) {
        const struct sd_group *g = &batch.groups.v[0];
        sd_batch_labels(&batch, g, g->targets[0], true, &lb);
        for (size_t i = 0; i < j->n_seeds; i++) {
            if (label_builder_get(&lb, j->seeds[i].name).len == 0) {
                label_builder_set(&lb, j->seeds[i].name, j->seeds[i].value);
            }
        }
        write_labels(&lb, out);
    }
    sd_batch_fini(&batch);
    label_builder_fini(&lb);
    arena_fini(&arena);
}

/* As 'check config' reads a file; true when it is taken, with the labels, or without them why it is
 * not. */
static bool take(const char *text, struct buf *out)
{
    const struct scrape_options options = { .strict = true, .thorough = true };
    struct scrapejobs jobs = { 0 };
    struct strpool pool;
    struct faults f;
    struct arena arena;
    struct node *root = NULL;
    struct err err;

    strpool_init(&pool);
    arena_init(&arena);
    faults_init(&f);
    if (yamldoc_read(span_of(text), &arena, &root, &err) < 0) {
        faults_add(&f, FAULT_ERROR, 0, "%s", err.text);
    } else {
        promconfig_parse(root, &options, &pool, &f, &jobs);
    }
    bool is_taken = f.n_errors == 0;
    if (is_taken) {
        find_labels(&jobs, &pool, out);
    } else {
        (void)faults_first(&f, &err);
        buf_add_str(out, err.text);
    }
    scrapejobs_fini(&jobs);
    faults_fini(&f);
    arena_fini(&arena);
    strpool_fini(&pool);
    return is_taken;
}

static void check_line(json_t *row)
{
    const char *form = json_string_value(json_object_get(row, "form"));
    const char *in = json_string_value(json_object_get(row, "in"));
    const char *text = json_string_value(json_object_get(row, "text"));
    const char *why = json_string_value(json_object_get(row, "why"));
    bool theirs = json_is_true(json_object_get(row, "take"));
    AUTO_STR document = in == NULL ? mem_strdup(text) : fill(template_of(in), form);
    AUTO_BUF got;

    buf_init(&got, MIB);
    bool ours = take(document, &got);
    n_lines++;
    if (ours != (why == NULL ? theirs : !theirs)) {
        ok(false, "%s: %s: promtool %s it, this program does%s: %.*s", in == NULL ? "document" : in,
           in == NULL ? text : form, theirs ? "takes" : "refuses", ours ? "" : " not", (int)got.len,
           got.p);
    }
    const json_t *labels = json_object_get(row, "labels");
    if (labels != NULL && ours && theirs) {
        char *want = json_dumps(labels, JSON_COMPACT | JSON_SORT_KEYS);
        is_json(buf_span(&got), span_of(want), "%s: labels",
                json_string_value(json_object_get(row, in == NULL ? "doc" : "form")));
        mem_free(want);
    }
}

static void take_line(const char *line)
{
    json_t *row = json_loads(line, JSON_ALLOW_NUL, NULL);
    const char *name = json_string_value(json_object_get(row, "template"));

    if (row == NULL) {
        ok(false, "a line is JSON: %s", line);
    } else if (name != NULL && n_templates < MAX_TEMPLATES) {
        templates[n_templates++] =
            (struct template){ mem_strdup(name),
                               mem_strdup(json_string_value(json_object_get(row, "text"))) };
    } else {
        check_line(row);
    }
    json_decref(row);
}

int main(void)
{
    FILE *f = fopen(FORMS, "re");
    char *line = NULL;
    size_t size = 0;

    if (!ok(f != NULL, "%s is there", FORMS)) {
        return check_done();
    }
    while (getline(&line, &size, f) >= 0) {
        take_line(line);
    }
    fclose(f);
    free(line);
    ok(n_lines > 2000, "%zu forms are taken or refused as promtool does", n_lines);
    for (size_t i = 0; i < n_templates; i++) {
        mem_free(templates[i].name);
        mem_free(templates[i].text);
    }
    return check_done();
}

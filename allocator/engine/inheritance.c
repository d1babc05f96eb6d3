#include "allocator/engine/inheritance.h"

#include "allocator/base/limits.h"
#include "allocator/discovery/targetgroup.h"
#include "allocator/discovery/want.h"

/* What is served of a target is its group in the form of http_sd. */
static void write_groups(const struct source *s, struct buf *out)
{
    for (uint32_t i = 0; i < s->n; i++) {
        const struct target *t = s->targets[i]; /* begins with a comma */
        buf_add(out, t->own, t->own_len);
        buf_add(out, t->tail->text, t->tail->len);
    }
    if (out->len > 0) {
        out->p[0] = '[';
        buf_add_char(out, ']');
    }
}

static bool take(struct job *j, uint32_t section, const struct source *from,
                 struct sd_batch *scratch) ON(engine)
{
    AUTO_BUF groups = { 0 };

    if (from->n == 0 || job_find_source(j, section, span_of(from->name)) != NULL) {
        return false;
    }
    buf_init(&groups, SIZE_MAX / 2);
    write_groups(from, &groups);
    sd_batch_reset(scratch);
    if (targetgroup_parse_json(buf_span(&groups), NULL, scratch, NULL) < 0) {
        return false;
    }
    job_apply(j, section, span_of(from->name), scratch);
    return true;
}

static bool is_mechanism(const struct job *j, uint32_t section, enum sd_mechanism mechanism)
{
    return j->config->sds[section].mechanism == mechanism;
}

bool inheritance_of_source(struct job *j, uint32_t section, struct span source,
                           struct sd_batch *scratch)
{
    const struct job *before = j->predecessor;

    for (uint32_t i = 0; before != NULL && i < before->config->n_sds; i++) {
        const struct source *from = job_find_source(before, i, source);
        if (from != NULL && is_mechanism(before, i, j->config->sds[section].mechanism) &&
            take(j, section, from, scratch)) {
            return true;
        }
    }
    return false;
}

static bool is_same_section(const struct sdconfig *a, const struct sdconfig *b)
{
    AUTO_BUF x, y;

    buf_init(&x, LIMIT_DOCUMENT_BYTES);
    buf_init(&y, LIMIT_DOCUMENT_BYTES);
    want_key(a, &x);
    want_key(b, &y);
    return span_eq(buf_span(&x), buf_span(&y));
}

bool inheritance_of_section(struct job *j, uint32_t section, struct sd_batch *scratch)
{
    const struct job *before = j->predecessor;
    const struct sdconfig *sd = &j->config->sds[section];
    bool has_changed = false;

    if (before == NULL) {
        return false;
    }
    if (sd->mechanism == SD_HTTP) { /* one source; how it is asked may be what changed */
        return inheritance_of_source(j, section, sd->http.url, scratch);
    }
    for (const struct table_node *node = table_next(&before->sources, NULL); node != NULL;
         node = table_next(&before->sources, node)) {
        const struct source *from = (const struct source *)(const void *)node;
        if (is_mechanism(before, from->section, sd->mechanism) &&
            is_same_section(&before->config->sds[from->section], sd)) {
            has_changed |= take(j, section, from, scratch);
        }
    }
    return has_changed;
}

static bool asks(const struct job *j, struct span url)
{
    for (size_t i = 0; i < j->config->n_sds; i++) {
        const struct sdconfig *sd = &j->config->sds[i];
        if (sd->mechanism == SD_HTTP && span_eq(sd->http.url, url)) {
            return true;
        }
    }
    return false;
}

bool inheritance_gives_up(const struct job *j)
{
    const struct job *before = j->predecessor;
    const struct table_node *node = before == NULL ? NULL : table_next(&before->sources, NULL);

    for (; node != NULL; node = table_next(&before->sources, node)) {
        const struct source *from = (const struct source *)(const void *)node;
        if (from->n > 0 && is_mechanism(before, from->section, SD_HTTP) &&
            !asks(j, before->config->sds[from->section].http.url)) {
            return true;
        }
    }
    return false;
}

#include "webhook/cli/explainjson.h"

#include "allocator/base/buf.h"

static void add_text(const char *name, struct span value, struct buf *out)
{
    buf_addf(out, "\"%s\":", name);
    buf_add_json(out, value);
}

static void add_label(struct span name, struct span value, bool is_first, struct buf *out)
{
    buf_add_str(out, is_first ? "" : ",");
    buf_add_json(out, name);
    buf_add_char(out, ':');
    buf_add_json(out, value);
}

static void add_labels(const struct explain_target *t, struct buf *out)
{
    buf_add_str(out, ",\"labels\":{");
    for (size_t i = 0; i < t->n_labels; i++) {
        add_label(str_span(t->labels[i].name), t->labels[i].value, i == 0, out);
    }
    buf_add_str(out, "},\"seeds\":{");
    for (size_t i = 0; i < t->n_seeds; i++) {
        const struct label *l = &t->seeds[i].label;
        add_label(str_span(l->name), l->value, i == 0, out);
    }
    buf_add_char(out, '}');
}

static void add_step(const struct explain_step *s, struct buf *out)
{
    buf_addf(out, "{\"rule\":%zu,", s->rule);
    add_text("text", span_of(s->description), out);
    buf_add_char(out, ',');
    add_text("effect",
             span_of(s->outcome == RELABEL_DROP ? "dropped"
                     : s->idle != NULL          ? s->idle
                                                : "changed"),
             out);
    buf_add_str(out, ",\"changes\":{");
    for (size_t i = 0; i < s->n_changes && s->outcome != RELABEL_DROP; i++) {
        const struct explain_change *c = &s->changes[i];
        if (c->after.len > 0) {
            add_label(str_span(c->name), c->after, i == 0, out);
        } else {
            buf_add_str(out, i == 0 ? "" : ",");
            buf_add_json(out, str_span(c->name));
            buf_add_str(out, ":null");
        }
    }
    buf_add_str(out, "}}");
}

static void add_kept(const struct explain_target *t, struct buf *out)
{
    buf_addf(out, "\"kept\",\"identity\":\"%016llx\",", (unsigned long long)t->verdict.identity);
    add_text("address", t->final_address, out);
    buf_addf(out, ",\"served\":%s,", t->is_served ? "true" : "false");
    if (t->is_served && t->owner.len > 0) {
        add_text("collector", t->owner, out);
    } else {
        buf_add_str(out, "\"collector\":null");
    }
    buf_add_char(out, ',');
    add_text("strategy", span_of(t->strategy), out);
}

void explainjson_add(const struct explain_target *t, struct buf *out)
{
    const struct {
        const char *name;
        struct span value;
    } texts[] = {
        { "namespace", t->ns },  { "name", t->name },      { "receiver", t->job->receiver },
        { "job", t->job->name }, { "target", t->address }, { "source", t->source },
    };

    buf_add_char(out, '{');
    for (size_t i = 0; i < COUNT(texts); i++) {
        add_text(texts[i].name, texts[i].value.p == NULL ? SPAN_LIT("") : texts[i].value, out);
        buf_add_char(out, ',');
    }
    buf_addf(out, "\"section\":\"%s[%zu]\"", t->section->section, t->section->index);
    add_labels(t, out);
    buf_add_str(out, ",\"rules\":[");
    for (size_t i = 0; i < t->n_steps; i++) {
        buf_add_str(out, i == 0 ? "" : ",");
        add_step(&t->steps[i], out);
    }
    buf_add_str(out, "],\"verdict\":");
    if (t->verdict.kind == VERDICT_DROPPED) {
        buf_addf(out, "\"dropped\",\"rule\":%zu", t->verdict.rule);
    } else if (t->verdict.kind == VERDICT_INVALID) {
        buf_add_str(out, "\"invalid\",");
        add_text("reason", span_of(t->verdict.reason), out);
    } else {
        add_kept(t, out);
    }
    buf_add_char(out, '}');
}

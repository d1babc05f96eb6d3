#include "webhook/cli/report.h"

#include "allocator/base/limits.h"
#include "allocator/codec/jsonindent.h"

#include <string.h>

void report_init(struct report *r)
{
    *r = (struct report){ .is_invalid = false };
    buf_init(&r->files, LIMIT_DOCUMENT_BYTES);
    buf_init(&r->faults, LIMIT_DOCUMENT_BYTES);
}

static void separate(struct buf *list)
{
    buf_add_str(list, list->len == 0 ? "" : ",");
}

void report_file(struct report *r, const char *name, const char *members)
{
    separate(&r->files);
    buf_add_str(&r->files, "{\"file\":");
    buf_add_json(&r->files, span_of(name));
    buf_addf(&r->files, "%s%s}", members[0] == '\0' ? "" : ",", members);
}

static void open_fault(struct report *r, bool is_error)
{
    separate(&r->faults);
    buf_addf(&r->faults, "{\"severity\":\"%s\"", is_error ? "error" : "warning");
    r->is_invalid = r->is_invalid || is_error;
}

static void add_member(struct report *r, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0') {
        buf_addf(&r->faults, ",\"%s\":", name);
        buf_add_json(&r->faults, span_of(text));
    }
}

static void add_fault(struct report *r, const struct fault *f)
{
    open_fault(r, f->severity == FAULT_ERROR);
    add_member(r, "file", f->file);
    if (f->document > 0) {
        buf_addf(&r->faults, ",\"document\":%zu", f->document);
    }
    if (f->line > 0) {
        buf_addf(&r->faults, ",\"line\":%u", f->line);
    }
    add_member(r, "path", f->path);
    add_member(r, "text", f->text);
    buf_add_char(&r->faults, '}');
}

void report_faults(struct report *r, const struct faults *f)
{
    for (size_t i = 0; i < f->n; i++) {
        add_fault(r, &f->v[i]);
    }
}

void report_lines(struct report *r, struct span lines, bool is_error)
{
    while (lines.len > 0) {
        const char *nl = memchr(lines.p, '\n', lines.len);
        size_t len = nl == NULL ? lines.len : (size_t)(nl - lines.p);
        struct span line = span_make(lines.p, len);
        bool is_warning = memmem(line.p, line.len, "warning: ", strlen("warning: ")) != NULL;
        open_fault(r, is_error && !is_warning);
        buf_add_str(&r->faults, ",\"text\":");
        buf_add_json(&r->faults, line);
        buf_add_char(&r->faults, '}');
        lines = span_from(lines, nl == NULL ? len : len + 1);
    }
}

void report_json(struct span json, FILE *out)
{
    AUTO_BUF text;

    buf_init(&text, 4 * LIMIT_DOCUMENT_BYTES);
    jsonindent_write(json, &text);
    fwrite(text.p == NULL ? "" : text.p, 1, text.len, out);
}

void report_print(const struct report *r, FILE *out)
{
    AUTO_BUF json;

    buf_init(&json, 3 * LIMIT_DOCUMENT_BYTES);
    buf_addf(&json, "{\"valid\":%s,\"files\":[", r->is_invalid ? "false" : "true");
    buf_add_span(&json, buf_span(&r->files));
    buf_add_str(&json, "],\"faults\":[");
    buf_add_span(&json, buf_span(&r->faults));
    buf_add_str(&json, "]}\n");
    report_json(buf_span(&json), out);
}

void report_fini(struct report *r)
{
    buf_fini(&r->files);
    buf_fini(&r->faults);
}

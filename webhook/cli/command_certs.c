/* 'certs ca', 'certs show' and 'certs rotate': the certificates of the webhook, from outside the
 * server that keeps them. */
#include "webhook/cli/command.h"

#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/terminal.h"
#include "certs/certs.h"
#include "webhook/cli/report.h"

#include <string.h>

typedef int certs_step(struct certs *c, int64_t now_s, struct buf *out, struct err *err);

static int rotate(struct certs *c, int64_t now_s, struct buf *out, struct err *err)
{
    int rc = certs_rotate(c, now_s, err);
    return rc < 0 ? rc : certs_describe(c, now_s, out, err);
}

/* Its first word → a member of that name, the rest its value. */
static void add_member(struct span line, const char *name, struct buf *json)
{
    size_t len = 0;

    while (len < line.len && line.p[len] != ' ') {
        len++;
    }
    AUTO_STR word = name != NULL ? mem_strdup(name) : mem_strndup(line.p, len);
    buf_addf(json, ",\"%s\":", word);
    buf_add_json(json, span_trim(span_from(line, len)));
}

static void add_validity(struct span line, struct buf *json)
{
    const char *until = memmem(line.p, line.len, " until ", strlen(" until "));
    size_t len = until == NULL ? line.len : (size_t)(until - line.p);

    add_member(span_make(line.p, len), "from", json);
    add_member(until == NULL ? SPAN_LIT("") : span_from(line, len + 1), "until", json);
}

/* The lines of describe.h → one object a certificate. */
static void write_json(struct span text, struct buf *json)
{
    const char *end = "";

    buf_add_char(json, '[');
    while (text.len > 0) {
        const char *nl = memchr(text.p, '\n', text.len);
        struct span line = span_make(text.p, nl == NULL ? text.len : (size_t)(nl - text.p));
        struct span member = span_trim(line);
        if (!span_has_prefix(line, " ")) {
            size_t len = strcspn(line.p, " \n");
            buf_addf(json, "%s{\"role\":", end[0] == '\0' ? "" : "},");
            buf_add_json(json, span_make(line.p, len));
            add_member(line, "names", json);
            end = "}";
        } else if (span_has_prefix(member, "valid ")) {
            add_validity(member, json);
        } else {
            add_member(member, span_has_prefix(member, "SHA-256 ") ? "sha256" : NULL, json);
        }
        text = span_from(text, nl == NULL ? text.len : line.len + 1);
    }
    buf_addf(json, "%s]\n", end);
}

static int run(const struct options *o, const struct command_io *io, certs_step *step)
{
    struct err err = { 0 };
    AUTO_BUF out;

    AUTO(certs) certs = certs_new(&o->certs);
    buf_init(&out, MIB);
    if (step(certs, clock_wall_ms() / 1000, &out, &err) < 0) {
        terminal_line(io->errout, "otel-ta certs: %s", err.text);
        return EXIT_CANNOT;
    }
    if (o->output == OUTPUT_JSON) {
        AUTO_BUF json;
        buf_init(&json, 8 * MIB);
        write_json(buf_span(&out), &json);
        report_json(buf_span(&json), io->out);
    } else {
        fwrite(out.p == NULL ? "" : out.p, 1, out.len, io->out);
    }
    return EXIT_OK;
}

int command_certs_ca(const struct options *o, const struct command_io *io)
{
    return run(o, io, certs_bundle);
}

int command_certs_show(const struct options *o, const struct command_io *io)
{
    return run(o, io, certs_describe);
}

int command_certs_rotate(const struct options *o, const struct command_io *io)
{
    return run(o, io, rotate);
}

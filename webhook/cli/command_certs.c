/* 'certs ca', 'certs show' and 'certs rotate': the certificates of the webhook, from outside the
 * server that keeps them. */
#include "webhook/cli/command.h"

#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/base/terminal.h"
#include "certs/certs.h"

typedef int certs_step(struct certs *c, int64_t now_s, struct buf *out, struct err *err);

static int rotate(struct certs *c, int64_t now_s, struct buf *out, struct err *err)
{
    int rc = certs_rotate(c, now_s, err);
    return rc < 0 ? rc : certs_describe(c, now_s, out, err);
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
    fwrite(out.p == NULL ? "" : out.p, 1, out.len, io->out);
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

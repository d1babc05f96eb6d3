/* The composition root: words of the command line → the room that does the work. */
#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/node.h"
#include "certs/certs.h"
#include "webhook/cli/inspect.h"
#include "webhook/cli/offline.h"
#include "webhook/keeper.h"
#include "webhook/version.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A standard stream that the caller closed would give its number to the next file or socket, and
 * what is printed would go there. In its place: one that fails as a closed one does. */
static int occupy_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) {
            return EXIT_CANNOT;
        }
    }
    return EXIT_OK;
}

/* What was printed has arrived, all of it. */
static int finish_output(int code)
{
    errno = 0;
    if ((fflush(stdout) == 0 && ferror(stdout) == 0) || code != EXIT_OK) {
        return code;
    }
    struct err err;
    (void)err_sys(&err, errno == 0 ? EIO : errno, "standard output");
    fprintf(stderr, "otel-ta: %s\n", err.text);
    return EXIT_CANNOT;
}

static int run_serve(const struct options *o)
{
    struct settings settings;
    int code = settings_load(o, &settings, stderr);

    if (code == EXIT_OK) {
        code = keeper_run(o, &settings);
    }
    settings_fini(&settings);
    return code;
}

static int run_certs(const struct options *o)
{
    const struct certs_options co = { .dir = o->cert_dir,
                                      .cert_file = o->tls_cert_file,
                                      .key_file = o->tls_key_file,
                                      .names = o->tls_names.v,
                                      .n_names = o->tls_names.n };
    int64_t now_s = clock_wall_ms() / 1000;
    struct err err = { 0 };
    AUTO_BUF out;
    int rc = 0;

    AUTO(certs) certs = certs_new(&co);
    buf_init(&out, MIB);
    if (o->command == COMMAND_CERTS_ROTATE) {
        rc = certs_rotate(certs, now_s, &err);
    }
    if (rc == 0) {
        rc = o->command == COMMAND_CERTS_CA ? certs_bundle(certs, now_s, &out, &err)
                                            : certs_describe(certs, now_s, &out, &err);
    }
    if (rc < 0) {
        fprintf(stderr, "otel-ta certs: %s\n", err.text);
        return EXIT_CANNOT;
    }
    fwrite(out.p == NULL ? "" : out.p, 1, out.len, stdout);
    return EXIT_OK;
}

static int run(const struct options *o)
{
    switch (o->command) {
    case COMMAND_SERVE:
        return run_serve(o);
    case COMMAND_REWRITE:
    case COMMAND_RESTORE:
    case COMMAND_VALIDATE:
        return offline_run(o);
    case COMMAND_CHECK_CONFIG:
    case COMMAND_CHECK_SD:
    case COMMAND_ALLOCATE:
    case COMMAND_EXPLAIN:
        return inspect_run(o);
    case COMMAND_CERTS_CA:
    case COMMAND_CERTS_SHOW:
    case COMMAND_CERTS_ROTATE:
        return run_certs(o);
    case COMMAND_VERSION:
        printf("otel-ta %s\n", OTEL_TA_VERSION);
        return EXIT_OK;
    case COMMAND_HELP:
        options_usage(o->help_about, stdout);
        return EXIT_OK;
    }
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct options o;

    json_set_alloc_funcs(mem_alloc, mem_free);
    int code = occupy_streams();
    if (code != EXIT_OK) {
        return code;
    }
    code = options_parse(argc, argv, &o, stderr);
    if (code == EXIT_OK) {
        code = finish_output(run(&o));
    }
    options_fini(&o);
    return code;
}

/* The composition root: words of the command line → the room that does the work. */
#include "allocator/base/mem.h"
#include "allocator/base/memorylimit.h"
#include "allocator/base/metric.h"
#include "allocator/base/terminal.h"
#include "allocator/codec/node.h"
#include "webhook/buildinfo.h"
#include "webhook/cli/commandtable.h"
#include "webhook/keeper.h"

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

/* What was printed has arrived, all of it; also what was printed of faults. */
static int finish_output(int code)
{
    errno = 0;
    if (fflush(stdout) == 0 && ferror(stdout) == 0) {
        return code;
    }
    if (errno == 0) { /* it failed before, and the stream has let go of all: nothing fails again */
        (void)!write(STDOUT_FILENO, "", 0);
    }
    struct err err;
    (void)err_sys(&err, errno == 0 ? EIO : errno, "standard output");
    terminal_line(stderr, "otel-ta: %s", err.text);
    return EXIT_CANNOT;
}

static int run_serve(const struct options *o)
{
    struct settings settings;
    struct configuration config;

    memorylimit_set(o->serve.memory_limit);
    int code = settings_load(o, &settings, &config, stderr);

    if (code == EXIT_OK) {
        metric_set_for(METRIC_BUILD_INFO, (const char *[]){ buildinfo.number }, 1);
        code = keeper_run(&settings, &config);
    }
    configuration_fini(&config);
    settings_fini(&settings);
    return code;
}

/* A terse command says in passing what is not a result: warnings at most. */
static void set_log(const struct log_options *log, bool is_terse)
{
    if (log->level.is_given) {
        log_set_level((enum log_level)log->level.value);
    }
    if (is_terse && log_get_level() > LOG_WARN) {
        log_set_level(LOG_WARN);
    }
    if (is_terse || log->format.is_given) {
        log_set_format(is_terse ? LOG_PRETTY : (enum log_format)log->format.value);
    }
}

/* No command, and nothing that it could mean to serve. */
static int explain_usage(const struct command_io *io)
{
    const struct options help = { .command = COMMAND_HELP, .help_about = COMMAND_HELP };
    const struct command_io to_errout = { io->errout, io->errout, io->version };

    (void)command_rows[COMMAND_HELP].run(&help, &to_errout);
    fprintf(io->errout, "\notel-ta: there is nothing to serve: no manifests (-f), no configuration "
                        "file, no cluster\n");
    return EXIT_USAGE;
}

static int run(const struct options *o)
{
    const struct command_row *row = &command_rows[o->command];
    const struct command_io io = { stdout, stderr, &buildinfo };

    terminal_set_colour(o->colour);
    set_log(&o->log, row->is_terse);
    if (row->run != NULL) {
        return row->run(o, &io);
    }
    return o->is_implicit && !settings_has_work(o) ? explain_usage(&io) : run_serve(o);
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
    o.watcher.user_agent = arena_printf(&o.arena, "otel-ta/%s", buildinfo.number);
    if (code == EXIT_OK) {
        code = finish_output(run(&o));
    }
    options_fini(&o);
    return code;
}

/* The commands of the program, one file each: command_<name>.c, all behind one shape of function,
 * so that a table of them is the dispatcher (commandtable.h). Results go to 'out', faults to
 * 'errout'; each returns an exit code of options.h. Threads: main thread; a watcher thread while
 * discovery runs. */
#ifndef OTEL_TA_WEBHOOK_CLI_COMMAND_H
#define OTEL_TA_WEBHOOK_CLI_COMMAND_H

#include "webhook/cli/options.h"
#include "webhook/cli/version.h"

struct command_io {
    FILE *out, *errout;
    const struct version *version; /* of this program */
};

typedef int command_run(const struct options *o, const struct command_io *io);

/* Manifests in, manifests (or a diff, or a patch) out, with the code of the webhook. Documents that
 * are not an OpenTelemetryCollector pass byte for byte, also those that hold what we do not
 * support. When anything is wrong nothing is written to 'out', and every fault is said as
 * "file:line: path: text". */
command_run command_rewrite, command_restore, command_validate;
/* They look without serving, by the server's own code: the same readers, the same discovery, the
 * same engine state. */
command_run command_check, command_discover, command_allocate, command_explain;
/* The certificates that 'serve --cert-dir' keeps. */
command_run command_certs_ca, command_certs_show, command_certs_rotate;
/* A line, "otel-ta 0.1.0 (commit 0123456789ab, dirty)", or what struct version has as a JSON
 * object. */
command_run command_version;

#endif

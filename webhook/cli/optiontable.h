/* The flags of the command line, one row each. Immutable. Threads: any. */
#ifndef OTEL_TA_WEBHOOK_CLI_OPTIONTABLE_H
#define OTEL_TA_WEBHOOK_CLI_OPTIONTABLE_H

#include "webhook/cli/options.h"

#include <stdint.h>

enum flag_id {
    FLAG_FILENAME = 256,
    FLAG_COLLECTORS,
    FLAG_CONFIG_FILE,
    FLAG_LISTEN,
    FLAG_WEBHOOK_LISTEN,
    FLAG_CERT_DIR,
    FLAG_TLS_CERT,
    FLAG_TLS_KEY,
    FLAG_TLS_SAN,
    FLAG_TLS_MIN,
    FLAG_WEBHOOK_CLIENT_CA,
    FLAG_STRATEGY,
    FLAG_CH_VERSION,
    FLAG_ID_EXPR,
    FLAG_URL_STYLE,
    FLAG_SHARED_HOST,
    FLAG_REWRITE_STYLE,
    FLAG_LOG_LEVEL,
    FLAG_LOG_FORMAT,
    FLAG_OUTPUT,
    FLAG_JOB,
    FLAG_TARGET,
    FLAG_TIMEOUT,
    FLAG_SHUTDOWN_DELAY,
    FLAG_THREADS,
    FLAG_KUBECONFIG,
    FLAG_HTTPS,
    FLAG_HTTPS_LISTEN,
    FLAG_HTTPS_CA,
    FLAG_HTTPS_CERT,
    FLAG_HTTPS_KEY,
    FLAG_PROMETHEUS_CR,
    FLAG_INSECURE_SECRETS,
    FLAG_ZAP_DEVEL,
    FLAG_ZAP_ENCODER,
    FLAG_ZAP_LEVEL,
    FLAG_ZAP_IGNORED,
    FLAG_HELP,
    FLAG_VERSION,
};

struct flag_row {
    const char *name;
    int has_arg; /* as getopt_long */
    enum flag_id id;
    uint32_t commands; /* a bit each, see flag_is_of() */
    const char *value; /* NULL: not shown in the help (an alias) */
    const char *help;
};

enum { N_FLAG_ROWS = 44 };

extern const struct flag_row
    flag_rows[N_FLAG_ROWS]; /* a name can stand for different flags of different commands */

bool flag_is_of(const struct flag_row *row, enum command command);

#endif

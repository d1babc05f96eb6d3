/* The version of the program, in one place. */
#ifndef OTEL_TA_WEBHOOK_CLI_VERSION_H
#define OTEL_TA_WEBHOOK_CLI_VERSION_H

#define OTEL_TA_VERSION "0.1.0"

#endif

/* The man page otel-ta(1), in the language of mdoc(7), made of the tables of commands and flags.
 * Only built into the program that writes it (pages_main.c). Threads: any. */
#ifndef OTEL_TA_WEBHOOK_CLI_MANUAL_H
#define OTEL_TA_WEBHOOK_CLI_MANUAL_H

#include <stdio.h>

/* 'date' as mdoc wants it: "March 1, 2026". */
void manual_write(const char *date, FILE *out);

#endif

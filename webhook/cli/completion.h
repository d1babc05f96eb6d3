/* Completions of the command line for bash, zsh and fish, made of the tables of commands and flags.
 * Only built into the program that writes them (pages_main.c). Threads: any. */
#ifndef OTEL_TA_WEBHOOK_CLI_COMPLETION_H
#define OTEL_TA_WEBHOOK_CLI_COMPLETION_H

#include <stdio.h>

void completion_bash(FILE *out);
void completion_zsh(FILE *out);
void completion_fish(FILE *out);

#endif

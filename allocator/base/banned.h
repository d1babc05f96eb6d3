/* Force-included into every C file: functions that are unsafe with input from outside, or not
 * thread-safe, do not compile. */
#ifndef OTEL_TA_BASE_BANNED_H
#define OTEL_TA_BASE_BANNED_H

/* The system headers that declare them come first; poisoning a name that they still have to declare
 * would fail. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A macro with some compilers and options. alloca() is missing here because h2o's headers use it.
 */
#undef sprintf
#pragma GCC poison strcpy strcat strncpy strncat stpcpy sprintf vsprintf gets strtok tmpnam mktemp
#pragma GCC poison atoi atol atoll atof localtime gmtime ctime asctime

#endif

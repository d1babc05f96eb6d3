/* Force-included everywhere: functions that are unsafe with input from outside, or not thread-safe, do not compile. */
#ifndef OTEL_TA_BASE_BANNED_H
#define OTEL_TA_BASE_BANNED_H

/* The system headers that declare them come first; poisoning a name that they still have to declare would fail. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat stpcpy sprintf vsprintf gets strtok atoi atol atoll atof localtime gmtime ctime asctime tmpnam mktemp

#endif

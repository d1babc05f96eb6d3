/* One line per event on stderr: json, logfmt or pretty (the default on a terminal, with colour
 * as terminal.h has it). Text from outside is escaped (no newline or terminal control gets through)
 * and capped in length; 'msg' is a constant text of ours. Secrets must be masked by the caller.
 * Each module (LOG_MODULE, defined before the include) is rate-limited per message text: the count
 * of suppressed lines is logged with the next one. log_info("configuration loaded", LOG_STR("path",
 * path), LOG_INT("jobs", n)); Threads: any. */
#ifndef OTEL_TA_BASE_LOG_H
#define OTEL_TA_BASE_LOG_H

#include "allocator/base/span.h"

#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_JSON, LOG_LOGFMT, LOG_PRETTY };

struct log_field {
    const char *key; /* NULL ends the list */
    enum { LOG_FIELD_SPAN, LOG_FIELD_INT } type;
    struct span text;
    int64_t number;
};
#define LOG_SPAN(k, s)                                                                             \
    {                                                                                              \
        .key = (k), .type = LOG_FIELD_SPAN, .text = (s)                                            \
    }
#define LOG_STR(k, s) LOG_SPAN(k, span_of(s))
#define LOG_INT(k, n)                                                                              \
    {                                                                                              \
        .key = (k), .type = LOG_FIELD_INT, .number = (int64_t)(n)                                  \
    }

void log_write(enum log_level level, const char *module, const char *message,
               const struct log_field *fields);

/* A list that ends with a NULL key. Its first item is left out: only a comma after something may
 * vanish. */
#define LOG_FIELDS(...)                                                                            \
    (&((const struct log_field[]){ { .key = "" }, ##__VA_ARGS__, { .key = NULL } })[1])
#define log_error(msg, ...) log_write(LOG_ERROR, LOG_MODULE, msg, LOG_FIELDS(__VA_ARGS__))
#define log_warn(msg, ...) log_write(LOG_WARN, LOG_MODULE, msg, LOG_FIELDS(__VA_ARGS__))
#define log_info(msg, ...) log_write(LOG_INFO, LOG_MODULE, msg, LOG_FIELDS(__VA_ARGS__))
#define log_debug(msg, ...) log_write(LOG_DEBUG, LOG_MODULE, msg, LOG_FIELDS(__VA_ARGS__))

void log_set_level(enum log_level level);
enum log_level log_get_level(void);
void log_set_format(enum log_format format);
/* Name ↔ value for options; false when unknown. */
bool log_level_from(struct span name, enum log_level *out);
bool log_format_from(struct span name, enum log_format *out);
/* How many lines were asked for at 'level' since start, written or not: tests fail on unexpected
 * errors. */
uint64_t log_count(enum log_level level);

#endif

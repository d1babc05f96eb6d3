#include "allocator/base/log.h"

#include "allocator/base/buf.h"
#include "allocator/base/clock.h"
#include "allocator/base/mem.h"
#include "allocator/base/rate.h"
#include "allocator/base/terminal.h"
#include "allocator/base/thread.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t)PIPE_BUF) /* what one write() puts into a pipe in one piece */
#define FIELD_MAX_BYTES ((size_t)1024)
#define RATE_SLOTS 256 /* messages whose rate is watched */

static struct {
    atomic_int level;
    atomic_int format;
    atomic_bool is_format_set;
    atomic_uint_fast64_t counts[LOG_DEBUG + 1];
    struct mutex mutex;
    struct rate rates[RATE_SLOTS] GUARDED;
} state = { .level = LOG_INFO, .mutex = MUTEX_INIT };

static const char *const level_names[] = { "error", "warn", "info", "debug" };
static const char *const format_names[] = { "json", "logfmt", "pretty" };

void log_set_level(enum log_level level)
{
    atomic_store(&state.level, (int)level);
}

enum log_level log_get_level(void)
{
    return (enum log_level)atomic_load(&state.level);
}

void log_set_format(enum log_format format)
{
    atomic_store(&state.format, (int)format);
    atomic_store(&state.is_format_set, true);
}

static enum log_format get_format(void)
{
    if (atomic_load(&state.is_format_set)) {
        return (enum log_format)atomic_load(&state.format);
    }
    return isatty(STDERR_FILENO) == 1 ? LOG_PRETTY : LOG_JSON;
}

bool log_level_from(struct span name, enum log_level *out)
{
    for (int i = 0; i <= LOG_DEBUG; i++) {
        if (span_is(name, level_names[i])) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

bool log_format_from(struct span name, enum log_format *out)
{
    for (int i = 0; i <= LOG_PRETTY; i++) {
        if (span_is(name, format_names[i])) {
            *out = (enum log_format)i;
            return true;
        }
    }
    return false;
}

uint64_t log_count(enum log_level level)
{
    return atomic_load(&state.counts[level]);
}

/* ---- one line */

static void add_time(struct buf *b)
{
    int64_t now_ms = clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm tm;
    char text[40] = "";

    if (gmtime_r(&seconds, &tm) != NULL) {
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    }
    buf_addf(b, "%s.%03dZ", text, (int)(now_ms % 1000));
}

static bool needs_quotes(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f) {
            return true;
        }
    }
    return s.len == 0;
}

/* At most 'max' bytes of 's'; "…" shows that there was more. Controls that JSON lets through and a
 * terminal obeys are escaped as well. */
static void add_text(struct buf *b, struct span s, bool always_quote, size_t max)
{
    AUTO_BUF cut, quoted;

    buf_init(&cut, max + 8);
    buf_init(&quoted, LINE_MAX_BYTES);
    if (s.len > max) {
        for (int i = 0; i < 3 && max > 0 && ((unsigned char)s.p[max] & 0xc0) == 0x80; i++) {
            max--; /* between two characters */
        }
        buf_add(&cut, s.p, max);
        buf_add_str(&cut, "…");
        s = buf_span(&cut);
    }
    if (always_quote || needs_quotes(s)) {
        buf_add_json(&quoted, s);
        s = buf_span(&quoted);
    }
    if (buf_error(&quoted) == 0) {
        buf_add_visible(b, s);
    } else {
        (void)buf_reserve(b, SIZE_MAX); /* too long here is too long there */
    }
}

static void add_field(struct buf *b, const struct log_field *f, bool is_json, size_t max)
{
    if (f->type == LOG_FIELD_INT) {
        buf_addf(b, "%" PRId64, f->number);
    } else {
        add_text(b, f->text, is_json, max);
    }
}

static void format_json(struct buf *b, enum log_level level, const char *module,
                        const char *message, const struct log_field *fields, size_t max)
{
    buf_add_str(b, "{\"ts\":\"");
    add_time(b);
    buf_addf(b, "\",\"level\":\"%s\",\"component\":\"%s\",\"msg\":", level_names[level], module);
    add_text(b, span_of(message), true, max);
    for (const struct log_field *f = fields; f->key != NULL; f++) {
        buf_addf(b, ",\"%s\":", f->key);
        add_field(b, f, true, max);
    }
    buf_add_char(b, '}');
}

static void format_logfmt(struct buf *b, enum log_level level, const char *module,
                          const char *message, const struct log_field *fields, size_t max)
{
    buf_add_str(b, "ts=");
    add_time(b);
    buf_addf(b, " level=%s component=%s msg=", level_names[level], module);
    add_text(b, span_of(message), false, max);
    for (const struct log_field *f = fields; f->key != NULL; f++) {
        buf_addf(b, " %s=", f->key);
        add_field(b, f, false, max);
    }
}

static bool is_one_line(const char *message)
{
    size_t len = 0;

    while ((unsigned char)message[len] >= ' ') {
        len++;
    }
    return len <= FIELD_MAX_BYTES && message[len] == '\0';
}

static void format_pretty(struct buf *b, enum log_level level, const char *module,
                          const char *message, const struct log_field *fields, size_t max)
{
    static const char *const colours[] = { "\033[31m", "\033[33m", "\033[32m", "\033[2m" };
    bool has_colour = terminal_has_colour(STDERR_FILENO);
    const char *off = has_colour ? "\033[0m" : "";

    add_time(b);
    buf_addf(b, " %s%-5s%s %-8s ", has_colour ? colours[level] : "", level_names[level], off,
             module);
    if (is_one_line(message)) {
        buf_add_str(b, message);
    } else {
        add_text(b, span_of(message), true, max);
    }
    for (const struct log_field *f = fields; f->key != NULL; f++) {
        buf_addf(b, "  %s%s=%s", has_colour ? "\033[2m" : "", f->key, off);
        add_field(b, f, false, max);
    }
}

/* May this text be written again? Texts that share a slot share its budget. */
static bool may_write(const char *module, const char *message, uint64_t *out_suppressed)
{
    size_t h = 5381;
    int64_t now_ms = clock_mono_ms();

    for (const char *p = module; *p != '\0'; p++) {
        h = h * 33 + (unsigned char)*p;
    }
    for (const char *p = message; *p != '\0'; p++) {
        h = h * 33 + (unsigned char)*p;
    }
    mutex_lock(&state.mutex);
    bool may = rate_allow(&state.rates[h % RATE_SLOTS], now_ms, out_suppressed);
    mutex_unlock(&state.mutex);
    return may;
}

static void write_line(const struct buf *b)
{
    size_t done = 0;

    while (done < b->len) {
        ssize_t n = write(STDERR_FILENO, b->p + done, b->len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return; /* nobody reads: logging must not stop the program */
        }
        done += (size_t)n;
    }
}

typedef void format_fn(struct buf *, enum log_level, const char *, const char *,
                       const struct log_field *, size_t);

static void emit(enum log_level level, const char *module, const char *message,
                 const struct log_field *fields)
{
    static format_fn *const formats[] = { format_json, format_logfmt, format_pretty };
    format_fn *format = formats[get_format()];
    AUTO_BUF line;

    /* A line that is too long keeps all its fields, each shorter. */
    buf_init(&line, LINE_MAX_BYTES);
    for (size_t cap = FIELD_MAX_BYTES; cap >= 16; cap /= 4) {
        buf_clear(&line);
        format(&line, level, module, message, fields, cap);
        buf_add_char(&line, '\n');
        if (buf_error(&line) == 0) {
            write_line(&line);
            return;
        }
    }
}

void log_write(enum log_level level, const char *module, const char *message,
               const struct log_field *fields)
{
    uint64_t n_suppressed = 0;

    atomic_fetch_add(&state.counts[level], 1);
    if ((int)level > atomic_load(&state.level) || !may_write(module, message, &n_suppressed)) {
        return;
    }
    if (n_suppressed > 0) {
        emit(level, module, "similar lines left out",
             LOG_FIELDS(LOG_STR("of", message), LOG_INT("count", n_suppressed)));
    }
    emit(level, module, message, fields);
}

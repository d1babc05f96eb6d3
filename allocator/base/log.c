#include "allocator/base/log.h"

#include "allocator/base/buf.h"
#include "allocator/base/clock.h"
#include "allocator/base/thread.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t)8192)
#define FIELD_MAX_BYTES ((size_t)1024)
#define RATE_SLOTS 256         /* messages whose rate is watched; texts that share a slot share its budget */
#define RATE_BURST 20          /* lines of one message text … */
#define RATE_WINDOW_MS 10000   /* … in this time */

struct rate_slot {
    int64_t window_start_ms;
    unsigned n;
    uint64_t n_suppressed;
};

static struct {
    atomic_int level;
    atomic_int format;
    atomic_bool is_format_set;
    atomic_uint_fast64_t counts[LOG_DEBUG + 1];
    struct mutex mutex;
    struct rate_slot rates[RATE_SLOTS];
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

static struct span capped(struct span s)
{
    return s.len > FIELD_MAX_BYTES ? span_make(s.p, FIELD_MAX_BYTES) : s;
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

static void add_text(struct buf *b, struct span s, bool always_quote)
{
    s = capped(s);
    if (always_quote || needs_quotes(s)) {
        buf_add_json(b, s);
    } else {
        buf_add_span(b, s);
    }
}

static void add_field(struct buf *b, const struct log_field *f, bool is_json)
{
    if (f->type == LOG_FIELD_INT) {
        buf_addf(b, "%" PRId64, f->number);
    } else {
        add_text(b, f->text, is_json);
    }
}

static void format_json(struct buf *b, enum log_level level, const char *module, const char *message, const struct log_field *fields)
{
    buf_add_str(b, "{\"ts\":\"");
    add_time(b);
    buf_addf(b, "\",\"level\":\"%s\",\"component\":\"%s\",\"msg\":", level_names[level], module);
    buf_add_json(b, span_of(message));
    for (const struct log_field *f = fields; f->key != NULL; f++) {
        buf_addf(b, ",\"%s\":", f->key);
        add_field(b, f, true);
    }
    buf_add_char(b, '}');
}

static void format_logfmt(struct buf *b, enum log_level level, const char *module, const char *message, const struct log_field *fields)
{
    buf_add_str(b, "ts=");
    add_time(b);
    buf_addf(b, " level=%s component=%s msg=", level_names[level], module);
    add_text(b, span_of(message), false);
    for (const struct log_field *f = fields; f->key != NULL; f++) {
        buf_addf(b, " %s=", f->key);
        add_field(b, f, false);
    }
}

static void format_pretty(struct buf *b, enum log_level level, const char *module, const char *message, const struct log_field *fields)
{
    static const char *const colours[] = { "\033[31m", "\033[33m", "\033[32m", "\033[2m" };
    bool is_terminal = isatty(STDERR_FILENO) == 1;
    const char *off = is_terminal ? "\033[0m" : "";

    add_time(b);
    buf_addf(b, " %s%-5s%s %-8s %s", is_terminal ? colours[level] : "", level_names[level], off, module, message);
    for (const struct log_field *f = fields; f->key != NULL; f++) {
        buf_addf(b, "  %s%s=%s", is_terminal ? "\033[2m" : "", f->key, off);
        add_field(b, f, false);
    }
}

/* False when this text has had its share of lines; else '*out_suppressed' says how many were left out before. */
static bool may_write(const char *message, uint64_t *out_suppressed)
{
    size_t h = 5381;
    int64_t now_ms = clock_mono_ms();

    for (const char *p = message; *p != '\0'; p++) {
        h = h * 33 + (unsigned char)*p;
    }
    struct rate_slot *slot = &state.rates[h % RATE_SLOTS];
    if (now_ms - slot->window_start_ms >= RATE_WINDOW_MS || slot->window_start_ms == 0) {
        slot->window_start_ms = now_ms;
        slot->n = 0;
    }
    if (slot->n >= RATE_BURST) {
        slot->n_suppressed++;
        return false;
    }
    slot->n++;
    *out_suppressed = slot->n_suppressed;
    slot->n_suppressed = 0;
    return true;
}

static void write_line(const struct buf *b)
{
    size_t done = 0;

    while (done < b->len) {
        ssize_t n = write(STDERR_FILENO, b->p + done, b->len - done);
        if (n <= 0) {
            return; /* nobody reads: logging must not stop the program */
        }
        done += (size_t)n;
    }
}

void log_write(enum log_level level, const char *module, const char *message, const struct log_field *fields)
{
    uint64_t n_suppressed = 0;

    atomic_fetch_add(&state.counts[level], 1);
    if ((int)level > atomic_load(&state.level)) {
        return;
    }
    mutex_lock(&state.mutex);
    bool may = may_write(message, &n_suppressed);
    mutex_unlock(&state.mutex);
    if (!may) {
        return;
    }
    struct log_field with_count[2] = { LOG_INT("suppressed_before", n_suppressed), { .key = NULL } };
    AUTO_BUF line;
    buf_init(&line, LINE_MAX_BYTES);
    enum log_format format = get_format();
    void (*write_as)(struct buf *, enum log_level, const char *, const char *, const struct log_field *) =
        format == LOG_JSON ? format_json : format == LOG_LOGFMT ? format_logfmt : format_pretty;
    if (n_suppressed > 0) {
        write_as(&line, level, module, "similar lines left out", with_count);
        buf_add_char(&line, '\n');
    }
    write_as(&line, level, module, message, fields);
    buf_add_char(&line, '\n');
    if (buf_error(&line) != 0) {
        buf_clear(&line);
        write_as(&line, level, module, message, &(const struct log_field){ .key = NULL });
        buf_add_char(&line, '\n');
    }
    write_line(&line);
}

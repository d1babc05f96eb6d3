#include "allocator/prom/duration.h"

#include <inttypes.h>
#include <stdio.h>

static const struct unit {
    const char *name;
    int64_t ms;
    bool exact; /* printed only when nothing is left over: 90d reads better than 12w6d */
} units[] = {
    { "y", 365LL * 24 * 3600 * 1000, true },
    { "w", 7LL * 24 * 3600 * 1000, true },
    { "d", 24LL * 3600 * 1000, false },
    { "h", 3600LL * 1000, false },
    { "m", 60LL * 1000, false },
    { "s", 1000, false },
    { "ms", 1, false },
};

/* Prometheus holds durations as int64 nanoseconds. */
#define DURATION_MAX_MS (INT64_MAX / 1000000)

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads digits at *at; numbers past INT64_MAX stick there, which is out of range for every unit. */
static int64_t read_int(struct span s, size_t *at)
{
    int64_t v = 0;
    for (; *at < s.len && is_digit(s.p[*at]); (*at)++) {
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, s.p[*at] - '0', &v)) {
            v = INT64_MAX;
        }
    }
    return v;
}

static struct span read_word(struct span s, size_t *at)
{
    size_t begin = *at;
    while (*at < s.len && !is_digit(s.p[*at]) && s.p[*at] != '.') {
        (*at)++;
    }
    return span_make(s.p + begin, *at - begin);
}

static size_t unit_find(struct span name, size_t from)
{
    for (size_t i = from; i < COUNT(units); i++) {
        if (span_is(name, units[i].name)) {
            return i;
        }
    }
    return COUNT(units);
}

static int not_a_duration(struct span text, struct err *err)
{
    return err_set(err, ERR_INVALID, "not a valid duration string: \"%.*s\"", SPAN_ARG(text));
}

int duration_parse(struct span text, int64_t *out_ms, struct err *err)
{
    if (text.len == 0) {
        return err_set(err, ERR_INVALID, "empty duration string");
    }
    if (span_is(text, "0")) {
        *out_ms = 0;
        return 0;
    }
    int64_t total = 0;
    bool in_range = true;
    size_t next_unit = 0;
    for (size_t at = 0; at < text.len;) {
        if (!is_digit(text.p[at])) {
            return not_a_duration(text, err);
        }
        int64_t v = read_int(text, &at);
        size_t unit = unit_find(read_word(text, &at), next_unit);
        if (unit == COUNT(units)) {
            return not_a_duration(text, err);
        }
        next_unit = unit + 1;
        in_range = in_range && v <= DURATION_MAX_MS / units[unit].ms &&
                   v * units[unit].ms <= DURATION_MAX_MS - total;
        if (in_range) {
            total += v * units[unit].ms;
        }
    }
    if (!in_range) {
        return err_set(err, ERR_INVALID, "duration out of range");
    }
    *out_ms = total;
    return 0;
}

void duration_format(int64_t ms, char out[DURATION_TEXT_MAX])
{
    size_t len = 0;
    if (ms == 0) {
        (void)snprintf(out, DURATION_TEXT_MAX, "0s");
        return;
    }
    if (ms < 0) {
        out[len++] = '-';
        ms = -ms;
    }
    for (size_t i = 0; i < COUNT(units); i++) {
        int64_t v = ms / units[i].ms;
        if (v > 0 && (!units[i].exact || ms % units[i].ms == 0)) {
            len += (size_t)snprintf(out + len, DURATION_TEXT_MAX - len, "%" PRId64 "%s", v,
                                    units[i].name);
            ms -= v * units[i].ms;
        }
    }
}

/* ---- numbers with fractions and units, as Go's time.ParseDuration and Prometheus' size parser
 * read them */

struct scale {
    const char *name;
    uint64_t factor;
};

static const struct scale *scale_find(const struct scale *scales, struct span name)
{
    for (; scales->name != NULL; scales++) {
        if (span_is(name, scales->name)) {
            return scales;
        }
    }
    return NULL;
}

/* fraction * factor, rounded towards zero, for the digits after the point. */
static uint64_t fraction_of(struct span digits, uint64_t factor)
{
    double value = 0;
    double weight = 1;
    for (size_t i = 0; i < digits.len && i < 18; i++) {
        weight /= 10;
        value += (digits.p[i] - '0') * weight;
    }
    return (uint64_t)(value * (double)factor);
}

/* One or more <number><unit>, each number with an optional fraction. False: not of this form, or
 * above INT64_MAX. */
static bool quantity_parse(struct span s, const struct scale *scales, uint64_t *out)
{
    uint64_t total = 0;
    size_t at = 0;
    do {
        size_t begin = at;
        int64_t whole = read_int(s, &at);
        size_t n_digits = at - begin;
        struct span fraction = { "", 0 };
        if (at < s.len && s.p[at] == '.') {
            at++;
            fraction.p = s.p + at;
            (void)read_int(s, &at);
            fraction.len = (size_t)(s.p + at - fraction.p);
        }
        const struct scale *scale = scale_find(scales, read_word(s, &at));
        if (n_digits + fraction.len == 0 || scale == NULL) {
            return false;
        }
        uint64_t v;
        if (__builtin_mul_overflow((uint64_t)whole, scale->factor, &v) ||
            __builtin_add_overflow(v, fraction_of(fraction, scale->factor), &v) ||
            __builtin_add_overflow(total, v, &total) || total > INT64_MAX) {
            return false;
        }
    } while (at < s.len);
    *out = total;
    return true;
}

int duration_parse_go(struct span text, int64_t *out_ms, struct err *err)
{
    static const struct scale scales[] = {
        { "ns", 1 },
        { "us", 1000 },
        { "\xc2\xb5s", 1000 }, /* U+00B5, micro sign */
        { "\xce\xbcs", 1000 }, /* U+03BC, Greek letter mu */
        { "ms", 1000000 },
        { "s", 1000000000 },
        { "m", 60000000000ULL },
        { "h", 3600000000000ULL },
        { NULL, 0 },
    };
    struct span s = text;
    bool is_negative = s.len > 0 && s.p[0] == '-';
    if (s.len > 0 && (s.p[0] == '-' || s.p[0] == '+')) {
        s = span_from(s, 1);
    }
    uint64_t ns = 0;
    if (!span_is(s, "0") && !quantity_parse(s, scales, &ns)) {
        return err_set(err, ERR_INVALID, "invalid duration \"%.*s\" (wanted: 30s, 1m30s, 500ms, …)",
                       SPAN_ARG(text));
    }
    int64_t ms = (int64_t)(ns / 1000000);
    *out_ms = is_negative ? -ms : ms;
    return 0;
}

int size_parse(struct span text, uint64_t *out_bytes, struct err *err)
{
    static const struct scale binary[] = {
        { "B", 1 },
        { "KiB", 1ULL << 10 },
        { "MiB", 1ULL << 20 },
        { "GiB", 1ULL << 30 },
        { "TiB", 1ULL << 40 },
        { "PiB", 1ULL << 50 },
        { "EiB", 1ULL << 60 },
        { NULL, 0 },
    };
    static const struct scale plain[] = {
        { "B", 1 },           { "KB", 1ULL << 10 }, { "MB", 1ULL << 20 }, { "GB", 1ULL << 30 },
        { "TB", 1ULL << 40 }, { "PB", 1ULL << 50 }, { "EB", 1ULL << 60 }, { NULL, 0 },
    };
    uint64_t bytes = 0;
    bool is_negative = text.len > 0 && text.p[0] == '-';
    struct span s = is_negative || (text.len > 0 && text.p[0] == '+') ? span_from(text, 1) : text;
    if ((!span_is(s, "0") && !quantity_parse(s, binary, &bytes) &&
         !quantity_parse(s, plain, &bytes)) ||
        (is_negative && bytes > 0)) {
        return err_set(err, ERR_INVALID,
                       "invalid size \"%.*s\" (wanted: 10MB, 512KiB, …; a bare number has no unit)",
                       SPAN_ARG(text));
    }
    *out_bytes = bytes;
    return 0;
}

void size_format(uint64_t bytes, char out[DURATION_TEXT_MAX])
{
    static const char *const names[] = { "EiB", "PiB", "TiB", "GiB", "MiB", "KiB", "B" };
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < COUNT(names); i++) {
        unsigned shift = (unsigned)(10 * (COUNT(names) - 1 - i));
        uint64_t v = i == 0 ? bytes >> shift : (bytes >> shift) & 1023;
        if (v > 0 || (bytes == 0 && shift == 0)) {
            len +=
                (size_t)snprintf(out + len, DURATION_TEXT_MAX - len, "%" PRIu64 "%s", v, names[i]);
        }
    }
}

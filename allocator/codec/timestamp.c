#include "allocator/codec/timestamp.h"

#include <time.h>

/* Digits of 'text' at 'at'; -1 when they are none. */
static int digits(struct span text, size_t at, size_t n)
{
    int value = 0;

    for (size_t i = at; i < at + n; i++) {
        if (i >= text.len || text.p[i] < '0' || text.p[i] > '9') {
            return -1;
        }
        value = 10 * value + (text.p[i] - '0');
    }
    return value;
}

/* "Z", "+01:00" */
static bool read_zone(struct span text, int *out_s)
{
    int hours = digits(text, 1, 2), minutes = digits(text, 4, 2);

    *out_s = 0;
    if (span_is_nocase(text, "z")) {
        return true;
    }
    if (text.len != 6 || text.p[3] != ':' || hours < 0 || hours > 23 || minutes < 0 ||
        minutes > 59 || (text.p[0] != '+' && text.p[0] != '-')) {
        return false;
    }
    *out_s = (text.p[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

bool timestamp_parse(struct span text, int64_t *out_ms)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    const int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    const int hour = digits(text, 11, 2), minute = digits(text, 14, 2),
              second = digits(text, 17, 2);
    size_t at = sizeof(form) - 1;
    int zone_s = 0;

    for (size_t i = 0; i < at && i < text.len; i++) {
        if (form[i] != 'd' && form[i] != text.p[i] && !(form[i] == 'T' && text.p[i] == 't')) {
            return false;
        }
    }
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59 || second < 0 || second > 60) {
        return false;
    }
    if (at < text.len && text.p[at] == '.') {
        for (at++; digits(text, at, 1) >= 0; at++) {
        }
    }
    if (!read_zone(span_from(text, at), &zone_s)) {
        return false;
    }
    struct tm tm = { .tm_year = year - 1900,
                     .tm_mon = month - 1,
                     .tm_mday = day,
                     .tm_hour = hour,
                     .tm_min = minute,
                     .tm_sec = second };
    *out_ms = ((int64_t)timegm(&tm) - zone_s) * 1000;
    return true;
}

void timestamp_write_micro(int64_t ms, struct buf *out)
{
    const time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char text[32] = "";

    if (gmtime_r(&seconds, &tm) != NULL) {
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    }
    buf_addf(out, "%s.%03d000Z", text, (int)(ms % 1000));
}

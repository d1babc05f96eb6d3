#include "allocator/codec/timestamp.h"
#include "tests/check.h"

int main(void)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: none */
    } t[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "2026-11-30T20:00:00Z", 1796068800000 },
        { "2026-11-30t20:00:00.123456z", 1796068800000 },
        { "2026-11-30T21:30:00+01:30", 1796068800000 },
        { "2026-11-30T18:00:00-02:00", 1796068800000 },
        { "", -1 },
        { "2026-11-30", -1 },
        { "2026-11-30T20:00:00", -1 },
        { "2026-11-30 20:00:00Z", -1 },
        { "2026-13-30T20:00:00Z", -1 },
        { "2026-11-30T24:00:00Z", -1 },
        { "2026-11-30T20:00:00+1:00", -1 },
        { "2026-11-30T20:00:00Zx", -1 },
        { "-026-11-30T20:00:00Z", -1 },
        { "1969-12-31T23:59:59Z", -1 },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        int64_t ms = -1;
        bool is_time = timestamp_parse(check_at_edge(span_of(t[i].text)), &ms);
        ok(is_time == (t[i].ms >= 0), "'%s'", t[i].text);
        is_int(ms, t[i].ms, "'%s'", t[i].text);
    }
    AUTO_BUF written;
    buf_init(&written, 64);
    timestamp_write_micro(1796068800007, &written);
    is_span(buf_span(&written), SPAN_LIT("2026-11-30T20:00:00.007000Z"), "six digits");
    return check_done();
}

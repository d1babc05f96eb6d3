#include "allocator/prom/duration.h"

#include "tests/check.h"

static void test_parse(void)
{
    static const struct {
        const char *in;
        int64_t ms;
        int rc;
    } t[] = {
        { "0", 0, 0 },
        { "0s", 0, 0 },
        { "324ms", 324, 0 },
        { "3s", 3000, 0 },
        { "5m", 300000, 0 },
        { "1h", 3600000, 0 },
        { "4d", 345600000, 0 },
        { "3w", 1814400000, 0 },
        { "10y", 315360000000, 0 },
        { "1h30m", 5400000, 0 },
        { "4d1h", 349200000, 0 },
        { "1y2w3d4h5m6s7ms", 33019506007, 0 },
        { "010s", 10000, 0 },
        { "292y", 9208512000000, 0 },
        { "293y", 0, ERR_INVALID },
        { "200y200y", 0, ERR_INVALID },
        { "99999999999999999999s", 0, ERR_INVALID },
        { "18446744073709551617s", 0, ERR_INVALID },
        { "", 0, ERR_INVALID },
        { "1", 0, ERR_INVALID },
        { "00", 0, ERR_INVALID },
        { "1m1h", 0, ERR_INVALID },
        { "1m1m", 0, ERR_INVALID },
        { "1y1m1d", 0, ERR_INVALID },
        { "-1w", 0, ERR_INVALID },
        { "+1w", 0, ERR_INVALID },
        { "1.5d", 0, ERR_INVALID },
        { "d", 0, ERR_INVALID },
        { "294y", 0, ERR_INVALID },
        { "915ms ", 0, ERR_INVALID },
        { " 1s", 0, ERR_INVALID },
        { "1S", 0, ERR_INVALID },
        { "1234567890ms", 1234567890, 0 },
        { "1/s", 0, ERR_INVALID },
        { "1:s", 0, ERR_INVALID },
        { "9223372036854ms", 9223372036854, 0 },
        { "9223372036855ms", 0, ERR_INVALID },
        { "106751d", 106751LL * 86400000, 0 },
        { "106752d", 0, ERR_INVALID },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        int64_t ms = 0;
        is_int(duration_parse(check_at_edge(span_of(t[i].in)), &ms, NULL), t[i].rc, "rc of '%s'",
               t[i].in);
        is_int(ms, t[i].ms, "'%s'", t[i].in);
    }
    struct err err;
    int64_t ms = 7;
    is_int(duration_parse(SPAN_LIT("x"), &ms, &err), ERR_INVALID, "x");
    is_str(err.text, "not a valid duration string: \"x\"", "sentence");
    is_int(ms, 7, "output untouched on failure");
    is_int(duration_parse(SPAN_LIT("300y"), &ms, &err), ERR_INVALID, "300y");
    is_str(err.text, "duration out of range", "sentence");
}

static void test_format(void)
{
    static const struct {
        int64_t ms;
        const char *want;
    } t[] = {
        { 0, "0s" },
        { 1, "1ms" },
        { 10000, "10s" },
        { 60000, "1m" },
        { 90000, "1m30s" },
        { 86400000, "1d" },
        { 14 * 86400000LL, "2w" },
        { 8 * 86400000LL, "8d" },
        { 365 * 86400000LL, "1y" },
        { 366 * 86400000LL, "366d" },
        { 36 * 3600000LL, "1d12h" },
        { 5400000, "1h30m" },
        { 3600001, "1h1ms" },
        { -1500, "-1s500ms" },
        { 292LL * 365 * 86400000, "292y" },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        char text[DURATION_TEXT_MAX];
        duration_format(t[i].ms, text);
        is_str(text, t[i].want, "%lld ms", (long long)t[i].ms);
    }
}

static void test_round_trip(void)
{
    uint64_t x = 42;
    size_t n_good = 0;
    for (int i = 0; i < 10000; i++) {
        x = x * 6364136223846793005ULL + 1442695040888963407ULL;
        int64_t ms = (int64_t)((x >> 20) % 9000000000000ULL) / (i % 3 == 0 ? 1 : 86400000) *
                     (i % 3 == 0 ? 1 : 86400000);
        char text[DURATION_TEXT_MAX];
        int64_t back = -1;
        duration_format(ms, text);
        n_good += duration_parse(span_of(text), &back, NULL) == 0 && back == ms ? 1 : 0;
    }
    is_int(n_good, 10000, "what is printed reads back");
}

static void test_go(void)
{
    static const struct {
        const char *in;
        int64_t ms;
        int rc;
    } t[] = {
        { "0", 0, 0 },
        { "1h2m3.5s", 3723500, 0 },
        { "300ms", 300, 0 },
        { "-1s", -1000, 0 },
        { "+1.5h", 5400000, 0 },
        { ".5s", 500, 0 },
        { "1.s", 1000, 0 },
        { "1500us", 1, 0 },
        { "1500\xc2\xb5s", 1, 0 },
        { "2000000ns", 2, 0 },
        { "1m1h", 3660000, 0 },
        { "0.001s", 1, 0 },
        { "2562047h", 9223369200000, 0 },
        { "2562048h", 0, ERR_INVALID },
        { "", 0, ERR_INVALID },
        { "1", 0, ERR_INVALID },
        { ".s", 0, ERR_INVALID },
        { "-", 0, ERR_INVALID },
        { "1d", 0, ERR_INVALID },
        { "--1s", 0, ERR_INVALID },
        { "1s ", 0, ERR_INVALID },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        int64_t ms = 0;
        is_int(duration_parse_go(span_of(t[i].in), &ms, NULL), t[i].rc, "rc of Go '%s'", t[i].in);
        is_int(ms, t[i].ms, "Go '%s'", t[i].in);
    }
}

static void test_size(void)
{
    static const struct {
        const char *in;
        uint64_t bytes;
        int rc;
        const char *printed;
    } t[] = {
        { "0", 0, 0, "0B" },
        { "5MB", 5 << 20, 0, "5MiB" },
        { "5MiB", 5 << 20, 0, "5MiB" },
        { "1KiB", 1024, 0, "1KiB" },
        { "1536B", 1536, 0, "1KiB512B" },
        { "1.5KB", 1536, 0, "1KiB512B" },
        { "2GB", 2ULL << 30, 0, "2GiB" },
        { "1MB512KB", (1 << 20) + (512 << 10), 0, "1MiB512KiB" },
        { "1EiB", 1ULL << 60, 0, "1EiB" },
        { "+5MB", 5 << 20, 0, "5MiB" },
        { "-0B", 0, 0, "0B" },
        { "+0", 0, 0, "0B" },
        { "-5B", 0, ERR_INVALID, NULL },
        { "+", 0, ERR_INVALID, NULL },
        { "-", 0, ERR_INVALID, NULL },
        { "+-0", 0, ERR_INVALID, NULL },
        { "100", 0, ERR_INVALID, NULL },
        { "", 0, ERR_INVALID, NULL },
        { "1mb", 0, ERR_INVALID, NULL },
        { "1kB", 0, ERR_INVALID, NULL },
        { "8EiB", 0, ERR_INVALID, NULL },
        { "MB", 0, ERR_INVALID, NULL },
        { "1MiB1KB", 0, ERR_INVALID, NULL },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        uint64_t bytes = 0;
        is_int(size_parse(span_of(t[i].in), &bytes, NULL), t[i].rc, "rc of size '%s'", t[i].in);
        is_int(bytes, t[i].bytes, "size '%s'", t[i].in);
        if (t[i].printed != NULL) {
            char text[DURATION_TEXT_MAX];
            size_format(bytes, text);
            is_str(text, t[i].printed, "size '%s' printed", t[i].in);
        }
    }
}

int main(void)
{
    test_parse();
    test_format();
    test_round_trip();
    test_go();
    test_size();
    return check_done();
}

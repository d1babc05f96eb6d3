#include "allocator/http/requesttarget.h"

#include "allocator/http/status.h"
#include "tests/check.h"

int main(void)
{
    static const struct {
        const char *raw, *path, *query, *host;
    } t[] = {
        { "/", "/", "", "h" },
        { "/a/b%2Fc?d=e?f&g", "/a/b%2Fc", "d=e?f&g", "h" },
        { "/a?", "/a", "", "h" },
        { "", "", "", "h" },
        { "*", "*", "", "h" },
        { "http://x.y:80/a?b", "/a", "b", "x.y:80" },
        { "https://x/a", "/a", "", "x" },
        { "http://x", "/", "", "x" },
        { "http://x?b", "/", "b", "x" },
        { "http://", "/", "", "" },
        { "ftp://x/a", "ftp://x/a", "", "h" },
        { "/http://x/a", "/http://x/a", "", "h" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct requesttarget got = requesttarget_split(span_of(t[i].raw), SPAN_LIT("h"));

        is_span(got.path, span_of(t[i].path), "path of '%s'", t[i].raw);
        is_span(got.query, span_of(t[i].query), "query of '%s'", t[i].raw);
        is_span(got.host, span_of(t[i].host), "host of '%s'", t[i].raw);
    }
    is_str(status_reason(421), "Misdirected Request", "reason of 421");
    is_str(status_reason(299), "Unknown", "reason of what nobody sends");
    return check_done();
}

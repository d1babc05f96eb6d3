/* Durations and sizes from anybody: what is accepted prints and reads back as itself. */
#include "allocator/prom/duration.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_make((const char *)data, size);
    char printed[DURATION_TEXT_MAX];
    struct err err;
    int64_t ms, again;
    uint64_t bytes, bytes_again;

    if (duration_parse(text, &ms, &err) == 0) {
        demand(ms >= 0);
        duration_format(ms, printed);
        demand(duration_parse(span_of(printed), &again, NULL) == 0 && again == ms);
    }
    if (duration_parse_go(text, &ms, &err) == 0) {
        duration_format(ms, printed);
    }
    if (size_parse(text, &bytes, &err) == 0) {
        size_format(bytes, printed);
        demand(size_parse(span_of(printed), &bytes_again, NULL) == 0 && bytes_again == bytes);
    }
    return 0;
}

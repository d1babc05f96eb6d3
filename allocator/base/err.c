#include "allocator/base/err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Here the functions themselves are meant. */
#undef err_set
#undef err_set_at
#undef err_wrap
#undef err_sys

/* The sentence begins where a text of 'n' bytes ends, unless that was cut. */
static void begin_sentence(struct err *err, int n)
{
    bool fits = n >= 0 && (size_t)n < sizeof(err->text);

    err->what = fits ? (unsigned)n : sizeof(err->text) - 1;
}

static void open_err(struct err *err, int code, unsigned line, unsigned column)
{
    err->code = code;
    err->line = line;
    err->column = column;
    err->what = 0;
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
    if (err != NULL) {
        va_list ap;
        open_err(err, code, 0, 0);
        va_start(ap, fmt);
        vsnprintf(err->text, sizeof(err->text), fmt, ap);
        va_end(ap);
    }
    return code;
}

int err_set_at(struct err *err, int code, unsigned line, unsigned column, const char *fmt, ...)
{
    if (err != NULL) {
        va_list ap;
        open_err(err, code, line, column);
        begin_sentence(err, column == 0 ? snprintf(err->text, sizeof(err->text), "line %u: ", line)
                                        : snprintf(err->text, sizeof(err->text),
                                                   "line %u, column %u: ", line, column));
        va_start(ap, fmt);
        vsnprintf(err->text + err->what, sizeof(err->text) - err->what, fmt, ap);
        va_end(ap);
    }
    return code;
}

int err_wrap(struct err *err, int rc, const char *fmt, ...)
{
    if (err != NULL) {
        char text[sizeof(err->text)];
        va_list ap;
        va_start(ap, fmt);
        int n = vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        if (n >= 0 && (size_t)n < sizeof(text)) {
            snprintf(text + n, sizeof(text) - (size_t)n, ": %.*s", (int)(sizeof(text) - (size_t)n),
                     err->text);
        }
        memcpy(err->text, text, sizeof(text));
        begin_sentence(err, n < 0 ? n : n + 2 + (int)err->what);
        err->code = rc;
    }
    return rc;
}

int err_sys(struct err *err, int errnum, const char *fmt, ...)
{
    if (err != NULL) {
        char reason[128] = "";
        va_list ap;
        open_err(err, ERR_IO, 0, 0);
        va_start(ap, fmt);
        int n = vsnprintf(err->text, sizeof(err->text), fmt, ap);
        va_end(ap);
        if (n >= 0 && (size_t)n < sizeof(err->text)) {
            const char *s = strerror_r(errnum, reason, sizeof(reason));
            snprintf(err->text + n, sizeof(err->text) - (size_t)n, ": %s", s);
        }
    }
    return ERR_IO;
}

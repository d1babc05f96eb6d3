#include "allocator/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Here the functions themselves are meant. */
#undef err_set
#undef err_wrap
#undef err_sys

int err_set(struct err *err, int code, const char *fmt, ...)
{
    if (err != NULL) {
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(err->text, sizeof(err->text), fmt, ap);
        va_end(ap);
        err->code = code;
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
        err->code = rc;
    }
    return rc;
}

int err_sys(struct err *err, int errnum, const char *fmt, ...)
{
    if (err != NULL) {
        char reason[128] = "";
        va_list ap;
        va_start(ap, fmt);
        int n = vsnprintf(err->text, sizeof(err->text), fmt, ap);
        va_end(ap);
        if (n >= 0 && (size_t)n < sizeof(err->text)) {
            const char *s = strerror_r(errnum, reason, sizeof(reason));
            snprintf(err->text + n, sizeof(err->text) - (size_t)n, ": %s", s);
        }
        err->code = ERR_IO;
    }
    return ERR_IO;
}

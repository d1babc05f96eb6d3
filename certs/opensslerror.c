#include "certs/opensslerror.h"

#include <openssl/err.h>

int opensslerror_set(struct err *err, int code, const char *what)
{
    char reason[256] = "unknown reason";
    unsigned long e = ERR_peek_last_error();

    if (e != 0) {
        ERR_error_string_n(e, reason, sizeof(reason));
    }
    ERR_clear_error();
    return err_set(err, code, "%s: %s", what, reason);
}

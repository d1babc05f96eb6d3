/* A caller-owned error: a code, and text that grows a path as it travels up. Where in a document it
 * was found is also there as numbers, so that nobody has to read it out of the text.
 * Every fallible function returns 0 or one of these negative codes; 'err' is its last parameter,
 * may be NULL, and is written on failure only: once by whoever detects the fault (err_set), then
 * prefixed by the callers that know where they were (err_wrap). Threads: a struct err belongs to
 * one thread; no globals. */
#ifndef OTEL_TA_BASE_ERR_H
#define OTEL_TA_BASE_ERR_H

#include <stddef.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum err_code {
    ERR_INVALID = -1,     /* the input is wrong */
    ERR_TOO_BIG = -2,     /* the input passes a cap of limits.h */
    ERR_IO = -3,          /* the operating system or a peer failed */
    ERR_NOT_FOUND = -4,   /* what was named does not exist */
    ERR_UNSUPPORTED = -5, /* known, but not built into this program */
    ERR_CONFLICT = -6,    /* contradicts something that exists */
    ERR_TIMEOUT = -7,     /* the deadline passed */
    ERR_REFUSED = -8,     /* cannot be done safely, therefore not done */
};

struct err {
    int code;
    unsigned line, column; /* of the text that was being read, from 1 on; 0: not known */
    unsigned what;         /* where in 'text' the sentence begins, after path and position */
    char text[1024];
};

/* Writes code and text; returns 'code', so that 'return err_set(err, ERR_INVALID, …)' reads well.
 */
int err_set(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The same for a fault at a place: "line 3, column 5: <formatted>", without a column where that is
 * 0. */
int err_set_at(struct err *err, int code, unsigned line, unsigned column, const char *fmt, ...)
    PRINTF_LIKE(5, 6);

/* Prefixes "<formatted>: " to the text already in 'err'; returns 'rc' unchanged. */
int err_wrap(struct err *err, int rc, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Like err_set(ERR_IO) with ": <strerror(errnum)>" appended. */
int err_sys(struct err *err, int errnum, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The same functions, in a form that lets compilers and analysers see that what is returned is the
 * code that was given, so that they do not follow paths on which a failure is none. */
#define err_set(err, code, ...)                                                                    \
    __extension__({                                                                                \
        const int err_code_ = (code);                                                              \
        (void)(err_set)(err, err_code_, __VA_ARGS__);                                              \
        err_code_;                                                                                 \
    })
#define err_set_at(err, code, ...)                                                                 \
    __extension__({                                                                                \
        const int err_code_ = (code);                                                              \
        (void)(err_set_at)(err, err_code_, __VA_ARGS__);                                           \
        err_code_;                                                                                 \
    })
#define err_wrap(err, rc, ...)                                                                     \
    __extension__({                                                                                \
        const int err_code_ = (rc);                                                                \
        (void)(err_wrap)(err, err_code_, __VA_ARGS__);                                             \
        err_code_;                                                                                 \
    })
#define err_sys(err, errnum, ...)                                                                  \
    __extension__({                                                                                \
        (void)(err_sys)(err, errnum, __VA_ARGS__);                                                 \
        (int)ERR_IO;                                                                               \
    })

#endif

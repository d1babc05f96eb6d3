/* Just as much of Go's net/url as checking a configuration needs: is this text a URL, where are its
 * parts, and the same text without its password. Nothing is decoded. Threads: any. */
#ifndef OTEL_TA_SCRAPE_URLTEXT_H
#define OTEL_TA_SCRAPE_URLTEXT_H

#include "allocator/base/arena.h"
#include "allocator/base/err.h"

#include <stdbool.h>

struct urltext {
    struct span scheme;   /* "http"; empty when the text has none */
    struct span userinfo; /* between "//" and '@', without them */
    struct span host;     /* with its port and brackets */
    bool has_password;    /* 'userinfo' holds a ':' */
    struct span password; /* after that ':' */
};

/* ERR_INVALID with the sentence of Go's url.Parse. Parts are borrowed from 'text'. */
int urltext_parse(struct span text, struct urltext *out, struct err *err) MUST_USE;
/* 'text' with its password replaced by "xxxxx", as Go's URL.Redacted() does; 'text' itself when
 * there is none or it is not a URL. Memory of 'arena'. */
struct span urltext_redact(struct span text, struct arena *arena);

#endif

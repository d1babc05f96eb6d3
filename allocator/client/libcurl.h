/* libcurl, loaded by whoever is the first to need it: it brings some thirty libraries (GnuTLS,
 * LDAP, Kerberos, SSH ...), and they would double the memory and the start of a process that asks
 * nobody anything. Once loaded it stays until the process ends. Threads: any. */
#ifndef OTEL_TA_CLIENT_LIBCURL_H
#define OTEL_TA_CLIENT_LIBCURL_H

#include "allocator/base/err.h"

/* The types of its arguments are checked for the functions only, not for pointers to them. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#define LIBCURL_FUNCTIONS(X)                                                                       \
    X(curl_easy_cleanup)                                                                           \
    X(curl_easy_getinfo)                                                                           \
    X(curl_easy_header)                                                                            \
    X(curl_easy_init)                                                                              \
    X(curl_easy_setopt)                                                                            \
    X(curl_easy_strerror)                                                                          \
    X(curl_free)                                                                                   \
    X(curl_global_cleanup)                                                                         \
    X(curl_global_init)                                                                            \
    X(curl_multi_add_handle)                                                                       \
    X(curl_multi_cleanup)                                                                          \
    X(curl_multi_info_read)                                                                        \
    X(curl_multi_init)                                                                             \
    X(curl_multi_perform)                                                                          \
    X(curl_multi_poll)                                                                             \
    X(curl_multi_remove_handle)                                                                    \
    X(curl_multi_setopt)                                                                           \
    X(curl_slist_append)                                                                           \
    X(curl_slist_free_all)                                                                         \
    X(curl_url)                                                                                    \
    X(curl_url_cleanup)                                                                            \
    X(curl_url_get)                                                                                \
    X(curl_url_set)

#define LIBCURL_MEMBER(name) __typeof__(name) *(name);
struct libcurl {
    LIBCURL_FUNCTIONS(LIBCURL_MEMBER)
};

/* Loads and initialises it; each success wants a call of curl_global_cleanup(). ERR_NOT_FOUND, with
 * the loader's words, when it is not installed or too old. */
int libcurl_load(struct libcurl *out, struct err *err) MUST_USE;

#endif

#include "allocator/client/origin.h"

#include <string.h>
#include <strings.h>

void origin_fini(const struct libcurl *lib, struct origin *p)
{
    lib->curl_free(p->scheme);
    lib->curl_free(p->host);
    lib->curl_free(p->port);
}

bool origin_of(const struct libcurl *lib, CURLU *u, struct origin *out)
{
    *out = (struct origin){ 0 };
    return lib->curl_url_get(u, CURLUPART_SCHEME, &out->scheme, 0) == CURLUE_OK &&
           lib->curl_url_get(u, CURLUPART_HOST, &out->host, 0) == CURLUE_OK &&
           lib->curl_url_get(u, CURLUPART_PORT, &out->port, CURLU_DEFAULT_PORT) == CURLUE_OK;
}

bool origin_keeps_secrets(const struct origin *from, const struct origin *to)
{
    if (strcasecmp(from->host, to->host) != 0) {
        return false;
    }
    if (strcmp(from->scheme, to->scheme) == 0 && strcmp(from->port, to->port) == 0) {
        return true;
    }
    return strcmp(from->scheme, "http") == 0 && strcmp(from->port, "80") == 0 &&
           strcmp(to->scheme, "https") == 0 && strcmp(to->port, "443") == 0;
}

bool origin_is_loopback(const struct origin *p)
{
    return strcasecmp(p->host, "localhost") == 0 || strncmp(p->host, "127.", 4) == 0 ||
           strcmp(p->host, "[::1]") == 0;
}

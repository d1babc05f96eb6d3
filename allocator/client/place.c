#include "allocator/client/place.h"

#include <string.h>
#include <strings.h>

void place_fini(const struct libcurl *lib, struct place *p)
{
    lib->curl_free(p->scheme);
    lib->curl_free(p->host);
    lib->curl_free(p->port);
}

bool place_of(const struct libcurl *lib, CURLU *u, struct place *out)
{
    *out = (struct place){ 0 };
    return lib->curl_url_get(u, CURLUPART_SCHEME, &out->scheme, 0) == CURLUE_OK &&
           lib->curl_url_get(u, CURLUPART_HOST, &out->host, 0) == CURLUE_OK &&
           lib->curl_url_get(u, CURLUPART_PORT, &out->port, CURLU_DEFAULT_PORT) == CURLUE_OK;
}

bool place_keeps_secrets(const struct place *from, const struct place *to)
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

bool place_is_loopback(const struct place *p)
{
    return strcasecmp(p->host, "localhost") == 0 || strncmp(p->host, "127.", 4) == 0 ||
           strcmp(p->host, "[::1]") == 0;
}

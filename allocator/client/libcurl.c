#include "allocator/client/libcurl.h"

#include <dlfcn.h>
#include <string.h>

#define SONAME "libcurl.so.4"

static const struct {
    const char *name;
    size_t offset;
} members[] = {
#define MEMBER_PLACE(name) { #name, offsetof(struct libcurl, name) },
    LIBCURL_FUNCTIONS(MEMBER_PLACE)
};

/* The loader keeps its error per thread. */
static int fail(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "libcurl cannot be loaded: %s",
                   dlerror()); /* NOLINT(concurrency-mt-unsafe) */
}

int libcurl_load(struct libcurl *out, struct err *err)
{
    struct libcurl found;
    void *library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);

    if (library == NULL) {
        return fail(err);
    }
    for (size_t i = 0; i < COUNT(members); i++) {
        void *address = dlsym(library, members[i].name);
        if (address == NULL) {
            return fail(err);
        }
        memcpy((char *)&found + members[i].offset, &address, sizeof(address));
    }
    if (found.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return err_set(err, ERR_IO, "libcurl cannot be initialised");
    }
    *out = found;
    return 0;
}

/* A certificate directory, and a server that keeps it. */
#ifndef OTEL_TA_TESTS_UNIT_CERTS_FOLDER_H
#define OTEL_TA_TESTS_UNIT_CERTS_FOLDER_H

#include "allocator/base/mem.h"
#include "certs/certs.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *const names[] = { "otel-ta.otel.svc", "localhost", "127.0.0.1" };

static inline void remove_dir(char *dir)
{
    AUTO_STR command = mem_printf("rm -rf '%s'", dir);
    ok(system(command) == 0, "clean up");
    mem_free(dir);
}

static inline void put(const char *dir, const char *name, const char *text)
{
    AUTO_STR path = mem_printf("%s/%s", dir, name);
    FILE *f = fopen(path, "we");
    ok(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0, "write %s", name);
}

static inline char *get(const char *dir, const char *name)
{
    AUTO_STR path = mem_printf("%s/%s", dir, name);
    char *text = mem_zalloc(65536);
    FILE *f = fopen(path, "re");
    if (f != NULL) {
        size_t n = fread(text, 1, 65535, f);
        text[n] = '\0';
        fclose(f);
    }
    return text;
}

static inline struct certs *open_dir(const char *dir)
{
    const struct certs_options o = { .dir = dir, .names = names, .n_names = COUNT(names) };
    return certs_new(&o);
}

/* One refresh; true when a new identity came out. */
static inline bool refresh(struct certs *c, int64_t now_s, const char *what)
{
    struct identity *id = NULL;
    struct err err = { 0 };
    int rc = certs_refresh(c, now_s, &id, &err);
    bool is_new = id != NULL;

    is_int(rc, 0, "%s: refresh (%s)", what, err.text);
    identity_put(&id);
    return is_new;
}

#endif

#include "allocator/base/readfile.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *folder;

static char *path_of(const char *name)
{
    return name[0] == '/' ? mem_strdup(name) : mem_printf("%s/%s", folder, name);
}

static void write_file(const char *name, const char *text)
{
    AUTO_STR path = path_of(name);
    FILE *f = fopen(path, "we");

    ok(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0, "%s", path);
}

static void test_what_is_read(void)
{
    static const struct {
        const char *name;
        size_t max;
        int rc;
        const char *body, *text; /* what it holds; how the error ends */
    } t[] = {
        { "five", 100, 0, "abcde", NULL },
        { "five", 6, 0, "abcde", NULL },
        { "five", 5, 0, "abcde", NULL },
        { "five", 4, ERR_TOO_BIG, NULL, "more than 4 bytes" },
        { "empty", 0, 0, "", NULL },
        { "none", 100, ERR_NOT_FOUND, NULL, "No such file or directory" },
        { "five/x", 100, ERR_NOT_FOUND, NULL, "Not a directory" },
        { "loop", 100, ERR_IO, NULL, "Too many levels of symbolic links" },
        { "pipe", 100, ERR_REFUSED, NULL, "not a regular file" },
        { ".", 100, ERR_REFUSED, NULL, "not a regular file" },
        { "/dev/null", 100, ERR_REFUSED, NULL, "not a regular file" },
        { "/proc/self/mem", 100, ERR_IO, NULL, "Input/output error" },
        { "/proc/version", 5, ERR_TOO_BIG, NULL, "more than 5 bytes" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        AUTO_STR path = path_of(t[i].name);
        AUTO_STR body = NULL;
        size_t len = 99;
        struct readfile_signature read, seen;
        struct err err = { 0 };
        is_int(readfile_read(path, t[i].max, &read, &body, &len, &err), t[i].rc, "%s up to %zu: %s",
               t[i].name, t[i].max, err.text);
        if (t[i].rc == 0) {
            is_int(len, strlen(t[i].body), "its length");
            is_str(body, t[i].body, "its bytes, and a NUL behind them");
            ok(readfile_look(path, &seen, &err) == 0 && readfile_is_same(&read, &seen),
               "looked at, it is the same");
        } else {
            ok(strncmp(err.text, path, strlen(path)) == 0 && strstr(err.text, t[i].text) != NULL,
               "the error names the file and says why: %s", err.text);
        }
    }
}

/* What the system does not tell the size of: read to its end. */
static void test_no_size(void)
{
    static const char *const names[] = { "/proc/version", "/proc/self/maps" };

    for (size_t i = 0; i < COUNT(names); i++) {
        AUTO_STR body = NULL;
        size_t len = 0;
        struct readfile_signature signature;
        struct err err = { 0 };
        is_int(readfile_read(names[i], MIB, &signature, &body, &len, &err), 0, "%s %s", names[i],
               err.text);
        is_int(signature.size, 0, "has no size");
        ok(len > 10 && strlen(body) == len && body[len - 1] == '\n', "but %zu bytes", len);
    }
}

static void test_look(void)
{
    static const struct {
        const char *name;
        int rc;
    } t[] = { { "five", 0 },      { "none", ERR_NOT_FOUND }, { "five/x", ERR_NOT_FOUND },
              { "loop", ERR_IO }, { "pipe", ERR_REFUSED },   { ".", ERR_REFUSED } };

    for (size_t i = 0; i < COUNT(t); i++) {
        AUTO_STR path = path_of(t[i].name);
        struct readfile_signature signature;
        struct err err = { 0 };
        is_int(readfile_look(path, &signature, &err), t[i].rc, "a look at %s", t[i].name);
    }
    AUTO_STR path = path_of("five");
    struct readfile_signature signature;
    struct stat st;
    ok(stat(path, &st) == 0 && readfile_look(path, &signature, NULL) == 0, "five");
    ok(signature.device == st.st_dev && signature.inode == st.st_ino && signature.size == 5,
       "which file it is, and how long");
    is_int(signature.modified_ns, st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec, "modified");
    is_int(signature.changed_ns, st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec, "changed");
}

/* Each part of a signature counts. */
static void test_identity(void)
{
    static const struct readfile_signature t[] = {
        { 1, 2, 3, 4, 5 }, { 9, 2, 3, 4, 5 }, { 1, 9, 3, 4, 5 },
        { 1, 2, 9, 4, 5 }, { 1, 2, 3, 9, 5 }, { 1, 2, 3, 4, 9 },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        for (size_t k = 0; k < COUNT(t); k++) {
            is_int(readfile_is_same(&t[i], &t[k]), i == k, "are %zu and %zu the same?", i, k);
        }
    }
}

int main(void)
{
    folder = check_folder("readfile");
    write_file("five", "abcde");
    write_file("empty", "");
    AUTO_STR pipe_path = path_of("pipe");
    AUTO_STR loop = path_of("loop");
    ok(mkfifo(pipe_path, 0600) == 0 && symlink("loop", loop) == 0, "a pipe and a loop");
    test_what_is_read();
    test_no_size();
    test_look();
    test_identity();
    AUTO_STR command = mem_printf("rm -r '%s'", folder);
    is_int(system(command), 0, "%s", command); /* NOLINT(cert-env33-c): a name we made */
    mem_free(folder);
    return check_done();
}

/* A file is replaced as a whole or stays as it was, and nothing is left beside it. */
#include "allocator/base/mem.h"
#include "certs/pemfile.h"
#include "tests/check.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static size_t count_files(const char *dir)
{
    DIR *d = opendir(dir);
    size_t n = 0;

    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    }
    if (d != NULL) {
        closedir(d);
    }
    return n;
}

static void is_content(const char *dir, const char *want, const char *what)
{
    AUTO_STR path = mem_printf("%s/key", dir);
    AUTO_BUF got = { 0 };
    struct err err = { 0 };

    buf_init(&got, 4096);
    is_int(pemfile_read(path, &got, &err), 0, "it is read %s", err.text);
    is_span(buf_span(&got), span_of(want), "%s", what);
}

static mode_t mode_of(const char *dir)
{
    AUTO_STR path = mem_printf("%s/key", dir);
    struct stat st = { 0 };

    return stat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static void test_replaced(const char *dir)
{
    struct err err = { 0 };

    ok(!pemfile_exists(dir, "key"), "there is no file yet");
    is_int(pemfile_time_s(dir, "key"), 0, "so it was never changed");
    is_int(pemfile_write(dir, "key", SPAN_LIT("old"), 0600, &err), 0, "written %s", err.text);
    ok(pemfile_exists(dir, "key"), "it is there");
    ok(pemfile_time_s(dir, "key") > 1700000000, "changed just now");
    is_int(mode_of(dir), 0600, "with its mode");
    mode_t mask = umask(0777);
    is_int(pemfile_write(dir, "key", SPAN_LIT("newer"), 0644, &err), 0, "replaced %s", err.text);
    umask(mask);
    is_int(mode_of(dir), 0644, "the mode is what was asked for, whatever the mask");
    is_content(dir, "newer", "by the new content");
    is_int(count_files(dir), 1, "and nothing is beside it");
}

/* A disk that is full takes a part of what is written. */
static void test_full_disk(const char *dir)
{
    struct rlimit usual, small;
    struct err err = { 0 };

    getrlimit(RLIMIT_FSIZE, &usual);
    small = (struct rlimit){ 3, usual.rlim_max };
    signal(SIGXFSZ, SIG_IGN);
    fflush(NULL);
    setrlimit(RLIMIT_FSIZE, &small);
    int rc = pemfile_write(dir, "key", SPAN_LIT("four"), 0600, &err);
    setrlimit(RLIMIT_FSIZE, &usual);
    ok(rc < 0 && strstr(err.text, "/key") != NULL, "a write that is cut short is an error: %s",
       err.text);
    is_content(dir, "newer", "the old content stays");
    is_int(count_files(dir), 1, "the part is removed");
}

static void test_refused(const char *dir)
{
    struct err err = { 0 };
    AUTO_STR folder = mem_printf("%s/folder", dir);

    is_int(mkdir(folder, 0700), 0, "a folder");
    ok(pemfile_write(dir, "folder", SPAN_LIT("x"), 0600, &err) < 0, "is not replaced: %s",
       err.text);
    is_int(count_files(dir), 2, "and nothing is left of the attempt");
    AUTO_STR gone = mem_printf("%s/gone", dir);
    ok(pemfile_write(gone, "key", SPAN_LIT("x"), 0600, &err) < 0, "no folder, no file: %s",
       err.text);
    pemfile_remove(dir, "key");
    ok(!pemfile_exists(dir, "key"), "removed");
}

int main(void)
{
    AUTO_STR dir = check_folder("pemfile");

    test_replaced(dir);
    test_full_disk(dir);
    test_refused(dir);
    AUTO_STR remove = mem_printf("rm -r %s", dir);
    ok(system(remove) == 0, "clean up");
    return check_done();
}

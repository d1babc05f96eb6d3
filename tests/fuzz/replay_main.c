/* Runs a fuzz target over its corpus as an ordinary TAP test: each input once, one by one.
 * fuzz_<x> reads tests/fuzz/corpus/<x>/; files or folders named on the command line are read
 * instead. */
#include "allocator/base/mem.h"
#include "tests/check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool replay_file(const char *path)
{
    struct stat st;
    FILE *f = fopen(path, "rbe");

    if (f == NULL || fstat(fileno(f), &st) != 0) {
        ok(false, "%s cannot be read", path);
        if (f != NULL) {
            fclose(f);
        }
        return false;
    }
    AUTO_STR data = mem_alloc((size_t)st.st_size);
    size_t size = fread(data, 1, (size_t)st.st_size, f);
    fclose(f);
    check_note("%s", path); /* the last one, if the target ends the process */
    /* Reading one byte too many is seen. */
    struct span input = check_at_edge(span_make(data, size));
    bool is_ok =
        size == (size_t)st.st_size && LLVMFuzzerTestOneInput((const uint8_t *)input.p, size) == 0;
    if (!is_ok) {
        ok(false, "%s", path);
    }
    return is_ok;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static size_t replay_folder(const char *path)
{
    struct dirent **entries = NULL;
    int n = scandir(path, &entries, is_visible, alphasort);
    size_t n_ok = 0;

    for (int i = 0; i < n; i++) {
        AUTO_STR file = mem_printf("%s/%s", path, entries[i]->d_name);
        n_ok += replay_file(file) ? 1 : 0;
        free(entries[i]);
    }
    free((void *)entries);
    ok(n > 0 && n_ok == (size_t)n, "%s: %zu of %d inputs", path, n_ok, n);
    return n_ok;
}

int main(int argc, char **argv)
{
    const char *name = strrchr(argv[0], '/');

    name = name == NULL ? argv[0] : name + 1;
    if (strncmp(name, "fuzz_", 5) == 0) {
        name += 5;
    }
    if (argc == 1) {
        AUTO_STR folder = mem_printf("tests/fuzz/corpus/%s", name);
        (void)replay_folder(folder);
    }
    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode)) {
            (void)replay_folder(argv[i]);
        } else {
            ok(replay_file(argv[i]), "%s", argv[i]);
        }
    }
    return check_done();
}

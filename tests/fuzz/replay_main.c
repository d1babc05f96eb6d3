/* Runs a fuzz target over its corpus (tests/fuzz/corpus/<name>/) without a fuzzer, as TAP: what once crashed stays fixed. */
#include "tests/check.h"

#include "allocator/base/mem.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay(const char *dir, const char *name)
{
    AUTO_STR path = mem_printf("%s/%s", dir, name);
    FILE *f = fopen(path, "re");
    char *data = mem_alloc(1 << 20);

    if (f == NULL) {
        ok(false, "open %s", name);
    } else {
        size_t n = fread(data, 1, 1 << 20, f);
        uint8_t *exact = mem_alloc(n); /* of the very size, so that ASan sees a byte too far */
        if (n > 0) {
            memcpy(exact, data, n);
        }
        ok(LLVMFuzzerTestOneInput(exact, n) == 0, "%s", name);
        mem_free(exact);
        fclose(f);
    }
    mem_free(data);
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    const char *program = slash == NULL ? argv[0] : slash + 1;
    const char *name = strncmp(program, "fuzz_", 5) == 0 ? program + 5 : program;
    AUTO_STR dir = argc > 1 ? mem_strdup(argv[1]) : mem_printf("tests/fuzz/corpus/%s", name);
    struct dirent **entries = NULL;
    int n = scandir(dir, &entries, NULL, alphasort);
    int n_files = 0;

    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.') {
            replay(dir, entries[i]->d_name);
            n_files++;
        }
        free(entries[i]);
    }
    free((void *)entries);
    ok(n_files > 0, "%s has inputs", dir);
    return check_done();
}

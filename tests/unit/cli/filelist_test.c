#include "webhook/cli/filelist.h"

#include "allocator/base/mem.h"
#include "tests/check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void put(const char *name)
{
    FILE *f = fopen(name, "we");

    if (f == NULL || fclose(f) != 0) {
        abort();
    }
}

static void make_tree(void)
{
    static const char *const files[] = { "d/b.yml",   "d/a.yaml",     "d/c.json", "d/x.txt",
                                         "d/.h.yaml", "d/sub/d.yaml", "one" };

    if (mkdir("d", 0700) != 0 || mkdir("d/sub", 0700) != 0 || mkdir("empty", 0700) != 0 ||
        mkdir("d/dir.yaml", 0700) != 0 || symlink("..", "d/sub/up") != 0 ||
        symlink("a.yaml", "d/link.yaml") != 0 || symlink("gone", "d/gone.yaml") != 0 ||
        mkfifo("d/fifo.yaml", 0600) != 0) {
        abort();
    }
    for (size_t i = 0; i < COUNT(files); i++) {
        put(files[i]);
    }
}

static void test_expand(void)
{
    static const struct {
        const char *names, *want; /* NULL: refused */
        bool is_recursive;
        int rc;
    } t[] = {
        { "one", "one ", false, 0 },
        { "-", "- ", true, 0 },
        { "gone", "gone ", false, 0 },
        { "d", "d/a.yaml d/b.yml d/c.json d/link.yaml ", false, 0 },
        { "d/", "d/a.yaml d/b.yml d/c.json d/link.yaml ", false, 0 },
        { "d", "d/a.yaml d/b.yml d/c.json d/link.yaml d/sub/d.yaml ", true, 0 },
        { "one d/sub", "one d/sub/d.yaml ", false, 0 },
        { "empty", NULL, true, ERR_NOT_FOUND },
        { "one empty", NULL, false, ERR_NOT_FOUND },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        flag_texts names = { .n = 0 }, found = { .n = 0 };
        struct arena arena;
        struct err err = { 0 };
        char got[512] = "";
        AUTO_STR words = mem_strdup(t[i].names);

        arena_init(&arena);
        for (char *state = NULL, *w = strtok_r(words, " ", &state); w != NULL;
             w = strtok_r(NULL, " ", &state)) {
            *vec_push(&names) = w;
        }
        is_int(filelist_expand(&names, t[i].is_recursive, &arena, &found, &err), t[i].rc,
               "'%s': %s", t[i].names, err.text);
        for (size_t k = 0, n = 0; t[i].want != NULL && k < names.n; k++) {
            n += (size_t)snprintf(got + n, sizeof(got) - n, "%s ", names.v[k]);
        }
        is_str(got, t[i].want == NULL ? "" : t[i].want, "'%s'%s", t[i].names,
               t[i].is_recursive ? " -R" : "");
        bool is_folder = t[i].names[0] == 'd';
        size_t n_plain = is_folder ? 0 : 1;
        is_int(found.n, t[i].rc < 0 ? 0 : names.n - n_plain, "'%s': of folders", t[i].names);
        vec_fini(&found);
        vec_fini(&names);
        arena_fini(&arena);
    }
}

int main(void)
{
    AUTO_STR dir = check_folder("filelist");

    if (chdir(dir) != 0) {
        abort();
    }
    make_tree();
    test_expand();
    AUTO_STR remove = mem_printf("rm -r %s", dir);
    ok(system(remove) == 0, "clean up");
    return check_done();
}

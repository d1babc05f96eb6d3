#include "webhook/cli/filelist.h"

#include "allocator/base/limits.h"
#include "allocator/base/span.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DEPTH = 32 }; /* folders in folders */

struct expansion {
    flag_texts *out;
    flag_texts *folders; /* NULL: nobody asks */
    struct arena *arena;
    bool is_recursive;
};

static bool is_manifest(const char *name)
{
    static const char *const endings[] = { ".yaml", ".yml", ".json" };

    for (size_t i = 0; i < COUNT(endings); i++) {
        if (span_has_suffix(span_of(name), endings[i])) {
            return true;
        }
    }
    return false;
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int expand_folder(struct expansion *x, const char *folder, int depth, struct err *err);

/* NOLINTNEXTLINE(misc-no-recursion): as deep as it says */
static int expand_entry(struct expansion *x, const char *path, int depth, struct err *err)
{
    struct stat entry, target;

    if (lstat(path, &entry) != 0 || stat(path, &target) != 0) {
        return 0; /* gone, or a link to nothing */
    }
    if (S_ISDIR(entry.st_mode)) {
        return x->is_recursive ? expand_folder(x, path, depth + 1, err) : 0;
    }
    if (S_ISREG(target.st_mode) && is_manifest(path)) {
        if (x->out->n >= LIMIT_FILES) {
            return err_set(err, ERR_TOO_BIG, "more than %d files", LIMIT_FILES);
        }
        *vec_push(x->out) = path;
    }
    return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most MAX_DEPTH folders deep */
static int expand_folder(struct expansion *x, const char *folder, int depth, struct err *err)
{
    struct dirent **entries = NULL;
    int rc = 0;

    if (depth > MAX_DEPTH) {
        return err_set(err, ERR_TOO_BIG, "%s: more than %d folders deep", folder, MAX_DEPTH);
    }
    if (x->folders != NULL) {
        *vec_push(x->folders) = folder;
    }
    int n = scandir(folder, &entries, is_shown, alphasort);
    if (n < 0) {
        return err_sys(err, errno, "%s", folder);
    }
    for (int i = 0; i < n; i++) {
        if (rc == 0) {
            const char *path =
                arena_printf(x->arena, "%s%s%s", folder,
                             span_has_suffix(span_of(folder), "/") ? "" : "/", entries[i]->d_name);
            rc = expand_entry(x, path, depth, err);
        }
        free(entries[i]);
    }
    free((void *)entries);
    return rc;
}

bool filelist_is_folder(const char *name)
{
    struct stat s;

    return strcmp(name, "-") != 0 && stat(name, &s) == 0 && S_ISDIR(s.st_mode);
}

static int expand_named(struct expansion *x, const char *folder, struct err *err)
{
    size_t n = x->out->n;
    int rc = expand_folder(x, folder, 0, err);

    if (rc == 0 && x->out->n == n) {
        rc = err_set(err, ERR_NOT_FOUND, "%s: there is no .yaml, .yml or .json file in it%s",
                     folder, x->is_recursive ? "" : " (-R looks into its folders, too)");
    }
    return rc;
}

int filelist_folder(const char *folder, bool is_recursive, struct arena *arena,
                    flag_texts *out_files, flag_texts *out_folders, struct err *err)
{
    struct expansion x = { out_files, out_folders, arena, is_recursive };
    size_t n = out_files->n;
    int rc = expand_named(&x, folder, err);

    out_files->n = rc < 0 ? n : out_files->n;
    return rc;
}

int filelist_expand(flag_texts *names, bool is_recursive, struct arena *arena,
                    flag_texts *out_found, struct err *err)
{
    flag_texts all = { .n = 0 };
    struct expansion x = { .out = &all, .arena = arena, .is_recursive = is_recursive };
    int rc = 0;

    for (size_t i = 0; i < names->n && rc == 0; i++) {
        size_t n = all.n;
        if (!filelist_is_folder(names->v[i])) {
            *vec_push(&all) = names->v[i];
            continue;
        }
        rc = expand_named(&x, names->v[i], err);
        for (size_t k = n; k < all.n; k++) {
            *vec_push(out_found) = all.v[k];
        }
    }
    vec_fini(names);
    *names = all;
    return rc;
}

bool filelist_has_stdin(void)
{
    struct stat s;

    return fstat(STDIN_FILENO, &s) == 0 &&
           (S_ISREG(s.st_mode) || S_ISFIFO(s.st_mode) || S_ISSOCK(s.st_mode));
}

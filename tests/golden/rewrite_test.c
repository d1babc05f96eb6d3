/* 'otel-ta rewrite', 'restore' and 'validate' on whole manifests: in each folder of
 * tests/golden/{rewrite,restore,validate}/, in.yaml (with the words of 'args') gives out.yaml on
 * standard output and faults.txt on standard error; a missing file means nothing. Without out.yaml
 * the exit code says that the input has faults; kept.yaml is an out.yaml with that exit code. */
#include "allocator/base/limits.h"
#include "tests/check.h"
#include "webhook/cli/commandtable.h"
#include "webhook/cli/document.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void read_all(const char *path, struct buf *out)
{
    struct err err;

    buf_init(out, LIMIT_DOCUMENT_BYTES);
    if (access(path, R_OK) == 0 && document_read(path, out, &err) < 0) {
        ok(false, "%s", err.text);
    }
}

/* "otel-ta <kind> <args> -f in.yaml"; the working directory is the case's. */
static int run_case(const char *kind, char *args, FILE *out, FILE *errout)
{
    char program[] = "otel-ta", flag[] = "-f", file[] = "in.yaml";
    char *argv[32] = { program };
    int argc = 1;
    struct options o;

    argv[argc++] = strdup(kind);
    for (char *state = NULL, *word = strtok_r(args, " \n", &state); word != NULL && argc < 28;
         word = strtok_r(NULL, " \n", &state)) {
        argv[argc++] = word;
    }
    argv[argc++] = flag;
    argv[argc++] = file;
    int code = options_parse(argc, argv, &o, errout);
    if (code == EXIT_OK) {
        code = command_rows[o.command].run(&o, &(const struct command_io){ out, errout, NULL });
    }
    options_fini(&o);
    free(argv[1]);
    return code;
}

static void check_case(const char *kind, const char *name)
{
    AUTO_BUF args = { 0 }, want_out = { 0 }, want_faults = { 0 };
    char *out_text = NULL, *err_text = NULL;
    size_t out_size = 0, err_size = 0;

    if (chdir(name) != 0) {
        ok(false, "%s/%s: no such folder", kind, name);
        return;
    }
    read_all("args", &args);
    bool is_done = access("out.yaml", R_OK) == 0;
    read_all(is_done ? "out.yaml" : "kept.yaml", &want_out);
    read_all("faults.txt", &want_faults);
    FILE *out = open_memstream(&out_text, &out_size),
         *errout = open_memstream(&err_text, &err_size);
    char none[] = "";
    int code = run_case(kind, args.p == NULL ? none : args.p, out, errout);
    fclose(out);
    fclose(errout);
    is_int(code, is_done ? EXIT_OK : EXIT_FAULTS, "%s/%s: exit code", kind, name);
    is_span(span_make(out_text, out_size), buf_span(&want_out), "%s/%s: result", kind, name);
    is_span(span_make(err_text, err_size), buf_span(&want_faults), "%s/%s: faults", kind, name);
    free(out_text);
    free(err_text);
    if (chdir("..") != 0) {
        abort();
    }
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void check_kind(const char *kind)
{
    struct dirent **entries = NULL;

    int n = chdir(kind) == 0 ? scandir(".", &entries, is_visible, alphasort) : -1;
    ok(n > 0, "%s: there are cases", kind);
    for (int i = 0; i < n; i++) {
        check_case(kind, entries[i]->d_name);
        free(entries[i]);
    }
    free((void *)entries);
    if (n < 0 || chdir("..") != 0) {
        abort();
    }
}

int main(void)
{
    if (chdir("tests/golden") != 0) {
        ok(false, "run from the root of the project");
        return check_done();
    }
    check_kind("rewrite");
    check_kind("restore");
    check_kind("validate");
    return check_done();
}

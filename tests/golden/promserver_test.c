/* 'check config' and promtool agree about what stands in a Prometheus configuration beside
 * scraping: each line of tests/golden/promserver/cases.txt. Whether promtool still says so is asked
 * by tests/e2e/p02-check-config.t. */
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "tests/check.h"
#include "webhook/cli/commandtable.h"
#include "webhook/cli/document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put(const char *name, const char *text, size_t len)
{
    FILE *f = fopen(name, "we");

    if (f == NULL || fwrite(text, 1, len, f) != len || fclose(f) != 0) {
        abort();
    }
}

/* "\n" of a case is a line break. */
static size_t unescape(char *text)
{
    size_t len = 0;

    for (const char *p = text; *p != '\0'; p++) {
        bool is_break = p[0] == '\\' && p[1] == 'n';
        text[len++] = is_break ? '\n' : *p;
        p += is_break ? 1 : 0;
    }
    return len;
}

static void check_case(char *text, bool is_good)
{
    char program[] = "otel-ta", check[] = "check", config[] = "config", file[] = "case.yml";
    char *argv[] = { program, check, config, file, NULL };
    char *out_text = NULL, *err_text = NULL;
    size_t out_size = 0, err_size = 0;
    struct options o;
    AUTO_STR name = mem_strdup(text);

    put("case.yml", text, unescape(text));
    FILE *out = open_memstream(&out_text, &out_size),
         *errout = open_memstream(&err_text, &err_size);
    int code = options_parse(4, argv, &o, errout);
    if (code == EXIT_OK) {
        code = command_rows[o.command].run(&o, &(const struct command_io){ out, errout, NULL });
    }
    options_fini(&o);
    fclose(out);
    fclose(errout);
    is_int(code, is_good ? EXIT_OK : EXIT_FAULTS, "%s: %s", name, err_text);
    ok(is_good || strncmp(err_text, "case.yml:", strlen("case.yml:")) == 0, "with its place");
    free(out_text);
    free(err_text);
}

int main(void)
{
    AUTO_BUF cases = { 0 };
    struct err err;
    size_t n = 0;

    buf_init(&cases, LIMIT_DOCUMENT_BYTES);
    if (document_read("tests/golden/promserver/cases.txt", &cases, &err) < 0) {
        ok(false, "run from the root of the project: %s", err.text);
        return check_done();
    }
    AUTO_STR dir = check_folder("promserver");
    if (chdir(dir) != 0) {
        abort();
    }
    put("there.yml", "groups: []\n", strlen("groups: []\n"));
    for (char *state = NULL, *line = strtok_r(cases.p, "\n", &state); line != NULL;
         line = strtok_r(NULL, "\n", &state)) {
        char *blank = strchr(line, ' ');
        if (line[0] != '#' && blank != NULL) {
            check_case(blank + 1, strncmp(line, "good", strlen("good")) == 0);
            n++;
        }
    }
    ok(n > 200, "%zu cases", n);
    AUTO_STR remove = mem_printf("rm -r %s", dir);
    ok(system(remove) == 0, "clean up");
    return check_done();
}

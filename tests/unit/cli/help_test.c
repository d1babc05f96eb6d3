/* Pages of help: two columns within 80, and of a group of commands only those that belong to it. */
#include "webhook/cli/help.h"

#include "allocator/base/mem.h"
#include "tests/check.h"
#include "webhook/cli/commandtable.h"

#include <stdlib.h>
#include <string.h>

#define TEN "aaaa bbbb "                      /* ten columns */
#define FIFTY TEN TEN TEN TEN TEN             /* the second column has 52 */
#define SPACES "                            " /* as wide as the first */

static const struct command_row rows[] = {
    { .words = "one", .help = FIFTY "cc", .example = "otel-ta one" },
    { .words = "group first", .help = FIFTY "ccc", .example = "otel-ta group first\nsecond line" },
    { .words = "group second", .help = TEN "…………", .example = "otel-ta group second" },
    { .words = "groups third", .help = "no member", .example = "none" },
    { .words = "other fourth", .help = "no member", .example = "none" },
    { .words = "group", .help = "no member", .example = "none" },
};

static void write_group(const struct command_row *of, size_t n, const char *first, char **text)
{
    size_t len = 0;
    FILE *out = open_memstream(text, &len);

    help_group(of, n, first, out);
    fclose(out);
}

static void test_group(void)
{
    char *text = NULL;
    write_group(rows, COUNT(rows), "group", &text);

    is_str(text,
           "Usage: otel-ta group COMMAND [flags]\n\nCommands:\n"
           "  group first               " TEN TEN TEN TEN "aaaa bbbb\n" SPACES "ccc\n"
           "  group second              " TEN "…………\n"
           "\nExamples:\n"
           "  otel-ta group first\n  second line\n  otel-ta group second\n"
           "\n'otel-ta group COMMAND --help' lists the flags of a command.\n",
           "those of the group, with their examples");
    free(text);
}

/* The second column begins at 28; what does not leave two blanks before it has its line. */
static void test_columns(void)
{
    for (size_t len = 20; len <= 28; len++) {
        char words[40] = "g ";
        memset(words + 2, 'x', len - 2);
        const struct command_row row = { .words = words, .help = "help", .example = "e" };
        char *text = NULL;
        write_group(&row, 1, "g", &text);
        AUTO_STR want = len + 4 <= 28 ? mem_printf("\n  %s%*shelp\n", words, (int)(26 - len), "")
                                      : mem_printf("\n  %s\n" SPACES "help\n", words);
        ok(strstr(text, want) != NULL, "a name of %zu columns", len);
        free(text);
    }
}

/* A line has 80 columns and no more, whatever its bytes. */
static void test_width(void)
{
    for (size_t n = 50; n <= 54; n++) {
        for (int is_wide = 0; is_wide < 2; is_wide++) {
            char help[256] = "begin ";
            size_t len = strlen(help);
            for (size_t i = len; i < n; i++) { /* 'n' columns */
                len += (size_t)snprintf(help + len, sizeof(help) - len, "%s", is_wide ? "…" : "x");
            }
            const struct command_row row = { .words = "g one", .help = help, .example = "e" };
            char *text = NULL;
            write_group(&row, 1, "g", &text);
            const char *line = strstr(text, "  g one");
            size_t columns = 0;
            for (const char *p = line; p != NULL && *p != '\n'; p++) {
                columns += ((unsigned char)*p & 0xc0) != 0x80;
            }
            is_int(columns, n <= 52 ? 28 + n : 33, "%zu columns of help: the first line", n);
            free(text);
        }
    }
}

static void test_overview(void)
{
    static const struct command_row of[] = {
        { .words = "one", .help = "first", .group = "Some" },
        { .words = "two", .help = "second" },
        { .words = "three", .help = "third", .group = "Others" },
    };
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    help_overview(of, COUNT(of), out);
    fclose(out);
    ok(strstr(text, "\nUsage: otel-ta [command] [flags]\n"
                    "\nSome:\n"
                    "  one                       first\n"
                    "  two                       second\n"
                    "\nOthers:\n"
                    "  three                     third\n"
                    "\n'otel-ta COMMAND --help' ") != NULL,
       "groups of commands:\n%s", text);
    free(text);
}

static void test_command(void)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    help_command(command_rows, COMMAND_VERSION, out);
    fclose(out);
    ok(strncmp(text, "Usage: otel-ta version [flags]\n\nPrint the version.\n", 49) == 0,
       "a sentence begins with a capital:\n%s", text);
    ok(strstr(text, "\n\nExample:\n  otel-ta version") != NULL, "an example");
    ok(strstr(text, "\n  -o, --output FORMAT ") != NULL, "a flag with a letter");
    ok(strstr(text, "\n      --log-level LEVEL ") != NULL, "one without");
    ok(strstr(text, "\n  -h, --help                this help\n") != NULL, "one without a value");
    ok(strstr(text, "--filename") == NULL, "no flag of other commands");
    free(text);
}

int main(void)
{
    test_group();
    test_columns();
    test_width();
    test_overview();
    test_command();
    return check_done();
}

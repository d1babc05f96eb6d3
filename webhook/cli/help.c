#include "webhook/cli/help.h"

#include "allocator/base/mem.h"
#include "webhook/cli/commandtable.h"
#include "webhook/cli/optiontable.h"

#include <string.h>

enum { COLUMNS = 80, TEXT_COLUMN = 28 };

/* ---- columns */

/* '…' is one column in three bytes. */
static size_t columns_of(const char *text, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        n += ((unsigned char)text[i] & 0xc0) != 0x80 ? 1 : 0;
    }
    return n;
}

/* Word by word, from 'column' on, where a line is 'indent' columns in; ends the last line. */
static void print_wrapped(const char *text, size_t indent, size_t column, FILE *out)
{
    const char *blank = "";

    while (text[0] != '\0') {
        size_t len = strcspn(text, " "), n = columns_of(text, len);
        if (column + strlen(blank) + n > COLUMNS && column > indent) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
            blank = "";
        }
        fprintf(out, "%s%.*s", blank, (int)len, text);
        column += strlen(blank) + n;
        blank = " ";
        text += len + (text[len] == ' ' ? 1 : 0);
    }
    fputc('\n', out);
}

/* Two columns: what is too long for the first has the line to itself. */
static void print_item(const char *left, const char *text, FILE *out)
{
    size_t n = columns_of(left, strlen(left)) + 2;

    fprintf(out, "  %s", left);
    if (n + 2 > TEXT_COLUMN) {
        fprintf(out, "\n%*s", TEXT_COLUMN, "");
    } else {
        fprintf(out, "%*s", (int)(TEXT_COLUMN - n), "");
    }
    print_wrapped(text, TEXT_COLUMN, TEXT_COLUMN, out);
}

/* ---- flags */

static void print_flag(const struct flag_row *row, FILE *out)
{
    char letter[] = { '-', row->letter, ',', ' ', '\0' };
    AUTO_STR left = mem_printf("%s--%s%s%s", row->letter == '\0' ? "    " : letter, row->name,
                               row->value[0] == '\0' ? "" : " ", row->value);

    print_item(left, row->help, out);
}

static void print_flags(size_t command, enum flag_group group, FILE *out)
{
    bool has_title = false;

    for (size_t i = 0; i < n_flag_rows; i++) {
        const struct flag_row *row = &flag_rows[i];
        if (row->group != group || row->value == NULL || !flag_is_of(row, (enum command)command)) {
            continue;
        }
        if (!has_title) {
            fprintf(out, "\n%s:\n", flag_group_names[group]);
            has_title = true;
        }
        print_flag(row, out);
    }
}

/* ---- pages */

static void print_example(const char *example, FILE *out)
{
    while (example[0] != '\0') {
        size_t len = strcspn(example, "\n");
        fprintf(out, "  %.*s\n", (int)len, example);
        example += len + (example[len] == '\n' ? 1 : 0);
    }
}

void help_command(const struct command_row *rows, size_t index, FILE *out)
{
    const struct command_row *row = &rows[index];

    fprintf(out, "Usage: otel-ta %s%s%s [flags]\n\n", row->words,
            row->arguments[0] == '\0' ? "" : " ", row->arguments);
    AUTO_STR text = mem_printf("%s.", row->help);
    text[0] = (char)(text[0] >= 'a' && text[0] <= 'z' ? text[0] - 'a' + 'A' : text[0]);
    print_wrapped(text, 0, 0, out);
    if (row->more != NULL) {
        fputc('\n', out);
        print_wrapped(row->more, 0, 0, out);
    }
    fputs("\nExample:\n", out);
    print_example(row->example, out);
    for (int group = 0; group < N_FLAG_GROUPS; group++) {
        print_flags(index, (enum flag_group)group, out);
    }
}

static bool begins_with(const struct command_row *row, const char *first)
{
    size_t len = strlen(first);
    return strncmp(row->words, first, len) == 0 && row->words[len] == ' ';
}

void help_group(const struct command_row *rows, size_t n, const char *first, FILE *out)
{
    fprintf(out, "Usage: otel-ta %s COMMAND [flags]\n\nCommands:\n", first);
    for (size_t i = 0; i < n; i++) {
        if (begins_with(&rows[i], first)) {
            print_item(rows[i].words, rows[i].help, out);
        }
    }
    fputs("\nExamples:\n", out);
    for (size_t i = 0; i < n; i++) {
        if (begins_with(&rows[i], first)) {
            print_example(rows[i].example, out);
        }
    }
    fprintf(out, "\n'otel-ta %s COMMAND --help' lists the flags of a command.\n", first);
}

void help_overview(const struct command_row *rows, size_t n, FILE *out)
{
    print_wrapped("otel-ta rewrites OpenTelemetryCollector CRs to HTTP service discovery and "
                  "allocates their targets.",
                  0, 0, out);
    fputs("\nUsage: otel-ta [command] [flags]\n", out);
    for (size_t i = 0; i < n; i++) {
        if (rows[i].group != NULL) {
            fprintf(out, "\n%s:\n", rows[i].group);
        }
        print_item(rows[i].words, rows[i].help, out);
    }
    fputc('\n', out);
    print_wrapped("'otel-ta COMMAND --help' says what a command takes, with an example. Exit "
                  "codes: 0 done, 1 the input has faults, 2 wrong usage, 3 cannot run. Results go "
                  "to standard output, faults to standard error.",
                  0, 0, out);
}

#include "webhook/cli/completion.h"

#include "webhook/cli/commandtable.h"
#include "webhook/cli/optiontable.h"

#include <string.h>

/* ---- what all of them ask */

enum value_kind { VALUE_NONE, VALUE_ANY, VALUE_SWITCH, VALUE_WORDS, VALUE_FILE, VALUE_DIR };

static enum value_kind value_kind(const struct flag_row *row)
{
    return row->read == NULL                   ? VALUE_NONE
           : flag_is_switch(row)               ? VALUE_SWITCH
           : flagvalue_word_at(row, 0) != NULL ? VALUE_WORDS
           : strcmp(row->value, "FILE") == 0   ? VALUE_FILE
           : strcmp(row->value, "DIR") == 0    ? VALUE_DIR
                                               : VALUE_ANY;
}

/* Flags that the help does not show are not offered. */
static bool is_offered(const struct flag_row *row, size_t command)
{
    return flag_is_of(row, (enum command)command) && row->help != NULL;
}

/* The length of a command's first word. */
static int first_len(const struct command_row *row)
{
    return (int)strcspn(row->words, " ");
}

static const char *second_word(const struct command_row *row)
{
    const char *space = strchr(row->words, ' ');
    return space == NULL ? NULL : space + 1;
}

/* Is this row the first with its first word? */
static bool is_first(size_t i)
{
    return i == 0 || first_len(&command_rows[i - 1]) != first_len(&command_rows[i]) ||
           strncmp(command_rows[i - 1].words, command_rows[i].words,
                   (size_t)first_len(&command_rows[i])) != 0;
}

static void write_words(const struct flag_row *row, FILE *out)
{
    for (size_t i = 0; flagvalue_word_at(row, i) != NULL; i++) {
        fprintf(out, "%s%s", i > 0 ? " " : "", flagvalue_word_at(row, i));
    }
}

/* For what stands between single quotes; 'special' is written after a backslash. */
static void write_quoted(const char *text, const char *quote, const char *special, FILE *out)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\'') {
            fputs(quote, out);
            continue;
        }
        if (strchr(special, *p) != NULL) {
            fputc('\\', out);
        }
        fputc(*p, out);
    }
}

/* ---- bash */

static void write_bash_names(size_t command, enum value_kind kind, FILE *out)
{
    const char *separator = "        ";

    for (size_t i = 0; i < n_flag_rows; i++) {
        const struct flag_row *row = &flag_rows[i];
        if (is_offered(row, command) && value_kind(row) == kind) {
            fprintf(out, "%s--%s", separator, row->name);
            separator = " | ";
            if (row->letter != '\0') {
                fprintf(out, " | -%c", row->letter);
            }
        }
    }
    if (strcmp(separator, " | ") == 0) {
        static const char *const action[] = {
            [VALUE_ANY] = "kind=any", [VALUE_FILE] = "kind=file", [VALUE_DIR] = "kind=dir"
        };
        fprintf(out, ") %s ;;\n", action[kind]);
    }
}

static void write_bash_command(size_t command, FILE *out)
{
    fprintf(out, "    '%s')\n        flags='", command_rows[command].words);
    for (size_t i = 0; i < n_flag_rows; i++) {
        if (is_offered(&flag_rows[i], command)) {
            fprintf(out, "--%s ", flag_rows[i].name);
        }
    }
    fprintf(out, "' takes_files=%d\n        case $flag in\n",
            command_rows[command].max_arguments > 0 || command_rows[command].takes_files);
    for (size_t i = 0; i < n_flag_rows; i++) {
        const struct flag_row *row = &flag_rows[i];
        if (is_offered(row, command) && value_kind(row) == VALUE_WORDS) {
            fprintf(out, "        --%s", row->name);
            if (row->letter != '\0') {
                fprintf(out, " | -%c", row->letter);
            }
            fputs(") kind=words words='", out);
            write_words(row, out);
            fputs("' ;;\n", out);
        }
    }
    write_bash_names(command, VALUE_FILE, out);
    write_bash_names(command, VALUE_DIR, out);
    write_bash_names(command, VALUE_ANY, out);
    fputs("        esac\n        ;;\n", out);
}

static void write_bash_commands(FILE *out)
{
    fputs("    commands='", out);
    for (size_t i = 0; i < N_COMMAND_ROWS; i++) {
        if (is_first(i)) {
            fprintf(out, "%.*s ", first_len(&command_rows[i]), command_rows[i].words);
        }
    }
    fputs("'\n    case $command in\n", out);
    for (size_t i = 0; i < N_COMMAND_ROWS; i++) {
        if (second_word(&command_rows[i]) == NULL) {
            continue;
        }
        if (is_first(i)) {
            fprintf(out, "    %.*s) commands='", first_len(&command_rows[i]),
                    command_rows[i].words);
        }
        fprintf(out, "%s ", second_word(&command_rows[i]));
        if (i + 1 == N_COMMAND_ROWS || is_first(i + 1)) {
            fputs("' ;;\n", out);
        }
    }
    fputs("    esac\n", out);
}

void completion_bash(FILE *out)
{
    fputs("# Completion of otel-ta(1) for bash; made of its tables of commands and flags.\n"
          "_otel_ta() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD - 1]}\n"
          "    local command=${COMP_WORDS[1]} at=2 commands flags='' kind=none words='' "
          "takes_files=0\n"
          "    COMPREPLY=()\n"
          "    if [[ $cur == '=' ]]; then # bash takes --flag=value for three words\n"
          "        cur=''\n"
          "    elif [[ $flag == '=' ]]; then\n"
          "        flag=${COMP_WORDS[COMP_CWORD - 2]}\n"
          "    fi\n"
          "    if ((COMP_CWORD == 1)) || [[ $command == -* ]]; then\n"
          "        command=serve at=1\n"
          "    elif [[ $command == check || $command == certs ]] && ((COMP_CWORD > 2)); then\n"
          "        command+=\" ${COMP_WORDS[2]}\" at=3\n"
          "    fi\n",
          out);
    write_bash_commands(out);
    fputs("    case $command in\n", out);
    for (size_t i = 0; i < N_COMMAND_ROWS; i++) {
        write_bash_command(i, out);
    }
    fputs("    esac\n"
          "    case $kind in\n"
          "    words) COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")) ;;\n"
          "    dir) compopt -o filenames 2>/dev/null\n             COMPREPLY=($(compgen -d -- "
          "\"$cur\")) ;;\n"
          "    file) compopt -o filenames 2>/dev/null\n             COMPREPLY=($(compgen -f -- "
          "\"$cur\")) ;;\n"
          "    any) ;;\n"
          "    *)\n"
          "        if [[ $cur == -* ]]; then\n"
          "            COMPREPLY=($(compgen -W \"$flags\" -- \"$cur\"))\n"
          "        elif ((COMP_CWORD == 1)) || [[ -z $flags ]]; then\n"
          "            COMPREPLY=($(compgen -W \"$commands\" -- \"$cur\"))\n"
          "        elif ((takes_files)) && ((COMP_CWORD >= at)); then\n"
          "            compopt -o filenames 2>/dev/null\n             COMPREPLY=($(compgen -f -- "
          "\"$cur\"))\n"
          "        fi\n"
          "        ;;\n"
          "    esac\n"
          "}\n"
          "complete -F _otel_ta otel-ta\n",
          out);
}

/* ---- zsh */

#define ZSH_QUOTE "'\\''"

static void write_zsh_flag(const struct flag_row *row, FILE *out)
{
    fputs("            ", out);
    if (row->letter == '\0') {
        fprintf(out, "'--%s%s[", row->name,
                row->read == NULL     ? ""
                : flag_is_switch(row) ? "=-"
                                      : "=");
    } else {
        const char *end = row->read == NULL ? "" : "=";
        fprintf(out, "%s{-%c%s,--%s%s}'[", row->read == flagvalue_append ? "'*'" : "", row->letter,
                row->read == NULL ? "" : "+", row->name, end);
    }
    write_quoted(row->help, ZSH_QUOTE, "[]\\", out);
    fputc(']', out);
    switch (value_kind(row)) {
    case VALUE_NONE:
        break;
    case VALUE_SWITCH:
        fputs("::switch:(true false)", out);
        break;
    case VALUE_WORDS:
        fprintf(out, ":%s:(", row->value);
        write_words(row, out);
        fputc(')', out);
        break;
    case VALUE_FILE:
        fprintf(out, ":%s:_files", row->value);
        break;
    case VALUE_DIR:
        fprintf(out, ":%s:_files -/", row->value);
        break;
    case VALUE_ANY:
        fprintf(out, ":%s: ", row->value);
        break;
    }
    fputs("' \\\n", out);
}

static void write_zsh_command(size_t command, FILE *out)
{
    const struct command_row *row = &command_rows[command];

    fprintf(out, "    '%s')\n        _arguments -s -S \\\n", row->words);
    for (size_t i = 0; i < n_flag_rows; i++) {
        if (is_offered(&flag_rows[i], command)) {
            write_zsh_flag(&flag_rows[i], out);
        }
    }
    fprintf(out, "            %s\n        ;;\n",
            row->max_arguments > 0 || row->takes_files ? "'*:FILE:_files'" : "&& return");
}

/* The commands, or with 'first' the second words of those that begin with it. */
static void write_zsh_list(const struct command_row *first, FILE *out)
{
    for (size_t i = 0; i < N_COMMAND_ROWS; i++) {
        const struct command_row *row = &command_rows[i];
        const char *second = second_word(row);
        if (first != NULL && (first_len(first) != first_len(row) || second == NULL ||
                              strncmp(first->words, row->words, (size_t)first_len(row)) != 0)) {
            continue;
        }
        if (first != NULL) {
            fprintf(out, "            '%s:", second);
        } else if (second == NULL) {
            fprintf(out, "            '%s:", row->words);
        } else if (is_first(i)) {
            fprintf(out, "            %.*s\n", first_len(row), row->words);
            continue;
        } else {
            continue;
        }
        write_quoted(row->help, ZSH_QUOTE, "\\", out);
        fputs("'\n", out);
    }
}

void completion_zsh(FILE *out)
{
    fputs("#compdef otel-ta\n"
          "# Completion of otel-ta(1) for zsh; made of its tables of commands and flags.\n"
          "_otel-ta() {\n"
          "    local command=${words[2]} at=2\n"
          "    local -a commands=()\n"
          "    if ((CURRENT == 2)) && [[ $command != -* ]]; then\n"
          "        commands=(\n",
          out);
    write_zsh_list(NULL, out);
    fputs("        )\n", out);
    for (size_t i = 0; i < N_COMMAND_ROWS; i++) {
        if (is_first(i) && second_word(&command_rows[i]) != NULL) {
            fprintf(
                out,
                "    elif ((CURRENT == 3)) && [[ $command == %.*s ]]; then\n        commands=(\n",
                first_len(&command_rows[i]), command_rows[i].words);
            write_zsh_list(&command_rows[i], out);
            fputs("        )\n", out);
        }
    }
    fputs("    fi\n"
          "    if ((${#commands})); then\n"
          "        _describe -t commands command commands\n"
          "        return\n"
          "    fi\n"
          "    case $command in\n"
          "    -*) command=serve at=1 ;;\n"
          "    check | certs) command+=\" ${words[3]}\" at=3 ;;\n"
          "    esac\n"
          "    # What is left is a command of one word with its flags.\n"
          "    words=(otel-ta \"${(@)words[at + 1,-1]}\")\n"
          "    ((CURRENT -= at - 1))\n"
          "    case $command in\n",
          out);
    for (size_t i = 0; i < N_COMMAND_ROWS; i++) {
        write_zsh_command(i, out);
    }
    fputs("    esac\n"
          "}\n"
          "if [[ $funcstack[1] == _otel-ta ]]; then # autoloaded, and called\n"
          "    _otel-ta \"$@\"\n"
          "else # sourced\n"
          "    compdef _otel-ta otel-ta\n"
          "fi\n",
          out);
}

/* ---- fish */

#define FISH_QUOTE "\\'"

static void write_fish_flag(size_t command, const struct flag_row *row, FILE *out)
{
    fprintf(out, "complete -c otel-ta -n '__otel_ta_is %s' -l %s", command_rows[command].words,
            row->name);
    if (row->letter != '\0') {
        fprintf(out, " -s %c", row->letter);
    }
    switch (value_kind(row)) {
    case VALUE_NONE:
    case VALUE_SWITCH:
        break;
    case VALUE_WORDS:
        fputs(" -x -a '", out);
        write_words(row, out);
        fputc('\'', out);
        break;
    case VALUE_FILE:
        fputs(" -r -F", out);
        break;
    case VALUE_DIR:
        fputs(" -x -a '(__fish_complete_directories)'", out);
        break;
    case VALUE_ANY:
        fputs(" -x", out);
        break;
    }
    fputs(" -d '", out);
    write_quoted(row->help, FISH_QUOTE, "\\", out);
    fputs("'\n", out);
}

static void write_fish_command(size_t command, FILE *out)
{
    const struct command_row *row = &command_rows[command];
    const char *second = second_word(row);

    if (second != NULL && is_first(command)) {
        fprintf(out, "complete -c otel-ta -n '__otel_ta_is' -a %.*s\n", first_len(row), row->words);
    }
    fprintf(out, "complete -c otel-ta -n '__otel_ta_is %.*s' -a %s -d '",
            second == NULL ? 0 : first_len(row), row->words, second == NULL ? row->words : second);
    write_quoted(row->help, FISH_QUOTE, "\\", out);
    fputs("'\n", out);
    if (row->max_arguments > 0 || row->takes_files) {
        fprintf(out, "complete -c otel-ta -n '__otel_ta_is %s' -F\n", row->words);
    }
    for (size_t i = 0; i < n_flag_rows; i++) {
        if (is_offered(&flag_rows[i], command)) {
            write_fish_flag(command, &flag_rows[i], out);
        }
    }
}

void completion_fish(FILE *out)
{
    fputs("# Completion of otel-ta(1) for fish; made of its tables of commands and flags.\n"
          "# Is the line at this command? Without one: at its beginning.\n"
          "function __otel_ta_is\n"
          "    set -l words (commandline -opc)[2..-1]\n"
          "    set -l command $words[1]\n"
          "    if string match -q -- '-*' \"$command\"; or test \"$argv\" = serve -a -z "
          "\"$command\"\n"
          "        set command serve\n"
          "    else if contains -- \"$command\" check certs; and set -q words[2]\n"
          "        set command $command $words[2]\n"
          "    end\n"
          "    test \"$command\" = \"$argv\"\n"
          "end\n"
          "complete -c otel-ta -f\n",
          out);
    for (size_t i = 0; i < N_COMMAND_ROWS; i++) {
        write_fish_command(i, out);
    }
}

/* Man page and completions: nothing of the tables is left out. What they mean is asked of mandoc
 * and of the shells in tests/integration/pages.t. */
#include "allocator/base/mem.h"
#include "tests/check.h"
#include "webhook/cli/commandtable.h"
#include "webhook/cli/completion.h"
#include "webhook/cli/manual.h"
#include "webhook/cli/optiontable.h"

#include <stdlib.h>
#include <string.h>

static void write_man(FILE *out)
{
    manual_write("March 1, 2026", out);
}

static void expect(const char *name, const char *text, const char *part)
{
    ok(strstr(text, part) != NULL, "%s: '%s'", name, part);
}

/* 'flag' and 'command' are how the page names one. */
static void check_page(const char *name, void (*write)(FILE *out), const char *command,
                       const char *flag)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    write(out);
    fclose(out);
    for (size_t i = 0; i < N_COMMAND_ROWS; i++) {
        AUTO_STR part = mem_printf("%s%s", command, command_rows[i].words);
        expect(name, text, part);
    }
    for (size_t i = 0; i < n_flag_rows; i++) {
        AUTO_STR part = mem_printf("%s%s", flag, flag_rows[i].name);
        if (flag_rows[i].help != NULL && flag_rows[i].commands != 0) {
            expect(name, text, part);
        } else if (flag_rows[i].commands != 0 && strcmp(flag_rows[i].name, "version") == 0) {
            ok(strstr(text, part) == NULL, "%s: what the help does not show is not in it", name);
        }
        for (size_t k = 0; flag_rows[i].help != NULL && flagvalue_word_at(&flag_rows[i], k) != NULL;
             k++) {
            expect(name, text, flagvalue_word_at(&flag_rows[i], k));
        }
    }
    ok(text[len - 1] == '\n' && strstr(text, "(null)") == NULL, "%s: is whole", name);
    free(text);
}

static void test_man(void)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    write_man(out);
    fclose(out);
    expect("man", text, ".Dd March 1, 2026\n");
    expect("man", text, ".Cm allocate Oo Ar FILE\\[u2026] Oc Op Ar flags\n");
    expect("man", text, ".It Fl f , Fl -filename Ar FILE\nCollector manifests, YAML or JSON; ");
    expect("man", text, ".It Fl -enable-https-server Ns Op Ns = Ns Ar true|false\n");
    expect("man", text, ".It Fl -tls-san Ar NAME,\\[u2026]\n");
    expect("man", text, ".It Ev OTELCOL_NAMESPACE\n");
    ok(strstr(text, "…") == NULL, "man: nothing but ASCII");
    free(text);
}

int main(void)
{
    check_page("man", write_man, ".Ss ", " Fl -");
    check_page("bash", completion_bash, "    '", "--");
    check_page("zsh", completion_zsh, "    '", "--");
    check_page("fish", completion_fish, "__otel_ta_is ", " -l ");
    test_man();
    return check_done();
}

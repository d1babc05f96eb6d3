/* Writes the man page, or the completions of a shell: pages man DATE | pages bash | zsh | fish. A
 * program of the build, not of the release. */
#include "webhook/cli/completion.h"
#include "webhook/cli/manual.h"

#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    static const struct {
        const char *shell;
        void (*write)(FILE *out);
    } shells[] = { { "bash", completion_bash },
                   { "zsh", completion_zsh },
                   { "fish", completion_fish } };

    if (argc == 3 && strcmp(argv[1], "man") == 0) {
        manual_write(argv[2], stdout);
        return EXIT_SUCCESS;
    }
    for (size_t i = 0; argc == 2 && i < sizeof(shells) / sizeof(shells[0]); i++) {
        if (strcmp(argv[1], shells[i].shell) == 0) {
            shells[i].write(stdout);
            return EXIT_SUCCESS;
        }
    }
    fputs("usage: pages man DATE | pages bash | zsh | fish\n", stderr);
    return EXIT_FAILURE;
}

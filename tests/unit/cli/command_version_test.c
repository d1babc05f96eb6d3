/* What 'version' says, with and without what a build may not know. */
#include "webhook/cli/command.h"

#include "allocator/base/mem.h"
#include "tests/check.h"

#include <stdlib.h>

static void says(const struct version *v, enum output output, const char *want, const char *what)
{
    const struct options o = { .command = COMMAND_VERSION, .output = output };
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    const struct command_io io = { out, NULL, v };

    is_int(command_version(&o, &io), EXIT_OK, "%s", what);
    fclose(out);
    if (output == OUTPUT_JSON) {
        is_json(span_of(text), span_of(want), "  in JSON");
    } else {
        is_str(text, want, "  in words");
    }
    free(text);
}

int main(void)
{
    static const struct version_of_library none[] = { { NULL, NULL } };
    static const struct version_of_library two[] = { { "a", "1" },
                                                     { "b", "2~b+1" },
                                                     { NULL, NULL } };
    const struct version clean = { "1.2.3", "0123456789ab", false, "gcc 12.2.0", two };
    const struct version dirty = { "1.2.3+4", "0123456789ab", true, "clang", none };
    const struct version unknown = { "0.1.0", "", false, "gcc", none };

    says(&clean, OUTPUT_DEFAULT, "otel-ta 1.2.3 (commit 0123456789ab)\n", "a commit");
    says(&dirty, OUTPUT_DEFAULT, "otel-ta 1.2.3+4 (commit 0123456789ab, dirty)\n", "and changes");
    says(&unknown, OUTPUT_DEFAULT, "otel-ta 0.1.0 (commit unknown)\n", "no commit");
    says(&clean, OUTPUT_JSON,
         "{\"version\":\"1.2.3\",\"commit\":\"0123456789ab\",\"dirty\":false,"
         "\"compiler\":\"gcc 12.2.0\",\"libraries\":{\"a\":\"1\",\"b\":\"2~b+1\"}}",
         "a commit");
    says(&dirty, OUTPUT_JSON,
         "{\"version\":\"1.2.3+4\",\"commit\":\"0123456789ab\",\"dirty\":true,"
         "\"compiler\":\"clang\",\"libraries\":{}}",
         "and changes");
    says(&unknown, OUTPUT_JSON,
         "{\"version\":\"0.1.0\",\"commit\":null,\"dirty\":false,"
         "\"compiler\":\"gcc\",\"libraries\":{}}",
         "no commit");
    return check_done();
}

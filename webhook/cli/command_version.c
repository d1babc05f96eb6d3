/* 'version'. */
#include "webhook/cli/command.h"

static void print_json(const struct version *v, FILE *out)
{
    const char *quote = v->commit[0] == '\0' ? "" : "\"";

    fprintf(out, "{\n  \"version\": \"%s\",\n  \"commit\": %s%s%s,\n  \"dirty\": %s,\n", v->number,
            quote, v->commit[0] == '\0' ? "null" : v->commit, quote,
            v->is_dirty ? "true" : "false");
    fprintf(out, "  \"compiler\": \"%s\",\n  \"libraries\": {", v->compiler);
    for (const struct version_of_library *l = v->libraries; l->name != NULL; l++) {
        fprintf(out, "%s\n    \"%s\": \"%s\"", l == v->libraries ? "" : ",", l->name, l->number);
    }
    fprintf(out, "\n  }\n}\n");
}

int command_version(const struct options *o, const struct command_io *io)
{
    const struct version *v = io->version;

    if (o->output == OUTPUT_JSON) {
        print_json(v, io->out);
    } else {
        fprintf(io->out, "otel-ta %s (commit %s%s)\n", v->number,
                v->commit[0] == '\0' ? "unknown" : v->commit, v->is_dirty ? ", dirty" : "");
    }
    return EXIT_OK;
}

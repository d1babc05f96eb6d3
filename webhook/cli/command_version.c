/* 'version'. */
#include "webhook/cli/command.h"

#include "webhook/cli/version.h"

int command_version(const struct options *o, const struct command_io *io)
{
    (void)o;
    fprintf(io->out, "otel-ta %s\n", OTEL_TA_VERSION);
    return EXIT_OK;
}

#include "webhook/cli/inspect.h"

#include "webhook/cli/inspect_commands.h"

/* ---- shared */

struct inspect_paths inspect_paths(const struct options *o)
{
    if (o->filenames.n > 0) {
        return (struct inspect_paths){ o->filenames.v, o->filenames.n };
    }
    return (struct inspect_paths){ &o->config_file, o->config_file == NULL ? 0 : 1 };
}

void inspect_report_gaps(const struct scrapejob *job, const struct findings *f)
{
    for (size_t i = 0; i < job->n_sds; i++) {
        if (job->sds[i].mechanism == SD_UNSUPPORTED) {
            fprintf(
                stderr,
                "otel-ta: job '%.*s': %s is not built into this program: its targets are missing\n",
                SPAN_ARG(job->name), job->sds[i].section);
        }
    }
    if (f->n_failed > 0) {
        fprintf(stderr, "otel-ta: job '%.*s': %zu discovery sources could not be read\n",
                SPAN_ARG(job->name), f->n_failed);
    }
    if (f->n_missing > 0) {
        fprintf(stderr, "otel-ta: job '%.*s': %zu discovery sections did not answer in time\n",
                SPAN_ARG(job->name), f->n_missing);
    }
}

/* ---- choice */

int inspect_run(const struct options *o)
{
    log_set_format(LOG_PRETTY);
    if (log_get_level() > LOG_WARN) {
        log_set_level(LOG_WARN); /* what discovery says in passing is no result */
    }
    if (o->command == COMMAND_CHECK_CONFIG) {
        return inspect_config(o);
    }
    if (o->command == COMMAND_CHECK_SD) {
        return inspect_service_discovery(o);
    }
    return o->command == COMMAND_ALLOCATE ? inspect_allocate(o) : inspect_explain(o);
}

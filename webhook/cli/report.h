/* What the commands that look found, as JSON for other programs ('-o json'). Threads: main thread.
 */
#ifndef OTEL_TA_WEBHOOK_CLI_REPORT_H
#define OTEL_TA_WEBHOOK_CLI_REPORT_H

#include "allocator/base/buf.h"
#include "allocator/base/fault.h"

/* {"valid": …, "files": [{"file": …, …}], "faults": [{"severity": …, …}]} */
struct report {
    struct buf files, faults; /* members of the lists */
    bool is_invalid;          /* one of the faults is an error */
};

void report_init(struct report *r);
/* A file, and as 'members' more of its members: "\"jobs\":3"; may be "". */
void report_file(struct report *r, const char *name, const char *members);
void report_faults(struct report *r, const struct faults *f);
/* Lines that were written for people, as faults of severity "error" or "warning". */
void report_lines(struct report *r, struct span lines, bool is_error);
/* Prints it, laid out. */
void report_print(const struct report *r, FILE *out);
void report_fini(struct report *r);

/* Prints JSON of ours, laid out. */
void report_json(struct span json, FILE *out);

#endif

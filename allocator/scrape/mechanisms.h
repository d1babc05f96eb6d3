/* The mechanisms of service discovery that this program runs, one row each: the name under which
 * discovery/ provides it, and the section that asks for it. All other sections are checked
 * (sdtables.h) and reported as not run. To add one: a row here, and a file in discovery/ that
 * defines provider_<name>. Threads: any. */
#ifndef OTEL_TA_SCRAPE_MECHANISMS_H
#define OTEL_TA_SCRAPE_MECHANISMS_H

#define MECHANISMS(M)                                                                              \
    M(static, "static_configs")                                                                    \
    M(file, "file_sd_configs")                                                                     \
    M(http, "http_sd_configs")                                                                     \
    M(kubernetes, "kubernetes_sd_configs")

#define MECHANISM_SECTION(name, section) section,

/* Their sections, NULL-terminated. Stands in a file of its own, as providers[] does (discovery/):
 * a program that defines both runs what it likes. */
extern const char *const mechanisms[];

#endif

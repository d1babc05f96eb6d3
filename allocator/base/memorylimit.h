/* How much memory the process may take: what its owner says, or else what its cgroup and those
 * above it allow (version 2 or 1), at most what the machine has. Caps of things that come in any
 * size are a part of it. Threads: any; reads a few files at each call. */
#ifndef OTEL_TA_BASE_MEMORYLIMIT_H
#define OTEL_TA_BASE_MEMORYLIMIT_H

#include <stddef.h>

/* From now on memorylimit_bytes() is this; 0: as the cgroup says. Before there are other threads.
 */
void memorylimit_set(size_t bytes);
/* Of this process. */
size_t memorylimit_bytes(void);
/* The same where 'root' is what "/" is else, without the machine's memory: SIZE_MAX when nothing
 * limits it. For tests. */
size_t memorylimit_below(const char *root);

/* Values of one YAML or JSON text that is read as a tree, in this process: as of the last
 * memorylimit_set(), LIMIT_YAML_NODES before. */
size_t memorylimit_text_nodes(void);

/* One file_sd file, http_sd body: 1/48, between 16 MiB and 1 GiB. */
size_t memorylimit_sd_body(size_t limit_bytes);
/* All http_sd bodies that are being received: twice that. */
size_t memorylimit_sd_bodies(size_t limit_bytes);
/* All compiled patterns of the process: 1/48, between 16 MiB and 1 GiB. */
size_t memorylimit_patterns(size_t limit_bytes);
/* All scrape jobs of the process, without their targets: 1/24, 16 MiB at least. */
size_t memorylimit_jobs(size_t limit_bytes);
/* All targets, kept or remembered: 1/14, 16 MiB at least. */
size_t memorylimit_targets(size_t limit_bytes);
/* Values of a text: one for each 4 KiB, between 131,072 and LIMIT_YAML_NODES; each takes some 400
 * bytes until its jobs are read. */
size_t memorylimit_nodes(size_t limit_bytes);

#endif

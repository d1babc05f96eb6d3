/* The configuration files of 'serve' as they are at the moment: read, parsed once, and the tenants
 * they make. Threads: main thread. */
#ifndef OTEL_TA_WEBHOOK_CONFIGURATION_H
#define OTEL_TA_WEBHOOK_CONFIGURATION_H

#include "allocator/tenant/dropin.h"
#include "allocator/tenant/jobtexts.h"
#include "allocator/tenant/tenants.h"

#include <stdio.h>

struct configuration_files {  /* which they are; borrowed */
    enum tenants_kind kind;   /* TENANTS_DROPIN: one */
    const char *const *paths; /* a folder stands for the manifests in it, each time anew */
    size_t n;
    bool is_recursive;                /* and those of the folders in it */
    const struct buf *standard_input; /* what is meant by "-": it can be read once only */
};

struct configuration {
    struct arena arena; /* documents */
    struct faults faults;
    VEC(struct tenants_source) sources;
    VEC(char *) watched;    /* owned: what the texts came from, as struct filealarm names it */
    size_t n_unreadable;    /* of the sources */
    uint64_t hash;          /* of the texts and what they came from */
    uint64_t watched_hash;  /* of that alone */
    struct dropin dropin;   /* what upstream's file says; empty when there is none */
    struct tenants tenants; /* to be told to the engine */
};

void configuration_init(struct configuration *c);
/* The texts; a file that cannot be read has a fault. At the start a pipe is fine; later
 * ('is_reload') nobody waits for its other end. */
void configuration_read(struct configuration *c, const struct configuration_files *files,
                        bool is_reload);
/* 'dropin', if there is such a file. False: it has a fault, and is empty. */
bool configuration_parse(struct configuration *c);
/* 'tenants', after configuration_parse(): what has no fault, and what is missing. */
void configuration_load(struct configuration *c, const struct tenants_options *options);
/* For the next time: what the texts mean, if that was all fine. */
void configuration_learn(struct configuration *c, struct jobtexts *known);
/* In place of all three: reads only the jobs that are not 'known', if there is no doubt and no
 * fault. False: nothing was done. */
bool configuration_load_changed(struct configuration *c, const struct tenants_options *options,
                                struct jobtexts *known);
/* There is no fault at all. */
bool configuration_is_sound(const struct configuration *c);
/* Prints the faults on 'out', or logs them where that is NULL. */
void configuration_report(const struct configuration *c, FILE *out);
/* '*from' is empty then; '*to' was. */
void configuration_move(struct configuration *from, struct configuration *to);
/* Once more is fine. */
void configuration_fini(struct configuration *c);

#endif

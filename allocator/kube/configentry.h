/* The entries of kubeconfig files and their members, for those who read them (config.c,
 * configuser.c). Faults go to the reader's list, below the path to the entry. Threads: any. */
#ifndef OTEL_TA_KUBE_CONFIGENTRY_H
#define OTEL_TA_KUBE_CONFIGENTRY_H

#include "allocator/codec/node.h"
#include "allocator/kube/config.h"

struct configfile {
    const char *path;
    const struct node *root; /* a map, or NULL */
};

struct configreader {
    struct configfile *files;
    size_t n_files;
    bool may_run;
    struct arena *arena;
    struct faults *f;
};

/* One entry of "clusters", "users" or "contexts": what stands under its own word. */
struct configentry {
    const char *file;        /* NULL: there is no entry of that name */
    const struct node *body; /* a map; NULL: the entry has none, and that was reported */
    size_t mark;             /* of the path to it, while it is open */
};

int configfile_parse(struct configreader *r, const struct kubeconfig_text *text,
                     struct configfile *out) MUST_USE;
/* No two entries of one name. */
void configfile_check(struct configreader *r, const struct configfile *file);

/* The first file's entry 'name' of 'list_name', which stands there under 'word'; from here to
 * configentry_leave() faults are in its file and below its path. */
struct configentry configentry_enter(struct configreader *r, const char *list_name,
                                     const char *word, struct span name);
void configentry_leave(struct configreader *r, const struct configentry *e);
bool configentry_has_name(const struct node *item, struct span name);

/* Members; empty or false when absent. */
struct span configentry_text(struct configreader *r, const struct configentry *e, const char *key);
bool configentry_flag(struct configreader *r, const struct configentry *e, const char *key);
/* Relative ones against the folder of the file that holds the entry. */
struct span configentry_resolve(struct configreader *r, const struct configentry *e,
                                struct span path);
struct span configentry_path(struct configreader *r, const struct configentry *e, const char *key);
/* 'key', a path, and 'key'-data, which counts when both are there. */
void configentry_file_or_data(struct configreader *r, const struct configentry *e, const char *key,
                              struct span *out_file, struct span *out_data);

#endif

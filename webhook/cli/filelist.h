/* The files that somebody names: a folder stands for the manifests in it, as with kubectl. Threads:
 * main thread. */
#ifndef OTEL_TA_WEBHOOK_CLI_FILELIST_H
#define OTEL_TA_WEBHOOK_CLI_FILELIST_H

#include "allocator/base/err.h"
#include "webhook/cli/flagvalue.h"

/* Each folder of 'names' becomes its files that end in .yaml, .yml or .json, by name, without those
 * that begin with a dot; 'is_recursive': and those of the folders in it, links to folders left out.
 * What cannot be looked at stays for whoever reads it. ERR_NOT_FOUND: there is none in a folder,
 * ERR_IO: it cannot be read, ERR_TOO_BIG. New texts live in 'arena'. 'out_found' gets
 * those that came of folders, in the order of 'names'. */
int filelist_expand(flag_texts *names, bool is_recursive, struct arena *arena,
                    flag_texts *out_found, struct err *err) MUST_USE;
/* The same for one of them: its files come after those in '*out_files', and the folders that were
 * looked into, itself first, after those in '*out_folders', also when it fails. */
int filelist_folder(const char *folder, bool is_recursive, struct arena *arena,
                    flag_texts *out_files, flag_texts *out_folders, struct err *err) MUST_USE;
/* It is there, and no file. */
bool filelist_is_folder(const char *name);
/* Has somebody given standard input something to read: a file, a pipe, a socket? */
bool filelist_has_stdin(void);

#endif

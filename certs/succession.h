/* Our own authority through time: the present one, the next, the previous, and the leaf that
 * servers present; in a directory, or in memory, where it lives as long as the process. rotation.h
 * says what is due, this does it. The directory is read anew by each call, under a lock that keeps
 * two processes apart; a stop between two files of a step is made good by the next call. Threads:
 * the keeper's, or a command's only thread. */
#ifndef OTEL_TA_CERTS_SUCCESSION_H
#define OTEL_TA_CERTS_SUCCESSION_H

#include "certs/keypair.h"

#include <stdbool.h>
#include <stdint.h>

struct succession {
    const char *dir;          /* NULL: in memory; borrowed, as the names are */
    const char *const *names; /* of the leaf */
    size_t n_names;
    bool is_in_use; /* somebody trusts what was here: where it is gone, nothing new takes its place
                     */
    /* in memory the state between two calls, else what the directory had at the last one */
    struct keypair current, next, leaf;
    X509 *previous;
    int64_t next_since_s, previous_since_s;
    bool is_rotation_wanted;
};

/* Only the server issues leaves: commands do not know its names. Who only looks makes an authority
 * where there is none. */
enum succession_steps { SUCCESSION_ALL, SUCCESSION_AUTHORITIES, SUCCESSION_BOOTSTRAP };

/* Carries out what is due. */
int succession_advance(struct succession *s, int64_t now_s, enum succession_steps how,
                       struct err *err) MUST_USE;
/* Asks for a new authority, in a directory; the running server goes through the steps. */
int succession_rotate(struct succession *s, int64_t now_s, struct err *err) MUST_USE;
/* What clients should trust, as PEM. */
void succession_bundle(const struct succession *s, struct buf *out);
/* For people; writes nothing to the directory. ERR_NOT_FOUND when there is no authority. */
int succession_describe(struct succession *s, int64_t now_s, struct buf *out,
                        struct err *err) MUST_USE;
void succession_fini(struct succession *s);

#endif

#include "certs/succession.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "certs/authority.h"
#include "certs/certificate.h"
#include "certs/describe.h"
#include "certs/pemfile.h"
#include "certs/rotation.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLACK_S = 300 };

static int write_certificate(const char *dir, const char *name, X509 *cert, struct err *err)
{
    AUTO_BUF pem;
    struct keypair kp = { NULL, cert };

    buf_init(&pem, LIMIT_CERTIFICATE);
    keypair_cert_pem(&kp, &pem);
    return pemfile_write(dir, name, buf_span(&pem), 0644, err);
}

static int write_key(const char *dir, const char *name, const struct keypair *kp, struct err *err)
{
    AUTO_BUF pem;

    buf_init_secret(&pem, LIMIT_CERTIFICATE);
    keypair_key_pem(kp, &pem);
    return pemfile_write(dir, name, buf_span(&pem), 0600, err);
}

void succession_fini(struct succession *s)
{
    keypair_fini(&s->current);
    keypair_fini(&s->next);
    keypair_fini(&s->leaf);
    X509_free(s->previous);
    s->previous = NULL;
}

/* Reads a keypair from two files of 'dir' that may be one. What is not there, or damaged, leaves
 * 'out' empty and is not an error: the next step replaces it. What cannot be read is one, for it
 * may be a good key behind a passing fault. */
static int load_pair(const char *dir, const char *cert_name, const char *key_name,
                     struct keypair *out, struct err *err)
{
    AUTO_STR cert_path = mem_printf("%s/%s", dir, cert_name);
    AUTO_STR key_path = mem_printf("%s/%s", dir, key_name);
    AUTO_BUF cert, key;

    buf_init_secret(&cert, LIMIT_CERTIFICATE); /* it may hold the key, too */
    buf_init_secret(&key, LIMIT_CERTIFICATE);
    if (!pemfile_exists(dir, cert_name) || !pemfile_exists(dir, key_name)) {
        return 0;
    }
    int rc = pemfile_read(cert_path, &cert, err);
    if (rc == 0) {
        rc = pemfile_read(key_path, &key, err);
    }
    if (rc == 0 && keypair_from_pem(buf_span(&cert), buf_span(&key), out, NULL) < 0) {
        *out = (struct keypair){ NULL, NULL };
    }
    return rc;
}

static int load_authority(struct succession *s, struct err *err)
{
    struct keypair previous = { NULL, NULL };

    succession_fini(s);
    int rc = load_pair(s->dir, "authority.pem", "authority.pem", &s->current, err);
    if (rc == 0) {
        rc = load_pair(s->dir, "next-authority.pem", "next-authority.pem", &s->next, err);
    }
    if (rc == 0) {
        rc = load_pair(s->dir, "previous-authority.pem", "previous-authority.pem", &previous, err);
        s->previous = previous.cert;
        EVP_PKEY_free(previous.key);
    }
    if (rc == 0) {
        rc = load_pair(s->dir, "tls.crt", "tls.key", &s->leaf, err);
    }
    s->next_since_s = pemfile_time_s(s->dir, "next-authority.pem");
    s->previous_since_s = pemfile_time_s(s->dir, "authority.pem");
    s->is_rotation_wanted = pemfile_exists(s->dir, "rotate");
    return rc;
}

static bool leaf_has_names(const struct succession *s)
{
    struct certificate_names names;
    bool has_all = true;

    certificate_names(s->leaf.cert, &names);
    for (size_t i = 0; i < s->n_names; i++) {
        has_all = has_all && certificate_names_have(&names, s->names[i]);
    }
    certificate_names_fini(&names);
    return has_all;
}

/* Signed by the present authority, and not expired. */
static bool leaf_is_ours(const struct succession *s, int64_t now_s)
{
    int64_t from_s = 0, until_s = 0;

    certificate_validity(s->leaf.cert, &from_s, &until_s);
    return now_s < until_s && X509_verify(s->leaf.cert, s->current.key) == 1;
}

static bool is_early(const X509 *cert, int64_t now_s)
{
    int64_t from_s = 0, until_s = 0;

    certificate_validity(cert, &from_s, &until_s);
    return now_s < from_s;
}

/* What was noted with the clock of another machine, or of the file system, may be a little ahead.
 */
static bool is_time_early(int64_t since_s, int64_t now_s)
{
    return since_s > now_s + SLACK_S;
}

/* A new one must live longer, or the end of the authority would have us issue for ever. */
static bool leaf_is_due(const struct succession *s, int64_t now_s)
{
    int64_t from_s = 0, until_s = 0, ca_until_s = 0;

    certificate_validity(s->leaf.cert, &from_s, &until_s);
    certificate_validity(s->current.cert, &from_s, &ca_until_s);
    return now_s >= certificate_due_s(s->leaf.cert) && until_s < ca_until_s;
}

static struct rotation_facts gather(const struct succession *s, int64_t now_s)
{
    struct rotation_facts f = { .has_authority = s->current.cert != NULL,
                                .is_rotation_wanted = s->is_rotation_wanted,
                                .has_next = s->next.cert != NULL,
                                .next_since_s = s->next_since_s,
                                .has_previous = s->previous != NULL,
                                .previous_since_s = s->previous_since_s };
    int64_t from_s = 0, until_s = 0;

    f.is_early =
        f.has_authority &&
        (is_early(s->current.cert, now_s) ||
         (f.has_next && (is_early(s->next.cert, now_s) || is_time_early(s->next_since_s, now_s))) ||
         (f.has_previous && is_time_early(s->previous_since_s, now_s)));
    if (f.has_authority) {
        certificate_validity(s->current.cert, &from_s, &until_s);
        f.is_authority_expired = now_s >= until_s;
        f.is_authority_due = now_s >= certificate_due_s(s->current.cert);
    }
    if (f.has_authority && s->leaf.cert != NULL) {
        f.has_leaf = leaf_is_ours(s, now_s) && !is_early(s->leaf.cert, now_s) && leaf_has_names(s);
        f.is_leaf_due = leaf_is_due(s, now_s);
    }
    return f;
}

void succession_bundle(const struct succession *s, struct buf *out)
{
    const struct keypair previous = { NULL, s->previous };

    if (s->current.cert != NULL) {
        keypair_cert_pem(&s->current, out);
    }
    if (s->next.cert != NULL) {
        keypair_cert_pem(&s->next, out);
    }
    if (s->previous != NULL) {
        keypair_cert_pem(&previous, out);
    }
}

static int write_bundle(const struct succession *s, struct err *err)
{
    AUTO_BUF pem;

    buf_init(&pem, LIMIT_CERTIFICATE);
    succession_bundle(s, &pem);
    return pemfile_write(s->dir, "ca.crt", buf_span(&pem), 0644, err);
}

static int write_leaf(const struct succession *s, const struct keypair *kp, struct err *err)
{
    int rc = write_key(s->dir, "tls.key", kp, err);
    return rc < 0 ? rc : write_certificate(s->dir, "tls.crt", kp->cert, err);
}

/* Key and certificate in one file, so that there is never one without the other. */
static int write_authority(const struct succession *s, const char *name, const struct keypair *kp,
                           struct err *err)
{
    AUTO_BUF pem;

    buf_init_secret(&pem, LIMIT_CERTIFICATE);
    keypair_key_pem(kp, &pem);
    keypair_cert_pem(kp, &pem);
    return pemfile_write(s->dir, name, buf_span(&pem), 0600, err);
}

static int do_bootstrap(struct succession *s, int64_t now_s, struct err *err)
{
    struct keypair fresh = { NULL, NULL };
    int rc = authority_create(now_s, &fresh, err);

    if (rc == 0 && s->dir != NULL) {
        rc = write_authority(s, "authority.pem", &fresh, err);
    }
    if (rc < 0) {
        keypair_fini(&fresh);
        return rc;
    }
    keypair_fini(&s->current);
    s->current = fresh;
    return s->dir == NULL ? 0 : write_bundle(s, err);
}

static int redate(struct succession *s, const char *name, struct keypair *kp, int64_t now_s,
                  struct err *err)
{
    struct keypair fresh = { NULL, NULL };
    int rc = authority_redate(kp, now_s, &fresh, err);

    if (rc == 0 && s->dir != NULL) {
        rc = write_authority(s, name, &fresh, err);
    }
    if (rc < 0) {
        keypair_fini(&fresh);
        return rc;
    }
    keypair_fini(kp);
    *kp = fresh;
    return 0;
}

/* What was made while the clock was ahead would be of no use until it is as late again. Who trusts
 * it goes on doing so: key and name stay. */
static int do_redate(struct succession *s, int64_t now_s, struct err *err)
{
    int rc = 0;

    if (is_early(s->current.cert, now_s)) {
        rc = redate(s, "authority.pem", &s->current, now_s, err);
    }
    if (rc == 0 && s->next.cert != NULL && is_early(s->next.cert, now_s)) {
        rc = redate(s, "next-authority.pem", &s->next, now_s, err);
    }
    if (rc < 0) {
        return rc;
    }
    /* What waits begins to wait now. */
    if (is_time_early(s->next_since_s, now_s)) {
        s->next_since_s = now_s;
    }
    if (is_time_early(s->previous_since_s, now_s)) {
        s->previous_since_s = now_s;
    }
    if (s->dir == NULL) {
        return 0;
    }
    pemfile_set_time(s->dir, "next-authority.pem", s->next_since_s);
    pemfile_set_time(s->dir, "authority.pem", s->previous_since_s);
    return write_bundle(s, err);
}

static int do_stage(struct succession *s, int64_t now_s, struct err *err)
{
    struct keypair fresh = { NULL, NULL };
    int rc = authority_create(now_s, &fresh, err);

    if (rc == 0 && s->dir != NULL) {
        rc = write_authority(s, "next-authority.pem", &fresh, err);
    }
    if (rc < 0) {
        keypair_fini(&fresh);
        return rc;
    }
    s->next = fresh;
    s->next_since_s = now_s;
    s->is_rotation_wanted = false;
    if (s->dir == NULL) {
        return 0;
    }
    pemfile_remove(s->dir, "rotate");
    return write_bundle(s, err);
}

static int do_switch(struct succession *s, int64_t now_s, struct err *err)
{
    int rc = 0;

    if (s->dir != NULL) {
        rc = write_authority(s, "previous-authority.pem", &s->current, err);
        rc = rc < 0 ? rc : write_authority(s, "authority.pem", &s->next, err);
        if (rc < 0) {
            return rc;
        }
        pemfile_remove(s->dir, "next-authority.pem");
    }
    X509_free(s->previous);
    s->previous = s->current.cert;
    s->current.cert = NULL;
    keypair_fini(&s->current);
    s->current = s->next;
    s->next = (struct keypair){ NULL, NULL };
    s->previous_since_s = now_s;
    return s->dir == NULL ? 0 : write_bundle(s, err);
}

static int do_retire(struct succession *s, struct err *err)
{
    X509_free(s->previous);
    s->previous = NULL;
    if (s->dir == NULL) {
        return 0;
    }
    pemfile_remove(s->dir, "previous-authority.pem");
    return write_bundle(s, err);
}

/* For our names, and for those that a leaf of ours has which is good but for a name that is
 * missing: another server that shares the directory was given other names, and each would undo what
 * the other did. A renewal begins with our names alone, so that a name nobody has any more goes. */
static void choose_names(const struct succession *s, int64_t now_s, struct certificate_names *out)
{
    memset(out, 0, sizeof(*out));
    if (s->leaf.cert != NULL && leaf_is_ours(s, now_s) && !leaf_is_due(s, now_s)) {
        certificate_names(s->leaf.cert, out);
    }
    for (size_t i = 0; i < s->n_names; i++) {
        if (!certificate_names_have(out, s->names[i])) {
            *vec_push(&out->list) = mem_strdup(s->names[i]);
        }
    }
}

static int do_issue(struct succession *s, int64_t now_s, struct err *err)
{
    struct keypair fresh = { NULL, NULL };
    struct certificate_names names;

    choose_names(s, now_s, &names);
    int rc = authority_issue(&s->current, (const char *const *)names.list.v, names.list.n, now_s,
                             &fresh, err);
    certificate_names_fini(&names);
    if (rc == 0 && s->dir != NULL) {
        rc = write_leaf(s, &fresh, err);
    }
    if (rc < 0) {
        keypair_fini(&fresh);
        return rc;
    }
    keypair_fini(&s->leaf);
    s->leaf = fresh;
    return 0;
}

static int carry_out(struct succession *s, enum rotation_step step, int64_t now_s, struct err *err)
{
    switch (step) {
    case ROTATION_BOOTSTRAP:
        return do_bootstrap(s, now_s, err);
    case ROTATION_REDATE:
        return do_redate(s, now_s, err);
    case ROTATION_STAGE:
        return do_stage(s, now_s, err);
    case ROTATION_SWITCH:
        return do_switch(s, now_s, err);
    case ROTATION_RETIRE:
        return do_retire(s, err);
    case ROTATION_ISSUE:
        return do_issue(s, now_s, err);
    case ROTATION_REST:
        break;
    }
    return 0;
}

static bool may_take(enum succession_steps how, enum rotation_step step)
{
    return how == SUCCESSION_ALL || step == ROTATION_BOOTSTRAP ||
           (how == SUCCESSION_AUTHORITIES && step != ROTATION_ISSUE);
}

static int advance(struct succession *s, int64_t now_s, enum succession_steps how, struct err *err)
{
    for (;;) {
        struct rotation_facts facts = gather(s, now_s);
        enum rotation_step step = rotation_next(&facts, now_s);
        if (step == ROTATION_REST || !may_take(how, step)) {
            return 0;
        }
        int rc = carry_out(s, step, now_s, err);
        if (rc < 0) {
            return err_wrap(err, rc, "certificate rotation, step %s", rotation_step_name(step));
        }
    }
}

/* Opens and locks the directory, which the server creates when its parent exists. */
static int lock_directory(const struct succession *s, enum succession_steps how, struct err *err)
{
    if (how == SUCCESSION_ALL && mkdir(s->dir, 0700) != 0 && errno != EEXIST) {
        return err_sys(err, errno, "%s", s->dir);
    }
    AUTO_STR path = mem_printf("%s/.lock", s->dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        int e = errno;
        mem_close_fd(&fd);
        return err_sys(err, e, "%s", e == ENOENT || e == ENOTDIR ? s->dir : path);
    }
    return fd;
}

/* A stop between two files of a step is made good here: the next authority that became the current
 * one, and a bundle that says something else than the authorities. */
static int mend(struct succession *s, struct err *err)
{
    AUTO_STR path = mem_printf("%s/ca.crt", s->dir);
    AUTO_BUF is, should;

    buf_init(&is, LIMIT_CERTIFICATE);
    buf_init(&should, LIMIT_CERTIFICATE);
    if (s->current.cert != NULL && s->next.cert != NULL &&
        X509_cmp(s->current.cert, s->next.cert) == 0) {
        keypair_fini(&s->next);
        pemfile_remove(s->dir, "next-authority.pem");
    }
    succession_bundle(s, &should);
    if (pemfile_exists(s->dir, "ca.crt")) {
        int rc = pemfile_read(path, &is, err);
        if (rc < 0) {
            return rc;
        }
    }
    return s->current.cert == NULL || span_eq(buf_span(&is), buf_span(&should))
               ? 0
               : write_bundle(s, err);
}

static int advance_directory(struct succession *s, int64_t now_s, enum succession_steps how,
                             struct err *err)
{
    AUTO_FD lock = lock_directory(s, how, err);

    if (lock < 0) {
        return lock;
    }
    int rc = load_authority(s, err);
    if (rc == 0 && s->current.cert == NULL && s->is_in_use) {
        /* Everybody trusts the one that was here: a new one would be trusted by nobody. */
        return err_set(err, ERR_NOT_FOUND, "%s: the certificate authority is gone", s->dir);
    }
    if (rc == 0) {
        rc = mend(s, err);
    }
    return rc < 0 ? rc : advance(s, now_s, how, err);
}

int succession_advance(struct succession *s, int64_t now_s, enum succession_steps how,
                       struct err *err)
{
    return s->dir != NULL ? advance_directory(s, now_s, how, err) : advance(s, now_s, how, err);
}

int succession_rotate(struct succession *s, int64_t now_s, struct err *err)
{
    if (!pemfile_exists(s->dir, "authority.pem")) {
        return err_set(err, ERR_NOT_FOUND, "%s: there is no certificate authority to rotate",
                       s->dir);
    }
    AUTO_FD lock = lock_directory(s, SUCCESSION_AUTHORITIES, err);
    if (lock < 0) {
        return lock;
    }
    int rc = load_authority(s, err);
    if (rc < 0) {
        return rc;
    }
    if (s->next.cert != NULL || s->previous != NULL) {
        return err_set(err, ERR_CONFLICT, "a rotation is under way already");
    }
    rc = pemfile_write(s->dir, "rotate", SPAN_LIT(""), 0600, err);
    if (rc < 0) {
        return rc;
    }
    s->is_rotation_wanted = true;
    return advance(s, now_s, SUCCESSION_AUTHORITIES, err);
}

/* ---- for people */

/* Looks without writing anything, for it may be the wrong directory. */
static int look(struct succession *s, struct err *err)
{
    if (s->dir == NULL) {
        return 0;
    }
    AUTO_FD dir = open(s->dir, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    AUTO_FD lock = dir < 0 ? -1 : openat(dir, ".lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (dir < 0 || (lock >= 0 && flock(lock, LOCK_SH) != 0)) {
        return err_sys(err, errno, "%s", s->dir);
    }
    return load_authority(s, err);
}

static void describe_authorities(const struct succession *s, int64_t now_s, struct buf *out)
{
    int64_t switch_s = s->next_since_s + ROTATION_SOAK_SECONDS;
    int64_t retire_s = s->previous_since_s + ROTATION_RETIRE_SECONDS;
    int64_t due_s = s->is_rotation_wanted ? now_s : certificate_due_s(s->current.cert);

    if (s->next.cert != NULL) {
        describe_certificate("authority", s->current.cert, "makes room for the next one", switch_s,
                             out);
        describe_certificate("next", s->next.cert, "becomes the authority", switch_s, out);
    } else {
        due_s = s->previous != NULL && due_s < retire_s ? retire_s : due_s;
        describe_certificate("authority", s->current.cert, "gets a successor", due_s, out);
    }
    if (s->previous != NULL) {
        describe_certificate("previous", s->previous, "trusted no longer", retire_s, out);
    }
}

/* A new one lives longer than the present one, unless its authority ends before. */
static void describe_leaf(const struct succession *s, struct buf *out)
{
    int64_t from_s = 0, until_s = 0, ca_until_s = 0;

    if (s->leaf.cert == NULL) {
        buf_add_str(out, "leaf       none yet: a server makes it\n");
        return;
    }
    certificate_validity(s->leaf.cert, &from_s, &until_s);
    certificate_validity(s->current.cert, &from_s, &ca_until_s);
    describe_certificate("leaf", s->leaf.cert,
                         until_s < ca_until_s ? "renewed" : "renewed with its authority",
                         until_s < ca_until_s ? certificate_due_s(s->leaf.cert) : 0, out);
}

int succession_describe(struct succession *s, int64_t now_s, struct buf *out, struct err *err)
{
    int rc = look(s, err);

    if (rc < 0) {
        return rc;
    }
    if (s->current.cert == NULL) {
        return err_set(err, ERR_NOT_FOUND, "%s: there are no certificates",
                       s->dir == NULL ? "memory" : s->dir);
    }
    describe_authorities(s, now_s, out);
    describe_leaf(s, out);
    return 0;
}

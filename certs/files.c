#include "certs/files.h"

#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/readfile.h"
#include "certs/authority.h"
#include "certs/certificate.h"
#include "certs/describe.h"
#include "certs/rotation.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum certs_mode { MODE_MEMORY, MODE_FILES, MODE_DIRECTORY };

struct certs {
    enum certs_mode mode;
    char *dir, *cert_file, *key_file, *client_ca_file;
    char **names;
    size_t n_names;
    char *paths[8];
    uint64_t content_hash; /* of what the last identity was made from; 0 = none yet */
    /* own authority: the state between two refreshes in memory mode, scratch in directory mode */
    struct keypair current, next, leaf;
    X509 *previous;
    int64_t next_since_s, previous_since_s;
    bool is_rotation_wanted;
};

/* ---- files */

static int read_file(const char *path, struct buf *out, struct err *err)
{
    struct readfile_signature signature;
    AUTO_STR body = NULL;
    size_t len = 0;

    int rc = readfile_read(path, LIMIT_CERTIFICATE, &signature, &body, &len, err);
    if (rc == 0) {
        buf_add_span(out, span_make(body, len));
        explicit_bzero(body, len); /* a key, perhaps */
    }
    return rc;
}

/* Replaces 'dir/name' in one step: whoever reads sees the old or the new content. */
static int write_file(const char *dir, const char *name, struct span content, mode_t mode,
                      struct err *err)
{
    AUTO_STR path = mem_printf("%s/%s", dir, name);
    AUTO_STR tmp = mem_printf("%s/.%s.new", dir, name);
    AUTO_FD fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);

    if (fd < 0) {
        return err_sys(err, errno, "%s", tmp);
    }
    if (fchmod(fd, mode) != 0 || write(fd, content.p, content.len) != (ssize_t)content.len ||
        fsync(fd) != 0 || rename(tmp, path) != 0) {
        int e = errno;
        unlink(tmp);
        return err_sys(err, e, "%s", path);
    }
    return 0;
}

static int write_certificate(const char *dir, const char *name, X509 *cert, struct err *err)
{
    AUTO_BUF pem;
    struct keypair kp = { NULL, cert };

    buf_init(&pem, LIMIT_CERTIFICATE);
    keypair_cert_pem(&kp, &pem);
    return write_file(dir, name, buf_span(&pem), 0644, err);
}

static int write_key(const char *dir, const char *name, const struct keypair *kp, struct err *err)
{
    AUTO_BUF pem;

    buf_init_secret(&pem, LIMIT_CERTIFICATE);
    keypair_key_pem(kp, &pem);
    return write_file(dir, name, buf_span(&pem), 0600, err);
}

static void remove_file(const char *dir, const char *name)
{
    AUTO_STR path = mem_printf("%s/%s", dir, name);
    unlink(path);
}

static bool file_exists(const char *dir, const char *name)
{
    AUTO_STR path = mem_printf("%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

static int64_t file_time_s(const char *dir, const char *name)
{
    AUTO_STR path = mem_printf("%s/%s", dir, name);
    struct stat st;
    return stat(path, &st) == 0 ? (int64_t)st.st_mtim.tv_sec : 0;
}

/* ---- life */

static char *dup_or_null(const char *s)
{
    return s == NULL ? NULL : mem_strdup(s);
}

struct certs *certs_new(const struct certs_options *o)
{
    struct certs *c = mem_zalloc(sizeof(*c));
    size_t n = 0;

    c->mode = o->cert_file != NULL ? MODE_FILES : o->dir != NULL ? MODE_DIRECTORY : MODE_MEMORY;
    c->dir = dup_or_null(o->dir);
    c->client_ca_file = dup_or_null(o->client_ca_file);
    c->cert_file = o->cert_file != NULL ? mem_strdup(o->cert_file)
                   : o->dir != NULL     ? mem_printf("%s/tls.crt", o->dir)
                                        : NULL;
    c->key_file = o->key_file != NULL ? mem_strdup(o->key_file)
                  : o->dir != NULL    ? mem_printf("%s/tls.key", o->dir)
                                      : NULL;
    c->names = mem_array(o->n_names + 1, sizeof(*c->names));
    for (size_t i = 0; i < o->n_names; i++) {
        c->names[i] = mem_strdup(o->names[i]);
    }
    c->n_names = o->n_names;
    if (c->cert_file != NULL) {
        c->paths[n++] = c->cert_file;
        c->paths[n++] = c->key_file;
    }
    if (c->client_ca_file != NULL) {
        c->paths[n++] = c->client_ca_file;
    }
    return c;
}

static void forget_authority(struct certs *c)
{
    keypair_fini(&c->current);
    keypair_fini(&c->next);
    keypair_fini(&c->leaf);
    X509_free(c->previous);
    c->previous = NULL;
}

void certs_free(struct certs **certs)
{
    struct certs *c = *certs;

    if (c == NULL) {
        return;
    }
    forget_authority(c);
    for (size_t i = 0; i < c->n_names; i++) {
        mem_free(c->names[i]);
    }
    mem_free(c->names);
    mem_free(c->dir);
    mem_free(c->cert_file);
    mem_free(c->key_file);
    mem_free(c->client_ca_file);
    mem_free(c);
    *certs = NULL;
}

const char *const *certs_paths(const struct certs *c)
{
    return (const char *const *)c->paths;
}

/* ---- our own authority */

/* A directory that has a pair but no authority of ours is kept by somebody else. */
static bool is_own(const struct certs *c)
{
    if (c->mode != MODE_DIRECTORY) {
        return c->mode == MODE_MEMORY;
    }
    return file_exists(c->dir, "authority.pem") || !file_exists(c->dir, "tls.crt");
}

/* Reads a keypair from two files of 'dir' that may be one. What is not there, or damaged, leaves
 * 'out' empty and is no error: the next step replaces it. What cannot be read is one, for it may be
 * a good key behind a passing fault. */
static int load_pair(const char *dir, const char *cert_name, const char *key_name,
                     struct keypair *out, struct err *err)
{
    AUTO_STR cert_path = mem_printf("%s/%s", dir, cert_name);
    AUTO_STR key_path = mem_printf("%s/%s", dir, key_name);
    AUTO_BUF cert, key;

    buf_init_secret(&cert, LIMIT_CERTIFICATE); /* it may hold the key, too */
    buf_init_secret(&key, LIMIT_CERTIFICATE);
    if (!file_exists(dir, cert_name) || !file_exists(dir, key_name)) {
        return 0;
    }
    int rc = read_file(cert_path, &cert, err);
    if (rc == 0) {
        rc = read_file(key_path, &key, err);
    }
    if (rc == 0 && keypair_from_pem(buf_span(&cert), buf_span(&key), out, NULL) < 0) {
        *out = (struct keypair){ NULL, NULL };
    }
    return rc;
}

static int load_authority(struct certs *c, struct err *err)
{
    struct keypair previous = { NULL, NULL };

    forget_authority(c);
    int rc = load_pair(c->dir, "authority.pem", "authority.pem", &c->current, err);
    if (rc == 0) {
        rc = load_pair(c->dir, "next-authority.pem", "next-authority.pem", &c->next, err);
    }
    if (rc == 0) {
        rc = load_pair(c->dir, "previous-authority.pem", "previous-authority.pem", &previous, err);
        c->previous = previous.cert;
        EVP_PKEY_free(previous.key);
    }
    if (rc == 0) {
        rc = load_pair(c->dir, "tls.crt", "tls.key", &c->leaf, err);
    }
    c->next_since_s = file_time_s(c->dir, "next-authority.pem");
    c->previous_since_s = file_time_s(c->dir, "authority.pem");
    c->is_rotation_wanted = file_exists(c->dir, "rotate");
    return rc;
}

static bool leaf_has_names(const struct certs *c)
{
    struct certificate_names names;
    bool has_all = true;

    certificate_names(c->leaf.cert, &names);
    for (size_t i = 0; i < c->n_names; i++) {
        has_all = has_all && certificate_names_have(&names, c->names[i]);
    }
    certificate_names_fini(&names);
    return has_all;
}

/* Signed by the present authority, and not expired. */
static bool leaf_is_valid(const struct certs *c, int64_t now_s)
{
    int64_t from_s = 0, until_s = 0;

    certificate_validity(c->leaf.cert, &from_s, &until_s);
    return now_s < until_s && X509_verify(c->leaf.cert, c->current.key) == 1;
}

/* A new one must live longer, or the end of the authority would have us issue for ever. */
static bool leaf_is_due(const struct certs *c, int64_t now_s)
{
    int64_t from_s = 0, until_s = 0, ca_until_s = 0;

    certificate_validity(c->leaf.cert, &from_s, &until_s);
    certificate_validity(c->current.cert, &from_s, &ca_until_s);
    return now_s >= certificate_due_s(c->leaf.cert) && until_s < ca_until_s;
}

static struct rotation_facts gather(const struct certs *c, int64_t now_s)
{
    struct rotation_facts f = { .has_authority = c->current.cert != NULL,
                                .is_rotation_wanted = c->is_rotation_wanted,
                                .has_next = c->next.cert != NULL,
                                .next_since_s = c->next_since_s,
                                .has_previous = c->previous != NULL,
                                .previous_since_s = c->previous_since_s };
    int64_t from_s = 0, until_s = 0;

    if (f.has_authority) {
        certificate_validity(c->current.cert, &from_s, &until_s);
        f.is_authority_expired = now_s >= until_s;
        f.is_authority_due = now_s >= certificate_due_s(c->current.cert);
    }
    if (f.has_authority && c->leaf.cert != NULL) {
        f.has_leaf = leaf_is_valid(c, now_s) && leaf_has_names(c);
        f.is_leaf_due = leaf_is_due(c, now_s);
    }
    return f;
}

static void add_bundle(const struct certs *c, struct buf *out)
{
    const struct keypair previous = { NULL, c->previous };

    if (c->current.cert != NULL) {
        keypair_cert_pem(&c->current, out);
    }
    if (c->next.cert != NULL) {
        keypair_cert_pem(&c->next, out);
    }
    if (c->previous != NULL) {
        keypair_cert_pem(&previous, out);
    }
}

static int write_bundle(const struct certs *c, struct err *err)
{
    AUTO_BUF pem;

    buf_init(&pem, LIMIT_CERTIFICATE);
    add_bundle(c, &pem);
    return write_file(c->dir, "ca.crt", buf_span(&pem), 0644, err);
}

static int write_leaf(const struct certs *c, const struct keypair *kp, struct err *err)
{
    int rc = write_key(c->dir, "tls.key", kp, err);
    return rc < 0 ? rc : write_certificate(c->dir, "tls.crt", kp->cert, err);
}

/* Key and certificate in one file, so that there is never one without the other. */
static int write_authority(const struct certs *c, const char *name, const struct keypair *kp,
                           struct err *err)
{
    AUTO_BUF pem;

    buf_init_secret(&pem, LIMIT_CERTIFICATE);
    keypair_key_pem(kp, &pem);
    keypair_cert_pem(kp, &pem);
    return write_file(c->dir, name, buf_span(&pem), 0600, err);
}

static int do_bootstrap(struct certs *c, int64_t now_s, struct err *err)
{
    struct keypair fresh = { NULL, NULL };
    int rc = authority_create(now_s, &fresh, err);

    if (rc == 0 && c->dir != NULL) {
        rc = write_authority(c, "authority.pem", &fresh, err);
    }
    if (rc < 0) {
        keypair_fini(&fresh);
        return rc;
    }
    keypair_fini(&c->current);
    c->current = fresh;
    return c->dir == NULL ? 0 : write_bundle(c, err);
}

static int do_stage(struct certs *c, int64_t now_s, struct err *err)
{
    struct keypair fresh = { NULL, NULL };
    int rc = authority_create(now_s, &fresh, err);

    if (rc == 0 && c->dir != NULL) {
        rc = write_authority(c, "next-authority.pem", &fresh, err);
    }
    if (rc < 0) {
        keypair_fini(&fresh);
        return rc;
    }
    c->next = fresh;
    c->next_since_s = now_s;
    c->is_rotation_wanted = false;
    if (c->dir == NULL) {
        return 0;
    }
    remove_file(c->dir, "rotate");
    return write_bundle(c, err);
}

static int do_switch(struct certs *c, int64_t now_s, struct err *err)
{
    int rc = 0;

    if (c->dir != NULL) {
        rc = write_authority(c, "previous-authority.pem", &c->current, err);
        rc = rc < 0 ? rc : write_authority(c, "authority.pem", &c->next, err);
        if (rc < 0) {
            return rc;
        }
        remove_file(c->dir, "next-authority.pem");
    }
    X509_free(c->previous);
    c->previous = c->current.cert;
    c->current.cert = NULL;
    keypair_fini(&c->current);
    c->current = c->next;
    c->next = (struct keypair){ NULL, NULL };
    c->previous_since_s = now_s;
    return c->dir == NULL ? 0 : write_bundle(c, err);
}

static int do_retire(struct certs *c, struct err *err)
{
    X509_free(c->previous);
    c->previous = NULL;
    if (c->dir == NULL) {
        return 0;
    }
    remove_file(c->dir, "previous-authority.pem");
    return write_bundle(c, err);
}

/* For our names, and for those that a leaf of ours has which is good but for a name that is
 * missing: another server that shares the directory was given other names, and each would undo what
 * the other did. A renewal begins with our names alone, so that a name nobody has any more goes. */
static void choose_names(const struct certs *c, int64_t now_s, struct certificate_names *out)
{
    memset(out, 0, sizeof(*out));
    if (c->leaf.cert != NULL && leaf_is_valid(c, now_s) && !leaf_is_due(c, now_s)) {
        certificate_names(c->leaf.cert, out);
    }
    for (size_t i = 0; i < c->n_names; i++) {
        if (!certificate_names_have(out, c->names[i])) {
            *vec_push(&out->list) = mem_strdup(c->names[i]);
        }
    }
}

static int do_issue(struct certs *c, int64_t now_s, struct err *err)
{
    struct keypair fresh = { NULL, NULL };
    struct certificate_names names;

    choose_names(c, now_s, &names);
    int rc = authority_issue(&c->current, (const char *const *)names.list.v, names.list.n, now_s,
                             &fresh, err);
    certificate_names_fini(&names);
    if (rc == 0 && c->dir != NULL) {
        rc = write_leaf(c, &fresh, err);
    }
    if (rc < 0) {
        keypair_fini(&fresh);
        return rc;
    }
    keypair_fini(&c->leaf);
    c->leaf = fresh;
    return 0;
}

static int carry_out(struct certs *c, enum rotation_step step, int64_t now_s, struct err *err)
{
    switch (step) {
    case ROTATION_BOOTSTRAP:
        return do_bootstrap(c, now_s, err);
    case ROTATION_STAGE:
        return do_stage(c, now_s, err);
    case ROTATION_SWITCH:
        return do_switch(c, now_s, err);
    case ROTATION_RETIRE:
        return do_retire(c, err);
    case ROTATION_ISSUE:
        return do_issue(c, now_s, err);
    case ROTATION_REST:
        break;
    }
    return 0;
}

/* Only the server issues leaves: commands do not know its names. Who only looks makes an authority
 * where there is none. */
enum advance_how { ADVANCE_ALL, ADVANCE_AUTHORITIES, ADVANCE_BOOTSTRAP };

static bool may_take(enum advance_how how, enum rotation_step step)
{
    return how == ADVANCE_ALL || step == ROTATION_BOOTSTRAP ||
           (how == ADVANCE_AUTHORITIES && step != ROTATION_ISSUE);
}

static int advance(struct certs *c, int64_t now_s, enum advance_how how, struct err *err)
{
    for (;;) {
        struct rotation_facts facts = gather(c, now_s);
        enum rotation_step step = rotation_next(&facts, now_s);
        if (step == ROTATION_REST || !may_take(how, step)) {
            return 0;
        }
        int rc = carry_out(c, step, now_s, err);
        if (rc < 0) {
            return err_wrap(err, rc, "certificate rotation, step %s", rotation_step_name(step));
        }
    }
}

/* Opens and locks the directory, which the server creates when its parent exists. */
static int lock_directory(const struct certs *c, enum advance_how how, struct err *err)
{
    if (how == ADVANCE_ALL && mkdir(c->dir, 0700) != 0 && errno != EEXIST) {
        return err_sys(err, errno, "%s", c->dir);
    }
    AUTO_STR path = mem_printf("%s/.lock", c->dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        int e = errno;
        mem_close_fd(&fd);
        return err_sys(err, e, "%s", e == ENOENT || e == ENOTDIR ? c->dir : path);
    }
    return fd;
}

/* A stop between two files of a step is made good here: the next authority that became the current
 * one, and a bundle that says something else than the authorities. */
static int mend(struct certs *c, struct err *err)
{
    AUTO_STR path = mem_printf("%s/ca.crt", c->dir);
    AUTO_BUF is, should;

    buf_init(&is, LIMIT_CERTIFICATE);
    buf_init(&should, LIMIT_CERTIFICATE);
    if (c->current.cert != NULL && c->next.cert != NULL &&
        X509_cmp(c->current.cert, c->next.cert) == 0) {
        keypair_fini(&c->next);
        remove_file(c->dir, "next-authority.pem");
    }
    add_bundle(c, &should);
    if (file_exists(c->dir, "ca.crt")) {
        int rc = read_file(path, &is, err);
        if (rc < 0) {
            return rc;
        }
    }
    return c->current.cert == NULL || span_eq(buf_span(&is), buf_span(&should))
               ? 0
               : write_bundle(c, err);
}

static int advance_directory(struct certs *c, int64_t now_s, enum advance_how how, struct err *err)
{
    AUTO_FD lock = lock_directory(c, how, err);

    if (lock < 0) {
        return lock;
    }
    int rc = load_authority(c, err);
    if (rc == 0 && c->current.cert == NULL && c->content_hash != 0) {
        /* Everybody trusts the one that was here: a new one would be trusted by nobody. */
        return err_set(err, ERR_NOT_FOUND, "%s: the certificate authority is gone", c->dir);
    }
    if (rc == 0) {
        rc = mend(c, err);
    }
    return rc < 0 ? rc : advance(c, now_s, how, err);
}

static int advance_own(struct certs *c, int64_t now_s, enum advance_how how, struct err *err)
{
    return c->mode == MODE_DIRECTORY ? advance_directory(c, now_s, how, err)
                                     : advance(c, now_s, how, err);
}

/* ---- refresh */

/* A file of certificates that is being written must not turn into a part of them, or into "ask
 * nobody". 'name' is what people call it. */
static int read_bundle(const char *path, const char *name, struct buf *out, struct err *err)
{
    STACK_OF(X509) *list = NULL;
    int rc = read_file(path, out, err);

    if (rc < 0) {
        return rc;
    }
    rc = certificate_list_from_pem(buf_span(out), &list, err);
    sk_X509_pop_free(list, X509_free);
    return rc < 0 ? err_wrap(err, rc, "%s", name) : 0;
}

static int read_client_ca(const struct certs *c, struct buf *out, struct err *err)
{
    return c->client_ca_file == NULL ? 0
                                     : read_bundle(c->client_ca_file, c->client_ca_file, out, err);
}

/* A mounted Secret is a directory of links into '..data', which is swapped as a whole: both halves
 * of the pair are read from the directory that '..data' names now, so that they are of one age. */
static char *steady_path(const struct certs *c, const char *path)
{
    AUTO_STR data = c->mode == MODE_DIRECTORY ? mem_printf("%s/..data", c->dir) : NULL;
    char real[PATH_MAX];
    const char *slash = strrchr(path, '/');

    if (data != NULL && slash != NULL && realpath(data, real) != NULL) {
        return mem_printf("%s%s", real, slash);
    }
    return mem_strdup(path);
}

static int read_pair(const struct certs *c, struct buf *cert, struct buf *key, struct err *err)
{
    if (c->mode == MODE_MEMORY) {
        keypair_cert_pem(&c->leaf, cert);
        keypair_key_pem(&c->leaf, key);
        return 0;
    }
    AUTO_STR cert_path = steady_path(c, c->cert_file);
    AUTO_STR key_path = steady_path(c, c->key_file);
    int rc = read_bundle(cert_path, c->cert_file, cert, err);
    return rc < 0 ? rc : read_file(key_path, key, err);
}

static uint64_t hash_contents(const struct buf *cert, const struct buf *key, const struct buf *ca)
{
    uint64_t h = hash_fast(buf_span(cert));
    h = hash_mix(h ^ hash_fast(buf_span(key)));
    h = hash_mix(h ^ (ca->len == 0 ? 1 : hash_fast(buf_span(ca))));
    return h == 0 ? 1 : h;
}

int certs_refresh(struct certs *c, int64_t now_s, struct identity **out, struct err *err)
{
    AUTO_BUF cert, key, ca;
    int rc = 0;

    buf_init_secret(&cert, LIMIT_CERTIFICATE); /* it may hold the key, too */
    buf_init_secret(&key, LIMIT_CERTIFICATE);
    buf_init(&ca, LIMIT_CERTIFICATE);
    if (is_own(c)) {
        rc = advance_own(c, now_s, ADVANCE_ALL, err);
    }
    if (rc < 0) {
        return rc;
    }
    rc = read_pair(c, &cert, &key, err);
    if (rc == 0) {
        rc = read_client_ca(c, &ca, err);
    }
    uint64_t hash = rc < 0 ? 0 : hash_contents(&cert, &key, &ca);
    if (rc == 0 && hash == c->content_hash) {
        *out = NULL;
    } else if (rc == 0) {
        rc = identity_from_pem(buf_span(&cert), buf_span(&key), buf_span(&ca), now_s, out, err);
        if (rc < 0) {
            rc = c->cert_file == NULL ? err_wrap(err, rc, "certificate")
                                      : err_wrap(err, rc, "%s, %s", c->cert_file, c->key_file);
        } else {
            c->content_hash = hash;
        }
    }
    return rc;
}

/* ---- for people */

int certs_bundle(struct certs *c, int64_t now_s, struct buf *out, struct err *err)
{
    if (is_own(c)) {
        int rc = advance_own(c, now_s, ADVANCE_BOOTSTRAP, err);
        if (rc == 0) {
            add_bundle(c, out);
        }
        return rc;
    }
    AUTO_STR path =
        c->mode == MODE_DIRECTORY ? mem_printf("%s/ca.crt", c->dir) : mem_strdup(c->cert_file);
    return read_file(path, out, err);
}

int certs_rotate(struct certs *c, int64_t now_s, struct err *err)
{
    if (c->mode != MODE_DIRECTORY || !is_own(c)) {
        return err_set(err, ERR_UNSUPPORTED,
                       "only a certificate directory that otel-ta keeps itself can be rotated");
    }
    if (!file_exists(c->dir, "authority.pem")) {
        return err_set(err, ERR_NOT_FOUND, "%s: there is no certificate authority to rotate",
                       c->dir);
    }
    AUTO_FD lock = lock_directory(c, ADVANCE_AUTHORITIES, err);
    if (lock < 0) {
        return lock;
    }
    int rc = load_authority(c, err);
    if (rc < 0) {
        return rc;
    }
    if (c->next.cert != NULL || c->previous != NULL) {
        return err_set(err, ERR_CONFLICT, "a rotation is under way already");
    }
    rc = write_file(c->dir, "rotate", SPAN_LIT(""), 0600, err);
    if (rc < 0) {
        return rc;
    }
    c->is_rotation_wanted = true;
    return advance(c, now_s, ADVANCE_AUTHORITIES, err);
}

/* A leaf that somebody else keeps. */
static int describe_foreign(const struct certs *c, struct buf *out, struct err *err)
{
    AUTO_BUF cert, key;
    struct keypair pair = { NULL, NULL };

    buf_init_secret(&cert, LIMIT_CERTIFICATE);
    buf_init_secret(&key, LIMIT_CERTIFICATE);
    int rc = read_pair(c, &cert, &key, err);
    if (rc == 0) {
        rc = keypair_from_pem(buf_span(&cert), buf_span(&key), &pair, err);
        rc = rc < 0 ? err_wrap(err, rc, "%s", c->cert_file) : 0;
    }
    if (rc == 0) {
        describe_certificate("leaf", pair.cert, "renewed by whoever keeps the files", 0, out);
    }
    keypair_fini(&pair);
    return rc;
}

/* Looks without writing anything, for it may be the wrong directory. */
static int look(struct certs *c, struct err *err)
{
    if (c->mode == MODE_MEMORY) {
        return 0;
    }
    AUTO_FD dir = open(c->dir, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    AUTO_FD lock = dir < 0 ? -1 : openat(dir, ".lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (dir < 0 || (lock >= 0 && flock(lock, LOCK_SH) != 0)) {
        return err_sys(err, errno, "%s", c->dir);
    }
    return load_authority(c, err);
}

static void describe_authorities(const struct certs *c, int64_t now_s, struct buf *out)
{
    int64_t switch_s = c->next_since_s + ROTATION_SOAK_SECONDS;
    int64_t retire_s = c->previous_since_s + ROTATION_RETIRE_SECONDS;
    int64_t due_s = c->is_rotation_wanted ? now_s : certificate_due_s(c->current.cert);

    if (c->next.cert != NULL) {
        describe_certificate("authority", c->current.cert, "makes room for the next one", switch_s,
                             out);
        describe_certificate("next", c->next.cert, "becomes the authority", switch_s, out);
    } else {
        due_s = c->previous != NULL && due_s < retire_s ? retire_s : due_s;
        describe_certificate("authority", c->current.cert, "gets a successor", due_s, out);
    }
    if (c->previous != NULL) {
        describe_certificate("previous", c->previous, "trusted no longer", retire_s, out);
    }
}

int certs_describe(struct certs *c, int64_t now_s, struct buf *out, struct err *err)
{
    if (c->mode == MODE_FILES || !is_own(c)) {
        return describe_foreign(c, out, err);
    }
    int rc = look(c, err);
    if (rc < 0) {
        return rc;
    }
    if (c->current.cert == NULL) {
        return err_set(err, ERR_NOT_FOUND, "%s: there are no certificates",
                       c->dir == NULL ? "memory" : c->dir);
    }
    describe_authorities(c, now_s, out);
    if (c->leaf.cert == NULL) {
        buf_add_str(out, "leaf       none yet: a server makes it\n");
    } else {
        int64_t from_s = 0, until_s = 0, ca_until_s = 0;
        certificate_validity(c->leaf.cert, &from_s, &until_s);
        certificate_validity(c->current.cert, &from_s, &ca_until_s);
        describe_certificate("leaf", c->leaf.cert,
                             until_s < ca_until_s ? "renewed" : "renewed with its authority",
                             until_s < ca_until_s ? certificate_due_s(c->leaf.cert) : 0, out);
    }
    return 0;
}

#include "certs/certs.h"

#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "certs/certificate.h"
#include "certs/describe.h"
#include "certs/pemfile.h"
#include "certs/succession.h"

#include <limits.h>
#include <stdlib.h>

enum certs_mode { MODE_MEMORY, MODE_FILES, MODE_DIRECTORY };

struct certs {
    enum certs_mode mode;
    char *dir, *cert_file, *key_file, *client_ca_file;
    char **names;
    size_t n_names;
    char *paths[8];
    uint64_t content_hash;   /* of what the last identity was made from; 0 = none yet */
    int64_t from_s, until_s; /* when that is valid */
    struct succession own;
};

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
    c->own = (struct succession){ .dir = c->mode == MODE_DIRECTORY ? c->dir : NULL,
                                  .names = (const char *const *)c->names,
                                  .n_names = c->n_names };
    if (c->cert_file != NULL) {
        c->paths[n++] = c->cert_file;
        c->paths[n++] = c->key_file;
    }
    if (c->client_ca_file != NULL) {
        c->paths[n++] = c->client_ca_file;
    }
    return c;
}

void certs_free(struct certs **certs)
{
    struct certs *c = *certs;

    if (c == NULL) {
        return;
    }
    succession_fini(&c->own);
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

/* A directory that has a pair but no authority of ours is kept by somebody else. */
static bool is_own(const struct certs *c)
{
    if (c->mode != MODE_DIRECTORY) {
        return c->mode == MODE_MEMORY;
    }
    return pemfile_exists(c->dir, "authority.pem") || !pemfile_exists(c->dir, "tls.crt");
}

/* ---- refresh */

/* A file of certificates that is being written must not turn into a part of them, or into "ask
 * nobody". 'name' is what people call it. */
static int read_bundle(const char *path, const char *name, struct buf *out, struct err *err)
{
    STACK_OF(X509) *list = NULL;
    int rc = pemfile_read(path, out, err);

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

/* Of a key that lives in memory there is no text. */
static int read_pair(const struct certs *c, struct buf *cert, struct buf *key, struct err *err)
{
    if (c->mode == MODE_MEMORY) {
        keypair_cert_pem(&c->own.leaf, cert);
        return 0;
    }
    AUTO_STR cert_path = steady_path(c, c->cert_file);
    AUTO_STR key_path = steady_path(c, c->key_file);
    int rc = read_bundle(cert_path, c->cert_file, cert, err);
    return rc < 0 ? rc : pemfile_read(key_path, key, err);
}

/* What an identity is made of. */
struct texts {
    struct buf cert, key, client_ca;
};

static void texts_init(struct texts *t)
{
    buf_init_secret(&t->cert, LIMIT_CERTIFICATE); /* it may hold the key, too */
    buf_init_secret(&t->key, LIMIT_CERTIFICATE);
    buf_init(&t->client_ca, LIMIT_CERTIFICATE);
}

static void texts_fini(struct texts *t)
{
    buf_fini(&t->cert);
    buf_fini(&t->key);
    buf_fini(&t->client_ca);
}

static int read_texts(const struct certs *c, struct texts *out, struct err *err)
{
    int rc = read_pair(c, &out->cert, &out->key, err);
    return rc < 0 ? rc : read_client_ca(c, &out->client_ca, err);
}

static uint64_t hash_texts(const struct texts *t)
{
    uint64_t h = hash_fast(buf_span(&t->cert));
    h = hash_mix(h ^ hash_fast(buf_span(&t->key)));
    h = hash_mix(h ^ (t->client_ca.len == 0 ? 1 : hash_fast(buf_span(&t->client_ca))));
    return h == 0 ? 1 : h;
}

static int make_identity(const struct certs *c, const struct texts *t, int64_t now_s,
                         struct identity **out, struct err *err)
{
    struct span client_ca = buf_span(&t->client_ca);

    if (c->mode == MODE_MEMORY) {
        int rc = identity_from_keypair(&c->own.leaf, client_ca, now_s, out, err);
        return rc < 0 ? err_wrap(err, rc, "certificate") : 0;
    }
    int rc = identity_from_pem(buf_span(&t->cert), buf_span(&t->key), client_ca, now_s, out, err);
    return rc < 0 ? err_wrap(err, rc, "%s, %s", c->cert_file, c->key_file) : 0;
}

/* Files that somebody else keeps may run out, and the clock may step, while they are in use. */
static int check_presented(const struct certs *c, int64_t now_s, struct err *err)
{
    const char *file = c->cert_file == NULL ? "certificate" : c->cert_file;

    if (now_s > c->until_s) {
        return err_set(err, ERR_INVALID, "%s: certificate expired %lld seconds ago", file,
                       (long long)(now_s - c->until_s));
    }
    if (now_s < c->from_s) {
        return err_set(err, ERR_INVALID,
                       "%s: certificate is not valid before %lld seconds from now", file,
                       (long long)(c->from_s - now_s));
    }
    return 0;
}

/* NULL when the texts are those of the last time. */
static int load(struct certs *c, int64_t now_s, struct identity **out, struct err *err)
{
    struct texts texts;
    struct identity *id = NULL;

    texts_init(&texts);
    int rc = read_texts(c, &texts, err);
    uint64_t hash = rc < 0 ? 0 : hash_texts(&texts);
    if (rc == 0 && hash != c->content_hash) {
        rc = make_identity(c, &texts, now_s, &id, err);
    }
    texts_fini(&texts);
    if (rc == 0 && id == NULL) {
        rc = check_presented(c, now_s, err);
    }
    if (rc == 0) {
        c->content_hash = hash;
        *out = id;
    }
    if (id != NULL) {
        identity_validity(id, &c->from_s, &c->until_s);
    }
    return rc;
}

static int advance_own(struct certs *c, int64_t now_s, enum succession_steps how, struct err *err)
{
    c->own.is_in_use = c->content_hash != 0;
    return succession_advance(&c->own, now_s, how, err);
}

int certs_refresh(struct certs *c, int64_t now_s, struct identity **out, struct err *err)
{
    int rc = is_own(c) ? advance_own(c, now_s, SUCCESSION_ALL, err) : 0;
    return rc < 0 ? rc : load(c, now_s, out, err);
}

/* ---- for people */

int certs_bundle(struct certs *c, int64_t now_s, struct buf *out, struct err *err)
{
    if (is_own(c)) {
        int rc = advance_own(c, now_s, SUCCESSION_BOOTSTRAP, err);
        if (rc == 0) {
            succession_bundle(&c->own, out);
        }
        return rc;
    }
    AUTO_STR path =
        c->mode == MODE_DIRECTORY ? mem_printf("%s/ca.crt", c->dir) : mem_strdup(c->cert_file);
    return pemfile_read(path, out, err);
}

int certs_rotate(struct certs *c, int64_t now_s, struct err *err)
{
    if (c->mode != MODE_DIRECTORY || !is_own(c)) {
        return err_set(err, ERR_UNSUPPORTED,
                       "only a certificate directory that otel-ta keeps itself can be rotated");
    }
    return succession_rotate(&c->own, now_s, err);
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

int certs_describe(struct certs *c, int64_t now_s, struct buf *out, struct err *err)
{
    return is_own(c) ? succession_describe(&c->own, now_s, out, err)
                     : describe_foreign(c, out, err);
}

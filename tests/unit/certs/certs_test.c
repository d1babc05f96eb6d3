#include "certs/certificate.h"
#include "certs/certs.h"
#include "certs/rotation.h"
#include "tests/check.h"
#include "tests/unit/certs/folder.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY 86400LL

static int count_certificates(const char *pem)
{
    int n = 0;
    for (const char *p = pem; (p = strstr(p, "BEGIN CERTIFICATE")) != NULL; p++) {
        n++;
    }
    return n;
}

static X509 *certificate(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return cert;
}

/* Does the leaf in 'dir' verify, at time 'now_s', against the bundle in 'dir', as a client would do
 * it? */
static bool leaf_verifies(const char *dir, int64_t now_s)
{
    AUTO_STR bundle = get(dir, "ca.crt");
    AUTO_STR leaf_pem = get(dir, "tls.crt");
    X509_STORE *store = X509_STORE_new();
    X509 *leaf = certificate(leaf_pem);
    BIO *bio = BIO_new_mem_buf(bundle, -1);
    X509 *ca = NULL;

    while ((ca = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        X509_STORE_add_cert(store, ca);
        X509_free(ca);
    }
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_STORE_CTX_init(ctx, store, leaf, NULL);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t)now_s);
    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set1_host(param, "otel-ta.otel.svc", 0);
    bool is_ok = leaf != NULL && X509_verify_cert(ctx) == 1;
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    X509_free(leaf);
    BIO_free(bio);
    return is_ok;
}

static void test_own_directory(void)
{
    char *dir = check_folder("certs");
    struct certs *c = open_dir(dir);
    int64_t t0 = 1800000000;

    ok(refresh(c, t0, "empty"), "an empty directory gets a certificate");
    ok(leaf_verifies(dir, t0), "that verifies for the service name");
    ok(leaf_verifies(dir, t0 - 1800), "also by a clock half an hour behind");
    AUTO_STR first_bundle = get(dir, "ca.crt");
    is_int(count_certificates(first_bundle), 1, "one authority in the bundle");

    static const char *const secret[] = { "authority.pem", "tls.key" };
    for (size_t i = 0; i < COUNT(secret); i++) {
        AUTO_STR path = mem_printf("%s/%s", dir, secret[i]);
        struct stat st;
        ok(stat(path, &st) == 0 && (st.st_mode & 0077) == 0, "%s is readable by its owner only",
           secret[i]);
    }
    ok(!refresh(c, t0 + 60, "a minute later"), "nothing new a minute later");
    ok(!refresh(c, t0 + 3 * DAY, "three days"), "nor after three days");
    ok(refresh(c, t0 + 5 * DAY, "five days"), "a new leaf after two thirds of a week");
    ok(leaf_verifies(dir, t0 + 5 * DAY), "it verifies");
    AUTO_STR bundle = get(dir, "ca.crt");
    is_str(bundle, first_bundle, "by the same authority");
    certs_free(&c);

    c = open_dir(dir);
    AUTO_STR leaf = get(dir, "tls.crt");
    refresh(c, t0 + 5 * DAY + 60, "restart");
    AUTO_STR same = get(dir, "tls.crt");
    is_str(same, leaf, "a restart keeps the certificate");
    put(dir, "tls.crt", "garbage");
    ok(refresh(c, t0 + 5 * DAY + 120, "damaged leaf"), "a damaged leaf is replaced");
    ok(leaf_verifies(dir, t0 + 5 * DAY + 120), "by one that verifies");
    certs_free(&c);
    remove_dir(dir);
}

/* The times of files decide when a staged authority has soaked, so the steps are taken around the
 * real time. */
static void test_rotation(void)
{
    char *dir = check_folder("certs");
    struct certs *c = open_dir(dir);
    int64_t now_s = (int64_t)time(NULL);
    struct err err = { 0 };

    refresh(c, now_s, "start");
    AUTO_STR old_leaf = get(dir, "tls.crt");
    is_int(certs_rotate(c, now_s, &err), 0, "rotate is accepted %s", err.text);
    is_int(certs_rotate(c, now_s, &err), ERR_CONFLICT, "a second one is told to wait");
    AUTO_STR staged = get(dir, "ca.crt");
    is_int(count_certificates(staged), 2, "the next authority is published");
    AUTO_STR leaf = get(dir, "tls.crt");
    is_str(leaf, old_leaf, "before anything is signed with it");
    refresh(c, now_s + ROTATION_SOAK_SECONDS - 60, "soaking");
    AUTO_STR soaking = get(dir, "tls.crt");
    is_str(soaking, old_leaf, "also while it soaks");

    ok(refresh(c, now_s + ROTATION_SOAK_SECONDS + 60, "switch"), "then the leaf changes");
    AUTO_STR switched = get(dir, "ca.crt");
    is_int(count_certificates(switched), 2, "the old authority stays in the bundle");
    ok(leaf_verifies(dir, now_s + ROTATION_SOAK_SECONDS + 60), "the new leaf verifies");
    refresh(c, now_s + ROTATION_SOAK_SECONDS + ROTATION_RETIRE_SECONDS + 120, "retire");
    AUTO_STR retired = get(dir, "ca.crt");
    is_int(count_certificates(retired), 1, "until no leaf of it can be in use");
    ok(leaf_verifies(dir, now_s + ROTATION_SOAK_SECONDS + ROTATION_RETIRE_SECONDS + 120),
       "the leaf of that day verifies");
    certs_free(&c);
    remove_dir(dir);
}

/* A stop anywhere within a switch: what is there is finished, and nobody's trust is lost. */
static void test_stopped_switch(void)
{
    char *dir = check_folder("certs");
    struct certs *c = open_dir(dir);
    int64_t now_s = (int64_t)time(NULL), later_s = now_s + ROTATION_SOAK_SECONDS + 60;

    refresh(c, now_s, "start");
    is_int(certs_rotate(c, now_s, NULL), 0, "rotate");
    AUTO_STR current = get(dir, "authority.pem");
    AUTO_STR next = get(dir, "next-authority.pem");
    put(dir, "previous-authority.pem", current); /* the first file of the step … */
    put(dir, "authority.pem", next);             /* … and the second; then the power went */
    refresh(c, later_s, "after the stop");
    AUTO_STR mended = get(dir, "ca.crt");
    is_int(count_certificates(mended), 2, "old and new authority are both in the bundle");
    AUTO_STR left = get(dir, "next-authority.pem");
    is_str(left, "", "the switch is finished");
    AUTO_STR is_now = get(dir, "authority.pem");
    is_str(is_now, next, "by the authority that was published");
    ok(leaf_verifies(dir, later_s), "the leaf verifies");
    put(dir, "ca.crt", "");
    refresh(c, later_s + 60, "bundle lost");
    AUTO_STR again = get(dir, "ca.crt");
    is_str(again, mended, "a lost bundle is written again");
    certs_free(&c);
    remove_dir(dir);
}

/* Commands that look leave the server's leaf alone, whatever names they were given. */
static void test_looking(void)
{
    static const char *const other[] = { "elsewhere.example" };
    const struct certs_options o = { .names = other, .n_names = 1 };
    char *dir = check_folder("certs");
    struct certs *server = open_dir(dir);
    struct certs_options mine = o;
    int64_t now_s = (int64_t)time(NULL);
    AUTO_BUF out;

    mine.dir = dir;
    struct certs *command = certs_new(&mine);
    buf_init(&out, 65536);
    is_int(certs_bundle(command, now_s, &out, NULL), 0, "an empty directory gets an authority");
    refresh(server, now_s, "server");
    AUTO_STR leaf = get(dir, "tls.crt");
    is_int(certs_bundle(command, now_s, &out, NULL), 0, "certs ca");
    is_int(certs_describe(command, now_s, &out, NULL), 0, "certs show");
    is_int(certs_rotate(command, now_s, NULL), 0, "certs rotate");
    AUTO_STR same = get(dir, "tls.crt");
    is_str(same, leaf, "leave the leaf as it is");
    certs_free(&command);
    certs_free(&server);
    remove_dir(dir);
}

/* Two servers on one directory, with different names: a rolling update that changes them, say. */
static void test_shared_directory(void)
{
    static const char *const one[] = { "one.example", "10.0.0.1", "*.one.example" };
    static const char *const two[] = { "TWO.example", "fd00:0::1" };
    struct certs_options o1 = { .names = one, .n_names = COUNT(one) };
    struct certs_options o2 = { .names = two, .n_names = COUNT(two) };
    char *dir = check_folder("certs");
    int64_t t0 = (int64_t)time(NULL);

    o1.dir = o2.dir = dir;
    struct certs *a = certs_new(&o1), *b = certs_new(&o2);
    ok(refresh(a, t0, "one"), "the first server gets a leaf");
    ok(!refresh(a, t0, "one again"), "which has its names, also the wildcard");
    ok(refresh(b, t0, "two"), "the second gets one that has its names");
    ok(refresh(a, t0, "one sees it"), "the first takes it over");
    for (int i = 0; i < 3; i++) {
        ok(!refresh(a, t0 + i, "one rests") && !refresh(b, t0 + i, "two rests"), "and both rest");
    }
    AUTO_STR shared = get(dir, "tls.crt");
    X509 *leaf = certificate(shared);
    struct certificate_names have;
    certificate_names(leaf, &have);
    is_int(have.list.n, COUNT(one) + COUNT(two), "the leaf has the names of both");
    ok(certificate_names_have(&have, "fd00::1"), "an address is known in any notation");
    certificate_names_fini(&have);
    X509_free(leaf);
    certs_free(&b);
    ok(refresh(a, t0 + 5 * DAY, "renewal"), "when the second is gone, the first renews");
    AUTO_STR renewed = get(dir, "tls.crt");
    leaf = certificate(renewed);
    certificate_names(leaf, &have);
    is_int(have.list.n, COUNT(one), "and the names of the second are gone with it");
    certificate_names_fini(&have);
    X509_free(leaf);
    certs_free(&a);
    remove_dir(dir);
}

static void test_describe(void)
{
    char *dir = check_folder("certs");
    struct certs *c = open_dir(dir);
    struct err err = { 0 };
    int64_t t0 = (int64_t)time(NULL);
    AUTO_BUF out, rotating;
    AUTO_STR authority = mem_printf("%s/authority.pem", dir);
    AUTO_STR lock = mem_printf("%s/.lock", dir);

    buf_init(&out, 65536);
    buf_init(&rotating, 65536);
    is_int(certs_describe(c, t0, &out, &err), ERR_NOT_FOUND, "nothing is there");
    ok(strstr(err.text, dir) != NULL, "and the directory is named: %s", err.text);
    is_int(certs_rotate(c, t0, &err), ERR_NOT_FOUND, "nothing can be rotated");
    ok(access(authority, F_OK) != 0 && access(lock, F_OK) != 0, "neither writes anything");
    refresh(c, t0, "a server");
    is_int(certs_describe(c, t0, &out, &err), 0, "what a server made");
    ok(strstr(out.p,
              "leaf       otel-ta.otel.svc, localhost, 127.0.0.1\n  issuer   CN=otel-ta-ca-"),
       "names and issuer:\n%s", out.p);
    ok(strstr(out.p, "\n  next     renewed from ") &&
           strstr(out.p, "\n  next     gets a successor from "),
       "what happens next");
    ok(strstr(out.p, "\n  SHA-256  ") && strstr(out.p, " until "), "fingerprint and validity");
    is_int(certs_rotate(c, t0, NULL), 0, "rotate");
    is_int(certs_describe(c, t0, &rotating, NULL), 0, "in the middle of a rotation");
    ok(strstr(rotating.p, "makes room for the next one from ") &&
           strstr(rotating.p, "\nnext       CN=otel-ta-ca-") &&
           strstr(rotating.p, "becomes the authority from "),
       "both authorities:\n%s", rotating.p);
    certs_free(&c);
    remove_dir(dir);
}

/* The last hours of an authority whose successor could not be made. */
static void test_end_of_authority(void)
{
    struct certs *c = open_dir(NULL);
    int64_t t0 = 1800000000, last_s = t0 + 365 * DAY - 1000;
    struct identity *id = NULL;

    refresh(c, t0, "memory");
    is_int(certs_refresh(c, last_s, &id, NULL), 0, "shortly before its end a refresh ends, too");
    identity_put(&id);
    AUTO_BUF out;
    buf_init(&out, 65536);
    is_int(certs_describe(c, last_s, &out, NULL), 0, "and can be described");
    ok(strstr(out.p, "\n  next     renewed with its authority\n") != NULL,
       "a leaf that ends with its authority:\n%s", out.p);
    certs_free(&c);
}

static void test_foreign_directory(void)
{
    char *own = check_folder("certs"), *dir = check_folder("certs");
    struct certs *maker = open_dir(own), *c = NULL;
    int64_t now_s = (int64_t)time(NULL);
    struct identity *id = NULL;
    struct err err = { 0 };

    refresh(maker, now_s, "maker");
    AUTO_STR cert = get(own, "tls.crt");
    AUTO_STR key = get(own, "tls.key");
    put(dir, "tls.crt", cert);
    put(dir, "tls.key", key);
    c = open_dir(dir);
    ok(refresh(c, now_s, "foreign"), "a pair that somebody else keeps is loaded");
    AUTO_STR nothing = get(dir, "authority.pem");
    is_str(nothing, "", "and nothing is written beside it");
    put(dir, "tls.key", "-----BEGIN PRIVATE KEY-----\nMIG");
    is_int(certs_refresh(c, now_s, &id, &err), ERR_INVALID, "a half-written key is an error: %s",
           err.text);
    ok(strstr(err.text, "tls.crt") != NULL, "that names the file");
    is_int(certs_rotate(maker, now_s, NULL), 0, "the maker rotates");
    refresh(maker, now_s + ROTATION_SOAK_SECONDS + 60, "maker switches");
    AUTO_STR other_key = get(own, "tls.key");
    put(dir, "tls.key", other_key);
    is_int(certs_refresh(c, now_s, &id, &err), ERR_INVALID, "a key of another certificate too: %s",
           err.text);
    AUTO_STR other_cert = get(own, "tls.crt");
    put(dir, "tls.crt", other_cert);
    ok(refresh(c, now_s + ROTATION_SOAK_SECONDS + 60, "complete again"),
       "the complete new pair is taken");
    ok(!refresh(c, now_s + ROTATION_SOAK_SECONDS + 120, "unchanged"),
       "unchanged content is not loaded again");
    certs_free(&c);
    c = open_dir(dir);
    is_int(certs_refresh(c, now_s + 400 * DAY, &id, &err), ERR_INVALID,
           "an expired certificate is refused: %s", err.text);
    is_int(certs_rotate(c, now_s, &err), ERR_UNSUPPORTED,
           "and rotating it is somebody else's business");
    certs_free(&c);
    certs_free(&maker);
    remove_dir(own);
    remove_dir(dir);
}

/* A bundle that is being written: its first certificates are whole, the last one is not yet. */
static void test_half_a_bundle(void)
{
    char *own = check_folder("certs"), *dir = check_folder("certs");
    struct certs *maker = open_dir(own);
    int64_t now_s = (int64_t)time(NULL);
    struct identity *id = NULL;
    struct err err = { 0 };

    refresh(maker, now_s, "maker");
    AUTO_STR cert = get(own, "tls.crt");
    AUTO_STR key = get(own, "tls.key");
    AUTO_STR ca = get(own, "ca.crt");
    AUTO_STR half = mem_printf("%s%.*s", cert, (int)strlen(ca) / 2, ca);
    AUTO_STR whole = mem_printf("%s# and its CA\n%s\n", cert, ca);
    AUTO_STR cert_file = mem_printf("%s/tls.crt", dir);
    AUTO_STR key_file = mem_printf("%s/tls.key", dir);
    AUTO_STR ca_file = mem_printf("%s/clients.crt", dir);
    const struct certs_options o = { .cert_file = cert_file,
                                     .key_file = key_file,
                                     .client_ca_file = ca_file };
    struct certs *c = certs_new(&o);
    put(dir, "tls.crt", half);
    put(dir, "tls.key", key);
    put(dir, "clients.crt", whole);
    is_int(certs_refresh(c, now_s, &id, &err), ERR_INVALID, "half a chain is an error: %s",
           err.text);
    ok(strstr(err.text, cert_file) != NULL && strstr(err.text, key_file) == NULL,
       "that names the file");
    put(dir, "tls.crt", whole);
    put(dir, "clients.crt", half);
    is_int(certs_refresh(c, now_s, &id, &err), ERR_INVALID, "half of the client CAs too: %s",
           err.text);
    ok(strstr(err.text, ca_file) != NULL && strstr(err.text, cert_file) == NULL,
       "that names their file");
    put(dir, "clients.crt", "no certificate\n");
    is_int(certs_refresh(c, now_s, &id, &err), ERR_INVALID, "and none of them: %s", err.text);
    ok(strstr(err.text, ca_file) != NULL && strstr(err.text, cert_file) == NULL,
       "that names their file");
    put(dir, "clients.crt", whole);
    ok(refresh(c, now_s, "whole"), "the whole bundles are taken");
    put(dir, "tls.key", "-----BEGIN PRIVATE KEY-----\nMIG");
    is_int(certs_refresh(c, now_s, &id, &err), ERR_INVALID, "half a key: %s", err.text);
    ok(strstr(err.text, key_file) != NULL, "its file is named");
    certs_free(&c);
    certs_free(&maker);
    remove_dir(own);
    remove_dir(dir);
}

static void test_missing(void)
{
    const struct certs_options o = { .cert_file = "/nonexistent/tls.crt",
                                     .key_file = "/nonexistent/tls.key" };
    struct certs *c = certs_new(&o);
    struct identity *id = NULL;
    struct err err = { 0 };

    is_int(certs_refresh(c, 0, &id, &err), ERR_NOT_FOUND, "a missing file");
    is_str(err.text, "/nonexistent/tls.crt: No such file or directory", "is named");
    certs_free(&c);
}

static void test_memory(void)
{
    const struct certs_options o = { .names = names, .n_names = COUNT(names) };
    struct certs *c = certs_new(&o);
    AUTO_BUF bundle;

    ok(refresh(c, 1800000000, "memory"), "without files an authority in memory");
    buf_init(&bundle, 65536);
    is_int(certs_bundle(c, 1800000000, &bundle, NULL), 0, "with a bundle");
    is_int(count_certificates(bundle.p), 1, "of one");
    buf_clear(&bundle);
    is_int(certs_describe(c, 1800000000, &bundle, NULL), 0, "which can be described");
    ok(strstr(bundle.p, "authority  CN=otel-ta-ca-") && strstr(bundle.p, "leaf       otel-ta.otel"),
       "with its leaf:\n%s", bundle.p);
    is_int(certs_rotate(c, 1800000000, NULL), ERR_UNSUPPORTED, "and not be rotated");
    certs_free(&c);
}

/* Three years without a directory: authorities follow each other, and clients that keep up with the
 * bundle always know the one that signed. */
static void test_memory_through_time(void)
{
    struct certs *c = open_dir(NULL);
    const int64_t t0 = 1800000000;
    int n_most = 0, n_wrong = 0, n_leaves = 0;
    AUTO_STR first = NULL;

    for (int64_t now_s = t0; now_s < t0 + 3 * 365 * DAY; now_s += DAY / 2) {
        AUTO_BUF bundle;
        struct identity *id = NULL;
        buf_init(&bundle, 65536);
        n_wrong +=
            certs_refresh(c, now_s, &id, NULL) != 0 || certs_bundle(c, now_s, &bundle, NULL) != 0;
        n_leaves += id != NULL;
        identity_put(&id);
        int n = bundle.p == NULL ? 0 : count_certificates(bundle.p);
        n_most = n > n_most ? n : n_most;
        n_wrong += n < 1;
        if (first == NULL) {
            first = buf_take(&bundle, NULL);
        } else if (now_s >= t0 + 366 * DAY) {
            n_wrong += memmem(bundle.p, bundle.len, first, strlen(first)) != NULL;
        }
    }
    is_int(n_wrong, 0, "it never fails, and trusts nobody whose time is over");
    is_int(n_most, 2, "two at a time");
    ok(n_leaves > 3 * 365 / 7 && n_leaves < 3 * 365 / 3, "%d leaves", n_leaves);
    certs_free(&c);
}

/* A clock that was ahead when things were made, and is right now; and the other way round. */
static void check_clock(const char *what, bool is_dir, int64_t made_s, int64_t now_s,
                        bool is_running)
{
    char *dir = is_dir ? check_folder("certs") : NULL;
    struct certs *c = open_dir(dir);
    AUTO_BUF before, after;

    buf_init(&before, 65536);
    buf_init(&after, 65536);
    ok(refresh(c, made_s, what), "%s: made", what);
    is_int(certs_bundle(c, made_s, &before, NULL), 0, "  trusted by somebody");
    if (!is_running) {
        certs_free(&c);
        c = open_dir(dir);
    }
    ok(refresh(c, now_s, what), "  another certificate by another clock");
    is_int(certs_bundle(c, now_s, &after, NULL), 0, "  and its bundle");
    is_int(count_certificates(after.p), 1, "  of one authority");
    if (is_dir) {
        ok(leaf_verifies(dir, now_s), "  verifies now");
    }
    ok(!refresh(c, now_s + 60, what), "  and nothing is made anew a minute later");
    X509 *old = certificate(before.p), *now = certificate(after.p);
    bool is_same = X509_NAME_cmp(X509_get_subject_name(old), X509_get_subject_name(now)) == 0;
    if (now_s < made_s) {
        ok(is_same, "  it is the same authority: who trusts it goes on");
    }
    X509_free(old);
    X509_free(now);
    certs_free(&c);
    if (dir != NULL) {
        remove_dir(dir);
    }
}

static void test_clocks(void)
{
    const int64_t t0 = 1800000000;

    check_clock("400 days ahead, started again", true, t0 + 400 * DAY, t0, false);
    check_clock("400 days ahead, running", true, t0 + 400 * DAY, t0, true);
    check_clock("400 days ahead, in memory", false, t0 + 400 * DAY, t0, true);
    check_clock("two days ahead, running", true, t0 + 2 * DAY, t0, true);
    check_clock("two hours ahead, started again", true, t0 + 7200, t0, false);
    check_clock("400 days behind, started again", true, t0 - 400 * DAY, t0, false);
    check_clock("400 days behind, running", true, t0 - 400 * DAY, t0, true);
    check_clock("30 days behind, in memory", false, t0 - 30 * DAY, t0, true);
}

/* A rotation that began by a clock that was ahead goes on by the right one. */
static void test_clock_in_rotation(void)
{
    char *dir = check_folder("certs");
    struct certs *c = open_dir(dir);
    int64_t now_s = (int64_t)time(NULL), ahead_s = now_s + 30 * DAY;
    struct err err = { 0 };
    struct timespec times[2] = { { .tv_sec = ahead_s }, { .tv_sec = ahead_s } };

    refresh(c, ahead_s, "start");
    is_int(certs_rotate(c, ahead_s, &err), 0, "rotate %s", err.text);
    AUTO_STR next = mem_printf("%s/next-authority.pem", dir);
    utimensat(AT_FDCWD, next, times, 0);
    ok(refresh(c, now_s, "the clock is right again"), "a leaf that is valid");
    ok(leaf_verifies(dir, now_s), "verifies");
    AUTO_STR both = get(dir, "ca.crt");
    is_int(count_certificates(both), 2, "the next authority stays published");
    ok(!refresh(c, now_s + 600, "soaking"), "it soaks");
    ok(refresh(c, now_s + ROTATION_SOAK_SECONDS + 60, "switch"),
       "and is switched to an hour later");
    ok(leaf_verifies(dir, now_s + ROTATION_SOAK_SECONDS + 60), "verifies");
    certs_free(&c);
    remove_dir(dir);
}

/* A pair that somebody else keeps: it cannot be mended, but is told while it is in use. */
static void test_foreign_clock(void)
{
    char *dir = check_folder("certs");
    struct certs *c = open_dir(dir);
    const int64_t t0 = 1800000000;
    struct identity *id = NULL;
    struct err err = { 0 };

    ok(refresh(c, t0, "own"), "a pair");
    certs_free(&c);
    AUTO_STR authority = mem_printf("%s/authority.pem", dir);
    is_int(unlink(authority), 0, "of somebody else");
    c = open_dir(dir);
    ok(refresh(c, t0, "foreign"), "is taken");
    is_int(certs_refresh(c, t0 - DAY, &id, &err), ERR_INVALID, "told when the clock steps back");
    ok(strstr(err.text, "not valid before 82800 seconds from now") != NULL, "%s", err.text);
    is_int(certs_refresh(c, t0 + 8 * DAY, &id, &err), ERR_INVALID, "and when it has run out");
    ok(strstr(err.text, "expired 86400 seconds ago") != NULL, "%s", err.text);
    is_int(certs_refresh(c, t0 + DAY, &id, &err), 0, "and good again in between");
    certs_free(&c);
    remove_dir(dir);
}

int main(void)
{
    test_own_directory();
    test_rotation();
    test_stopped_switch();
    test_looking();
    test_shared_directory();
    test_describe();
    test_end_of_authority();
    test_foreign_directory();
    test_half_a_bundle();
    test_missing();
    test_memory();
    test_memory_through_time();
    test_clocks();
    test_clock_in_rotation();
    test_foreign_clock();
    return check_done();
}

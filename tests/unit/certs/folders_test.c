/* Directories that somebody else keeps, that are not there, or cannot be used. */
#include "tests/unit/certs/folder.h"

/* A mounted Secret: the pair is the one that '..data' names, whatever lies beside it. */
static void test_mounted_secret(void)
{
    char *own = check_folder("certs"), *dir = check_folder("certs");
    struct certs *maker = open_dir(own);
    int64_t now_s = (int64_t)time(NULL);
    AUTO_STR first = mem_printf("%s/..1", dir);
    AUTO_STR data = mem_printf("%s/..data", dir);

    refresh(maker, now_s, "maker");
    AUTO_STR cert = get(own, "tls.crt");
    AUTO_STR key = get(own, "tls.key");
    ok(mkdir(first, 0700) == 0 && symlink("..1", data) == 0, "a volume");
    put(first, "tls.crt", cert);
    put(first, "tls.key", key);
    put(dir, "tls.crt", "of another age");
    put(dir, "tls.key", "of another age");
    struct certs *c = open_dir(dir);
    ok(refresh(c, now_s, "mounted"), "the pair of one age is taken");
    ok(unlink(data) == 0, "the volume is gone");
    struct identity *id = NULL;
    struct err err = { 0 };
    is_int(certs_refresh(c, now_s, &id, &err), ERR_INVALID, "then what lies there counts");
    ok(strstr(err.text, dir) != NULL && strstr(err.text, "tls.crt: ") != NULL, "it is named: %s",
       err.text);
    certs_free(&c);
    certs_free(&maker);
    remove_dir(own);
    remove_dir(dir);
}

/* What 'certs show' says of a pair that somebody else keeps. */
static void test_describe_foreign(void)
{
    char *own = check_folder("certs"), *dir = check_folder("certs");
    struct certs *maker = open_dir(own);
    int64_t now_s = (int64_t)time(NULL);
    struct err err = { .text = "untouched" };
    AUTO_BUF out;

    refresh(maker, now_s, "maker");
    AUTO_STR cert = get(own, "tls.crt");
    AUTO_STR key = get(own, "tls.key");
    AUTO_STR cert_file = mem_printf("%s/tls.crt", dir);
    AUTO_STR key_file = mem_printf("%s/tls.key", dir);
    const struct certs_options o = { .cert_file = cert_file, .key_file = key_file };
    struct certs *c = certs_new(&o);
    put(dir, "tls.crt", cert);
    put(dir, "tls.key", key);
    buf_init(&out, 65536);
    is_int(certs_describe(c, now_s, &out, &err), 0, "a foreign pair");
    is_str(err.text, "untouched", "without a fault");
    ok(span_has_prefix(buf_span(&out), "leaf       otel-ta.otel.svc, localhost, 127.0.0.1\n") &&
           span_has_suffix(buf_span(&out), "\n  next     renewed by whoever keeps the files\n"),
       "whose it is, and what comes next:\n%s", out.p);
    AUTO_BUF bundle;
    buf_init(&bundle, 65536);
    is_int(certs_bundle(c, now_s, &bundle, &err), 0, "clients may trust it");
    is_span(buf_span(&bundle), span_of(cert), "as it stands in the file");
    put(dir, "tls.key", "none");
    is_int(certs_describe(c, now_s, &out, &err), ERR_INVALID, "a key that is none");
    AUTO_STR prefix = mem_printf("%s: ", cert_file);
    ok(span_has_prefix(span_of(err.text), prefix), "the file is named: %s", err.text);
    certs_free(&c);
    certs_free(&maker);
    remove_dir(own);
    remove_dir(dir);
}

/* The server makes its folder where there is a place for it; a command never does. */
static void test_making_the_folder(void)
{
    char *parent = check_folder("certs");
    AUTO_STR dir = mem_printf("%s/new", parent);
    AUTO_STR deep = mem_printf("%s/no/such", parent);
    AUTO_STR file = mem_printf("%s/file", parent);
    AUTO_STR in_file = mem_printf("%s/file/x", parent);
    AUTO_STR locked = mem_printf("%s/locked", parent);
    AUTO_STR lock = mem_printf("%s/locked/.lock", parent);
    const struct {
        const char *dir, *named, *why;
        int rc;
    } t[] = {
        { deep, deep, "No such file or directory", ERR_IO },
        { in_file, in_file, "Not a directory", ERR_IO },
        { file, file, "Not a directory", ERR_IO },
        { locked, lock, "Is a directory", ERR_IO },
    };
    int64_t now_s = (int64_t)time(NULL);
    struct err err = { 0 };
    struct stat st;
    AUTO_BUF out;

    put(parent, "file", "text");
    ok(mkdir(locked, 0700) == 0 && mkdir(lock, 0700) == 0, "a lock that cannot be taken");
    buf_init(&out, 65536);
    struct certs *c = open_dir(dir);
    is_int(certs_bundle(c, now_s, &out, &err), ERR_IO, "'certs ca' makes no folder");
    AUTO_STR want = mem_printf("%s: No such file or directory", dir);
    is_str(err.text, want, "and says which is missing");
    ok(refresh(c, now_s, "server"), "a server makes it");
    ok(stat(dir, &st) == 0 && (st.st_mode & 07777) == 0700, "for itself alone");
    certs_free(&c);
    for (size_t i = 0; i < COUNT(t); i++) {
        struct identity *id = NULL;
        c = open_dir(t[i].dir);
        is_int(certs_refresh(c, now_s, &id, &err), t[i].rc, "%s", t[i].dir + strlen(parent));
        AUTO_STR text = mem_printf("%s: %s", t[i].named, t[i].why);
        is_str(err.text, text, "  is named, with the reason");
        certs_free(&c);
    }
    remove_dir(parent);
}

int main(void)
{
    test_mounted_secret();
    test_describe_foreign();
    test_making_the_folder();
    return check_done();
}

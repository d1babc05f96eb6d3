#include "allocator/base/readfile.h"

#include "allocator/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *path, int errnum, struct err *err)
{
    if (errnum == ENOENT || errnum == ENOTDIR) {
        return err_set(err, ERR_NOT_FOUND, "%s: %s", path, strerrordesc_np(errnum));
    }
    return err_sys(err, errnum, "%s", path);
}

static int64_t nanoseconds(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int sign(const char *path, const struct stat *st, struct readfile_signature *out,
                struct err *err)
{
    if (!S_ISREG(st->st_mode)) {
        return err_set(err, ERR_REFUSED, "%s: not a regular file", path);
    }
    *out = (struct readfile_signature){ .device = st->st_dev,
                                        .inode = st->st_ino,
                                        .size = (uint64_t)st->st_size,
                                        .modified_ns = nanoseconds(st->st_mtim),
                                        .changed_ns = nanoseconds(st->st_ctim) };
    return 0;
}

int readfile_look(const char *path, struct readfile_signature *out, struct err *err)
{
    struct stat st;

    return stat(path, &st) < 0 ? fail(path, errno, err) : sign(path, &st, out, err);
}

struct reading {
    const char *path;
    size_t expected, max;
};

/* Reads up to the end of the file as it is now, which may be further away than when it was looked
 * at. */
static int read_all(int fd, const struct reading *r, char **out_body, size_t *out_len,
                    struct err *err)
{
    size_t cap = r->expected + 1, len = 0;
    char *body = mem_alloc(cap + 1);

    for (;;) {
        ssize_t n = read(fd, body + len, cap - len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            int errnum = errno;
            mem_free(body);
            return fail(r->path, errnum, err);
        }
        len += (size_t)n;
        if (n == 0 || len == r->expected) { /* there was room for more */
            break;
        }
        if (len > r->max) {
            mem_free(body);
            return err_set(err, ERR_TOO_BIG, "%s: more than %zu bytes", r->path, r->max);
        }
        if (len == cap) {
            cap += cap / 2 + 4096;
            body = mem_realloc(body, cap + 1);
        }
    }
    body[len] = '\0';
    *out_body = body;
    *out_len = len;
    return 0;
}

int readfile_read(const char *path, size_t max, struct readfile_signature *out, char **out_body,
                  size_t *out_len, struct err *err)
{
    struct readfile_signature signature;
    struct stat st;
    AUTO_FD fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    if (fd < 0 || fstat(fd, &st) < 0) {
        return fail(path, errno, err);
    }
    int rc = sign(path, &st, &signature, err);
    if (rc == 0 && signature.size > max) {
        rc = err_set(err, ERR_TOO_BIG, "%s: more than %zu bytes", path, max);
    }
    if (rc == 0) {
        const struct reading r = { path, (size_t)signature.size, max };
        rc = read_all(fd, &r, out_body, out_len, err);
    }
    if (rc == 0) {
        *out = signature;
    }
    return rc;
}

bool readfile_is_same(const struct readfile_signature *a, const struct readfile_signature *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}

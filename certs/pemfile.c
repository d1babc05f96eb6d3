#include "certs/pemfile.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/readfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int pemfile_read(const char *path, struct buf *out, struct err *err)
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

int pemfile_write(const char *dir, const char *name, struct span content, mode_t mode,
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

void pemfile_remove(const char *dir, const char *name)
{
    AUTO_STR path = mem_printf("%s/%s", dir, name);
    unlink(path);
}

bool pemfile_exists(const char *dir, const char *name)
{
    AUTO_STR path = mem_printf("%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

int64_t pemfile_time_s(const char *dir, const char *name)
{
    AUTO_STR path = mem_printf("%s/%s", dir, name);
    struct stat st;
    return stat(path, &st) == 0 ? (int64_t)st.st_mtim.tv_sec : 0;
}

void pemfile_set_time(const char *dir, const char *name, int64_t time_s)
{
    AUTO_STR path = mem_printf("%s/%s", dir, name);
    const struct timespec times[2] = { { .tv_sec = time_s }, { .tv_sec = time_s } };

    (void)utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
}

#include "webhook/cli/document.h"

#include "allocator/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define PIECE ((size_t)65536)

int document_read(const char *path, struct buf *out, struct err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? "standard input" : path;
    AUTO_FD opened = is_stdin ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    int fd = is_stdin ? STDIN_FILENO : opened;

    if (fd < 0) {
        return err_sys(err, errno, "%s", name);
    }
    for (;;) {
        char *to = buf_reserve(out, out->max - out->len < PIECE ? out->max - out->len : PIECE);
        size_t room = out->max - out->len < PIECE ? out->max - out->len : PIECE;
        char extra = 0;
        ssize_t n = room > 0 ? read(fd, to, room) : read(fd, &extra, 1);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return err_sys(err, errno, "%s", name);
        }
        if (n == 0) {
            return 0;
        }
        if (room == 0) {
            return err_set(err, ERR_TOO_BIG, "%s: more than %zu bytes", name, out->max);
        }
        out->len += (size_t)n;
        out->p[out->len] = '\0';
    }
}

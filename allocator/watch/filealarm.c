#include "allocator/watch/filealarm.h"

#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/readfile.h"
#include "allocator/discovery/pathglob.h"

#include <sys/eventfd.h>

#define QUIET_MS 1000
#define LOOK_MS 10000
#define SOON_MS 50 /* after an event: several come together */

struct alarm_file {
    char *path;
    struct dirwatch_sub *sub;
};

struct filealarm {
    struct dirwatch *dirs;
    struct alarm_file *files;
    size_t n;
    int fd;
    uint64_t content;  /* of all files, as last looked at */
    uint64_t reported; /* as of the last ring */
    int64_t look_ms;   /* when to look again */
    int64_t ring_ms; /* when to ring if nothing changes until then; INT64_MAX: nothing to report */
    bool has_event;
};

struct filealarm *filealarm_new(struct dirwatch *dirs)
{
    struct filealarm *f = mem_zalloc(sizeof(*f));

    f->dirs = dirs;
    f->fd = -1;
    f->look_ms = f->ring_ms = INT64_MAX;
    return f;
}

static uint64_t hash_content(const struct filealarm *f)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < f->n; i++) {
        struct readfile_signature signature;
        AUTO_STR body = NULL;
        size_t len = 0;
        int rc =
            readfile_read(f->files[i].path, LIMIT_DOCUMENT_BYTES, &signature, &body, &len, NULL);
        sum = hash_mix(sum + i + (rc < 0 ? (uint64_t)-rc : hash_fast(span_make(body, len))));
        if (body != NULL) {
            explicit_bzero(body, len); /* private keys are among the files */
        }
    }
    return sum;
}

static void on_event(void *arg, enum dirwatch_event event, struct span name)
{
    (void)event;
    (void)name;
    ((struct filealarm *)arg)->has_event = true;
}

static void clear(struct filealarm *f) ON(watcher)
{
    for (size_t i = 0; i < f->n; i++) {
        dirwatch_remove(f->dirs, &f->files[i].sub);
        mem_free(f->files[i].path);
    }
    mem_free(f->files);
    f->files = NULL;
    f->n = 0;
}

void filealarm_set(struct filealarm *f, char *const *paths, size_t n, int fd, int64_t now_ms)
{
    clear(f);
    f->files = mem_array(n, sizeof(*f->files));
    f->n = n;
    f->fd = fd;
    for (size_t i = 0; i < n; i++) {
        struct span dir, base;
        f->files[i].path = mem_strdup(paths[i]);
        pathglob_split(span_of(f->files[i].path), &dir, &base);
        f->files[i].sub = dirwatch_add(f->dirs, dir, base, on_event, f);
    }
    f->content = hash_content(f);
    f->reported = ~f->content;
    f->ring_ms = n == 0 ? INT64_MAX : now_ms + QUIET_MS;
    f->look_ms = n == 0 ? INT64_MAX : now_ms + LOOK_MS;
}

int64_t filealarm_deadline_ms(const struct filealarm *f)
{
    if (f->has_event) {
        return 0;
    }
    return f->look_ms < f->ring_ms ? f->look_ms : f->ring_ms;
}

void filealarm_tick(struct filealarm *f, int64_t now_ms)
{
    if (f->has_event) {
        f->has_event = false;
        if (f->n > 0 && f->look_ms > now_ms + SOON_MS) {
            f->look_ms = now_ms + SOON_MS;
        }
    }
    if (now_ms < f->look_ms && now_ms < f->ring_ms) {
        return;
    }
    uint64_t content = hash_content(f);
    f->look_ms = now_ms + LOOK_MS;
    if (content != f->content) {
        f->content = content;
        f->ring_ms = content == f->reported ? INT64_MAX : now_ms + QUIET_MS;
    } else if (now_ms >= f->ring_ms) {
        f->ring_ms = INT64_MAX;
        f->reported = content;
        eventfd_write(f->fd, 1);
    }
}

void filealarm_free(struct filealarm **filealarm)
{
    if (*filealarm != NULL) {
        clear(*filealarm);
        mem_free(*filealarm);
        *filealarm = NULL;
    }
}

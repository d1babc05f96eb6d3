#define LOG_MODULE "files"
#include "allocator/watch/filewatch.h"

#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/log.h"
#include "allocator/base/memorylimit.h"
#include "allocator/base/readfile.h"
#include "allocator/base/table.h"
#include "allocator/base/vec.h"
#include "allocator/discovery/pathglob.h"
#include "allocator/watch/pace.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SETTLE_MS 100 /* a file that is being written is read when it was quiet for this long… */
#define SETTLE_LIMIT_MS 1000 /* …or is still being written after this */
#define RACY_MS                                                                                    \
    1000 /* a file read so soon after its change may change again under the same time stamp */
#define UNWATCHED_MS                                                                               \
    60000 /* patterns in folders that are patterns themselves: at least so often                   \
           */

struct file {
    struct table_node node; /* of its want, by path */
    struct file_want *want;
    char *path;
    bool is_known; /* the engine has heard of it */
    bool is_bad;   /* the last reading failed: logged */
    struct readfile_signature signature;
    uint64_t body_hash; /* of what the engine has heard last */
    size_t body_len;
    unsigned deliveries; /* the want's when that was */
    int64_t read_wall_ms;
    unsigned scan; /* the last one that found it */
    bool is_due;   /* in the list of those to read */
    int64_t due_ms, touched_ms;
    struct pace pace; /* of reading it for events */
};

struct file_pattern {
    struct file_want *want;
    struct span pattern, dir, base;
    bool has_meta, dir_has_meta;
    bool is_seen; /* some time: the file was read, or all there was listed */
    struct dirwatch_sub *sub;
};

struct file_want {
    struct source_want base;
    struct file_pattern *patterns;
    struct table files;
    unsigned scan;
    unsigned deliveries; /* what was told before it went up is news if it comes again */
    bool is_unsure;      /* scan it at the next tick */
    bool is_blind;       /* in this scan a folder could not be read: nothing is known to be gone */
    bool is_crowded;     /* in this scan there were more files than may be */
    bool is_unseen;      /* of some pattern nothing is known: the engine was told */
    int64_t refresh_ms;
    struct pace pace; /* of scanning it for events */
};

struct filewatch {
    struct carrier_source base;
    struct dirwatch *dirs;
    size_t max_files; /* of one want */
    size_t max_body_bytes;
    VEC(struct file *) due;
    int64_t next_unsure_ms;  /* lower bound of when to scan those that are; INT64_MAX: none */
    int64_t next_refresh_ms; /* lower bound */
};

static struct filewatch *owner_of(const struct file_want *w)
{
    return CONTAINER_OF(w->base.source, struct filewatch, base);
}

/* ---- files */

static bool is_path(const struct table_node *node, const void *key)
{
    const struct file *file = CONTAINER_OF(node, struct file, node);
    return span_is(*(const struct span *)key, file->path);
}

/* NULL: not known, and there are as many as there may be. */
static struct file *need_file(struct file_want *w, struct span path)
{
    uint64_t hash = hash_fast(path);
    struct table_node *node = table_find(&w->files, hash, is_path, &path);

    if (node != NULL) {
        return CONTAINER_OF(node, struct file, node);
    }
    if (w->files.n >= owner_of(w)->max_files) {
        w->is_crowded = true;
        return NULL;
    }
    struct file *file = mem_zalloc(sizeof(*file));
    file->want = w;
    file->path = mem_strndup(path.p, path.len);
    table_put(&w->files, &file->node, hash);
    return file;
}

static void undue(struct filewatch *f, struct file *file)
{
    for (size_t i = 0; file->is_due && i < f->due.n; i++) {
        if (f->due.v[i] == file) {
            f->due.v[i] = f->due.v[--f->due.n];
            file->is_due = false;
        }
    }
}

static void free_file(struct file *file)
{
    undue(owner_of(file->want), file);
    table_del(&file->want->files, &file->node);
    mem_free(file->path);
    mem_free(file);
}

static void vanish(struct file *file)
{
    if (file->is_known) {
        log_info("a discovery file is gone, its targets with it", LOG_STR("path", file->path));
    }
    if (file->is_known || file->is_bad) {
        source_tell(&file->want->base, ARRIVAL_VANISHED, file->path, NULL, 0);
    }
    free_file(file);
}

static void fail(struct file *file, const struct err *err)
{
    if (!file->is_bad) {
        file->is_bad = true;
        log_warn("a discovery file cannot be read; what is known of it stays",
                 LOG_STR("error", err->text));
    }
    source_tell(&file->want->base, ARRIVAL_FAILED, file->path, NULL, 0);
}

/* A link that leads nowhere: what it stands for is elsewhere, and may come. */
static bool is_dangling(const struct file *file)
{
    struct stat st;
    return lstat(file->path, &st) == 0;
}

/* Reads the file and tells the engine what is new to it; false when it is gone, and freed. */
static bool read_file(struct file *file, bool must_tell)
{
    char *body = NULL;
    size_t len = 0;
    struct err err;
    int64_t now = clock_wall_ms();
    int rc = readfile_read(file->path, owner_of(file->want)->max_body_bytes, &file->signature,
                           &body, &len, &err);

    if (rc == ERR_NOT_FOUND && !is_dangling(file)) {
        vanish(file);
        return false;
    }
    if (rc < 0) {
        fail(file, &err);
        return true;
    }
    uint64_t hash = hash_fast(span_make(body, len));
    bool is_news = must_tell || !file->is_known || file->is_bad || len != file->body_len ||
                   hash != file->body_hash || file->deliveries != file->want->deliveries;
    file->read_wall_ms = now;
    file->is_known = true;
    file->is_bad = false;
    if (!is_news) {
        mem_free(body);
        return true;
    }
    file->body_hash = hash;
    file->body_len = len;
    file->deliveries = file->want->deliveries;
    source_tell(&file->want->base, ARRIVAL_OK, file->path, body, len);
    return true;
}

/* Reads it if it looks different from when it was read; it may be freed. */
static void look_at_file(struct file *file, bool must_read)
{
    struct readfile_signature now;

    if (!must_read && file->is_known && !file->is_bad &&
        readfile_look(file->path, &now, NULL) == 0 && readfile_is_same(&now, &file->signature) &&
        now.modified_ns / 1000000 + RACY_MS < file->read_wall_ms) {
        return;
    }
    (void)read_file(file, must_read);
}

/* ---- scanning */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
    VEC(char *) list;
};

static void free_names(struct names *names)
{
    vec_each(&names->list, name) {
        mem_free(*name);
    }
    vec_fini(&names->list);
}

/* False at the end, and when the folder cannot be read any further: '*out_errnum' then. */
static bool read_name(DIR *handle, struct span *out, int *out_errnum)
{
    errno = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else reads from this handle */
    const struct dirent *e = readdir(handle);
    *out_errnum = e == NULL ? errno : 0;
    *out = e == NULL ? SPAN_LIT("") : span_of(e->d_name);
    return e != NULL;
}

static void stay_blind(struct file_want *w, const char *dir, int errnum)
{
    w->is_blind = true;
    source_tell(&w->base, ARRIVAL_FAILED, NULL, NULL, 0);
    log_warn("a folder with discovery files cannot be read; what is known of it stays",
             LOG_STR("folder", dir), LOG_STR("error", strerrordesc_np(errnum)));
}

/* Adds the names in 'dir' that match, as many as can be listed. False when it is not there. */
static bool list_dir(struct file_want *w, const char *dir, struct span pattern, struct names *out)
{
    struct span name = { "", 0 };
    DIR *handle = opendir(dir);
    int errnum = errno;

    if (handle == NULL) {
        if (errnum != ENOENT && errnum != ENOTDIR) {
            stay_blind(w, dir, errnum);
        }
        return false;
    }
    while (out->list.n <= owner_of(w)->max_files && read_name(handle, &name, &errnum)) {
        if (!span_is(name, ".") && !span_is(name, "..") && pathglob_match(pattern, name)) {
            *vec_push(&out->list) = mem_strndup(name.p, name.len);
        }
    }
    closedir(handle);
    if (out->list.n > owner_of(w)->max_files) {
        w->is_crowded = true;
    } else if (errnum != 0) {
        stay_blind(w, dir, errnum);
    }
    if (out->list.n > 1) {
        qsort(out->list.v, out->list.n, sizeof(char *), compare_names);
    }
    return true;
}

static void found(struct file_want *w, struct span path, bool must_read)
{
    struct file *file = need_file(w, path);

    if (file != NULL && file->scan != w->scan) {
        file->scan = w->scan;
        undue(owner_of(w), file);
        look_at_file(file, must_read);
    }
}

static void join(const char *dir, const char *name, struct buf *out)
{
    AUTO_BUF raw;

    buf_init(&raw, MIB);
    buf_addf(&raw, "%s/%s", dir, name);
    buf_clear(out);
    pathglob_clean(buf_span(&raw), out);
}

static bool scan_dir(struct file_want *w, const char *dir, struct span base, bool must_read)
{
    struct names names = { 0 };
    AUTO_BUF path;

    buf_init(&path, MIB);
    bool is_there = list_dir(w, dir, base, &names);
    vec_each(&names.list, name) {
        join(dir, *name, &path);
        found(w, buf_span(&path), must_read);
    }
    free_names(&names);
    return is_there;
}

/* The folders that a pattern of folders stands for, element by element. False when the one before
 * the first wildcard is not there. */
static bool expand_dirs(struct file_want *w, struct span pattern, struct names *out)
{
    bool is_fixed = true, is_there = true;

    *vec_push(&out->list) = mem_strdup(pattern.len > 0 && pattern.p[0] == '/' ? "/" : ".");
    while (pattern.len > 0) {
        const char *slash = memchr(pattern.p, '/', pattern.len);
        struct span element =
            span_make(pattern.p, slash == NULL ? pattern.len : (size_t)(slash - pattern.p));
        pattern = span_from(pattern, element.len + (slash != NULL));
        struct names next = { 0 };
        vec_each(&out->list, dir) {
            struct names found_here = { 0 };
            if (pathglob_has_meta(element)) {
                is_there &= list_dir(w, *dir, element, &found_here) || !is_fixed;
            } else if (element.len > 0) {
                *vec_push(&found_here.list) = mem_strndup(element.p, element.len);
            } else {
                *vec_push(&found_here.list) = mem_strdup(".");
            }
            vec_each(&found_here.list, name) {
                AUTO_BUF path;
                buf_init(&path, MIB);
                join(*dir, *name, &path);
                *vec_push(&next.list) = mem_strdup(path.p);
            }
            free_names(&found_here);
        }
        free_names(out);
        *out = next;
        is_fixed = is_fixed && !pathglob_has_meta(element);
    }
    return is_there;
}

static void scan_pattern(struct file_want *w, struct file_pattern *p, bool must_read)
{
    if (!p->has_meta && !p->dir_has_meta) {
        struct stat st;
        AUTO_STR path = mem_strndup(p->pattern.p, p->pattern.len);
        if (lstat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR)) {
            found(w, p->pattern, must_read);
        }
        return;
    }
    struct names dirs = { 0 };
    bool was_blind = w->is_blind, was_crowded = w->is_crowded, is_there = true;
    w->is_blind = w->is_crowded = false;
    if (p->dir_has_meta) {
        is_there = expand_dirs(w, p->dir, &dirs);
    } else {
        *vec_push(&dirs.list) = mem_strndup(p->dir.p, p->dir.len);
    }
    vec_each(&dirs.list, dir) {
        is_there &= scan_dir(w, *dir, p->base, must_read) || p->dir_has_meta;
    }
    free_names(&dirs);
    p->is_seen |= is_there && !w->is_blind && !w->is_crowded;
    w->is_blind |= was_blind;
    w->is_crowded |= was_crowded;
}

static bool is_seen(struct file_want *w, struct file_pattern *p)
{
    if (!p->is_seen && !p->has_meta && !p->dir_has_meta) {
        struct table_node *node =
            table_find(&w->files, hash_fast(p->pattern), is_path, &p->pattern);
        p->is_seen = node != NULL && CONTAINER_OF(node, struct file, node)->is_known;
    }
    return p->is_seen;
}

/* Tells whether of some pattern nothing is known, if that is news. */
static void tell_sight(struct file_want *w)
{
    bool is_unseen = false;

    for (size_t i = 0; i < w->base.want->ask.file.n_patterns; i++) {
        is_unseen |= !is_seen(w, &w->patterns[i]);
    }
    if (is_unseen != w->is_unseen) {
        w->is_unseen = is_unseen;
        source_tell(&w->base, is_unseen ? ARRIVAL_BLIND : ARRIVAL_SIGHTED, NULL, NULL, 0);
    }
}

/* What no listing named is gone, if every listing was complete; else each is looked at by itself.
 */
static void look_at_unlisted(struct file_want *w, bool must_read)
{
    struct table_node *node = table_next(&w->files, NULL);

    while (node != NULL) {
        struct table_node *next = table_next(&w->files, node);
        struct file *file = CONTAINER_OF(node, struct file, node);
        if (file->scan != w->scan && (w->is_blind || w->is_crowded)) {
            undue(owner_of(w), file);
            look_at_file(file, must_read);
        } else if (file->scan != w->scan) {
            vanish(file);
        }
        node = next;
    }
}

static void report_crowd(const struct file_want *w)
{
    struct span pattern = w->base.want->ask.file.patterns[0];
    AUTO_STR name = mem_strndup(pattern.p, pattern.len);

    source_tell(&w->base, ARRIVAL_FAILED, NULL, NULL, 0);
    log_warn("discovery finds too many files; those not known before are left out",
             LOG_STR("pattern", name), LOG_INT("most", owner_of(w)->max_files));
}

static void scan(struct file_want *w, bool must_read, int64_t now_ms) ON(watcher)
{
    const struct ask *ask = &w->base.want->ask;
    int64_t interval = ask->refresh_ms, from_us = clock_mono_us();

    for (size_t i = 0; i < ask->file.n_patterns; i++) {
        if (w->patterns[i].sub != NULL) {
            dirwatch_renew(owner_of(w)->dirs, w->patterns[i].sub);
        } else if (interval > UNWATCHED_MS) {
            interval = UNWATCHED_MS;
        }
    }
    w->scan++;
    w->is_blind = w->is_crowded = w->is_unsure =
        false; /* what renewing told is seen by this scan */
    for (size_t i = 0; i < ask->file.n_patterns; i++) {
        scan_pattern(w, &w->patterns[i], must_read);
    }
    look_at_unlisted(w, must_read);
    if (w->is_crowded) {
        report_crowd(w);
    }
    tell_sight(w);
    w->refresh_ms = now_ms + interval;
    if (w->refresh_ms < owner_of(w)->next_refresh_ms) {
        owner_of(w)->next_refresh_ms = w->refresh_ms;
    }
    pace_note(&w->pace, from_us, clock_mono_us());
}

/* ---- events */

static void schedule(struct file_want *w, struct span path, enum dirwatch_event event)
{
    struct filewatch *f = owner_of(w);
    struct file *file = need_file(w, path);
    int64_t now = clock_mono_ms();

    if (file == NULL) {
        return;
    }
    if (!file->is_due) {
        *vec_push(&f->due) = file;
        file->is_due = true;
        file->touched_ms = now;
        file->due_ms = INT64_MAX;
    }
    if (event == DIRWATCH_READY) {
        file->due_ms = now;
    } else if (file->due_ms > now) {
        int64_t limit = file->touched_ms + SETTLE_LIMIT_MS;
        file->due_ms = now + SETTLE_MS < limit ? now + SETTLE_MS : limit;
    }
    file->due_ms = pace_due_ms(&file->pace, file->due_ms);
}

static void on_event(void *arg, enum dirwatch_event event, struct span name)
{
    struct file_pattern *p = arg;

    if (event == DIRWATCH_UNSURE) {
        struct filewatch *f = owner_of(p->want);
        int64_t due_ms = pace_due_ms(&p->want->pace, 0);
        p->want->is_unsure = true;
        f->next_unsure_ms = due_ms < f->next_unsure_ms ? due_ms : f->next_unsure_ms;
    } else if (!p->has_meta) {
        schedule(p->want, p->pattern, event);
    } else if (pathglob_match(p->base, name)) {
        AUTO_STR dir = mem_strndup(p->dir.p, p->dir.len);
        AUTO_STR base = mem_strndup(name.p, name.len);
        AUTO_BUF path;
        buf_init(&path, MIB);
        join(dir, base, &path);
        schedule(p->want, buf_span(&path), event);
    }
}

static void read_due(struct filewatch *f, int64_t now_ms)
{
    for (size_t i = 0; i < f->due.n;) {
        struct file *file = f->due.v[i];
        if (file->due_ms > now_ms) {
            i++;
            continue;
        }
        f->due.v[i] = f->due.v[--f->due.n];
        file->is_due = false;
        struct file_want *w = file->want;
        struct pace pace;
        int64_t from_us = clock_mono_us();
        bool is_there = read_file(file, false);
        pace_note(&pace, from_us, clock_mono_us());
        if (is_there) {
            file->pace = pace;
        }
        if (w->is_unseen) {
            tell_sight(w);
        }
    }
}

static void tick(struct carrier_source *s, int64_t now_ms) ON(watcher)
{
    struct filewatch *f = CONTAINER_OF(s, struct filewatch, base);

    read_due(f, now_ms);
    if (now_ms < f->next_unsure_ms && now_ms < f->next_refresh_ms) {
        return;
    }
    f->next_unsure_ms = f->next_refresh_ms = INT64_MAX;
    for (struct source_want *it = s->wants; it != NULL; it = it->next) {
        struct file_want *w = CONTAINER_OF(it, struct file_want, base);
        int64_t unsure_ms = w->is_unsure ? pace_due_ms(&w->pace, 0) : INT64_MAX;
        if (unsure_ms <= now_ms || w->refresh_ms <= now_ms) {
            scan(w, false, now_ms);
            continue;
        }
        f->next_unsure_ms = unsure_ms < f->next_unsure_ms ? unsure_ms : f->next_unsure_ms;
        f->next_refresh_ms =
            w->refresh_ms < f->next_refresh_ms ? w->refresh_ms : f->next_refresh_ms;
    }
}

static int64_t deadline_ms(const struct carrier_source *s)
{
    const struct filewatch *f = CONTAINER_OF(s, struct filewatch, base);
    int64_t deadline =
        f->next_unsure_ms < f->next_refresh_ms ? f->next_unsure_ms : f->next_refresh_ms;

    for (size_t i = 0; i < f->due.n; i++) {
        deadline = f->due.v[i]->due_ms < deadline ? f->due.v[i]->due_ms : deadline;
    }
    return deadline;
}

/* ---- wants */

static void subscribe(struct file_want *w, size_t i) ON(watcher)
{
    struct file_pattern *p = &w->patterns[i];

    p->want = w;
    p->pattern = w->base.want->ask.file.patterns[i];
    pathglob_split(p->pattern, &p->dir, &p->base);
    p->has_meta = pathglob_has_meta(p->base);
    p->dir_has_meta = pathglob_has_meta(p->dir);
    if (!p->dir_has_meta) {
        p->sub = dirwatch_add(owner_of(w)->dirs, p->dir, p->has_meta ? SPAN_LIT("") : p->base,
                              on_event, p);
    }
}

static void refresh(struct source_want *want, int64_t now_ms) ON(watcher)
{
    scan(CONTAINER_OF(want, struct file_want, base), true, now_ms);
    source_tell(want, ARRIVAL_SETTLED, NULL, NULL, 0);
}

static struct source_want *add(struct carrier_source *s, struct want *want, int64_t now_ms)
    ON(watcher)
{
    struct file_want *w = mem_zalloc(sizeof(*w));

    source_keep(s, &w->base, want);
    table_init(&w->files);
    w->patterns = mem_array(want->ask.file.n_patterns, sizeof(*w->patterns));
    for (size_t i = 0; i < want->ask.file.n_patterns; i++) {
        subscribe(w, i); /* before the first look, so that nothing falls between */
    }
    refresh(&w->base, now_ms);
    return &w->base;
}

static void redeliver(struct source_want *want)
{
    CONTAINER_OF(want, struct file_want, base)->deliveries++;
}

static void cancel(struct source_want *want) ON(watcher)
{
    struct file_want *w = CONTAINER_OF(want, struct file_want, base);
    struct table_node *node = table_next(&w->files, NULL);

    while (node != NULL) {
        struct table_node *next = table_next(&w->files, node);
        free_file(CONTAINER_OF(node, struct file, node));
        node = next;
    }
    for (size_t i = 0; i < want->want->ask.file.n_patterns; i++) {
        dirwatch_remove(owner_of(w)->dirs, &w->patterns[i].sub);
    }
    table_fini(&w->files);
    mem_free(w->patterns);
    source_forget(want);
    mem_free(w);
}

static void free_all(struct carrier_source *s) ON(watcher)
{
    struct filewatch *f = CONTAINER_OF(s, struct filewatch, base);

    assert(s->wants == NULL);
    vec_fini(&f->due);
    mem_free(f);
}

struct carrier_source *filewatch_new(struct dirwatch *dirs, size_t max_files)
{
    static const struct source_ops ops = {
        .carrier = CARRIER_FILE,
        .add = add,
        .refresh = refresh,
        .redeliver = redeliver,
        .cancel = cancel,
        .deadline_ms = deadline_ms,
        .tick = tick,
        .free = free_all,
    };
    struct filewatch *f = mem_zalloc(sizeof(*f));
    f->max_body_bytes = memorylimit_sd_body(memorylimit_bytes());

    f->base.ops = &ops;
    f->dirs = dirs;
    f->max_files = max_files;
    f->next_unsure_ms = f->next_refresh_ms = INT64_MAX;
    return &f->base;
}

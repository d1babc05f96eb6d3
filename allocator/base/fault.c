#include "allocator/base/fault.h"

#include "allocator/base/buf.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void faults_init(struct faults *f)
{
    *f = (struct faults){ 0 };
}

static bool is_plain(const char *name)
{
    for (const char *p = name; *p != '\0'; p++) {
        if (!isalnum((unsigned char)*p) && strchr("_-/", *p) == NULL) {
            return false;
        }
    }
    return name[0] != '\0';
}

/* Past the end of the buffer the path is cut; marks still pop right. */
static void append(struct faults *f, const char *text, size_t len)
{
    size_t room = sizeof(f->path) - 1 - f->path_len;

    len = len < room ? len : room;
    memcpy(f->path + f->path_len, text, len);
    f->path_len += len;
    f->path[f->path_len] = '\0';
}

/* What is printed to a buffer of 'size' bytes, without what had no room. */
static size_t printed(int n, size_t size)
{
    return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

size_t faults_push(struct faults *f, const char *fmt, ...)
{
    size_t mark = f->path_len;
    char name[512], text[600];
    va_list ap;

    /* A path is pushed for everything that is read, and seldom told: printing it is most of that.
     */
    if (is_plain(fmt)) {
        append(f, ".", mark == 0 ? 0 : 1);
        append(f, fmt, strlen(fmt));
        return mark;
    }
    va_start(ap, fmt);
    size_t len = printed(vsnprintf(name, sizeof(name), fmt, ap), sizeof(name));
    va_end(ap);
    if (is_plain(name)) {
        append(f, ".", mark == 0 ? 0 : 1);
        append(f, name, len);
    } else {
        AUTO_BUF quoted;
        buf_init(&quoted, 6 * sizeof(name));
        buf_add_json(&quoted, span_of(name));
        len = printed(snprintf(text, sizeof(text), "[%s]", quoted.p), sizeof(text));
        append(f, text, len);
    }
    return mark;
}

size_t faults_push_index(struct faults *f, size_t index)
{
    size_t mark = f->path_len;
    char text[32], *at = text + sizeof(text);

    *--at = ']';
    do {
        *--at = (char)('0' + index % 10);
        index /= 10;
    } while (index > 0);
    *--at = '[';
    append(f, at, (size_t)(text + sizeof(text) - at));
    return mark;
}

void faults_pop(struct faults *f, size_t mark)
{
    f->path_len = mark;
    f->path[mark] = '\0';
}

static void PRINTF_LIKE(5, 0)
    add(struct faults *f, enum fault_kind kind, enum fault_severity severity, unsigned line,
        const char *fmt, va_list ap)
{
    char text[1024];

    if (severity == FAULT_ERROR) {
        f->n_errors++;
    }
    if (f->n >= LIMIT_FAULTS) {
        f->n_suppressed++;
        return;
    }
    if (f->n == f->cap) {
        f->cap = f->cap == 0 ? 8 : f->cap * 2;
        f->v = mem_realloc(f->v, f->cap * sizeof(*f->v));
    }
    vsnprintf(text, sizeof(text), fmt, ap);
    f->v[f->n++] = (struct fault){ .severity = severity,
                                   .kind = kind,
                                   .file = f->file == NULL ? NULL : mem_strdup(f->file),
                                   .document = f->document,
                                   .path = mem_strdup(f->path),
                                   .text = mem_strdup(text),
                                   .line = line };
}

void faults_add(struct faults *f, enum fault_severity severity, unsigned line, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add(f, FAULT_PLAIN, severity, line, fmt, ap);
    va_end(ap);
}

void faults_add_kind(struct faults *f, enum fault_kind kind, enum fault_severity severity,
                     unsigned line, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add(f, kind, severity, line, fmt, ap);
    va_end(ap);
}

void faults_add_at(struct faults *f, enum fault_severity severity, unsigned line,
                   const char *member, const char *fmt, ...)
{
    size_t mark = faults_push(f, "%s", member);
    va_list ap;

    va_start(ap, fmt);
    add(f, FAULT_PLAIN, severity, line, fmt, ap);
    va_end(ap);
    faults_pop(f, mark);
}

int faults_first(const struct faults *f, struct err *err)
{
    for (size_t i = 0; i < f->n; i++) {
        if (f->v[i].severity == FAULT_ERROR) {
            const char *path = f->v[i].path;
            return err_set(err, ERR_INVALID, "%s%s%s", path, path[0] == '\0' ? "" : ": ",
                           f->v[i].text);
        }
    }
    return 0;
}

char *fault_text(const struct fault *fault)
{
    AUTO_STR line = fault->line > 0 ? mem_printf("%u: ", fault->line)
                                    : mem_strdup(fault->file == NULL ? "" : " ");
    AUTO_STR document =
        fault->document > 0 ? mem_printf("document %zu: ", fault->document) : mem_strdup("");

    AUTO_STR text = mem_printf(
        "%s%s%s%s%s%s%s%s%s", fault->file == NULL ? "" : fault->file,
        fault->file == NULL ? "" : ":", fault->file == NULL && fault->line > 0 ? "line " : "", line,
        document, fault->severity == FAULT_WARNING ? "warning: " : "",
        fault->path[0] == '\0' ? "" : fault->path, fault->path[0] == '\0' ? "" : ": ", fault->text);
    struct buf visible; /* names and values come from the document, and this goes to a terminal */
    buf_init(&visible, 8 * strlen(text));
    buf_add_visible(&visible, span_of(text));
    return buf_take(&visible, NULL);
}

char *faults_why(const struct faults *f, size_t from)
{
    for (size_t i = from; i < f->n; i++) {
        if (f->v[i].severity == FAULT_ERROR) {
            return fault_text(&f->v[i]);
        }
    }
    return mem_strdup("");
}

void faults_print(const struct faults *f, FILE *out)
{
    for (size_t i = 0; i < f->n; i++) {
        AUTO_STR where = fault_text(&f->v[i]);
        fprintf(out, "%s\n", where);
    }
    if (f->n_suppressed > 0) {
        fprintf(out, "(and %zu more)\n", f->n_suppressed);
    }
}

static void drop(struct fault *fault)
{
    mem_free(fault->file);
    mem_free(fault->path);
    mem_free(fault->text);
}

void faults_drop_errors(struct faults *f, size_t from)
{
    size_t n = 0;

    f->n_errors = 0;
    f->n_suppressed = 0;
    for (size_t i = 0; i < f->n; i++) {
        bool is_error = f->v[i].severity == FAULT_ERROR;
        if (is_error && i >= from) {
            drop(&f->v[i]);
            continue;
        }
        f->n_errors += is_error ? 1 : 0;
        f->v[n++] = f->v[i];
    }
    f->n = n;
}

static bool is_same(const struct fault *a, const struct fault *b)
{
    return a->document == b->document && strcmp(a->path, b->path) == 0 &&
           strcmp(a->text, b->text) == 0;
}

static bool is_before(const struct fault *a, const struct fault *b)
{
    return a->document != b->document ? a->document < b->document : a->line < b->line;
}

/* There are at most LIMIT_FAULTS. */
void faults_sort(struct faults *f)
{
    for (size_t i = 1; i < f->n; i++) {
        struct fault one = f->v[i];
        size_t k = i;
        for (; k > 0 && is_before(&one, &f->v[k - 1]); k--) {
            f->v[k] = f->v[k - 1];
        }
        f->v[k] = one;
    }
}

void faults_demote(struct faults *f, size_t from)
{
    for (size_t i = from; i < f->n; i++) {
        f->n_errors -= f->v[i].severity == FAULT_ERROR ? 1 : 0;
        f->v[i].severity = FAULT_WARNING;
    }
}

void faults_drop_repeats(struct faults *f, size_t from)
{
    size_t n = from;

    for (size_t i = from; i < f->n; i++) {
        size_t k = 0;
        while (k < n && !is_same(&f->v[k], &f->v[i])) {
            k++;
        }
        if (k == n) {
            f->v[n++] = f->v[i];
            continue;
        }
        if (f->v[i].severity == FAULT_ERROR && f->v[k].severity == FAULT_ERROR) {
            f->n_errors--;
        } else if (f->v[i].severity == FAULT_ERROR) {
            f->v[k].severity = FAULT_ERROR;
        }
        drop(&f->v[i]);
    }
    f->n = n;
}

void faults_fini(struct faults *f)
{
    for (size_t i = 0; i < f->n; i++) {
        drop(&f->v[i]);
    }
    mem_free(f->v);
    faults_init(f);
}

#include "allocator/base/trim.h"

#include "allocator/base/limits.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    QUIET_PERCENT = 25,     /* of one processor, since it was asked last */
    BUSY_MOST_MS = 30000,   /* who is never quiet gives back all the same */
    WORTH_PART_OF_USED = 8, /* more than this part of what is in use … */
};
static const size_t worth_bytes = 4 * MIB; /* … and more than this */

static size_t excess(const struct trim_view *v)
{
    return v->resident_bytes > v->used_bytes ? v->resident_bytes - v->used_bytes : 0;
}

static bool is_worth_it(struct trim *t, const struct trim_view *v)
{
    size_t least = v->used_bytes / WORTH_PART_OF_USED;

    if (excess(v) < t->left_bytes) {
        t->left_bytes = excess(v);
    }
    return excess(v) > t->left_bytes + (least < worth_bytes ? worth_bytes : least);
}

bool trim_is_due(struct trim *t, const struct trim_view *v)
{
    int64_t spent_ms = v->cpu_ms - t->asked_cpu_ms, passed_ms = v->now_ms - t->asked_ms;
    bool is_first = t->asked_ms == 0;
    bool is_quiet = spent_ms * 100 <= passed_ms * QUIET_PERCENT;

    t->asked_ms = v->now_ms;
    t->asked_cpu_ms = v->cpu_ms;
    if (is_first || !is_worth_it(t, v)) {
        t->due_since_ms = 0;
        return false;
    }
    if (t->due_since_ms == 0) {
        t->due_since_ms = v->now_ms;
    }
    return is_quiet || v->now_ms - t->due_since_ms >= BUSY_MOST_MS;
}

void trim_note(struct trim *t, const struct trim_view *v)
{
    t->left_bytes = excess(v);
    t->due_since_ms = 0;
}

/* Pages of the process that no file backs. */
static size_t resident(void)
{
    unsigned long size = 0, all = 0, shared = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (f == NULL) {
        return 0;
    }
    char line[128] = "";
    char *p = line;
    if (fgets(line, sizeof(line), f) != NULL) {
        size = strtoul(p, &p, 10);
        all = strtoul(p, &p, 10);
        shared = strtoul(p, &p, 10);
    }
    fclose(f);
    (void)size;
    return (all - shared) * (size_t)sysconf(_SC_PAGESIZE);
}

static struct trim_view look(int64_t now_ms)
{
    struct timespec cpu = { 0 };
    struct mallinfo2 m = mallinfo2();

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    return (struct trim_view){ .now_ms = now_ms,
                               .cpu_ms = (int64_t)cpu.tv_sec * 1000 + cpu.tv_nsec / 1000000,
                               .resident_bytes = resident(),
                               .used_bytes = m.uordblks + m.hblkhd };
}

void trim_tick(struct trim *t, int64_t now_ms)
{
    if (t->asked_ms != 0 && now_ms - t->asked_ms < TRIM_PERIOD_MS) {
        return;
    }
    struct trim_view v = look(now_ms);

    if (trim_is_due(t, &v)) {
        malloc_trim(0);
        v = look(now_ms);
        trim_note(t, &v);
    }
}

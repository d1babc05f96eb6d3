#include "allocator/base/memorylimit.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t given_bytes; /* 0: nobody said */
static size_t text_nodes = LIMIT_YAML_NODES;

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* A number, or a word such as "max". */
static size_t read_limit(const char *path)
{
    FILE *f = fopen(path, "re");
    char line[64] = "";
    char *end = line;

    if (f == NULL) {
        return SIZE_MAX;
    }
    char *got = fgets(line, sizeof(line), f);
    fclose(f);
    unsigned long long n = got == NULL ? 0 : strtoull(line, &end, 10);
    /* Version 1 says "none" with a number near the largest. */
    return end == line || n >= 1ULL << 60 ? SIZE_MAX : (size_t)n;
}

/* Of 'group' ("/a/b") and all above it. Inside a container it may name what is not there: then the
 * files of the top are the container's own. */
static size_t limit_of_group(const char *root, const char *mount, const char *group,
                             const char *file)
{
    AUTO_STR path = mem_strdup(group);
    size_t least = SIZE_MAX;

    for (;;) {
        AUTO_STR name = mem_printf("%s%s%s/%s", root, mount, path, file);
        least = min(least, read_limit(name));
        char *slash = strrchr(path, '/');
        if (slash == NULL) {
            return least;
        }
        *slash = '\0';
    }
}

/* "0::/a/b", or of version 1 "7:cpu,memory:/a/b". */
static size_t limit_of_line(const char *root, char *line)
{
    char *controllers = strchr(line, ':');
    char *group = controllers == NULL ? NULL : strchr(controllers + 1, ':');

    if (group == NULL) {
        return SIZE_MAX;
    }
    controllers++;
    *group++ = '\0';
    group[strcspn(group, "\n")] = '\0';
    if (*controllers == '\0') {
        return limit_of_group(root, "/sys/fs/cgroup", group, "memory.max");
    }
    char *rest = NULL;
    for (char *c = strtok_r(controllers, ",", &rest); c != NULL; c = strtok_r(NULL, ",", &rest)) {
        if (strcmp(c, "memory") == 0) {
            return limit_of_group(root, "/sys/fs/cgroup/memory", group, "memory.limit_in_bytes");
        }
    }
    return SIZE_MAX;
}

size_t memorylimit_below(const char *root)
{
    AUTO_STR path = mem_printf("%s/proc/self/cgroup", root);
    FILE *f = fopen(path, "re");
    char line[4096];
    size_t least = SIZE_MAX;

    if (f == NULL) {
        return SIZE_MAX;
    }
    while (fgets(line, sizeof(line), f) != NULL) {
        least = min(least, limit_of_line(root, line));
    }
    fclose(f);
    return least;
}

void memorylimit_set(size_t bytes)
{
    given_bytes = bytes;
    text_nodes = memorylimit_nodes(memorylimit_bytes());
}

size_t memorylimit_bytes(void)
{
    if (given_bytes > 0) {
        return given_bytes;
    }
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    size_t machine = pages > 0 && page > 0 ? (size_t)pages * (size_t)page : 512 * MIB;

    return min(machine, memorylimit_below(""));
}

static size_t between(size_t least, size_t n, size_t most)
{
    return n < least ? least : min(n, most);
}

size_t memorylimit_sd_body(size_t limit_bytes)
{
    return between(16 * MIB, limit_bytes / 48, LIMIT_SD_BODY);
}

size_t memorylimit_sd_bodies(size_t limit_bytes)
{
    return 2 * memorylimit_sd_body(limit_bytes);
}

size_t memorylimit_patterns(size_t limit_bytes)
{
    return between(LIMIT_REGEX_AUTHOR, limit_bytes / 48, LIMIT_REGEX_PROCESS);
}

size_t memorylimit_jobs(size_t limit_bytes)
{
    return between(16 * MIB, limit_bytes / 24, SIZE_MAX);
}

size_t memorylimit_targets(size_t limit_bytes)
{
    return between(16 * MIB, limit_bytes / 14, SIZE_MAX);
}

size_t memorylimit_nodes(size_t limit_bytes)
{
    return between(128 * KIB, limit_bytes / (4 * KIB), LIMIT_YAML_NODES);
}

size_t memorylimit_text_nodes(void)
{
    return text_nodes;
}

/* What a cgroup allows, as kernels of both versions say it. */
#include "allocator/base/memorylimit.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>

static void put(const char *root, const char *path, const char *text)
{
    AUTO_STR full = mem_printf("%s/%s", root, path);
    AUTO_STR command = mem_printf("mkdir -p \"$(dirname '%s')\"", full);

    ok(system(command) == 0, "folder of %s", path);
    FILE *f = fopen(full, "we");
    ok(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0, "write %s", path);
}

static void test_groups(void)
{
    static const struct {
        const char *what, *groups;
        const char *files[3][2];
        size_t want;
    } t[] = {
        { "version 2", "0::/kube/pod\n", { { "kube/pod/memory.max", "536870912\n" } }, 512 * MIB },
        { "version 2, one above has less",
          "0::/kube/pod/c\n",
          { { "kube/pod/c/memory.max", "max\n" }, { "kube/memory.max", "1048576\n" } },
          1 * MIB },
        { "version 2, in a namespace", "0::/\n", { { "memory.max", "4096\n" } }, 4096 },
        { "version 2, a name from outside", "0::/../x\n", { { "memory.max", "8192\n" } }, 8192 },
        { "version 2, no limit", "0::/a\n", { { "a/memory.max", "max\n" } }, SIZE_MAX },
        { "version 1",
          "9:cpu,memory:/d/x\n3:pids:/d/x\n",
          { { "memory/d/x/memory.limit_in_bytes", "268435456\n" },
            { "memory/memory.limit_in_bytes", "9223372036854771712\n" } },
          256 * MIB },
        { "version 1, no limit",
          "9:memory:/\n",
          { { "memory/memory.limit_in_bytes", "9223372036854771712\n" } },
          SIZE_MAX },
        { "both, the lesser counts",
          "9:memory:/a\n0::/a\n",
          { { "memory/a/memory.limit_in_bytes", "2000\n" }, { "a/memory.max", "1000\n" } },
          1000 },
        { "nonsense", "x\n::\n:memory\n", { { "memory.max", "" } }, SIZE_MAX },
        { "no file", NULL, { { NULL, NULL } }, SIZE_MAX },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        AUTO_STR root = check_folder("cgroup");
        if (t[i].groups != NULL) {
            put(root, "proc/self/cgroup", t[i].groups);
        }
        for (size_t k = 0; k < COUNT(t[i].files) && t[i].files[k][0] != NULL; k++) {
            AUTO_STR path = mem_printf("sys/fs/cgroup/%s", t[i].files[k][0]);
            put(root, path, t[i].files[k][1]);
        }
        is_int(memorylimit_below(root), t[i].want, "%s", t[i].what);
        AUTO_STR command = mem_printf("rm -rf '%s'", root);
        ok(system(command) == 0, "clean up");
    }
}

int main(void)
{
    test_groups();
    size_t here = memorylimit_bytes();
    ok(here > 16 * MIB && here < SIZE_MAX, "this machine has %zu MiB", here / MIB);
    is_int(memorylimit_sd_body(64 * MIB), 16 * MIB, "a body has 16 MiB at least");
    is_int(memorylimit_sd_body(3072 * MIB), 64 * MIB, "1/48 of what there is");
    is_int(memorylimit_sd_body(1024 * 1024 * MIB), 1024 * MIB, "and a GiB at most");
    is_int(memorylimit_patterns(64 * MIB), 16 * MIB, "patterns have 16 MiB at least");
    is_int(memorylimit_patterns(3072 * MIB), 64 * MIB, "1/48 of what there is");
    is_int(memorylimit_patterns(1024 * 1024 * MIB), 1024 * MIB, "and a GiB at most");
    is_int(memorylimit_jobs(64 * MIB), 16 * MIB, "jobs have 16 MiB at least");
    is_int(memorylimit_jobs(3072 * MIB), 128 * MIB, "1/24 of what there is");
    is_int(memorylimit_targets(64 * MIB), 16 * MIB, "targets have 16 MiB at least");
    is_int(memorylimit_targets(3584 * MIB), 256 * MIB, "1/14 of what there is");
    is_int(memorylimit_nodes(64 * MIB), 131072, "a text has 131,072 values at least");
    is_int(memorylimit_nodes(3072 * MIB), 786432, "one for each 4 KiB of what there is");
    is_int(memorylimit_nodes(1024 * 1024 * MIB), LIMIT_YAML_NODES, "and a million at most");
    is_int(memorylimit_text_nodes(), LIMIT_YAML_NODES, "which is so while nobody has said more");
    memorylimit_set(5 * MIB);
    is_int(memorylimit_text_nodes(), 131072, "and then follows what he says");
    is_int(memorylimit_bytes(), 5 * MIB, "what the owner says");
    memorylimit_set(0);
    is_int(memorylimit_bytes(), here, "and then again what the cgroup says");
    return check_done();
}

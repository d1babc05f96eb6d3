/* file_sd_configs: what a file means. Finding and reading files is the watcher's work. Source:
 * Prometheus discovery/file/file.go. */
#include "allocator/discovery/provider.h"
#include "allocator/discovery/targetgroup.h"

#include <strings.h>

static void plan(const struct sdconfig *section, struct arena *arena, struct ask *out)
{
    const struct node *files = schema_list(section->entry, "files");

    out->file.patterns = arena_zalloc(arena, files->n * sizeof(*out->file.patterns));
    out->file.n_patterns = files->n;
    for (size_t i = 0; i < files->n; i++) {
        (void)node_as_text(files->items[i], &out->file.patterns[i]);
    }
}

static bool has_extension(struct span path, const char *extension)
{
    size_t n = strlen(extension);
    return path.len >= n && strncasecmp(path.p + path.len - n, extension, n) == 0;
}

static int digest(const struct provider_input *in, struct sd_batch *out, struct err *err)
{
    const struct targetgroup_origin origin = { "__meta_filepath", in->source };

    return has_extension(in->source, ".json") ? targetgroup_parse_json(in->body, &origin, out, err)
                                              : targetgroup_parse_yaml(in->body, &origin, out, err);
}

const struct provider_ops provider_file = {
    .name = "file",
    .carrier = CARRIER_FILE,
    .failures = METRIC_SD_FILE_READ_ERRORS,
    .plan = plan,
    .digest = digest,
};

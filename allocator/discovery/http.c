/* http_sd_configs: what a body means. Asking for it is the watcher's work. Source: Prometheus
 * discovery/http/http.go. */
#include "allocator/discovery/provider.h"
#include "allocator/discovery/targetgroup.h"

static int digest(const struct provider_input *in, struct sd_batch *out, struct err *err)
{
    const struct targetgroup_origin origin = { "__meta_url", in->source };

    return targetgroup_parse_json(in->body, &origin, out, err);
}

const struct provider_ops provider_http = {
    .mechanism = SD_HTTP,
    .name = "http",
    .needs_want = true,
    .digest = digest,
};

/* http_sd_configs: what is asked of a URL, and what a body means. Source: Prometheus
 * discovery/http/http.go. */
#include "allocator/discovery/provider.h"
#include "allocator/discovery/targetgroup.h"

static struct span seconds_text(int64_t ms, struct arena *arena)
{
    struct span text =
        span_of(arena_printf(arena, "%lld.%03lld", (long long)(ms / 1000), (long long)(ms % 1000)));

    while (text.p[text.len - 1] == '0') {
        text.len--;
    }
    text.len -= text.p[text.len - 1] == '.';
    return text;
}

static void plan(const struct sdconfig *section, struct arena *arena, struct ask *out)
{
    struct ask_http *http = &out->http;

    http->url = schema_text(section->entry, "url");
    http->client = arena_alloc(arena, sizeof(*http->client));
    httpconfig_read(section->entry, arena, http->client);
    http->body_type = SPAN_LIT("application/json");
    http->headers = arena_alloc(arena, sizeof(*http->headers));
    http->n_headers = 1;
    http->headers[0] = (struct ask_header){ SPAN_LIT("X-Prometheus-Refresh-Interval-Seconds"),
                                            seconds_text(section->refresh_ms, arena) };
}

static int digest(const struct provider_input *in, struct sd_batch *out, struct err *err)
{
    const struct targetgroup_origin origin = { "__meta_url", in->source };

    return targetgroup_parse_json(in->body, &origin, out, err);
}

const struct provider_ops provider_http = {
    .name = "http",
    .carrier = CARRIER_HTTP,
    .failures = METRIC_SD_HTTP_FAILURES,
    .plan = plan,
    .digest = digest,
};

/* As much of a mechanism of service discovery as a test needs: what discovery/eureka.c would be,
 * but that its server answers a line "<application> <address>" for each target, where the real one
 * answers XML. Threads: as the strpool of the batch. */
#ifndef OTEL_TA_TESTS_FAKE_EUREKA_H
#define OTEL_TA_TESTS_FAKE_EUREKA_H

#include "allocator/discovery/provider.h"

static void eureka_plan(const struct sdconfig *section, struct arena *arena, struct ask *out)
{
    struct span server = schema_text(section->entry, "server");

    out->http.url = span_of(arena_printf(arena, "%.*s/apps", SPAN_ARG(server)));
    out->http.client = arena_alloc(arena, sizeof(*out->http.client));
    httpconfig_read(section->entry, arena, out->http.client);
}

static int eureka_digest(const struct provider_input *in, struct sd_batch *out, struct err *err)
{
    struct span rest = in->body;
    const struct str *app = strpool_intern(out->pool, SPAN_LIT("__meta_eureka_app_name"));

    while (rest.len > 0) {
        const char *end = memchr(rest.p, '\n', rest.len);
        struct span line = span_make(rest.p, end == NULL ? rest.len : (size_t)(end - rest.p));
        const char *space = memchr(line.p, ' ', line.len);
        if (space == NULL) {
            return err_set(err, ERR_INVALID, "a line without an address");
        }
        sd_batch_begin(out);
        sd_batch_label(out, app, span_make(line.p, (size_t)(space - line.p)));
        sd_batch_target(out, span_from(line, (size_t)(space + 1 - line.p)));
        sd_batch_end(out);
        rest = span_from(rest, line.len + (end != NULL));
    }
    return 0;
}

const struct provider_ops provider_eureka = {
    .name = "eureka",
    .carrier = CARRIER_HTTP,
    .plan = eureka_plan,
    .digest = eureka_digest,
};

#endif

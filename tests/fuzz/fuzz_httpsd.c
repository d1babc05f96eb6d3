/* An http_sd body in any bytes. The shortcut for neighbours that look alike is compared with
 * reading each group alone; what is accepted is rendered, and the JSON of each target must be what
 * a JSON reader takes. */
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/jsonscan.h"
#include "allocator/discovery/targetgroup.h"
#include "allocator/engine/render.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct targetgroup_origin origin = { "__meta_url", SPAN_LIT("http://x") };

static bool is_same_group(const struct sd_group *a, const struct sd_group *b)
{
    bool is_same = a->shape->n == b->shape->n && a->n_targets == b->n_targets;

    for (uint32_t i = 0; is_same && i < a->shape->n; i++) {
        is_same = a->shape->fields[i].name == b->shape->fields[i].name &&
                  span_eq(a->values[i], b->values[i]);
    }
    for (uint32_t i = 0; is_same && i < a->n_targets; i++) {
        is_same = span_eq(a->targets[i], b->targets[i]);
    }
    return is_same;
}

/* 'group' is the text of one object of a list that was accepted. Returns whether it has targets. */
static bool check_alone(struct span group, const struct sd_group *want, struct strpool *pool)
{
    struct sd_batch alone;
    AUTO_BUF text;

    buf_init(&text, LIMIT_SD_BODY);
    buf_addf(&text, "[%.*s]", SPAN_ARG(group));
    sd_batch_init(&alone, pool);
    int rc = targetgroup_parse_json(buf_span(&text), &origin, &alone, NULL);
    assert(rc == 0);
    bool has_targets = alone.groups.n == 1;
    assert(!has_targets || (want != NULL && is_same_group(&alone.groups.v[0], want)));
    sd_batch_fini(&alone);
    return has_targets;
}

static void check_groups(struct span body, const struct sd_batch *batch)
{
    struct jsonscan scan;
    struct json_token t;
    struct span group;
    size_t n = 0;

    jsonscan_init(&scan, body, LIMIT_DEPTH);
    enum json_event e = jsonscan_next(&scan, &t);
    while (e == JSON_BEGIN_ARRAY && jsonscan_next(&scan, &t) == JSON_BEGIN_OBJECT) {
        enum json_event end = jsonscan_skip(&scan, &group);
        assert(end == JSON_END_OBJECT);
        n += check_alone(group, n < batch->groups.n ? &batch->groups.v[n] : NULL, batch->pool);
    }
    assert(n == batch->groups.n);
}

static void check_rendered(struct sd_batch *batch)
{
    struct render render;
    AUTO_BUF text;

    buf_init(&text, LIMIT_SD_BODY);
    render_init(&render, batch);
    vec_each(&batch->groups, g) {
        for (uint32_t i = 0; i < g->n_targets; i++) {
            struct jsonscan scan;
            struct json_token t;
            buf_clear(&text);
            buf_add_span(&text, span_from(render_own(&render, g, g->targets[i]), 1));
            buf_add_span(&text, render_tail(&render, g)->text);
            jsonscan_init(&scan, buf_span(&text), LIMIT_DEPTH);
            enum json_event e = jsonscan_next(&scan, &t);
            assert(e == JSON_BEGIN_OBJECT);
            e = jsonscan_skip(&scan, NULL);
            assert(e == JSON_END_OBJECT && jsonscan_next(&scan, &t) == JSON_DONE);
        }
    }
    render_fini(&render);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span body = span_make((const char *)data, size);
    struct strpool pool;
    struct sd_batch batch;
    struct err err;

    strpool_init(&pool);
    sd_batch_init(&batch, &pool);
    if (targetgroup_parse_json(body, &origin, &batch, &err) == 0) {
        check_groups(body, &batch);
        check_rendered(&batch);
    }
    sd_batch_fini(&batch);
    strpool_fini(&pool);
    return 0;
}

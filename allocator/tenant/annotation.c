#include "allocator/tenant/annotation.h"

#include "allocator/base/limits.h"
#include "allocator/codec/base64.h"
#include "allocator/codec/zlib.h"
#include "allocator/tenant/wire.h"

#define ANNOTATION_VERSION 1
#define COMPRESSED "gz1:"

/* ---- shape */

static int check_job(const struct node *job, struct err *err)
{
    if (job->type != NODE_MAP) {
        return err_set(err, ERR_INVALID, "must be a mapping, not %s", node_type_name(job));
    }
    for (size_t i = 0; i < job->n; i++) {
        struct span key = job->pairs[i].key->text;
        const struct node *value = job->pairs[i].value;
        if (!wire_is_sd_key(key)) {
            return err_set(err, ERR_INVALID, "'%.*s' is not a service discovery section",
                           SPAN_ARG(key));
        }
        if (value->type != NODE_LIST && value->type != NODE_NULL) {
            return err_set(err, ERR_INVALID, "%.*s: must be a list, not %s", SPAN_ARG(key),
                           node_type_name(value));
        }
    }
    return 0;
}

static int check_receiver(const struct node *receiver, struct err *err)
{
    const struct node *jobs = node_get(receiver, "jobs");

    if (receiver->type != NODE_MAP) {
        return err_set(err, ERR_INVALID, "must be a mapping, not %s", node_type_name(receiver));
    }
    const struct node *list = node_get(receiver, "scrape_configs");
    if (list != NULL && list->type != NODE_LIST) {
        return err_set(err, ERR_INVALID, "scrape_configs: must be a list, not %s",
                       node_type_name(list));
    }
    if (jobs == NULL || jobs->type != NODE_MAP) {
        return err_set(err, ERR_INVALID, "jobs: must be a mapping, not %s", node_type_name(jobs));
    }
    for (size_t i = 0; i < jobs->n; i++) {
        int rc = check_job(jobs->pairs[i].value, err);
        if (rc < 0) {
            return err_wrap(err, rc, "jobs[\"%.*s\"]", SPAN_ARG(jobs->pairs[i].key->text));
        }
    }
    return 0;
}

static int check_shape(const struct node *root, struct err *err)
{
    int64_t version = 0;

    if (root->type != NODE_MAP) {
        return err_set(err, ERR_INVALID, "must be a mapping, not %s", node_type_name(root));
    }
    if (!node_is_whole(node_get(root, "v")) || !node_as_int(node_get(root, "v"), &version)) {
        return err_set(err, ERR_INVALID, "v: the version is missing");
    }
    if (version != ANNOTATION_VERSION) {
        return err_set(err, ERR_UNSUPPORTED, "version %lld is not known to this program",
                       (long long)version);
    }
    const struct node *receivers = node_get(root, "receivers");
    if (receivers == NULL || receivers->type != NODE_MAP) {
        return err_set(err, ERR_INVALID, "receivers: must be a mapping, not %s",
                       node_type_name(receivers));
    }
    for (size_t i = 0; i < receivers->n; i++) {
        int rc = check_receiver(receivers->pairs[i].value, err);
        if (rc < 0) {
            return err_wrap(err, rc, "receivers[\"%.*s\"]",
                            SPAN_ARG(receivers->pairs[i].key->text));
        }
    }
    return 0;
}

/* ---- decoding */

static int inflate_value(struct span value, struct buf *out, struct err *err)
{
    AUTO_BUF packed;

    buf_init(&packed, LIMIT_ANNOTATION_ENCODED);
    if (value.len > LIMIT_ANNOTATION_ENCODED) {
        return err_set(err, ERR_TOO_BIG, "annotation has %zu bytes, more than %zu", value.len,
                       LIMIT_ANNOTATION_ENCODED);
    }
    if (!span_has_prefix(value, COMPRESSED)) {
        buf_add_span(out, value);
        return 0;
    }
    int rc = base64_decode(span_from(value, sizeof(COMPRESSED) - 1), &packed, err);
    return rc < 0 ? rc : zlib_inflate(buf_span(&packed), out, err);
}

int annotation_decode(struct span value, struct arena *arena, struct span *out_json,
                      struct node **out, struct err *err)
{
    AUTO_BUF plain, canonical;
    struct node *root = NULL;

    buf_init(&plain, LIMIT_ANNOTATION_DECODED);
    buf_init(&canonical, LIMIT_ANNOTATION_DECODED);
    int rc = inflate_value(value, &plain, err);
    if (rc < 0) {
        return rc;
    }
    struct span text = arena_span(arena, buf_span(&plain)); /* the tree borrows it */
    rc = node_from_json(text, 0, arena, &root, err);
    rc = rc < 0 ? rc : check_shape(root, err);
    if (rc < 0) {
        return rc;
    }
    node_write_json(root, &canonical);
    if (buf_error(&canonical) != 0) {
        return err_set(err, ERR_TOO_BIG, "stored discovery configuration exceeds %zu bytes",
                       LIMIT_ANNOTATION_DECODED);
    }
    *out_json = arena_span(arena, buf_span(&canonical));
    *out = root;
    return 0;
}

bool annotation_holds(struct span value, struct span json)
{
    AUTO_BUF plain;

    buf_init(&plain, LIMIT_ANNOTATION_DECODED);
    return inflate_value(value, &plain, NULL) == 0 && span_eq(buf_span(&plain), json);
}

/* ---- encoding */

/* What reads it does not care which level wrote it: the fast one takes a third of the time and is a
 * tenth to a quarter bigger. */
#define LEVEL_FAST 1
#define LEVEL_SMALL 6

static void compress(struct span json, int level, struct buf *out)
{
    AUTO_BUF packed;

    buf_init(&packed, LIMIT_ANNOTATION_DECODED * 2); /* incompressible text grows a little */
    zlib_deflate(json, level, &packed);
    buf_add_str(out, COMPRESSED);
    base64_encode(buf_span(&packed), out);
}

int annotation_encode(struct span json, size_t room, struct buf *out, struct err *err)
{
    AUTO_BUF encoded;

    buf_init(&encoded, LIMIT_ANNOTATION_DECODED * 4);
    if (json.len > LIMIT_ANNOTATION_DECODED) {
        return err_set(err, ERR_TOO_BIG,
                       "the discovery configuration has %zu bytes, more than %zu: move targets to "
                       "http_sd or file_sd, or "
                       "opt out with the label " WIRE_INJECT_LABEL "=false",
                       json.len, LIMIT_ANNOTATION_DECODED);
    }
    if (json.len <= LIMIT_ANNOTATION_PLAIN) {
        buf_add_span(&encoded, json);
    } else {
        compress(json, LEVEL_FAST, &encoded);
        if (encoded.len > room || encoded.len > LIMIT_ANNOTATION_ENCODED) {
            buf_clear(&encoded);
            compress(json, LEVEL_SMALL, &encoded);
        }
    }
    if (encoded.len > LIMIT_ANNOTATION_ENCODED) {
        return err_set(err, ERR_TOO_BIG,
                       "the discovery configuration has %zu bytes, %zu in the annotation, more "
                       "than %zu: move targets to "
                       "http_sd or file_sd, or opt out with the label " WIRE_INJECT_LABEL "=false",
                       json.len, encoded.len, LIMIT_ANNOTATION_ENCODED);
    }
    buf_add_span(out, buf_span(&encoded));
    return buf_error(out) != 0 ? err_set(err, ERR_TOO_BIG, "annotation does not fit") : 0;
}

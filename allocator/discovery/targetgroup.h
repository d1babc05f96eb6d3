/* Lists of target groups as file_sd files and http_sd bodies hold them:
 * [{"targets":["a:1"],"labels":{"k":"v"}}]. JSON is read as Go's decoder reads it with unknown
 * fields refused (discovery/http/http.go): the members of a group match case-insensitively, null
 * stands for nothing, the last of two equal keys wins, a label value that is not a string is an
 * error. YAML is read strictly (discovery/file/file.go). A body is accepted as a whole or not at
 * all. Speed: neighbours in a list look alike. A JSON object that has the bytes of the object
 * before it, apart from what stands inside string values, is not scanned again; only the values
 * that differ are. Threads: as the strpool of the batch. */
#ifndef OTEL_TA_DISCOVERY_TARGETGROUP_H
#define OTEL_TA_DISCOVERY_TARGETGROUP_H

#include "allocator/base/err.h"
#include "allocator/discovery/batch.h"

/* The label that a mechanism adds to each group, over one of that name in the text:
 * __meta_filepath, __meta_url. */
struct targetgroup_origin {
    const char *label;
    struct span value;
};

/* 'text' must live as long as the batch. On failure the content of the batch is unspecified. */
int targetgroup_parse_json(struct span text, const struct targetgroup_origin *origin,
                           struct sd_batch *b, struct err *err) MUST_USE;
int targetgroup_parse_yaml(struct span text, const struct targetgroup_origin *origin,
                           struct sd_batch *b, struct err *err) MUST_USE;

#endif

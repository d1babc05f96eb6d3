/* A target that was explained, as a JSON object: 'explain -o json'. Pure. Threads: any. */
#ifndef OTEL_TA_WEBHOOK_CLI_EXPLAINJSON_H
#define OTEL_TA_WEBHOOK_CLI_EXPLAINJSON_H

#include "allocator/base/buf.h"
#include "allocator/engine/explain.h"

/* {"namespace", "name", "receiver", "job", "target", "section", "source", "labels": as discovered,
 * "seeds", "rules": [{"rule", "text", "effect", "changes"}], "verdict": "kept" | "dropped" |
 * "invalid", and with it "rule", "reason", or "identity", "address", "collector", "strategy"}. A
 * change to null removes the label. */
void explainjson_add(const struct explain_target *t, struct buf *out);

#endif

/* What people most often give for YAML that is none: text indented with tabs, and templates that
 * Helm has not rendered yet. A parser's own words do not say so. Pure. Threads: any. */
#ifndef OTEL_TA_CODEC_YAMLHINT_H
#define OTEL_TA_CODEC_YAMLHINT_H

#include "allocator/base/buf.h"

/* Appends what the text at line 'line' (1-based), where a parser gave up, has of that: "; line 4 is
 * indented with a tab, …"; nothing when it has nothing. */
void yamlhint_add(struct span text, unsigned line, struct buf *out);
/* The first line (1-based) with an action that only Helm means ("{{ .Values.x }}", "{{ include …"),
 * 0: there is none. It may be good YAML all the same, between quotes. */
unsigned yamlhint_template(struct span text);

#endif

/* The pages for people: '/', '/n/' (all Collectors), '/n/<ns>/' (those of a namespace),
 * '/n/<ns>/<cr>/' (the jobs of one): as text, or with links for a browser. Private to this folder.
 * Threads: the serving thread's. */
#ifndef OTEL_TA_SERVE_INDEX_H
#define OTEL_TA_SERVE_INDEX_H

#include "allocator/base/buf.h"
#include "allocator/serve/request.h"

/* 'is_list': the Collectors, of the namespace 'r->ns' (raw; empty: of all); else an overview. */
void index_answer(struct request *r, bool is_list);
/* The text with what HTML would understand escaped. */
void index_add_html(struct buf *out, struct span s);

#endif

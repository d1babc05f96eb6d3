/* Members of a map in somebody's text: set, add and take out as edits, in the style of the place
 * (block, flow, JSON). Nothing here is trusted to be right: whoever applies the edits parses the
 * result and compares. Threads: belongs to one thread. */
#ifndef OTEL_TA_WEBHOOK_TEXT_MEMBER_H
#define OTEL_TA_WEBHOOK_TEXT_MEMBER_H

#include "allocator/codec/node.h"
#include "webhook/text/splice.h"
#include "webhook/text/yamltext.h"

struct text_editor {
    struct span text;      /* the document that the nodes' places refer to */
    struct arena *arena;   /* of replacement texts */
    struct splice *splice; /* gets the edits */
    bool has_crlf;
};

void text_editor_init(struct text_editor *t, struct span text, struct arena *arena,
                      struct splice *splice);

/* The pair of 'map' that stands in its own text; NULL when there is none or it came by a merge key.
 */
const struct node_pair *member_find(const struct node *map, struct span key);
/* How a member of 'map' is to be written. */
enum yamltext_form member_form(const struct text_editor *t, const struct node *map);
/* Where the pair ends. */
size_t member_end(const struct node_pair *pair);
/* Column of the members of a block map. */
unsigned member_column(const struct node *map);
/* Members as the place wants them, made by yamltext: line breaks become those of the document. In
 * the arena. */
struct span member_text(struct text_editor *t, const struct buf *made);

/* Replaces the whole pair by 'text'. */
void member_replace(struct text_editor *t, const struct node_pair *pair, struct span text);
/* Puts 'text' after everything that belongs to the map. */
void member_append(struct text_editor *t, const struct node *map, struct span text);
/* Takes the pair out, with its line when it is alone there. */
int member_remove(struct text_editor *t, const struct node *map, const struct node_pair *pair,
                  struct err *err) MUST_USE;
/* Sets a member (replaced where it is, or inserted in front) or takes it out (value NULL). */
int member_set(struct text_editor *t, const struct node *map, struct span key,
               const struct node *value, struct err *err) MUST_USE;

#endif

/* The merge key of YAML 1.1 ("<<: *base"). Of several mappings in a list the first wins. Private to
 * this folder. Threads: any. */
#ifndef OTEL_TA_CODEC_YAMLMERGE_H
#define OTEL_TA_CODEC_YAMLMERGE_H

#include "allocator/codec/node.h"

/* As yaml.v3 does: own members win. Takes the pair "<<" out of 'map' and puts the members that it
 * brings, without those that others hide, after the map's own, marked is_merged. Nothing when there
 * is no such pair. */
int yamlmerge_resolve(struct node *map, struct arena *arena, struct err *err) MUST_USE;
/* As yaml.v2 does: in the order of the text, whatever comes later wins, and there may be several
 * such pairs. What is hidden is left out, own members too. */
int yamlmerge_resolve_in_order(struct node *map, struct arena *arena, struct err *err) MUST_USE;

#endif

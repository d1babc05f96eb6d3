/* The merge key of YAML 1.1 ("<<: *base"), resolved as yaml.v3 does: own members win, then the
 * mappings listed first. Private to this folder.
 * Threads: any. */
#ifndef OTEL_TA_CODEC_YAMLMERGE_H
#define OTEL_TA_CODEC_YAMLMERGE_H

#include "allocator/codec/node.h"

/* Takes the pair "<<" out of 'map' and puts the members that it brings, without those that others
 * hide, after the map's own, marked is_merged. Nothing when there is no such pair. */
int yamlmerge_resolve(struct node *map, struct arena *arena, struct err *err) MUST_USE;

#endif

/* Records of undo.h that stand on the members of a map: each edit is found again beside the member
 * that it was made in, behind or in front of, and only the bytes in between have to be as they
 * were. What people change elsewhere in the map, above, below or in the value of a neighbour, does
 * not matter.
 *   [["http_sd_configs",2,0,93,"9f86d081","static_configs:\n…"],
 *    ["scrape_interval",1,0,0,"2c624232","\n  file_sd_configs: …","scheme",3,"19581e27"]]
 * From the begin (0) or the end (1) of the member, so many bytes on, so many bytes become the text;
 * the hash is over the bytes from there to what follows the edit. Or it is the whole member (2)
 * that becomes the text, with the hash of its bytes. Where that does not fit, the edit ends so many
 * bytes in front of the other member, with the hash of all between. A member of a member is
 * ["config","scrape_configs"], the map itself []. Read back from people's hands: whoever applies it
 * compares the result with the intended tree. Threads: any. */
#ifndef OTEL_TA_WEBHOOK_TEXT_ANCHORED_H
#define OTEL_TA_WEBHOOK_TEXT_ANCHORED_H

#include "allocator/codec/node.h"
#include "webhook/text/splice.h"

#define ANCHORED_DEPTH 2

/* A member of the map, or of one of its members. */
struct anchored_member {
    struct span path[ANCHORED_DEPTH];
    size_t depth;
    size_t begin, end; /* in the text; SIZE_MAX: its end is not known */
};

struct anchored_place {
    struct span text;                      /* the rewritten text */
    size_t begin;                          /* of the map in it */
    const struct anchored_member *members; /* ascending */
    size_t n_members;
};

/* 'undo' are the edits that lead back from the text, ascending, none in front of the map. */
void anchored_write(const struct anchored_place *place, const struct edit *undo, size_t n,
                    struct buf *out);
/* Adds the record's edits to 'out' (may be NULL); false, and nothing is added, when one of them
 * cannot be found. 'map' is the map as it is in 'text' now; what stands in its member 'ours' (p ==
 * NULL: none) may be replaced whatever it is. */
bool anchored_take(const struct node *record, struct span text, const struct node *map,
                   struct span ours, struct splice *out);

#endif

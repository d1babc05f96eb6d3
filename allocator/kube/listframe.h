/* A list of Kubernetes objects as it streams in: hands out each item of "items" once it is whole,
 * and keeps what stands around them (kind, metadata …), which may come before or behind. The list
 * itself is never held. Any order of keys, "items" absent or null, any split of the bytes.
 * Only what frames an item is looked at: items are to be scanned by who reads them, and so is the
 * rest. A list is complete when listframe_is_complete() says so, whatever a transfer says.
 * Threads: a frame belongs to one thread. */
#ifndef OTEL_TA_KUBE_LISTFRAME_H
#define OTEL_TA_KUBE_LISTFRAME_H

#include "allocator/base/buf.h"
#include "allocator/codec/jsonend.h"

enum listframe_event {
    LISTFRAME_MORE,  /* everything was taken; more bytes are needed */
    LISTFRAME_ITEM,  /* an item is whole: the last 'item_len' bytes of 'out' */
    LISTFRAME_FAULT, /* this is no list, or too big; 'error' says why; for good */
};

struct listframe {
    int state;           /* listframe.c's */
    struct jsonend item; /* the one that is being read */
    size_t item_len;     /* bytes of it that were added to 'out' */
    size_t max_item;
    const char *error;

    struct buf around; /* the list with "items":[] */
    unsigned depth;    /* of the text around */
    bool in_string, in_escape;
    size_t string_at, string_end; /* the last string in 'around', without quotes */
    bool is_after_name;           /* that string was "items" at depth 1, and a colon came */
};

void listframe_init(struct listframe *f, size_t max_item, size_t max_around);
/* Takes bytes from the front of '*piece'; those of items are added to 'out', also of one that is
 * not whole yet. The caller may cut or move what is in 'out' as long as the last 'item_len' bytes
 * stay together after LISTFRAME_MORE, and may drop an item after LISTFRAME_ITEM. */
enum listframe_event listframe_feed(struct listframe *f, struct span *piece, struct buf *out);
bool listframe_is_complete(const struct listframe *f);
void listframe_fini(struct listframe *f);

#endif

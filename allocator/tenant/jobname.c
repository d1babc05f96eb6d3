#include "allocator/tenant/jobname.h"

#include "allocator/codec/nodecopy.h"

struct jobname_read jobname_read(struct jobname_written written, struct arena *arena)
{
    struct span text = written.text;
    bool is_same = text.len == 0 || memchr(text.p, '$', text.len) == NULL;

    return (struct jobname_read){ is_same ? text : nodecopy_unescape(text, arena) };
}

bool jobname_of(const struct node *job, struct jobname_written *out)
{
    return node_as_text(node_get(job, "job_name"), &out->text);
}

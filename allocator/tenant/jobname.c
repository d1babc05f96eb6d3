#include "allocator/tenant/jobname.h"

#include "allocator/codec/nodecopy.h"
#include "allocator/tenant/expression.h"

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

bool jobname_is_sure(const struct node *name)
{
    int64_t whole;
    double real;
    bool truth;

    if (name == NULL || name->type != NODE_SCALAR || name->style != NODE_PLAIN) {
        return true;
    }
    bool is_whole = node_as_int(name, &whole);
    bool is_text = !is_whole && !node_as_double(name, &real) && !node_as_bool(name, &truth);
    return is_text ||
           (expression_is_canonical(name->text) && (is_whole || node_as_bool(name, &truth)));
}

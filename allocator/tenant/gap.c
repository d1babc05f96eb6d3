#include "allocator/tenant/gap.h"

/* NOLINTBEGIN(readability-non-const-parameter): they are moved */
void gaps_add_file(struct gaps *g, const char *file, char *why)
{
    *vec_push(g) = (struct gap){ .file = mem_strdup(file), .why = why };
}

void gaps_add_collector(struct gaps *g, const char *file, struct span ns, struct span name,
                        char *why)
{
    *vec_push(g) = (struct gap){ mem_strdup(file), mem_strndup(ns.p, ns.len),
                                 mem_strndup(name.p, name.len), why };
}

/* NOLINTEND(readability-non-const-parameter) */

/* 'file' is 'named', or in that folder. */
static bool is_within(const char *file, const char *named)
{
    size_t len = strlen(named);

    return strncmp(file, named, len) == 0 &&
           (file[len] == '\0' || file[len] == '/' || span_has_suffix(span_of(named), "/"));
}

bool gaps_cover(const struct gaps *g, const char *file, struct span ns, struct span name)
{
    vec_each(g, gap) {
        bool is_it = gap->name == NULL ? is_within(file, gap->file)
                                       : span_is(ns, gap->ns) && span_is(name, gap->name);
        if (is_it) {
            return true;
        }
    }
    return false;
}

void gaps_fini(struct gaps *g)
{
    vec_each(g, gap) {
        mem_free(gap->file);
        mem_free(gap->ns);
        mem_free(gap->name);
        mem_free(gap->why);
    }
    vec_fini(g);
}

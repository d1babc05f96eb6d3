/* A typed growing array: VEC(type) declares the struct, vec_* work on any of them.
 * Owned memory: vec_fini() frees the array, never what the items point to.
 * Threads: a vec belongs to one thread. */
#ifndef OTEL_TA_BASE_VEC_H
#define OTEL_TA_BASE_VEC_H

#include "allocator/base/mem.h"

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *v;                                                                                   \
        size_t n;                                                                                  \
        size_t cap;                                                                                \
    }

/* Makes room for one more and returns a pointer to the (uninitialised) new last item. */
#define vec_push(vec)                                                                              \
    ((vec)->n == (vec)->cap                                                                        \
         ? ((vec)->cap = (vec)->cap == 0 ? 8 : (vec)->cap * 2,                                     \
            (vec)->v = mem_realloc((vec)->v, (vec)->cap * sizeof(*(vec)->v)), (void)0)             \
         : (void)0,                                                                                \
     &(vec)->v[(vec)->n++])

/* NOLINTBEGIN(bugprone-macro-parentheses): 'it' is declared here */
#define vec_each(vec, it)                                                                          \
    for (__auto_type it = (vec)->v; it != NULL && it < (vec)->v + (vec)->n; it++)
/* NOLINTEND(bugprone-macro-parentheses) */
#define vec_clear(vec) ((vec)->n = 0)
/* Empties it for work that comes again and again: an array of more than 'most' bytes goes. */
#define vec_recycle(vec, most)                                                                     \
    ((vec)->cap * sizeof(*(vec)->v) > (most) ? vec_fini(vec) : (void)vec_clear(vec))
#define vec_fini(vec) (mem_free((vec)->v), (vec)->v = NULL, (void)((vec)->n = (vec)->cap = 0))

#endif

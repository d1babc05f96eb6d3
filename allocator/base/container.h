/* From an embedded member to what it is embedded in: nodes of tables, mail, bases of other kinds.
 * Threads: any. */
#ifndef OTEL_TA_BASE_CONTAINER_H
#define OTEL_TA_BASE_CONTAINER_H

#include <stddef.h>
#include <stdint.h>

/* The 'type' whose 'member' is at 'pointer' (evaluated once, not NULL); const when that is. Does
 * not compile when 'pointer' does not point at what 'member' is. */
#if defined(__cppcheck__) /* it takes the NULL in a type for a pointer that is used */
#define CONTAINER_OF(pointer, type, member) ((type *)CONTAINER_ADDRESS(pointer, type, member))
#else
#define CONTAINER_OF(pointer, type, member)                                                        \
    _Generic((pointer),                                                                            \
        __typeof__(((type *)NULL)->member) *: (type *)CONTAINER_ADDRESS(pointer, type, member),    \
        const __typeof__(((type *)NULL)->member) *: (const type *)CONTAINER_ADDRESS(pointer, type, \
                                                                                    member))
#endif
#define CONTAINER_ADDRESS(pointer, type, member) ((uintptr_t)(pointer)-offsetof(type, member))

#endif

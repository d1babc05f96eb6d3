/* The order of numbers, as qsort() wants it told. Threads: any; no state. */
#ifndef OTEL_TA_BASE_ORDER_H
#define OTEL_TA_BASE_ORDER_H

#include <stdint.h>

/* Negative, 0 or positive, as 'a' is less than 'b', equal or greater. */
static inline int order_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

#endif

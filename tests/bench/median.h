/* The median of what rounds took. */
#ifndef OTEL_TA_TESTS_BENCH_MEDIAN_H
#define OTEL_TA_TESTS_BENCH_MEDIAN_H

#include <stddef.h>
#include <stdlib.h>

static inline int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts 'v'. */
static inline double median(double *v, size_t n)
{
    qsort(v, n, sizeof(*v), compare_doubles);
    return v[n / 2];
}

#endif

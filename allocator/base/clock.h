/* The only reader of clocks; called at the edges, 'now' is passed down.
 * Threads: any. */
#ifndef OTEL_TA_BASE_CLOCK_H
#define OTEL_TA_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_mono_ms(void); /* for intervals and deadlines */
int64_t clock_mono_us(void);
int64_t clock_wall_ms(void); /* for log lines and certificates: Unix time */
int64_t clock_thread_cpu_us(void);
/* How long to wait for what is due then (INT64_MAX: nothing is): at most 'most_ms', not below 0. */
int clock_wait_ms(int64_t due_ms, int most_ms, int64_t now_ms);

#endif

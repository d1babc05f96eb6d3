/* What a status line says after its number.
 * Threads: any. */
#ifndef OTEL_TA_HTTP_STATUS_H
#define OTEL_TA_HTTP_STATUS_H

/* "Not Found" for 404; "Unknown" for what no handler answers with. */
const char *status_reason(int status);

#endif

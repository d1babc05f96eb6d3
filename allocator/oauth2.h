/* The OAuth2 client-credentials grant as Go's clientcredentials package does it: the client authenticates itself by
 * Basic first and, when that is refused, by form parameters; what worked is remembered; a token is used until ten
 * seconds before it ends. Makes the question, reads the answer; sending is the caller's.
 * Threads: the watcher's. */
#ifndef OTEL_TA_OAUTH2_H
#define OTEL_TA_OAUTH2_H

#include "allocator/httpauth.h"

enum oauth2_style { OAUTH2_UNKNOWN, OAUTH2_HEADER, OAUTH2_PARAMETERS };

struct oauth2 {
    enum oauth2_style style; /* how the client authenticates; unknown: being tried by header */
    bool is_second_try;
    char *token;             /* "Bearer abc", or NULL */
    int64_t ends_ms;         /* INT64_MAX: the server did not say */
};

#define OAUTH2_ASK_AGAIN 1

/* The token that is good at 'now_ms'; false when there is none. */
bool oauth2_token(const struct oauth2 *o, int64_t now_ms, struct span *out);
/* Text goes to 'arena'. */
int oauth2_question(const struct oauth2 *o, const struct httpconfig_oauth2 *config, struct arena *arena,
                    struct httpauth_request *r, struct err *err) MUST_USE;
/* 0: there is a token. OAUTH2_ASK_AGAIN: make another question and send that. Else an error. */
int oauth2_take_answer(struct oauth2 *o, const struct http_response *response, int64_t now_ms, struct err *err) MUST_USE;
void oauth2_forget(struct oauth2 *o); /* the token, not the style */

#endif

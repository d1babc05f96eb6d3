/* How long a job waits for an http_sd that fails, and what is said meanwhile. */
#define LOG_MODULE "test"
#include "allocator/base/log.h"
#include "tests/unit/engine/side.h"

#define TARGET(address) "[{\"targets\":[\"" address "\"]}]"
#define HTTP_JOBS                                                                                  \
    "config:\n  scrape_configs:\n"                                                                 \
    "  - {job_name: alone, http_sd_configs: [{url: 'http://sd/alone'}]}\n"                         \
    "  - {job_name: mixed, http_sd_configs: [{url: 'http://sd/mixed'}],\n"                         \
    "     static_configs: [{targets: [s:1]}]}\n"

enum { ALONE, MIXED };

/* One try of the n-th want that was ever made. */
static void try_http(struct side *s, uint64_t want, enum arrival_status status, const char *body)
{
    tell(s, want, status, (int)want, body);
    tell(s, want, ARRIVAL_SETTLED, 0, NULL);
    publish(s);
}

static void test_http_never_answered(void)
{
    struct side s;

    side_init(&s);
    configure_text(&s, HTTP_JOBS, 1);
    try_http(&s, 1, ARRIVAL_FAILED, NULL);
    try_http(&s, 2, ARRIVAL_FAILED, NULL);
    ok(shown(&s)->is_synced, "a failure is enough for the process to be ready");
    ok(shown(&s)->rows[ALONE] == NULL && shown(&s)->rows[MIXED] == NULL,
       "but not to say that the jobs have no targets");
    is_int(state_deadline_ms(s.state), 30000, "they are waited for");
    state_tick(s.state, 30000);
    publish(&s);
    ok(shown(&s)->rows[ALONE] == NULL, "patience ends: still nothing to say");
    ok(page_has(&s, MIXED, "s:1"), "but where another section has targets, they are shown");
    try_http(&s, 1, ARRIVAL_OK, "[{");
    ok(shown(&s)->rows[ALONE] == NULL, "what cannot be read is no answer");
    try_http(&s, 1, ARRIVAL_OK, TARGET("h:1"));
    ok(page_has(&s, ALONE, "h:1"), "the first answer");
    try_http(&s, 1, ARRIVAL_OK, "[]");
    ok(shown(&s)->rows[ALONE] != NULL && !page_has(&s, ALONE, "h:1"), "none is an answer too");
    try_http(&s, 2, ARRIVAL_OK, TARGET("m:1"));
    ok(page_has(&s, MIXED, "m:1") && page_has(&s, MIXED, "s:1"), "the late one joins");
    side_fini(&s);
}

static void test_http_answers_on_second_try(void)
{
    struct side s;

    side_init(&s);
    configure_text(&s, HTTP_JOBS, 1);
    try_http(&s, 1, ARRIVAL_FAILED, NULL);
    try_http(&s, 2, ARRIVAL_FAILED, NULL);
    tell(&s, 2, ARRIVAL_OK, 2, "[]");
    publish(&s);
    ok(page_has(&s, MIXED, "s:1"), "no targets are an answer: the job waits no longer");
    configure_text(&s, "config: {scrape_configs: [{job_name: other}]}", 1);
    publish(&s);
    ok(shown(&s)->n_jobs == 1 && shown(&s)->rows[0] != NULL, "it can be taken away while it waits");
    side_fini(&s);
}

#define MOVED(url)                                                                                 \
    "config: {scrape_configs: [{job_name: j, http_sd_configs: [{url: '" url "'}],\n"               \
    "  static_configs: [{targets: [s:1]}]}]}"

static void test_http_moves(void)
{
    struct side s;

    side_init(&s);
    configure_text(&s, MOVED("http://old/"), 1);
    try_http(&s, 1, ARRIVAL_OK, TARGET("h:1"));
    ok(page_has(&s, 0, "h:1") && page_has(&s, 0, "s:1"), "one address");
    configure_text(&s, MOVED("http://new/"), 1);
    try_http(&s, 2, ARRIVAL_FAILED, NULL);
    ok(page_has(&s, 0, "h:1"), "another one fails at first: what the old one gave is kept");
    try_http(&s, 2, ARRIVAL_OK, TARGET("h:2"));
    ok(page_has(&s, 0, "h:2") && !page_has(&s, 0, "h:1"), "until the new one answers");
    configure_text(&s, MOVED("http://third/"), 1);
    try_http(&s, 3, ARRIVAL_FAILED, NULL);
    state_tick(s.state, 30000);
    publish(&s);
    ok(page_has(&s, 0, "s:1") && !page_has(&s, 0, "h:2"), "or patience ends");
    side_fini(&s);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    test_http_never_answered();
    test_http_answers_on_second_try();
    test_http_moves();
    return check_done();
}

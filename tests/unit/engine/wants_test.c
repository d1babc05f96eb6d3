/* How long a job waits for a source that fails, and what is said meanwhile. */
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

/* ---- files */

#define FILE_JOB(name, pattern, more)                                                              \
    "  - {job_name: " name ", file_sd_configs: [{files: ['" pattern "']}]" more "}\n"
#define CONFIG "config:\n  scrape_configs:\n"
#define CUT "[{\"targets\":[\"a:1\"]"

static void try_file(struct side *s, uint64_t want, enum arrival_status status, int file,
                     const char *body)
{
    tell(s, want, status, file, body);
    tell(s, want, ARRIVAL_SETTLED, 0, NULL);
    publish(s);
}

/* Whatever is wrong with it, from the start. */
static void test_file_never_read(void)
{
    static const struct {
        enum arrival_status status;
        const char *body, *why;
    } t[] = {
        { ARRIVAL_OK, CUT, "cut in the middle" },
        { ARRIVAL_OK, "", "empty" },
        { ARRIVAL_OK, "{}", "of another shape" },
        { ARRIVAL_OK, "[null]", "with a group that is none" },
        { ARRIVAL_FAILED, NULL, "unreadable" },
        { ARRIVAL_BLIND, NULL, "not there" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct side s;
        side_init(&s);
        configure_text(&s, CONFIG FILE_JOB("j", "/f1.json", ""), 1);
        try_file(&s, 1, t[i].status, 1, t[i].body);
        ok(shown(&s)->is_synced && shown(&s)->rows[0] == NULL, "a file that is %s says nothing",
           t[i].why);
        state_tick(s.state, 30000);
        publish(&s);
        ok(shown(&s)->rows[0] == NULL, "after 30 s neither");
        tell(&s, 1, ARRIVAL_OK, 1, "[]");
        tell(&s, 1, ARRIVAL_SIGHTED, 0, NULL);
        publish(&s);
        ok(shown(&s)->rows[0] != NULL, "a list without targets does");
        try_file(&s, 1, ARRIVAL_OK, 1, TARGET("f:1"));
        try_file(&s, 1, t[i].status, 1, t[i].body);
        ok(page_has(&s, 0, "f:1"), "what is known stays");
        side_fini(&s);
    }
}

/* One of several: the others alone would take away what it has. */
static void test_one_of_several(void)
{
    struct side s;

    side_init(&s);
    configure_text(&s, CONFIG FILE_JOB("j", "/*.json", ""), 1);
    tell(&s, 1, ARRIVAL_OK, 1, TARGET("f:1"));
    try_file(&s, 1, ARRIVAL_OK, 2, CUT);
    ok(shown(&s)->rows[0] == NULL, "one file is good, another is not");
    state_tick(s.state, 30000);
    publish(&s);
    ok(page_has(&s, 0, "f:1"), "after 30 s the good one is shown");
    tell(&s, 1, ARRIVAL_OK, 2, TARGET("f:2"));
    publish(&s);
    ok(page_has(&s, 0, "f:1") && page_has(&s, 0, "f:2"), "the other joins");
    side_fini(&s);
    side_init(&s);
    configure_text(&s, CONFIG FILE_JOB("j", "/*.json", ""), 1);
    tell(&s, 1, ARRIVAL_OK, 1, TARGET("f:1"));
    try_file(&s, 1, ARRIVAL_OK, 2, CUT);
    tell(&s, 1, ARRIVAL_VANISHED, 2, NULL);
    publish(&s);
    ok(page_has(&s, 0, "f:1"), "the bad one goes: nothing is unknown");
    side_fini(&s);
}

/* Another job asks for the same while it cannot be read. */
static void test_known_to_another(void)
{
    struct side s;

    side_init(&s);
    configure_text(&s, CONFIG FILE_JOB("j", "/f1.json", ""), 1);
    try_file(&s, 1, ARRIVAL_OK, 1, TARGET("f:1"));
    configure_text(&s, CONFIG FILE_JOB("j", "/f1.json", "") FILE_JOB("k", "/f1.json", ""), 1);
    try_file(&s, 1, ARRIVAL_FAILED, 1, NULL);
    ok(page_has(&s, 0, "f:1") && page_has(&s, 1, "f:1"), "it is told what the first one knows");
    configure_text(&s,
                   CONFIG FILE_JOB("j", "/f1.json", "") FILE_JOB("k", "/f1.json", "")
                       FILE_JOB("l", "/f1.json", ""),
                   1);
    state_tick(s.state, 30000);
    publish(&s);
    ok(page_has(&s, 2, "f:1"), "also when nothing is heard in time");
    side_fini(&s);
}

#define DROP(regex)                                                                                \
    ", relabel_configs: [{source_labels: [__address__], regex: '" regex "', action: drop}]"
#define TWO "[{\"targets\":[\"a:1\",\"b:1\"],\"labels\":{\"k\":\"v\"}}]"

#define POLLED(seconds, more)                                                                      \
    CONFIG "  - {job_name: j, http_sd_configs: [{url: 'http://sd/', refresh_interval: " seconds    \
           "s}]" more "}\n"

/* Rules change while the source cannot be read: where it is asked as before, nothing has to be; and
 * where it is not, what was known is taken over. */
static void test_rules_change(bool is_http)
{
    const char *jobs[4] = { CONFIG FILE_JOB("j", "/f1.json", DROP("a.*|b.*")),
                            CONFIG FILE_JOB("j", "/f1.json", ""),
                            CONFIG FILE_JOB("j", "/f1.json", DROP("b.*")),
                            CONFIG FILE_JOB("j", "/f1.json", DROP("a.*")) };
    static const char *const polled[4] = { POLLED("5", DROP("a.*|b.*")), POLLED("6", ""),
                                           POLLED("7", DROP("b.*")), POLLED("7", DROP("a.*")) };
    struct side s;
    uint64_t want = 1;

    if (is_http) {
        memcpy(jobs, polled, sizeof(jobs));
    }
    side_init(&s);
    configure_text(&s, jobs[0], 1);
    try_file(&s, want, ARRIVAL_OK, 1, TWO);
    ok(!page_has(&s, 0, "a:1") && !page_has(&s, 0, "b:1"), "rules drop both targets");
    configure_text(&s, jobs[1], 1);
    want += is_http;
    try_file(&s, want, ARRIVAL_FAILED, 1, NULL);
    ok(page_has(&s, 0, "a:1") && page_has(&s, 0, "b:1"), "without the rules both are back");
    ok(page_has(&s, 0, "\"k\":\"v\""), "with their labels");
    configure_text(&s, jobs[2], 1);
    want += is_http;
    try_file(&s, want, ARRIVAL_OK, 1, CUT);
    ok(page_has(&s, 0, "a:1") && !page_has(&s, 0, "b:1"), "other rules drop one");
    configure_text(&s, jobs[3], 1);
    publish(&s);
    ok(page_has(&s, 0, "b:1") && !page_has(&s, 0, "a:1"),
       "or the other, and nothing has to be heard");
    try_file(&s, want, ARRIVAL_OK, 1, TARGET("b:2"));
    ok(page_has(&s, 0, "b:2") && !page_has(&s, 0, "b:1"), "until it is read again");
    side_fini(&s);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    test_http_never_answered();
    test_http_answers_on_second_try();
    test_http_moves();
    test_file_never_read();
    test_one_of_several();
    test_known_to_another();
    test_rules_change(false);
    test_rules_change(true);
    return check_done();
}

#define LOG_MODULE "logtest"
#include "allocator/base/log.h"

#include "allocator/base/mem.h"
#include "allocator/base/rate.h"
#include "allocator/base/thread.h"
#include "tests/check.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Standard error goes to a file in memory between capture_begin() and capture_end(). */
static int capture_fd, saved_stderr;

static void capture_begin(void)
{
    capture_fd = memfd_create("stderr", MFD_CLOEXEC);
    fcntl(capture_fd, F_SETFL, O_APPEND); /* threads would write over each other's lines */
    saved_stderr = dup(STDERR_FILENO);
    dup2(capture_fd, STDERR_FILENO);
}

static char *capture_end(void)
{
    off_t size = lseek(capture_fd, 0, SEEK_END);
    char *text = mem_zalloc((size_t)size + 1);

    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    if (pread(capture_fd, text, (size_t)size, 0) != size) {
        ok(false, "cannot read back the log");
    }
    close(capture_fd);
    return text;
}

/* Cuts the time stamp out: from 'before' to the next 'after'. */
static const char *without_time(char *text, const char *before, char after)
{
    char *start = strstr(text, before);
    char *end = start == NULL ? NULL : strchr(start + strlen(before), after);

    if (end != NULL) {
        memmove(start + strlen(before), end, strlen(end) + 1);
    }
    return text;
}

#define NASTY SPAN_LIT("a\nb\x1b[31mc\"d\\e\x7f\xc2\x9b\xff\0g")
#define NASTY_ESCAPED "\"a\\nb\\u001b[31mc\\\"d\\\\e\\u007f\\u009b\xef\xbf\xbd\\u0000g\""

static void test_formats(void)
{
    static const struct {
        enum log_format format;
        const char *before;
        char after;
        const char *want;
    } t[] = {
        { LOG_JSON, "{\"ts\":\"", '"',
          "{\"ts\":\"\",\"level\":\"warn\",\"component\":\"logtest\",\"msg\":\"it "
          "happened\",\"n\":-7,\"plain\":\"word\","
          "\"empty\":\"\",\"nasty\":" NASTY_ESCAPED "}\n" },
        { LOG_LOGFMT, "ts=", ' ',
          "ts= level=warn component=logtest msg=\"it happened\" n=-7 plain=word empty=\"\" "
          "nasty=" NASTY_ESCAPED "\n" },
        { LOG_PRETTY, "", ' ',
          " warn  logtest  it happened  n=-7  plain=word  empty=\"\"  nasty=" NASTY_ESCAPED "\n" },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        log_set_format(t[i].format);
        capture_begin();
        log_warn("it happened", LOG_INT("n", -7), LOG_STR("plain", "word"), LOG_STR("empty", NULL),
                 LOG_SPAN("nasty", NASTY));
        AUTO_STR text = capture_end();
        is_str(without_time(text, t[i].before, t[i].after), t[i].want, "format %d",
               (int)t[i].format);
    }
}

static void test_time_and_json(void)
{
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0;
    char z = 0;

    log_set_format(LOG_JSON);
    capture_begin();
    log_info("no fields");
    AUTO_STR text = capture_end();
    json_t *line = json_loads(text, 0, NULL);
    ok(line != NULL, "a line is a JSON document");
    const char *ts = json_string_value(json_object_get(line, "ts"));
    ok(ts != NULL && sscanf(ts, "%d-%d-%dT%d:%d:%d.%3d%c", &year, &month, &day, &hour, &minute,
                            &second, &ms, &z) == 8,
       "the time is RFC 3339");
    ok(z == 'Z' && year >= 2024, "in UTC");
    json_decref(line);
}

static size_t count_lines(const char *text)
{
    size_t n = 0;

    for (const char *p = text; *p != '\0'; p++) {
        n += *p == '\n' ? 1 : 0;
    }
    return n;
}

static void test_long_fields(void)
{
    AUTO_STR big = mem_alloc(20001);

    memset(big, 'x', 20000);
    big[20000] = '\0';
    for (enum log_format format = LOG_JSON; format <= LOG_PRETTY; format++) {
        log_set_format(format);
        capture_begin();
        log_info("long", LOG_STR("f", big), LOG_INT("last", 42));
        log_info("many long", LOG_STR("a", big), LOG_STR("b", big), LOG_STR("c", big),
                 LOG_STR("d", big), LOG_STR("e", big),
                 LOG_SPAN("f", span_make("\x01\x02\x03\x04\x05\x06\x07", 7)), LOG_INT("last", 42));
        AUTO_STR text = capture_end();
        is_int(count_lines(text), 2, "format %d: two lines", (int)format);
        char *second = strchr(text, '\n') + 1;
        ok(second - text < 4096 && strlen(second) <= 4096,
           "format %d: no line is longer than a pipe takes at once", (int)format);
        ok(strstr(text, "xxx…") != NULL, "format %d: a cut text ends in an ellipsis", (int)format);
        ok(strstr(second, "last=42") != NULL || strstr(second, "\"last\":42") != NULL,
           "format %d: no field is lost", (int)format);
    }
    log_set_format(LOG_JSON);
    capture_begin();
    memset(big, '\xe2', 3000); /* nothing but broken characters */
    log_info("broken", LOG_STR("f", big));
    AUTO_STR text = capture_end();
    json_t *line = json_loads(text, 0, NULL);
    ok(line != NULL, "a cut text of broken characters is still JSON");
    json_decref(line);
}

/* A text is cut between two characters, wherever the limit is in one. */
static void test_cut_characters(void)
{
    static const char *const characters[] = { "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80" };

    log_set_format(LOG_JSON);
    for (size_t c = 0; c < COUNT(characters); c++) {
        for (size_t n_before = 0; n_before < 4; n_before++) {
            const size_t len = strlen(characters[c]);
            char text[2000];
            size_t at = n_before;
            memset(text, 'x', n_before);
            for (; at + len <= sizeof(text); at += len) {
                memcpy(text + at, characters[c], len);
            }
            capture_begin();
            log_info("cut", LOG_SPAN("f", span_make(text, at)));
            AUTO_STR line = capture_end();
            json_t *root = json_loads(line, 0, NULL);
            const char *got = json_string_value(json_object_get(root, "f"));
            size_t want = 1024 - (1024 - n_before) % len;
            ok(got != NULL && strlen(got) == want + 3 && memcmp(got, text, want) == 0 &&
                   strcmp(got + want, "…") == 0,
               "%zu bytes, then characters of %zu", n_before, len);
            json_decref(root);
        }
    }
    char tails[1500];
    memset(tails, '\x80', sizeof(tails)); /* no character begins anywhere */
    capture_begin();
    log_info("tails", LOG_SPAN("f", span_make(tails, sizeof(tails))));
    AUTO_STR broken = capture_end();
    ok(strstr(broken, "\xef\xbf\xbd\xef\xbf\xbd") != NULL, "no more than a character is cut off");
    for (size_t len = 1023; len <= 1025; len++) {
        char text[1025];
        memset(text, 'x', sizeof(text));
        capture_begin();
        log_info("full", LOG_SPAN("f", span_make(text, len)));
        AUTO_STR line = capture_end();
        is_int(strstr(line, "…") != NULL, len > 1024, "is a text of %zu bytes cut?", len);
    }
}

/* What a reader of logfmt would take apart is quoted, and nothing else. */
static void test_quotes(void)
{
    log_set_format(LOG_LOGFMT);
    capture_begin();
    log_info("quotes", LOG_STR("a", "x=y"), LOG_STR("b", "x\\y"), LOG_STR("c", "x\"y"),
             LOG_STR("d", "x y"), LOG_STR("e", "x\xc3\xa9"), LOG_STR("f", "!x#[]^~"));
    AUTO_STR line = capture_end();
    ok(strstr(line, " a=\"x=y\" b=\"x\\\\y\" c=\"x\\\"y\" d=\"x y\" e=\"x\xc3\xa9\" f=!x#[]^~\n") !=
           NULL,
       "values are quoted where they must be: %s", line);
}

static void test_levels(void)
{
    enum log_level level = LOG_DEBUG;
    enum log_format format = LOG_PRETTY;
    uint64_t n_debug = log_count(LOG_DEBUG);

    is_int(log_get_level(), LOG_INFO, "info is the default");
    capture_begin();
    log_debug("not asked for");
    AUTO_STR silent = capture_end();
    is_str(silent, "", "debug lines are not written then");
    is_int(log_count(LOG_DEBUG), n_debug + 1, "but counted");
    log_set_level(LOG_ERROR);
    capture_begin();
    log_warn("quiet");
    AUTO_STR quiet = capture_end();
    is_str(quiet, "", "level error leaves warnings out");
    log_set_level(LOG_INFO);
    ok(log_level_from(SPAN_LIT("debug"), &level) && level == LOG_DEBUG, "a level by name");
    ok(!log_level_from(SPAN_LIT("loud"), &level) && level == LOG_DEBUG, "an unknown one");
    ok(log_format_from(SPAN_LIT("logfmt"), &format) && format == LOG_LOGFMT, "a format by name");
    ok(!log_format_from(SPAN_LIT("xml"), &format) && format == LOG_LOGFMT, "an unknown one");
}

static void test_rate(void)
{
    log_set_format(LOG_LOGFMT);
    capture_begin();
    for (int i = 0; i < 100; i++) {
        log_info("again and again", LOG_INT("i", i));
    }
    log_info("something else");
    AUTO_STR text = capture_end();
    is_int(count_lines(text), RATE_BURST + 1,
           "a text is written so many times, others are not hindered");
    ok(strstr(text, "something else") != NULL, "the other one is there");
}

static void test_colour(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    char text[512] = "", name[64] = "";

    ok(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0 &&
           ptsname_r(master, name, sizeof(name)) == 0,
       "a terminal");
    int terminal = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    int saved = dup(STDERR_FILENO);
    log_set_format(LOG_PRETTY);
    dup2(terminal, STDERR_FILENO);
    log_warn("colourful", LOG_STR("k", "v"));
    dup2(saved, STDERR_FILENO);
    ssize_t n = read(master, text, sizeof(text) - 1);
    ok(n > 0 && strstr(text, "\033[33mwarn \033[0m") != NULL,
       "on a terminal the level has a colour");
    close(saved);
    close(terminal);
    close(master);
    capture_begin();
    log_warn("colourless", LOG_STR("k", "v"));
    AUTO_STR plain = capture_end();
    ok(strchr(plain, '\033') == NULL, "elsewhere it has none");
}

static void *log_lines(void *arg)
{
    static const char *const messages[] = { "one", "two", "three", "four", "five" };

    for (int i = 0; i < 10; i++) { /* together no more than one message may be logged at a time */
        log_info(messages[i % 5], LOG_STR("who", arg), LOG_INT("i", i));
    }
    return NULL;
}

static void test_threads(void)
{
    pthread_t a, b;
    char name_a[] = "a", name_b[] = "b";
    size_t n_broken = 0, n_lines = 0;

    log_set_format(LOG_JSON);
    capture_begin();
    ok(thread_start(&a, "log-a", log_lines, name_a, NULL) == 0, "a thread");
    ok(thread_start(&b, "log-b", log_lines, name_b, NULL) == 0, "another one");
    thread_join(a);
    thread_join(b);
    AUTO_STR text = capture_end();
    for (char *line = text, *end = NULL; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        json_t *json = json_loadb(line, (size_t)(end - line), 0, NULL);
        n_broken += json == NULL ? 1 : 0;
        n_lines++;
        json_decref(json);
    }
    is_int(n_lines, 20, "two threads write at once");
    is_int(n_broken, 0, "no line is torn");
}

int main(void)
{
    test_levels();
    test_formats();
    test_time_and_json();
    test_long_fields();
    test_cut_characters();
    test_quotes();
    test_rate();
    test_colour();
    test_threads();
    capture_begin();
    log_error("counted");
    AUTO_STR text = capture_end();
    is_int(count_lines(text), 1, "an error line");
    check_expect_errors(1);
    return check_done();
}

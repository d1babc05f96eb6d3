#include "allocator/base/err.h"

#include "tests/check.h"

#include <errno.h>
#include <string.h>

static void test_set_and_wrap(void)
{
    struct err err = { 0 };

    is_int(err_set(&err, ERR_INVALID, "missing '%c'", ')'), ERR_INVALID,
           "err_set returns the code");
    is_int(err.code, ERR_INVALID, "and keeps it");
    is_str(err.text, "missing ')'", "with the text");
    is_int(err_wrap(&err, ERR_INVALID, "relabel_configs[%d]", 0), ERR_INVALID,
           "err_wrap returns rc");
    is_int(err_wrap(&err, ERR_TOO_BIG, "scrape_configs[%d]", 3), ERR_TOO_BIG, "even another one");
    is_str(err.text, "scrape_configs[3]: relabel_configs[0]: missing ')'",
           "the path grows to the left");
    is_int(err.code, ERR_TOO_BIG, "the code is that of the last wrap");
    is_int(err_set(NULL, ERR_IO, "nobody listens"), ERR_IO, "err_set without err");
    is_int(err_wrap(NULL, ERR_IO, "nobody listens"), ERR_IO, "err_wrap without err");
    is_int(err_sys(NULL, ENOENT, "nobody listens"), ERR_IO, "err_sys without err");
}

static void test_place(void)
{
    struct err err = { 0 };

    is_int(err_set_at(&err, ERR_REFUSED, 3, 5, "no '%c'", 'x'), ERR_REFUSED,
           "err_set_at returns the code");
    is_str(err.text, "line 3, column 5: no 'x'", "the text says where");
    is_int(err.line, 3, "line");
    is_int(err.column, 5, "column");
    is_str(err.text + err.what, "no 'x'", "the sentence alone");
    err_wrap(&err, ERR_REFUSED, "spec.%s", "config");
    is_str(err.text, "spec.config: line 3, column 5: no 'x'", "with a path in front of it");
    is_int(err.line, 3, "the place stays");
    is_str(err.text + err.what, "no 'x'", "and so does the sentence");
    err_set_at(&err, ERR_INVALID, 7, 0, "more");
    is_str(err.text, "line 7: more", "without a column");
    is_str(err.text + err.what, "more", "the sentence alone");
    err_set(&err, ERR_INVALID, "again");
    ok(err.line == 0 && err.column == 0 && err.what == 0, "another error has no place");
    err_set_at(&err, ERR_INVALID, 7, 1, "more");
    err_sys(&err, ENOENT, "x");
    ok(err.line == 0 && err.column == 0 && err.what == 0, "nor has one of the system");
    is_int(err_set_at(NULL, ERR_IO, 1, 1, "nobody listens"), ERR_IO, "err_set_at without err");
}

static void test_system(void)
{
    struct err err = { 0 };

    is_int(err_sys(&err, ENOENT, "cannot open %s", "/x"), ERR_IO, "err_sys is ERR_IO");
    is_str(err.text, "cannot open /x: No such file or directory", "with the system's reason");
}

static void test_long(void)
{
    struct err err = { 0 };
    char text[3000];

    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    err_set(&err, ERR_INVALID, "%s", text);
    is_int(strlen(err.text), sizeof(err.text) - 1, "a long text is cut");
    err_wrap(&err, ERR_INVALID, "where");
    is_int(strlen(err.text), sizeof(err.text) - 1, "and stays within its room when wrapped");
    ok(strncmp(err.text, "where: aaa", 10) == 0, "the prefix is what is kept");
    err_set_at(&err, ERR_INVALID, 1, 2, "x");
    err_wrap(&err, ERR_INVALID, "%s", text);
    is_int(strlen(err.text), sizeof(err.text) - 1, "a prefix that is too long is cut, too");
    is_str(err.text + err.what, "", "and nothing is left of the sentence");
    err_sys(&err, ENOENT, "%s", text);
    is_int(strlen(err.text), sizeof(err.text) - 1, "err_sys as well");
}

/* A text that just fits, one byte less, and one more. */
static void test_full(void)
{
    enum { ROOM = sizeof((struct err){ 0 }.text) };
    char path[ROOM + 2];

    for (size_t len = ROOM - 4; len <= ROOM + 1; len++) {
        struct err err = { 0 };
        size_t kept = len < ROOM ? len : ROOM - 1;
        memset(path, 'p', sizeof(path));
        path[len] = '\0';
        err_set(&err, ERR_INVALID, "%s", path);
        is_int(strlen(err.text), kept, "a text of %zu bytes", len);
        err_sys(&err, ENOENT, "%s", path);
        is_int(strlen(err.text), ROOM - 1, "a reason behind %zu bytes", len);
        is_int(strspn(err.text, "p"), kept, "what stands in front of it stays");
        err_set(&err, ERR_INVALID, "why");
        err_wrap(&err, ERR_INVALID, "%s", path);
        is_int(strlen(err.text), ROOM - 1, "%zu bytes in front of a sentence", len);
        is_int(err.what, len + 2 < ROOM ? len + 2 : ROOM - 1, "where the sentence begins");
    }
    struct err err = { 0 };
    err_sys(&err, ENOENT, "%s", "");
    is_str(err.text, ": No such file or directory", "nothing in front of the reason");
    err_wrap(&err, ERR_INVALID, "%s", "");
    is_str(err.text, ": : No such file or directory", "nor of a sentence");
}

int main(void)
{
    test_full();
    test_set_and_wrap();
    test_place();
    test_system();
    test_long();
    return check_done();
}

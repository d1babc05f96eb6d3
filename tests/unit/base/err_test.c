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
    err_wrap(&err, ERR_INVALID, "%s", text);
    is_int(strlen(err.text), sizeof(err.text) - 1, "a prefix that is too long is cut, too");
    err_sys(&err, ENOENT, "%s", text);
    is_int(strlen(err.text), sizeof(err.text) - 1, "err_sys as well");
}

int main(void)
{
    test_set_and_wrap();
    test_system();
    test_long();
    return check_done();
}

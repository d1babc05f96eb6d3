#include "allocator/base/terminal.h"

#include "allocator/base/mem.h"
#include "tests/check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* ESC, a line break, DEL, C1 (CSI), a right-to-left override, a bad byte. */
#define HOSTILE "a\033[31m\n\x7f\xc2\x9b\xe2\x80\xae\xff\tz"
#define ESCAPED "a\\u001b[31m\\n\\u007f\\u009b\\u202e\xef\xbf\xbd\\tz"

static char *text_of(FILE *f, char **text)
{
    fclose(f);
    return *text;
}

static void test_line(void)
{
    AUTO_STR line = NULL;
    AUTO_STR text = NULL;
    size_t n = 0;

    AUTO_STR name = terminal_name(span_of(HOSTILE));
    is_str(name, ESCAPED, "a name");
    FILE *f = open_memstream(&line, &n);
    terminal_line(f, "%s: %d of %.*s", HOSTILE, 3, 1, "xy");
    terminal_line(f, "plain ü");
    is_str(text_of(f, &line), ESCAPED ": 3 of x\nplain ü\n", "lines");
    f = open_memstream(&text, &n);
    terminal_text(f, SPAN_LIT("{\n  \"\033\xe2\x80\xae\"\n}"));
    terminal_text(f, SPAN_LIT("\n"));
    terminal_text(f, SPAN_LIT(""));
    is_str(text_of(f, &text), "{\n  \"\\u001b\\u202e\"\n}\n", "a text keeps its line breaks");
}

/* Descriptor 'fd' is a terminal. */
static void test_colour(int fd)
{
    static const struct {
        const char *no_colour, *term; /* NULL: unset */
        enum terminal_colour choice;
        bool here, elsewhere;
    } t[] = {
        { NULL, "xterm", COLOUR_AUTO, true, false },  { NULL, NULL, COLOUR_AUTO, true, false },
        { "", "xterm", COLOUR_AUTO, true, false },    { "1", "xterm", COLOUR_AUTO, false, false },
        { "0", "xterm", COLOUR_AUTO, false, false },  { NULL, "dumb", COLOUR_AUTO, false, false },
        { "1", "dumb", COLOUR_ALWAYS, true, true },   { NULL, "xterm", COLOUR_NEVER, false, false },
        { NULL, "xterm", COLOUR_ALWAYS, true, true },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        unsetenv("NO_COLOR");
        unsetenv("TERM");
        if (t[i].no_colour != NULL) {
            setenv("NO_COLOR", t[i].no_colour, 1);
        }
        if (t[i].term != NULL) {
            setenv("TERM", t[i].term, 1);
        }
        terminal_set_colour(t[i].choice);
        is_int(terminal_has_colour(fd), t[i].here, "%zu: on a terminal", i);
        is_int(terminal_has_colour(-1), t[i].elsewhere, "%zu: elsewhere", i);
    }
}

int main(void)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY);

    ok(fd >= 0, "there is a pseudo-terminal");
    test_line();
    test_colour(fd);
    close(fd);
    return check_done();
}

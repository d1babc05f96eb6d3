#include "allocator/base/terminal.h"

#include "allocator/base/buf.h"
#include "allocator/base/mem.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int colour = COLOUR_AUTO;

void terminal_set_colour(enum terminal_colour choice)
{
    /* NOLINTBEGIN(concurrency-mt-unsafe): before there are other threads */
    const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
    /* NOLINTEND(concurrency-mt-unsafe) */
    bool is_unwanted =
        (no_colour != NULL && no_colour[0] != '\0') || (term != NULL && strcmp(term, "dumb") == 0);

    atomic_store(&colour, (int)(choice == COLOUR_AUTO && is_unwanted ? COLOUR_NEVER : choice));
}

bool terminal_has_colour(int fd)
{
    int choice = atomic_load(&colour);

    return choice == COLOUR_AUTO ? fd >= 0 && isatty(fd) == 1 : choice == COLOUR_ALWAYS;
}

/* At most six bytes of text for one that is escaped. */
static size_t room_for(size_t len)
{
    return 8 * len + 1;
}

char *terminal_name(struct span s)
{
    struct buf visible;

    buf_init(&visible, room_for(s.len));
    buf_add_visible(&visible, s);
    return buf_take(&visible, NULL);
}

void terminal_line(FILE *out, const char *fmt, ...)
{
    char *raw = NULL;
    va_list ap;

    va_start(ap, fmt);
    int n = vasprintf(&raw, fmt, ap);
    va_end(ap);
    if (n >= 0) {
        AUTO_STR line = terminal_name(span_make(raw, (size_t)n));
        fprintf(out, "%s\n", line);
        free(raw);
    }
}

void terminal_text(FILE *out, struct span text)
{
    while (text.len > 0) {
        const char *nl = memchr(text.p, '\n', text.len);
        size_t len = nl == NULL ? text.len : (size_t)(nl - text.p);
        AUTO_STR line = terminal_name(span_make(text.p, len));
        fputs(line, out);
        if (nl != NULL) {
            fputc('\n', out);
            len++;
        }
        text = span_from(text, len);
    }
}

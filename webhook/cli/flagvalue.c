#include "webhook/cli/flagvalue.h"

#include "allocator/base/buf.h"
#include "allocator/base/limits.h"
#include "allocator/codec/walk.h"
#include "allocator/prom/duration.h"
#include "webhook/cli/options.h"

#include <ctype.h>
#include <stdlib.h>

static int refuse(const struct flagvalue *v, const char *expected, const char *nearest)
{
    fprintf(v->errout, "otel-ta %s: --%s: '%s' is not %s", v->command, v->flag, v->text, expected);
    if (nearest != NULL) {
        fprintf(v->errout, "; did you mean '%s'?", nearest);
    }
    fprintf(v->errout, "\n");
    return EXIT_USAGE;
}

int flagvalue_refuse(const struct flagvalue *v, const char *expected)
{
    return refuse(v, expected, NULL);
}

int flagvalue_bool(const struct flagvalue *v, bool *out)
{
    if (strcmp(v->text, "true") == 0 || strcmp(v->text, "1") == 0) {
        *out = true;
    } else if (strcmp(v->text, "false") == 0 || strcmp(v->text, "0") == 0) {
        *out = false;
    } else {
        return refuse(v, "true or false", NULL);
    }
    return 0;
}

int flagvalue_number(const struct flagvalue *v, size_t min, size_t max, size_t *out)
{
    char *end = NULL;
    /* Without this, strtoul takes blanks and signs, too. */
    unsigned long n = isdigit((unsigned char)v->text[0]) ? strtoul(v->text, &end, 10) : 0;

    if (end == NULL || *end != '\0' || n < min || n > max) {
        AUTO_STR expected = mem_printf("a number from %zu to %zu", min, max);
        return refuse(v, expected, NULL);
    }
    *out = n;
    return 0;
}

int flagvalue_duration(const struct flagvalue *v, int64_t *out_ms)
{
    return duration_parse(span_of(v->text), out_ms, NULL) == 0
               ? 0
               : refuse(v, "a duration such as 30s", NULL);
}

int flagvalue_choice(const struct flagvalue *v, const char *const *words, size_t *out)
{
    AUTO_BUF expected = { 0 };

    for (size_t i = 0; words[i] != NULL; i++) {
        if (strcmp(v->text, words[i]) == 0) {
            *out = i;
            return 0;
        }
    }
    buf_init(&expected, KIB);
    for (size_t i = 0; words[i] != NULL; i++) {
        buf_addf(&expected, "%s%s", i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ", words[i]);
    }
    return refuse(v, expected.p, walk_nearest(span_of(v->text), words));
}

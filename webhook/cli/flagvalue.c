#include "webhook/cli/flagvalue.h"

#include "allocator/base/buf.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/terminal.h"
#include "allocator/codec/walk.h"
#include "allocator/prom/duration.h"
#include "webhook/cli/optiontable.h"

#include <ctype.h>
#include <stdlib.h>

static int refuse(const struct flagvalue *v, const char *expected, const char *nearest)
{
    AUTO_STR hint = nearest == NULL ? NULL : mem_printf("; did you mean '%s'?", nearest);

    terminal_line(v->errout, "otel-ta %s: --%s: '%s' is not %s%s", v->command, v->row->name,
                  v->text, expected, hint == NULL ? "" : hint);
    return EXIT_USAGE;
}

int flagvalue_refuse(const struct flagvalue *v, const char *expected)
{
    return refuse(v, expected, NULL);
}

/* ---- texts */

int flagvalue_text(const struct flagvalue *v, void *field)
{
    *(const char **)field = v->text;
    return 0;
}

int flagvalue_url_part(const struct flagvalue *v, void *field)
{
    *(struct span *)field = span_of(v->text);
    return strpbrk(v->text, "&#\"\\ \t\r\n") == NULL
               ? 0
               : refuse(v, "a text that can stand in a URL (no blank, quote, & or #)", NULL);
}

int flagvalue_append(const struct flagvalue *v, void *field)
{
    *vec_push((flag_texts *)field) = v->text;
    return 0;
}

int flagvalue_names(const struct flagvalue *v, void *field)
{
    flag_texts *names = field;

    for (const char *p = v->text; *p != '\0';) {
        size_t len = strcspn(p, ",");
        if (len > 0) {
            *vec_push(names) = arena_strndup(v->arena, p, len);
        }
        p += len + (p[len] == ',' ? 1 : 0);
    }
    return names->n > 0 ? 0 : refuse(v, "a list of names", NULL);
}

/* ---- numbers */

int flagvalue_switch(const struct flagvalue *v, void *field)
{
    struct flag_switch *out = field;

    out->is_given = true;
    if (strcmp(v->text, "true") == 0 || strcmp(v->text, "1") == 0) {
        out->is_on = true;
    } else if (strcmp(v->text, "false") == 0 || strcmp(v->text, "0") == 0) {
        out->is_on = false;
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

int flagvalue_count(const struct flagvalue *v, void *field)
{
    size_t n = 0;
    int rc = flagvalue_number(v, 1, v->row->max, &n);

    *(unsigned *)field = (unsigned)n;
    return rc;
}

/* As GOMEMLIMIT and as Kubernetes write it. */
int flagvalue_bytes(const struct flagvalue *v, void *field)
{
    static const struct {
        const char *name;
        unsigned shift;
    } units[] = { { "", 0 },     { "B", 0 },   { "Ki", 10 },  { "KiB", 10 }, { "Mi", 20 },
                  { "MiB", 20 }, { "Gi", 30 }, { "GiB", 30 }, { "Ti", 40 },  { "TiB", 40 } };
    const size_t least = 64 * MIB, most = (size_t)1 << 50;
    char *end = NULL;
    unsigned long n = isdigit((unsigned char)v->text[0]) ? strtoul(v->text, &end, 10) : 0;

    for (size_t i = 0; end != NULL && i < COUNT(units); i++) {
        if (strcmp(end, units[i].name) == 0 && n <= most >> units[i].shift &&
            n << units[i].shift >= least) {
            *(size_t *)field = n << units[i].shift;
            return 0;
        }
    }
    return refuse(v, "a size such as 3GiB or 512Mi, 64MiB at least", NULL);
}

int flagvalue_duration(const struct flagvalue *v, void *field)
{
    return duration_parse(span_of(v->text), field, NULL) == 0
               ? 0
               : refuse(v, "a duration such as 30s", NULL);
}

/* ---- words */

const char *flagvalue_word_at(const struct flag_row *row, size_t i)
{
    return row->words != NULL ? row->words[i].word : row->word_at != NULL ? row->word_at(i) : NULL;
}

static int refuse_word(const struct flagvalue *v)
{
    const char *words[FLAG_WORDS_MAX + 1] = { NULL };
    AUTO_BUF expected = { 0 };

    for (size_t i = 0; i < FLAG_WORDS_MAX && flagvalue_word_at(v->row, i) != NULL; i++) {
        words[i] = flagvalue_word_at(v->row, i);
    }
    buf_init(&expected, KIB);
    for (size_t i = 0; words[i] != NULL; i++) {
        buf_addf(&expected, "%s%s", i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ", words[i]);
    }
    return refuse(v, expected.p, walk_nearest(span_of(v->text), words));
}

static int find_word(const struct flagvalue *v, size_t *out)
{
    const char *word;

    for (size_t i = 0; (word = flagvalue_word_at(v->row, i)) != NULL; i++) {
        if (strcmp(v->text, word) == 0) {
            *out = i;
            return 0;
        }
    }
    return refuse_word(v);
}

int flagvalue_word(const struct flagvalue *v, void *field)
{
    size_t i = 0;

    *(struct span *)field = span_of(v->text);
    return find_word(v, &i);
}

int flagvalue_enum(const struct flagvalue *v, void *field)
{
    size_t i = 0;
    int rc = find_word(v, &i);

    if (rc == 0) {
        *(unsigned *)field = v->row->words[i].value;
    }
    return rc;
}

int flagvalue_bool(const struct flagvalue *v, void *field)
{
    unsigned value = 0;
    int rc = flagvalue_enum(v, &value);

    *(bool *)field = value != 0;
    return rc;
}

int flagvalue_choice(const struct flagvalue *v, void *field)
{
    struct flag_choice *out = field;

    out->is_given = true;
    return flagvalue_enum(v, &out->value);
}

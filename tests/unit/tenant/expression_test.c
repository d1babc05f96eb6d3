#include "allocator/tenant/expression.h"

#include "allocator/codec/yamldoc.h"
#include "tests/check.h"

/* ---- finding, as confmap/expand.go */

static void test_find(void)
{
    static const struct {
        const char *text, *found; /* NULL: none */
    } t[] = {
        { "${env:X}", "${env:X}" },
        { "a${X}b", "${X}" },
        { "$X $1 $$ $", NULL },
        { "${", NULL },
        { "}", NULL },
        { "${}", "${}" },
        { "${a", NULL },
        { "a}${b}", "${b}" },
        { "$${X}", NULL },
        { "$$${X}", "${X}" },
        { "$$$${X}", NULL },
        { "$${X}${Y}", "${Y}" },
        { "${env:${env:Y}}", "${env:Y}" },
        { "${env:X:-a}", "${env:X:-a}" },
        { "$$1", NULL },
        { "", NULL },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct span found = { NULL, 0 };
        bool is = expression_find(span_of(t[i].text), &found);
        is_int(is, t[i].found != NULL, "is there one in '%s'?", t[i].text);
        is_span(found, span_of(t[i].found), "the one in '%s'", t[i].text);
    }
}

/* ---- values */

#define SPEC                                                                                       \
    "env:\n- {name: HOST, value: 10.0.0.1}\n- {name: PORT2, value: '8080'}\n"                      \
    "- {name: OCTAL, value: '010'}\n- {name: FLOAT, value: '1.50'}\n- {name: EMPTY, value: ''}\n"  \
    "- {name: NULLED, value: 'null'}\n- {name: TRUTH, value: 'true'}\n- {name: YES, value: 'Yes'}" \
    "\n- {name: LIST, value: '[a:1, \"b:2\", 3]'}\n- {name: MAP, value: 'a: b'}\n"                 \
    "- {name: QUOTED, value: '\"x\"'}\n- {name: DOLLAR, value: 'a$b'}\n"                           \
    "- {name: FROM, valueFrom: {fieldRef: {fieldPath: status.podIP}}}\n"                           \
    "- {name: TWICE, value: a}\n- {name: TWICE, value: b}\n- {name: DATE, value: 2020-01-01}\n"    \
    "- {name: SPACED, value: ' a'}\n- {name: KEY, value: HOST}\n- {name: NUMBERS, value: "         \
    "'[010]'}\n"                                                                                   \
    "- {name: NAN_, value: .nan}\n"

/* What 'text' becomes, as JSON; NULL: it stays. */
static void check_fill(const char *spec, const char *text, const char *want)
{
    struct arena arena;
    struct environment e;
    struct node *root = NULL;
    AUTO_BUF json = { 0 }, quoted = { 0 };

    arena_init(&arena);
    buf_init(&json, 4096);
    buf_init(&quoted, 4096);
    is_int(yamldoc_parse(span_of(spec), &arena, &root, NULL), 0, "yaml");
    environment_read(root, &arena, &e);
    struct node scalar = { .type = NODE_SCALAR, .style = NODE_SINGLE, .text = span_of(text) };
    const struct node *filled = expression_fill(&e, &scalar, &arena);
    node_write_json(filled, &json);
    buf_add_json(&quoted, span_of(text));
    is_span(buf_span(&json), want == NULL ? buf_span(&quoted) : span_of(want), "'%s'", text);
    is_int(expression_holder(filled) != NULL, want == NULL, "is '%s' still open?", text);
    arena_fini(&arena);
}

static void test_fill(void)
{
    static const struct {
        const char *text, *want;
    } t[] = {
        { "${env:HOST}", "\"10.0.0.1\"" },
        { "${HOST}:9100", "\"10.0.0.1:9100\"" },
        { "${env:HOST}:${env:PORT2}", "\"10.0.0.1:8080\"" },
        { "${env:PORT2}", "8080" },
        { "${env:TRUTH}", "true" },
        { "${env:LIST}", "[\"a:1\",\"b:2\",3]" },
        { "x${env:LIST}", NULL },
        { "${env:MAP}", "{\"a\":\"b\"}" },
        { "${env:OCTAL}", NULL },
        { "p${env:OCTAL}", NULL },
        { "${env:NUMBERS}", NULL },
        { "${env:FLOAT}", NULL },
        { "${env:EMPTY}", NULL },
        { "${env:NULLED}", NULL },
        { "${env:YES}", NULL },
        { "${env:QUOTED}", NULL },
        { "${env:DOLLAR}", NULL },
        { "${env:FROM}", NULL },
        { "${env:FROM:-d}", NULL },
        { "${env:TWICE}", NULL },
        { "${env:DATE}", NULL },
        { "${env:SPACED}", NULL },
        { "${env:NAN_}", NULL },
        { "${env:${env:KEY}}", "\"10.0.0.1\"" },
        { "$$1 ${HOST}", "\"$$1 10.0.0.1\"" },
        { "$${HOST} ${HOST}", NULL },
        { "${env:HOST} ${env:FROM}", NULL },
        { "${env:NONE}", NULL },
        { "${env:NONE:-d}", "\"d\"" },
        { "${NONE:-d}", NULL }, /* a scheme "NONE" */
        { "${env:NONE:-}", "\"\"" },
        { "${env:NONE:-30s}", "\"30s\"" },
        { "${env:NONE:-010}", NULL },
        { "${env:NONE:-a:-b}", "\"a:-b\"" },
        { "${env:POD_NAME:-d}", NULL },
        { "${env:SHOP_SERVICE_HOST:-d}", NULL },
        { "${env:SHOP_PORT:-80}", NULL },
        { "${env:https_proxy:-d}", NULL },
        { "${yaml:a}", "\"a\"" },
        { "${yaml:[a, b]}", "[\"a\",\"b\"]" },
        { "${yaml:a::b: c}", NULL },
        { "${file:/etc/x}", NULL },
        { "${http://x/}", NULL },
        { "${1}", NULL },
        { "${}", NULL },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        check_fill(SPEC, t[i].text, t[i].want);
    }
    check_fill("envFrom: [{configMapRef: {name: x}}]", "${env:NONE:-d}", NULL);
    check_fill("envFrom: []", "${env:NONE:-d}", "\"d\"");
    check_fill(SPEC "envFrom: [{configMapRef: {name: x}}]", "${env:HOST}", "\"10.0.0.1\"");
    check_fill("env: {a: b}", "${env:NONE:-d}", NULL);
    check_fill("env: [{nome: HOST}]", "${env:NONE:-d}", NULL);
    check_fill("{}", "${env:NONE:-d}", "\"d\"");
}

/* A short text that names a long value often. */
static void test_budget(void)
{
    enum { N = 5000 };
    struct arena arena;
    struct environment e;
    struct node *root = NULL, *list = NULL;
    AUTO_BUF spec = { 0 }, text = { 0 };
    size_t n_filled = 0, n_bytes = 0;

    arena_init(&arena);
    buf_init(&spec, 65536);
    buf_init(&text, 1048576);
    buf_add_str(&spec, "env: [{name: A, value: ");
    for (size_t i = 0; i < 10000; i++) {
        buf_add_char(&spec, 'a');
    }
    buf_add_str(&spec, "}]");
    buf_add_char(&text, '[');
    for (size_t i = 0; i < N; i++) {
        buf_addf(&text, "%s'%s${env:A}'", i == 0 ? "" : ", ", i % 2 == 0 ? "" : "b");
    }
    buf_add_char(&text, ']');
    is_int(yamldoc_parse(buf_span(&spec), &arena, &root, NULL), 0, "yaml");
    is_int(yamldoc_parse(buf_span(&text), &arena, &list, NULL), 0, "yaml");
    environment_read(root, &arena, &e);
    const struct node *filled = expression_fill(&e, list, &arena);
    for (size_t i = 0; i < N; i++) {
        n_filled += filled->items[i]->text.len > 100;
        n_bytes += filled->items[i]->text.len;
    }
    ok(n_filled > 10 && n_bytes < 3 * 1048576U, "some are filled in, not all (%zu, %zu bytes)",
       n_filled, n_bytes);
    ok(expression_holder(filled) != NULL, "the others are not known");
    is_str(expression_gap(&e, SPAN_LIT("${env:A}")), "is one of too many, or of too long ones",
           "and it is said");
    arena_fini(&arena);
}

static void test_flaw(void)
{
    static const struct {
        const char *text;
        bool is_flawed;
    } t[] = {
        { "${1}", true },       { "${}", true },      { "${env:}", true },
        { "${env:1}", true },   { "${a b}", true },   { "${x:y}", true },
        { "${env:X}", false },  { "${_x}", false },   { "${env:X:-}", false },
        { "${file:x}", false }, { "${s3:x}", false }, { "${1x:y}", true },
        { "${env:a$b}", true },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        is_int(expression_flaw(span_of(t[i].text)) != NULL, t[i].is_flawed,
               "does no collector start with '%s'?", t[i].text);
    }
}

int main(void)
{
    test_find();
    test_fill();
    test_budget();
    test_flaw();
    return check_done();
}

#include "allocator/codec/yamlhint.h"

#include "allocator/codec/node.h"
#include "allocator/codec/yamldoc.h"
#include "tests/check.h"

static void test_hints(void)
{
    static const struct {
        const char *text;
        unsigned line;
        const char *want; /* NULL: nothing */
    } t[] = {
        { "a: 1\n\tb: 2\n", 2, "; line 2 is indented with a tab, where YAML wants spaces" },
        { "a:\n-\tb: 1\n", 2, "; line 2 is indented with a tab, where YAML wants spaces" },
        { "a:\n  - \t- b\n", 2, "; line 2 is indented with a tab, where YAML wants spaces" },
        { "a: 1\t2\n", 1, NULL },
        { "a: {{ .Values.x }}\n", 1, "; line 1 looks like a Helm template: render it first" },
        { "\ta: '{{ .Values.x }}'\n", 1, "; line 1 looks like a Helm template: render it first" },
        { "a:\n{{- if .Values.b }}\n  b: [\n{{ end }}\n", 4, "; line 2 looks like a Helm" },
        { "a:\n{{- range $k := x }}\n", 2, NULL }, /* a colon, as a flow mapping has */
        { "a:\n{{- with $x }}\n", 2, "; line 2 looks like a Helm" },
        { "a: '{{ $labels.x }}'\nb: [\n", 2, NULL },
        { "a: {{b: 1}: 2}\n", 1, NULL },
        { "a: {{}}\n", 1, NULL },
        { "a: {{ }}\n", 9, NULL },
        { "", 1, NULL },
        { "{{", 1, NULL },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        AUTO_BUF got;
        buf_init(&got, 1000);
        yamlhint_add(span_of(t[i].text), t[i].line, &got);
        size_t len = t[i].want == NULL ? 0 : strlen(t[i].want);
        ok(got.len >= len && (len == 0 ? got.len == 0 : memcmp(got.p, t[i].want, len) == 0),
           "'%s' at line %u: %s", t[i].text, t[i].line, got.len == 0 ? "" : got.p);
    }
    is_int(yamlhint_template(SPAN_LIT("a\nb: '{{ include \"x\" . }}'")), 2, "between quotes");
    is_int(yamlhint_template(SPAN_LIT("a: '{{ $labels.instance }}'")), 0, "not only Helm's");
}

/* Every reader says it. */
static void test_readers(void)
{
    static const struct {
        const char *text, *part;
    } t[] = {
        { "a:\n\tb: 1\n", "line 2 is indented with a tab" },
        { "a: {{ .Values.b }}\n", "line 1 looks like a Helm template" },
        { "{{- if .Values.b }}\na: 1\n{{- end }}\n", "line 1 looks like a Helm template" },
        { "a: 1\n  b: {{ .Values.c }}\n", "line 2 looks like a Helm template" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct arena arena;
        struct node *root = NULL;
        struct yamldoc *docs = NULL;
        struct err err = { 0 };
        struct faults f;
        size_t n = 0;

        arena_init(&arena);
        ok(yamldoc_parse(span_of(t[i].text), &arena, &root, &err) < 0 &&
               strstr(err.text, t[i].part) != NULL,
           "'%s': %s", t[i].text, err.text);
        ok(yamldoc_parse(span_of(t[i].text), &arena, &root, NULL) < 0, "without words, too");
        faults_init(&f);
        if (yamldoc_parse_stream(span_of(t[i].text), &arena, &docs, &n, &err) == 0 && n > 0 &&
            docs[0].fault != NULL) {
            yamldoc_report(docs[0].fault, &f);
        }
        ok(strstr(f.n > 0 ? f.v[0].text : err.text, t[i].part) != NULL, "as one of a stream");
        faults_fini(&f);
        arena_fini(&arena);
    }
}

int main(void)
{
    test_hints();
    test_readers();
    return check_done();
}

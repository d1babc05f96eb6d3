#include "allocator/base/limits.h"
#include "allocator/codec/yamldoc.h"
#include "tests/check.h"

static struct node *parse(struct arena *arena, const char *text)
{
    struct node *root = NULL;
    struct err err = { 0 };
    is_int(yamldoc_parse(span_of(text), arena, &root, &err), 0, "parses: %s", err.text);
    return root;
}

static struct span cut(const char *text, const struct node *n)
{
    return n == NULL ? SPAN_LIT("(absent)") : span_make(text + n->begin, n->end - n->begin);
}

/* Every value lies where its bytes are. */
static void test_places(void)
{
    static const char text[] = "# héad\r\na: 'é中'   # c\r\nb:\r\n- x: {k: [1, \"2\"]} # f\r\n  y: "
                               "|\r\n    l1\r\n    l2\r\n\r\n- z\r\n"
                               "\r\n# tail\r\nc:\r\nd: &q\r\n  e: 1\r\n  f:\r\n  - g\r\n# end\r\n";
    struct arena arena;
    arena_init(&arena);
    struct node *root = parse(&arena, text);
    is_span(cut(text, node_get(root, "a")), SPAN_LIT("'é中'"), "quoted");
    is_span(node_get(root, "a")->text, SPAN_LIT("é中"), "decoded");
    struct node *b = node_get(root, "b");
    is_span(cut(text, node_get(b->items[0], "x")), SPAN_LIT("{k: [1, \"2\"]}"), "flow");
    is_span(cut(text, node_get(b->items[0], "y")), SPAN_LIT("|\r\n    l1\r\n    l2"),
            "literal without its last break");
    is_span(cut(text, b->items[1]), SPAN_LIT("z"), "item");
    ok(cut(text, b).len > 0 && span_has_suffix(cut(text, b), "- z"),
       "a block list ends with its last item");
    is_int(node_get(root, "c")->end - node_get(root, "c")->begin, 0, "an empty value has no bytes");
    ok(node_is_null(node_get(root, "c")), "and is null");
    ok(span_has_suffix(cut(text, node_get(root, "d")), "- g"),
       "nested blocks end with the last descendant");
    is_int(b->line, 4, "line of the list");
    arena_fini(&arena);
}

static void test_bom_and_documents(void)
{
    static const char text[] = "\xef\xbb\xbf"
                               "a: 1\n---\nb: 2\n--- # c\n- 3\n";
    struct yamldoc *docs = NULL;
    size_t n = 0;
    struct arena arena;
    arena_init(&arena);
    is_int(yamldoc_parse_all(span_of(text), &arena, &docs, &n, NULL), 0, "stream");
    is_int(n, 3, "three documents");
    is_span(cut(text, node_get(docs[0].root, "a")), SPAN_LIT("1"), "after the BOM");
    is_span(span_make(text + docs[1].begin, docs[1].end - docs[1].begin), SPAN_LIT("---\nb: 2\n"),
            "bytes of the second");
    is_span(span_make(text + docs[2].begin, docs[2].end - docs[2].begin),
            SPAN_LIT("--- # c\n- 3\n"), "bytes of the third");
    is_int(docs[0].begin, 0, "the first begins at the beginning");
    arena_fini(&arena);
}

static void test_json(void)
{
    static const struct {
        const char *yaml, *json;
    } t[] = {
        { "{a: y, b: 0644, c: 1.0, d: true, e: ~, f: 12, g: '12', h: 1e3}",
          "{\"a\":\"y\",\"b\":\"0644\",\"c\":1.0,\"d\":true,\"e\":null,\"f\":12,\"g\":\"12\",\"h\":"
          "1e3}" },
        { "b: 1\na: 2\n", "{\"a\":2,\"b\":1}" },
        { "x: &a {p: 1, q: 2}\ny:\n  <<: *a\n  q: 3\n",
          "{\"x\":{\"p\":1,\"q\":2},\"y\":{\"p\":1,\"q\":3}}" },
        { "x: &a {p: 1}\nz: &b {p: 2, r: 4}\ny: {<<: [*a, *b]}\n",
          "{\"x\":{\"p\":1},\"y\":{\"p\":1,\"r\":4},\"z\":{\"p\":2,\"r\":4}}" },
        { "a: !!str 12\nb: ! 13\n", "{\"a\":\"12\",\"b\":\"13\"}" },
        { "{\"a\":\"\\ud83d\\ude00\\u003c\"}", "{\"a\":\"😀<\"}" },
        { "- |\n a\n  b\n- >\n c\n d\n", "[\"a\\n b\\n\",\"c d\\n\"]" },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        struct arena arena;
        AUTO_BUF out;
        arena_init(&arena);
        buf_init(&out, 4096);
        node_write_json(parse(&arena, t[i].yaml), &out);
        is_span(buf_span(&out), span_of(t[i].json), "%s", t[i].yaml);
        arena_fini(&arena);
    }
}

/* Objects one after the other, as kubectl reads them. */
static void test_json_stream(void)
{
    static const char text[] = "\xef\xbb\xbf {\"a\":\n1}{\"b\":[\"}{\"]}\n\n{}\n";
    static const char *const none[] = { "{} x", "{} [1]", "{}{", "{}{\"a\":}", "{}\"x\"" };
    struct arena arena;
    struct yamldoc *docs = NULL;
    size_t n = 0;

    arena_init(&arena);
    is_int(yamldoc_parse_all(span_of(text), &arena, &docs, &n, NULL), 0, "JSON after JSON");
    is_int(n, 3, "are documents");
    is_int(docs[0].begin, 0, "the first begins with the text");
    is_int(docs[1].begin, docs[0].end, "no byte is between them");
    is_int(docs[2].begin, docs[1].end, "no blank either");
    is_int(docs[2].end, sizeof(text) - 1, "the last goes to the end");
    is_int(docs[1].line, 2, "line of the second");
    is_int(docs[2].line, 4, "line of the third");
    const struct node *b = node_get(docs[1].root, "b");
    is_int(b->begin, strstr(text, "[") - text, "places are those of the text");
    is_int(docs[2].root->n, 0, "an empty one");
    for (size_t i = 0; i < COUNT(none); i++) {
        ok(yamldoc_parse_all(span_of(none[i]), &arena, &docs, &n, NULL) < 0, "refused: %s",
           none[i]);
    }
    arena_fini(&arena);
}

/* Tags that say what is there anyway. */
static void test_right_tags(void)
{
    static const char *const t[] = { "!!map {x: 1}", "!!seq [1]",   "! {x: 1}",
                                     "! [1]",        "!!map\nx: 1", "!!seq\n- 1" };
    struct arena arena;

    arena_init(&arena);
    for (size_t i = 0; i < COUNT(t); i++) {
        struct node *root = NULL;
        struct err err = { 0 };
        is_int(yamldoc_parse(span_of(t[i]), &arena, &root, &err), 0, "'%s' %s", t[i], err.text);
        ok(root != NULL && root->type == (i % 2 == 0 ? NODE_MAP : NODE_LIST), "is what it says");
    }
    arena_fini(&arena);
}

static void test_faults(void)
{
    static const struct {
        struct span text;
        int code;
        const char *error;
    } t[] = {
        { SPAN_LIT("a: 1\na: 2\n"), ERR_INVALID, "line 2, column 1: key 'a' is given twice" },
        { SPAN_LIT("{a: 1, \"a\": 2}\n"), ERR_INVALID, "line 1, column 8: key 'a' is given twice" },
        { SPAN_LIT("{\"a\":1,\n\"a\":2}\n"), ERR_INVALID,
          "line 2, column 1: key 'a' is given twice" },
        { SPAN_LIT("a: *b\n"), ERR_INVALID, "line 1, column 4: alias *b has no anchor before it" },
        { SPAN_LIT("a: &b 1\n---\nc: *b\n"), ERR_INVALID,
          "line 3, column 4: alias *b has no anchor before it" },
        { SPAN_LIT("a: &a [*a]\n"), ERR_INVALID,
          "line 1, column 8: alias *a is inside the value that it names" },
        { SPAN_LIT("b: &a 1\na: &a [*a]\n"), ERR_INVALID,
          "line 2, column 8: alias *a is inside the value that it names" },
        { SPAN_LIT("a: [1, 2\nb: 3\n"), ERR_INVALID, NULL },
        { SPAN_LIT("a:\n\t- b\n"), ERR_INVALID, NULL },
        { SPAN_LIT("a: b: c\n"), ERR_INVALID,
          "line 1, column 5: mapping values are not allowed in this context" },
        { SPAN_LIT("a:\n  - b\n c: d\n"), ERR_INVALID, NULL },
        { SPAN_LIT("a: 'b\n"), ERR_INVALID, NULL },
        { SPAN_LIT("a: \"\\ud83d\"\n"), ERR_INVALID, NULL },
        { SPAN_LIT("? [a]\n: b\n"), ERR_REFUSED, "line 1, column 3: a key must be a scalar" },
        { SPAN_LIT("{{a: 1}: b}\n"), ERR_REFUSED, "line 1, column 2: a key must be a scalar" },
        { SPAN_LIT("b: &x [1]\n*x : 2\n"), ERR_REFUSED,
          "line 2, column 1: a key must be a scalar" },
        { SPAN_LIT("? a\n: b\n"), ERR_REFUSED,
          "line 1, column 3: a key after '?' is not supported" },
        { SPAN_LIT("x: 1\n? # why\n  a\n: b\n"), ERR_REFUSED,
          "line 3, column 3: a key after '?' is not supported" },
        { SPAN_LIT("a: 1\n? b\n"), ERR_REFUSED,
          "line 2, column 3: a key after '?' is not supported" },
        { SPAN_LIT("{a: 1, ? b : c}\n"), ERR_REFUSED,
          "line 1, column 10: a key after '?' is not supported" },
        { SPAN_LIT("[? a : b]\n"), ERR_REFUSED,
          "line 1, column 4: a key after '?' is not supported" },
        { SPAN_LIT("{? a}\n"), ERR_REFUSED, "line 1, column 4: a key after '?' is not supported" },
        { SPAN_LIT(": b\n"), ERR_INVALID, "line 1, column 1: did not find expected key" },
        { SPAN_LIT("{: b}\n"), ERR_INVALID,
          "line 1, column 2: did not find expected node content" },
        { SPAN_LIT("?\n: b\n"), ERR_REFUSED, "line 1, column 2: a key is missing" },
        { SPAN_LIT("a: !!int x\n"), ERR_INVALID,
          "line 1, column 4: cannot decode !!str `x` as a !!int" },
        { SPAN_LIT("a: !!null [x]\n"), ERR_REFUSED,
          "line 1, column 4: a collection is not !!null" },
        { SPAN_LIT("a: 1\n---\nb: 2\n"), ERR_INVALID, "line 2: more than one document" },
        { SPAN_LIT("a: \"\0\"\n"), ERR_INVALID, "line 1, column 5: a NUL byte" },
        { SPAN_LIT("a: 1\n\0b: 2\n"), ERR_INVALID, "line 2, column 1: a NUL byte" },
        { SPAN_LIT("\xff\xfe"
                   "a\0"),
          ERR_REFUSED, "line 1, column 1: the text is UTF-16, but UTF-8 is expected" },
        { SPAN_LIT("\xfe\xff\0a"), ERR_REFUSED, NULL },
        { SPAN_LIT("a: 1\nb: \xff\n"), ERR_INVALID,
          "line 2, column 4: invalid leading UTF-8 octet" },
        { SPAN_LIT("a: \x01\n"), ERR_INVALID,
          "line 1, column 4: control characters are not allowed" },
        { SPAN_LIT("a:\n  <<: 1\n"), ERR_INVALID,
          "line 2, column 7: a merge key (<<) takes a mapping or a list of mappings" },
        { SPAN_LIT("<<: [{a: 1}, 2]\n"), ERR_INVALID,
          "line 1, column 14: a merge key (<<) takes a mapping or a list of mappings" },
        { SPAN_LIT("x: &x {a: 1}\n<<: *x\n<<: *x\n"), ERR_INVALID,
          "line 3, column 1: key '<<' is given twice" },
        { SPAN_LIT("a: &x\n  <<: *x\n"), ERR_INVALID,
          "line 2, column 7: alias *x is inside the value that it names" },
        { SPAN_LIT("a: 1\n...\nb: 2\n"), ERR_INVALID,
          "line 3, column 1: did not find expected <document start>" },
        { SPAN_LIT("@a: 1\n"), ERR_INVALID, NULL },
        { SPAN_LIT("a: `x`\n"), ERR_INVALID, NULL },
        { SPAN_LIT("%YAML 3.0\n---\na: 1\n"), ERR_INVALID, NULL },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        struct arena arena;
        struct node *root = NULL;
        struct err err = { 0 };
        arena_init(&arena);
        is_int(yamldoc_parse(t[i].text, &arena, &root, &err), t[i].code, "refused: %.*s",
               SPAN_ARG(t[i].text));
        if (t[i].error != NULL) {
            is_str(err.text, t[i].error, "says where");
        } else {
            ok(strncmp(err.text, "line ", 5) == 0, "says where: %s", err.text);
        }
        arena_fini(&arena);
    }
}

/* Nine levels of nine aliases each: 400 million nodes if they were copied. */
static void test_bomb(void)
{
    AUTO_BUF text;
    struct arena arena;
    struct node *root = NULL;
    buf_init(&text, 65536);
    buf_add_str(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 10; i++) {
        buf_addf(&text, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1,
                 i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    }
    arena_init(&arena);
    is_int(yamldoc_parse(buf_span(&text), &arena, &root, NULL), ERR_TOO_BIG,
           "an alias bomb is refused");
    buf_clear(&text);
    for (int i = 0; i < 30000; i++) {
        buf_add_char(&text, '[');
    }
    is_int(yamldoc_parse(buf_span(&text), &arena, &root, NULL), ERR_TOO_BIG, "so is deep nesting");
    arena_fini(&arena);
}

/* Few nodes, but each brings a mebibyte of text with it. */
static void test_text_bomb(void)
{
    AUTO_BUF text;
    struct arena arena;
    struct node *root = NULL;
    struct err err = { 0 };

    buf_init(&text, 16 * MIB);
    buf_add_str(&text, "a: &a ");
    for (size_t i = 0; i < MIB; i++) {
        buf_add_char(&text, 'x');
    }
    buf_add_str(&text, "\nb: [*a");
    for (int i = 0; i < 62; i++) {
        buf_add_str(&text, ",*a");
    }
    size_t len = text.len;
    buf_add_str(&text, "]\n");
    arena_init(&arena);
    is_int(yamldoc_parse(buf_span(&text), &arena, &root, &err), ERR_TOO_BIG, "too much text: %s",
           err.text);
    text.len = len - 6;
    buf_add_str(&text, "]\n");
    is_int(yamldoc_parse(buf_span(&text), &arena, &root, &err), 0, "just not too much");
    arena_fini(&arena);
}

/* Depth counts through aliases. */
static void test_alias_depth(void)
{
    AUTO_BUF text;
    struct arena arena;
    struct node *root = NULL;
    struct err err = { 0 };

    buf_init(&text, MIB);
    buf_add_str(&text, "a: &a ");
    for (int i = 0; i < 150; i++) {
        buf_add_char(&text, '[');
    }
    for (int i = 0; i < 150; i++) {
        buf_add_char(&text, ']');
    }
    buf_add_str(&text, "\nb: ");
    for (int i = 0; i < 106; i++) {
        buf_add_char(&text, '[');
    }
    buf_add_str(&text, "*a");
    for (int i = 0; i < 106; i++) {
        buf_add_char(&text, ']');
    }
    arena_init(&arena);
    is_int(yamldoc_parse(buf_span(&text), &arena, &root, &err), ERR_TOO_BIG, "257 levels: %s",
           err.text);
    text.p[text.len - 1] = ' ';
    char *open = strstr(text.p, "b: [");
    open[3] = ' ';
    is_int(yamldoc_parse(buf_span(&text), &arena, &root, &err), 0, "256 levels");
    arena_fini(&arena);
}

/* What is not ours to understand is a fault of its document alone, and its neighbours are read. */
static void test_stream(void)
{
    static const struct {
        const char *text;
        const char *fault; /* of the second document of three, as faults_print() has it */
        const char *json;  /* its tree */
    } t[] = {
        { "kind: A\nx: [1, {y: !!int z}]\n", "in:4: x[1].y: cannot decode !!str `z` as a !!int\n",
          "{\"kind\":\"A\",\"x\":[1,{\"y\":\"z\"}]}" },
        { "x: !!null [a, b]\nkind: A\n", "in:3: x: a collection is not !!null\n",
          "{\"kind\":\"A\",\"x\":[\"a\",\"b\"]}" },
        { "? [a, {b: c}]\n: {d: e}\nkind: A\n", "in:3: a key must be a scalar\n",
          "{\"\":{\"d\":\"e\"},\"kind\":\"A\"}" },
        { "{? [a] , kind: A}\n", "in:3: a key must be a scalar\n", "{\"\":null,\"kind\":\"A\"}" },
        { "x:\n  ? a\n  : b\nkind: A\n", "in:4: x.a: a key after '?' is not supported\n",
          "{\"kind\":\"A\",\"x\":{\"a\":\"b\"}}" },
        { "?\n: b\n", "in:3: a key is missing\n", "{\"\":\"b\"}" },
        { "x: [*a, &a b, *a]\n", "in:3: x[0]: alias *a has no anchor before it\n",
          "{\"x\":[null,\"b\",\"b\"]}" },
        { "x: [1, &a {b: *a}]\n", "in:3: x[1].b: alias *a is inside the value that it names\n",
          "{\"x\":[1,{\"b\":null}]}" },
        { "x: {a: 1, a: [1, 2]}\n", "in:3: x: key 'a' is given twice\n", NULL },
        { "- a\n- <<: 1\n  b: 2\n",
          "in:4: [1]: a merge key (<<) takes a mapping or a list of mappings\n",
          "[\"a\",{\"<<\":1,\"b\":2}]" },
        { "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
          "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
          "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\nkind: A\n",
          "in:8: f[7]: the document is too big, aliases counted in full: here are more "
          "than the 1000000 values that there is memory for\n",
          NULL },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        struct arena arena;
        struct yamldoc *docs = NULL;
        struct faults f;
        size_t n = 0;
        AUTO_BUF text, json;
        char *said = NULL;
        size_t said_size = 0;
        arena_init(&arena);
        faults_init(&f);
        f.file = "in";
        buf_init(&text, 4096);
        buf_init(&json, MIB);
        buf_addf(&text, "first: 1\n---\n%s---\nlast: [1]\n", t[i].text);
        is_int(yamldoc_parse_stream(buf_span(&text), &arena, &docs, &n, NULL), 0, "stream: %s",
               t[i].text);
        is_int(n, 3, "three documents");
        if (n == 3) {
            ok(docs[0].fault == NULL && docs[2].fault == NULL && docs[2].root != NULL &&
                   docs[2].root->n == 1,
               "the neighbours are read");
            yamldoc_report(docs[1].fault, &f);
            FILE *out = open_memstream(&said, &said_size);
            faults_print(&f, out);
            fclose(out);
            is_str(said, t[i].fault, "its fault");
            node_write_json(docs[1].root, &json);
            is_span(buf_span(&json), t[i].json == NULL ? buf_span(&json) : span_of(t[i].json),
                    "what is known of it");
            is_span(span_make(text.p + docs[1].begin, docs[1].end - docs[1].begin),
                    span_of(arena_printf(&arena, "---\n%s", t[i].text)), "its bytes");
        }
        free(said);
        faults_fini(&f);
        arena_fini(&arena);
    }
}

static void test_stream_is_deep(void)
{
    AUTO_BUF text;
    struct arena arena;
    struct yamldoc *docs = NULL;
    struct err err = { .text = "" };
    size_t n = 0;

    buf_init(&text, MIB);
    buf_add_str(&text, "deep: ");
    for (int i = 0; i < 900; i++) {
        buf_add_char(&text, '[');
    }
    for (int i = 0; i < 900; i++) {
        buf_add_char(&text, ']');
    }
    buf_add_str(&text, "\nkind: A\n---\n");
    for (int i = 0; i < 900; i++) {
        buf_addf(&text, "%*sk:\n", i, "");
    }
    buf_add_str(&text, "kind: B\n");
    arena_init(&arena);
    is_int(yamldoc_parse_stream(buf_span(&text), &arena, &docs, &n, &err), 0, "900 levels %s",
           err.text);
    is_int(n, 2, "two documents");
    for (size_t i = 0; i < n; i++) {
        struct span kind = { NULL, 0 };
        ok(docs[i].fault != NULL && node_as_text(node_get(docs[i].root, "kind"), &kind),
           "after what is too deep the rest is read");
        is_span(kind, i == 0 ? SPAN_LIT("A") : SPAN_LIT("B"), "its kind");
    }
    buf_add_str(&text, "---\nx: [1\ny: 2\n");
    is_int(yamldoc_parse_stream(buf_span(&text), &arena, &docs, &n, &err), ERR_INVALID,
           "broken YAML fails the stream");
    is_str(err.text,
           "line 907, column 2: did not find expected ',' or ']' (while parsing a flow sequence "
           "that began in line 906)",
           "and says where");
    arena_fini(&arena);
}

static void test_documents(void)
{
    static const struct {
        const char *text;
        size_t n;
        const char *parts[4]; /* bytes of each; "-" in front: it is empty */
        unsigned line[4];
    } t[] = {
        { "", 0, { 0 }, { 0 } },
        { "# only a comment\n", 0, { 0 }, { 0 } },
        { "a: 1", 1, { "a: 1" }, { 1 } },
        { "# c\n---\na: 1\n...\n# d\n", 1, { "# c\n---\na: 1\n...\n# d\n" }, { 1 } },
        { "a: 1\n---\n",
          2,
          { "a: 1\n", "-"
                      "---\n" },
          { 1, 2 } },
        { "---\n---\nb: 2\n",
          2,
          { "-"
            "---\n",
            "---\nb: 2\n" },
          { 1, 2 } },
        { "--- 1\n--- 2\n--- ~\n", 3, { "--- 1\n", "--- 2\n", "--- ~\n" }, { 1, 2, 3 } },
        { "a: 1\n...\n%YAML 1.1\n---\nb: 2\n",
          2,
          { "a: 1\n...\n", "%YAML 1.1\n---\nb: 2\n" },
          { 1, 3 } },
        { "é: é\r\n--- # é\r\nb: 2\r\n", 2, { "é: é\r\n", "--- # é\r\nb: 2\r\n" }, { 1, 2 } },
        { "\xef\xbb\xbf{\"a\": 1}\n", 1, { "\xef\xbb\xbf{\"a\": 1}\n" }, { 1 } },
        { "\xef\xbb\xbf"
          "a: 1\n--- é\n",
          2,
          { "\xef\xbb\xbf"
            "a: 1\n",
            "--- é\n" },
          { 1, 2 } },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        struct arena arena;
        struct yamldoc *docs = NULL;
        size_t n = 0;
        arena_init(&arena);
        is_int(yamldoc_parse_all(span_of(t[i].text), &arena, &docs, &n, NULL), 0, "stream %zu", i);
        is_int(n, t[i].n, "stream %zu: documents", i);
        for (size_t k = 0; k < n && k < t[i].n; k++) {
            bool is_empty =
                t[i].parts[k][0] == '-' && t[i].parts[k][1] == '-' && t[i].parts[k][3] == '-';
            struct span want = span_from(span_of(t[i].parts[k]), is_empty ? 1 : 0);
            is_span(span_make(t[i].text + docs[k].begin, docs[k].end - docs[k].begin), want,
                    "stream %zu: part %zu", i, k);
            is_int(docs[k].line, t[i].line[k], "its line");
            is_int(docs[k].root == NULL, is_empty, "is it empty");
        }
        arena_fini(&arena);
    }
    struct arena arena;
    struct node *root = NULL;
    arena_init(&arena);
    ok(yamldoc_parse(SPAN_LIT(""), &arena, &root, NULL) == 0 && root == NULL, "no text, no tree");
    ok(yamldoc_parse(span_make(NULL, 0), &arena, &root, NULL) == 0 && root == NULL,
       "not even a pointer");
    ok(yamldoc_parse(SPAN_LIT("---\n"), &arena, &root, NULL) == 0 && root == NULL,
       "an empty document");
    ok(yamldoc_parse(SPAN_LIT("a: 1\n---\n"), &arena, &root, NULL) == 0 && root != NULL,
       "an empty one after it does not count");
    ok(yamldoc_parse(SPAN_LIT("---\n---\na: 1\n"), &arena, &root, NULL) == 0 && root != NULL,
       "nor one in front");
    arena_fini(&arena);
}

/* Found by fuzzing, or otherwise surprising. */
static void test_oddities(void)
{
    struct arena arena;
    arena_init(&arena);
    is_span(parse(&arena, "\"\\ud83d\\ude00\"")->text, SPAN_LIT("😀"),
            "a lone JSON string has its pairs too");
    is_span(parse(&arena, "{\"a\":\"x\xe2\x80\xa8y\"}")->pairs[0].value->text,
            SPAN_LIT("x\xe2\x80\xa8y"), "U+2028 is text in JSON");
    is_span(parse(&arena, "a: \"x\xe2\x80\xa8y\"")->pairs[0].value->text,
            SPAN_LIT("x\xe2\x80\xa8y"), "and stays a line break in YAML");
    struct node *map = parse(&arena, "{\"a\\0b\": 1}");
    is_int(map->pairs[0].key->text.len, 3, "a NUL that was escaped");
    arena_fini(&arena);
}

int main(void)
{
    test_places();
    test_bom_and_documents();
    test_json();
    test_json_stream();
    test_right_tags();
    test_faults();
    test_bomb();
    test_text_bomb();
    test_alias_depth();
    test_stream();
    test_stream_is_deep();
    test_documents();
    test_oddities();
    return check_done();
}

#include "allocator/prom/relabel.h"

#include "allocator/base/buf.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "tests/check.h"

#include <stdio.h>

struct fixture {
    struct strpool pool;
    struct arena arena;
    struct label_builder lb;
    struct faults faults;
};

static void setup(struct fixture *x)
{
    strpool_init(&x->pool);
    arena_init(&x->arena);
    label_builder_init(&x->lb, &x->pool, &x->arena);
    faults_init(&x->faults);
}

static void teardown(struct fixture *x)
{
    faults_fini(&x->faults);
    label_builder_fini(&x->lb);
    arena_fini(&x->arena);
    strpool_fini(&x->pool);
}

/* Tests are easier to read with ' than with \". */
static struct node *json(struct fixture *x, const char *text)
{
    struct node *node = NULL;
    struct err err = { 0 };
    char *copy = arena_strndup(&x->arena, text, strlen(text));
    for (char *p = copy; *p != '\0'; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    ok(node_from_json(span_of(copy), 0, &x->arena, &node, &err) == 0, "test input is JSON: %s",
       err.text);
    return node;
}

static void fill(struct fixture *x, const char *labels)
{
    const struct node *map = json(x, labels);
    label_builder_clear(&x->lb);
    for (size_t i = 0; map != NULL && i < map->n; i++) {
        label_builder_set(&x->lb, strpool_intern(&x->pool, map->pairs[i].key->text),
                          map->pairs[i].value->text);
    }
}

static void render(struct fixture *x, struct buf *out)
{
    label_builder_sort(&x->lb);
    buf_add_char(out, '{');
    for (size_t i = 0; i < x->lb.n; i++) {
        buf_add_str(out, i == 0 ? "" : ",");
        buf_add_json(out, str_span(x->lb.v[i].name));
        buf_add_char(out, ':');
        buf_add_json(out, x->lb.v[i].value);
    }
    buf_add_char(out, '}');
}

#define ABC "{'a':'foo','b':'bar','c':'baz'}"

static const struct run {
    const char *rules, *in, *want; /* want NULL: dropped */
} runs[] = {
    { "[]", ABC, ABC },
    /* replace */
    { "[{'source_labels':['a'],'regex':'f(.*)','target_label':'d','separator':';','replacement':'"
      "ch${1}-ch${1}'}]",
      ABC, "{'a':'foo','b':'bar','c':'baz','d':'choo-choo'}" },
    { "[{'source_labels':['a','b'],'regex':'f(.*);(.*)r','target_label':'a','replacement':'b${1}${"
      "2}m'},"
      "{'source_labels':['c','a'],'regex':'(b).*b(.*)ba(.*)','target_label':'d','replacement':'$1$"
      "2$2$3'}]",
      ABC, "{'a':'boobam','b':'bar','c':'baz','d':'boooom'}" },
    { "[{'source_labels':['a'],'regex':'no-match','target_label':'d'}]", ABC, ABC },
    { "[{'source_labels':['a'],'target_label':'d'}]", ABC,
      "{'a':'foo','b':'bar','c':'baz','d':'foo'}" },
    { "[{'target_label':'d','replacement':'x'}]", "{}", "{'d':'x'}" },
    { "[{'source_labels':['nope'],'target_label':'a'}]", ABC, "{'b':'bar','c':'baz'}" },
    { "[{'target_label':'a','replacement':''}]", ABC, "{'b':'bar','c':'baz'}" },
    { "[{'source_labels':['a'],'regex':'','target_label':'d','replacement':'x'}]", ABC, ABC },
    { "[{'source_labels':['nope'],'regex':'','target_label':'d','replacement':'x'}]", "{}",
      "{'d':'x'}" },
    { "[{'source_labels':['nope'],'regex':null,'target_label':'d','replacement':'x'}]", "{}",
      "{'d':'x'}" },
    { "[{'source_labels':['a','b'],'separator':'','regex':'foobar','target_label':'d','replacement'"
      ":'x'}]",
      ABC, "{'a':'foo','b':'bar','c':'baz','d':'x'}" },
    { "[{'source_labels':['a','b'],'separator':null,'target_label':'d'}]", ABC,
      "{'a':'foo','b':'bar','c':'baz','d':'foobar'}" },
    { "[{'source_labels':['a','nope','b'],'target_label':'d'}]", ABC,
      "{'a':'foo','b':'bar','c':'baz','d':'foo;;bar'}" },
    { "[{'source_labels':['a'],'regex':'(f).*','target_label':'${1}x','replacement':'v'}]", ABC,
      "{'a':'foo','b':'bar','c':'baz','fx':'v'}" },
    { "[{'source_labels':['a'],'target_label':'$1','replacement':'v'}]", "{'a':'u-t.f'}",
      "{'a':'u-t.f','u-t.f':'v'}" },
    { "[{'source_labels':['nope'],'target_label':'$1','replacement':'v'}]", ABC,
      ABC }, /* no name, no label */
    { "[{'source_labels':['a'],'target_label':'$$','replacement':'v'}]", "{'a':'x'}",
      "{'$':'v','a':'x'}" },
    { "[{'source_labels':['a'],'regex':'(.)\\n(.)','target_label':'d','replacement':'$2$1'}]",
      "{'a':'1\\n2'}", "{'a':'1\\n2','d':'21'}" },
    { "[{'source_labels':['a'],'regex':'(?P<x>.)(?<y>.)','target_label':'${y}n','replacement':'$x'}"
      "]",
      "{'a':'pq'}", "{'a':'pq','qn':'p'}" },
    { "[{'source_labels':['__meta_a','__meta_port'],'regex':'([^:]+)(?::\\\\d+)?;(\\\\d+)','target_"
      "label':'__address__',"
      "'replacement':'$1:$2'}]",
      "{'__meta_a':'10.0.0.1:80','__meta_port':'9102'}",
      "{'__address__':'10.0.0.1:9102','__meta_a':'10.0.0.1:80','__meta_port':'9102'}" },
    /* keep and drop */
    { "[{'source_labels':['a'],'regex':'foo','action':'keep'}]", ABC, ABC },
    { "[{'source_labels':['a'],'regex':'fo','action':'keep'}]", ABC, NULL },
    { "[{'source_labels':['a'],'regex':'.*o','action':'drop'}]", ABC, NULL },
    { "[{'source_labels':['a'],'regex':'no','action':'drop'}]", ABC, ABC },
    { "[{'action':'drop'}]", ABC, NULL },
    { "[{'action':'KEEP'}]", ABC, ABC },
    { "[{'source_labels':['a','b'],'regex':'foo;bar','action':'Keep'},{'source_labels':['x'],'"
      "regex':'.+','action':'drop'}]",
      ABC, ABC },
    /* keepequal and dropequal */
    { "[{'source_labels':['a'],'target_label':'b','action':'keepequal'}]", "{'a':'1','b':'1'}",
      "{'a':'1','b':'1'}" },
    { "[{'source_labels':['a'],'target_label':'b','action':'keepequal'}]", ABC, NULL },
    { "[{'source_labels':['a'],'target_label':'b','action':'dropequal'}]", "{'a':'1','b':'1'}",
      NULL },
    { "[{'source_labels':['a'],'target_label':'b','action':'dropequal'}]", ABC, ABC },
    { "[{'source_labels':['x'],'target_label':'y','action':'dropequal'}]", ABC,
      NULL }, /* two absent ones are equal */
    { "[{'source_labels':['a','b'],'target_label':'d','action':'keepequal'}]",
      "{'a':'1','b':'2','d':'1;2'}", "{'a':'1','b':'2','d':'1;2'}" },
    /* hashmod */
    { "[{'source_labels':['c'],'target_label':'d','modulus':1000,'action':'hashmod'}]", ABC,
      "{'a':'foo','b':'bar','c':'baz','d':'976'}" },
    { "[{'source_labels':['a'],'target_label':'d','modulus':1000,'action':'hashmod'}]",
      "{'a':'foo\\nbar'}", "{'a':'foo\\nbar','d':'734'}" },
    { "[{'source_labels':['x'],'target_label':'d','modulus':1,'action':'hashmod'}]", "{}",
      "{'d':'0'}" },
    { "[{'source_labels':['x'],'target_label':'d','modulus':9223372036854775807,'action':'hashmod'"
      "}]",
      "{}", "{'d':'7602086723416769151'}" },
    /* labelmap */
    { "[{'regex':'(b.*)','replacement':'bar_${1}','action':'labelmap'}]",
      "{'a':'foo','b1':'bar','b2':'baz'}",
      "{'a':'foo','b1':'bar','b2':'baz','bar_b1':'bar','bar_b2':'baz'}" },
    { "[{'regex':'__meta_(my.*)','action':'labelmap'}]",
      "{'__meta_my_bar':'aaa','__meta_my_baz':'bbb','__meta_o':'ccc'}",
      "{'__meta_my_bar':'aaa','__meta_my_baz':'bbb','__meta_o':'ccc','my_bar':'aaa','my_baz':'bbb'"
      "}" },
    { "[{'regex':'(a|b)','replacement':'same','action':'labelmap'}]", "{'b':'2','a':'1'}",
      "{'a':'1','b':'2','same':'2'}" },
    { "[{'regex':'a','replacement':'b','action':'labelmap'}]", "{'a':'1','b':'2'}",
      "{'a':'1','b':'1'}" },
    { "[{'regex':'x(.)','action':'labelmap'}]", "{'xa':'1','xxa':'2','a':'3'}",
      "{'a':'1','xa':'1','xxa':'2'}" },
    { "[{'regex':'(x.+)','replacement':'x$1','action':'labelmap'}]",
      "{'xa':'1','xxa':'2','xxxa':'3'}",
      "{'xa':'1','xxa':'1','xxxa':'2','xxxxa':'3'}" }, /* the values as they were before the rule */
    { "[{'regex':'a','replacement':'$0-\xc3\xa9','action':'labelmap'}]", "{'a':'1'}",
      "{'a':'1','a-\xc3\xa9':'1'}" },
    { "[{'action':'labelmap'}]", ABC, ABC },
    { "[{'regex':'a)|(b','replacement':'<$0>','action':'labelmap'}]", "{'axb':'1'}",
      "{'axb':'1','<a>x<b>':'1'}" },
    /* labeldrop and labelkeep */
    { "[{'regex':'(b.*)','action':'labeldrop'}]", "{'a':'foo','b1':'bar','b2':'baz'}",
      "{'a':'foo'}" },
    { "[{'regex':'(b.*)','action':'labelkeep'}]", "{'a':'foo','b1':'bar','b2':'baz'}",
      "{'b1':'bar','b2':'baz'}" },
    { "[{'regex':'nope','action':'labeldrop'}]", ABC, ABC },
    { "[{'action':'labeldrop'}]", ABC, "{}" },
    { "[{'regex':'nope','action':'labelkeep'}]", ABC, "{}" },
    /* lowercase and uppercase */
    { "[{'source_labels':['a'],'target_label':'u','action':'uppercase'},{'source_labels':['u'],'"
      "target_label':'l','action':"
      "'lowercase'}]",
      "{'a':'bAr123Foo'}", "{'a':'bAr123Foo','l':'bar123foo','u':'BAR123FOO'}" },
    { "[{'source_labels':['a','b'],'target_label':'a','action':'uppercase'}]", ABC,
      "{'a':'FOO;BAR','b':'bar','c':'baz'}" },
    { "[{'source_labels':['a'],'target_label':'a','action':'uppercase'}]",
      "{'a':'\xc3\xa9\xc3\x9f\xc4\xb1\xc7\x85'}", "{'a':'\xc3\x89\xc3\x9fI\xc7\x84'}" },
    { "[{'source_labels':['nope'],'target_label':'a','action':'lowercase'}]", ABC,
      "{'b':'bar','c':'baz'}" },
    { "[{'source_labels':['a'],'regex':'no','target_label':'d','action':'lowercase'}]", "{'a':'X'}",
      "{'a':'X','d':'x'}" },
};

static void test_runs(void)
{
    for (size_t i = 0; i < COUNT(runs); i++) {
        struct fixture x;
        setup(&x);
        AUTO(relabel)
        set = relabel_compile(json(&x, runs[i].rules), NAME_UTF8, true, NULL, &x.faults);
        ok(set != NULL, "run %zu compiles: %s", i, x.faults.n > 0 ? x.faults.v[0].text : "");
        /* Twice: the second run has hints and memories of the first. */
        for (int k = 0; set != NULL && k < 2; k++) {
            AUTO_BUF got;
            buf_init(&got, KIB);
            fill(&x, runs[i].in);
            bool is_kept = relabel_run(set, &x.lb, NULL) == RELABEL_KEEP;
            is_int(is_kept, runs[i].want != NULL, "run %zu keeps", i);
            if (is_kept && runs[i].want != NULL) {
                struct buf want;
                buf_init(&want, KIB);
                render(&x, &got);
                fill(&x, runs[i].want);
                render(&x, &want);
                is_span(buf_span(&got), buf_span(&want), "run %zu: %s", i, runs[i].rules);
                buf_fini(&want);
            }
        }
        relabel_free(&set);
        teardown(&x);
    }
}

static void test_faults(void)
{
    static const struct {
        const char *rules;
        enum name_scheme scheme;
        const char *path, *text; /* NULL: good */
    } t[] = {
        { "[null]", NAME_UTF8, "relabel_configs[0]", "empty or null relabeling rule" },
        { "{'a':'b'}", NAME_UTF8, "relabel_configs", "wanted a list, found a mapping" },
        { "[{}]", NAME_UTF8, "relabel_configs[0].target_label",
          "relabel configuration for replace action requires 'target_label' value" },
        { "[{'action':'keep'},{'regex':'(','action':'keep'}]", NAME_UTF8,
          "relabel_configs[1].regex", "error parsing regexp: missing closing ): `^(?s:()$`" },
        { "[{'action':''}]", NAME_UTF8, "relabel_configs[0].action",
          "relabel action cannot be empty" },
        { "[{'action':null}]", NAME_UTF8, "relabel_configs[0].action",
          "relabel action cannot be empty" },
        { "[{'action':'keeep'}]", NAME_UTF8, "relabel_configs[0].action",
          "unknown relabel action \"keeep\"; did you mean 'keep'?" },
        { "[{'action':'hashmod','target_label':'a'}]", NAME_UTF8, "relabel_configs[0].modulus",
          "relabel configuration for hashmod requires non-zero modulus" },
        { "[{'action':'hashmod','modulus':8}]", NAME_UTF8, "relabel_configs[0].target_label",
          "relabel configuration for hashmod action requires 'target_label' value" },
        { "[{'action':'hashmod','modulus':8,'target_label':'$a'}]", NAME_UTF8, NULL, NULL },
        { "[{'action':'hashmod','modulus':8,'target_label':'$a'}]", NAME_LEGACY,
          "relabel_configs[0].target_label",
          "\"$a\" is invalid 'target_label' for hashmod action" },
        { "[{'action':'lowercase','target_label':'a','replacement':'x'}]", NAME_UTF8,
          "relabel_configs[0].replacement", "'replacement' can not be set for lowercase action" },
        { "[{'action':'uppercase','target_label':'a','replacement':'$1'}]", NAME_UTF8, NULL, NULL },
        { "[{'action':'uppercase','target_label':'a','regex':'x'}]", NAME_UTF8, NULL, NULL },
        { "[{'action':'keepequal','target_label':'a','regex':'(.*)'}]", NAME_UTF8,
          "relabel_configs[0].regex",
          "keepequal action requires only 'source_labels' and 'target_label', and no other "
          "fields" },
        { "[{'action':'dropequal','target_label':'a','separator':','}]", NAME_UTF8,
          "relabel_configs[0].separator",
          "dropequal action requires only 'source_labels' and 'target_label', and no other "
          "fields" },
        { "[{'action':'dropequal','target_label':'a','separator':';','replacement':'$1','modulus':"
          "0}]",
          NAME_UTF8, NULL, NULL },
        { "[{'action':'labeldrop','source_labels':[]}]", NAME_UTF8,
          "relabel_configs[0].source_labels",
          "labeldrop action requires only 'regex', and no other fields" },
        { "[{'action':'labeldrop','source_labels':null}]", NAME_UTF8, NULL, NULL },
        { "[{'action':'labelkeep','target_label':'a'}]", NAME_UTF8,
          "relabel_configs[0].target_label",
          "labelkeep action requires only 'regex', and no other fields" },
        { "[{'action':'labelmap','replacement':''}]", NAME_UTF8, "relabel_configs[0].replacement",
          "\"\" is invalid 'replacement' for labelmap action" },
        { "[{'action':'labelmap','replacement':'a-$1'}]", NAME_UTF8, NULL, NULL },
        { "[{'action':'labelmap','replacement':'a-$1'}]", NAME_LEGACY,
          "relabel_configs[0].replacement",
          "\"a-$1\" is invalid 'replacement' for labelmap action" },
        { "[{'source_labels':['']}]", NAME_UTF8, "relabel_configs[0].source_labels[0]",
          "\"\" is not a valid label name" },
        { "[{'source_labels':['a','b-c'],'target_label':'x'}]", NAME_LEGACY, NULL, NULL },
        { "[{'source_labels':'a','target_label':'x'}]", NAME_UTF8,
          "relabel_configs[0].source_labels", NULL },
        { "[{'target_label':'x','modulus':-1}]", NAME_UTF8, "relabel_configs[0].modulus", NULL },
        { "[{'target_label':'x','regexp':'y'}]", NAME_UTF8, "relabel_configs[0]", NULL },
        { "[{'target_label':'x','regex':['y']}]", NAME_UTF8, "relabel_configs[0].regex", NULL },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        struct fixture x;
        setup(&x);
        (void)faults_push(&x.faults, "relabel_configs");
        AUTO(relabel)
        set = relabel_compile(json(&x, t[i].rules), t[i].scheme, true, NULL, &x.faults);
        is_int(set != NULL, t[i].path == NULL, "%s", t[i].rules);
        is_int(x.faults.n, t[i].path == NULL ? 0 : 1, "faults of %s", t[i].rules);
        if (x.faults.n > 0 && t[i].path != NULL) {
            is_str(x.faults.v[0].path, t[i].path, "path for %s", t[i].rules);
            is_str(x.faults.v[0].text, t[i].text == NULL ? x.faults.v[0].text : t[i].text,
                   "text for %s", t[i].rules);
            is_int(x.faults.v[0].line, 1, "line for %s", t[i].rules);
        }
        is_str(x.faults.path, "relabel_configs", "back where it was");
        relabel_free(&set);
        teardown(&x);
    }
}

/* Upstream's own table for the legacy scheme, and what it is under UTF-8. */
static void test_templates_as_names(void)
{
    static const struct {
        const char *target;
        bool is_legacy;
    } t[] = {
        { "label", true },
        { "label${1}", true },
        { "${1}label", true },
        { "${1}", true },
        { "$1", true },
        { "asd$2asd", true },
        { "_${1}_", true },
        { "foo${bar}foo", true },
        { "$1x9", true },
        { "a9$1", true },
        { "-label", false },
        { "${", false },
        { "$", false },
        { "${}", false },
        { "foo${", false },
        { "-foo${1}bar-", false },
        { "bar.foo${1}bar", false },
        { "9$1", false },
        { "a$-", false },
        { "a${1", false },
        { "a$", false },
        { "\xc3\xa9$1", false },
        { "zZaA_09$1", true },
        { "$zZaA_09", true },
        { "${zZaA_09}", true },
        { "$1$2", true },
        { "0$1", false },
        { "a`$1", false },
        { "a{$1", false },
        { "a@$1", false },
        { "a[$1", false },
        { "a/$1", false },
        { "a:$1", false },
        { "a${1", false },
        { "a${1]", false },
        { "a$1}", false },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        for (int scheme = NAME_UTF8; scheme <= NAME_LEGACY; scheme++) {
            struct fixture x;
            char rules[128];
            setup(&x);
            (void)snprintf(rules, sizeof(rules), "[{'target_label':'%s'}]", t[i].target);
            AUTO(relabel)
            set = relabel_compile(json(&x, rules), (enum name_scheme)scheme, true, NULL, &x.faults);
            is_int(set != NULL, scheme == NAME_UTF8 || t[i].is_legacy, "'%s' under %s", t[i].target,
                   scheme == NAME_UTF8 ? "UTF-8" : "legacy");
            relabel_free(&set);
            teardown(&x);
        }
    }
}

static void test_every_fault(void)
{
    struct fixture x;
    setup(&x);
    AUTO(relabel)
    set = relabel_compile(json(&x, "[{'action':'labeldrop','modulus':1,'separator':'','replacement'"
                                   ":'x','target_label':'y','source_labels':[]},"
                                   "{'action':'hashmod'},{'regex':'['}]"),
                          NAME_UTF8, true, NULL, &x.faults);
    ok(set == NULL, "nothing comes out");
    is_int(x.faults.n_errors, 9, "all faults of all rules in one pass");
    teardown(&x);

    setup(&x);
    set = relabel_compile(json(&x, "[{'target_label':'a','replacment':'b'}]"), NAME_UTF8, false,
                          NULL, &x.faults);
    ok(set != NULL, "an unknown field is no error when not strict");
    is_int(x.faults.n, 1, "but a warning");
    relabel_free(&set);
    teardown(&x);
}

static void test_no_rules(void)
{
    struct fixture x;
    setup(&x);
    AUTO(relabel) set = relabel_compile(NULL, NAME_UTF8, true, NULL, &x.faults);
    ok(set != NULL, "no rules are good rules");
    is_int(relabel_count(set), 0, "none");
    is_int(relabel_run(set, &x.lb, NULL), RELABEL_KEEP, "keeps");
    relabel_free(&set);
    is_int(relabel_count(NULL), 0, "NULL counts as none");
    is_int(relabel_run(NULL, &x.lb, NULL), RELABEL_KEEP, "NULL keeps");
    teardown(&x);
}

static void test_dropping_rule(void)
{
    struct fixture x;
    size_t rule = 99;
    setup(&x);
    AUTO(relabel)
    set = relabel_compile(json(&x, "[{'target_label':'d','replacement':'x'},{'source_labels':['d'],"
                                   "'regex':'x','action':'drop'},"
                                   "{'target_label':'e','replacement':'x'}]"),
                          NAME_UTF8, true, NULL, &x.faults);
    fill(&x, ABC);
    is_int(relabel_run(set, &x.lb, &rule), RELABEL_DROP, "dropped");
    is_int(rule, 1, "by the second rule");
    is_int(x.lb.n, 4, "with the labels as they were before it");
    is_str(relabel_describe(set, 0), "replace -> d := \"x\"", "description");
    is_str(relabel_describe(set, 1), "drop [d] =~ x", "description");
    relabel_free(&set);
    teardown(&x);
}

static void test_describe(void)
{
    static const struct {
        const char *rule, *want;
    } t[] = {
        { "[{'source_labels':['a','b'],'regex':'x|y','action':'keep'}]", "keep [a;b] =~ x|y" },
        { "[{'source_labels':['a'],'regex':'(.)','target_label':'t'}]",
          "replace [a] =~ (.) -> t := \"$1\"" },
        { "[{'source_labels':['a'],'target_label':'t','action':'hashmod','modulus':8}]",
          "hashmod [a] % 8 -> t" },
        { "[{'regex':'x_(.+)','action':'labelmap'}]", "labelmap =~ x_(.+) -> $1" },
        { "[{'regex':'x','action':'LabelDrop'}]", "labeldrop =~ x" },
        { "[{'source_labels':['a'],'target_label':'t','action':'keepequal'}]",
          "keepequal [a] == t" },
        { "[{'source_labels':['a'],'target_label':'t','action':'lowercase'}]",
          "lowercase [a] -> t" },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        struct fixture x;
        setup(&x);
        AUTO(relabel)
        set = relabel_compile(json(&x, t[i].rule), NAME_UTF8, true, NULL, &x.faults);
        is_str(relabel_describe(set, 0), t[i].want, "description");
        relabel_free(&set);
        teardown(&x);
    }
}

/* Rules that double what they are given run against a cap, not against memory. */
static void test_caps(void)
{
    static const char *const rules[] = {
        "{'source_labels':['a'],'target_label':'a','replacement':'$1$1$1$1$1$1$1$1'}",
        "{'source_labels':['a','a','a','a','a','a'],'target_label':'a'}",
        "{'regex':'(.+)','replacement':'x$1','action':'labelmap'}",
        "{'regex':'(.+)','replacement':'$1$1$1$1','action':'labelmap'}",
        "{'source_labels':['a','a','a','a'],'target_label':'a','action':'lowercase'}",
    };
    for (size_t i = 0; i < COUNT(rules); i++) {
        struct fixture x;
        AUTO_BUF text;
        setup(&x);
        buf_init(&text, 64 * KIB);
        for (int k = 0; k < 20; k++) {
            buf_addf(&text, "%s%s", k == 0 ? "[" : ",", rules[i]);
        }
        buf_add_str(&text, ",{'regex':'.*','action':'drop'}]");
        AUTO(relabel)
        set = relabel_compile(json(&x, text.p), NAME_UTF8, true, NULL, &x.faults);
        fill(&x, "{'a':'0123456789','b':'1','c':'2'}");
        (void)relabel_run(set, &x.lb, NULL);
        ok(i == 2 || x.lb.is_overfull, "rule %zu is stopped", i);
        ok(x.arena.used_bytes < 4 * LIMIT_RELABEL_BYTES, "%zu bytes", x.arena.used_bytes);
        ok(x.lb.n <= LIMIT_LABELS_PER_TARGET, "%zu labels", x.lb.n);
        relabel_free(&set);
        teardown(&x);
    }
}

/* Memories of names must follow labels that change from target to target, and outlive a sweep of
 * the pool. */
static void test_changing_shapes(void)
{
    struct fixture x;
    setup(&x);
    AUTO(relabel)
    set = relabel_compile(
        json(&x, "[{'regex':'m_(.+)','action':'labelmap'},{'regex':'m_.*','action':'labeldrop'},"
                 "{'source_labels':['p','q'],'target_label':'r'},{'regex':'[a-f]|r','action':'"
                 "labelkeep'}]"),
        NAME_UTF8, true, NULL, &x.faults);
    static const struct {
        const char *in, *want;
    } t[] = {
        { "{'m_a':'1','m_b':'2','p':'3','q':'4'}", "{\"a\":\"1\",\"b\":\"2\",\"r\":\"3;4\"}" },
        { "{'m_a':'5','m_b':'6','p':'7','q':'8'}", "{\"a\":\"5\",\"b\":\"6\",\"r\":\"7;8\"}" },
        { "{'q':'8','m_b':'6','p':'7','m_a':'5'}", "{\"a\":\"5\",\"b\":\"6\",\"r\":\"7;8\"}" },
        { "{'m_c':'1','m_z':'2','q':'4'}", "{\"c\":\"1\",\"r\":\";4\"}" },
        { "{'m_c':'1','c':'2','q':'4'}", "{\"c\":\"1\",\"r\":\";4\"}" },
        { "{}", "{\"r\":\";\"}" },
    };
    for (size_t i = 0; i < 4 * COUNT(t); i++) {
        AUTO_BUF got;
        buf_init(&got, KIB);
        fill(&x, t[i % COUNT(t)].in);
        is_int(relabel_run(set, &x.lb, NULL), RELABEL_KEEP, "kept");
        render(&x, &got);
        is_span(buf_span(&got), span_of(t[i % COUNT(t)].want), "round %zu", i);
        strpool_sweep(&x.pool);
    }
    relabel_free(&set);
    label_builder_fini(&x.lb); /* what it remembers has pins, too */
    strpool_sweep(&x.pool);
    is_int(x.pool.table.n, 0, "no name stays pinned");
    teardown(&x);
}

/* Values joined from many or long labels live as long as the arena. */
static void test_long_values(void)
{
    struct fixture x;
    setup(&x);
    AUTO(relabel)
    set = relabel_compile(
        json(&x,
             "[{'source_labels':['a','b'],'regex':'(.*);(.*)','target_label':'c','replacement':'$2'"
             "},"
             "{'source_labels':['b','c'],'separator':'','target_label':'d','action':'uppercase'},"
             "{'source_labels':['a','b'],'target_label':'e'}]"),
        NAME_UTF8, true, NULL, &x.faults);
    for (size_t size = 1; size < 4000; size = size * 3 + 1) {
        char *text = mem_alloc(size);
        memset(text, 'x', size);
        label_builder_clear(&x.lb);
        label_builder_set(&x.lb, strpool_intern(&x.pool, SPAN_LIT("a")), SPAN_LIT("y"));
        label_builder_set(&x.lb, strpool_intern(&x.pool, SPAN_LIT("b")), span_make(text, size));
        (void)relabel_run(set, &x.lb, NULL);
        is_span(label_builder_get(&x.lb, strpool_intern(&x.pool, SPAN_LIT("c"))),
                span_make(text, size), "a group");
        struct span d = label_builder_get(&x.lb, strpool_intern(&x.pool, SPAN_LIT("d")));
        ok(d.len == 2 * size && d.p[0] == 'X' && d.p[d.len - 1] == 'X', "upper case of %zu", d.len);
        struct span e = label_builder_get(&x.lb, strpool_intern(&x.pool, SPAN_LIT("e")));
        ok(e.len == size + 2 && e.p[1] == ';' && e.p[2] == 'x', "all of %zu", e.len);
        mem_free(text);
    }
    relabel_free(&set);
    teardown(&x);
}

/* What a rule that changed nothing says of itself, and that it stays nothing. */
static void test_idle(void)
{
    static const struct {
        const char *rule, *want;
    } t[] = {
        { "{'source_labels':['a'],'regex':'y','target_label':'b'}", "did not match" },
        { "{'source_labels':['a'],'regex':'(x)','target_label':'b','replacement':'${1}2'}",
          "matched, same value" },
        { "{'source_labels':['a'],'target_label':'a'}", "matched, same value" },
        { "{'source_labels':['none'],'target_label':'n'}", "matched, same value" },
        { "{'source_labels':['a'],'regex':'(y)?.*','target_label':'${1}'}",
          "matched, but the name is not one of a label" },
        { "{'source_labels':['a'],'regex':'x','action':'keep'}", "matched" },
        { "{'source_labels':['a'],'regex':'y','action':'drop'}", "did not match" },
        { "{'source_labels':['a'],'target_label':'c','action':'keepequal'}", "equal" },
        { "{'source_labels':['a'],'target_label':'b','action':'dropequal'}", "not equal" },
        { "{'regex':'z(.*)','action':'labelmap'}", "no label name matched" },
        { "{'regex':'(a|c)','replacement':'c','action':'labelmap'}", "matched, same value" },
        { "{'regex':'z','action':'labeldrop'}", "no label name matched" },
        { "{'regex':'.','action':'labelkeep'}", "every label name matched" },
        { "{'source_labels':['a'],'target_label':'a','action':'lowercase'}", "same value" },
        { "{'source_labels':['b'],'target_label':'b','action':'uppercase'}", "same value" },
        { "{'source_labels':['a'],'target_label':'m','modulus':1,'action':'hashmod'}",
          "same value" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct fixture x;
        AUTO_BUF before, after;
        setup(&x);
        buf_init(&before, KIB);
        buf_init(&after, KIB);
        AUTO_STR rules = mem_printf("[%s]", t[i].rule);
        AUTO(relabel)
        set = relabel_compile(json(&x, rules), NAME_UTF8, true, NULL, &x.faults);
        fill(&x, "{'a':'x','b':'X2','c':'x','m':'0'}");
        if (strstr(t[i].rule, "${1}2") != NULL) {
            label_builder_set(&x.lb, strpool_intern(&x.pool, SPAN_LIT("b")), SPAN_LIT("x2"));
        }
        render(&x, &before);
        is_int(relabel_run_one(set, 0, &x.lb), RELABEL_KEEP, "%s: kept", t[i].rule);
        size_t bytes = x.lb.produced_bytes;
        is_str(relabel_idle(set, 0, &x.lb), t[i].want, "%s", t[i].rule);
        is_int(x.lb.produced_bytes, bytes, "to ask costs nothing");
        render(&x, &after);
        is_span(buf_span(&after), buf_span(&before), "%s: as it was", t[i].rule);
        relabel_free(&set);
        teardown(&x);
    }
}

static void test_mentions(void)
{
    struct fixture x;

    setup(&x);
    AUTO(relabel)
    set = relabel_compile(json(&x, "[{'source_labels':['a','b'],'target_label':'c'},"
                                   "{'source_labels':['d'],'target_label':'${1}e'}]"),
                          NAME_UTF8, true, NULL, &x.faults);
    for (const char *name = "abcde"; *name != '\0'; name++) {
        const struct str *str = strpool_intern(&x.pool, span_make(name, 1));
        is_int(relabel_mentions(set, str), *name != 'e', "%c", *name);
        ok(!relabel_mentions(NULL, str), "no rules mention nothing");
    }
    relabel_free(&set);
    teardown(&x);
}

static unsigned pick(unsigned n)
{
    static uint64_t x = 11;

    x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(x >> 33) % n;
}

static void fill_randomly(struct fixture *x, struct label_builder *lb, unsigned names,
                          uint64_t values)
{
    label_builder_clear(lb);
    for (unsigned i = 0; i < 12; i++) {
        char name[16], value[2] = { (char)('a' + (values >> i & 1)), '\0' };
        snprintf(name, sizeof(name), "%s%u", i % 3 == 0 ? "m_" : i % 3 == 1 ? "p_" : "", i / 3);
        if ((names >> i & 1) != 0) {
            label_builder_set(lb, strpool_intern(&x->pool, span_of(name)),
                              arena_span(&x->arena, span_of(value)));
        }
    }
}

static void random_rules(struct buf *out)
{
    static const char *const rules[] = {
        "{'action':'labelmap','regex':'m_(.+)'}",
        "{'action':'labelmap','regex':'p_(.)','replacement':'m_$1'}",
        "{'action':'labelmap','regex':'.*','replacement':'all'}",
        "{'action':'labeldrop','regex':'m_.|p_1'}",
        "{'action':'labeldrop','regex':'(0|1|2)'}",
        "{'action':'labelkeep','regex':'[mp]_.*|0|3'}",
        "{'source_labels':['0','p_1'],'target_label':'t'}",
        "{'source_labels':['1'],'regex':'a','replacement':'','target_label':'m_1'}",
        "{'source_labels':['2'],'regex':'(b)','target_label':'n_$1'}",
        "{'action':'drop','source_labels':['m_2'],'regex':'b'}",
        "{'action':'keepequal','source_labels':['m_0'],'target_label':'p_0'}",
        "{'action':'uppercase','source_labels':['p_3'],'target_label':'p_3'}",
    };

    buf_add_char(out, '[');
    for (unsigned n = 1 + pick(6), i = 0; i < n; i++) {
        buf_addf(out, "%s%s", i == 0 ? "" : ",", rules[pick(COUNT(rules))]);
    }
    buf_add_char(out, ']');
}

/* What was learnt of earlier targets, with these rules or others, never changes an answer. */
static void test_alternating_shapes(void)
{
    struct fixture x;
    size_t n_wrong = 0, n_kept = 0;

    setup(&x);
    for (unsigned round = 0; round < 60; round++) {
        AUTO_BUF text;
        buf_init(&text, 4 * KIB);
        random_rules(&text);
        AUTO(relabel) set = relabel_compile(json(&x, text.p), NAME_UTF8, true, NULL, &x.faults);
        for (unsigned i = 0; set != NULL && i < 100; i++) {
            AUTO_BUF got, want;
            struct label_builder fresh;
            AUTO(relabel)
            same = relabel_compile(json(&x, text.p), NAME_UTF8, true, NULL, &x.faults);
            unsigned names = pick(4) == 0 ? pick(4096) : 0xa5cU >> pick(4);
            uint64_t values = pick(4096);
            buf_init(&got, KIB);
            buf_init(&want, KIB);
            label_builder_init(&fresh, &x.pool, &x.arena);
            fill_randomly(&x, &x.lb, names, values);
            fill_randomly(&x, &fresh, names, values);
            bool is_kept = relabel_run(set, &x.lb, NULL) == RELABEL_KEEP;
            bool is_same = (relabel_run(same, &fresh, NULL) == RELABEL_KEEP) == is_kept;
            is_same &=
                labels_identity(&x.lb, span_of("j")) == labels_identity(&fresh, span_of("j"));
            render(&x, &got);
            struct label_builder long_lived = x.lb;
            x.lb = fresh;
            render(&x, &want);
            fresh = x.lb;
            x.lb = long_lived;
            n_wrong += is_same && span_eq(buf_span(&got), buf_span(&want)) ? 0 : 1;
            n_kept += is_kept ? 1 : 0;
            label_builder_fini(&fresh);
        }
    }
    is_int(n_wrong, 0, "a builder that has seen others says what a new one says");
    ok(n_kept > 600 && n_kept < 6000, "%zu of 6000 are kept", n_kept);
    ok(x.lb.memory.table.n > 100, "%zu facts are remembered", x.lb.memory.table.n);
    teardown(&x);
}

int main(void)
{
    test_idle();
    test_mentions();
    test_runs();
    test_faults();
    test_templates_as_names();
    test_every_fault();
    test_no_rules();
    test_dropping_rule();
    test_describe();
    test_caps();
    test_changing_shapes();
    test_long_values();
    test_alternating_shapes();
    return check_done();
}

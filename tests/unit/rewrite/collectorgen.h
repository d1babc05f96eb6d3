/* Collectors made up from a seed, in many of the ways in which people and programs write YAML: for
 * tests of what must hold for every manifest. Lines of discovery sections bear the word "sdmark" or
 * a section's key, so that a test can tell them. */
#ifndef OTEL_TA_TESTS_UNIT_REWRITE_COLLECTORGEN_H
#define OTEL_TA_TESTS_UNIT_REWRITE_COLLECTORGEN_H

#include "allocator/base/buf.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"

#include <stdint.h>

struct gen {
    uint64_t state;
    unsigned job;
    bool has_flow; /* what changes shares lines with what does not */
};

static unsigned gen_below(struct gen *g, unsigned n)
{
    g->state ^= g->state << 13;
    g->state ^= g->state >> 7;
    g->state ^= g->state << 17;
    return (unsigned)((g->state * 0x2545f4914f6cdd1dULL) >> 33) % n;
}

static bool gen_chance(struct gen *g, unsigned percent)
{
    return gen_below(g, 100) < percent;
}

#define gen_pick(g, list) ((list)[gen_below((g), (unsigned)COUNT(list))])

static void gen_indent(struct buf *out, unsigned n)
{
    buf_addf(out, "%*s", (int)n, "");
}

static void gen_eol(struct gen *g, struct buf *out)
{
    static const char *const tails[] = { " # remark", "   ", " # with 'quotes' \"and\" more: {x}",
                                         "\t# tab", " # é ☃ 𝄞" };

    if (gen_chance(g, 12)) {
        buf_add_str(out, gen_pick(g, tails));
    }
    buf_add_char(out, '\n');
}

/* Blank lines and comments between members; none that could end up inside of a discovery section.
 */
static void gen_noise(struct gen *g, struct buf *out, unsigned indent)
{
    if (gen_chance(g, 8)) {
        buf_add_char(out, '\n');
    }
    if (gen_chance(g, 8)) {
        gen_indent(out, gen_chance(g, 70) ? indent : 0);
        buf_add_str(out, "# note: keep me [as] {i: am}\n");
    }
}

static void gen_flow_section(struct gen *g, const char *key, struct buf *out)
{
    if (strcmp(key, "static_configs") == 0) {
        static const char *const values[] = {
            "[{targets: [\"sdmark:1\", 'sdmark:2']}]",
            "[{targets: [sdmark], labels: {a: \"1\", b: '2'}}, {targets: ['sdmark2']}]",
            "[ { targets: [ 'sdmark:9100' ] } ]",
            "[{\"targets\":[\"sdmark\\u00e9:1\"],\"labels\":{\"x\":\"y,{}\"}}]",
        };
        buf_add_str(out, gen_pick(g, values));
    } else if (strcmp(key, "file_sd_configs") == 0) {
        buf_add_str(out, "[{files: [/etc/sdmark/*.json]}]");
    } else if (strcmp(key, "http_sd_configs") == 0) {
        buf_add_str(out, "[{url: 'http://sdmark.example/sd'}]");
    } else {
        buf_add_str(out, "[{names: [sdmark.example], type: A, port: 80}]");
    }
}

static void gen_block_section(struct gen *g, const char *key, unsigned column, struct buf *out)
{
    unsigned dash = column + (gen_chance(g, 50) ? 2 : 0);

    gen_indent(out, dash);
    if (strcmp(key, "static_configs") == 0) {
        bool is_wide = gen_chance(g, 30);
        buf_add_str(out, is_wide ? "-   targets: # sdmark\n" : "- targets: # sdmark\n");
        unsigned inner = dash + (is_wide ? 4 : 2);
        for (unsigned i = 0, n = 1 + gen_below(g, 3); i < n; i++) {
            gen_indent(out, inner + 2);
            buf_addf(out, "- %ssdmark%u:9100%s\n", i == 0 ? "'" : "", i, i == 0 ? "'" : "");
        }
        if (gen_chance(g, 50)) {
            gen_indent(out, inner);
            buf_add_str(out, "labels: {team: sdmark}\n");
        }
        if (gen_chance(g, 20)) {
            gen_indent(out, dash);
            buf_add_str(out, "- targets: [sdmark-é]\n");
        }
    } else if (strcmp(key, "file_sd_configs") == 0) {
        buf_add_str(out, "- files: ['/etc/sdmark/*.json']\n");
    } else if (strcmp(key, "http_sd_configs") == 0) {
        buf_add_str(out, "- url: \"http://sdmark.example/sd?a=b&c\"\n");
    } else {
        buf_add_str(out, "- names: [sdmark.example]\n");
        gen_indent(out, dash + 2);
        buf_add_str(out, "type: A # sdmark\n");
        gen_indent(out, dash + 2);
        buf_add_str(out, "port: 80 # sdmark\n");
    }
}

static const char *const gen_sections[] = { "static_configs", "file_sd_configs", "dns_sd_configs",
                                            "http_sd_configs" };

static void gen_member(struct gen *g, unsigned kind, unsigned column, struct buf *out)
{
    static const char *const plain[] = { "scrape_interval: 10s", "honor_labels: true",
                                         "metrics_path: '/m etrics'", "scheme: \"http\"" };
    static const char *const blocks[] = { "relabel_configs:", "metric_relabel_configs:",
                                          "params:" };

    if (kind < COUNT(plain)) {
        buf_add_str(out, plain[kind]);
        gen_eol(g, out);
        return;
    }
    const char *key = blocks[(kind - COUNT(plain)) % COUNT(blocks)];
    buf_add_str(out, key);
    gen_eol(g, out);
    gen_indent(out, column + 2);
    buf_add_str(out, key[0] == 'p' ? "module: [a, 'b c']"
                                   : "- {action: labeldrop, regex: (id|name), replacement: $$1}");
    gen_eol(g, out);
}

/* A block job; the first member stands after the dash. */
static void gen_block_job(struct gen *g, unsigned dash, struct buf *out)
{
    static const struct {
        const char *before, *after;
    } names[] = { { "job-", "" },     { "'job ", "'" },      { "\"job/", "?é\"" }, { "j", ".☃" },
                  { "'it''s ", "'" }, { "'$$", "$$$${x}'" }, { "a$$$$", "$" } };
    unsigned column = dash + 2, kinds = gen_below(g, 128), n_sections = 1 + gen_below(g, 3),
             from = gen_below(g, 4);
    unsigned name_at = gen_below(g, 3), sections_at = gen_below(g, 8), at = 0;

    for (unsigned kind = 0; kind < 9; kind++) {
        bool is_name = kind == name_at;
        if (!is_name && kind != sections_at && (kinds >> kind & 1) == 0) {
            continue;
        }
        if (at++ == 0) {
            gen_indent(out, dash);
            buf_add_str(out, "- ");
        } else {
            gen_noise(g, out, column);
            gen_indent(out, column);
        }
        if (is_name) {
            unsigned form = gen_below(g, COUNT(names));
            buf_addf(out, "job_name: %s%u%s", names[form].before, g->job++, names[form].after);
            gen_eol(g, out);
        } else if (kind == sections_at) {
            for (unsigned i = 0; i < n_sections; i++) {
                const char *key = gen_sections[(from + i) % COUNT(gen_sections)];
                if (i > 0) {
                    gen_indent(out, column);
                }
                buf_addf(out, "%s:", key);
                if (gen_chance(g, 40)) {
                    buf_add_char(out, ' ');
                    gen_flow_section(g, key, out);
                    buf_add_char(out, '\n');
                } else {
                    buf_add_str(out, gen_chance(g, 20) ? " # sdmark\n" : "\n");
                    gen_block_section(g, key, column, out);
                }
            }
        } else {
            gen_member(g, kind, column, out);
        }
    }
    if (sections_at == name_at) {
        gen_indent(out, column);
        buf_add_str(out, "static_configs: [{targets: [sdmark]}]\n");
    }
}

static void gen_flow_job(struct gen *g, unsigned dash, struct buf *out)
{
    const char *key = gen_pick(g, gen_sections), *second = gen_pick(g, gen_sections);

    g->has_flow = true;
    gen_indent(out, dash);
    if (gen_chance(g, 50)) {
        buf_addf(out, "- {%s: ", key);
        gen_flow_section(g, key, out);
        buf_addf(out, ", job_name: flow-%u", g->job++);
    } else {
        buf_addf(out, "- { job_name: flow-%u, honor_labels: true, # a, b\n", g->job++);
        gen_indent(out, dash + 2);
        buf_addf(out, "%s: ", key);
        gen_flow_section(g, key, out);
    }
    if (second != key) {
        buf_addf(out, ", %s: ", second);
        gen_flow_section(g, second, out);
    }
    buf_add_str(out, gen_chance(g, 30) ? ", }\n" : "}\n");
}

static void gen_receiver(struct gen *g, const char *name, struct buf *out)
{
    unsigned dash = gen_chance(g, 50) ? 6 : 8;

    buf_addf(out, "  %s:\n", name);
    if (gen_chance(g, 20)) {
        buf_add_str(out, "    use_start_time_metric: true # x\n");
    }
    buf_add_str(out, "    config:\n");
    if (gen_chance(g, 20)) {
        buf_add_str(out, "      global: {scrape_interval: 30s}\n");
    }
    buf_add_str(out, "      scrape_configs:");
    gen_eol(g, out);
    for (unsigned i = 0, n = 1 + gen_below(g, 4); i < n; i++) {
        gen_noise(g, out, dash);
        if (gen_chance(g, 20)) {
            gen_flow_job(g, dash, out);
        } else {
            gen_block_job(g, dash, out);
        }
    }
}

static void gen_config(struct gen *g, struct buf *out)
{
    bool is_last = gen_chance(g, 30);

    if (gen_chance(g, 30)) {
        buf_add_str(out, "# the configuration\n");
    }
    if (!is_last) {
        buf_add_str(out, "exporters:\n  # NOTE: `debug`\n  debug:\n");
    }
    buf_add_str(out, "receivers:\n");
    gen_receiver(g, "prometheus", out);
    if (gen_chance(g, 20)) {
        gen_receiver(g, "prometheus/2", out);
    }
    if (!is_last) {
        buf_add_str(out, "  otlp: {protocols: {grpc: {}}}\nservice:\n  pipelines:\n    metrics:\n  "
                         "    receivers: [prometheus]\n");
    }
}

/* The same on one line: what can stand in quotes that fold lines. */
static void gen_flow_config(struct gen *g, struct buf *out)
{
    buf_add_str(out, "{receivers: {prometheus: {config: {scrape_configs: [");
    for (unsigned i = 0, n = 1 + gen_below(g, 4); i < n; i++) {
        const char *key = gen_pick(g, gen_sections), *second = gen_pick(g, gen_sections);
        buf_add_str(out, i > 0 ? ", {" : "{");
        if (gen_chance(g, 50)) {
            buf_addf(out, "job_name: 'it''s %u', honor_labels: true, ", g->job++);
        } else {
            buf_addf(out, "\"job_name\":\"flow %u\",", g->job++);
        }
        buf_addf(out, "%s: ", key);
        gen_flow_section(g, key, out);
        if (second != key) {
            buf_addf(out, ", %s: ", second);
            gen_flow_section(g, second, out);
        }
        buf_add_str(out, gen_chance(g, 50) ? ", scheme: http}" : "}");
    }
    buf_add_str(
        out,
        "]}}}, exporters: {debug: }, service: {pipelines: {metrics: {receivers: [prometheus]}}}}");
}

enum gen_form { GEN_OBJECT, GEN_LITERAL, GEN_DOUBLE, GEN_DOUBLE_FOLDED, GEN_SINGLE, GEN_FORMS };

static void gen_double(struct gen *g, struct span text, bool is_folded, struct buf *out)
{
    unsigned width = 0;

    buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if (is_folded && width > 70 && c == ' ' && i > 0 && text.p[i - 1] != ' ' &&
            i + 1 < text.len && text.p[i + 1] != '\n') {
            buf_add_str(out, "\n    ");
            buf_add_str(out, text.p[i + 1] == ' ' || text.p[i + 1] == '\t' ? "\\" : "");
            width = 0;
            continue;
        }
        if (is_folded && c == '\n' && width > 60 && gen_chance(g, 30)) {
            buf_add_str(out, "\\n\\\n    ");
            buf_add_str(out, i + 1 < text.len && (text.p[i + 1] == ' ' || text.p[i + 1] == '\t')
                                 ? "\\"
                                 : "");
            width = 0;
            continue;
        }
        width++;
        if (c == '\n') {
            buf_add_str(out, "\\n");
        } else if (c == '\t') {
            buf_add_str(out, "\\t");
        } else if (c == '"' || c == '\\') {
            buf_add_char(out, '\\');
            buf_add_char(out, c);
        } else {
            buf_add_char(out, c);
        }
    }
    buf_add_str(out, "\"\n");
}

static void gen_single(struct gen *g, struct span text, struct buf *out)
{
    buf_add_char(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == ' ' && gen_chance(g, 5)) {
            buf_add_str(out, gen_chance(g, 50) ? "\n    " : "  \n\t  ");
            continue;
        }
        buf_add_char(out, text.p[i]);
        buf_add_str(out, text.p[i] == '\'' ? "'" : "");
    }
    buf_add_str(out, "'\n");
}

static void gen_indented(struct span text, unsigned indent, struct buf *out)
{
    for (size_t i = 0; i < text.len;) {
        const char *nl = memchr(text.p + i, '\n', text.len - i);
        size_t end = nl == NULL ? text.len : (size_t)(nl - text.p) + 1;
        if (end - i > 1) {
            gen_indent(out, indent);
        }
        buf_add(out, text.p + i, end - i);
        i = end;
    }
}

static void gen_metadata(struct gen *g, struct buf *out)
{
    static const char *const annotations[] = {
        "",
        "",
        "",
        "  annotations:\n    a/b: \"c\" # keep\n    z: |\n      text\n",
        "  annotations: {}\n",
        "  annotations: {a: b, \"c\": 'd'}\n",
        "  annotations:\n",
        "  annotations: # none\n",
        "  annotations: null\n",
    };

    if (gen_chance(g, 10)) {
        g->has_flow = true;
        buf_addf(out, "metadata: {%sname: made-%u}\n",
                 gen_chance(g, 50) ? "annotations: { }, " : "", gen_below(g, 100));
        return;
    }
    const char *text = gen_pick(g, annotations);
    buf_add_str(out, "metadata:");
    gen_eol(g, out);
    if (gen_chance(g, 50)) {
        buf_add_str(out, text);
        text = "";
    }
    buf_addf(out, "  name: made-%u\n", gen_below(g, 100));
    buf_add_str(out, text);
    if (gen_chance(g, 30)) {
        buf_add_str(out, "  labels: {app: x}\n");
    }
}

/* One Collector in 'form', as a document of its own. */
static void gen_collector(struct gen *g, enum gen_form form, struct buf *out)
{
    AUTO_BUF config;
    bool is_spec_last = gen_chance(g, 70);

    g->has_flow = false;
    buf_init(&config, MIB);
    if (form == GEN_SINGLE) {
        gen_flow_config(g, &config);
    } else {
        gen_config(g, &config);
    }
    buf_addf(out, "apiVersion: opentelemetry.io/%s\nkind: OpenTelemetryCollector\n",
             form == GEN_OBJECT ? "v1beta1" : "v1alpha1");
    if (is_spec_last) {
        gen_metadata(g, out);
    }
    buf_add_str(out,
                "spec:\n  mode: statefulset\n  targetAllocator:\n    enabled: true\n  config:");
    switch (form) {
    case GEN_OBJECT:
        gen_eol(g, out);
        gen_indented(buf_span(&config), 4, out);
        break;
    case GEN_LITERAL:
        buf_addf(out, " |%s%s\n",
                 gen_chance(g, 20)   ? "-"
                 : gen_chance(g, 10) ? "+"
                                     : "",
                 gen_chance(g, 20) ? " # text" : "");
        gen_indented(buf_span(&config), gen_chance(g, 50) ? 4 : 8, out);
        break;
    case GEN_DOUBLE:
    case GEN_DOUBLE_FOLDED:
        buf_add_char(out, ' ');
        gen_double(g, buf_span(&config), form == GEN_DOUBLE_FOLDED, out);
        break;
    case GEN_SINGLE:
    case GEN_FORMS:
        buf_add_char(out, ' ');
        gen_single(g, buf_span(&config), out);
        break;
    }
    if (!is_spec_last) {
        gen_metadata(g, out);
    }
    if (gen_chance(g, 10)) {
        buf_add_str(out, "# the end\n");
    }
    if (gen_chance(g, 5)) {
        buf_add_str(out, "...\n");
    }
}

static void gen_crlf(struct buf *text)
{
    AUTO_BUF crlf;

    buf_init(&crlf, 2 * MIB);
    for (size_t i = 0; i < text->len; i++) {
        if (text->p[i] == '\n') {
            buf_add_char(&crlf, '\r');
        }
        buf_add_char(&crlf, text->p[i]);
    }
    buf_clear(text);
    buf_add_span(text, buf_span(&crlf));
}

#endif

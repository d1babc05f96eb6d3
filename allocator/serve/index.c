#include "allocator/serve/index.h"

#include "allocator/base/limits.h"
#include "allocator/codec/urlform.h"

#define MAX_ITEMS 1000 /* of a list */

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>otel-ta</title>"
    "<meta name=\"viewport\" content=\"width=device-width\"><style>"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
    "h2{font-size:1.1em;margin:1.5em 0 .3em}ul{margin:0;padding-left:1.2em}"
    "li{overflow-wrap:anywhere}small{color:#666}code{background:#eee;padding:0 .2em}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}a{color:#8bf}"
    "code{background:#333}}</style></head><body>\n";

struct sheet { /* a page while it is written */
    struct buf out;
    bool is_html;
};

void index_add_html(struct buf *out, struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        switch (s.p[i]) {
        case '&':
            buf_add_str(out, "&amp;");
            break;
        case '<':
            buf_add_str(out, "&lt;");
            break;
        case '>':
            buf_add_str(out, "&gt;");
            break;
        case '"':
            buf_add_str(out, "&#34;");
            break;
        case '\'':
            buf_add_str(out, "&#39;");
            break;
        default:
            buf_add_char(out, s.p[i]);
        }
    }
}

static void add_text(struct sheet *p, struct span s)
{
    AUTO_BUF visible;

    buf_init(&visible, 8 * s.len + 1);
    buf_add_visible(&visible, s);
    if (p->is_html) {
        index_add_html(&p->out, buf_span(&visible));
    } else {
        buf_add_span(&p->out, buf_span(&visible));
    }
}

static void title(struct sheet *p, const char *text)
{
    buf_addf(&p->out, p->is_html ? "<h2>%s</h2>\n<ul>\n" : "\n%s\n", text);
}

static void end_list(struct sheet *p)
{
    buf_add_str(&p->out, p->is_html ? "</ul>\n" : "");
}

/* One line of a list: a path and what is there. 'note' is said after it; may be empty. */
static void item(struct sheet *p, struct span path, struct span name, struct span note)
{
    if (p->is_html) {
        buf_add_str(&p->out, "<li><a href=\"");
        index_add_html(&p->out, path);
        buf_add_str(&p->out, "\">");
        add_text(p, name);
        buf_add_str(&p->out, "</a> <small>");
        add_text(p, note);
        buf_add_str(&p->out, "</small></li>\n");
        return;
    }
    buf_add_str(&p->out, "  ");
    add_text(p, path);
    buf_add_str(&p->out, note.len > 0 ? "   " : "");
    add_text(p, note);
    buf_add_char(&p->out, '\n');
}

static void route(struct sheet *p, struct span prefix, const char *path, const char *note)
{
    AUTO_BUF whole;

    buf_init(&whole, MIB);
    buf_add_span(&whole, prefix);
    buf_add_str(&whole, path);
    item(p, buf_span(&whole), buf_span(&whole), span_of(note));
}

static void and_more(struct sheet *p, size_t n)
{
    if (n > MAX_ITEMS) {
        buf_addf(&p->out, p->is_html ? "<li>and %zu more</li>\n" : "  and %zu more\n",
                 n - MAX_ITEMS);
    }
}

/* ---- Collectors */

static bool is_of(const struct request *r, struct span ns, size_t tenant)
{
    struct span own = directory_tenant_name(r->snapshot->directory, tenant).ns;
    return ns.len == 0 || span_eq(own, ns) || (own.len == 0 && span_is(ns, "-"));
}

static void add_tenant(struct sheet *p, const struct directory *d, size_t i)
{
    struct directory_name t = directory_tenant_name(d, i);
    struct span fault = directory_tenant_fault(d, i);
    AUTO_BUF path, name;

    buf_init(&path, MIB);
    buf_init(&name, MIB);
    if (t.name.len == 0) { /* the one of drop-in mode */
        item(p, SPAN_LIT("/jobs"), SPAN_LIT("all jobs"), SPAN_LIT(""));
        return;
    }
    directory_add_path(d, i, &path);
    buf_add_char(&path, '/');
    buf_add_span(&name, t.ns);
    buf_add_str(&name, t.ns.len > 0 ? "/" : "");
    buf_add_span(&name, t.name);
    item(p, buf_span(&path), buf_span(&name),
         fault.len > 0 ? SPAN_LIT("not served: its configuration has a fault") : SPAN_LIT(""));
}

/* False when there is none. */
static bool add_tenants(struct sheet *p, const struct request *r, struct span ns)
{
    const struct directory *d = r->snapshot->directory;
    size_t n = 0;

    for (size_t i = 0; i < directory_n_tenants(d); i++) {
        if (is_of(r, ns, i) && n++ < MAX_ITEMS) {
            if (n == 1) {
                title(p, "Collectors");
            }
            add_tenant(p, d, i);
        }
    }
    and_more(p, n);
    if (n > 0) {
        end_list(p);
    }
    return n > 0;
}

/* ---- jobs */

static void add_job(struct sheet *p, const struct request *r, size_t job, struct span prefix)
{
    const struct directory *d = r->snapshot->directory;
    const struct page_row *row = r->snapshot->rows[job];
    struct directory_name j = directory_job_name(d, job);
    AUTO_BUF path;
    char note[64];

    buf_init(&path, MIB);
    buf_add_span(&path, prefix);
    buf_add_str(&path, "/jobs/");
    buf_add_span(&path, j.escaped);
    buf_add_str(&path, "/targets");
    if (j.receiver.len > 0) {
        buf_add_str(&path, "?receiver=");
        urlform_escape(j.receiver, &path);
    }
    (void)snprintf(note, sizeof(note), "%zu targets", row == NULL ? 0 : row->n_targets);
    item(p, buf_span(&path), j.name,
         directory_job_fault(d, job).len > 0 ? SPAN_LIT("not served: its configuration has a fault")
         : row == NULL                       ? SPAN_LIT("no first answer yet")
                                             : span_of(note));
}

static void add_jobs(struct sheet *p, const struct request *r, size_t tenant, struct span prefix)
{
    size_t n = 0;

    title(p, "Jobs");
    for (size_t i = 0; i < r->snapshot->n_jobs; i++) {
        if (directory_job_tenant(r->snapshot->directory, i) == tenant && n++ < MAX_ITEMS) {
            add_job(p, r, i, prefix);
        }
    }
    and_more(p, n);
    end_list(p);
}

/* ---- whole */

static void add_counts(struct sheet *p, const struct request *r)
{
    const struct directory *d = r->snapshot->directory;
    size_t n_jobs = 0, n_targets = 0, n_collectors = 0;

    for (size_t i = 0; i < r->snapshot->n_jobs; i++) {
        if (r->tenant == DIRECTORY_ANY || r->tenant == directory_job_tenant(d, i)) {
            n_jobs++;
            n_targets += r->snapshot->rows[i] == NULL ? 0 : r->snapshot->rows[i]->n_targets;
        }
    }
    for (size_t t = 0; t < directory_n_tenants(d); t++) {
        size_t n = 0;
        directory_collectors(d, t, &n);
        n_collectors += r->tenant == DIRECTORY_ANY || r->tenant == t ? n : 0;
    }
    buf_addf(&p->out,
             p->is_html ? "<p>%zu jobs, %zu collectors, %zu targets</p>\n"
                        : "\njobs        %zu\ncollectors  %zu\ntargets     %zu\n",
             n_jobs, n_collectors, n_targets);
}

/* The Collector that the page is about: the one of the path, or the only one. */
static size_t tenant_of(const struct request *r)
{
    return r->tenant != DIRECTORY_ANY                         ? r->tenant
           : directory_n_tenants(r->snapshot->directory) == 1 ? 0
                                                              : DIRECTORY_ANY;
}

static void add_overview(struct sheet *p, const struct request *r)
{
    const struct directory *d = r->snapshot->directory;
    size_t tenant = tenant_of(r);
    AUTO_BUF prefix;

    buf_init(&prefix, MIB);
    if (r->tenant != DIRECTORY_ANY) {
        directory_add_path(d, r->tenant, &prefix);
    }
    add_counts(p, r);
    if (tenant == DIRECTORY_ANY) {
        (void)add_tenants(p, r, SPAN_LIT(""));
    } else {
        add_jobs(p, r, tenant, buf_span(&prefix));
        title(p, "Lists");
        route(p, buf_span(&prefix), "/jobs", "every job, as JSON");
        route(p, buf_span(&prefix), "/scrape_configs", "how to scrape each job");
        end_list(p);
    }
}

static void add_words(struct sheet *p)
{
    title(p, "This process");
    route(p, SPAN_LIT(""), "/n/", "all Collectors");
    route(p, SPAN_LIT(""), "/readyz?verbose", "whether it is ready, and what is missing");
    route(p, SPAN_LIT(""), "/metrics", "");
    route(p, SPAN_LIT(""), "/livez", "");
    end_list(p);
    title(p, "How to ask");
    const char *const code[] = { p->is_html ? "<li><code>" : "  ",
                                 p->is_html ? "</code> <small>" : "   ",
                                 p->is_html ? "</small></li>\n" : "\n" };
    buf_addf(&p->out, "%s/jobs/{job}/targets%sits targets, by collector%s", code[0], code[1],
             code[2]);
    buf_addf(&p->out, "%s/jobs/{job}/targets?collector_id={name}%sits targets for one collector%s",
             code[0], code[1], code[2]);
    buf_addf(&p->out,
             "%s/n/{namespace}/{collector}/…%sof one of several Collectors; '-' is no namespace%s",
             code[0], code[1], code[2]);
    end_list(p);
}

static bool wants_html(const struct request *r)
{
    struct span accept = exchange_header(r->x, "Accept");
    return accept.len > 0 && memmem(accept.p, accept.len, "text/html", 9) != NULL;
}

static void reply(struct request *r, struct sheet *p, int status)
{
    exchange_add_header(r->x, "Vary", SPAN_LIT("Accept"));
    if (p->is_html) {
        exchange_add_header(r->x, "Content-Security-Policy",
                            SPAN_LIT("default-src 'none'; style-src 'unsafe-inline'"));
        buf_add_str(&p->out, "</body></html>\n");
    }
    exchange_reply(r->x, status,
                   p->is_html ? "text/html; charset=utf-8" : "text/plain; charset=utf-8",
                   buf_span(&p->out));
    buf_fini(&p->out);
}

void index_answer(struct request *r, bool is_list)
{
    struct sheet p = { .is_html = wants_html(r) };
    struct span ns = { "", 0 };
    int status = 200;

    buf_init(&p.out, 16 * MIB);
    buf_add_str(&p.out, p.is_html ? head : "");
    buf_add_str(&p.out, p.is_html ? "<h1><a href=\"/\">otel-ta</a> target allocator</h1>\n"
                                  : "otel-ta target allocator\n");
    if (r->snapshot != NULL && is_list) {
        bool is_known = request_decode(r, r->ns, &ns) && add_tenants(&p, r, ns);
        if (!is_known) {
            buf_add_str(&p.out, p.is_html ? "<p>no Collector</p>\n" : "\nno Collector\n");
            status = ns.len > 0 ? 404 : 200;
        }
    } else if (r->snapshot != NULL) {
        add_overview(&p, r);
    }
    add_words(&p);
    reply(r, &p, status);
}

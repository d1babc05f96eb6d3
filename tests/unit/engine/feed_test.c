#include "allocator/engine/feed.h"

#include "allocator/base/container.h"
#include "allocator/base/limits.h"
#include "allocator/discovery/want.h"
#include "tests/check.h"

#include <stdio.h>
#include <string.h>

#define CR(name, replicas, more)                                                                   \
    "---\napiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\nmetadata: "          \
    "{name: " name ", namespace: n}\nspec:\n  replicas: " replicas                                 \
    "\n  targetAllocator: {enabled: true}\n  config: {receivers: {prometheus: {config: "           \
    "{scrape_configs: [{job_name: j, file_sd_configs: [{files: [/f.json]}]}, " more "]}}}}\n"
#define K(target) "{job_name: k, static_configs: [{targets: [" target "]}]}"

#define BAD "{job_name: k, scrape_interval: x}"

static struct mailbox *box;

static void write_mail(const struct mail *mail, struct buf *out)
{
    if (mail->kind == ENGINE_TENANT) {
        const struct tenant_mail *m = CONTAINER_OF(mail, struct tenant_mail, mail);
        buf_addf(out, "%s/%s ", m->ns, m->name);
        if (m->tenant == NULL) {
            buf_add_str(out, "gone");
        } else {
            buf_addf(out, "has %zu jobs", m->tenant->jobs.n);
        }
    } else if (mail->kind == ENGINE_COLLECTORS) {
        const struct collectors_mail *m = CONTAINER_OF(mail, struct collectors_mail, mail);
        buf_addf(out, "%s/%s %zu collectors", m->ns, m->name, m->list.n);
    } else if (mail->kind == ENGINE_GAPS) {
        const struct gaps_mail *m = CONTAINER_OF(mail, struct gaps_mail, mail);
        buf_addf(out, "%zu gaps", m->gaps.n);
        vec_each(&m->gaps, gap) {
            buf_addf(out, " %s", gap->name == NULL ? gap->file : gap->name);
        }
    } else {
        buf_add_str(out, mail->kind == ENGINE_TENANTS_COMPLETE ? "complete" : "?");
    }
}

static void is_told(struct buf *got, const char *want)
{
    for (struct mail *mail = mailbox_drain(box), *next; mail != NULL; mail = next) {
        next = mail->next;
        buf_add_str(got, "; ");
        write_mail(mail, got);
        mail->dispose(mail);
    }
    buf_add_char(got, '\0');
    is_str(got->p, want, "what is told");
}

static void load(const char *text, struct tenants *out)
{
    const struct tenants_options sound = { .keeps_sound = true };
    struct tenants_source source = { .kind = TENANTS_MANIFEST,
                                     .path = (char *)(uintptr_t) "x.yaml",
                                     .text = (char *)(uintptr_t)text,
                                     .len = strlen(text) };
    struct faults faults;

    faults_init(&faults);
    is_int(tenants_load(&source, 1, &sound, &faults, out), 0, "manifests");
    faults_fini(&faults);
}

/* What the engine is told when the manifests are these, and how many tenants it is about. */
static void tells(struct feed *f, const char *text, const char *want)
{
    struct tenants tenants;
    AUTO_BUF got;

    buf_init(&got, MIB);
    load(text, &tenants);
    buf_addf(&got, "%zu", feed_tell(f, &tenants));
    is_int(tenants.n, 0, "moved");
    is_told(&got, want);
}

/* The same when only its collectors are others. */
static void tells_collectors(struct feed *f, const char *name, const char *names, const char *want)
{
    struct collectorlist list;
    AUTO_BUF got;

    buf_init(&got, MIB);
    collectorlist_init(&list);
    is_int(collectorlist_parse(&list, span_of(names), NULL), 0, "collectors");
    buf_addf(&got, "%d", feed_tell_collectors(f, SPAN_LIT("n"), span_of(name), &list));
    is_told(&got, want);
}

/* The same piece by piece: each tenant of 'text' is put, 'drop' is dropped. */
static void pieces(struct feed *f, const char *text, const char *drop, const char *want)
{
    struct tenants tenants;
    AUTO_BUF got;

    buf_init(&got, MIB);
    load(text, &tenants);
    for (size_t i = 0; i < tenants.n; i++) {
        buf_addf(&got, "%d", feed_put(f, &tenants.v[i]));
        ok(tenants.v[i] == NULL, "moved");
    }
    tenants.n = 0;
    if (drop != NULL) {
        buf_addf(&got, "%d", feed_drop(f, SPAN_LIT("n"), span_of(drop)));
    }
    (void)feed_put_gaps(f, &tenants.gaps);
    feed_complete(f);
    tenants_fini(&tenants);
    is_told(&got, want);
}

/* Whatever comes in whatever order, the feed knows what it told. */
static void test_pieces(void)
{
    struct feed f;

    feed_init(&f, box);
    pieces(&f, CR("m", "1", ""), NULL, "1; n/m 1 collectors; n/m has 1 jobs; complete");
    pieces(&f, CR("z", "1", "") CR("a", "1", ""), NULL,
           "11; n/z 1 collectors; n/z has 1 jobs; n/a 1 collectors; n/a has 1 jobs; complete");
    pieces(&f, CR("b", "1", "") CR("m", "1", "") CR("z", "1", ""), NULL,
           "100; n/b 1 collectors; n/b has 1 jobs; complete");
    pieces(&f, CR("m", "2", K("x")), NULL, "1; n/m 2 collectors; n/m has 2 jobs; complete");
    tells_collectors(&f, "z", "x,y", "1; n/z 2 collectors; complete");
    pieces(&f, CR("a", "1", ""), "m", "01; n/m gone; n/m 0 collectors; complete");
    pieces(&f, CR("a", "many", ""), "m", "0; 1 gaps a; complete");
    pieces(&f, CR("b", "1", ""), "z", "01; n/z gone; n/z 0 collectors; 0 gaps; complete");
    tells(&f, CR("a", "1", "") CR("b", "1", ""), "0; complete");
    pieces(&f, CR("a", "1", ""), "b", "01; n/b gone; n/b 0 collectors; complete");
    pieces(&f, CR("0", "1", ""), "a",
           "11; n/0 1 collectors; n/0 has 1 jobs; n/a gone; n/a 0 collectors; complete");
    tells(&f, CR("0", "1", ""), "0; complete");
    feed_fini(&f);
}

int main(void)
{
    struct feed f;

    box = mailbox_new(0);
    feed_init(&f, box);
    tells(&f, CR("b", "2", "") CR("a", "1", K("x")),
          "2; n/a 1 collectors; n/a has 2 jobs; n/b 2 collectors; n/b has 1 jobs; complete");
    tells(&f, CR("a", "1", K("x")) CR("b", "2", ""), "0; complete");
    tells(&f, CR("a", "1", K("y")) CR("b", "2", ""), "1; n/a has 2 jobs; complete");
    tells(&f, CR("a", "3", K("y")) CR("b", "2", ""), "1; n/a 3 collectors; complete");
    tells(&f, CR("a", "3", K("y")) CR("aa", "1", "") CR("b", "2", ""),
          "1; n/aa 1 collectors; n/aa has 1 jobs; complete");
    tells(&f, CR("aa", "1", "") CR("c", "1", ""),
          "3; n/a gone; n/a 0 collectors; n/b gone; n/b 0 collectors; n/c 1 collectors; n/c has 1 "
          "jobs; complete");
    tells_collectors(&f, "aa", "x,y", "1; n/aa 2 collectors; complete");
    tells_collectors(&f, "aa", "x,y", "0");
    tells_collectors(&f, "a", "x", "0");
    tells_collectors(&f, "aa", "aa-collector-0", "1; n/aa 1 collectors; complete");
    feed_forget(&f, SPAN_LIT("n"), SPAN_LIT("aa"));
    tells(&f, CR("aa", "1", "") CR("c", "1", ""), "1; n/aa has 1 jobs; complete");
    tells(
        &f,
        "apiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\nmetadata: {name: z}\n",
        "2; n/aa gone; n/aa 0 collectors; n/c gone; n/c 0 collectors; complete");
    tells(&f, CR("a", "1", K("x")) CR("b", "1", ""),
          "2; n/a 1 collectors; n/a has 2 jobs; n/b 1 collectors; n/b has 1 jobs; complete");
    tells(&f, CR("a", "1", BAD) CR("b", "1", ""), "1; n/a has 1 jobs; complete");
    tells(&f, CR("a", "1", BAD) CR("b", "1", ""), "0; complete");
    tells(&f, CR("a", "1", "") CR("b", "1", ""), "1; n/a has 1 jobs; complete");
    tells(&f, CR("a", "many", "") CR("b", "2", ""), "1; n/b 2 collectors; 1 gaps a; complete");
    tells(&f, CR("b", "2", ""), "1; n/a gone; n/a 0 collectors; 0 gaps; complete");
    tells(&f, "a: [", "0; 1 gaps x.yaml; complete");
    tells(&f, "", "0; 1 gaps x.yaml; complete");
    tells(&f, CR("c", "1", "") "---\na: [",
          "1; n/c 1 collectors; n/c has 1 jobs; 1 gaps x.yaml; "
          "complete");
    tells(&f, CR("c", "1", ""), "1; n/b gone; n/b 0 collectors; 0 gaps; complete");
    feed_fini(&f);
    test_pieces();
    mailbox_free(&box);
    return check_done();
}

/* state_verify() finds what is broken by hand. */
#include "allocator/engine/state_fields.h"

#include "tests/check.h"
#include "tests/unit/engine/side.h"

#include <string.h>

#define JOB                                                                                        \
    "config:\n  scrape_configs:\n  - job_name: j\n    static_configs:\n"                           \
    "    - targets: [a:1, b:1, c:1, d:1, e:1, f:1, a:1]\n    - targets: [a:1]\n"

static struct side side;

/* What is found now; empty: nothing. */
static const char *found(void)
{
    static struct err err;

    err = (struct err){ 0 };
    return state_verify(side.state, &err) < 0 ? err.text : "";
}

static struct page_row *row_of(size_t job)
{
    return (struct page_row *)(uintptr_t)side.state->rows[job];
}

static void test_rows(void)
{
    struct page_row *row = row_of(0);
    struct page *first = (struct page *)(uintptr_t)row->pages[0];
    const struct page *second = row->pages[1];

    row->n_targets++;
    is_str(found(), "job j: its row does not have the targets that it has", "a wrong count");
    row->n_targets--;
    first->n_targets++;
    is_str(found(), "job j: a page is not what its targets come to", "a target too many");
    first->n_targets--;
    row->pages[1] = first;
    is_str(found(), "job j: a page is not what its targets come to", "somebody else's page");
    row->pages[1] = second;
    row->n--;
    is_str(found(), "job j: targets have an owner without a page", "no page");
    row->n++;
    side.state->rows[0] = NULL;
    is_str(found(), "job j: its row does not have the targets that it has", "no row");
    side.state->rows[0] = row;
    is_str(found(), "", "mended");
}

/* A source, and the places of the targets in it. */
static void test_sources(void)
{
    struct job *j = side.state->jobs.v[0];
    struct source *s = job_find_source(j, 0, SPAN_LIT(""));
    struct target *twin = s->targets[6], *head = s->targets[0];

    ok(twin->slot == FLEET_NONE && head->slot != FLEET_NONE, "a target and its twin");
    twin->slot = head->slot;
    is_str(found(), "job j: a target that is not served has an owner", "an owner of two");
    twin->slot = FLEET_NONE;
    head->index = 9;
    is_str(found(), "job j: of two targets of one identity the later one is served",
           "out of order");
    head->index = 0;
    s->n -= 6;
    is_str(found(), "job j: a target is served that no source has", "of nowhere");
    s->n += 6;
    table_del(&j->heads, &head->node);
    is_str(found(), "job j: a kept target has nobody who is served in its place", "lost");
    table_put(&j->heads, &head->node, head->node.hash);
    is_str(found(), "", "mended");
}

int main(void)
{
    side_init(&side);
    configure_text(&side, JOB, 2);
    is_str(found(), "", "before the first snapshot");
    publish(&side);
    is_str(found(), "", "after it");
    is_int(row_of(0)->n, 2, "two collectors with targets");
    test_rows();
    test_sources();
    side_fini(&side);
    return check_done();
}

#include "allocator/engine/tenantkey.h"

#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/discovery/provider.h"

static void make_key(const struct buf *bytes, uint64_t out_key[2])
{
    out_key[0] = hash64(buf_span(bytes));
    out_key[1] = hash_fast(buf_span(bytes));
}

static void make_job_key(struct scrapejob *job, struct buf *bytes)
{
    buf_clear(bytes);
    buf_addf(bytes, "%d.%d.", (int)job->filter, (int)job->name_scheme);
    buf_add_str(bytes, job->text);
    for (size_t i = 0; i < job->n_sds; i++) {
        provider_key(&job->sds[i], bytes);
    }
    make_key(bytes, job->key);
}

static void add_text(struct buf *out, struct span s)
{
    buf_add(out, (const char *)&s.len, sizeof(s.len));
    buf_add_span(out, s);
}

void tenantkey_make(struct tenant *t)
{
    AUTO_BUF bytes = { 0 }, all = { 0 };

    if (t->has_keys) {
        return;
    }
    t->has_keys = true;
    buf_init(&bytes, LIMIT_DOCUMENT_BYTES * 4);
    buf_init(&all, SIZE_MAX / 2);
    add_text(&all, t->strategy);
    add_text(&all, t->fallback);
    buf_addf(&all, "%d.%d.", t->is_v0, t->are_jobs_inline);
    for (size_t i = 0; i < t->jobs.n; i++) {
        struct scrapejob *job = t->jobs.v[i];
        if (!job->is_known) {
            scrapejob_settle(job);
            make_job_key(job, &bytes);
        }
        add_text(&all, job->receiver);
        buf_add(&all, (const char *)job->key, sizeof(job->key));
    }
    vec_each(&t->jobs.refused, r) { /* they may go on as they were configured before */
        add_text(&all, span_of(r->receiver));
        add_text(&all, span_of(r->name));
        add_text(&all, span_of(r->why));
    }
    make_key(&all, t->key);
}

#include "allocator/discovery/want.h"

#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"

/* ---- fields of a section, visited in one order for the key and for the copy */

typedef void visit_fn(struct span *text, void *arg);

static void visit_texts(struct span *v, size_t n, visit_fn *visit, void *arg)
{
    for (size_t i = 0; i < n; i++) {
        visit(&v[i], arg);
    }
}

static void visit_tls(struct httpconfig_tls *t, visit_fn *visit, void *arg)
{
    visit(&t->ca, arg);
    visit(&t->ca_file, arg);
    visit(&t->cert, arg);
    visit(&t->cert_file, arg);
    visit(&t->key, arg);
    visit(&t->key_file, arg);
    visit(&t->server_name, arg);
    visit(&t->min_version, arg);
    visit(&t->max_version, arg);
}

static void visit_client(struct httpconfig *c, visit_fn *visit, void *arg)
{
    visit(&c->basic_username, arg);
    visit(&c->basic_username_file, arg);
    visit(&c->basic_password, arg);
    visit(&c->basic_password_file, arg);
    visit(&c->auth_type, arg);
    visit(&c->auth_credentials, arg);
    visit(&c->auth_credentials_file, arg);
    visit(&c->oauth2.client_id, arg);
    visit(&c->oauth2.client_secret, arg);
    visit(&c->oauth2.client_secret_file, arg);
    visit(&c->oauth2.token_url, arg);
    visit(&c->oauth2.proxy_url, arg);
    visit(&c->oauth2.no_proxy, arg);
    visit_texts(c->oauth2.scopes, c->oauth2.n_scopes, visit, arg);
    visit_tls(&c->oauth2.tls, visit, arg);
    visit_tls(&c->tls, visit, arg);
    visit(&c->proxy_url, arg);
    visit(&c->no_proxy, arg);
    for (size_t i = 0; i < c->n_headers; i++) {
        struct httpconfig_header *h = &c->headers[i];
        visit(&h->name, arg);
        visit_texts(h->values, h->n_values, visit, arg);
        visit_texts(h->secrets, h->n_secrets, visit, arg);
        visit_texts(h->files, h->n_files, visit, arg);
    }
}

/* ---- key */

static void add_text(struct span *text, void *arg)
{
    buf_addf(arg, "%c%zu:", text->p == NULL ? '-' : '+', text->len);
    buf_add_span(arg, *text);
}

static void add_client_numbers(const struct httpconfig *c, struct buf *out)
{
    buf_addf(out, "%d%d%d%d%d%d%d.%zu.", c->has_basic_auth, c->oauth2.tls.insecure_skip_verify,
             c->tls.insecure_skip_verify, c->follow_redirects, c->enable_http2,
             c->proxy_from_environment, c->oauth2.proxy_from_environment, c->oauth2.n_scopes);
    for (size_t i = 0; i < c->n_headers; i++) {
        buf_addf(out, "h%zu.%zu.%zu.", c->headers[i].n_values, c->headers[i].n_secrets,
                 c->headers[i].n_files);
    }
    if (c->oauth2.endpoint_params != NULL) {
        node_write_json(c->oauth2.endpoint_params, out);
    }
}

static void add_groups(const struct sdconfig *s, struct buf *out)
{
    for (size_t i = 0; i < s->statics.n_groups; i++) {
        const struct sd_static_group *g = &s->statics.groups[i];
        buf_addf(out, "g%zu.", g->n_targets);
        visit_texts(g->targets, g->n_targets, add_text, out);
        if (g->labels != NULL) {
            node_write_json(g->labels, out);
        }
    }
}

void want_key(const struct sdconfig *section, struct buf *out)
{
    struct sdconfig s = *section; /* the visitors take pointers to change; the key only reads */

    buf_addf(out, "%d.%lld.", (int)s.mechanism, (long long)s.refresh_ms);
    if (s.mechanism == SD_STATIC) {
        add_groups(&s, out);
    } else if (s.mechanism == SD_FILE) {
        visit_texts(s.file.patterns, s.file.n_patterns, add_text, out);
    } else if (s.mechanism == SD_HTTP) {
        add_text(&s.http.url, out);
        add_client_numbers(&s.http.client, out);
        visit_client(&s.http.client, add_text, out);
    }
}

/* ---- copy */

static void copy_text(struct span *text, void *arg)
{
    if (text->p != NULL) {
        *text = arena_span(arg, *text);
    }
}

static void *copy_array(struct arena *a, const void *v, size_t n, size_t size)
{
    void *copy = arena_alloc(a, n * size + 1);

    if (n > 0) {
        memcpy(copy, v, n * size);
    }
    return copy;
}

static void copy_client(struct httpconfig *c, struct arena *a)
{
    c->oauth2.scopes = copy_array(a, c->oauth2.scopes, c->oauth2.n_scopes, sizeof(struct span));
    c->headers = copy_array(a, c->headers, c->n_headers, sizeof(*c->headers));
    for (size_t i = 0; i < c->n_headers; i++) {
        struct httpconfig_header *h = &c->headers[i];
        h->values = copy_array(a, h->values, h->n_values, sizeof(struct span));
        h->secrets = copy_array(a, h->secrets, h->n_secrets, sizeof(struct span));
        h->files = copy_array(a, h->files, h->n_files, sizeof(struct span));
    }
    visit_client(c, copy_text, a);
    if (c->oauth2.endpoint_params != NULL) {
        AUTO_BUF json;
        struct node *copy = NULL;
        buf_init(&json, LIMIT_DOCUMENT_BYTES);
        node_write_json(c->oauth2.endpoint_params, &json);
        int rc = node_from_json(arena_span(a, buf_span(&json)), 0, a, &copy, NULL);
        c->oauth2.endpoint_params =
            rc == 0 ? copy : NULL; /* canonical JSON of a tree always parses */
    }
}

static void dispose_want(struct mail *mail)
{
    struct want *want = (struct want *)(void *)mail;
    want_free(&want);
}

struct want *want_new(uint64_t id, const struct sdconfig *section)
{
    struct want *want = mem_zalloc(sizeof(*want));
    struct sdconfig *s = &want->section;

    want->mail = (struct mail){ .kind = WATCHER_WANT_ADD, .dispose = dispose_want };
    want->id = id;
    arena_init(&want->arena);
    *s = *section;
    if (s->mechanism == SD_FILE) {
        s->file.patterns =
            copy_array(&want->arena, s->file.patterns, s->file.n_patterns, sizeof(struct span));
        visit_texts(s->file.patterns, s->file.n_patterns, copy_text, &want->arena);
    } else if (s->mechanism == SD_HTTP) {
        copy_text(&s->http.url, &want->arena);
        copy_client(&s->http.client, &want->arena);
    }
    return want;
}

void want_free(struct want **want)
{
    if (*want != NULL) {
        arena_fini(&(*want)->arena);
        mem_free(*want);
        *want = NULL;
    }
}

static void dispose_plain(struct mail *mail)
{
    mem_free(mail);
}

struct want_mark *want_mark_new(enum watcher_mail kind, uint64_t id)
{
    struct want_mark *mark = mem_zalloc(sizeof(*mark));

    mark->mail = (struct mail){ .kind = (int)kind, .dispose = dispose_plain };
    mark->id = id;
    return mark;
}

struct mail *want_note_new(int kind)
{
    struct mail *mail = mem_zalloc(sizeof(*mail));

    *mail = (struct mail){ .kind = kind, .dispose = dispose_plain };
    return mail;
}

/* ---- arrivals */

static void dispose_arrival(struct mail *mail)
{
    struct arrival *arrival = (struct arrival *)(void *)mail;
    arrival_free(&arrival);
}

struct arrival *arrival_new(uint64_t want, enum arrival_status status, const char *source)
{
    struct arrival *a = mem_zalloc(sizeof(*a));

    a->mail = (struct mail){ .kind = ENGINE_ARRIVAL, .dispose = dispose_arrival };
    a->want = want;
    a->status = status;
    a->seen_us = clock_mono_us();
    a->source = source == NULL ? NULL : mem_strdup(source);
    return a;
}

void arrival_post(struct arrival *arrival, struct mailbox *engine)
{
    if (engine == NULL) {
        arrival_free(&arrival);
    } else {
        mailbox_post_quietly(engine, &arrival->mail);
    }
}

void arrival_free(struct arrival **arrival)
{
    if (*arrival != NULL) {
        mem_free((*arrival)->source);
        mem_free((*arrival)->body);
        mem_free(*arrival);
        *arrival = NULL;
    }
}

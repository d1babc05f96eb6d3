#define LOG_MODULE "discovery"
#include "allocator/watch/httppoll.h"

#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/limits.h"
#include "allocator/base/log.h"
#include "allocator/base/memorylimit.h"
#include "allocator/client/credentials.h"
#include "allocator/scrape/urltext.h"
#include "allocator/watch/polling.h"

#include <strings.h>

#define USER_AGENT "Prometheus/3.14.0"

struct url {
    struct source_want base;
    struct polling polling;
    struct http_request *request; /* under way, or NULL */
};

struct httppoll {
    struct carrier_source base;
    struct http_client *client;
    struct oauth2 *tokens;
    int64_t next_ms; /* lower bound of the URLs' deadlines */
    size_t max_body_bytes;
};

static struct url *url_of(struct source_want *w)
{
    return CONTAINER_OF(w, struct url, base);
}

static struct httppoll *owner_of(const struct url *u)
{
    return CONTAINER_OF(u->base.source, struct httppoll, base);
}

/* ---- results */

/* For the log: without a password. */
static const char *name_of(const struct url *u, char out[1024])
{
    struct arena scratch;

    arena_init(&scratch);
    snprintf(out, 1024, "%.*s", SPAN_ARG(urltext_redact(u->base.want->ask.http.url, &scratch)));
    arena_fini(&scratch);
    return out;
}

static void tell(const struct url *u, enum arrival_status status, char *body, size_t len)
{
    const struct span url = u->base.want->ask.http.url;
    AUTO_STR source = mem_strndup(url.p, url.len);

    source_tell(&u->base, status, source, body, len);
}

/* The try is over, well or badly: the next may be due already. */
static void end_try(const struct url *u, const struct polling_outcome *outcome)
{
    int64_t deadline_ms = polling_deadline_ms(&u->polling);
    struct httppoll *p = owner_of(u);

    p->next_ms = deadline_ms < p->next_ms ? deadline_ms : p->next_ms;
    for (unsigned i = 0; i < outcome->n_settled; i++) {
        source_tell(&u->base, ARRIVAL_SETTLED, NULL, NULL, 0);
    }
}

static void fail(struct url *u, const char *why, int64_t now_ms)
{
    struct polling_outcome outcome = polling_fail(&u->polling, now_ms);
    char name[1024];

    if (outcome.is_change) {
        log_warn("a discovery URL cannot be read; what is known of it stays",
                 LOG_STR("url", name_of(u, name)), LOG_STR("error", why));
    }
    tell(u, ARRIVAL_FAILED, NULL, 0);
    end_try(u, &outcome);
}

static struct span trim_left(struct span s)
{
    while (s.len > 0 && s.p[0] == ' ') {
        s = span_from(s, 1);
    }
    return s;
}

static bool is_type(struct span type, struct span name)
{
    if (name.len == 0) { /* any will do, also none */
        return true;
    }
    if (type.len < name.len || strncasecmp(type.p, name.p, name.len) != 0) {
        return false;
    }
    type = span_from(type, name.len);
    if (type.len == 0) {
        return true;
    }
    if (type.p[0] != ';') {
        return false;
    }
    type = trim_left(span_from(type, 1));
    return span_is_nocase(type, "charset=utf-8") || span_is_nocase(type, "charset=\"utf-8\"");
}

static void succeed(struct url *u, struct http_response *response)
{
    struct polling_outcome outcome = polling_answer(&u->polling, buf_span(response->body));
    char name[1024];
    size_t len = 0;

    if (outcome.is_change) {
        log_info("a discovery URL works again", LOG_STR("url", name_of(u, name)));
    }
    if (outcome.is_news) {
        char *body = buf_take(response->body, &len);
        tell(u, ARRIVAL_OK, body, len);
    }
    end_try(u, &outcome);
}

static void on_response(void *arg, struct http_response *response)
{
    struct url *u = arg;
    char why[256];

    u->request = NULL;
    if (response->error != NULL) {
        fail(u, response->error, clock_mono_ms());
    } else if (response->status != 200) {
        snprintf(why, sizeof(why), "server returned HTTP status %d", response->status);
        fail(u, why, clock_mono_ms());
    } else if (!is_type(response->content_type, u->base.want->ask.http.body_type)) {
        snprintf(why, sizeof(why), "unsupported content type \"%.*s\"",
                 (int)(response->content_type.len > 128 ? 128 : response->content_type.len),
                 response->content_type.p);
        fail(u, why, clock_mono_ms());
    } else {
        succeed(u, response);
    }
}

/* ---- requests */

static int send_request(struct url *u, struct err *err) ON(watcher)
{
    const struct ask *ask = &u->base.want->ask;
    struct credentials r = { .options = { .url = ask->http.url,
                                          .max_body_bytes = owner_of(u)->max_body_bytes } };
    struct httppoll *p = owner_of(u);
    struct arena arena;

    arena_init(&arena);
    credentials_header(&r, SPAN_LIT("User-Agent"), SPAN_LIT(USER_AGENT));
    if (ask->http.body_type.len > 0) {
        credentials_header(&r, SPAN_LIT("Accept"), ask->http.body_type);
    }
    for (size_t i = 0; i < ask->http.n_headers; i++) {
        credentials_header(&r, ask->http.headers[i].name, ask->http.headers[i].value);
    }
    int rc = credentials_apply(ask->http.client, &arena, &r, err);
    if (rc == 0) {
        r.options.timeout_ms = ask->refresh_ms;
        u->request = credentials_send(&r, p->client, p->tokens, on_response, u);
    }
    credentials_fini(&r);
    arena_fini(&arena);
    return rc;
}

static void begin_try(struct url *u, int64_t now_ms) ON(watcher)
{
    struct err err;

    if (send_request(u, &err) < 0) {
        fail(u, err.text, now_ms);
    }
}

static void tick(struct carrier_source *s, int64_t now_ms) ON(watcher)
{
    struct httppoll *p = CONTAINER_OF(s, struct httppoll, base);

    if (now_ms < p->next_ms) {
        return;
    }
    p->next_ms = INT64_MAX;
    for (struct source_want *w = s->wants; w != NULL; w = w->next) {
        struct url *u = url_of(w);
        if (polling_tick(&u->polling, now_ms)) {
            begin_try(u, now_ms);
        }
        int64_t deadline_ms = polling_deadline_ms(&u->polling);
        p->next_ms = deadline_ms < p->next_ms ? deadline_ms : p->next_ms;
    }
}

static int64_t deadline_ms(const struct carrier_source *s)
{
    return CONTAINER_OF(s, struct httppoll, base)->next_ms;
}

/* ---- wants */

static void refresh(struct source_want *w, int64_t now_ms) ON(watcher)
{
    struct url *u = url_of(w);

    if (polling_refresh(&u->polling, now_ms)) {
        begin_try(u, now_ms);
    }
}

static struct source_want *add(struct carrier_source *s, struct want *want, int64_t now_ms)
    ON(watcher)
{
    struct url *u = mem_zalloc(sizeof(*u));

    source_keep(s, &u->base, want);
    polling_init(&u->polling, want->ask.refresh_ms);
    refresh(&u->base, now_ms);
    return &u->base;
}

static void redeliver(struct source_want *w)
{
    polling_redeliver(&url_of(w)->polling);
}

static void cancel(struct source_want *w) ON(watcher)
{
    struct url *u = url_of(w);

    if (u->request != NULL) {
        oauth2_cancel(owner_of(u)->tokens, u->request);
    }
    source_forget(w);
    mem_free(u);
}

static void free_all(struct carrier_source *s) ON(watcher)
{
    struct httppoll *p = CONTAINER_OF(s, struct httppoll, base);

    oauth2_free(&p->tokens);
    mem_free(p);
}

struct carrier_source *httppoll_new(struct http_client *client)
{
    static const struct source_ops ops = {
        .carrier = CARRIER_HTTP,
        .add = add,
        .refresh = refresh,
        .redeliver = redeliver,
        .cancel = cancel,
        .deadline_ms = deadline_ms,
        .tick = tick,
        .free = free_all,
    };
    struct httppoll *p = mem_zalloc(sizeof(*p));
    p->max_body_bytes = memorylimit_sd_body(memorylimit_bytes());

    p->base.ops = &ops;
    p->client = client;
    p->tokens = oauth2_new(client);
    p->next_ms = INT64_MAX;
    return &p->base;
}

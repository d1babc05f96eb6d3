#define LOG_MODULE "http_sd"
#include "allocator/watch/httppoll.h"

#include "allocator/base/clock.h"
#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/log.h"
#include "allocator/base/table.h"
#include "allocator/client/credentials.h"
#include "allocator/scrape/urltext.h"

#include <strings.h>

#define USER_AGENT "Prometheus/3.14.0"
#define FIRST_RETRY_MS 1000

struct poll {
    struct table_node node; /* by id */
    struct httppoll *owner;
    struct want *want;
    struct http_request *request; /* under way, or NULL */
    int64_t next_ms;
    unsigned n_unsettled; /* the engine waits for so many SETTLED */
    bool must_tell;       /* even when the body is the same */
    bool is_failing;      /* logged */
    bool has_answered;    /* some time */
    int64_t retry_ms;     /* until the next try, while it has not */
    uint64_t body_hash;
    size_t body_len;
};

struct httppoll {
    struct http_client *client;
    struct oauth2 *tokens;
    struct mailbox *engine;
    struct table polls;
    int64_t next_ms; /* lower bound of the polls' */
};

/* ---- life */

struct httppoll *httppoll_new(struct http_client *client)
{
    struct httppoll *p = mem_zalloc(sizeof(*p));

    p->client = client;
    p->tokens = oauth2_new(client);
    p->next_ms = INT64_MAX;
    table_init(&p->polls);
    return p;
}

void httppoll_connect(struct httppoll *p, struct mailbox *engine)
{
    p->engine = engine;
}

/* ---- results */

/* For the log: without a password. */
static const char *url_of(const struct poll *poll, char out[1024])
{
    struct arena scratch;

    arena_init(&scratch);
    snprintf(out, 1024, "%.*s", SPAN_ARG(urltext_redact(poll->want->ask.http.url, &scratch)));
    arena_fini(&scratch);
    return out;
}

static void tell(const struct poll *poll, enum arrival_status status, char *body, size_t len)
{
    AUTO_STR source = mem_strndup(poll->want->ask.http.url.p, poll->want->ask.http.url.len);
    struct arrival *a =
        arrival_new(poll->want->id, status, status == ARRIVAL_SETTLED ? NULL : source);

    a->body = body;
    a->body_len = len;
    arrival_post(a, poll->owner->engine);
}

/* The poll is over, well or badly: it may be due again already. */
static void settle(struct poll *poll)
{
    if (poll->next_ms < poll->owner->next_ms) {
        poll->owner->next_ms = poll->next_ms;
    }
    for (; poll->n_unsettled > 0; poll->n_unsettled--) {
        tell(poll, ARRIVAL_SETTLED, NULL, 0);
    }
}

/* Prometheus waits for the next interval; but what has never answered keeps whole jobs waiting. */
static void retry_soon(struct poll *poll)
{
    int64_t next_ms = clock_mono_ms() + poll->retry_ms;

    if (next_ms < poll->next_ms) {
        poll->next_ms = next_ms;
        poll->retry_ms *= 2;
    }
}

static void fail(struct poll *poll, const char *why)
{
    char url[1024];

    if (!poll->has_answered) {
        retry_soon(poll);
    }
    if (!poll->is_failing) {
        poll->is_failing = true;
        log_warn("http_sd failed, what is known stays", LOG_STR("url", url_of(poll, url)),
                 LOG_STR("error", why));
    }
    tell(poll, ARRIVAL_FAILED, NULL, 0);
    settle(poll);
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
    if (type.len < name.len || strncasecmp(type.p, name.p, name.len) != 0) {
        return false;
    }
    type = span_from(type, name.len);
    if (type.len == 0 || name.len == 0) {
        return true;
    }
    if (type.p[0] != ';') {
        return false;
    }
    type = trim_left(span_from(type, 1));
    return span_is_nocase(type, "charset=utf-8") || span_is_nocase(type, "charset=\"utf-8\"");
}

static void succeed(struct poll *poll, struct http_response *response)
{
    uint64_t hash = hash_fast(buf_span(response->body));
    char url[1024];

    poll->has_answered = true;
    if (poll->is_failing) {
        poll->is_failing = false;
        log_info("http_sd works again", LOG_STR("url", url_of(poll, url)));
    }
    if (poll->must_tell || hash != poll->body_hash || response->body->len != poll->body_len) {
        size_t len = 0;
        poll->body_hash = hash;
        poll->body_len = response->body->len;
        poll->must_tell = false;
        char *body = buf_take(response->body, &len);
        tell(poll, ARRIVAL_OK, body, len);
    }
    settle(poll);
}

static void on_response(void *arg, struct http_response *response)
{
    struct poll *poll = arg;

    poll->request = NULL;
    if (response->error != NULL) {
        fail(poll, response->error);
    } else if (response->status != 200) {
        char why[64];
        snprintf(why, sizeof(why), "server returned HTTP status %d", response->status);
        fail(poll, why);
    } else if (!is_type(response->content_type, poll->want->ask.http.body_type)) {
        char why[256];
        snprintf(why, sizeof(why), "unsupported content type \"%.*s\"",
                 (int)(response->content_type.len > 128 ? 128 : response->content_type.len),
                 response->content_type.p);
        fail(poll, why);
    } else {
        succeed(poll, response);
    }
}

/* ---- requests */

static int send_request(struct poll *poll, struct err *err) ON(watcher)
{
    const struct ask *ask = &poll->want->ask;
    struct credentials r = { .options = { .url = ask->http.url, .max_body_bytes = LIMIT_SD_BODY } };
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
        poll->request =
            credentials_send(&r, poll->owner->client, poll->owner->tokens, on_response, poll);
    }
    credentials_fini(&r);
    arena_fini(&arena);
    return rc;
}

static void start_poll(struct poll *poll, int64_t now_ms) ON(watcher)
{
    struct err err;

    poll->next_ms = now_ms + poll->want->ask.refresh_ms;
    if (send_request(poll, &err) < 0) {
        fail(poll, err.text);
    }
}

void httppoll_tick(struct httppoll *p, int64_t now_ms)
{
    if (now_ms < p->next_ms) {
        return;
    }
    p->next_ms = INT64_MAX;
    for (struct table_node *node = table_next(&p->polls, NULL); node != NULL;
         node = table_next(&p->polls, node)) {
        struct poll *poll = TABLE_ITEM(node, struct poll, node);
        if (poll->request == NULL && poll->next_ms <= now_ms) {
            start_poll(poll, now_ms);
        }
        if (poll->next_ms > now_ms && poll->next_ms < p->next_ms) {
            p->next_ms = poll->next_ms;
        }
    }
}

int64_t httppoll_deadline_ms(const struct httppoll *p)
{
    return p->next_ms;
}

/* ---- wants */

static bool is_id(const struct table_node *node, const void *key)
{
    const struct poll *poll = (const struct poll *)(const void *)node;
    return poll->want->id == *(const uint64_t *)key;
}

static struct poll *find_poll(const struct httppoll *p, uint64_t id)
{
    struct table_node *node = table_find(&p->polls, hash_mix(id), is_id, &id);
    return node == NULL ? NULL : TABLE_ITEM(node, struct poll, node);
}

/* Its next answer goes to the engine, even when it is the same as before; at once, if none is under
 * way. */
static void ask_now(struct poll *poll, int64_t now_ms) ON(watcher)
{
    poll->n_unsettled++;
    poll->must_tell = true;
    if (poll->request == NULL) {
        start_poll(poll, now_ms);
    }
    if (poll->next_ms < poll->owner->next_ms) {
        poll->owner->next_ms = poll->next_ms;
    }
}

void httppoll_add(struct httppoll *p, struct want *want, int64_t now_ms)
{
    struct poll *poll = mem_zalloc(sizeof(*poll));

    poll->owner = p;
    poll->want = want;
    poll->retry_ms = FIRST_RETRY_MS;
    table_put(&p->polls, &poll->node, hash_mix(want->id));
    ask_now(poll, now_ms);
}

void httppoll_again(struct httppoll *p, uint64_t id, int64_t now_ms)
{
    struct poll *poll = find_poll(p, id);

    if (poll != NULL) {
        ask_now(poll, now_ms);
    }
}

void httppoll_retell(struct httppoll *p, uint64_t id)
{
    struct poll *poll = find_poll(p, id);

    if (poll != NULL) {
        poll->must_tell = true;
    }
}

static void free_poll(struct poll *poll) ON(watcher)
{
    if (poll->request != NULL) {
        oauth2_cancel(poll->owner->tokens, poll->request);
    }
    table_del(&poll->owner->polls, &poll->node);
    want_free(&poll->want);
    mem_free(poll);
}

void httppoll_drop(struct httppoll *p, uint64_t id)
{
    struct poll *poll = find_poll(p, id);

    if (poll != NULL) {
        free_poll(poll);
    }
}

void httppoll_free(struct httppoll **httppoll)
{
    struct httppoll *p = *httppoll;

    if (p == NULL) {
        return;
    }
    struct table_node *node = table_next(&p->polls, NULL);
    while (node != NULL) {
        struct table_node *next = table_next(&p->polls, node);
        free_poll(TABLE_ITEM(node, struct poll, node));
        node = next;
    }
    table_fini(&p->polls);
    oauth2_free(&p->tokens);
    mem_free(p);
    *httppoll = NULL;
}

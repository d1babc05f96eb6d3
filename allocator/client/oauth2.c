#include "allocator/client/oauth2.h"

#include <jansson.h>
#include <stdlib.h>
#include <strings.h>

#include "allocator/base/arena.h"
#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/vec.h"
#include "allocator/codec/urlform.h"

#define EARLY_MS 10000   /* a token that ends so soon is not used any more */
#define MANY_SOURCES 256 /* from here on, sources whose token has expired are dropped */

struct source { /* one distinct configuration */
    struct oauth2 *owner;
    struct buf key;
    struct arena arena; /* the configuration */
    struct oauth2_config config;
    struct arena token_arena;
    struct span authorization;    /* empty: no token */
    int64_t good_until_ms;        /* INT64_MAX: for ever */
    struct http_request *request; /* under way, or NULL */
    int64_t timeout_ms;
    bool in_body;                       /* the endpoint wants id and secret in the body */
    bool is_second;                     /* the request under way is the second attempt */
    VEC(struct http_request *) waiters; /* held */
};

struct oauth2 {
    struct http_client *client;
    VEC(struct source *) sources;
};

struct oauth2 *oauth2_new(struct http_client *client)
{
    struct oauth2 *o = mem_zalloc(sizeof(*o));

    o->client = client;
    return o;
}

/* ---- which source */

static void add_to_key(struct buf *key, struct span s)
{
    buf_addf(key, "%zu:", s.len);
    buf_add_span(key, s);
}

static void make_key(const struct oauth2_config *c, struct buf *out)
{
    const struct span texts[] = {
        c->token_url,       c->client_id,    c->client_secret, c->endpoint_params, c->tls.ca_pem,
        c->tls.ca_file,     c->tls.cert_pem, c->tls.cert_file, c->tls.key_pem,     c->tls.key_file,
        c->tls.server_name, c->proxy_url,    c->no_proxy,
    };

    buf_init(out, 16 * MIB);
    for (size_t i = 0; i < COUNT(texts); i++) {
        add_to_key(out, texts[i]);
    }
    for (size_t i = 0; i < c->n_scopes; i++) {
        add_to_key(out, c->scopes[i]);
    }
    for (size_t i = 0; i < c->n_connect_headers; i++) {
        add_to_key(out, c->connect_headers[i].name);
        add_to_key(out, c->connect_headers[i].value);
    }
    buf_addf(out, "%d %d %d %d", c->tls.min_version, c->tls.max_version,
             c->tls.insecure_skip_verify, c->proxy_from_environment);
}

static void keep_config(struct source *s, const struct oauth2_config *c)
{
    struct arena *a = &s->arena;
    struct span *scopes = arena_alloc(a, c->n_scopes * sizeof(*scopes));
    struct http_request_header *headers = arena_alloc(a, c->n_connect_headers * sizeof(*headers));
    struct oauth2_config *k = &s->config;

    *k = *c;
    for (size_t i = 0; i < c->n_scopes; i++) {
        scopes[i] = arena_span(a, c->scopes[i]);
    }
    k->scopes = scopes;
    for (size_t i = 0; i < c->n_connect_headers; i++) {
        headers[i].name = arena_span(a, c->connect_headers[i].name);
        headers[i].value = arena_span(a, c->connect_headers[i].value);
    }
    k->connect_headers = headers;
    struct span *texts[] = {
        &k->token_url,   &k->client_id,    &k->client_secret,   &k->endpoint_params,
        &k->tls.ca_pem,  &k->tls.ca_file,  &k->tls.cert_pem,    &k->tls.cert_file,
        &k->tls.key_pem, &k->tls.key_file, &k->tls.server_name, &k->proxy_url,
        &k->no_proxy,
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        *texts[i] = arena_span(a, *texts[i]);
    }
}

static void source_free(struct source *s)
{
    buf_fini(&s->key);
    arena_fini(&s->arena);
    arena_fini(&s->token_arena);
    vec_fini(&s->waiters);
    mem_free(s);
}

static void drop_expired(struct oauth2 *o, int64_t now_ms)
{
    size_t kept = 0;

    for (size_t i = 0; i < o->sources.n; i++) {
        struct source *s = o->sources.v[i];

        if (s->request == NULL && s->waiters.n == 0 && s->good_until_ms <= now_ms) {
            source_free(s);
        } else {
            o->sources.v[kept++] = s;
        }
    }
    o->sources.n = kept;
}

static struct source *source_of(struct oauth2 *o, const struct oauth2_config *config,
                                int64_t now_ms)
{
    AUTO_BUF key;

    make_key(config, &key);
    vec_each(&o->sources, s) {
        if (span_eq(buf_span(&(*s)->key), buf_span(&key))) {
            return *s;
        }
    }
    if (o->sources.n >= MANY_SOURCES) {
        drop_expired(o, now_ms);
    }
    struct source *s = mem_zalloc(sizeof(*s));

    s->owner = o;
    arena_init(&s->arena);
    arena_init(&s->token_arena);
    make_key(config, &s->key);
    keep_config(s, config);
    *vec_push(&o->sources) = s;
    return s;
}

/* ---- the answer of a token endpoint */

/* Go writes the usual types in their usual case. */
static const char *scheme_of(const char *token_type)
{
    static const char *const known[] = { "Bearer", "MAC", "Basic" };

    for (size_t i = 0; i < COUNT(known); i++) {
        if (strcasecmp(token_type, known[i]) == 0) {
            return known[i];
        }
    }
    return token_type[0] == '\0' ? known[0] : token_type;
}

static int authorize(const char *token_type, struct span token, struct arena *arena,
                     struct span *out, struct err *err)
{
    if (token.len == 0) {
        return err_set(err, ERR_INVALID, "server response missing access_token");
    }
    struct span value =
        span_of(arena_printf(arena, "%s %.*s", scheme_of(token_type), SPAN_ARG(token)));

    /* It becomes a header line, and must stay one. */
    for (size_t i = 0; i < value.len; i++) {
        if ((unsigned char)value.p[i] < ' ') {
            return err_set(err, ERR_INVALID, "server response holds control characters");
        }
    }
    *out = value;
    return 0;
}

/* 0, which is for good, for what is not a number of seconds that a clock could count. */
static int64_t seconds_of(const json_t *value)
{
    if (json_is_string(value)) {
        return strtoll(json_string_value(value), NULL, 10);
    }
    double seconds = json_is_number(value) ? json_number_value(value) : 0;
    return seconds > 0 && seconds < (double)INT32_MAX ? (int64_t)seconds : 0;
}

static int parse_json(struct span body, struct arena *arena, struct span *out,
                      int64_t *out_expires_in_s, struct err *err)
{
    json_error_t where;
    json_t *answer = json_loadb(body.p == NULL ? "" : body.p, body.len, 0, &where);

    if (!json_is_object(answer)) {
        json_decref(answer);
        return err_set(err, ERR_INVALID, "cannot parse json: %s",
                       answer == NULL ? where.text : "not an object");
    }
    const char *type = json_string_value(json_object_get(answer, "token_type"));
    const json_t *token = json_object_get(answer, "access_token");
    int rc = authorize(type == NULL ? "" : type,
                       (struct span){ json_string_value(token), json_string_length(token) }, arena,
                       out, err);

    *out_expires_in_s = seconds_of(json_object_get(answer, "expires_in"));
    json_decref(answer);
    return rc;
}

static int parse_form(struct span body, struct arena *arena, struct span *out,
                      int64_t *out_expires_in_s, struct err *err)
{
    struct span token = { 0 }, type = { 0 }, expires = { 0 };

    (void)urlform_query(body, "access_token", &token);
    (void)urlform_query(body, "token_type", &type);
    (void)urlform_query(body, "expires_in", &expires);
    if (urlform_unescape(token, arena, &token, err) < 0 ||
        urlform_unescape(type, arena, &type, err) < 0) {
        return ERR_INVALID;
    }
    *out_expires_in_s =
        expires.len == 0 ? 0 : strtoll(arena_strndup(arena, expires.p, expires.len), NULL, 10);
    return authorize(type.len == 0 ? "" : arena_strndup(arena, type.p, type.len), token, arena, out,
                     err);
}

static bool is_type(struct span content_type, const char *type)
{
    size_t n = strlen(type);

    return content_type.len >= n && strncasecmp(content_type.p, type, n) == 0 &&
           (content_type.len == n || content_type.p[n] == ';' || content_type.p[n] == ' ');
}

int oauth2_parse_token(struct span content_type, struct span body, struct arena *arena,
                       struct span *out_authorization, int64_t *out_expires_in_s, struct err *err)
{
    if (is_type(content_type, "application/x-www-form-urlencoded") ||
        is_type(content_type, "text/plain")) {
        return parse_form(body, arena, out_authorization, out_expires_in_s, err);
    }
    return parse_json(body, arena, out_authorization, out_expires_in_s, err);
}

/* ---- fetching */

static void answer_waiters(struct source *s, struct span authorization, const char *error)
    ON(watcher)
{
    vec_each(&s->waiters, r) {
        if (error == NULL) {
            http_client_release(*r, authorization);
        } else {
            http_client_fail(*r, error);
        }
    }
    s->waiters.n = 0;
}

static void start_fetch(struct source *s) ON(watcher);

static void on_token(void *arg, struct http_response *response)
{
    struct source *s = arg;
    struct err err = { 0 };
    int64_t expires_in_s = 0;
    bool is_answer = response->error == NULL;
    bool is_good = is_answer && response->status >= 200 && response->status < 300;

    role_enter(watcher);
    s->request = NULL;
    if (is_answer && !is_good && !s->is_second && !s->in_body) {
        s->in_body = s->is_second = true;
        start_fetch(s);
        return;
    }
    arena_reset(&s->token_arena);
    s->authorization = (struct span){ 0 };
    if (!is_answer) {
        err_set(&err, ERR_IO, "oauth2: %s", response->error);
    } else if (!is_good) {
        err_set(&err, ERR_IO, "oauth2: cannot fetch token: status %d: %.*s", response->status,
                (int)(response->body->len < 200 ? response->body->len : 200),
                response->body->p == NULL ? "" : response->body->p);
    } else if (oauth2_parse_token(response->content_type, buf_span(response->body), &s->token_arena,
                                  &s->authorization, &expires_in_s, &err) < 0) {
        err_wrap(&err, err.code, "oauth2");
    }
    if (err.code != 0) {
        s->in_body = s->in_body && !s->is_second;
        answer_waiters(s, (struct span){ 0 }, err.text);
        return;
    }
    s->good_until_ms = expires_in_s <= 0 || expires_in_s > INT64_MAX / 2000
                           ? INT64_MAX
                           : clock_mono_ms() + expires_in_s * 1000 - EARLY_MS;
    answer_waiters(s, s->authorization, NULL);
}

static void add_parameter(struct buf *body, const char *name, struct span value)
{
    buf_addf(body, "%s%s=", body->len == 0 ? "" : "&", name);
    urlform_escape(value, body);
}

static void make_body(const struct source *s, struct buf *body)
{
    const struct oauth2_config *c = &s->config;
    struct span given;
    AUTO_BUF scope;

    buf_init(body, MIB);
    buf_init(&scope, MIB);
    for (size_t i = 0; i < c->n_scopes; i++) {
        buf_add_str(&scope, i == 0 ? "" : " ");
        buf_add_span(&scope, c->scopes[i]);
    }
    buf_add_span(body, c->endpoint_params);
    if (!urlform_query(c->endpoint_params, "grant_type", &given)) {
        add_parameter(body, "grant_type", SPAN_LIT("client_credentials"));
    }
    if (scope.len > 0) {
        add_parameter(body, "scope", buf_span(&scope));
    }
    if (s->in_body) {
        add_parameter(body, "client_id", c->client_id);
        if (c->client_secret.len > 0) {
            add_parameter(body, "client_secret", c->client_secret);
        }
    }
}

/* Id and secret are form-encoded before they become Basic (RFC 6749 §2.3.1). */
static void start_fetch(struct source *s)
{
    const struct oauth2_config *c = &s->config;
    AUTO_BUF body, id, secret;
    static const struct http_request_header type = {
        SPAN_LIT("Content-Type"), SPAN_LIT("application/x-www-form-urlencoded")
    };

    make_body(s, &body);
    buf_init(&id, MIB);
    buf_init(&secret, MIB);
    urlform_escape(c->client_id, &id);
    urlform_escape(c->client_secret, &secret);
    struct span user = { NULL, 0 };
    if (!s->in_body) {
        user = (struct span){ id.p == NULL ? "" : id.p, id.len };
    }
    const struct http_request_options o = {
        .url = c->token_url,
        .method = SPAN_LIT("POST"),
        .post_body = buf_span(&body),
        .headers = &type,
        .n_headers = 1,
        .username = user,
        .password = buf_span(&secret),
        .tls = c->tls,
        .proxy_url = c->proxy_url,
        .no_proxy = c->no_proxy,
        .proxy_from_environment = c->proxy_from_environment,
        .connect_headers = c->connect_headers,
        .n_connect_headers = c->n_connect_headers,
        .follow_redirects = true,
        .enable_http2 = true,
        .timeout_ms = s->timeout_ms,
        .max_body_bytes = LIMIT_OAUTH2_TOKEN,
    };
    s->request = http_client_send(s->owner->client, &o, on_token, s);
}

struct http_request *oauth2_send(struct oauth2 *o, const struct oauth2_config *config,
                                 const struct http_request_options *options, http_done_fn *done,
                                 void *arg)
{
    int64_t now_ms = clock_mono_ms();
    struct source *s = source_of(o, config, now_ms);
    struct http_request_options held = *options;

    held.is_held = true;
    struct http_request *r = http_client_send(o->client, &held, done, arg);
    if (s->authorization.len > 0 && now_ms < s->good_until_ms) {
        http_client_release(r, s->authorization);
        return r;
    }
    *vec_push(&s->waiters) = r;
    if (s->request == NULL) {
        s->timeout_ms = options->timeout_ms;
        s->is_second = false;
        start_fetch(s);
    }
    return r;
}

static void forget_waiter(struct source *s, const struct http_request *r)
{
    for (size_t i = 0; i < s->waiters.n; i++) {
        if (s->waiters.v[i] == r) {
            memmove(&s->waiters.v[i], &s->waiters.v[i + 1],
                    (--s->waiters.n - i) * sizeof(s->waiters.v[0]));
            return;
        }
    }
}

void oauth2_cancel(struct oauth2 *o, struct http_request *r)
{
    vec_each(&o->sources, s) {
        forget_waiter(*s, r);
    }
    http_client_cancel(r);
}

void oauth2_free(struct oauth2 **oauth2)
{
    struct oauth2 *o = *oauth2;

    if (o == NULL) {
        return;
    }
    vec_each(&o->sources, s) {
        if ((*s)->request != NULL) {
            http_client_cancel((*s)->request);
        }
        vec_each(&(*s)->waiters, r) {
            http_client_cancel(*r);
        }
        source_free(*s);
    }
    vec_fini(&o->sources);
    mem_free(o);
    *oauth2 = NULL;
}

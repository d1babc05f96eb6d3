#include "allocator/oauth2.h"

#include "allocator/base/limits.h"
#include "allocator/codec/urlform.h"

#include <jansson.h>
#include <stdlib.h>
#include <strings.h>

#define EARLY_MS 10000 /* a token is not used in its last seconds */

bool oauth2_token(const struct oauth2 *o, int64_t now_ms, struct span *out)
{
    if (o->token == NULL || (o->ends_ms != INT64_MAX && now_ms >= o->ends_ms - EARLY_MS)) {
        return false;
    }
    *out = span_of(o->token);
    return true;
}

void oauth2_forget(struct oauth2 *o)
{
    mem_free(o->token);
    o->token = NULL;
}

/* ---- question */

struct parameter {
    struct span key, value;
};

struct parameters {
    VEC(struct parameter) list;
};

static int compare_parameters(const void *a, const void *b)
{
    const struct parameter *x = a, *y = b;
    return span_cmp(x->key, y->key);
}

static void set_parameter(struct parameters *p, struct span key, struct span value)
{
    vec_each(&p->list, it) {
        if (span_eq(it->key, key)) {
            it->value = value;
            return;
        }
    }
    *vec_push(&p->list) = (struct parameter){ key, value };
}

static struct span escaped(struct span s, struct arena *arena)
{
    AUTO_BUF out;

    buf_init(&out, MIB);
    urlform_escape(s, &out);
    return arena_span(arena, buf_span(&out));
}

static struct span join_scopes(const struct httpconfig_oauth2 *config, struct arena *arena)
{
    AUTO_BUF out;

    buf_init(&out, MIB);
    for (size_t i = 0; i < config->n_scopes; i++) {
        buf_addf(&out, "%s%.*s", i == 0 ? "" : " ", SPAN_ARG(config->scopes[i]));
    }
    return arena_span(arena, buf_span(&out));
}

static struct span encode(struct parameters *p, struct arena *arena)
{
    AUTO_BUF out;

    buf_init(&out, MIB);
    qsort(p->list.v, p->list.n, sizeof(*p->list.v), compare_parameters);
    vec_each(&p->list, it) {
        buf_add_str(&out, it == p->list.v ? "" : "&");
        urlform_escape(it->key, &out);
        buf_add_char(&out, '=');
        urlform_escape(it->value, &out);
    }
    return arena_span(arena, buf_span(&out));
}

int oauth2_question(const struct oauth2 *o, const struct httpconfig_oauth2 *config, struct arena *arena,
                    struct httpauth_request *r, struct err *err)
{
    struct parameters p = { 0 };
    struct span secret = SPAN_LIT("");

    int rc = httpauth_apply_oauth2(config, arena, r, &secret, err);
    if (rc < 0) {
        return rc;
    }
    set_parameter(&p, SPAN_LIT("grant_type"), SPAN_LIT("client_credentials"));
    if (config->n_scopes > 0) {
        set_parameter(&p, SPAN_LIT("scope"), join_scopes(config, arena));
    }
    const struct node *more = config->endpoint_params;
    for (size_t i = 0; more != NULL && more->type == NODE_MAP && i < more->n; i++) {
        struct span key, value;
        if (node_as_text(more->pairs[i].key, &key) && node_as_text(more->pairs[i].value, &value)) {
            set_parameter(&p, key, value);
        }
    }
    if (o->style == OAUTH2_PARAMETERS) {
        set_parameter(&p, SPAN_LIT("client_id"), config->client_id);
        set_parameter(&p, SPAN_LIT("client_secret"), secret);
    } else {
        r->options.username = escaped(config->client_id, arena);
        r->options.password = escaped(secret, arena);
    }
    r->options.url = config->token_url;
    r->options.method = SPAN_LIT("POST");
    r->options.post_body = encode(&p, arena);
    httpauth_header(r, SPAN_LIT("Content-Type"), SPAN_LIT("application/x-www-form-urlencoded"));
    vec_fini(&p.list);
    return 0;
}

/* ---- answer */

struct answer {
    char *token, *type;
    double seconds; /* 0: not said */
};

static void free_answer(struct answer *a)
{
    mem_free(a->token);
    mem_free(a->type);
}

static void read_json(struct span body, struct answer *out)
{
    json_t *tree = json_loadb(body.p, body.len, 0, NULL);
    const json_t *expires = json_object_get(tree, "expires_in");
    const char *token = json_string_value(json_object_get(tree, "access_token"));
    const char *type = json_string_value(json_object_get(tree, "token_type"));

    out->token = token == NULL ? NULL : mem_strdup(token);
    out->type = type == NULL ? NULL : mem_strdup(type);
    out->seconds = json_is_string(expires) ? strtod(json_string_value(expires), NULL) : json_number_value(expires);
    json_decref(tree);
}

static char *form_value(struct span body, const char *name)
{
    struct arena arena;
    struct span raw, value;
    char *out = NULL;

    arena_init(&arena);
    if (urlform_query(body, name, &raw) && urlform_unescape(raw, &arena, &value, NULL) == 0) {
        out = mem_strndup(value.p, value.len);
    }
    arena_fini(&arena);
    return out;
}

static void read_form(struct span body, struct answer *out)
{
    AUTO_STR expires = form_value(body, "expires_in");

    out->token = form_value(body, "access_token");
    out->type = form_value(body, "token_type");
    out->seconds = expires == NULL ? 0 : strtod(expires, NULL);
}

static bool is_form(struct span type)
{
    const char *semicolon = memchr(type.p, ';', type.len);
    struct span kind = span_make(type.p, semicolon == NULL ? type.len : (size_t)(semicolon - type.p));
    return span_is(kind, "application/x-www-form-urlencoded") || span_is(kind, "text/plain");
}

/* What goes in front of the token: the registered types in the spelling servers expect, "Bearer" when not said. */
static const char *spell_type(const char *type)
{
    static const char *const known[] = { "Bearer", "MAC", "Basic" };

    for (size_t i = 0; type != NULL && i < COUNT(known); i++) {
        if (strcasecmp(type, known[i]) == 0) {
            return known[i];
        }
    }
    return type == NULL || type[0] == '\0' ? "Bearer" : type;
}

static int refuse(struct oauth2 *o, const struct http_response *response, struct err *err)
{
    if (o->style == OAUTH2_UNKNOWN && response->error == NULL) {
        o->style = OAUTH2_PARAMETERS;
        o->is_second_try = true;
        return OAUTH2_ASK_AGAIN;
    }
    if (o->is_second_try) {
        o->style = OAUTH2_UNKNOWN; /* neither way worked: next time from the start */
        o->is_second_try = false;
    }
    if (response->error != NULL) {
        return err_set(err, ERR_IO, "oauth2: cannot fetch token: %s", response->error);
    }
    return err_set(err, ERR_IO, "oauth2: cannot fetch token: HTTP status %d", response->status);
}

int oauth2_take_answer(struct oauth2 *o, const struct http_response *response, int64_t now_ms, struct err *err)
{
    struct answer a = { 0 };

    if (response->error == NULL && response->status >= 200 && response->status < 300) {
        struct span body = buf_span(response->body);
        if (is_form(response->content_type)) {
            read_form(body, &a);
        } else if (body.p != NULL) {
            read_json(body, &a);
        }
    }
    if (a.token == NULL || a.token[0] == '\0') {
        free_answer(&a);
        return refuse(o, response, err);
    }
    oauth2_forget(o);
    o->token = mem_printf("%s %s", spell_type(a.type), a.token);
    o->ends_ms = a.seconds > 0 && a.seconds < 1e9 ? now_ms + (int64_t)(a.seconds * 1000) : INT64_MAX;
    o->style = o->style == OAUTH2_UNKNOWN ? OAUTH2_HEADER : o->style;
    o->is_second_try = false;
    free_answer(&a);
    return 0;
}

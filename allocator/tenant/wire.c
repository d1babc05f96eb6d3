#include "allocator/tenant/wire.h"

#include "allocator/base/limits.h"
#include "allocator/codec/urlform.h"

#define SERVICE_SUFFIX "-targetallocator"
#define COLLECTOR_SUFFIX "-collector"
#define OBJECT_NAME_MAX 63

static const char *const style_names[] = {
    [WIRE_DOCUMENTED] = "documented",
    [WIRE_QUALIFIED] = "qualified",
    [WIRE_SHARED] = "shared",
};

bool wire_style_from(struct span name, enum wire_style *out)
{
    for (size_t i = 0; i < COUNT(style_names); i++) {
        if (span_is(name, style_names[i])) {
            *out = (enum wire_style)i;
            return true;
        }
    }
    return false;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_dns_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Upstream cuts the name so that the whole fits, trims what is not alphanumeric at both ends, then
 * makes it a DNS label character by character. Only the front can need trimming: the suffix begins
 * with '-' and ends in a letter. */
static void add_object_name(struct span cr_name, struct span suffix, struct buf *out)
{
    struct span name = cr_name;
    if (name.len + suffix.len > OBJECT_NAME_MAX) {
        name.len = OBJECT_NAME_MAX - suffix.len;
    }
    while (name.len > 0 && !is_dns_char(lower(name.p[0]))) {
        name = span_from(name, 1);
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = lower(name.p[i]);
        buf_add_char(out, is_dns_char(c) ? c : '-');
    }
    buf_add_span(out, name.len > 0 ? suffix : span_from(suffix, 1));
}

void wire_service_name(struct span cr_name, struct buf *out)
{
    add_object_name(cr_name, SPAN_LIT(SERVICE_SUFFIX), out);
}

void wire_collector_name(struct span cr_name, struct buf *out)
{
    add_object_name(cr_name, SPAN_LIT(COLLECTOR_SUFFIX), out);
}

void wire_url_head(struct wire_cr cr, const struct wire_form *form, struct buf *out)
{
    buf_add_str(out, "http://");
    if (form->style == WIRE_SHARED) {
        buf_add_span(out, form->shared_host);
        buf_add_str(out, "/n/");
        urlform_escape(cr.ns, out);
        buf_add_char(out, '/');
        urlform_escape(cr.name, out);
    } else {
        wire_service_name(cr.name, out);
        if (form->style == WIRE_QUALIFIED && cr.ns.len > 0) {
            buf_add_char(out, '.');
            buf_add_span(out, cr.ns);
            buf_add_str(out, ".svc");
        }
        buf_add_str(out, ":80");
    }
    buf_add_str(out, "/jobs/");
}

void wire_url_tail(struct span receiver, const struct wire_form *form, struct buf *out)
{
    buf_add_str(out, "/targets?collector_id=");
    buf_add_span(out, form->collector_id_expr);
    if (receiver.len > 0 && !span_is(receiver, WIRE_DEFAULT_RECEIVER)) {
        buf_add_str(out, "&receiver=");
        urlform_escape(receiver, out);
    }
}

void wire_job_url(struct wire_cr cr, struct span receiver, struct span job,
                  const struct wire_form *form, struct buf *out)
{
    wire_url_head(cr, form, out);
    urlform_escape(job, out);
    wire_url_tail(receiver, form, out);
}

/* ---- reading a URL back */

/* Cuts the part before 'stop' off the front of '*s' (and 'stop' itself); false when there is no
 * 'stop'. */
static bool cut(struct span *s, char stop, struct span *out_before)
{
    const char *at = s->len == 0 ? NULL : memchr(s->p, stop, s->len);
    if (at == NULL) {
        return false;
    }
    *out_before = span_make(s->p, (size_t)(at - s->p));
    *s = span_from(*s, out_before->len + 1);
    return true;
}

/* "<name>-targetallocator" with or without ".<ns>.svc", and port 80 or none. */
static bool is_service_host(struct span host)
{
    struct span name = host;
    struct span port = { NULL, 0 };
    struct span rest = host;
    if (cut(&rest, ':', &name)) {
        port = rest;
    }
    if (port.p != NULL && !span_is(port, "80")) {
        return false;
    }
    struct span label = name;
    rest = name;
    if (cut(&rest, '.', &label)) {
        struct span ns;
        if (!cut(&rest, '.', &ns) || ns.len == 0 || !span_is(rest, "svc")) {
            return false;
        }
    }
    return span_is(label, &SERVICE_SUFFIX[1]) || span_has_suffix(label, SERVICE_SUFFIX);
}

/* Takes "/n/<ns>/<cr>" off the front when the path starts so. */
static bool skip_shared_prefix(struct span *path)
{
    if (!span_has_prefix(*path, "n/")) {
        return false;
    }
    struct span rest = span_from(*path, 2);
    struct span ns;
    struct span cr;
    if (!cut(&rest, '/', &ns) || !cut(&rest, '/', &cr) || cr.len == 0) {
        return false;
    }
    *path = rest;
    return true;
}

static bool query_is_ours(struct span query, struct span *out_raw_receiver)
{
    struct span value;
    if (!span_has_prefix(query, "collector_id=")) {
        return false;
    }
    query = span_from(query, sizeof("collector_id=") - 1);
    *out_raw_receiver = SPAN_LIT(WIRE_DEFAULT_RECEIVER);
    if (!cut(&query, '&', &value)) {
        return true;
    }
    if (!span_has_prefix(query, "receiver=") || memchr(query.p, '&', query.len) != NULL) {
        return false;
    }
    *out_raw_receiver = span_from(query, sizeof("receiver=") - 1);
    return true;
}

bool wire_url_is_ours(struct span url, struct arena *arena, struct span *out_job,
                      struct span *out_receiver)
{
    if (!span_has_prefix(url, "http://")) {
        return false;
    }
    struct span rest = span_from(url, sizeof("http://") - 1);
    struct span host;
    struct span path;
    if (!cut(&rest, '/', &host) || host.len == 0 || !cut(&rest, '?', &path)) {
        return false;
    }
    if (!skip_shared_prefix(&path) && !is_service_host(host)) {
        return false;
    }
    if (!span_has_prefix(path, "jobs/") || !span_has_suffix(path, "/targets") ||
        path.len < sizeof("jobs/") - 1 + sizeof("/targets") - 1) {
        return false;
    }
    struct span raw_job = span_make(path.p + 5, path.len - 5 - (sizeof("/targets") - 1));
    struct span raw_receiver;
    if ((raw_job.len > 0 && memchr(raw_job.p, '/', raw_job.len) != NULL) ||
        !query_is_ours(rest, &raw_receiver)) {
        return false;
    }
    struct span job;
    struct span receiver;
    if (urlform_unescape(raw_job, arena, &job, NULL) < 0 ||
        urlform_unescape(raw_receiver, arena, &receiver, NULL) < 0) {
        return false;
    }
    *out_job = job;
    *out_receiver = receiver;
    return true;
}

bool wire_is_unexpanded(struct span collector_id)
{
    for (size_t i = 0; i + 1 < collector_id.len; i++) {
        char next = collector_id.p[i + 1];
        if (collector_id.p[i] == '$' && (next == '{' || next == '_' || is_dns_char(lower(next)))) {
            return true;
        }
    }
    return false;
}

bool wire_is_sd_key(struct span key)
{
    return span_is(key, "static_configs") || span_is(key, "sd_configs") ||
           span_has_suffix(key, "_sd_configs");
}

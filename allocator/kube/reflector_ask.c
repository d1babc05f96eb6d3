#include "allocator/codec/urlform.h"
#include "allocator/kube/reflector_state.h"

enum {
    LIST_MS = 600000,
    SHORT_MS = 30000,
    WATCH_S = 300, /* to twice as long */
    WATCH_GRACE_MS = 30000,
};

static void add_group(struct reflector *r)
{
    struct buf *b = &r->target;

    if (r->want.group.len == 0) {
        buf_add_str(b, "/api/");
    } else {
        buf_add_str(b, "/apis/");
        urlform_escape(r->want.group, b);
        buf_add_char(b, '/');
    }
    urlform_escape(r->want.version, b);
}

static void add_collection(struct reflector *r)
{
    struct buf *b = &r->target;

    add_group(r);
    if (r->want.namespace.len > 0) {
        buf_add_str(b, "/namespaces/");
        urlform_escape(r->want.namespace, b);
    }
    buf_add_char(b, '/');
    urlform_escape(r->want.resource, b);
}

static void add_parameter(struct reflector *r, const char *name, struct span value)
{
    bool is_first = memchr(r->target.p, '?', r->target.len) == NULL;

    buf_addf(&r->target, "%c%s=", is_first ? '?' : '&', name);
    urlform_escape(value, &r->target);
}

static void add_selectors(struct reflector *r, struct span field_selector)
{
    if (r->want.label_selector.len > 0) {
        add_parameter(r, "labelSelector", r->want.label_selector);
    }
    if (field_selector.len > 0) {
        add_parameter(r, "fieldSelector", field_selector);
    }
}

static void write_list(struct reflector *r)
{
    char limit[16];

    add_collection(r);
    add_selectors(r, r->want.field_selector);
    bool is_page = r->is_unset && r->options.page_items > 0 && !r->has_no_pages;
    if (r->next_page.len > 0 || is_page) {
        snprintf(limit, sizeof(limit), "%u",
                 r->options.page_items > 0 ? r->options.page_items : 500);
        add_parameter(r, "limit", span_of(limit));
    }
    if (r->next_page.len > 0) {
        add_parameter(r, "continue", buf_span(&r->next_page));
    } else if (!r->is_unset) {
        add_parameter(r, "resourceVersion", r->last.len == 0 ? SPAN_LIT("0") : buf_span(&r->last));
    }
}

static int64_t write_watch(struct reflector *r)
{
    int64_t s = WATCH_S + (int64_t)(reflectorpace_chance(&r->pace) * WATCH_S);
    char text[24];

    add_collection(r);
    add_parameter(r, "watch", SPAN_LIT("1"));
    add_parameter(r, "resourceVersion", buf_span(&r->last));
    add_parameter(r, "allowWatchBookmarks", SPAN_LIT("true"));
    snprintf(text, sizeof(text), "%lld", (long long)s);
    add_parameter(r, "timeoutSeconds", span_of(text));
    add_selectors(r, r->want.field_selector);
    return s * 1000 + WATCH_GRACE_MS;
}

/* A list with next to nothing in it, that fails where the version is not known. Whoever may see one
 * object only must ask for that one. */
static void write_probe(struct reflector *r)
{
    static const char name[] = "metadata.name";
    struct span fields = r->want.field_selector;
    bool has_name = fields.len > 0 && memmem(fields.p, fields.len, name, sizeof(name) - 1) != NULL;
    AUTO_STR both =
        mem_printf("%.*s%smetadata.name=x", SPAN_ARG(fields), fields.len > 0 ? "," : "");

    add_collection(r);
    add_parameter(r, "resourceVersion", buf_span(&r->last));
    add_parameter(r, "resourceVersionMatch", SPAN_LIT("NotOlderThan"));
    add_parameter(r, "limit", SPAN_LIT("1"));
    add_selectors(r, has_name ? fields : span_of(both));
}

static struct span accept_of(const struct reflector *r)
{
    if (!r->want.is_metadata || r->stage == REFLECTOR_LOOK) {
        return SPAN_LIT("application/json");
    }
    return r->stage == REFLECTOR_WATCH
               ? SPAN_LIT("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,"
                          "application/json")
               : SPAN_LIT("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,"
                          "application/json");
}

void reflector_ask_write(struct reflector *r, struct reflector_request *out)
{
    int64_t timeout_ms = SHORT_MS;

    buf_clear(&r->target);
    switch (r->stage) {
    case REFLECTOR_LIST:
        write_list(r);
        timeout_ms = LIST_MS;
        break;
    case REFLECTOR_WATCH:
        timeout_ms = write_watch(r);
        break;
    case REFLECTOR_PROBE:
        write_probe(r);
        break;
    case REFLECTOR_LOOK:
    case REFLECTOR_STAGES:
        add_group(r);
        break;
    }
    *out = (struct reflector_request){
        .stage = r->stage,
        .target = buf_span(&r->target),
        .accept = accept_of(r),
        .timeout_ms = timeout_ms,
        .is_watch = r->stage == REFLECTOR_WATCH,
        .wants_gzip = r->stage == REFLECTOR_LIST,
        .renews_credentials = r->renews_credentials,
    };
}

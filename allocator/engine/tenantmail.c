#include "allocator/engine/tenantmail.h"

#include "allocator/base/container.h"
#include "allocator/base/mem.h"
#include "allocator/discovery/want.h"

/* ---- tenants */

static void dispose_tenant(struct mail *mail)
{
    struct tenant_mail *m = CONTAINER_OF(mail, struct tenant_mail, mail);

    tenant_free(&m->tenant);
    mem_free(m->ns);
    mem_free(m->name);
    mem_free(m);
}

static struct mail *about_tenant(struct span ns, struct span name, struct tenant *tenant)
{
    struct tenant_mail *m = mem_zalloc(sizeof(*m));

    m->mail = (struct mail){ .kind = ENGINE_TENANT, .dispose = dispose_tenant };
    m->ns = mem_strndup(ns.p, ns.len);
    m->name = mem_strndup(name.p, name.len);
    m->tenant = tenant;
    return &m->mail;
}

struct mail *tenantmail_tenant(struct tenant **tenant)
{
    struct tenant *t = *tenant;

    *tenant = NULL;
    return about_tenant(t->ns, t->name, t);
}

struct mail *tenantmail_gone(struct span ns, struct span name)
{
    return about_tenant(ns, name, NULL);
}

/* ---- collectors */

static void dispose_collectors(struct mail *mail)
{
    struct collectors_mail *m = CONTAINER_OF(mail, struct collectors_mail, mail);

    collectorlist_fini(&m->list);
    mem_free(m->ns);
    mem_free(m->name);
    mem_free(m);
}

struct mail *tenantmail_collectors(struct span ns, struct span name, struct collectorlist *list)
{
    struct collectors_mail *m = mem_zalloc(sizeof(*m));

    m->mail = (struct mail){ .kind = ENGINE_COLLECTORS, .dispose = dispose_collectors };
    m->ns = mem_strndup(ns.p, ns.len);
    m->name = mem_strndup(name.p, name.len);
    m->list = *list;
    collectorlist_init(list);
    return &m->mail;
}

static void dispose_gaps(struct mail *mail)
{
    struct gaps_mail *m = CONTAINER_OF(mail, struct gaps_mail, mail);

    gaps_fini(&m->gaps);
    mem_free(m);
}

struct mail *tenantmail_gaps(struct gaps *gaps)
{
    struct gaps_mail *m = mem_zalloc(sizeof(*m));

    m->mail = (struct mail){ .kind = ENGINE_GAPS, .dispose = dispose_gaps };
    m->gaps = *gaps;
    *gaps = (struct gaps){ 0 };
    return &m->mail;
}

struct mail *tenantmail_complete(void)
{
    return want_signal_new(ENGINE_TENANTS_COMPLETE);
}

/* ---- back */

static void dispose_refusal(struct mail *mail)
{
    struct refusal_mail *m = CONTAINER_OF(mail, struct refusal_mail, mail);

    mem_free(m->ns);
    mem_free(m->name);
    mem_free(m);
}

struct mail *tenantmail_refusal(struct span ns, struct span name, const struct err *err)
{
    struct refusal_mail *m = mem_zalloc(sizeof(*m));

    m->mail = (struct mail){ .dispose = dispose_refusal };
    m->ns = mem_strndup(ns.p, ns.len);
    m->name = mem_strndup(name.p, name.len);
    m->err = *err;
    return &m->mail;
}

#include "allocator/scrape/sdtables.h"

#include "allocator/scrape/httpconfig.h"
#include "allocator/scrape/sdconfig.h"

/* One member: name, what it holds, flags, preset. */
#define F(name, kind, flags, preset)                                                               \
    {                                                                                              \
        name, SCHEMA_##kind, flags, preset, NULL, NULL                                             \
    }
#define CHOICE(name, flags, preset, choices)                                                       \
    {                                                                                              \
        name, SCHEMA_CHOICE, flags, preset, NULL, choices                                          \
    }
#define BLOCK(name, kind, flags, fields)                                                           \
    {                                                                                              \
        name, SCHEMA_##kind, flags, NULL, fields, NULL                                             \
    }
#define TEXT(name) F(name, TEXT, 0, NULL)
#define SECRET(name) F(name, SECRET, 0, NULL)
#define REFRESH(preset) F("refresh_interval", DURATION, SCHEMA_POSITIVE, preset)
#define REFRESH_KEPT(preset) F("refresh_interval", DURATION, SCHEMA_POSITIVE | SCHEMA_KEEP, preset)
#define PORT_KEPT F("port", INT, SCHEMA_KEEP, "80")
#define CLIENT BLOCK("", INLINE, 0, httpconfig_fields)
#define END                                                                                        \
    {                                                                                              \
        0                                                                                          \
    }

static const struct schema_field static_fields[] = {
    F("targets", TEXTS, SCHEMA_KEEP, NULL),
    F("labels", LABELS, 0, NULL),
    END,
};

static const struct schema_field filter_fields[] = {
    F("name", TEXT, SCHEMA_KEEP, NULL),
    F("values", TEXTS, SCHEMA_KEEP, NULL),
    END,
};

/* ---- amazon */

static const char *const aws_roles[] = { "ec2", "ecs", "elasticache", "lightsail",
                                         "msk", "rds", NULL };

#define AWS_ACCOUNT                                                                                \
    SECRET("secret_key"), TEXT("access_key"), TEXT("profile"), TEXT("role_arn"), TEXT("external_id")
#define AWS_PLACE F("region", TEXT, SCHEMA_KEEP, NULL), F("endpoint", TEXT, SCHEMA_KEEP, NULL)
#define CONCURRENCY(preset) F("request_concurrency", INT, SCHEMA_POSITIVE, preset)

static const struct schema_field aws_fields[] = {
    CHOICE("role", SCHEMA_KEEP | SCHEMA_REQUIRED, NULL, aws_roles),
    TEXT("region"),
    TEXT("endpoint"),
    AWS_ACCOUNT,
    REFRESH(NULL),
    F("port", INT, 0, NULL),
    BLOCK("filters", LIST, 0, filter_fields),
    F("clusters", TEXTS, 0, NULL),
    CLIENT,
    END,
};

static const struct schema_field ec2_fields[] = {
    AWS_PLACE,
    AWS_ACCOUNT,
    REFRESH("60s"),
    PORT_KEPT,
    BLOCK("filters", LIST, SCHEMA_KEEP, filter_fields),
    CLIENT,
    END,
};

static const struct schema_field ecs_fields[] = {
    AWS_PLACE,
    AWS_ACCOUNT,
    F("clusters", TEXTS, 0, NULL),
    PORT_KEPT,
    REFRESH("60s"),
    CONCURRENCY("20"),
    CLIENT,
    END,
};

/* elasticache and msk */
static const struct schema_field cluster_fields[] = {
    AWS_PLACE,
    AWS_ACCOUNT,
    F("clusters", TEXTS, 0, NULL),
    PORT_KEPT,
    REFRESH("60s"),
    CONCURRENCY("10"),
    CLIENT,
    END,
};

static const struct schema_field lightsail_fields[] = {
    AWS_PLACE, AWS_ACCOUNT, REFRESH("60s"), PORT_KEPT, CLIENT, END,
};

static const struct schema_field rds_fields[] = {
    AWS_PLACE,         AWS_ACCOUNT,    F("clusters", TEXTS, 0, NULL),
    PORT_KEPT,         REFRESH("60s"), BLOCK("filters", LIST, SCHEMA_KEEP, filter_fields),
    CONCURRENCY("10"), CLIENT,         END,
};

/* ---- other clouds */

static const char *const azure_methods[] = { "OAuth", "ManagedIdentity", "SDK", "WorkloadIdentity",
                                             NULL };
static const struct schema_field azure_fields[] = {
    F("environment", TEXT, 0, "AzurePublicCloud"),
    PORT_KEPT,
    F("subscription_id", TEXT, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    TEXT("tenant_id"),
    TEXT("client_id"),
    SECRET("client_secret"),
    REFRESH("5m"),
    CHOICE("authentication_method", SCHEMA_REQUIRED, "OAuth", azure_methods),
    TEXT("resource_group"),
    CLIENT,
    END,
};

static const char *const digitalocean_roles[] = { "droplets", "databases", NULL };
static const struct schema_field digitalocean_fields[] = {
    CLIENT,    REFRESH_KEPT("60s"),
    PORT_KEPT, CHOICE("role", SCHEMA_KEEP | SCHEMA_REQUIRED, "droplets", digitalocean_roles),
    END,
};

static const struct schema_field gce_fields[] = {
    F("project", TEXT, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    F("zone", TEXT, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    TEXT("filter"),
    REFRESH("60s"),
    PORT_KEPT,
    F("tag_separator", TEXT, 0, ","),
    END,
};

static const char *const hetzner_roles[] = { "robot", "hcloud", NULL };
static const struct schema_field hetzner_fields[] = {
    CLIENT,
    REFRESH_KEPT("60s"),
    PORT_KEPT,
    CHOICE("role", SCHEMA_KEEP | SCHEMA_REQUIRED, NULL, hetzner_roles),
    TEXT("label_selector"),
    END,
};

static const struct schema_field ionos_fields[] = {
    F("datacenter_id", TEXT, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    CLIENT,
    REFRESH_KEPT("60s"),
    PORT_KEPT,
    END,
};

static const struct schema_field linode_fields[] = {
    CLIENT, REFRESH_KEPT("60s"), PORT_KEPT, F("tag_separator", TEXT, 0, ","), TEXT("region"), END,
};

static const char *const oci_auths[] = { "api_key", "instance_principal", NULL };
static const struct schema_field oci_fields[] = {
    CHOICE("auth", SCHEMA_REQUIRED, "api_key", oci_auths),
    TEXT("tenancy"),
    TEXT("user"),
    TEXT("fingerprint"),
    F("key_file", PATH, 0, NULL),
    SECRET("key_passphrase"),
    F("key_passphrase_file", PATH, 0, NULL),
    F("region", TEXT, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    F("compartments", TEXTS, 0, NULL),
    CLIENT,
    PORT_KEPT,
    REFRESH_KEPT("60s"),
    END,
};

static const char *const openstack_roles[] = { "instance", "hypervisor", "loadbalancer", NULL };
static const char *const openstack_availabilities[] = { "public", "internal", "admin", NULL };
/* Members of a tls_config block, without the rest of the HTTP client. */
static const struct schema_field openstack_fields[] = {
    F("identity_endpoint", TEXT, SCHEMA_KEEP, NULL),
    F("username", TEXT, SCHEMA_KEEP, NULL),
    F("userid", TEXT, SCHEMA_KEEP, NULL),
    F("password", SECRET, SCHEMA_KEEP, NULL),
    F("project_name", TEXT, SCHEMA_KEEP, NULL),
    F("project_id", TEXT, SCHEMA_KEEP, NULL),
    F("domain_name", TEXT, SCHEMA_KEEP, NULL),
    F("domain_id", TEXT, SCHEMA_KEEP, NULL),
    F("application_credential_name", TEXT, SCHEMA_KEEP, NULL),
    F("application_credential_id", TEXT, SCHEMA_KEEP, NULL),
    F("application_credential_secret", SECRET, SCHEMA_KEEP, NULL),
    CHOICE("role", SCHEMA_KEEP | SCHEMA_REQUIRED, NULL, openstack_roles),
    F("region", TEXT, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    REFRESH_KEPT("60s"),
    PORT_KEPT,
    F("all_tenants", BOOL, 0, NULL),
    BLOCK("tls_config", MAP, 0, httpconfig_tls_fields),
    CHOICE("availability", SCHEMA_REQUIRED, "public", openstack_availabilities),
    END,
};

static const struct schema_field outscale_fields[] = {
    TEXT("endpoint"),
    F("region", TEXT, SCHEMA_KEEP | SCHEMA_REQUIRED, "eu-west-2"),
    F("access_key", TEXT, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    F("secret_key", SECRET, SCHEMA_KEEP, NULL),
    F("secret_key_file", PATH, SCHEMA_KEEP, NULL),
    REFRESH("60s"),
    PORT_KEPT,
    CLIENT,
    END,
};

static const char *const ovhcloud_services[] = { "dedicated_server", "vps", NULL };
static const struct schema_field ovhcloud_fields[] = {
    F("endpoint", TEXT, SCHEMA_KEEP | SCHEMA_REQUIRED, "ovh-eu"),
    F("application_key", TEXT, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    F("application_secret", SECRET, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    F("consumer_key", SECRET, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    REFRESH_KEPT("60s"),
    CHOICE("service", SCHEMA_KEEP | SCHEMA_REQUIRED, NULL, ovhcloud_services),
    END,
};

static const char *const scaleway_roles[] = { "instance", "baremetal", NULL };
static const struct schema_field scaleway_fields[] = {
    F("project_id", TEXT, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    F("api_url", TEXT, 0, "https://api.scaleway.com"),
    F("zone", TEXT, SCHEMA_KEEP, "fr-par-1"),
    F("access_key", TEXT, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    F("secret_key", SECRET, SCHEMA_KEEP, NULL),
    F("secret_key_file", PATH, SCHEMA_KEEP, NULL),
    TEXT("name_filter"),
    F("tags_filter", TEXTS, 0, NULL),
    CLIENT,
    REFRESH_KEPT("60s"),
    PORT_KEPT,
    CHOICE("role", SCHEMA_KEEP | SCHEMA_REQUIRED, NULL, scaleway_roles),
    END,
};

static const struct schema_field stackit_fields[] = {
    CLIENT,
    F("project", TEXT, SCHEMA_KEEP, NULL),
    REFRESH("60s"),
    F("port", INT, 0, "80"),
    F("region", TEXT, 0, "eu01"),
    TEXT("endpoint"),
    SECRET("service_account_key"),
    SECRET("private_key"),
    F("service_account_key_path", PATH, 0, NULL),
    F("private_key_path", PATH, 0, NULL),
    F("credentials_file_path", PATH, 0, NULL),
    END,
};

static const char *const triton_roles[] = { "container", "cn", NULL };
static const struct schema_field triton_fields[] = {
    F("account", TEXT, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    CHOICE("role", SCHEMA_KEEP | SCHEMA_REQUIRED, "container", triton_roles),
    F("dns_suffix", TEXT, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    F("endpoint", TEXT, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    F("groups", TEXTS, 0, NULL),
    F("port", INT, SCHEMA_KEEP, "9163"),
    REFRESH("60s"),
    BLOCK("tls_config", MAP, 0, httpconfig_tls_fields),
    F("version", INT, SCHEMA_KEEP, "1"),
    END,
};

static const struct schema_field vultr_fields[] = { CLIENT, REFRESH_KEPT("60s"), PORT_KEPT, END };

/* ---- registries and orchestrators */

static const struct schema_field consul_fields[] = {
    F("server", TEXT, 0, "localhost:8500"),
    TEXT("path_prefix"),
    SECRET("token"),
    TEXT("datacenter"),
    TEXT("namespace"),
    TEXT("partition"),
    F("tag_separator", TEXT, 0, ","),
    F("scheme", TEXT, 0, "http"),
    TEXT("username"),
    SECRET("password"),
    F("allow_stale", BOOL, SCHEMA_KEEP, "true"),
    REFRESH("30s"),
    F("services", TEXTS, 0, NULL),
    F("tags", TEXTS, 0, NULL),
    F("node_meta", TEXT_MAP, 0, NULL),
    TEXT("filter"),
    TEXT("health_filter"),
    CLIENT,
    END,
};

static const struct schema_field docker_fields[] = {
    CLIENT,
    F("host", TEXT, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    PORT_KEPT,
    BLOCK("filters", LIST, SCHEMA_KEEP, filter_fields),
    F("host_networking_host", TEXT, SCHEMA_KEEP, "localhost"),
    REFRESH_KEPT("60s"),
    F("match_first_network", BOOL, SCHEMA_KEEP, "true"),
    END,
};

static const char *const dockerswarm_roles[] = { "tasks", "services", "nodes", NULL };
static const struct schema_field dockerswarm_fields[] = {
    CLIENT,
    F("host", TEXT, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    CHOICE("role", SCHEMA_KEEP | SCHEMA_REQUIRED, NULL, dockerswarm_roles),
    PORT_KEPT,
    BLOCK("filters", LIST, SCHEMA_KEEP, filter_fields),
    REFRESH_KEPT("60s"),
    END,
};

static const struct schema_field eureka_fields[] = {
    F("server", TEXT, SCHEMA_REQUIRED, NULL),
    CLIENT,
    REFRESH("30s"),
    END,
};

static const char *const kubernetes_roles[] = { "pod",  "service", "endpoints", "endpointslice",
                                                "node", "ingress", NULL };
static const struct schema_field kubernetes_namespaces[] = {
    F("own_namespace", BOOL, SCHEMA_KEEP, NULL),
    F("names", TEXTS, SCHEMA_KEEP, NULL),
    END,
};
static const struct schema_field kubernetes_selectors[] = {
    CHOICE("role", SCHEMA_REQUIRED, NULL, kubernetes_roles),
    TEXT("label"),
    TEXT("field"),
    END,
};
static const struct schema_field kubernetes_metadata[] = {
    F("node", BOOL, SCHEMA_KEEP, NULL),       F("namespace", BOOL, SCHEMA_KEEP, NULL),
    F("deployment", BOOL, SCHEMA_KEEP, NULL), F("job", BOOL, SCHEMA_KEEP, NULL),
    F("cronjob", BOOL, SCHEMA_KEEP, NULL),    END,
};
static const struct schema_field kubernetes_fields[] = {
    F("api_server", URL, 0, NULL),
    CHOICE("role", SCHEMA_KEEP | SCHEMA_REQUIRED, NULL, kubernetes_roles),
    F("kubeconfig_file", PATH, SCHEMA_KEEP, NULL),
    CLIENT,
    BLOCK("namespaces", MAP, 0, kubernetes_namespaces),
    BLOCK("selectors", LIST, 0, kubernetes_selectors),
    BLOCK("attach_metadata", MAP, 0, kubernetes_metadata),
    END,
};

static const struct schema_field kuma_fields[] = {
    CLIENT,
    REFRESH("15s"),
    F("fetch_timeout", DURATION, 0, "2m"),
    F("server", TEXT, SCHEMA_REQUIRED, NULL),
    TEXT("client_id"),
    END,
};

static const struct schema_field marathon_fields[] = {
    F("servers", TEXTS, SCHEMA_REQUIRED, NULL), REFRESH("30s"), SECRET("auth_token"),
    F("auth_token_file", PATH, 0, NULL),        CLIENT,         END,
};

static const struct schema_field nomad_fields[] = {
    F("allow_stale", BOOL, SCHEMA_KEEP, "true"),
    CLIENT,
    F("namespace", TEXT, SCHEMA_KEEP, "default"),
    REFRESH_KEPT("60s"),
    F("region", TEXT, SCHEMA_KEEP, "global"),
    F("server", TEXT, SCHEMA_KEEP, "http://localhost:4646"),
    F("tag_separator", TEXT, 0, ","),
    END,
};

static const struct schema_field puppetdb_fields[] = {
    CLIENT,
    REFRESH("60s"),
    F("url", URL, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    F("query", TEXT, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    F("include_parameters", BOOL, SCHEMA_KEEP, NULL),
    PORT_KEPT,
    END,
};

static const struct schema_field uyuni_fields[] = {
    F("server", URL, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    F("username", TEXT, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    F("password", SECRET, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    CLIENT,
    F("entitlement", TEXT, 0, "monitoring_entitled"),
    F("separator", TEXT, 0, ","),
    REFRESH("1m"),
    END,
};

/* serverset and nerve */
static const struct schema_field zookeeper_fields[] = {
    F("servers", TEXTS, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    F("paths", TEXTS, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    F("timeout", DURATION, 0, "10s"),
    END,
};

/* ---- generic */

static const struct schema_field dns_fields[] = {
    F("names", TEXTS, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    REFRESH("30s"),
    F("type", TEXT, SCHEMA_KEEP, "SRV"),
    F("port", INT, SCHEMA_KEEP, NULL),
    END,
};

static const struct schema_field file_fields[] = {
    F("files", PATHS, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    REFRESH("5m"),
    END,
};

static const struct schema_field http_fields[] = {
    CLIENT,
    REFRESH("60s"),
    F("url", URL, SCHEMA_KEEP | SCHEMA_REQUIRED, NULL),
    END,
};

/* section, members, rule about several of them, has the HTTP client block */
#define SECTIONS(S)                                                                                \
    S("static_configs", static_fields, NULL, false)                                                \
    S("aws_sd_configs", aws_fields, NULL, true)                                                    \
    S("azure_sd_configs", azure_fields, sdrules_azure, true)                                       \
    S("consul_sd_configs", consul_fields, sdrules_consul, true)                                    \
    S("digitalocean_sd_configs", digitalocean_fields, NULL, true)                                  \
    S("dns_sd_configs", dns_fields, sdrules_dns, false)                                            \
    S("docker_sd_configs", docker_fields, NULL, true)                                              \
    S("dockerswarm_sd_configs", dockerswarm_fields, NULL, true)                                    \
    S("ec2_sd_configs", ec2_fields, sdrules_ec2, true)                                             \
    S("ecs_sd_configs", ecs_fields, NULL, true)                                                    \
    S("elasticache_sd_configs", cluster_fields, NULL, true)                                        \
    S("eureka_sd_configs", eureka_fields, sdrules_server_url, true)                                \
    S("file_sd_configs", file_fields, sdrules_file, false)                                         \
    S("gce_sd_configs", gce_fields, NULL, false)                                                   \
    S("hetzner_sd_configs", hetzner_fields, NULL, true)                                            \
    S("http_sd_configs", http_fields, sdrules_http, true)                                          \
    S("ionos_sd_configs", ionos_fields, NULL, true)                                                \
    S("kubernetes_sd_configs", kubernetes_fields, sdrules_kubernetes, true)                        \
    S("kuma_sd_configs", kuma_fields, sdrules_server_url, true)                                    \
    S("lightsail_sd_configs", lightsail_fields, NULL, true)                                        \
    S("linode_sd_configs", linode_fields, NULL, true)                                              \
    S("marathon_sd_configs", marathon_fields, sdrules_marathon, true)                              \
    S("msk_sd_configs", cluster_fields, NULL, true)                                                \
    S("nerve_sd_configs", zookeeper_fields, sdrules_zookeeper, false)                              \
    S("nomad_sd_configs", nomad_fields, sdrules_nomad, true)                                       \
    S("oci_sd_configs", oci_fields, sdrules_oci, true)                                             \
    S("openstack_sd_configs", openstack_fields, NULL, false)                                       \
    S("outscale_sd_configs", outscale_fields, sdrules_one_secret_key, true)                        \
    S("ovhcloud_sd_configs", ovhcloud_fields, NULL, false)                                         \
    S("puppetdb_sd_configs", puppetdb_fields, sdrules_http, true)                                  \
    S("rds_sd_configs", rds_fields, NULL, true)                                                    \
    S("scaleway_sd_configs", scaleway_fields, sdrules_one_secret_key, true)                        \
    S("serverset_sd_configs", zookeeper_fields, sdrules_zookeeper, false)                          \
    S("stackit_sd_configs", stackit_fields, sdrules_stackit, true)                                 \
    S("triton_sd_configs", triton_fields, NULL, false)                                             \
    S("uyuni_sd_configs", uyuni_fields, NULL, true)                                                \
    S("vultr_sd_configs", vultr_fields, NULL, true)

#define AS_TABLE(section, fields, check, has_client) { section, fields, check, has_client },
#define AS_FIELD(section, fields, check, has_client) BLOCK(section, LIST, 0, fields),
#define AS_NAME(section, fields, check, has_client) section,

const struct sdtable sdtables[] = { SECTIONS(AS_TABLE){ 0 } };
const struct schema_field sdtables_fields[] = { SECTIONS(AS_FIELD) END };
const char *const sdconfig_sections[] = { SECTIONS(AS_NAME) NULL };

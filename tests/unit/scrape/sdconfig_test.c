#include "allocator/scrape/sdconfig.h"

#include "allocator/codec/yamldoc.h"
#include "allocator/scrape/sdtables.h"
#include "tests/check.h"

/* A scrape config with one section, and where its first fault is; "" when there is none: compared
 * with what Prometheus 3.16 accepts and refuses. */
static void test_rules(void)
{
    static const struct {
        const char *yaml, *path;
    } t[] = {
        { "static_configs: [{targets: [a/b]}]", "static_configs[0].targets[0]" },
        { "static_configs: [null]", "static_configs[0]" },
        { "static_configs: [{}]", "" },
        { "static_configs: {}", "static_configs" },
        { "static_configs: [a]", "static_configs[0]" },
        { "static_configs: [{targets: a}]", "static_configs[0].targets" },
        { "static_configs: [{target: [a]}]", "static_configs[0]" },
        { "static_configs: [{targets: [null]}]", "" },
        { "static_configs: [{targets: [1]}]", "" },
        { "static_configs: [{targets: [[a]]}]", "static_configs[0].targets[0]" },
        { "static_configs: [{targets: [a], labels: {'': x}}]", "static_configs[0].labels" },
        { "static_configs: [{targets: [a], labels: {'a b': x}}]", "" },
        { "static_configs: [{targets: [a], labels: {a: [x]}}]", "static_configs[0].labels.a" },
        { "static_configs: [{targets: [a], labels: {a: null}}]", "" },
        { "static_configs: [{targets: [a], labels: [a]}]", "static_configs[0].labels" },
        { "file_sd_configs: [{}]", "file_sd_configs[0].files" },
        { "file_sd_configs: [{files: []}]", "file_sd_configs[0].files" },
        { "file_sd_configs: [{files: [a]}]", "file_sd_configs[0].files[0]" },
        { "file_sd_configs: [{files: [a.yml]}]", "" },
        { "file_sd_configs: [{files: ['*/a.yml']}]", "file_sd_configs[0].files[0]" },
        { "file_sd_configs: [{files: ['a/*/*.yml']}]", "file_sd_configs[0].files[0]" },
        { "file_sd_configs: [{files: ['a/*.Yml']}]", "file_sd_configs[0].files[0]" },
        { "file_sd_configs: [{files: ['.yml']}]", "" },
        { "file_sd_configs: [{files: ['a/**.YAML']}]", "" },
        { "file_sd_configs: [{files: ['a[*].json']}]", "" },
        { "file_sd_configs: [{file: [a.yml]}]", "file_sd_configs[0]" },
        { "file_sd_configs: [{files: [a.yml], refresh_interval: x}]",
          "file_sd_configs[0].refresh_interval" },
        { "http_sd_configs: [{}]", "http_sd_configs[0].url" },
        { "http_sd_configs: [null]", "http_sd_configs[0]" },
        { "http_sd_configs: [{url: ''}]", "http_sd_configs[0].url" },
        { "http_sd_configs: [{url: 'ftp://x'}]", "http_sd_configs[0].url" },
        { "http_sd_configs: [{url: 'http:///x'}]", "http_sd_configs[0].url" },
        { "http_sd_configs: [{url: 'HTTP://x'}]", "" },
        { "http_sd_configs: [{url: 'x'}]", "http_sd_configs[0].url" },
        { "http_sd_configs: [{url: 'HttpS://x'}]", "" },
        { "http_sd_configs: [{url: 'https://x'}]", "" },
        { "http_sd_configs: [{url: 'htt://x'}]", "http_sd_configs[0].url" },
        { "http_sd_configs: [{url: 'httpx://x'}]", "http_sd_configs[0].url" },
        { "http_sd_configs: [{url: 'httpss://x'}]", "http_sd_configs[0].url" },
        { "http_sd_configs: [{url: 'file://x'}]", "http_sd_configs[0].url" },
        { "http_sd_configs: [{url: 'http://x', basic_auth: {}, authorization: {}}]",
          "http_sd_configs[0].authorization" },
        { "http_sd_configs: [{url: 'http://x', foo: 1}]", "http_sd_configs[0]" },
        { "kubernetes_sd_configs: [{}]", "kubernetes_sd_configs[0].role" },
        { "kubernetes_sd_configs: [{role: x}]", "kubernetes_sd_configs[0].role" },
        { "kubernetes_sd_configs: [{role: Pod}]", "kubernetes_sd_configs[0].role" },
        { "kubernetes_sd_configs: [{role: pod, bearer_token: x}]",
          "kubernetes_sd_configs[0].api_server" },
        { "kubernetes_sd_configs: [{role: pod, follow_redirects: true}]", "" },
        { "kubernetes_sd_configs: [{role: pod, follow_redirects: false}]",
          "kubernetes_sd_configs[0].api_server" },
        { "kubernetes_sd_configs: [{role: pod, api_server: 'http://x', bearer_token: x}]", "" },
        { "kubernetes_sd_configs: [{role: pod, api_server: 'http://x', kubeconfig_file: x}]",
          "kubernetes_sd_configs[0].kubeconfig_file" },
        { "kubernetes_sd_configs: [{role: pod, kubeconfig_file: x, tls_config: {ca_file: x}}]",
          "kubernetes_sd_configs[0].kubeconfig_file" },
        { "kubernetes_sd_configs: [{role: pod, kubeconfig_file: x, tls_config: {}}]", "" },
        { "kubernetes_sd_configs: [{role: pod, kubeconfig_file: x, namespaces: {own_namespace: "
          "true}}]",
          "kubernetes_sd_configs[0].namespaces" },
        { "kubernetes_sd_configs: [{role: pod, api_server: 'http://x', namespaces: {own_namespace: "
          "true}}]",
          "kubernetes_sd_configs[0].namespaces" },
        { "kubernetes_sd_configs: [{role: pod, namespaces: {own_namespace: true, names: [a]}}]",
          "" },
        { "kubernetes_sd_configs: [{role: pod, namespaces: {name: [a]}}]",
          "kubernetes_sd_configs[0].namespaces" },
        { "kubernetes_sd_configs: [{role: pod, namespaces: [a]}]",
          "kubernetes_sd_configs[0].namespaces" },
        { "kubernetes_sd_configs: [{role: pod, selectors: [{role: pod}, {role: pod}]}]",
          "kubernetes_sd_configs[0].selectors[1]" },
        { "kubernetes_sd_configs: [{role: pod, selectors: [{role: node}]}]", "" },
        { "kubernetes_sd_configs: [{role: pod, selectors: [{role: service}]}]",
          "kubernetes_sd_configs[0].selectors[0]" },
        { "kubernetes_sd_configs: [{role: endpoints, selectors: [{role: endpointslice}]}]",
          "kubernetes_sd_configs[0].selectors[0]" },
        { "kubernetes_sd_configs: [{role: pod, selectors: [{role: pod, label: 'a=b,c in (d,e)', "
          "field: 'x=y'}]}]",
          "" },
        { "kubernetes_sd_configs: [{role: pod, selectors: [{role: pod, label: 'a=='}]}]", "" },
        { "kubernetes_sd_configs: [{role: pod, selectors: [{role: pod, label: 'a in b'}]}]",
          "kubernetes_sd_configs[0].selectors[0].label" },
        { "kubernetes_sd_configs: [{role: pod, selectors: [{role: pod, field: 'a'}]}]",
          "kubernetes_sd_configs[0].selectors[0].field" },
        { "kubernetes_sd_configs: [{role: pod, selectors: [{}]}]",
          "kubernetes_sd_configs[0].selectors[0].role" },
        { "kubernetes_sd_configs: [{role: pod, attach_metadata: {node: true, foo: true}}]",
          "kubernetes_sd_configs[0].attach_metadata" },
        { "kubernetes_sd_configs: [{role: pod, attach_metadata: {node: x}}]",
          "kubernetes_sd_configs[0].attach_metadata.node" },
        { "dns_sd_configs: [{names: []}]", "dns_sd_configs[0].names" },
        { "dns_sd_configs: [{names: [a], type: A}]", "dns_sd_configs[0].port" },
        { "dns_sd_configs: [{names: [a], type: a, port: 1}]", "" },
        { "dns_sd_configs: [{names: [a], type: X}]", "dns_sd_configs[0].type" },
        { "dns_sd_configs: [{names: [a], type: ''}]", "dns_sd_configs[0].type" },
        { "dns_sd_configs: [{names: [a], type: srv}]", "" },
        { "dns_sd_configs: [{name: a}]", "dns_sd_configs[0]" },
        { "consul_sd_configs: [{}]", "" },
        { "consul_sd_configs: [{server: ' '}]", "consul_sd_configs[0].server" },
        { "consul_sd_configs: [{username: a, basic_auth: {}}]", "consul_sd_configs[0].basic_auth" },
        { "consul_sd_configs: [{username: a}]", "" },
        { "consul_sd_configs: [{token: a, authorization: {}}]", "consul_sd_configs[0].token" },
        { "consul_sd_configs: [{token: a, bearer_token: b}]", "" },
        { "consul_sd_configs: [{node_meta: {a: 1}}]", "" },
        { "azure_sd_configs: [{}]", "azure_sd_configs[0].subscription_id" },
        { "azure_sd_configs: [{subscription_id: a, authentication_method: SDK}]", "" },
        { "azure_sd_configs: [{subscription_id: a}]", "azure_sd_configs[0].tenant_id" },
        { "azure_sd_configs: [{subscription_id: a, authentication_method: X}]",
          "azure_sd_configs[0].authentication_method" },
        { "aws_sd_configs: [{}]", "aws_sd_configs[0].role" },
        { "aws_sd_configs: [{role: x}]", "aws_sd_configs[0].role" },
        { "aws_sd_configs: [{role: ec2, filters: [{name: a, values: []}]}]", "" },
        { "ec2_sd_configs: [{}]", "" },
        { "ec2_sd_configs: [{filters: [{name: a}]}]", "ec2_sd_configs[0].filters[0]" },
        { "rds_sd_configs: [{filters: [{name: a}]}]", "" },
        { "ecs_sd_configs: [{request_concurrency: 0}]", "ecs_sd_configs[0].request_concurrency" },
        { "msk_sd_configs: [{request_concurrency: 1}]", "" },
        { "docker_sd_configs: [{}]", "docker_sd_configs[0].host" },
        { "docker_sd_configs: [{host: x}]", "" },
        { "dockerswarm_sd_configs: [{host: x}]", "dockerswarm_sd_configs[0].role" },
        { "dockerswarm_sd_configs: [{host: x, role: y}]", "dockerswarm_sd_configs[0].role" },
        { "eureka_sd_configs: [{server: x}]", "eureka_sd_configs[0].server" },
        { "eureka_sd_configs: [{server: 'http://x'}]", "" },
        { "gce_sd_configs: [{project: x}]", "gce_sd_configs[0].zone" },
        { "hetzner_sd_configs: [{}]", "hetzner_sd_configs[0].role" },
        { "hetzner_sd_configs: [{role: x}]", "hetzner_sd_configs[0].role" },
        { "ionos_sd_configs: [{}]", "ionos_sd_configs[0].datacenter_id" },
        { "kuma_sd_configs: [{}]", "kuma_sd_configs[0].server" },
        { "kuma_sd_configs: [{server: x}]", "kuma_sd_configs[0].server" },
        { "linode_sd_configs: [{}]", "" },
        { "marathon_sd_configs: [{}]", "marathon_sd_configs[0].servers" },
        { "marathon_sd_configs: [{servers: [a], auth_token: a, auth_token_file: b}]",
          "marathon_sd_configs[0].auth_token_file" },
        { "marathon_sd_configs: [{servers: [a], auth_token: a, bearer_token: b}]",
          "marathon_sd_configs[0].bearer_token" },
        { "nerve_sd_configs: [{servers: [a], paths: [b]}]", "nerve_sd_configs[0].paths[0]" },
        { "serverset_sd_configs: [{servers: [], paths: [/b]}]", "serverset_sd_configs[0].servers" },
        { "nomad_sd_configs: [{server: ''}]", "nomad_sd_configs[0].server" },
        { "oci_sd_configs: [{region: r}]", "oci_sd_configs[0].tenancy" },
        { "oci_sd_configs: [{region: r, auth: x}]", "oci_sd_configs[0].auth" },
        { "oci_sd_configs: [{region: r, auth: instance_principal, user: x}]",
          "oci_sd_configs[0].user" },
        { "oci_sd_configs: [{region: r, auth: instance_principal, compartments: ['']}]",
          "oci_sd_configs[0].compartments[0]" },
        { "oci_sd_configs: [{region: r, auth: instance_principal, refresh_interval: 0}]",
          "oci_sd_configs[0].refresh_interval" },
        { "openstack_sd_configs: [{role: instance}]", "openstack_sd_configs[0].region" },
        { "openstack_sd_configs: [{role: instance, region: r, availability: x}]",
          "openstack_sd_configs[0].availability" },
        { "openstack_sd_configs: [{role: instance, region: r, availability: ''}]",
          "openstack_sd_configs[0].availability" },
        { "outscale_sd_configs: [{access_key: a}]", "outscale_sd_configs[0].secret_key" },
        { "outscale_sd_configs: [{access_key: a, secret_key: b, secret_key_file: c}]",
          "outscale_sd_configs[0].secret_key_file" },
        { "ovhcloud_sd_configs: [{application_key: a, application_secret: b, consumer_key: c, "
          "service: x}]",
          "ovhcloud_sd_configs[0].service" },
        { "puppetdb_sd_configs: [{url: 'http://x'}]", "puppetdb_sd_configs[0].query" },
        { "puppetdb_sd_configs: [{url: 'x', query: y}]", "puppetdb_sd_configs[0].url" },
        { "scaleway_sd_configs: [{role: instance}]", "scaleway_sd_configs[0].project_id" },
        { "stackit_sd_configs: [{region: ''}]", "stackit_sd_configs[0].region" },
        { "stackit_sd_configs: [{}]", "" },
        { "stackit_sd_configs: [{endpoint: 'https://x'}]", "" },
        { "stackit_sd_configs: [{endpoint: x}]", "" },
        { "stackit_sd_configs: [{endpoint: '::x'}]", "stackit_sd_configs[0].endpoint" },
        { "stackit_sd_configs: [{endpoint: 'http://[::1'}]", "stackit_sd_configs[0].endpoint" },
        { "stackit_sd_configs: [{endpoint: 'a b%zz'}]", "stackit_sd_configs[0].endpoint" },
        { "triton_sd_configs: [{account: a, dns_suffix: b}]", "triton_sd_configs[0].endpoint" },
        { "triton_sd_configs: [{account: a, dns_suffix: b, endpoint: c, role: x}]",
          "triton_sd_configs[0].role" },
        { "uyuni_sd_configs: [{server: 'http://x', username: a}]", "uyuni_sd_configs[0].password" },
        { "vultr_sd_configs: [{}]", "" },
        { "vultr_sd_configs: {}", "vultr_sd_configs" },
        { "vultr_sd_configs: null", "" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct sdconfigs found = { 0 };
        struct node *root = NULL;
        struct arena arena;
        struct faults f;
        arena_init(&arena);
        faults_init(&f);
        is_int(yamldoc_parse(span_of(t[i].yaml), &arena, &root, NULL), 0, "%s", t[i].yaml);
        sdconfig_parse_all(root, false, true, &arena, &f, &found);
        is_str(f.n == 0 ? "" : f.v[0].path, t[i].path, "%s", t[i].yaml);
        ok(f.n == 0 || found.n == 0, "what has a fault is not run");
        faults_fini(&f);
        arena_fini(&arena);
    }
}

/* Every section has its table under the same name, and knows its refresh_interval or has none. */
static void test_tables(void)
{
    size_t n = 0;

    for (; sdconfig_sections[n] != NULL; n++) {
        is_str(sdtables[n].section, sdconfig_sections[n], "table %zu", n);
        is_str(sdtables_fields[n].name, sdconfig_sections[n], "member %zu", n);
    }
    is_int(n, 37, "static_configs and 36 mechanisms");
    ok(sdtables[n].section == NULL && sdtables_fields[n].name == NULL, "ended");
}

int main(void)
{
    test_rules();
    test_tables();
    return check_done();
}

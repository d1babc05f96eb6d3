#include "webhook/cli/optiontable.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/shard/strategy.h"

#include <strings.h>

/* ---- words */

static const struct flag_word tls_versions[] = { { "1.2", 0 }, { "1.3", 1 }, { NULL, 0 } };
static const struct flag_word hash_versions[] = { { "v1", 0 }, { "v0", 1 }, { NULL, 0 } };
static const struct flag_word rewrite_styles[] = { { "inline", 0 },
                                                   { "target-allocator", 1 },
                                                   { NULL, 0 } };
static const struct flag_word untakable[] = { { "keep", 0 }, { "deny", 1 }, { NULL, 0 } };
static const struct flag_word file_jobs[] = { { "take", 0 }, { "leave", 1 }, { NULL, 0 } };
static const struct flag_word url_styles[] = { { "documented", WIRE_DOCUMENTED },
                                               { "qualified", WIRE_QUALIFIED },
                                               { "shared", WIRE_SHARED },
                                               { NULL, 0 } };
static const struct flag_word output_forms[] = { { "yaml", OUTPUT_YAML },
                                                 { "json", OUTPUT_JSON },
                                                 { "diff", OUTPUT_DIFF },
                                                 { "json-patch", OUTPUT_JSON_PATCH },
                                                 { NULL, 0 } };
static const struct flag_word output_tables[] = { { "table", OUTPUT_DEFAULT },
                                                  { "json", OUTPUT_JSON },
                                                  { NULL, 0 } };
static const struct flag_word output_texts[] = { { "text", OUTPUT_DEFAULT },
                                                 { "json", OUTPUT_JSON },
                                                 { NULL, 0 } };
static const struct flag_word colours[] = {
    { "auto", COLOUR_AUTO }, { "always", COLOUR_ALWAYS }, { "never", COLOUR_NEVER }, { NULL, 0 }
};
static const struct flag_word output_json[] = { { "json", OUTPUT_JSON }, { NULL, 0 } };
static const struct flag_word log_levels[] = { { "error", LOG_ERROR },
                                               { "warn", LOG_WARN },
                                               { "info", LOG_INFO },
                                               { "debug", LOG_DEBUG },
                                               { NULL, 0 } };
static const struct flag_word zap_levels[] = { { "error", LOG_ERROR }, { "warn", LOG_WARN },
                                               { "info", LOG_INFO },   { "debug", LOG_DEBUG },
                                               { "panic", LOG_ERROR }, { NULL, 0 } };
static const struct flag_word log_formats[] = {
    { "json", LOG_JSON }, { "logfmt", LOG_LOGFMT }, { "pretty", LOG_PRETTY }, { NULL, 0 }
};
static const struct flag_word zap_encoders[] = { { "json", LOG_JSON },
                                                 { "console", LOG_PRETTY },
                                                 { NULL, 0 } };

static const char *strategy_name(size_t i)
{
    return strategies[i] == NULL ? NULL : strategies[i]->name;
}

/* ---- values that only one flag has */

/* Given twice, the last one counts. */
static int read_collectors(const struct flagvalue *v, void *field)
{
    struct collectors_option *out = field;
    struct err err = { 0 };

    collectorlist_fini(&out->list);
    collectorlist_init(&out->list);
    out->count = 0;
    if (v->text[strspn(v->text, "0123456789")] == '\0') {
        return flagvalue_number(v, 1, LIMIT_COLLECTORS, &out->count);
    }
    return collectorlist_parse(&out->list, span_of(v->text), &err) < 0
               ? flagvalue_refuse(v, err.text)
               : 0;
}

/* As controller-runtime: any case, and a positive number is a degree of debugging. */
static int read_zap_level(const struct flagvalue *v, void *field)
{
    struct flag_choice *out = field;

    if (v->text[0] >= '1' && v->text[0] <= '9' && v->text[strspn(v->text, "0123456789")] == '\0') {
        *out = (struct flag_choice){ true, LOG_DEBUG };
        return 0;
    }
    for (const struct flag_word *w = v->row->words; w->word != NULL; w++) {
        if (strcasecmp(v->text, w->word) == 0) {
            *out = (struct flag_choice){ true, w->value };
            return 0;
        }
    }
    return flagvalue_choice(v, field);
}

static int read_zap_devel(const struct flagvalue *v, void *field)
{
    struct log_options *log = field;
    struct flag_switch devel;
    int rc = flagvalue_switch(v, &devel);

    if (rc == 0 && devel.is_on) {
        *log = (struct log_options){ { true, LOG_DEBUG }, { true, LOG_PRETTY } };
    }
    return rc;
}

static int read_recursive(const struct flagvalue *v, void *field)
{
    struct flag_switch given;
    int rc = flagvalue_switch(v, &given);

    *(bool *)field = rc == 0 && given.is_on;
    return rc;
}

static int ignore(const struct flagvalue *v, void *field)
{
    (void)v;
    (void)field;
    return 0;
}

/* ---- the table */

#define FOR(command) (1u << (command))
#define FOR_SERVE FOR(COMMAND_SERVE)
#define FOR_TEXT (FOR(COMMAND_REWRITE) | FOR(COMMAND_RESTORE))
#define FOR_INSPECT (FOR(COMMAND_ALLOCATE) | FOR(COMMAND_EXPLAIN))
#define FOR_FILES (FOR_TEXT | FOR_INSPECT | FOR(COMMAND_VALIDATE))
#define FOR_REPORT                                                                                 \
    (FOR(COMMAND_VERSION) | FOR(COMMAND_VALIDATE) | FOR(COMMAND_CHECK_CONFIG) |                    \
     FOR(COMMAND_EXPLAIN) | FOR(COMMAND_CERTS_SHOW) | FOR(COMMAND_CERTS_ROTATE))
#define FOR_JSON FOR(COMMAND_CHECK_SD)
#define FOR_CERTS (FOR(COMMAND_CERTS_CA) | FOR(COMMAND_CERTS_SHOW) | FOR(COMMAND_CERTS_ROTATE))
#define FOR_ALL UINT32_MAX
#define TO(member) offsetof(struct options, member)

const struct flag_row flag_rows[] = {
    { "filename", 'f', FOR_SERVE | FOR_FILES, "FILE",
      "Collector manifests, YAML or JSON; repeatable; '-' is standard input", flagvalue_append,
      .field = TO(filenames) },
    { "recursive", 'R', FOR_SERVE | FOR_FILES, "", "folders of -f with those in them",
      read_recursive, .field = TO(is_recursive) },
    { "collectors", 0, FOR_SERVE | FOR_INSPECT, "LIST|N",
      "collector names a,b@NODE,c=ADDRESS,…, or how many (default: spec.replicas of the manifest, "
      "or the pods of a drop-in file's selector)",
      read_collectors, .field = TO(collectors) },
    { "config-file", 0, FOR_INSPECT, "FILE", "upstream's targetallocator.yaml, instead of -f",
      flagvalue_text, .field = TO(config_file) },
    { "config-file", 0, FOR_SERVE, "FILE",
      "upstream's targetallocator.yaml: drop-in mode (default: /conf/targetallocator.yaml if it "
      "exists)",
      flagvalue_text, .field = TO(config_file) },
    { "listen", 0, FOR_SERVE, "ADDR",
      "HTTP SD and the rest of the allocator API (default :8080; port 0 picks one)", flagvalue_text,
      .field = TO(serve.listen), .group = FLAG_LISTENERS },
    { "listen-addr", 0, FOR_SERVE, NULL, NULL, flagvalue_text, .field = TO(serve.listen),
      .group = FLAG_LISTENERS },
    { "webhook-listen", 0, FOR_SERVE, "ADDR",
      "HTTPS for /mutate (default :9443, in drop-in mode off)", flagvalue_text,
      .field = TO(serve.webhook_listen), .group = FLAG_LISTENERS },
    { "cert-dir", 0, FOR_CERTS, "DIR", "the directory that 'serve --cert-dir' keeps",
      flagvalue_text, .field = TO(certs.dir), .group = FLAG_CERTIFICATES },
    { "cert-dir", 0, FOR_SERVE, "DIR",
      "tls.crt and tls.key of the webhook; made and kept here when the directory is empty "
      "(default: in memory)",
      flagvalue_text, .field = TO(certs.dir), .group = FLAG_CERTIFICATES },
    { "tls-cert-file", 0, FOR_SERVE | FOR_CERTS, "FILE",
      "certificate of the webhook, instead of --cert-dir", flagvalue_text,
      .field = TO(certs.cert_file), .group = FLAG_CERTIFICATES },
    { "tls-key-file", 0, FOR_SERVE | FOR_CERTS, "FILE", "its private key", flagvalue_text,
      .field = TO(certs.key_file), .group = FLAG_CERTIFICATES },
    { "tls-san", 0, FOR_SERVE, "NAME,…",
      "names in a certificate that is made here (default: otel-ta.<namespace>.svc and its short "
      "forms, "
      "localhost, 127.0.0.1, ::1)",
      flagvalue_names, .field = TO(tls_names), .group = FLAG_CERTIFICATES },
    { "tls-min-version", 0, FOR_SERVE, "1.2|1.3", "oldest TLS of the webhook (default 1.2)",
      flagvalue_bool, .field = TO(serve.is_tls13), .words = tls_versions,
      .group = FLAG_CERTIFICATES },
    { "webhook-client-ca", 0, FOR_SERVE, "FILE",
      "require client certificates of this CA on the webhook", flagvalue_text,
      .field = TO(certs.client_ca_file), .group = FLAG_CERTIFICATES },
    { "strategy", 0, FOR_SERVE | FOR_INSPECT, "NAME",
      "consistent-hashing (default), least-weighted, per-node, rendezvous, bounded-rendezvous",
      flagvalue_word, .field = TO(tenants.strategy), .word_at = strategy_name,
      .group = FLAG_ALLOCATION },
    { "fallback-strategy", 0,
      FOR_SERVE | FOR_INSPECT | FOR(COMMAND_REWRITE) | FOR(COMMAND_VALIDATE), "NAME",
      "for targets that per-node has no collector for: consistent-hashing, least-weighted, "
      "per-node, rendezvous, bounded-rendezvous (default: none)",
      flagvalue_word, .field = TO(tenants.fallback), .word_at = strategy_name,
      .group = FLAG_ALLOCATION },
    { "consistent-hashing-version", 0, FOR_SERVE | FOR_INSPECT, "v1|v0",
      "v0: the table of operator releases up to 0.158.0 (default v1)", flagvalue_bool,
      .field = TO(tenants.is_v0), .words = hash_versions, .group = FLAG_ALLOCATION },
    { "collector-id-expr", 0, FOR_SERVE | FOR_TEXT, "TEXT",
      "collector_id in rewritten URLs (default ${POD_NAME})", flagvalue_url_part,
      .field = TO(rewrite.collector_id_expr), .group = FLAG_REWRITING },
    { "url-style", 0, FOR_SERVE | FOR_TEXT, "STYLE", "documented (default), qualified or shared",
      flagvalue_enum, .field = TO(rewrite.style), .words = url_styles, .group = FLAG_REWRITING },
    { "shared-host", 0, FOR_SERVE | FOR_TEXT, "HOST",
      "host[:port] of --url-style shared (default otel-ta.<namespace>.svc:80)", flagvalue_url_part,
      .field = TO(rewrite.shared_host), .group = FLAG_REWRITING },
    { "rewrite-style", 0, FOR_SERVE | FOR_TEXT, "STYLE", "inline (default) or target-allocator",
      flagvalue_bool, .field = TO(rewrite.is_block_style), .words = rewrite_styles,
      .group = FLAG_REWRITING },
    { "untakable", 0, FOR_SERVE | FOR(COMMAND_REWRITE) | FOR(COMMAND_VALIDATE), "keep|deny",
      "a job that the allocator cannot run stays with the collectors (default), or is refused",
      flagvalue_bool, .field = TO(rewrite.denies_untakable), .words = untakable,
      .group = FLAG_REWRITING },
    { "file-jobs", 0,
      FOR_SERVE | FOR(COMMAND_REWRITE) | FOR(COMMAND_VALIDATE) | FOR(COMMAND_CHECK_SD) |
          FOR_INSPECT,
      "take|leave",
      "jobs of Collectors whose discovery reads files: take them, the files are here (default), or "
      "leave them where the files are (default of serve without -f)",
      flagvalue_choice, .field = TO(file_jobs), .words = file_jobs, .group = FLAG_REWRITING },
    { "output", 'o', FOR_TEXT, "FORMAT",
      "yaml, json, diff or json-patch (default: the form of the input)", flagvalue_enum,
      .field = TO(output), .words = output_forms },
    { "output", 'o', FOR(COMMAND_ALLOCATE), "FORMAT", "table (default) or json", flagvalue_enum,
      .field = TO(output), .words = output_tables },
    { "output", 'o', FOR_REPORT, "FORMAT", "text (default) or json", flagvalue_enum,
      .field = TO(output), .words = output_texts },
    { "output", 'o', FOR_JSON, "FORMAT", "json: what it prints anyhow", flagvalue_enum,
      .field = TO(output), .words = output_json },
    { "show-annotation", 0, FOR_TEXT, "",
      "in a diff: the annotation otel-ta/sd-configs in full, as git apply needs it (default: "
      "unless it goes to a terminal)",
      flagvalue_switch, .field = TO(show_annotation) },
    { "job", 0, FOR(COMMAND_EXPLAIN), "NAME", "only this job", flagvalue_text,
      .field = TO(explain.job) },
    { "target", 0, FOR(COMMAND_EXPLAIN), "ADDR",
      "only targets with this address, before or after relabeling", flagvalue_text,
      .field = TO(explain.target) },
    { "dropped", 0, FOR(COMMAND_EXPLAIN), "",
      "only targets that are not kept: dropped by a rule, or not usable", flagvalue_switch,
      .field = TO(explain.dropped) },
    { "summary", 0, FOR(COMMAND_EXPLAIN), "",
      "counts instead of targets: what became of how many, and why", flagvalue_switch,
      .field = TO(explain.summary) },
    { "show-defaults", 0, FOR(COMMAND_EXPLAIN), "",
      "also labels of the scrape config that have their defaults and that no rule mentions",
      flagvalue_switch, .field = TO(explain.show_defaults) },
    { "kubeconfig", 0, FOR_SERVE | FOR(COMMAND_CHECK_SD) | FOR_INSPECT, "FILE",
      "the cluster of kubernetes_sd_configs, which are then run for Collectors and drop-in files, "
      "too, with its rights, and of a drop-in file's collectors; default in a pod: its own; jobs "
      "of a Prometheus file: default as kubectl finds it",
      flagvalue_text, .field = TO(watcher.kubeconfig), .group = FLAG_ALLOCATION },
    { "timeout", 0, FOR(COMMAND_CHECK_SD) | FOR_INSPECT, "DURATION",
      "how long to wait for discovery (default 30s)", flagvalue_duration, .field = TO(timeout_ms) },
    { "shutdown-delay", 0, FOR_SERVE, "DURATION",
      "keep serving for this long after SIGTERM, so that load balancers let go (default 0s in "
      "local mode, else 15s; 0s for Ctrl-C at a terminal)",
      flagvalue_duration, .field = TO(serve.shutdown_delay_ms), .group = FLAG_LISTENERS },
    { "threads", 0, FOR_SERVE, "N", "serving threads (default: one per core)", flagvalue_count,
      .field = TO(serve.threads), .max = 256, .group = FLAG_LISTENERS },
    { "memory-limit", 0, FOR_SERVE, "SIZE",
      "what the process may take, such as 3GiB: caps of what comes in any size are a part of it "
      "(default: the limit of the cgroup, or else the memory of the machine)",
      flagvalue_bytes, .field = TO(serve.memory_limit), .group = FLAG_LISTENERS },
    { "allow-local-addresses", 0, FOR_SERVE, "",
      "loopback and link-local addresses may be asked for Collectors of the cluster",
      flagvalue_switch, .field = TO(serve.local_addresses) },
    { "enable-https-server", 0, FOR_SERVE, "", "allocator API over mTLS as well", flagvalue_switch,
      .field = TO(serve.enable_https), .group = FLAG_UPSTREAM },
    { "listen-addr-https", 0, FOR_SERVE, "ADDR", "address of that listener (default :8443)",
      flagvalue_text, .field = TO(serve.https_listen), .group = FLAG_UPSTREAM },
    { "https-ca-file", 0, FOR_SERVE, "FILE", "CA of the collectors' client certificates",
      flagvalue_text, .field = TO(serve.https_ca_file), .group = FLAG_UPSTREAM },
    { "https-tls-cert-file", 0, FOR_SERVE, "FILE", "certificate of that listener", flagvalue_text,
      .field = TO(serve.https_cert_file), .group = FLAG_UPSTREAM },
    { "https-tls-key-file", 0, FOR_SERVE, "FILE", "its private key", flagvalue_text,
      .field = TO(serve.https_key_file), .group = FLAG_UPSTREAM },
    { "allow-insecure-auth-secrets", 0, FOR_SERVE, "", "secrets in /scrape_configs over plain HTTP",
      flagvalue_switch, .field = TO(serve.insecure_secrets),
      .environment = "ALLOW_INSECURE_AUTH_SECRETS", .group = FLAG_UPSTREAM },
    { "enable-prometheus-cr-watcher", 0, FOR_SERVE, "",
      "needs the Kubernetes client, refused until it is there", flagvalue_switch,
      .field = TO(serve.enable_prometheus_cr), .group = FLAG_UPSTREAM },
    { "kubeconfig-path", 0, FOR_SERVE, "FILE", "as --kubeconfig", flagvalue_text,
      .field = TO(watcher.kubeconfig), .group = FLAG_UPSTREAM },
    { "zap-log-level", 0, FOR_SERVE, "LEVEL", "as --log-level; a number is debug, panic is error",
      read_zap_level, .field = TO(log.level), .words = zap_levels, .group = FLAG_UPSTREAM },
    { "zap-encoder", 0, FOR_SERVE, "ENC", "json or console (= --log-format pretty)",
      flagvalue_choice, .field = TO(log.format), .words = zap_encoders, .group = FLAG_UPSTREAM },
    { "zap-devel", 0, FOR_SERVE, "", "--log-level debug --log-format pretty", read_zap_devel,
      .field = TO(log), .group = FLAG_UPSTREAM },
    { "zap-stacktrace-level", 0, FOR_SERVE, "LEVEL", "accepted, there are no stack traces", ignore,
      .field = TO(log), .group = FLAG_UPSTREAM },
    { "zap-time-encoding", 0, FOR_SERVE, "ENC", "accepted, times are RFC 3339", ignore,
      .field = TO(log), .group = FLAG_UPSTREAM },
    { "log-level", 0, FOR_ALL, "LEVEL", "error, warn, info (default) or debug", flagvalue_choice,
      .field = TO(log.level), .words = log_levels, .group = FLAG_GENERAL },
    { "log-format", 0, FOR_ALL, "FORMAT",
      "json, logfmt or pretty (default: pretty on a terminal, else json)", flagvalue_choice,
      .field = TO(log.format), .words = log_formats, .group = FLAG_GENERAL },
    { "color", 0, FOR_ALL, "WHEN",
      "auto (default: on a terminal, unless NO_COLOR is set or TERM is dumb), always or never",
      flagvalue_enum, .field = TO(colour), .words = colours, .group = FLAG_GENERAL },
    { "help", 'h', FOR_ALL, "", "this help", NULL, .stands_for = COMMAND_HELP,
      .group = FLAG_GENERAL },
    { "version", 0, FOR_ALL, NULL, NULL, NULL, .stands_for = COMMAND_VERSION,
      .group = FLAG_GENERAL },
    { "", 0, 0, "NAMESPACE",
      "the namespace of this program, in the names it has by default, and of a drop-in file's "
      "collectors",
      flagvalue_text, .field = TO(collector_namespace), .environment = "OTELCOL_NAMESPACE" },
};
const size_t n_flag_rows = COUNT(flag_rows);

const char *const flag_group_names[N_FLAG_GROUPS] = {
    [FLAG_OWN] = "Flags",
    [FLAG_LISTENERS] = "Listeners",
    [FLAG_CERTIFICATES] = "Certificates",
    [FLAG_ALLOCATION] = "Allocation",
    [FLAG_REWRITING] = "Rewriting",
    [FLAG_UPSTREAM] = "As upstream has them",
    [FLAG_GENERAL] = "General",
};

bool flag_is_of(const struct flag_row *row, enum command command)
{
    return (row->commands & FOR(command)) != 0;
}

bool flag_is_of_all(const struct flag_row *row)
{
    return row->commands == FOR_ALL;
}

bool flag_is_switch(const struct flag_row *row)
{
    return row->read != NULL && row->value != NULL && row->value[0] == '\0';
}

#include "webhook/cli/optiontable.h"

#include <getopt.h>

#define FOR(command) (1u << (command))
#define FOR_SERVE FOR(COMMAND_SERVE)
#define FOR_TEXT (FOR(COMMAND_REWRITE) | FOR(COMMAND_RESTORE))
#define FOR_INSPECT (FOR(COMMAND_ALLOCATE) | FOR(COMMAND_EXPLAIN))
#define FOR_CERTS (FOR(COMMAND_CERTS_CA) | FOR(COMMAND_CERTS_SHOW) | FOR(COMMAND_CERTS_ROTATE))
#define FOR_ALL UINT32_MAX

const struct flag_row flag_rows[] = {
    { "filename", required_argument, FLAG_FILENAME,
      FOR_SERVE | FOR_TEXT | FOR_INSPECT | FOR(COMMAND_VALIDATE), "FILE",
      "-f: Collector manifests, YAML or JSON; repeatable; '-' is standard input" },
    { "collectors", required_argument, FLAG_COLLECTORS, FOR_SERVE | FOR_INSPECT, "LIST|N",
      "collector names a,b@NODE,c=ADDRESS,…, or how many (default: spec.replicas of the "
      "manifest)" },
    { "config-file", required_argument, FLAG_CONFIG_FILE, FOR_INSPECT, "FILE",
      "upstream's targetallocator.yaml, instead of -f" },
    { "config-file", required_argument, FLAG_CONFIG_FILE, FOR_SERVE, "FILE",
      "upstream's targetallocator.yaml: drop-in mode (default: /conf/targetallocator.yaml if it "
      "exists)" },
    { "listen", required_argument, FLAG_LISTEN, FOR_SERVE, "ADDR",
      "HTTP SD and the rest of the allocator API (default :8080; port 0 picks one)" },
    { "listen-addr", required_argument, FLAG_LISTEN, FOR_SERVE, NULL, NULL },
    { "webhook-listen", required_argument, FLAG_WEBHOOK_LISTEN, FOR_SERVE, "ADDR",
      "HTTPS for /mutate (default :9443, in drop-in mode off)" },
    { "cert-dir", required_argument, FLAG_CERT_DIR, FOR_CERTS, "DIR",
      "the directory that 'serve --cert-dir' keeps" },
    { "cert-dir", required_argument, FLAG_CERT_DIR, FOR_SERVE, "DIR",
      "tls.crt and tls.key of the webhook; made and kept here when the directory is empty "
      "(default: in memory)" },
    { "tls-cert-file", required_argument, FLAG_TLS_CERT, FOR_SERVE | FOR_CERTS, "FILE",
      "certificate of the webhook, instead of --cert-dir" },
    { "tls-key-file", required_argument, FLAG_TLS_KEY, FOR_SERVE | FOR_CERTS, "FILE",
      "its private key" },
    { "tls-san", required_argument, FLAG_TLS_SAN, FOR_SERVE, "NAME,…",
      "names of a certificate we make (default: otel-ta.<namespace>.svc and its short forms, "
      "localhost, 127.0.0.1, ::1)" },
    { "tls-min-version", required_argument, FLAG_TLS_MIN, FOR_SERVE, "1.2|1.3",
      "oldest TLS of the webhook (default 1.2)" },
    { "webhook-client-ca", required_argument, FLAG_WEBHOOK_CLIENT_CA, FOR_SERVE, "FILE",
      "require client certificates of this CA on the webhook" },
    { "strategy", required_argument, FLAG_STRATEGY, FOR_SERVE | FOR_INSPECT, "NAME",
      "consistent-hashing (default), least-weighted, per-node, rendezvous, bounded-rendezvous" },
    { "consistent-hashing-version", required_argument, FLAG_CH_VERSION, FOR_SERVE | FOR_INSPECT,
      "v1|v0", "v0: the table of operator releases up to 0.158.0 (default v1)" },
    { "collector-id-expr", required_argument, FLAG_ID_EXPR, FOR_SERVE | FOR_TEXT, "TEXT",
      "collector_id in rewritten URLs (default ${POD_NAME})" },
    { "url-style", required_argument, FLAG_URL_STYLE, FOR_SERVE | FOR_TEXT, "STYLE",
      "documented (default), qualified or shared" },
    { "shared-host", required_argument, FLAG_SHARED_HOST, FOR_SERVE | FOR_TEXT, "HOST",
      "host[:port] of --url-style shared (default otel-ta.<namespace>.svc:80)" },
    { "rewrite-style", required_argument, FLAG_REWRITE_STYLE, FOR_SERVE | FOR_TEXT, "STYLE",
      "inline (default) or target-allocator" },
    { "output", required_argument, FLAG_OUTPUT, FOR_TEXT, "FORMAT",
      "-o: yaml, json, diff or json-patch (default: the form of the input)" },
    { "output", required_argument, FLAG_OUTPUT, FOR(COMMAND_ALLOCATE), "FORMAT",
      "-o: table (default) or json" },
    { "job", required_argument, FLAG_JOB, FOR(COMMAND_EXPLAIN), "NAME", "only this job" },
    { "target", required_argument, FLAG_TARGET, FOR(COMMAND_EXPLAIN), "ADDR",
      "only targets with this address, before or after relabeling" },
    { "timeout", required_argument, FLAG_TIMEOUT, FOR(COMMAND_CHECK_SD) | FOR_INSPECT, "DURATION",
      "how long to wait for discovery (default 30s)" },
    { "shutdown-delay", required_argument, FLAG_SHUTDOWN_DELAY, FOR_SERVE, "DURATION",
      "keep serving so long after SIGTERM, so that load balancers let go (default 0s in local "
      "mode, else 15s)" },
    { "threads", required_argument, FLAG_THREADS, FOR_SERVE, "N",
      "serving threads (default: one a core)" },
    { "enable-https-server", optional_argument, FLAG_HTTPS, FOR_SERVE, "",
      "upstream: allocator API over mTLS as well" },
    { "listen-addr-https", required_argument, FLAG_HTTPS_LISTEN, FOR_SERVE, "ADDR",
      "upstream: its address (default :8443)" },
    { "https-ca-file", required_argument, FLAG_HTTPS_CA, FOR_SERVE, "FILE",
      "upstream: CA of the collectors' client certificates" },
    { "https-tls-cert-file", required_argument, FLAG_HTTPS_CERT, FOR_SERVE, "FILE",
      "upstream: certificate of that listener" },
    { "https-tls-key-file", required_argument, FLAG_HTTPS_KEY, FOR_SERVE, "FILE",
      "upstream: its private key" },
    { "allow-insecure-auth-secrets", optional_argument, FLAG_INSECURE_SECRETS, FOR_SERVE, "",
      "upstream: secrets in /scrape_configs over plain HTTP" },
    { "enable-prometheus-cr-watcher", optional_argument, FLAG_PROMETHEUS_CR, FOR_SERVE, "",
      "upstream: needs the Kubernetes client, refused until it is there" },
    { "kubeconfig-path", required_argument, FLAG_KUBECONFIG, FOR_SERVE, "FILE",
      "upstream: needs the Kubernetes client, refused until it is there" },
    { "zap-log-level", required_argument, FLAG_ZAP_LEVEL, FOR_SERVE, "LEVEL",
      "upstream: as --log-level; a number is debug, panic is error" },
    { "zap-encoder", required_argument, FLAG_ZAP_ENCODER, FOR_SERVE, "ENC",
      "upstream: json or console (= --log-format pretty)" },
    { "zap-devel", optional_argument, FLAG_ZAP_DEVEL, FOR_SERVE, "",
      "upstream: --log-level debug --log-format pretty" },
    { "zap-stacktrace-level", required_argument, FLAG_ZAP_IGNORED, FOR_SERVE, "LEVEL",
      "upstream: accepted, there are no stack traces" },
    { "zap-time-encoding", required_argument, FLAG_ZAP_IGNORED, FOR_SERVE, "ENC",
      "upstream: accepted, times are RFC 3339" },
    { "log-level", required_argument, FLAG_LOG_LEVEL, FOR_ALL, "LEVEL",
      "error, warn, info (default) or debug" },
    { "log-format", required_argument, FLAG_LOG_FORMAT, FOR_ALL, "FORMAT",
      "json, logfmt or pretty (default: pretty on a terminal, else json)" },
    { "help", no_argument, FLAG_HELP, FOR_ALL, "", "-h: this help" },
    { "version", no_argument, FLAG_VERSION, FOR_ALL, NULL, NULL },
};

bool flag_is_of(const struct flag_row *row, enum command command)
{
    return (row->commands & FOR(command)) != 0;
}

#define LOG_MODULE "keeper"

#include "webhook/keeper.h"

#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/limits.h"
#include "allocator/base/metric.h"
#include "allocator/base/terminal.h"
#include "allocator/base/thread.h"
#include "allocator/base/trim.h"
#include "allocator/engine/engine.h"
#include "allocator/engine/feed.h"
#include "allocator/http/listen.h"
#include "allocator/http/server.h"
#include "allocator/prom/duration.h"
#include "allocator/prom/relabel_program.h"
#include "allocator/serve/routes.h"
#include "allocator/watch/watcher.h"
#include "certs/certs.h"
#include "certs/identity.h"
#include "webhook/admission/route.h"
#include "webhook/clusterlist.h"
#include "webhook/descriptors.h"
#include "webhook/outage.h"
#include "webhook/podlist.h"
#include "webhook/sandbox.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define STOP_GRACE_MS 10000
#define CERTS_PERIOD_S 60
#define API_TIMEOUT_MS                                                                             \
    90000 /* an idle connection of a collector that polls every 30 or 60 s stays */
#define WEBHOOK_TIMEOUT_MS                                                                         \
    120000 /* the API server closes idle connections after 90 s; let it be first */

/* One TLS listener: what it presents, and where that comes from. */
struct tls_port {
    const char *name;
    struct certs *certs; /* NULL: this listener is not used */
    struct identity_front *front;
};

enum { PORT_WEBHOOK, PORT_HTTPS, N_PORTS };

struct keeper {
    const struct settings *settings;
    struct tls_port ports[N_PORTS];
    struct admission_route *route;
    struct serve *serve;
    struct http_server *server;
    struct watcher *watcher;
    struct engine *engine;
    struct mailbox *refusals;     /* tenants that the engine cannot use */
    struct podlist pods;          /* who the collectors are */
    struct clusterlist cluster;   /* or the Collectors, and who is whose */
    struct configuration waiting; /* until that is known; of no source: nothing waits */
    struct feed feed;             /* what it was told */
    struct outages outages;       /* what of that is missing */
    struct jobtexts known;        /* what the texts in use mean */
    uint64_t config_hash;         /* of the texts in use */
    uint64_t watched_hash;        /* of the files and folders that are watched */
    size_t used_when_short; /* bytes of patterns when the last reload had not enough; 0: it had */
    int signals, files_changed, timer;
    bool is_interactive; /* the last signal was somebody at a terminal */
};

/* ---- certificates */

static void note_expiry(const struct tls_port *port, const struct identity *id)
{
    metric_set_for(METRIC_TLS_EXPIRY, (const char *[]){ port->name },
                   (double)identity_not_after_s(id));
}

/* Loads what is new; at start a failure is final, later the old certificate stays in use. */
static int refresh_port(struct tls_port *port, struct err *err)
{
    struct identity *id = NULL;
    int rc = certs_refresh(port->certs, clock_wall_ms() / 1000, &id, err);

    if (rc < 0) {
        metric_add_for(METRIC_TLS_RELOADS, (const char *[]){ "failure" }, 1);
        return err_wrap(err, rc, "listener %s", port->name);
    }
    if (id != NULL) {
        note_expiry(port, id);
        metric_add_for(METRIC_TLS_RELOADS, (const char *[]){ "success" }, 1);
        log_info("certificate loaded", LOG_STR("listener", port->name),
                 LOG_INT("not_after", identity_not_after_s(id)));
        identity_front_present(port->front, id);
    }
    return 0;
}

static void refresh_ports(struct keeper *k)
{
    for (size_t i = 0; i < N_PORTS; i++) {
        struct err err = { 0 };
        if (k->ports[i].certs != NULL && refresh_port(&k->ports[i], &err) < 0) {
            log_error("certificate not reloaded; the old one stays in use",
                      LOG_STR("error", err.text));
        }
    }
}

static int open_port(struct tls_port *port, const char *name, const struct certs_options *co,
                     enum identity_clients clients, int min_version, struct err *err)
{
    port->name = name;
    port->certs = certs_new(co);
    int rc = identity_front_new(clients, min_version, &port->front, err);
    return rc < 0 ? rc : refresh_port(port, err);
}

static int open_ports(struct keeper *k, struct err *err)
{
    const struct settings *s = k->settings;
    int rc = 0;

    if (s->webhook_listen != NULL) {
        const struct certs_options *co = &s->webhook_certs;
        rc = open_port(&k->ports[PORT_WEBHOOK], "webhook", co,
                       co->client_ca_file != NULL ? IDENTITY_CLIENTS_REQUIRED
                                                  : IDENTITY_CLIENTS_NONE,
                       s->is_tls13 ? TLS1_3_VERSION : TLS1_2_VERSION, err);
        if (rc == 0 && co->dir == NULL && co->cert_file == NULL) {
            log_warn("the webhook's certificate authority lives in memory: every start makes a new "
                     "one; --cert-dir keeps it");
        }
    }
    if (rc == 0 && s->https_listen != NULL) {
        rc = open_port(&k->ports[PORT_HTTPS], "https", &s->https_certs, IDENTITY_CLIENTS_REQUIRED,
                       TLS1_2_VERSION, err);
    }
    return rc;
}

static void watch_files(struct keeper *k, const struct configuration *config)
{
    VEC(const char *) paths = { 0 };

    k->watched_hash = config->watched_hash;
    vec_each(&config->watched, path) {
        *vec_push(&paths) = *path;
    }
    for (size_t i = 0; i < N_PORTS; i++) {
        const char *const *p = k->ports[i].certs == NULL ? NULL : certs_paths(k->ports[i].certs);
        for (; p != NULL && *p != NULL; p++) {
            *vec_push(&paths) = *p;
        }
    }
    watcher_watch_files(k->watcher, paths.v, paths.n, k->files_changed);
    vec_fini(&paths);
}

/* ---- start */

static void on_snapshot(void *arg, const struct snapshot *s)
{
    struct keeper *k = arg;
    serve_publish(k->serve, k->server, s);
}

static void on_hurry(void *arg, uint64_t sequence)
{
    struct keeper *k = arg;
    http_server_hurry(k->server, sequence);
}

static unsigned thread_count(const struct settings *s)
{
    return s->threads > 0 ? s->threads : listen_cores();
}

static int start_server(struct keeper *k, struct err *err)
{
    const struct settings *s = k->settings;
    struct http_listener listeners[3];
    size_t n = 0;

    listeners[n++] = (struct http_listener){ .name = "http",
                                             .address = s->listen,
                                             .max_body_bytes = 64 * KIB,
                                             .max_waiting_bytes = LIMIT_REQUESTS_WAITING,
                                             .request_timeout_ms = API_TIMEOUT_MS,
                                             .handler = serve_handle,
                                             .arg = k->serve };
    if (s->https_listen != NULL) {
        listeners[n++] =
            (struct http_listener){ .name = "https",
                                    .address = s->https_listen,
                                    .max_connections = LIMIT_TLS_CONNECTIONS,
                                    .tls = identity_front_ctx(k->ports[PORT_HTTPS].front),
                                    .max_body_bytes = 64 * KIB,
                                    .max_waiting_bytes = LIMIT_REQUESTS_WAITING,
                                    .request_timeout_ms = API_TIMEOUT_MS,
                                    .handler = serve_handle,
                                    .arg = k->serve };
    }
    if (s->webhook_listen != NULL) {
        listeners[n++] =
            (struct http_listener){ .name = "webhook",
                                    .address = s->webhook_listen,
                                    .max_connections = LIMIT_WEBHOOK_CONNECTIONS,
                                    .tls = identity_front_ctx(k->ports[PORT_WEBHOOK].front),
                                    .max_body_bytes = LIMIT_REVIEW_BYTES,
                                    .max_waiting_bytes = LIMIT_REVIEWS_IN_FLIGHT,
                                    .request_timeout_ms = WEBHOOK_TIMEOUT_MS,
                                    .handler = admission_route_handle,
                                    .arg = k->route };
    }
    const struct http_server_options so = { .n_threads = thread_count(s),
                                            .listeners = listeners,
                                            .n_listeners = n };
    return http_server_start(&so, &k->server, err);
}

static void log_listeners(const struct keeper *k)
{
    const char *const names[] = { "http", k->settings->https_listen == NULL ? NULL : "https",
                                  k->settings->webhook_listen == NULL ? NULL : "webhook" };

    for (size_t i = 0, n = 0; i < COUNT(names); i++) {
        if (names[i] != NULL) {
            log_info("listening", LOG_STR("listener", names[i]),
                     LOG_STR("address", http_server_address(k->server, n++)));
        }
    }
}

static int open_descriptors(struct keeper *k, struct err *err)
{
    sigset_t set;
    const struct itimerspec period = { { CERTS_PERIOD_S, 0 }, { CERTS_PERIOD_S, 0 } };

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    k->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    k->files_changed = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    k->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (k->signals < 0 || k->files_changed < 0 || k->timer < 0 ||
        timerfd_settime(k->timer, 0, &period, NULL) != 0) {
        return err_sys(err, errno, "cannot make event descriptors");
    }
    return 0;
}

/* A kernel without seccomp is no reason to refuse service, but a reason to say so. The leak checker
 * of a sanitizer build traces its own process, which is refused in the sandbox. */
static void enter_sandbox(void)
{
#if !defined(__SANITIZE_ADDRESS__)
    struct err err = { 0 };

    if (sandbox_enter(&err) < 0) {
        log_warn("the sandbox cannot be entered", LOG_STR("error", err.text));
    }
#endif
}

static void start_pods(struct keeper *k)
{
    const struct settings_pods *pods = &k->settings->pods;
    const struct ask_kube ask = { .version = SPAN_LIT("v1"),
                                  .resource = SPAN_LIT("pods"),
                                  .kind = SPAN_LIT("Pod"),
                                  .namespace = span_of(pods->namespace),
                                  .label_selector = span_of(pods->selector) };

    if (pods->are_followed) {
        podlist_start(&k->pods, &ask, pods->grace_ms, k->watcher);
        log_info("collectors are pods", LOG_STR("namespace", pods->namespace),
                 LOG_STR("selector", pods->selector));
    }
}

static void start_cluster(struct keeper *k)
{
    struct tenants_options options = k->settings->tenants;

    if (k->settings->follows_collectors) {
        options.has_cluster = false; /* whoever may write a Collector may not read everything */
        clusterlist_start(&k->cluster, &options, SPAN_LIT(""), &k->feed, k->watcher);
    }
}

static int start(struct keeper *k, const struct configuration *config, struct err *err)
{
    const struct settings *s = k->settings;
    unsigned n_listeners =
        1 + (unsigned)(s->https_listen != NULL) + (unsigned)(s->webhook_listen != NULL);
    int rc = descriptors_claim(thread_count(s), n_listeners, err);

    if (rc == 0) {
        rc = open_descriptors(k, err);
    }
    if (rc == 0) {
        rc = open_ports(k, err);
    }
    if (rc < 0) {
        return rc;
    }
    k->route = admission_route_new(&k->settings->rewrite, LIMIT_REVIEWS_IN_FLIGHT, clock_mono_us);
    k->serve = serve_new(thread_count(k->settings), k->settings->secrets_over_http);
    rc = start_server(k, err);
    if (rc == 0) {
        rc = watcher_start(&s->watcher, &k->watcher, err);
    }
    if (rc < 0) {
        return rc;
    }
    k->refusals = mailbox_new(0);
    const struct engine_options eo = { .watcher = watcher_mailbox(k->watcher),
                                       .refusals = k->refusals,
                                       .publish = on_snapshot,
                                       .hurry = on_hurry,
                                       .publish_arg = k };
    rc = engine_start(&eo, &k->engine, err);
    if (rc == 0) {
        watcher_connect(k->watcher, engine_mailbox(k->engine));
        feed_init(&k->feed, engine_mailbox(k->engine));
        watch_files(k, config);
        start_pods(k);
        start_cluster(k);
        enter_sandbox();
    }
    return rc;
}

/* ---- run */

static void note_reload(bool is_ok)
{
    metric_add_for(METRIC_CONFIG_RELOADS, (const char *[]){ is_ok ? "success" : "failure" }, 1);
    metric_set(METRIC_CONFIG_LAST_RELOAD_OK, is_ok ? 1 : 0);
}

/* Whose the targets are has to be known before they are served: nobody's would be an order to drop
 * them. Trees and texts of all jobs are not needed again. */
static void tell_engine(struct keeper *k, struct configuration *config)
{
    k->config_hash = config->hash;
    if (!podlist_is_known(&k->pods)) {
        configuration_fini(&k->waiting);
        configuration_move(config, &k->waiting);
        return;
    }
    podlist_put(&k->pods, &config->tenants);
    outages_tell(&k->outages, &config->tenants);
    feed_tell(&k->feed, &config->tenants);
    configuration_fini(config);
    malloc_trim(0);
}

static size_t bytes_of_patterns(void)
{
    struct relabel_program_counts counts = relabel_program_count();

    return counts.bytes - counts.idle_bytes;
}

/* What a reload replaces is there until the engine has let it go: there may be room now for what
 * was refused then. Once for each time that there is more of it. */
static bool has_room_again(const struct keeper *k)
{
    return k->used_when_short > 0 && bytes_of_patterns() < k->used_when_short;
}

/* 'is_asked': by SIGHUP; else some watched file changed, which may have been a certificate. */
static void reload(struct keeper *k, bool is_asked)
{
    struct configuration config;

    if (k->cluster.is_on) {
        return; /* there are no files */
    }
    configuration_init(&config);
    configuration_read(&config, &k->settings->files, true);
    if (config.watched_hash != k->watched_hash) {
        watch_files(k, &config);
    }
    if (!is_asked && config.hash == k->config_hash) {
        configuration_fini(&config);
        return;
    }
    size_t n_refused = relabel_program_count().n_refused;
    bool is_parsed = configuration_load_changed(&config, &k->settings->tenants, &k->known);
    if (!is_parsed) {
        is_parsed = configuration_parse(&config);
        configuration_load(&config, &k->settings->tenants);
        configuration_learn(&config, &k->known);
    }
    k->used_when_short = relabel_program_count().n_refused > n_refused ? bytes_of_patterns() : 0;
    configuration_report(&config, NULL);
    bool is_sound = configuration_is_sound(&config);
    note_reload(is_sound);
    if (is_parsed && config.hash != k->config_hash) {
        settings_warn_restart(k->settings, &config);
    }
    if (is_sound) {
        log_info("configuration reloaded", LOG_INT("files", config.sources.n));
    } else {
        log_error(config.tenants.n == 0
                      ? "configuration not reloaded; the running one stays"
                      : "configuration reloaded in part; what has a fault stays as it was",
                  LOG_INT("files", config.sources.n));
    }
    tell_engine(k, &config);
    configuration_fini(&config);
}

/* It was counted as good, as far as it could be checked here. */
static void note_refusal(struct keeper *k, struct mail *mail)
{
    const struct refusal_mail *m = CONTAINER_OF(mail, struct refusal_mail, mail);

    note_reload(false);
    feed_forget(&k->feed, span_of(m->ns), span_of(m->name));
    jobtexts_fini(&k->known); /* the engine has none of these */
    mail->dispose(mail);
}

static void note_refusals(struct keeper *k)
{
    for (struct mail *mail = mailbox_drain(k->refusals), *next; mail != NULL; mail = next) {
        next = mail->next;
        note_refusal(k, mail);
    }
}

static void note_pods(struct keeper *k)
{
    bool was_known = podlist_is_known(&k->pods);
    struct collectorlist list;

    podlist_turn(&k->pods, clock_mono_ms(), clock_wall_ms());
    if (!podlist_is_known(&k->pods)) {
        return;
    }
    if (!was_known) {
        tell_engine(k, &k->waiting);
        return;
    }
    if (k->pods.is_on) {
        collectorlist_init(&list);
        podlist_get(&k->pods, &list);
        (void)feed_tell_collectors(&k->feed, SPAN_LIT(""), SPAN_LIT(""), &list);
    }
}

static void drain_counter(int fd)
{
    uint64_t n = 0;
    ssize_t got = read(fd, &n, sizeof(n));
    (void)got; /* nothing to read is fine: the descriptor does not block */
}

/* The next signal that waits, or 0. */
static int next_signal(struct keeper *k)
{
    struct signalfd_siginfo info;

    if (read(k->signals, &info, sizeof(info)) != (ssize_t)sizeof(info)) {
        return 0;
    }
    /* Ctrl-C comes from the kernel; who sits at a terminal may as well use kill. */
    k->is_interactive =
        info.ssi_signo == SIGINT && (info.ssi_code == SI_KERNEL || isatty(STDERR_FILENO) == 1);
    return (int)info.ssi_signo;
}

/* Somebody who waits for the prompt is not behind a load balancer. */
static int64_t delay_ms(const struct keeper *k)
{
    return k->is_interactive ? 0 : k->settings->shutdown_delay_ms;
}

static void say_stopping(const struct keeper *k, int sig)
{
    const char *name = sig == SIGINT ? "SIGINT" : "SIGTERM";
    char delay[DURATION_TEXT_MAX];

    duration_format(delay_ms(k), delay);
    AUTO_STR text = mem_printf("stopping in %s; again stops at once", delay);
    log_info(delay_ms(k) > 0 ? text : "stopping", LOG_STR("signal", name));
}

/* Waits for SIGTERM or SIGINT, doing what comes up meanwhile. */
static void run(struct keeper *k)
{
    struct trim trim = { 0 };

    for (;;) {
        struct pollfd fds[] = { { k->signals, POLLIN, 0 },
                                { k->files_changed, POLLIN, 0 },
                                { k->timer, POLLIN, 0 },
                                { mailbox_fd(k->refusals), POLLIN, 0 },
                                { podlist_fd(&k->pods), POLLIN, 0 },
                                { clusterlist_fd(&k->cluster), POLLIN, 0 } };
        int64_t now_ms = clock_mono_ms();
        int wait_ms = podlist_wait_ms(&k->pods, TRIM_PERIOD_MS, now_ms);
        wait_ms = clusterlist_wait_ms(&k->cluster, wait_ms, now_ms);
        if (poll(fds, COUNT(fds), wait_ms) < 0 && errno != EINTR) {
            return;
        }
        trim_tick(&trim, clock_mono_ms());
        for (int sig = next_signal(k); sig != 0; sig = next_signal(k)) {
            if (sig != SIGHUP) {
                say_stopping(k, sig);
                return;
            }
            reload(k, true);
            refresh_ports(k);
        }
        if (fds[1].revents != 0) {
            drain_counter(k->files_changed);
            reload(k, false);
            refresh_ports(k);
        }
        if (fds[2].revents != 0) {
            drain_counter(k->timer);
            refresh_ports(k);
        }
        if (fds[3].revents != 0) {
            note_refusals(k);
        }
        note_pods(k);
        clusterlist_turn(&k->cluster, clock_mono_ms(), clock_wall_ms());
        if (has_room_again(k)) {
            reload(k, true);
        }
    }
}

/* Keeps serving for the shutdown delay, so that nobody is sent here any more; a second signal ends
 * it. */
static void linger(struct keeper *k)
{
    int64_t end_ms = clock_mono_ms() + delay_ms(k);

    serve_set_draining(k->serve);
    http_server_drain(k->server);
    for (;;) {
        int64_t left_ms = end_ms - clock_mono_ms();
        struct pollfd fd = { k->signals, POLLIN, 0 };
        if (left_ms <= 0 || poll(&fd, 1, (int)left_ms) < 0) {
            return;
        }
        int sig = next_signal(k);
        if (sig == SIGTERM || sig == SIGINT) {
            log_info("stopping at once");
            return;
        }
    }
}

static void stop(struct keeper *k)
{
    if (k->server != NULL && k->engine != NULL) {
        linger(k);
    }
    watcher_stop(&k->watcher); /* first: it posts to the engine */
    if (k->engine != NULL) {
        engine_stop(k->engine); /* then: it publishes to the server */
    }
    http_server_stop(&k->server, STOP_GRACE_MS);
    serve_free(&k->serve);
    engine_free(&k->engine); /* last: it owns what the others read */
    feed_fini(&k->feed);
    outages_fini(&k->outages);
    jobtexts_fini(&k->known);
    mailbox_free(&k->refusals);
    podlist_fini(&k->pods);
    clusterlist_fini(&k->cluster);
    configuration_fini(&k->waiting);
    admission_route_free(&k->route);
    for (size_t i = 0; i < N_PORTS; i++) {
        identity_front_free(&k->ports[i].front);
        certs_free(&k->ports[i].certs);
    }
    mem_close_fd(&k->signals);
    mem_close_fd(&k->files_changed);
    mem_close_fd(&k->timer);
}

int keeper_run(const struct settings *s, struct configuration *config)
{
    struct keeper k = { .settings = s, .signals = -1, .files_changed = -1, .timer = -1 };
    struct err err = { 0 };

    role_enter(keeper);
    podlist_init(&k.pods);
    clusterlist_init(&k.cluster);
    configuration_init(&k.waiting);
    int code = start(&k, config, &err) < 0 ? EXIT_CANNOT : EXIT_OK;
    if (code != EXIT_OK) {
        terminal_line(stderr, "otel-ta: %s", err.text);
    } else {
        metric_set(METRIC_PROCESS_START, (double)clock_wall_ms() / 1000);
        note_reload(configuration_is_sound(config));
        log_listeners(&k);
        configuration_learn(config, &k.known);
        if (!k.cluster.is_on) {
            tell_engine(&k, config);
        }
        log_info("ready");
        run(&k);
    }
    stop(&k);
    return code;
}

"""Real OpenTelemetry Collectors, and what they scrape."""

import collections
import http.server
import json
import threading
import urllib.parse

from .sandbox import Process, scratch, server, wait_for

# What the rig needs of a Collector beyond its own configuration: three of them share one
# loopback here, so they cannot all have the same port for their own metrics.
QUIET = "yaml:service::telemetry::metrics::level: none"
DETAILED = "yaml:exporters::debug::verbosity: detailed"


class Collector(Process):
    """One pod of a Collector: the stored configuration, and its own POD_NAME."""

    def __init__(self, pod, config, *more):
        path = scratch() / f"{pod}.yaml"
        path.write_text(config, encoding="utf-8")
        configs = [f"--config=file:{path}", *[f"--config={text}" for text in more]]
        super().__init__(pod, [server("otelcol"), *configs], env={"POD_NAME": pod})

    def is_running(self):
        return self.check_alive() and "Everything is ready" in self.log()


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/groups":
            self._answer("application/json", json.dumps(self.server.groups).encode())
            return
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        address = "%s:%d" % self.connection.getsockname()[:2]
        with self.server.lock:
            self.server.scrapes[address][query.get("by", ["?"])[0]] += 1
        self._answer("text/plain; version=0.0.4", b"# TYPE up_to_now counter\nup_to_now 1\n")

    def _answer(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Exporters:
    """Every address 127.x.y.z:9100 is an exporter; each counts who scraped it (parameter `by`).

    At /groups each serves `groups`, as an HTTP service discovery does.
    """

    def __init__(self, groups=(), port=9100):
        self._server = http.server.ThreadingHTTPServer(("0.0.0.0", port), _Handler)
        self._server.daemon_threads = True
        self._server.lock = threading.Lock()
        self._server.groups = list(groups)
        self._server.scrapes = collections.defaultdict(collections.Counter)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def scrapes(self):
        """{target: {who: how often}}"""
        with self._server.lock:
            return {target: dict(by) for target, by in self._server.scrapes.items()}


def wait_until_shared(exporters, targets, rounds=3, timeout_s=60):
    """Waits until every target was scraped `rounds` times, and returns the scrapes until then."""
    def all_scraped():
        seen = exporters.scrapes()
        return all(sum(seen.get(target, {}).values()) >= rounds for target in targets) and seen
    return wait_for(f"{rounds} scrapes of every target", all_scraped, timeout_s, every_s=0.2)

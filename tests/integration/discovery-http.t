#!/usr/bin/env python3
"""http_sd in a running allocator, against a server that answers, fails, lies and hangs."""

import base64
import http.server
import json
import os
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from discovery_rig import Allocator, done, ok, same, scratch, wait_for  # noqa: E402

JSON = "application/json"
secret = scratch() / "token"
secret.write_text("first\n", encoding="utf-8")


def body(*targets, **labels):
    return json.dumps([{"targets": list(targets), "labels": labels}])


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = {}  # path -> (status, content type, body)
        self.requests = []  # (path, headers, body)
        self.hold = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.base = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        pass  # a client that gave up is part of the test

    def seen(self, path):
        return [r for r in self.requests if r[0] == path]

    def next_after(self, path, n):
        """Waits for a request beyond the n-th."""
        return wait_for(lambda: len(self.seen(path)) > n)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(length).decode()
        self.server.requests.append((self.path, dict(self.headers.items()), data))
        if self.path == "/hang":
            self.server.hold.wait(30)
        status, kind, text = self.server.answers.get(self.path, (404, "text/plain", "no"))
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        if status == 302:
            self.send_header("Location", text)
            text = ""
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = answer


server = Server()
server.answers["/plain"] = (200, JSON, body("a:1", team="x"))
server.answers["/charset"] = (200, 'Application/JSON;  charset="UTF-8"', body("b:1"))
server.answers["/hang"] = (200, JSON, body("h:1"))
server.answers["/basic"] = (200, JSON, body("basic:1"))
server.answers["/bearer"] = (200, JSON, body("bearer:1"))
server.answers["/oauth"] = (200, JSON, body("oauth:1"))
server.answers["/token"] = (200, JSON, json.dumps({"access_token": "tok", "token_type": "bearer", "expires_in": 3600}))
server.answers["/straight"] = (200, JSON, body("straight:1"))
server.answers["/token-straight"] = server.answers["/token"]
server.answers["/environment"] = (200, JSON, body("environment:1"))
server.answers["http://tokens.example/token"] = server.answers["/token"]  # asked as a proxy
server.answers["/moved"] = (302, None, "/plain")


def job(name, path, more=""):
    return f"""
  - job_name: {name}
    http_sd_configs:
    - url: {server.base}{path}
      refresh_interval: 300ms
{more}"""


CONFIG = "config:\n  scrape_configs:" + "".join([
    job("plain", "/plain"), job("twin", "/plain"), job("charset", "/charset"), job("hang", "/hang"),
    job("basic", "/basic", "      basic_auth: {username: me, password: pw}\n"),
    job("bearer", "/bearer", f"      authorization: {{credentials_file: {secret}}}\n      http_headers: {{X-Team: {{values: [blue]}}}}\n"),
    job("oauth", "/oauth", f"      oauth2: {{client_id: id, client_secret: s, token_url: '{server.base}/token', scopes: [r, w],"
        " endpoint_params: {aud: x y}}\n"),
    job("straight", "/straight", "      oauth2: {client_id: id, client_secret: s, proxy_url: 'http://127.0.0.1:9', no_proxy: 127.0.0.1,"
        f" token_url: '{server.base}/token-straight'}}\n"),
    job("environment", "/environment", "      oauth2: {client_id: id, client_secret: s, proxy_from_environment: true,"
        " token_url: 'http://tokens.example/token'}\n"),
    job("moved", "/moved"), job("dead", "/nothing"), job("late", "/late")])
CONFIG = CONFIG.replace("/hang\n      refresh_interval: 300ms", "/hang\n      refresh_interval: 20s")
CONFIG = CONFIG.replace("/late\n      refresh_interval: 300ms", "/late\n      refresh_interval: 1h")

os.environ.update(http_proxy=server.base, no_proxy="127.0.0.1")
ta = Allocator(CONFIG)
server.next_after("/nothing", 0)
time.sleep(0.3)
same(ta.get("/jobs/plain/targets?collector_id=c-0")[0], 503, "503 while one section has had no answer")
same(ta.get("/readyz")[0], 503, "and not ready")
server.hold.set()
ok(ta.ready(), "ready when it has; a failure is an answer too")
same(ta.targets("hang"), ["h:1"], "the late answer")
ok(ta.shows("plain", ["a:1"]), "targets")
same(ta.groups("plain")[0]["labels"], {"__address__": "a:1", "__meta_url": f"{server.base}/plain", "team": "x"}, "discovered labels")
ok(ta.shows("twin", ["a:1"]), "another job with an equal section")
ok(ta.shows("charset", ["b:1"]), "content type with charset, any case")
ok(ta.shows("moved", ["a:1"]), "redirect followed")
same(ta.get("/jobs/dead/targets?collector_id=c-0")[0], 503, "404 from the start: nothing is known, so nobody is told that there is nothing")
same(ta.get("/jobs/late/targets?collector_id=c-0")[0], 503, "nor of a server that is late")
server.answers["/late"] = (200, JSON, body("late:1"))
ok(ta.shows("late", ["late:1"], 9), "it is asked again long before its interval of an hour is over")

headers = server.seen("/plain")[0][1]
same(headers.get("Accept"), JSON, "Accept")
same(headers.get("X-Prometheus-Refresh-Interval-Seconds"), "0.3", "refresh interval in seconds")
ok(headers.get("User-Agent", "").startswith("Prometheus/"), "User-Agent")
ok("Accept-Encoding" not in headers, "no Accept-Encoding")
same(server.seen("/basic")[0][1].get("Authorization"), "Basic " + base64.b64encode(b"me:pw").decode(), "Basic")
same(server.seen("/bearer")[0][1].get("Authorization"), "Bearer first", "credentials from a file, trimmed")
same(server.seen("/bearer")[0][1].get("X-Team"), "blue", "own header")
same(server.seen("/oauth")[0][1].get("Authorization"), "Bearer tok", "OAuth2 token")
same(server.seen("/token")[0][2], "aud=x+y&grant_type=client_credentials&scope=r+w", "what the token endpoint is asked")
same(ta.targets("straight"), ["straight:1"], "a token past the proxy, as oauth2.no_proxy says")
same(ta.targets("environment"), ["environment:1"], "a token through the proxy of the environment")
secret.write_text("second", encoding="utf-8")
ok(wait_for(lambda: server.seen("/bearer")[-1][1].get("Authorization") == "Bearer second"), "a rotated secret is used at once")
same(len(server.seen("/token")), 1, "the token is kept")

n = len([r for r in server.seen("/plain")])
time.sleep(1.5)
polls = len(server.seen("/plain")) - n
ok(6 <= polls <= 13, f"equal sections share one poll; the redirect makes another: {polls} requests in five intervals")

snapshots = ta.metric("otel_ta_snapshots_total")
n = len(server.seen("/plain"))
server.next_after("/plain", n + 2)
same(ta.metric("otel_ta_snapshots_total"), snapshots, "the same answers publish nothing")

server.answers["/plain"] = (200, JSON, body("a:1", "a:2"))
ok(ta.shows("plain", ["a:1", "a:2"]) and ta.shows("twin", ["a:1", "a:2"]), "a new answer reaches both jobs")
bad = {
    "500": (500, JSON, body("x:1")), "204": (204, JSON, ""), "304": (304, JSON, ""), "no type": (200, None, body("x:1")),
    "another type": (200, "text/plain", body("x:1")), "type with a semicolon": (200, "application/json;", body("x:1")),
    "another charset": (200, "application/json; charset=UTF-9", body("x:1")), "no JSON": (200, JSON, "[{"),
    "null group": (200, JSON, "[null]"), "unknown field": (200, JSON, '[{"targets":["x:1"],"source":"y"}]'),
}
for name, answer in bad.items():
    failures = ta.metric("prometheus_sd_http_failures_total")
    server.answers["/plain"] = answer
    n = len(server.seen("/plain"))
    server.next_after("/plain", n + 1)
    kept = ta.targets("plain") == ["a:1", "a:2"]
    counted = wait_for(lambda: ta.metric("prometheus_sd_http_failures_total") > failures, 2)
    ok(kept and counted, f"{name}: what is known stays, and it is counted")
failures = ta.metric("prometheus_sd_http_failures_total")
ok(wait_for(lambda: ta.metric("prometheus_sd_http_failures_total") >= failures + 3), "the same unreadable answer is a failure each time")
server.answers["/plain"] = (200, JSON, "null")
ok(ta.shows("plain", []), "null is no targets")
server.answers["/plain"] = (200, JSON, body("a:9"))
ok(ta.shows("plain", ["a:9"]), "works again")
ok("works again" in ta.log(), "and the log says so")


def failures(name):
    return ta.metric(f'prometheus_sd_refresh_failures_total{{mechanism="http",config="{name}"}}')


server.hold.clear()
n = len(server.seen("/hang"))
ta.reload(CONFIG.replace("20s", "400ms"))
server.next_after("/hang", n)
ok(ta.keeps("hang", ["h:1"], 0.2), "a section that changed and has not answered: the old configuration is served on")
ok(wait_for(lambda: failures("hang") > 0), "it does not answer within its interval")
ok(ta.keeps("hang", ["h:1"], 1.0), "what was known under the old configuration stays")
server.answers["/hang"] = (200, JSON, body("h:2"))
server.hold.set()
ok(ta.shows("hang", ["h:2"], 8), "it answers")
server.answers["/plain"] = (500, JSON, body("x:1"))
ta.reload(CONFIG.replace("  - job_name: plain", "  - job_name: plain\n    relabel_configs: [{target_label: x, replacement: y}]"))
ok(wait_for(lambda: failures("plain") > 0), "a job with new rules, whose server fails")
ok(ta.keeps("plain", ["a:9"]) and ta.keeps("twin", ["a:9"]), "keeps its targets, as its twin does")

ok(failures("dead") > 0, "failures are counted by job")
ta.reload(CONFIG.replace("job_name: dead", "job_name: renamed"))
ok(wait_for(lambda: failures("renamed") > 0), "a renamed job is counted under its new name")
ok('config="dead"' not in ta.get("/metrics")[1], "and the old one is forgotten")

server.hold.clear()
silent = job("silent", "/hang").replace("300ms", "30s")
ta.reload(CONFIG.replace("20s", "400ms") + silent)
ok(wait_for(lambda: ta.get("/jobs/silent/targets?collector_id=c-0")[0] == 503), "a new job without an answer: 503")
same(ta.get("/jobs/silent/targets")[0], 503, "and for all collectors at once")
same(ta.get("/readyz")[0], 200, "the process stays ready")
server.answers["/plain"] = (200, JSON, body("a:10"))
ok(ta.shows("plain", ["a:10"]), "the other jobs publish what changes")
same(ta.get("/jobs/silent/targets?collector_id=c-0")[0], 503, "while the new one still waits")
ta.reload(CONFIG.replace("20s", "400ms"))
ok(wait_for(lambda: ta.get("/jobs/silent/targets?collector_id=c-0") == (200, "[]\n")), "taken away again before it answered")
server.hold.set()
same(ta.stop(), 0, "stops in order")

hopeless = Allocator("config:\n  scrape_configs:" + job("hopeless", "/hopeless").replace("300ms", "30ms"))
server.next_after("/hopeless", 70)
n, begin = len(server.seen("/hopeless")), time.monotonic()
time.sleep(0.5)
polls, intervals = len(server.seen("/hopeless")) - n, (time.monotonic() - begin) / 0.03
ok(polls <= intervals + 5, f"what has failed seventy times is asked once an interval: {polls} times in {intervals:.0f} of them")
same(hopeless.stop(), 0, "stops in order")

# What the loader finds instead of libcurl is none.
broken = scratch() / "lib"
broken.mkdir()
(broken / "libcurl.so.4").write_text("not a library", encoding="utf-8")
os.environ["LD_LIBRARY_PATH"] = str(broken)
without = Allocator("config:\n  scrape_configs:" + job("plain", "/plain") + "  - job_name: fixed\n    static_configs: [{targets: ['s:1']}]\n")
ok(wait_for(lambda: "libcurl cannot be loaded" in without.log()), "without libcurl: the first poll fails and says why")
ok(without.shows("fixed", ["s:1"]), "and the rest is served")

done()

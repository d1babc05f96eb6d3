#!/usr/bin/env python3
"""One file that is written all the time holds up nobody: no configuration, no other discovery file, no URL."""

import http.server
import json
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from discovery_rig import Allocator, done, manifest, ok, same, scratch, wait_for  # noqa: E402

SD = scratch()
PATIENCE_S = 60  # who is starved waits as long as the writer writes: for ever


def job(name, sd):
    return f"          - job_name: {name}\n            {sd}\n"


def static(target):
    return f"static_configs: [{{targets: ['{target}']}}]"


class Endpoint(http.server.BaseHTTPRequestHandler):
    n_asked = 0

    def do_GET(self):  # noqa: N802
        Endpoint.n_asked += 1
        body = json.dumps([{"targets": [f"h{Endpoint.n_asked}:1"]}]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def group(*targets):
    return json.dumps([{"targets": list(targets)}])


def write(path, text):
    path.write_text(text, encoding="utf-8")


def swap(path, text):
    write(path.with_suffix(".new"), text)
    path.with_suffix(".new").rename(path)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/sd"
quiet = SD / "quiet.yaml"
write(quiet, manifest("quiet", job("q", static("q:1"))))
write(SD / "calm.json", group("c:0"))
write(SD / "loud.json", group("l:0"))
loud = manifest("loud", job("l", static("l:1")), job("calm", f"file_sd_configs: [{{files: ['{SD}/calm.json']}}]"),
                job("noisy", f"file_sd_configs: [{{files: ['{SD}/loud.json']}}]"),
                job("polled", f"http_sd_configs: [{{url: '{url}', refresh_interval: 1s}}]"))
ta = Allocator(loud, collectors="c-0", more=("-f", quiet), source="--filename")
ok(ta.ready(), "ready")
same(ta.targets("q"), ["q:1"], "what the quiet one says")

stop = threading.Event()
big = json.dumps([{"targets": [f"10.0.{i >> 8}.{i & 255}:1"], "labels": {"n": str(i)}} for i in range(4000)])


def write_on():
    """In place, so that it is half written much of the time; the discovery file beside it as well."""
    n = 0
    while not stop.is_set():
        n += 1
        write(ta.config_path, loud + f"# {n}\n")
        write(SD / "loud.json", big if n % 2 else group(f"l:{n}"))
        time.sleep(0.02)


writer = threading.Thread(target=write_on)
writer.start()
try:
    swap(quiet, manifest("quiet", job("q", static("q:2"))))
    ok(ta.shows("q", ["q:2"], PATIENCE_S), "another file's change is in use while it is written on")
    swap(SD / "calm.json", group("c:1"))
    ok(ta.shows("calm", ["c:1"], PATIENCE_S), "another discovery file's too")
    n = Endpoint.n_asked
    ok(wait_for(lambda: Endpoint.n_asked >= n + 4, PATIENCE_S), "the URL is asked on")
finally:
    stop.set()
    writer.join()
write(ta.config_path, loud.replace("l:1", "l:9"))
ok(ta.shows("l", ["l:9"], PATIENCE_S), "and what it says in the end is taken")
swap(SD / "loud.json", group("end:1"))
ok(ta.shows("noisy", ["end:1"], PATIENCE_S), "of the discovery file too")
same(ta.stop(), 0, "stops in order")
done()

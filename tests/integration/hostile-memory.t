#!/usr/bin/env python3
"""Clients and authors who would take the memory: what they can hold is bounded, and what they held goes back to the system when they
are gone, without a reload. tests/README.md has the table."""

import json
import pathlib
import re
import resource
import socket
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from discovery_rig import BINARY, done, like, ok, same, scratch, wait_for  # noqa: E402
from hostile_rig import PLAIN_BUILD, Honest, Server, collector, review, say  # noqa: E402

TARGETS = 20000
FOLDER = scratch()
MANIFEST = """
apiVersion: opentelemetry.io/v1beta1
kind: OpenTelemetryCollector
metadata: {name: c, namespace: ns}
spec:
  targetAllocator: {enabled: true}
  config:
    receivers:
      prometheus:
        config:
          scrape_configs:
          - {job_name: a, static_configs: [{targets: [h:1]}]}
          - {job_name: many, file_sd_configs: [{files: ['%s/sd.json']}]}
""" % FOLDER


def write_targets(generation, n=TARGETS):
    """Every label of every target is another one."""
    temporary = FOLDER / "sd.new"
    temporary.write_text(json.dumps([{"targets": [f"h{i}:80"], "labels": {"generation": f"{generation}-{i}", "x": "y" * 150}}
                                     for i in range(n)]), encoding="utf-8")
    temporary.rename(FOLDER / "sd.json")


def metric(name):
    return float(re.search(rf"^{name} (\S+)", server.get("/metrics")[1].decode(), re.M)[1])


def shows(generation):
    return lambda: b'"generation":"%d-' % generation in server.get("/jobs/many/targets?collector_id=c-0")[1]


def resident_mib():
    return int(server.status("VmRSS")) // 1024


def goes_back(mib, what):
    wait_for(lambda: resident_mib() <= mib or not PLAIN_BUILD, 40)
    ok(resident_mib() <= mib or not PLAIN_BUILD, f"{what}: back to {mib} MiB at most (was {server.peak_mib()}, is {resident_mib()})")


write_targets(0)
(FOLDER / "c.yaml").write_text(MANIFEST, encoding="utf-8")
server = Server(manifest=MANIFEST)
honest = Honest(server)
ok(wait_for(shows(0), 60), "the first generation of targets is served")

# --- too few descriptors: an error that says how many are needed, at every number
for n in (5, 9, 16, 17, 20, 24, 25, 31, 32):
    few = subprocess.run([BINARY, "serve", "-f", FOLDER / "c.yaml", "--collectors", "c-0", "--listen", "127.0.0.1:0", "--webhook-listen",
                          "127.0.0.1:0", "--threads", "1"], preexec_fn=lambda n=n: resource.setrlimit(resource.RLIMIT_NOFILE, (n, n)),
                         capture_output=True, text=True, check=False, timeout=60)
    same(few.returncode, 3, f"ulimit -n {n}: cannot run")
    like(few.stderr, rf"the limit of open files is {n}, and 1 serving thread.* need \d+: raise it", "  and says what it needs")

# --- readers that take a little now and then, while everything changes
SLOW = 30
is_over = threading.Event()


def read_slowly(sock):
    try:
        while not is_over.wait(0.4) and sock.recv(20000):
            pass
    except OSError:
        pass


def ask_slowly():
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", server.port["http"]))
    sock.sendall(b"GET /jobs/many/targets?collector_id=c-0 HTTP/1.1\r\nHost: a\r\n\r\n")
    threading.Thread(target=read_slowly, args=(sock,), daemon=True).start()
    return sock


base = resident_mib()
slow = []
for generation in range(1, SLOW + 1):
    slow.append(ask_slowly())
    write_targets(generation)
    ok(wait_for(shows(generation), 60), f"generation {generation} is served")
honest.is_served(f"{SLOW} slow readers, as many generations")
server.stays_below(base + 150, f"{SLOW} slow readers, of generations of 10 MB each")
ok(wait_for(lambda: metric("otel_ta_http_slow_readers_total") > 0, 60), "some of them are cut")
ok(wait_for(lambda: metric("otel_ta_snapshots_live") <= 2, 60), "and soon nobody pins an old generation")
is_over.set()
for sock in slow:
    sock.close()
goes_back(base + 40, "when they are gone")

# --- a peak of reviews, and one of targets
big = json.dumps(review(collector(*({"job_name": f"j{i}", "static_configs": [{"targets": [f"h{i}:1"] * 20}]} for i in range(10000))))).encode()
before = server.peak_mib()
for _ in range(4):
    same(server.review(big)[0], 200, f"a review of {len(big) >> 20} MiB")
goes_back(base + 40, "after reviews")
write_targets(99, 10 * TARGETS)
ok(wait_for(shows(99), 120), "ten times the targets")
full = resident_mib()
write_targets(100, 1)
ok(wait_for(shows(100), 60), "and then one")
goes_back(base + 40, f"without targets, {full} MiB before")
honest.is_served("all of this")
honest.stop()
same(say(server, b"GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), [200], "it is ready")
same(server.stop(), 0, "stops in order")
done()

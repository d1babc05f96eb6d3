#!/usr/bin/env python3
"""Discovery that lies: http_sd servers that send the wrong thing, too much or without end, and files that are none. What is known
stays, each failure is counted, other jobs go on, memory stays bounded. tests/README.md has the table; see also discovery-*.t."""

import gzip
import json
import os
import pathlib
import re
import socketserver
import sys
import threading
import time
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from discovery_rig import Allocator, done, ok, same, scratch, wait_for  # noqa: E402
from hostile_rig import PLAIN_BUILD  # noqa: E402

SD = scratch("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)  # a disk takes its time for 100,000 files
MANY = 100000
KNOWN = b'[{"targets":["known:1"]}]'


class Server(socketserver.ThreadingTCPServer):
    """Answers each request with what its path has in 'answers': bytes, or a function that writes to the connection."""
    daemon_threads = True
    request_queue_size = 100

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.counts = {}, {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a client that gave up is part of the test


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        path = self.rfile.readline().split(b" ")[1].decode()
        while self.rfile.readline() not in (b"\r\n", b""):
            pass
        self.server.counts[path] = self.server.counts.get(path, 0) + 1
        answer = self.server.answers[path]
        if callable(answer):
            answer(self.wfile)
        else:
            self.wfile.write(answer)


def http_answer(body, *headers, kind="application/json"):
    head = ["HTTP/1.1 200 OK", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def group(targets='["x:1"]', more=""):
    return f'[{{"targets":{targets}{more}}}]'.encode()


def stream(head, piece, pause_s=0.0):
    """Never ends by itself."""
    def write(out):
        out.write(head)
        while True:
            out.write(piece)
            time.sleep(pause_s)
    return write


JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
bomb = gzip.compress(b"[" + b" " * (64 << 20) + KNOWN[1:])
nested = b"[" * 100000 + b"]" * 100000
bad = {
    "HTML": http_answer(b"<html>hello</html>", kind="text/html"), "no type": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
    "an object": http_answer(KNOWN[1:-1]), "a string": http_answer(b'"x:1"'), "nothing": http_answer(b""), "zeros": http_answer(b"\0" * 1000),
    "targets as text": http_answer(group('"x:1"')), "a number as target": http_answer(group("[1]")),
    "a list as label": http_answer(group(more=',"labels":{"a":[]}')), "labels as list": http_answer(group(more=',"labels":[]')),
    "an unknown key": http_answer(group(more=',"source":"s"')), "a label name with no UTF-8 end": http_answer(group(more=',"labels":{"a')),
    "trailing bytes": http_answer(KNOWN + b"x"), "two documents": http_answer(KNOWN + KNOWN), "half of it": http_answer(KNOWN[:-1]),
    "less than announced": JSON_HEAD + b"Content-Length: 1000\r\nConnection: close\r\n\r\n" + KNOWN,
    "100,000 levels": http_answer(nested), "100,000 levels in a label": http_answer(group(more=',"labels":{"a":' + nested.decode() + "}")),
    "a bomb, gzip": http_answer(bomb, "Content-Encoding: gzip"), "a bomb, no header": http_answer(bomb + b"\n"),
    "a bomb, deflate": http_answer(zlib.compress(b" " * (64 << 20)), "Content-Encoding: deflate"),
    "a bomb, as transfer coding": JSON_HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + b"%x\r\n" % len(bomb) + bomb + b"\r\n0\r\n\r\n",
    "2 GiB announced": JSON_HEAD + b"Content-Length: 2147483648\r\n\r\n" + KNOWN,
    "a chunk of 2^64": JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffe\r\n" + KNOWN,
    "no HTTP": b"hello\r\n", "HTTP/0.9": KNOWN, "a head of 1 MB": JSON_HEAD + b"X: " + b"x" * (1 << 20) + b"\r\n\r\n",
    "a redirect to a file": b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
    "a redirect to itself": b"HTTP/1.1 302 Found\r\nLocation: /bad\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "headers without end": stream(JSON_HEAD, b"X: " + b"x" * 1000 + b"\r\n"),
    "a drip without end": stream(JSON_HEAD + b"Connection: close\r\n\r\n[", b" ", 0.05),
    "a name of 2 MB": http_answer(group(more=',"labels":{"a":"' + "x" * (2 << 20) + '"}')),
}
server = Server()
server.answers["/bad"] = server.answers["/good"] = http_answer(KNOWN)
base = f"http://127.0.0.1:{server.server_address[1]}"

# --- files that are none, next to one that is
(SD / "odd").mkdir()
(SD / "many").mkdir()
(SD / "odd/good.json").write_bytes(KNOWN)
os.mkfifo(SD / "odd/fifo.json")
for name, to in {"zero": "/dev/zero", "full": "/dev/full", "tty": "/dev/tty", "loop": "loop.json", "ring1": "ring2.json", "ring2": "ring1.json",
                 "gone": "/nowhere", "folder": ".", "mem": "/proc/self/mem", "kmsg": "/dev/kmsg"}.items():
    os.symlink(to, SD / f"odd/{name}.json")
(SD / "odd/sparse.json").touch()
os.truncate(SD / "odd/sparse.json", 2 << 30)
for i in range(MANY):
    (SD / f"many/{i}.json").touch()

CONFIG = f"""
config:
  scrape_configs:
  - job_name: good
    http_sd_configs: [{{url: {base}/good, refresh_interval: 200ms}}]
  - job_name: bad
    http_sd_configs: [{{url: {base}/bad, refresh_interval: 200ms}}]
  - job_name: odd
    file_sd_configs: [{{files: ['{SD}/odd/*.json']}}]
"""
ta = Allocator(CONFIG)


def status(name):
    return int(re.search(rf"{name}:\s*(\d+)", pathlib.Path(f"/proc/{ta.process.pid}/status").read_text(encoding="ascii"))[1])


def stays_below(mib, what):
    ok(status("VmHWM") >> 10 <= mib or not PLAIN_BUILD, f"{what}: at most {mib} MiB of memory (was {status('VmHWM') >> 10})")


ok(ta.ready(), "ready in spite of fifos, devices and links that lead nowhere")
same(ta.targets("odd"), None, "nobody knows what these would say: 503 for half a minute")
ok(ta.metric("prometheus_sd_file_read_errors_total") >= 10, "the others count as read errors")
same(ta.targets("bad"), ["known:1"], "an answer that is good")
for name, answer in bad.items():
    failures, asked, others = ta.metric("prometheus_sd_http_failures_total"), server.counts["/bad"], server.counts["/good"]
    server.answers["/bad"] = answer
    counted = wait_for(lambda: ta.metric("prometheus_sd_http_failures_total") > failures and server.counts["/bad"] > asked, 20)
    went_on = wait_for(lambda: server.counts["/good"] > others, 20)
    same((bool(counted), ta.targets("bad"), bool(went_on), ta.targets("good")), (True, ["known:1"], True, ["known:1"]),
         f"{name}: counted, what is known stays, the other job goes on")
stays_below(64, "all these answers")
ok(ta.shows("odd", ["known:1"], 40), "then the one that is a file counts")
server.answers["/bad"] = http_answer(b'[{"targets":["new:1"]}]')
ok(ta.shows("bad", ["new:1"]), "a good answer is taken again")

# --- a large answer is no fault: it is taken
targets = json.dumps([f"host-{i:07}:1" for i in range(200000)])
server.answers["/bad"] = http_answer(group(targets))
ok(wait_for(lambda: '"host-0199999:1"' in "".join(ta.get(f"/jobs/bad/targets?collector_id={c}")[1] for c in ta.collectors), 60),
   "200,000 targets in one answer")
server.answers["/bad"] = http_answer(b"[]")
ok(wait_for(lambda: ta.targets("bad") == [], 30), "and none")

# --- one pattern, 100,000 files
ta.reload(CONFIG + f"  - job_name: many\n    file_sd_configs: [{{files: ['{SD}/many/*.json']}}]\n")
ok(wait_for(lambda: "many" in json.loads(ta.get("/jobs")[1]), 60), f"a pattern that matches {MANY} empty files comes into use")
ok(wait_for(lambda: ta.metric("prometheus_sd_file_read_errors_total") >= MANY, 60), "empty JSON files are broken ones")
same(ta.targets("many"), None, "which say nothing, not that there is nothing")
(SD / "many/77.json").write_bytes(KNOWN)
ok(ta.shows("many", ["known:1"], 60), "one of them gets a target, and that is seen")
same(ta.targets("good"), ["known:1"], "the other job is served")
stays_below(512, "200,000 targets and 100,000 files")
ta.process.terminate()
wait_for(lambda: '"stopping"' in ta.log())
same(ta.stop(), 0, "stops in order, and without delay when told twice")
done()

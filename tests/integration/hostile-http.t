#!/usr/bin/env python3
"""Bytes that are no good HTTP or TLS, and connections that take long or go nowhere: each gets its answer, memory stays bounded,
and others are served meanwhile. tests/README.md has the table; what needs short time-outs is in tests/unit/http/server_test.c."""

import pathlib
import re
import resource
import socket
import ssl
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from discovery_rig import done, like, ok, same, wait_for  # noqa: E402
from hostile_rig import Honest, Server, answers, raise_file_limit, read_all, say  # noqa: E402

MOST = raise_file_limit(20000)
IDLE = min(10000, MOST - 2000)
server = Server(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (200, MOST)))
honest = Honest(server)
END = "Connection: close\r\n\r\n"


def get(path, *headers):
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: a", *headers, END]).encode("latin-1")


def post(*headers, body="", path="/jobs"):
    return ("\r\n".join([f"POST {path} HTTP/1.1", "Host: a", *headers, END]) + body).encode("latin-1")


def chunked(body):
    return post("Transfer-Encoding: chunked", body=body)


half_handshake = server.connect("webhook")
half_handshake.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")

# --- paths: split first, decoded once, compared as a whole
for path, want, body in [
        ("/jobs/%61/targets?collector_id=c%2D0", 200, rb"h:1"), ("/jobs/a%2Ftargets?collector_id=c-0", 404, rb"not found"),
        ("/jobs%2Fa%2Ftargets?collector_id=c-0", 404, rb"not found"), ("/jobs/a%00/targets?collector_id=c-0", 404, rb"no job"),
        ("/jobs/a+/targets?collector_id=c-0", 404, rb"no job"), ("/jobs/a%2500/targets?collector_id=c-0", 404, rb"no job"),
        ("/jobs/%C1%A1/targets?collector_id=c-0", 404, rb"no job"), ("/jobs/\xc1\xa1/targets?collector_id=c-0", 404, rb"no job"),
        ("/jobs/a/targets?collector_id=c-0%00", 404, rb"no collector"), ("/jobs/a/targets?collector_id=%zz", 400, rb"broken % escape"),
        ("/jobs/%zz/targets?collector_id=c-0", 400, rb"broken % escape"), ("/jobs/%", 404, rb"not found"),
        ("/jobs/../jobs/a/targets?collector_id=c-0", 404, rb"not found"), ("/jobs/%2e%2e/jobs", 404, rb"not found"),
        ("//jobs/a/targets?collector_id=c-0", 404, rb"not found"), ("/..%2f..%2fetc/passwd", 404, rb"not found"),
        ("/jobs/" + "x" * 60000 + "/targets?collector_id=c-0", 404, rb"no job")]:
    with server.connect() as sock:
        sock.sendall(get(path))
        got = read_all(sock)
    same((answers(got), bool(re.search(body, got))), ([want], True), f"{path[:50]}: {want}")

# --- requests whose end or meaning is in doubt: refused, and the connection ends
doubtful = {
    "both lengths": post("Content-Length: 3", "Transfer-Encoding: chunked", body="0\r\n\r\n"),
    "two lengths": post("Content-Length: 3", "Content-Length: 0", body="abc"),
    "two encodings": post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body="0\r\n\r\n"),
    "a folded header": get("/jobs", "X: a\r\n b"), "a folded length": post("Content-Length:\r\n 3", body="abc"),
    "a space before the colon": post("Content-Length : 3", body="abc"), "two hosts": get("/jobs", "Host: b"),
    "a space in the path": get("/jobs /x"), "a control character in the path": get("/jobs\x01"),
    "NUL in a header": get("/jobs", "X: \0"), "CR in a header": get("/jobs", "X: a\rb"), "HTTP/2.0": b"GET / HTTP/2.0\r\n\r\n",
    "HTTP/0.9": b"GET /jobs\r\n", "every byte": bytes(range(256)) * 10, "zeros": b"\0" * 100000, "only line ends": b"\r\n" * 1000,
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 600,
    "101 headers": get("/jobs", *["X: y"] * 101), "a header of 500 KB": get("/jobs", "X: " + "x" * 500000)}
doubtful |= {f"Content-Length: {n}": post(f"Content-Length: {n}", body="abc") for n in ("+3", "3, 3", "0x3", "-1", "9" * 30, "", "3 3")}
doubtful |= {f"Transfer-Encoding: {e}": post(f"Transfer-Encoding: {e}", body="0\r\n\r\n") for e in ("xchunked", "identity, chunked", "\x0bchunked")}
doubtful |= {f"chunk {c!r}": chunked(c) for c in ("-1\r\n", "f" * 17 + "\r\nx", "1\r\nxx\r\n0\r\n\r\n", '1;a="\r\n"\r\nx\r\n0\r\n\r\n')}
for name, data in doubtful.items():
    same(say(server, data + get("/readyz")), [400], f"{name}: 400, and nothing after it is answered")
for name, data in {"one header of 64 KiB": get("/jobs", "X: " + "x" * 65536), "64 KiB of headers": get("/jobs", *["X: " + "x" * 999] * 66),
                   "a method of 64 KiB": b"G" * 65536 + get("/jobs")}.items():
    same(say(server, data), [431], f"{name}: 431")
same(say(server, post("Content-Length: 65537")), [413], "a body over the cap, announced: 413 before it is sent")
same(say(server, chunked("fffffffffffffffe\r\n" + "x" * 70000)), [413], "a chunk of 2^64 bytes: 413 at the cap")
same([say(server, data) for data in (b"get" + get("/jobs")[3:], b"TRACE" + get("/jobs")[3:])], [[405], [405]], "other methods: 405")

# --- one connection, many requests; and one that is closed in one direction
with server.connect() as sock:
    sock.sendall(b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n" * 2000 + get("/jobs"))
    same(answers(read_all(sock)), [200] * 2001, "2,001 pipelined requests, as many answers")
same(say(server, b"GET /jobs HTTP/1.1\r\nHost: a\r\n\r\n", half_close=True), [200], "half closed after a request: answered")
same(say(server, b"GET /jobs HTTP/1.1\r\nHo", half_close=True), [], "half closed in a head: closed")
same(say(server, b"POST /jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab", half_close=True), [], "half closed in a body: closed")
honest.is_served("doubtful requests")

# --- TLS
with server.connect("webhook") as sock:
    sock.sendall(post())
    like(read_all(sock).decode(), r"^HTTP/1.1 400 [\s\S]*This port speaks HTTPS", "plain HTTP on the TLS port: 400 in words")
for name, data in {"every byte": bytes(range(256)) * 10, "zeros": b"\0" * 100, "a record of 64 KiB":
                   b"\x16\x03\x01\xff\xff" + b"\x01" * 70000, "SSL 2": b"\x80\x2e\x01\x00\x02" + b"\0" * 60}.items():
    with server.connect("webhook") as sock:
        try:
            sock.sendall(data)
        except (ConnectionResetError, BrokenPipeError):
            pass
        same(read_all(sock), b"", f"{name} on the TLS port: closed without a byte")
again = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port['webhook']}", "-tls1_2"], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
while "Extended master secret" not in (again.stdout.readline() or "Extended master secret"):
    pass
again.stdin.write("R\n")
again.stdin.flush()
like(again.communicate(timeout=30)[0], "RENEGOTIATING\n.*:error:.*SSL routines", "a renegotiation: fails, and the connection ends")
with server.tls.wrap_socket(server.connect("webhook")) as sock:
    sock.sendall(post("Content-Length: 2", "Transfer-Encoding: chunked", path="/mutate", body="0\r\n\r\n") + post(path="/mutate"))
    same(answers(read_all(sock)), [400], "both lengths inside of TLS: 400")
honest.is_served("bytes that are no TLS")

# --- many connections that go nowhere
base = server.peak_mib()


def open_many(n, data, listener="http"):
    socks = []
    for _ in range(n):
        socks.append(server.connect(listener))
        if data:
            socks[-1].sendall(data)
    return socks


def client_hello():
    """The first bytes of a handshake, complete."""
    out = ssl.MemoryBIO()
    try:
        server.tls.wrap_bio(ssl.MemoryBIO(), out).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


unfinished = open_many(5000, client_hello(), "webhook")
honest.is_served("5,000 handshakes that are begun")
server.stays_below(base + 40, "5,000 handshakes that are begun, of which 512 may be")
for sock in unfinished:
    sock.close()
like(server.get("/metrics")[1].decode(), r'otel_ta_tls_handshake_failures_total\{listener="webhook",reason="crowded"\} [1-9]',
     "they are counted")
like(server.log(), r'"TLS handshake failed","listener":"webhook","peer":"127.0.0.1","reason":"too many handshakes at once"', "and told")

slow = open_many(500, b"GET /jobs HTTP/1.1\r\nHost: a\r\nX: ") + open_many(500, b"POST /jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\nx")
for _ in range(5):
    for sock in slow:
        sock.sendall(b"y")
honest.is_served("1,000 slow senders")
server.stays_below(base + 32, "1,000 slow senders")
for sock in slow:
    sock.close()

heads = open_many(300, b"GET /jobs HTTP/1.1\r\nHost: a\r\n")
line = b"X: " + b"x" * 4000 + b"\r\n"
for sock in heads:
    try:
        sock.sendall(line * 90)
    except (ConnectionResetError, BrokenPipeError):
        pass
cut = wait_for(lambda: re.search(rb'otel_ta_http_connections_refused_total (\d+)', server.get("/metrics")[1])[1] != b"0", 30)
ok(cut, "100 MB of half heads: some are cut")
honest.is_served("100 MB of half heads")
server.stays_below(base + 160, "100 MB of half heads, of which 64 MiB may wait")
for sock in heads:
    sock.close()

deaf = []
for _ in range(200):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", server.port["http"]))
    sock.sendall(get("/jobs/many/targets?collector_id=c-0"))
    deaf.append(sock)
same({sock.recv(9) for sock in deaf}, {b"HTTP/1.1 "}, "200 clients ask for 30,000 targets and read nine bytes")
honest.is_served("200 slow readers")
server.stays_below(base + 224, "200 slow readers of some megabytes each")
for sock in deaf:
    sock.close()

before = server.peak_mib()
idle = open_many(IDLE, b"")
honest.is_served(f"{IDLE} idle connections")
idle[0].sendall(get("/readyz"))
same(answers(read_all(idle[0])), [200], "the oldest of them is answered when it asks")
server.stays_below(before + 64, f"{IDLE} idle connections, with a soft limit of 200 files at the start")
for sock in idle:
    sock.close()

same(read_all(half_handshake), b"", "half a handshake: closed after 10 seconds, or sooner to make room")
honest.is_served("all of this")
honest.stop()
same(server.stop(), 0, "stops in order")
done()

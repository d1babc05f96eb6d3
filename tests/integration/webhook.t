#!/usr/bin/env python3
"""POST /mutate over TLS, on the wire: what the API server would see, and what a stranger would get."""

import atexit
import base64
import http.client
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from rig.tap import done, like, ok, same  # noqa: E402

BINARY = os.environ.get("OTEL_TA", str(ROOT / "build/otel-ta"))
GROUP = "opentelemetry.io"


def collector(**spec):
    return {"apiVersion": f"{GROUP}/v1beta1", "kind": "OpenTelemetryCollector", "metadata": {"name": "c", "namespace": "ns"},
            "spec": {"mode": "statefulset", "targetAllocator": {"enabled": True}, "config": {"receivers": {"prometheus": {"config": {
                "scrape_configs": [{"job_name": "a", "static_configs": [{"targets": ["h:1"]}]}]}}}, "service": {}}, **spec}}


def review(obj, operation="CREATE", version="admission.k8s.io/v1", **more):
    kind = {"group": GROUP, "version": "v1beta1", "kind": "OpenTelemetryCollector"}
    resource = {"group": GROUP, "version": "v1beta1", "resource": "opentelemetrycollectors"}
    return {"apiVersion": version, "kind": "AdmissionReview", "request": {
        "uid": "7a5f3f2e-0000-4000-8000-c0ffee000001", "kind": kind, "requestKind": kind, "resource": resource, "requestResource": resource,
        "name": "c", "namespace": "ns", "operation": operation, "dryRun": False, "object": obj, "oldObject": None, **more}}


scratch = tempfile.TemporaryDirectory(prefix="otel-ta-webhook-")
server = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--webhook-listen", "127.0.0.1:0", "--cert-dir", f"{scratch.name}/certs",
                           "--log-format", "logfmt"], stderr=subprocess.PIPE, text=True)
atexit.register(server.kill)
address = {}
for line in server.stderr:
    found = re.search(r"listener=(\w+) address=127\.0\.0\.1:(\d+)", line)
    if found:
        address[found.group(1)] = int(found.group(2))
    if "msg=ready" in line:
        break
log = open(f"{scratch.name}/log", "w", encoding="utf-8")  # somebody has to read what is logged
subprocess.Popen(["cat"], stdin=server.stderr, stdout=log, stderr=subprocess.DEVNULL)
trusted = ssl.create_default_context(cadata=subprocess.run([BINARY, "certs", "ca", "--cert-dir", f"{scratch.name}/certs"], check=True,
                                                           capture_output=True, text=True).stdout)


def connect(context=trusted):
    return http.client.HTTPSConnection("localhost", address["webhook"], context=context, timeout=30)


def ask(body, path="/mutate?timeout=5s", method="POST", client=None, **headers):
    client = client or connect()
    client.request(method, path, body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode(),
                   {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}})
    answer = client.getresponse()
    return answer.status, answer.read(), answer


def response(body, **more):
    status, text, _ = ask(body, **more)
    same(status, 200, "HTTP 200")
    return json.loads(text)


# --- the contract
uid = review({})["request"]["uid"]
reply = response(review(collector()))
same((reply["apiVersion"], reply["kind"]), ("admission.k8s.io/v1", "AdmissionReview"), "an AdmissionReview v1")
same((reply["response"]["uid"], reply["response"]["allowed"]), (uid, True), "uid echoed, allowed")
patch = json.loads(base64.b64decode(reply["response"]["patch"]))
same(reply["response"]["patchType"], "JSONPatch", "a JSONPatch")
ok(all(op["op"] in ("add", "remove", "replace") for op in patch), "of add, remove and replace only")
like(json.dumps(patch), r"http://c-targetallocator:80/jobs/a/targets\?collector_id=\$\{POD_NAME\}", "with the documented URL")
same(response(review(collector(), version="admission.k8s.io/v1beta1"))["apiVersion"], "admission.k8s.io/v1beta1", "v1beta1 is answered in kind")
for operation in ("DELETE", "CONNECT"):
    gone = response(review(None, operation, oldObject=collector()))["response"]
    same((gone["allowed"], "patch" in gone), (True, False), f"{operation} passes without patch")
status_only = response(review(collector(), subResource="status"))["response"]
same((status_only["allowed"], "patch" in status_only), (True, False), "a subresource passes without patch")
bad = collector()
bad["spec"]["config"]["receivers"]["prometheus"]["config"]["scrape_configs"].append({"job_name": "a", "static_configs": []})
denied = response(review(bad))["response"]
same((denied["allowed"], denied["status"]["code"], denied["status"]["reason"]), (False, 422, "Invalid"), "a user's fault is a denial")
like(denied["status"]["details"]["causes"][0]["field"], r"scrape_configs\[1\]", "whose cause names the field")

# --- hostile bodies
deep = json.dumps(review(collector(extra="@"))).replace('"@"', "[" * 9990 + "]" * 9990).encode()
deep_reply = json.loads(ask(deep)[1])
same((deep_reply["response"]["uid"], deep_reply["response"]["allowed"]), (uid, True), "10,000 levels: uid echoed, allowed")
for name, body in [("empty", b""), ("not JSON", b"hello"), ("truncated", json.dumps(review(collector())).encode()[:-5]),
                   ("trailing bytes", json.dumps(review(collector())).encode() + b"x"), ("another document", b"{}")]:
    same(ask(body)[0], 400, f"{name}: 400")
announced = connect()
announced.putrequest("POST", "/mutate")
announced.putheader("Content-Length", str(17 << 20))
announced.endheaders()
same(announced.getresponse().status, 413, "17 MiB announced: 413, before they are sent")
big = collector()
big["metadata"]["annotations"] = {"note": "<" * (2 << 20)}
same(json.loads(ask(json.dumps(review(big)).replace("<", "\\u003c").encode())[1])["response"]["uid"], uid, "12 MB of escapes: answered")

# --- the route
same(ask(None, method="GET")[0], 405, "GET: 405")
like(ask(None, method="GET")[2].headers.get("Allow", ""), "POST", "with Allow")
same(ask(review(collector()), path="/other")[0], 404, "another path: 404")
same(ask(review(collector()), Content_Encoding="gzip")[0], 415, "an encoded body: 415")
same(ask(review(collector()), path="/mutate")[0], 200, "without time-out")
same(ask(review(collector()), path="/mutate?timeout=30s&x=y")[0], 200, "with other parameters")
client = connect()
same([ask(review(collector()), client=client)[0] for _ in range(50)], [200] * 50, "fifty reviews on one connection")
chunked = connect()
chunked.request("POST", "/mutate", iter([json.dumps(review(collector())).encode()]), {"Content-Type": "application/json"}, encode_chunked=True)
same(chunked.getresponse().status, 200, "a chunked body")

# --- TLS
for version, works in ((ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    same(ask(review(collector()), client=connect(context))[0] == 200, works, f"{version.name} works")
h2 = ssl._create_unverified_context()
h2.set_alpn_protocols(["h2", "http/1.1"])
with h2.wrap_socket(socket.create_connection(("127.0.0.1", address["webhook"])), server_hostname="localhost") as sock:
    same(sock.selected_alpn_protocol(), "http/1.1", "HTTP/2 is not spoken")
plain = socket.create_connection(("127.0.0.1", address["webhook"]))
plain.settimeout(30)
plain.sendall(b"POST /mutate HTTP/1.1\r\nHost: x\r\n\r\n")
got = plain.recv(1000)
same(got.splitlines()[0], b"HTTP/1.1 400 Bad Request", "plain HTTP on the TLS port is refused in words")

# --- what the process gave up
# (A build with ASan keeps everything: its leak checker traces the process.)
if b"__asan_init" not in pathlib.Path(BINARY).read_bytes():
    status = pathlib.Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
    like(status, r"Seccomp:\t2", "its system calls are filtered")
    like(status, r"NoNewPrivs:\t1", "it cannot gain privileges")

server.terminate()
same(server.wait(30), 0, "stops in order")
done()

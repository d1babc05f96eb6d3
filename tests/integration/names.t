#!/usr/bin/env python3
"""Names and values that would forge lines, move the cursor or turn the direction of writing: whatever a command prints or logs, a
terminal shows it and obeys nothing."""

import atexit
import json
import pathlib
import re
import signal
import ssl
import subprocess
import sys
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from discovery_rig import BINARY, done, kill, ok, same, scratch, wait_for  # noqa: E402

DIR = scratch()
EVIL = "x\x1b[31m\nforged: line\r\x7f\x9b2J\u202egpj\u2066\u200f"
BAD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\u061c]|^forged", re.M)


def put(name, text):
    path = DIR / name
    path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    return path


def manifest(jobs, name="shop", **more):
    return {"apiVersion": "opentelemetry.io/v1beta1", "kind": "OpenTelemetryCollector", "metadata": {"name": name},
            "spec": {"mode": "statefulset", "targetAllocator": {"enabled": True}, **more,
                     "config": {"receivers": {"prometheus": {"config": {"scrape_configs": jobs}}}}}}


STATIC = [{"targets": [EVIL + ":1", "a:1"], "labels": {"__meta_x": EVIL, EVIL: EVIL, "ok": EVIL}}]
GOOD = put("good.json", manifest([{"job_name": EVIL, "static_configs": [{"targets": ["a:1"], "labels": {"ok": EVIL}}]}]))
NAMED = put("named.json", manifest([{"job_name": "a", "static_configs": [{"targets": ["a:1"]}]}], name=EVIL))
ODD = put("odd.json", manifest([{"job_name": EVIL, EVIL: 1, "static_configs": STATIC, "kubernetes_sd_configs": [{"role": EVIL}],
                                 "relabel_configs": [{"action": EVIL}, {"regex": EVIL + "(", "target_label": EVIL}]}]))
LEFT = put("left.json", manifest([], name=EVIL, mode="sidecar"))
MODE = put("mode.json", manifest([], mode=EVIL))
FILES = put("files.json", manifest([{"job_name": EVIL, "file_sd_configs": [{"files": [EVIL + ".json"]}]},
                                    {"job_name": EVIL + "2", "dns_sd_configs": [{"names": [EVIL]}]}, {"job_name": EVIL + "3"}]))
PROM = put("prom.json", {"scrape_configs": [{"job_name": EVIL, "static_configs": [{"targets": [EVIL]}]}, {"job_name": EVIL, EVIL: 1}]})
PATH = DIR / f"dir{EVIL}.yaml"
PATH.write_text("a: [", encoding="utf-8")
GONE = DIR / f"gone{EVIL}.yaml"
ALL = (GOOD, NAMED, ODD, LEFT, MODE, FILES, PROM, PATH, GONE)

for path in ALL:
    what = "gone" if path is GONE else "path" if path is PATH else path.stem
    for words in (("rewrite", "-f"), ("rewrite", "-o", "json", "-f"), ("rewrite", "-o", "diff", "-f"), ("rewrite", "-o", "json-patch", "-f"),
                  ("restore", "-f"), ("validate", "-f"), ("check", "config"), ("allocate", "-f"), ("allocate", "-o", "json", "-f"),
                  ("explain", "-f"), ("explain", "--summary", "-f"), ("check", "service-discovery"),
                  ("explain", "-o", "json", "-f"), ("validate", "-o", "json", "-f"), ("check", "config", "-o", "json")):
        more = [EVIL] if words[-1] == "service-discovery" else ["--timeout", "100ms"] if words[0] in ("allocate", "explain") else []
        result = subprocess.run([BINARY, *words, path, *more], capture_output=True, timeout=30, check=False)
        said = result.stderr.decode() + ("" if words[0] in ("rewrite", "restore") else result.stdout.decode())
        found = BAD.search(said)
        same(found and said[max(0, found.start() - 60):found.end() + 20], None, f"{' '.join(words)} {what}: nothing that a terminal obeys")
for words in ((EVIL,), ("rewrite", f"--{EVIL}"), ("rewrite", "-f", "a", "-o", EVIL), ("help", EVIL), ("version", EVIL), ("certs", "show", "--cert-dir", f"/{EVIL}")):
    said = subprocess.run([BINARY, *words], capture_output=True, timeout=30, check=False).stderr.decode()
    ok(said and not BAD.search(said), f"{words[0][:1]}…: its own words are shown, too")


# --- the log in each of its forms, and what the webhook answers
def review(collector):
    kind = {"group": "opentelemetry.io", "version": "v1beta1", "kind": "OpenTelemetryCollector"}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u", "kind": kind, "name": collector["metadata"]["name"], "namespace": "n", "operation": "CREATE", "object": collector}}


def texts(value):
    if isinstance(value, dict):
        return [t for v in value.values() for t in texts(v)]
    if isinstance(value, list):
        return [t for v in value for t in texts(v)]
    return [value] if isinstance(value, str) else []


for form in ("json", "logfmt", "pretty"):
    config, log_path = DIR / f"{form}.yaml", DIR / f"{form}.log"
    config.write_text(GOOD.read_text(encoding="utf-8"), encoding="utf-8")
    with open(log_path, "wb") as log:
        server = subprocess.Popen([BINARY, "serve", "-f", config, "--listen", "127.0.0.1:0", "--webhook-listen", "127.0.0.1:0", "--cert-dir",
                                   DIR / "certs", "--log-format", form], stderr=log)
    atexit.register(kill, server)

    def said(part, path=log_path):
        return wait_for(lambda: re.search(part, path.read_text(encoding="utf-8")), 30)

    port = said(r"webhook.*127\.0\.0\.1:(\d+)")[1]
    said("ready")
    config.write_text(json.dumps(manifest([{"job_name": EVIL, EVIL: 1, "dns_sd_configs": [{"names": ["a"]}]}])), encoding="utf-8")
    server.send_signal(signal.SIGHUP)
    ok(said("configuration reloaded|not reloaded"), f"serve, {form}: it looks at another configuration")
    context = ssl.create_default_context(cafile=DIR / "certs/ca.crt")
    for path in (GOOD, ODD, LEFT, MODE, FILES):
        request = urllib.request.Request(f"https://localhost:{port}/mutate", json.dumps(review(json.loads(path.read_text(encoding="utf-8")))).encode(),
                                         {"Content-Type": "application/json"})
        answer = json.loads(urllib.request.urlopen(request, context=context, timeout=10).read())["response"]
        answer.pop("patch", None)
        same([t for t in texts(answer) if BAD.search(t)], [], f"the webhook's answer to {path.stem}")
    found = BAD.search(log_path.read_text(encoding="utf-8"))
    same(found and found[0], None, f"serve: the log in form of {form}")
    server.terminate()
    server.wait(timeout=30)
done()

#!/usr/bin/env python3
"""What 'validate' finds, the webhook warns of (or denies), 'rewrite' prints, and 'allocate' and 'serve' report: the same sentences,
each once. Over Collectors with one thing to say about each, and the golden ones."""

import json
import pathlib
import re
import signal
import ssl
import subprocess
import sys
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from discovery_rig import BINARY, ROOT, diag, done, kill, ok, same, scratch, wait_for  # noqa: E402

DIR = scratch()
LENGTH = 120  # of an admission warning
STATIC = {"static_configs": [{"targets": ["a:1"]}]}


def manifest(*jobs, config=None, spec=None, annotations=None):
    metadata = {"name": "c", "namespace": "n"}
    if annotations:
        metadata["annotations"] = annotations
    return {"apiVersion": "opentelemetry.io/v1beta1", "kind": "OpenTelemetryCollector", "metadata": metadata, "spec": {
        "mode": "statefulset", "replicas": 2, "targetAllocator": {"enabled": True}, **(spec or {}),
        "config": {"receivers": {"prometheus": {"config": {**(config or {}), "scrape_configs": list(jobs)}}}}}}


def job(**members):
    return {"job_name": "j", **STATIC, **members}


CASES = {
    "nothing": manifest(job()),
    "unknown field": manifest(job(scrape_intervall="5s")),
    "unknown field of a section": manifest(job(static_configs=[{"target": ["a:1"]}])),
    "unknown field beside jobs": manifest(job(), config={"globals": {}}),
    "regex": manifest(job(relabel_configs=[{"source_labels": ["a"], "regex": "(", "action": "keep"}])),
    "metric regex": manifest(job(metric_relabel_configs=[{"regex": "[", "action": "labeldrop"}])),
    "action": manifest(job(relabel_configs=[{"action": "keeep"}])),
    "duration": manifest(job(scrape_interval="never")),
    "timeout": manifest(job(scrape_interval="5s", scrape_timeout="10s")),
    "number": manifest(job(sample_limit="many")),
    "global": manifest(job(), config={"global": {"scrape_interval": "x"}}),
    "external labels": manifest(job(), config={"global": {"external_labels": {"a": [1]}}}),
    "scheme": manifest(job(scheme="ftp")),
    "unreachable rule": manifest(job(relabel_configs=[{"action": "drop"}, {"action": "keep", "source_labels": ["a"], "regex": "b"}])),
    "file name": manifest(job(file_sd_configs=[{"files": ["x.txt"]}])),
    "url": manifest(job(http_sd_configs=[{"url": "ftp://x/"}])),
    "credentials twice": manifest(job(basic_auth={"username": "a", "password": "b"}, bearer_token="c")),
    "unusable target": manifest(job(relabel_configs=[{"target_label": "__address__", "replacement": "a/b"}])),
    "nothing to discover": manifest({"job_name": "j"}),
    "not run": manifest(job(kubernetes_sd_configs=[{"role": "pod"}])),
    "expression": manifest(job(static_configs=[{"targets": ["${env:X}:1"]}])),
    "itself": manifest(job(static_configs=[{"targets": ["localhost:1"]}])),
    "owner": manifest(job(), annotations={"otel-ta/local-jobs": "j"}),
    "stranger": manifest(job(), annotations={"otel-ta/local-jobs": "k"}),
    "strategy": manifest(job(), spec={"targetAllocator": {"enabled": True, "allocationStrategy": "per-nod"}}),
    "sidecar": manifest(job(), spec={"mode": "sidecar"}),
    "no name": manifest(STATIC),
    "empty name": manifest({"job_name": "", **STATIC}),
    "null job": manifest(None),
    "text job": manifest("x"),
    "two of one name": manifest(job(), job()),
    "section": manifest({"job_name": "j", "static_configs": "x"}),
    "receiver": {**manifest(), "spec": {"targetAllocator": {"enabled": True}, "config": {"receivers": {"prometheus": "x"}}}},
    "lost": manifest(job(static_configs=None, http_sd_configs=[{"url": "http://c-targetallocator:80/jobs/j/targets?collector_id=${POD_NAME}"}])),
    "several": manifest(job(foo=1, scheme="ftp", kubernetes_sd_configs=[{"role": "pod"}]), {"job_name": "k", **STATIC, "bar": 2, "scrape_timeout": "x"}),
}
# Forms, not sentences, are what other tests compare these for: whatever there is to say, all say it.
for folder in sorted((ROOT / "tests/golden/rewrite").iterdir()):
    if folder.name not in ("plain", "documentation", "several-receivers", "text-everything-else-stays", "left-alone", "flow-and-quotes"):
        continue
    text = subprocess.run([BINARY, "restore", folder / "in.yaml", "-o", "json"], capture_output=True, text=True, check=False).stdout
    documents = [json.loads(line) for line in text.splitlines()]
    for number, document in enumerate(documents):
        if isinstance(document, dict) and document.get("kind") == "OpenTelemetryCollector":
            CASES[f"{folder.name} {number}"] = document


def sentences(text):
    """Of lines "file:line: warning: path: sentence" the sentences; what says why nothing is rewritten is not one of them."""
    found = []
    for line in text.splitlines():
        match = re.match(r"(?:\S+?:(?:\d+:)? )(?:document \d+: )?(?:warning: )?(?:(?:spec|metadata|items)[^ ]*: )?(.*)$", line)
        if match and ": left as it is: " not in line and not line.startswith("otel-ta"):
            found.append(match[1])
    return sorted(found)


def run(*words):
    return subprocess.run([BINARY, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


log = open(DIR / "log", "wb")
server = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--webhook-listen", "127.0.0.1:0", "--cert-dir", DIR / "certs",
                           "--log-format", "logfmt", "--file-jobs", "take"], stderr=log)
port = wait_for(lambda: re.search(r"webhook address=127\.0\.0\.1:(\d+)", (DIR / "log").read_text(encoding="utf-8")), 30)[1]
wait_for(lambda: "msg=ready" in (DIR / "log").read_text(encoding="utf-8"), 30)
context = ssl.create_default_context(cafile=DIR / "certs/ca.crt")


def review(collector):
    kind = {"group": "opentelemetry.io", "version": "v1beta1", "kind": "OpenTelemetryCollector"}
    body = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u", "kind": kind, "name": "c", "namespace": "n", "operation": "CREATE", "object": collector}}
    request = urllib.request.Request(f"https://localhost:{port}/mutate", json.dumps(body).encode(), {"Content-Type": "application/json"})
    answer = json.loads(urllib.request.urlopen(request, context=context, timeout=10).read())["response"]
    said = [w.removeprefix("otel-ta: ") for w in answer.get("warnings", [])]
    said += [c["message"].removeprefix("otel-ta: ") for c in answer.get("status", {}).get("details", {}).get("causes", [])]
    own = ("scrape job is discovered", "scrape jobs are discovered", "inline credentials", "discovers its scrape targets itself")
    return answer["allowed"], sorted(w for w in said if not any(o in w for o in own))


def ends_with(warning, sentence):
    """A warning is the sentence, after where it stands, and cut."""
    return warning == sentence or any(warning[i + 2:] == sentence[:len(warning) - i - 2] and len(warning) - i > 12
                                      for i in [m.start() for m in re.finditer(": ", warning)]) or warning == sentence[:LENGTH - 9]


# --- jobs that stay: how many, in log and metric (the first review: later ones are not all logged)
staying = manifest({"job_name": "plain", **STATIC}, {"job_name": "files", "file_sd_configs": [{"files": ["/tmp/x/sd.json"]}]},
                   {"job_name": "a", "static_configs": [{"targets": ["${env:NOWHERE}:1"]}]},
                   {"job_name": "b", "static_configs": [{"targets": ["${env:NOWHERE}:2"]}]})
review(staying)
text = wait_for(lambda: re.search(r"msg=review .*", (DIR / "log").read_text(encoding="utf-8")), 10)[0]
ok(" jobs_left=2 " in text, f"the log says how many jobs a review left: {text}")
port_http = re.search(r"http address=127\.0\.0\.1:(\d+)", (DIR / "log").read_text(encoding="utf-8"))[1]
metrics = urllib.request.urlopen(f"http://127.0.0.1:{port_http}/metrics", timeout=10).read().decode()
same(re.findall(r"otel_ta_webhook_jobs_left_total\{reason=\"(.+)\"\} (\d+)", metrics), [("expression", "2")], "and so does the metric, by reason")

for name, collector in CASES.items():
    path = DIR / "cr.yaml"
    path.write_text(json.dumps(collector, ensure_ascii=False, indent=1), encoding="utf-8")
    validated, rewritten, allocated = run("validate", path), run("rewrite", path), run("allocate", path, "--timeout", "50ms")
    found = sentences(validated.stderr)
    same(len(found), len(set(found)) if name != "several" else len(found), f"{name}: validate says everything once")
    ok(bool(found) == (name not in ("nothing", "plain 0", "several-receivers 0")), f"{name}: there is something to say: {found[:1]}")
    is_denied = rewritten.returncode == 1
    if not is_denied:
        same(sentences(rewritten.stderr), found, f"{name}: rewrite says what validate says")
    else:
        ok(sentences(rewritten.stderr) and set(sentences(rewritten.stderr)) <= set(found), f"{name}: rewrite refuses with what validate says")
        same(validated.returncode, 1, f"{name}: and validate refuses, too")
    is_allowed, warned = review(collector)
    same(is_allowed, not is_denied, f"{name}: rewrite refuses what the webhook denies")
    left = list(found)
    for warning in warned:
        hit = next((s for s in left if ends_with(warning, s)), None)
        if not ok(hit is not None, f"{name}: the webhook says '{warning[:60]}' as validate does"):
            diag(f"{warned} {found}")
        left.remove(hit) if hit else None
    if not is_denied:
        same(left, [], f"{name}: and leaves nothing out")
    said = sentences(allocated.stderr)
    same(sorted(set(found) - set(said)), [], f"{name}: allocate says what validate says")
    same(len(said), len(set(said)) if name != "several" else len(said), f"{name}: once")

# --- … and by which flag
path = DIR / "left.yaml"
path.write_text(json.dumps(staying), encoding="utf-8")
for flag, n_left in (("--file-jobs=take", 2), ("--file-jobs=leave", 3), ("--timeout=50ms", 2)):
    for command in ("rewrite", "validate", "allocate", "explain"):
        if flag.startswith("--timeout") and command in ("rewrite", "validate"):
            continue
        result = run(command, path, flag, *(["--timeout=50ms"] if "file" in flag and command in ("allocate", "explain") else []))
        said = re.findall(r"job '(\w+)' stays with the collectors: ", result.stderr)
        same(said, ["files", "a", "b"][3 - n_left:], f"{command} {flag}: {n_left} jobs stay")
        if command == "rewrite":
            same(json.loads(result.stdout)["spec"]["config"]["receivers"]["prometheus"]["config"]["scrape_configs"][1].keys()
                 - {"job_name"}, {"http_sd_configs" if n_left == 2 else "file_sd_configs"}, f"{flag}: the job with files is as it says")

server.send_signal(signal.SIGTERM)
kill(server)
# --- serve, with all of those that only have warnings
for name, collector in CASES.items():
    path = DIR / "cr.yaml"
    path.write_text(json.dumps(collector, ensure_ascii=False, indent=1), encoding="utf-8")
    served = run("serve", "-f", path, "--listen", "127.0.0.1:99999", "--webhook-listen", "off")  # which ends it
    same(sorted(set(sentences(run("validate", path).stderr)) - set(sentences(served.stderr))), [], f"{name}: serve reports what validate says")
done()

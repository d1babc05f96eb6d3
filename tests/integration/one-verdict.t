#!/usr/bin/env python3
"""One Collector, many readers: rewrite, validate, check, allocate, explain and serve agree on who is served, and say why
somebody is not."""

import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from discovery_rig import BINARY, Allocator, done, like, ok, same, scratch  # noqa: E402

DIR = scratch()
SIDECAR = "warning: spec.mode: a Collector of mode sidecar cannot use the allocator: it discovers its targets itself"
STRATEGY = 'spec.targetAllocator.allocationStrategy: unknown value "per-nod"'
SIZE = "spec.config: the text has "


def manifest(name, mode="statefulset", allocator="{enabled: true}", labels="{}", n_bytes=0):
    comment = "    # " + "x" * 58 + "\n"
    return f"""
apiVersion: opentelemetry.io/v1alpha1
kind: OpenTelemetryCollector
metadata: {{name: {name}, namespace: n, labels: {labels}}}
spec:
  mode: {mode}
  replicas: 2
  targetAllocator: {allocator}
  config: |
    receivers:
      prometheus:
        config:
          scrape_configs:
          - job_name: {name}-job
            static_configs: [{{targets: ['{name}:1']}}]
""" + comment * (n_bytes // 61 + 1 if n_bytes > 0 else 0)


# name, manifest, is it served, what is said to it, is that an error
CASES = [
    ("good", manifest("good"), True, "", False),
    ("sidecar", manifest("sidecar", mode="sidecar"), False, SIDECAR, False),
    ("silent", manifest("silent", allocator="{enabled: false}"), False, "", False),
    ("opted-out", manifest("opted-out", labels="{otel-ta/inject: 'false'}"), False, "", False),
    ("strategy", manifest("strategy", allocator="{enabled: true, allocationStrategy: per-nod}"), False, STRATEGY, True),
    ("unasked", manifest("unasked", allocator="{enabled: false, allocationStrategy: per-nod}"), False, "", False),
    ("long", manifest("long", n_bytes=3 * 1024 * 1024), False, SIZE, True),
    ("long-unasked", manifest("long-unasked", allocator="{}", n_bytes=3 * 1024 * 1024), False, None, False),
]


def run(*words):
    return subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, timeout=60, check=False)


for name, text, is_served, said, is_error in CASES:
    path = DIR / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    rewritten, allocated, explained = run("rewrite", "-f", path), run("allocate", "-f", path), run("explain", "-f", path)
    answers = {"rewrite": rewritten, "allocate": allocated, "explain": explained}
    if said is not None:
        answers["validate"] = run("validate", "-f", path)
    for command, answer in answers.items():
        is_refused = is_error or (command == "explain" and not is_served)  # which has no job to explain
        same(answer.returncode, 1 if is_refused else 0, f"{name}: {command}'s exit code")
        if said:
            like(answer.stderr, said.replace("(", r"\("), f"{name}: {command} says why")
            same(answer.stderr.count(said), 1, f"{name}: {command} says it once")
        elif said is not None and command == "rewrite" and not is_served:
            like(answer.stderr, rf"^\S+: left as it is: Collector n/{name} does not ask for an allocator \(.*\)\n$", f"{name}: rewrite says why not")
        elif said is not None and command in ("rewrite", "validate"):
            same(answer.stderr, "", f"{name}: {command} has nothing to say")
    same("otel-ta/sd-configs" in rewritten.stdout, is_served, f"{name}: is it rewritten?")
    same(f"{name}:1" in allocated.stdout, is_served, f"{name}: is it allocated?")
    same(f"{name}:1" in explained.stdout, is_served, f"{name}: is it explained?")

allocator = Allocator("---".join(text for _, text, _, _, is_error in CASES if not is_error), source="--filename")
ok(allocator.ready(), "ready")
same(sorted(json.loads(allocator.get("/jobs")[1])), ["good-job"], "serve has the jobs of those that are served")
ok(SIDECAR.partition("spec.mode: ")[2] in allocator.log(), "and says why one is not")
same("silent" in allocator.log() or "opted-out" in allocator.log(), False, "and nothing of those that did not ask")
done()

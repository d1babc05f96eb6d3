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

# What is in a job decides whether it is taken. Its discovery and more members of it, and why it stays with the collectors (None: it is taken).
JOBS = [
    ("plain", "static_configs: [{targets: ['plain:1']}]", None),
    ("kubernetes", "kubernetes_sd_configs: [{role: pod}]", "the allocator cannot run kubernetes_sd_configs"),
    ("mixed", "static_configs: [{targets: ['mixed:1']}], consul_sd_configs: [{}]", "the allocator cannot run consul_sd_configs"),
    ("own-ip", "static_configs: [{targets: ['${env:IP}:1']}]", "${env:IP} in static_configs[0].targets[0] is no plain value of spec.env"),
    ("known", "static_configs: [{targets: ['${env:KNOWN}:1']}], scrape_interval: '${env:I}'", None),
    ("labelled", "static_configs: [{targets: ['labelled:1'], labels: {c: '${C}'}}]", "${C} in static_configs[0].labels.c is set nowhere"),
    ("default", "static_configs: [{targets: ['${env:NOBODY:-default}:1']}]", None),
    ("bare", "static_configs: [{targets: ['$IP:1']}]", "'$IP:1' in static_configs is filled in by some releases of them only"),
    ("ruled", "static_configs: [{targets: ['ruled:1']}], relabel_configs: [{action: keep, source_labels: [a], regex: '${env:IP}'}]",
     "${env:IP} in relabel_configs[0].regex is no plain value"),
    ("unread", "static_configs: [{targets: ['unread:1']}], relabel_configs: [{target_label: a, replacement: '${env:IP}'}]", None),
    ("file", "static_configs: '${file:/etc/targets.yaml}'", "${file:/etc/targets.yaml} in static_configs is read where each collector runs"),
    ("local", "static_configs: [{targets: ['local:1']}]", "annotation otel-ta/local-jobs says so"),
]
for name, members, why in JOBS:
    path = DIR / f"job-{name}.yaml"
    path.write_text(f"""
apiVersion: opentelemetry.io/v1beta1
kind: OpenTelemetryCollector
metadata: {{name: job-{name}, namespace: n, annotations: {{otel-ta/local-jobs: local}}}}
spec:
  targetAllocator: {{enabled: true}}
  env: [{{name: KNOWN, value: known}}, {{name: IP, valueFrom: {{fieldRef: {{fieldPath: status.podIP}}}}}}]
  config: {{receivers: {{prometheus: {{config: {{scrape_configs: [{{job_name: {name}, {members}}}]}}}}}}}}
""", encoding="utf-8")
    answers = {"rewrite": run("rewrite", "-f", path), "validate": run("validate", "-f", path), "allocate": run("allocate", "-f", path),
               "explain": run("explain", "-f", path, "--job", name), "check": run("check", "service-discovery", path, name)}
    for command, answer in answers.items():
        same(answer.returncode, 1 if why and command in ("explain", "check") else 0, f"{name}: {command}'s exit code ({answer.stderr})")
        same(f"job '{name}' stays with the collectors: {why}" in answer.stderr, why is not None, f"{name}: {command} says why")
    same("otel-ta/sd-configs" in answers["rewrite"].stdout, why is None, f"{name}: is it rewritten?")
    if why is None:
        for command in ("allocate", "explain", "check"):
            ok(f"{name}:1" in answers[command].stdout, f"{name}: {command} has its target")
        restored = subprocess.run([BINARY, "restore", "-f", "-"], input=answers["rewrite"].stdout, capture_output=True, text=True, check=False)
        same(restored.stdout, path.read_text(encoding="utf-8"), f"{name}: and it comes back")
    else:
        same(answers["rewrite"].stdout, path.read_text(encoding="utf-8"), f"{name}: left byte for byte")
        same(run("rewrite", "-f", path, "--untakable=deny").returncode, 1, f"{name}: --untakable=deny") if name != "local" else None

# A target without a node and a strategy that goes by nodes: warned of everywhere, unless there is one to fall back on, which allocate goes by.
for annotations, flags, has_collector in (("", (), False), ("otel-ta/fallback-strategy: consistent-hashing", (), True),
                                          ("", ("--fallback-strategy", "rendezvous"), True)):
    path = DIR / "per-node.yaml"
    path.write_text(f"""
apiVersion: opentelemetry.io/v1beta1
kind: OpenTelemetryCollector
metadata: {{name: nodes, annotations: {{{annotations}}}}}
spec:
  mode: daemonset
  targetAllocator: {{enabled: true, allocationStrategy: per-node}}
  config: {{receivers: {{prometheus: {{config: {{scrape_configs: [{{job_name: j, static_configs: [{{targets: ['a:1']}}]}}]}}}}}}}}
""", encoding="utf-8")
    for command in ("rewrite", "validate", "allocate", "explain"):
        answer = run(command, "-f", path, *flags, *(("--collectors", "one@n") if command in ("allocate", "explain") else ()))
        same(answer.stderr.count("per-node gives them to nobody"), 0 if has_collector else 1, f"per-node, {annotations}{flags}: {command} warns")
        if command == "allocate":
            same("a:1     one" in answer.stdout, has_collector, f"per-node, {annotations}{flags}: is it allocated?")
path.write_text(path.read_text(encoding="utf-8").replace("annotations: {}", "annotations: {otel-ta/fallback-strategy: rendez}"), encoding="utf-8")
for command in ("rewrite", "validate", "allocate", "explain"):
    answer = run(command, "-f", path)
    same(answer.returncode, 1, f"{command} refuses a fallback that nobody knows")
    like(answer.stderr, r'metadata.annotations\.?.*fallback-strategy.*unknown value "rendez"', "and says so")

allocator = Allocator("---".join(text for _, text, _, _, is_error in CASES if not is_error) + "".join(
    "---" + (DIR / f"job-{name}.yaml").read_text(encoding="utf-8") for name, _, _ in JOBS), source="--filename")
ok(allocator.ready(), "ready")
for name, _, why in JOBS + [("good-job", "", None)]:
    cr = "good" if name == "good-job" else f"job-{name}"
    status, jobs = allocator.get(f"/n/n/{cr}/jobs")
    same(sorted(json.loads(jobs)), [name] if why is None else [], f"serve has the jobs of {cr} that are taken")
    if why is not None:
        ok(f"job '{name}' stays with the collectors: {why}" in allocator.log().replace('\\"', '"'), f"{name}: serve says why")
ok(SIDECAR.partition("spec.mode: ")[2] in allocator.log(), "and says why one is not")
same("silent" in allocator.log() or "opted-out" in allocator.log(), False, "and nothing of those that did not ask")
done()

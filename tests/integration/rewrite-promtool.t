#!/usr/bin/env python3
"""What a rewrite leaves in a receiver's `config` is accepted by Prometheus: promtool checks hundreds of generated Collectors,
in every form in which a configuration can be written, and after a restore it checks the originals again."""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from rig.tap import done, ok, same  # noqa: E402

BINARY = os.environ.get("OTEL_TA", str(ROOT / "build/otel-ta"))
COUNT = 300
random.seed(20240607)
scratch = pathlib.Path(tempfile.mkdtemp(prefix="otel-ta-promtool-"))

SECTIONS = [
    ["static_configs:", "- targets: ['10.0.0.1:9100', \"10.0.0.2:9100\"] # two", "  labels: {team: a}"],
    ["static_configs: [{targets: [a:1]}, {targets: [b:2], labels: {x: '1.50'}}]"],
    ["file_sd_configs:", "  - files:", "    - /etc/targets/*.json", "    refresh_interval: 1m"],
    ["dns_sd_configs: [{names: [x.example], type: A, port: 80}]"],
    ["http_sd_configs:", "- url: 'http://sd.example/targets?a=b'"],
]
MEMBERS = [
    ["scrape_interval: 10s # short", "scrape_timeout: 5s"],
    ["metrics_path: /m"], ["honor_labels: true"], ["scheme: https"],
    ["relabel_configs:", "- source_labels: [__address__]", "  regex: (.*):9100", "  replacement: $1", "  target_label: host"],
    ["metric_relabel_configs:", "  - {action: labeldrop, regex: (id|name)}"],
    ["params:", "  module: [a, 'b c']"],
]


def job(number):
    members = [[random.choice([f"job_name: job-{number}", f"job_name: 'job {number}/é'", f'"job_name": "j{number}"'])]]
    members += random.sample(MEMBERS, random.randint(0, 4))
    picked = {}
    for section in random.sample(SECTIONS, random.randint(1, 3)):
        picked[section[0].split(":")[0]] = section
    members += picked.values()
    random.shuffle(members)
    lines = [line for member in members for line in member]
    return ["- " + lines[0]] + ["  " + line for line in lines[1:]]


def config():
    lines = ["receivers:", "  prometheus:", "    config:", "      scrape_configs:"]
    for number in range(random.randint(1, 4)):
        lines += ["      " + line for line in job(number)]
    return lines + ["exporters: {debug: {}}"]


def collector(number):
    lines, form = config(), number % 3
    head = [f"apiVersion: opentelemetry.io/v1{'beta1' if form == 0 else 'alpha1'}", "kind: OpenTelemetryCollector",
            f"metadata: {{name: made-{number}}}", "spec:", "  targetAllocator: {enabled: true}"]
    if form == 2:
        return "\n".join(head + ["  config: " + json.dumps("\n".join(lines) + "\n", ensure_ascii=False)]) + "\n"
    return "\n".join(head + ["  config:" if form == 0 else "  config: |"] + ["    " + line for line in lines]) + "\n"


def run(command, text, *more):
    result = subprocess.run([BINARY, command, "-f", "-", *more], input=text, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        print("# " + result.stderr[:2000].replace("\n", "\n# "))
    return result


def as_objects(text):
    """Every document as JSON; a configuration that is text is read by the binary, too."""
    objects = [json.loads(line) for line in run("rewrite", text.replace("enabled: true", "enabled: false"), "-o", "json").stdout.splitlines()]
    texts = [o["spec"]["config"] for o in objects if isinstance(o["spec"]["config"], str)]
    trees = iter([json.loads(line) for line in run("rewrite", "---\n".join(texts), "-o", "json").stdout.splitlines()])
    for o in objects:
        if isinstance(o["spec"]["config"], str):
            o["spec"]["config"] = next(trees)
    return objects


def promtool(objects, name):
    """Names of the configurations that promtool refuses."""
    files = []
    for number, o in enumerate(objects):
        path = scratch / f"{name}-{number}.json"
        path.write_text(json.dumps(o["spec"]["config"]["receivers"]["prometheus"]["config"]), encoding="utf-8")
        files.append(str(path))
    result = subprocess.run(["promtool", "check", "config", *files], capture_output=True, text=True, check=False)
    bad = [line for line in (result.stdout + result.stderr).splitlines() if "FAILED" in line]
    return bad, result.stdout.count("SUCCESS")


source = "---\n".join(collector(number) for number in range(COUNT))
originals = as_objects(source)
same(len(originals), COUNT, "every generated Collector is read")
same(promtool(originals, "original"), ([], COUNT), "promtool accepts the generated configurations")

rewritten = run("rewrite", source)
same(rewritten.returncode, 0, "all are rewritten")
results = [json.loads(line) for line in run("rewrite", source, "-o", "json").stdout.splitlines()]
texts = [o["spec"]["config"] for o in results if isinstance(o["spec"]["config"], str)]
trees = iter([json.loads(line) for line in run("rewrite", "---\n".join(texts), "-o", "json").stdout.splitlines()])
for o in results:
    if isinstance(o["spec"]["config"], str):
        o["spec"]["config"] = next(trees)
same(promtool(results, "rewritten"), ([], COUNT), "promtool accepts every rewritten configuration")
left = [job for o in results for job in o["spec"]["config"]["receivers"]["prometheus"]["config"]["scrape_configs"]
        if [key for key in job if key == "static_configs" or key.endswith("sd_configs")] != ["http_sd_configs"]]
whole = [job for o in originals for job in o["spec"]["config"]["receivers"]["prometheus"]["config"]["scrape_configs"] if "dns_sd_configs" in job]
same(left, whole, "and each of their jobs has http_sd_configs and no other discovery, but those that cannot be run, which are as they were")

restored = run("restore", rewritten.stdout)
ok(restored.stdout == source, "a restore of the file gives the very file back")
done()

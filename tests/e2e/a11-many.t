#!/usr/bin/env python3
"""Many Collectors at once, odd ones among them: the API server's own metrics say that no call failed or was skipped."""

import concurrent.futures
import json
import re

from rig import COLLECTORS, Allocator, Cluster, cases, diag, done, enter_sandbox, ok, same

enter_sandbox()
cluster = Cluster()
allocator = Allocator()
cluster.register_webhook("--url", allocator.webhook, "--cert-dir", allocator.cert_dir)
COLLECTOR_COUNT, WRITERS = 120, 8


def metric(name):
    """Sum over the webhook's series of a metric of the API server."""
    text = cluster.kubectl("get", "--raw", "/metrics").out
    lines = re.findall(rf"^{name}{{[^}}]*mutate\.collectors\.otel-ta[^}}]*}} (\S+)$", text, re.M)
    return sum(float(value) for value in lines)


def collector(number):
    jobs = [cases.static_job(f"job-{n}", [f"127.{number}.{n}.1:9100"]) for n in range(5)]
    return cases.object_collector(f"many-{number}", jobs=jobs)


def write(writer):
    mine = [json.loads(collector(number)) for number in range(writer, COLLECTOR_COUNT, WRITERS)]
    return cluster.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": mine})).err


with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
    errors = list(pool.map(write, range(WRITERS)))
stored = json.loads(cluster.kubectl("get", COLLECTORS["v1beta1"], "-o", "json").out)["items"]
same(len(stored), COLLECTOR_COUNT, "all are stored")
wrong = [item["metadata"]["name"] for item in stored
         if [job["http_sd_configs"] for job in cases.jobs_of(item)] !=
         [[{"url": cases.url_of(item["metadata"]["name"], f"job-{n}")}] for n in range(5)] or
         len(cases.originals_of(item)) != 5]
same(wrong, [], "and each is rewritten with its own name")

odd = {
    "no-spec": {},
    "no-allocator": {"spec": {"mode": "deployment", "config": {}}},
    "null-allocator": {"spec": {"targetAllocator": {}}},
    "no-config": {"spec": {"targetAllocator": {"enabled": True}}},
    "no-prometheus": {"spec": {"targetAllocator": {"enabled": True}, "config": {"receivers": {"otlp": {}}}}},
    "labels": {"metadata": {"labels": {"otel-ta/inject": "maybe"}, "annotations": {"a": "b"}}, "spec": {}},
}
for name, parts in odd.items():
    item = {"apiVersion": "opentelemetry.io/v1beta1", "kind": "OpenTelemetryCollector", **parts}
    item["metadata"] = {**parts.get("metadata", {}), "name": name}
    result = cluster.apply(json.dumps(item), check=False)
    same(result.code, 0, f"{name}: accepted")
    same(cases.originals_of(cluster.get(name, "v1beta1")), None, f"{name}: and left alone")

same(metric("apiserver_admission_webhook_fail_open_count"), 0, "the API server never had to go on without an answer")
same(metric("apiserver_admission_match_condition_evaluation_errors_total"), 0, "no match condition failed")
same(metric("apiserver_admission_webhook_rejection_count"), 0, "nothing was rejected")
count = metric("apiserver_admission_webhook_admission_duration_seconds_count")
ok(count >= COLLECTOR_COUNT, f"it made {count:.0f} calls")
seconds = metric("apiserver_admission_webhook_admission_duration_seconds_sum")
diag(f"mean duration of a call as the API server sees it: {1000 * seconds / count:.2f} ms")
done()

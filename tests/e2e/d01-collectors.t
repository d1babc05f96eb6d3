#!/usr/bin/env python3
"""Three real OpenTelemetry Collectors on the stored configuration scrape every target exactly once."""

import json
import urllib.parse

from rig import (COLLECTORS, Allocator, Cluster, Collector, Exporters, cases, diag, done, enter_sandbox, name_loopback,
                 ok, same, scratch, wait_for, wait_until_shared)
from rig.collector import QUIET

enter_sandbox()
name_loopback("many-targetallocator")
PODS = ["many-collector-0", "many-collector-1", "many-collector-2"]
STATIC = [f"127.0.1.{n}:9100" for n in range(1, 31)]
DROPPED = [f"127.0.2.{n}:9100" for n in range(1, 6)]
FROM_FILE = [f"127.0.3.{n}:9100" for n in range(1, 13)]
FROM_HTTP = [f"127.0.4.{n}:9100" for n in range(1, 9)]
KEPT = STATIC + FROM_FILE + FROM_HTTP
exporters = Exporters(groups=[{"targets": FROM_HTTP, "labels": {"from": "http"}}])

file_sd = scratch() / "targets.json"
file_sd.write_text(json.dumps([{"targets": FROM_FILE, "labels": {"from": "file"}}]), encoding="ascii")
# Each collector says who it is with every scrape: the same substitution that the URL relies on.
WHO = "${env:POD_NAME}"
jobs = [
    {"job_name": "static", "scrape_interval": "1s", "params": {"by": [WHO]},
     "static_configs": [{"targets": STATIC}, {"targets": DROPPED, "labels": {"keep": "no"}}],
     "relabel_configs": [{"source_labels": ["keep"], "regex": "no", "action": "drop"}]},
    {"job_name": "from file/ü", "scrape_interval": "1s", "params": {"by": [WHO]},
     "file_sd_configs": [{"files": [str(file_sd)]}],
     "relabel_configs": [{"source_labels": ["__address__"], "regex": r"127\.0\.(\d+)\..*", "target_label": "net",
                          "replacement": "$$1"}]},
    {"job_name": "from http", "scrape_interval": "1s", "params": {"by": [WHO]},
     "http_sd_configs": [{"url": "http://127.0.4.99:9100/groups", "refresh_interval": "5s"}]},
]
manifest = cases.object_collector(jobs=jobs)
path = scratch() / "many.yaml"
path.write_text(manifest, encoding="utf-8")

cluster = Cluster()
allocator = Allocator("--filename", path, "--collectors", ",".join(PODS))
cluster.register_webhook("--url", allocator.webhook, "--cert-dir", allocator.cert_dir)
cluster.apply(manifest)
stored = cluster.get("many", "v1beta1")
same(sorted(key for job in cases.jobs_of(stored) for key in job if key.endswith("_configs") and "sd" in key),
     ["http_sd_configs"] * 3, "the stored configuration discovers over HTTP only")

same({job["http_sd_configs"][0]["url"].split("/jobs")[0] for job in cases.jobs_of(stored)},
     {"http://many-targetallocator:80"}, "and from the allocator only")

config = json.dumps(stored["spec"]["config"])
collectors = [Collector(pod, config, QUIET) for pod in PODS]
for collector in collectors:
    wait_for(collector.name, collector.is_running)
ok(True, "three Collectors run on the stored configuration")


seen = wait_until_shared(exporters, KEPT)
same(sorted(seen), sorted(KEPT), "every kept target is scraped, and no other")
same({target: sorted(by) for target, by in seen.items() if len(by) != 1}, {}, "each by one Collector only")
share = {pod: sum(pod in by for by in seen.values()) for pod in PODS}
diag(f"targets of each Collector: {share}")
same(sum(share.values()), len(KEPT), "and these are the three")
ok(all(share.values()), "every Collector has a share")
first = {target: next(iter(by)) for target, by in seen.items()}

# The allocator reads what the cluster stores just as well as what the user wrote.
path.write_text(cluster.kubectl("get", COLLECTORS["v1beta1"], "many", "-o", "yaml").out, encoding="utf-8")
allocator.kill()
allocator.start()
answers = {}
for job in jobs:
    for pod in PODS:
        status, body = allocator.get(f"/jobs/{urllib.parse.quote_plus(job['job_name'])}/targets?collector_id={pod}")
        answers.update({target: pod for group in json.loads(body) for target in group["targets"] if status == 200})
same({target: pod for target, pod in answers.items() if target not in DROPPED}, first,
     "started on the stored manifest, the allocator shares out in the same way")
same([target for target in answers if target in DROPPED], [], "and serves dropped targets to nobody")
for collector in collectors:
    ok(collector.check_alive(), f"{collector.name} still runs")
done()

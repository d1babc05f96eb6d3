#!/usr/bin/env python3
"""The documentation's example itself: its one target, a Collector's own port 8888, is scraped by one of three."""

import json

from rig import (Allocator, Cluster, Collector, cases, done, enter_sandbox, name_loopback, ok, same, wait_for)
from rig.collector import DETAILED, QUIET

enter_sandbox()
name_loopback("collector-with-ta-targetallocator")
PODS = [f"collector-with-ta-collector-{n}" for n in range(3)]

cluster = Cluster()
allocator = Allocator("--filename", cases.EXAMPLE, "--collectors", "3")
cluster.register_webhook("--url", allocator.webhook, "--cert-dir", allocator.cert_dir)
cluster.kubectl("apply", "-f", cases.EXAMPLE)
text = cluster.get("collector-with-ta")["spec"]["config"]

# The first keeps its own metrics on the documented port; the three share one loopback.
collectors = [Collector(pod, text, DETAILED, *([QUIET] if n else [])) for n, pod in enumerate(PODS)]
for collector in collectors:
    wait_for(collector.name, collector.is_running)


def scraping():
    return [collector.name for collector in collectors
            if "server.port: Str(8888)" in collector.log()]


who = wait_for("a scrape of 0.0.0.0:8888", scraping)
same(len(who), 1, "one Collector scrapes the target")
status, body = allocator.get(f"/jobs/otel-collector/targets?collector_id={who[0]}")
ok(status == 200 and "0.0.0.0:8888" in body, "and it is the one that the allocator names")
for pod in PODS:
    if pod != who[0]:
        status, body = allocator.get(f"/jobs/otel-collector/targets?collector_id={pod}")
        same((status, json.loads(body)), (200, []), f"{pod} has none")
done()

#!/usr/bin/env python3
"""/scrape_configs of a CR with prometheusCR: what the rewrite left inline does not reach the collector a second time."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from discovery_rig import Allocator, done, ok, same, wait_for  # noqa: E402


def manifest(prometheus_cr):
    return f"""
apiVersion: opentelemetry.io/v1beta1
kind: OpenTelemetryCollector
metadata: {{name: x}}
spec:
  mode: statefulset
  targetAllocator:
    enabled: true
    prometheusCR: {{enabled: {prometheus_cr}}}
  config:
    receivers:
      prometheus: {{config: {{scrape_configs: [{{job_name: j, static_configs: [{{targets: [a:1]}}]}}]}}}}
"""


def listed(ta):
    return sorted(json.loads(ta.get("/scrape_configs")[1]))


ta = Allocator(manifest("true"), "c-0", source="--filename")
ok(ta.ready(), "ready")
same(ta.get("/scrape_configs"), (200, "{}"), "prometheusCR: its inline jobs are not listed")
same(sorted(json.loads(ta.get("/jobs")[1])), ["j"], "they exist")
same(ta.targets("j"), ["a:1"], "and have targets")
ta.reload(manifest("false"))
ok(wait_for(lambda: listed(ta) == ["j"]), "without a block that would read it, the list tells of all")
ta.reload(manifest("true"))
ok(wait_for(lambda: listed(ta) == []), "and back")
same(ta.stop(), 0, "stops in order")

ta = Allocator(manifest("true"), "c-0", source="--filename", more=["--rewrite-style", "target-allocator"])
ok(ta.ready(), "ready")
same(listed(ta), ["j"], "nothing is inline: all jobs come by the block")
same(ta.stop(), 0, "stops in order")
done()

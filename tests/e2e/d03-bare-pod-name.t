#!/usr/bin/env python3
"""The documentation's `$POD_NAME` without braces: a Collector sends it as it is, and is told what to write."""

from rig import (Allocator, Cluster, Collector, cases, done, enter_sandbox, like, name_loopback, ok, same, wait_for)
from rig.collector import QUIET

enter_sandbox()
name_loopback("collector-with-ta-targetallocator")
cluster = Cluster()
allocator = Allocator("--filename", cases.EXAMPLE, "--collectors", "3", "--collector-id-expr", "$POD_NAME")
cluster.register_webhook("--url", allocator.webhook, "--cert-dir", allocator.cert_dir)
cluster.kubectl("apply", "-f", cases.EXAMPLE)
text = cluster.get("collector-with-ta")["spec"]["config"]
like(text, r"targets\?collector_id=\$POD_NAME['\"]?\n", "--collector-id-expr puts the documentation's own text into the URL")

status, body = allocator.get("/jobs/otel-collector/targets?collector_id=$POD_NAME")
same(status, 400, "a request with the literal text is no request of a collector")
like(body, r"\$\{POD_NAME\}", "the answer says what to write instead")

collector = Collector("collector-with-ta-collector-0", text, QUIET)
wait_for(collector.name, collector.is_running)
wait_for("the answer in the Collector's log", lambda: "400" in collector.log())
ok(True, "a real Collector sends it unexpanded, and logs that it was refused")
done()

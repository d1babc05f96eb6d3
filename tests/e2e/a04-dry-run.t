#!/usr/bin/env python3
"""A dry run shows what a real write would store, and stores nothing."""

import json
import os

from rig import COLLECTORS, Allocator, Cluster, cases, done, enter_sandbox, like, ok, same

enter_sandbox()
cluster = Cluster()
allocator = Allocator()
cluster.register_webhook("--url", allocator.webhook, "--cert-dir", allocator.cert_dir)

NAME = "collector-with-ta"
tried = json.loads(cluster.kubectl("apply", "--dry-run=server", "-f", cases.EXAMPLE, "-o", "json").out)
like(cluster.kubectl("get", COLLECTORS["v1alpha1"], NAME, check=False).err, "NotFound", "a dry run stores nothing")
cluster.kubectl("apply", "-f", cases.EXAMPLE)
stored = cluster.get(NAME)
same(tried["spec"], stored["spec"], "and shows the spec that a real write stores")
same(cases.originals_of(tried), cases.originals_of(stored), "and the annotation")

version = stored["metadata"]["resourceVersion"]
changed = cases.example().replace("'0.0.0.0:8888'", "'0.0.0.0:8888', '127.0.0.1:9999'")
tried = json.loads(cluster.apply(changed, "--dry-run=server", "-o", "json").out)
same(cases.originals_of(tried)["otel-collector"]["static_configs"][0]["targets"], ["0.0.0.0:8888", "127.0.0.1:9999"],
     "a dry run of an update shows the changed targets")
same(cluster.resource_version(NAME), version, "and stores nothing")

os.environ["KUBECTL_EXTERNAL_DIFF"] = "diff -U 9999"
diff = cluster.kubectl("diff", "-f", "-", stdin=changed, check=False)
same(diff.code, 1, "kubectl diff of a changed manifest finds a difference")
metadata, _, spec = diff.out.partition("\n spec:\n")
ok("127.0.0.1:9999" in metadata, "and it is in the annotation")
same([line for line in spec.splitlines() if line[:1] in "+-"], [], "and nowhere else")
same(cluster.resource_version(NAME), version, "and stores nothing either")
done()

#!/usr/bin/env python3
"""What must not be hindered: deleting, finalizers, scaling, status, names made by the server, other kinds."""

import json

from rig import COLLECTORS, Allocator, Cluster, cases, done, enter_sandbox, like, ok, same, wait_for

enter_sandbox()
cluster = Cluster()
allocator = Allocator()
cluster.register_webhook("--url", allocator.webhook, "--cert-dir", allocator.cert_dir)
BETA = COLLECTORS["v1beta1"]

cluster.kubectl("apply", "-f", cases.EXAMPLE)
like(cluster.kubectl("delete", "-f", cases.EXAMPLE).out, "deleted", "delete works")
like(cluster.kubectl("get", COLLECTORS["v1alpha1"], "collector-with-ta", check=False).err, "NotFound", "and it is gone")

held = json.loads(cases.object_collector("held"))
held["metadata"]["finalizers"] = ["example.com/hold"]
cluster.apply(json.dumps(held))
cluster.kubectl("delete", BETA, "held", "--wait=false")
ok("deletionTimestamp" in cluster.get("held", "v1beta1")["metadata"], "a finalizer holds a deleted Collector")
cluster.kubectl("patch", BETA, "held", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
wait_for("end of the held Collector", lambda: cluster.kubectl("get", BETA, "held", check=False).code != 0)
ok(True, "its removal lets it go")

cluster.apply(cases.object_collector("scaled"))
before = cluster.get("scaled", "v1beta1")
cluster.kubectl("scale", BETA, "scaled", "--replicas=3")
cluster.kubectl("patch", BETA, "scaled", "--subresource=status", "--type=merge", "-p",
                '{"status":{"scale":{"replicas":3}}}')
after = cluster.get("scaled", "v1beta1")
same((after["spec"]["replicas"], after["status"]["scale"]["replicas"]), (3, 3), "scale and status are written")
same((cases.jobs_of(after), cases.originals_of(after)), (cases.jobs_of(before), cases.originals_of(before)),
     "and the rewritten configuration stays")

generated = json.loads(cases.object_collector())
del generated["metadata"]["name"]
generated["metadata"]["generateName"] = "made-"
made = cluster.kubectl("create", "-f", "-", "-o", "json", stdin=json.dumps(generated))
like(made.err, "Warning:", "a Collector whose name the server makes is accepted with a warning")
name = json.loads(made.out)["metadata"]["name"]
ok("static_configs" in cases.jobs_of(cluster.get(name, "v1beta1"))[0], "it cannot be rewritten yet")
cluster.kubectl("patch", BETA, name, "--type=merge", "-p", "{}")
same(cases.jobs_of(cluster.get(name, "v1beta1"))[0]["http_sd_configs"], [{"url": cases.url_of(name, "first")}],
     "the next write does it")

off = cluster.apply(cases.object_collector("off", enabled=False))
same(off.err, "", "a Collector without the allocator passes without a word")
same(cases.jobs_of(cluster.get("off", "v1beta1")), [cases.static_job("first", ["127.0.1.1:9100"])], "and untouched")

cluster.kubectl("apply", "-n", "kube-system", "-f", cases.EXAMPLE)
same(cases.originals_of(cluster.get("collector-with-ta", namespace="kube-system")), None,
     "kube-system is left alone")
done()

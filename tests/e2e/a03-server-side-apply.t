#!/usr/bin/env python3
"""Server-side apply: the same manager never meets a conflict, another one meets what Kubernetes always shows."""

import json

from rig import COLLECTORS, Allocator, Cluster, cases, done, enter_sandbox, like, ok, same

enter_sandbox()
cluster = Cluster()
allocator = Allocator()
cluster.register_webhook("--url", allocator.webhook, "--cert-dir", allocator.cert_dir)

for name, version, manifest in (("collector-with-ta", "v1alpha1", cases.example()),
                                ("many", "v1beta1", cases.object_collector())):
    def apply(*words):
        return cluster.apply(manifest, "--server-side", *words, check=False)

    first = apply("--field-manager=gitops")
    like(first.out, "serverside-applied", f"{version}: server-side apply is accepted")
    stored = cluster.get(name, version)
    second = apply("--field-manager=gitops")
    same((second.code, second.err), (0, ""), f"{version}: again by the same manager: no conflict, no warning")
    after = cluster.get(name, version)
    same(after["metadata"]["resourceVersion"], stored["metadata"]["resourceVersion"], f"{version}: and nothing is written")
    same(after["metadata"]["managedFields"], stored["metadata"]["managedFields"], f"{version}: managed fields included")

    other = apply("--field-manager=other")
    like(other.err, "conflict", f"{version}: another manager gets a conflict")
    forced = apply("--field-manager=other", "--force-conflicts")
    same(forced.code, 0, f"{version}: which --force-conflicts resolves")
    after = cluster.get(name, version)
    same((after["spec"], cases.originals_of(after)), (stored["spec"], cases.originals_of(stored)),
         f"{version}: and the Collector stays as it was")

# Mixed managers and mixed kinds of apply, as Kubernetes treats them.
live = cluster.kubectl("get", COLLECTORS["v1beta1"], "many", "-o", "json").out
shown = json.loads(live)
for key in ("creationTimestamp", "generation", "resourceVersion", "uid", "annotations"):
    shown["metadata"].pop(key, None)
shared = cluster.apply(json.dumps(shown), "--server-side", "--field-manager=third", check=False)
same(shared.code, 0, "a manager that applies the live, rewritten object has no conflict")
owned = cluster.apply(cases.object_collector(), "--server-side", "--field-manager=other", check=False)
like(owned.err, "conflict", "but then the owner's original manifest has one")

cluster.kubectl("delete", COLLECTORS["v1alpha1"], "collector-with-ta")
cluster.kubectl("apply", "-f", cases.EXAMPLE)
moved = cluster.apply(cases.example(), "--server-side", check=False)
like(moved.err, "kubectl-client-side-apply", "client-side apply first: server-side apply conflicts with it")
moved = cluster.apply(cases.example(), "--server-side", "--force-conflicts", check=False)
same(moved.code, 0, "until it is forced")
ok(cases.originals_of(cluster.get("collector-with-ta")), "and the Collector is still rewritten")

# A client that submits our annotation and later drops it cannot take it away.
mine = json.loads(cases.object_collector("annotated"))
cluster.apply(json.dumps(mine), "--server-side")
with_annotation = json.loads(json.dumps(mine))
with_annotation["metadata"]["annotations"] = {
    cases.ANNOTATION: cluster.get("annotated", "v1beta1")["metadata"]["annotations"][cases.ANNOTATION]}
cluster.apply(json.dumps(with_annotation), "--server-side")
cluster.apply(json.dumps(mine), "--server-side")
same(cases.originals_of(cluster.get("annotated", "v1beta1")), {"first": {"static_configs": [{"targets": ["127.0.1.1:9100"]}]}},
     "an annotation that its owner drops comes back")
done()

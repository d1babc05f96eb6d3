#!/usr/bin/env python3
"""Server-side apply: the same manager never meets a conflict, another one meets what Kubernetes always shows."""

from rig import Allocator, Cluster, cases, done, enter_sandbox, like, same

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
done()

#!/usr/bin/env python3
"""The webhook behind a Service, as in a cluster: server name, Host and certificate are the Service's."""

import json

from rig import Allocator, Cluster, ROOT, cases, done, enter_sandbox, ok, same

enter_sandbox()
cluster = Cluster()
allocator = Allocator()
cluster.kubectl("apply", "-f", ROOT / "manifests/base/namespace.yaml")
cluster.kubectl("create", "-f", "-", stdin=json.dumps({
    "apiVersion": "v1", "kind": "Service", "metadata": {"name": "otel-ta", "namespace": "otel-ta"},
    "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": 9443}]}}))
cluster.register_webhook("--service", "otel-ta/otel-ta:9443", "--cert-dir", allocator.cert_dir)

cluster.kubectl("apply", "-f", cases.EXAMPLE)
stored = cluster.get("collector-with-ta")
ok(cases.url_of("collector-with-ta", cases.EXAMPLE_JOB) in stored["spec"]["config"],
   "a webhook that is called through its Service rewrites too")
version = stored["metadata"]["resourceVersion"]
cluster.kubectl("apply", "-f", cases.EXAMPLE)
same(cluster.resource_version("collector-with-ta"), version, "a second apply writes nothing")
done()

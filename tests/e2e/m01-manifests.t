#!/usr/bin/env python3
"""What manifests/ says is accepted by a real API server, under the restricted pod security profile."""

import json

from rig import Cluster, ROOT, diag, done, enter_sandbox, like, ok, same

enter_sandbox()
cluster = Cluster()

kinds = set()
result = cluster.kubectl("kustomize", ROOT / "manifests/base")
cluster.kubectl("apply", "-f", ROOT / "manifests/base/namespace.yaml")
applied = cluster.kubectl("apply", "--dry-run=server", "-k", ROOT / "manifests/base", "-o", "json", check=False)
ok(applied.code == 0, "manifests/base is accepted by server-side dry run")
diag(applied.err)
ok("would violate" not in applied.err, "no warning of the pod security profile 'restricted'")
objects = {item["kind"]: item for item in json.loads(applied.out)["items"]}
same(sorted(objects), sorted([
    "ClusterRole", "ClusterRoleBinding", "Deployment", "MutatingWebhookConfiguration", "Namespace", "NetworkPolicy",
    "PodDisruptionBudget", "Service", "ServiceAccount"]), "all kinds are there")

template = objects["Deployment"]["spec"]["template"]
pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "namespace": "otel-ta", **template["metadata"]},
       "spec": template["spec"]}
made = cluster.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(pod), check=False)
like(made.all, "pod/x created", "a pod of the Deployment passes the enforced profile")

pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
made = cluster.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(pod), check=False)
like(made.all, "violates PodSecurity", "and the profile is really enforced: a privileged twin is refused")

ports = {port["name"]: port["targetPort"] for port in objects["Service"]["spec"]["ports"]}
names = {port["name"] for port in template["spec"]["containers"][0]["ports"]}
ok(set(ports.values()) <= names, "the Service's ports are ports of the container")
ok(objects["Service"]["spec"]["selector"].items() <= template["metadata"]["labels"].items(),
   "the Service selects the Deployment's pods")

webhook = objects["MutatingWebhookConfiguration"]["webhooks"][0]
service = webhook["clientConfig"]["service"]
same((service["namespace"], service["name"], service["port"]), ("otel-ta", "otel-ta", 443),
     "the webhook configuration names that Service")
ok("caBundle" not in webhook["clientConfig"], "and carries no caBundle that an apply could put over the live one")

crd = json.loads(cluster.kubectl("get", "crd", "opentelemetrycollectors.opentelemetry.io", "-o", "json").out)
same({v["name"]: (v["served"], v["storage"]) for v in crd["spec"]["versions"]},
     {"v1alpha1": (True, False), "v1beta1": (True, True)}, "both versions are served, v1beta1 is stored")
conditions = {c["type"]: c["status"] for c in crd["status"]["conditions"]}
same(conditions.get("NonStructuralSchema", "False"), "False", "its schema is structural")

for path in sorted((ROOT / "manifests/examples").glob("*.yaml")):
    made = cluster.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", path, check=False)
    like(made.all, "created .server dry run", f"examples/{path.name} is accepted by that kind")
done()

#!/usr/bin/env python3
"""Versions with typed schemas and no conversion webhook: text stays text in v1alpha1, v1beta1 never gets changed text."""

import json

from rig import COLLECTORS, KIND, Allocator, Cluster, cases, done, enter_sandbox, like, ok, same, wait_for

enter_sandbox()
cluster = Cluster()
allocator = Allocator()

# The operator's definition gives spec.config a type in each version.
crd = json.loads(cluster.kubectl("get", "crd", KIND, "-o", "json").out)
for version, kind in zip(crd["spec"]["versions"], ("string", "object")):
    version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["config"]["type"] = kind
    if kind == "string":
        del version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["config"][
            "x-kubernetes-preserve-unknown-fields"]
cluster.kubectl("replace", "-f", "-", stdin=json.dumps(crd))
wait_for("typed schema", lambda: "must be of type string" in cluster.apply(
    cases.object_collector().replace("v1beta1", "v1alpha1"), "--dry-run=server", "--validate=false", check=False).err)
cluster.register_webhook("--url", allocator.webhook, "--cert-dir", allocator.cert_dir)

NAME, ALPHA, BETA = "collector-with-ta", COLLECTORS["v1alpha1"], COLLECTORS["v1beta1"]
URL = cases.url_of(NAME, cases.EXAMPLE_JOB)
ORIGINAL = cases.config_text(cases.example())


def patch(kind, name, value):
    return cluster.kubectl("patch", kind, name, "--type=merge", "-p", json.dumps(value), check=False)


def set_enabled(kind, name, value):
    return patch(kind, name, {"spec": {"targetAllocator": {"enabled": value}}})


same(cluster.kubectl("apply", "-f", cases.EXAMPLE, check=False).code, 0, "a v1alpha1 Collector with text is accepted")
stored = cluster.get(NAME)
ok(isinstance(stored["spec"]["config"], str) and URL in stored["spec"]["config"], "and its text is rewritten as text")
same(cluster.apply(cases.object_collector(), check=False).code, 0, "a v1beta1 Collector with an object is accepted")

# kubectl's default version is v1beta1: what is stored as text is shown as text there.
result = patch(BETA, NAME, {"metadata": {"labels": {"team": "a"}}})
same((result.code, result.err), (0, ""), "a v1beta1 write of a Collector stored as text passes")
same(cluster.get(NAME)["spec"]["config"], stored["spec"]["config"], "and leaves its text alone")

result = set_enabled(BETA, NAME, False)
same(result.code, 0, "disabled through v1beta1: accepted")
config = cluster.get(NAME, "v1beta1")["spec"]["config"]
if isinstance(config, str):
    same(config, stored["spec"]["config"], "its text is untouched")
else:
    same(config["receivers"]["prometheus"]["config"]["scrape_configs"][0].get("static_configs"),
         [{"targets": ["0.0.0.0:8888"]}], "it has become an object with the original targets")
    like(json.dumps(config["receivers"]), r'"replacement": "\$\$1"', "with the values of the text")

cluster.kubectl("delete", ALPHA, NAME)
cluster.kubectl("apply", "-f", cases.EXAMPLE)
same(set_enabled(ALPHA, NAME, False).code, 0, "disabled through v1alpha1: accepted")
same(cluster.get(NAME)["spec"]["config"], ORIGINAL, "and the original text is back")
same(set_enabled(ALPHA, NAME, True).code, 0, "enabled through v1alpha1: accepted")
same(cluster.get(NAME)["spec"]["config"], stored["spec"]["config"], "and the rewritten text is the same as before")
done()

#!/usr/bin/env python3
"""kubernetes_sd_configs on a real API server: the same targets as a real Prometheus finds, at rest and after changes."""

import concurrent.futures
import json
import random
import subprocess

from rig import Allocator, Cluster, ROOT, diag, done, enter_sandbox, ok, scratch, wait_for
from rig.objects import call, path_of, put, remove
from rig.sandbox import server

enter_sandbox()
SEED, ROUNDS, CHANGES = 20163, 3, 12
rng = random.Random(SEED)

ORDER = ["Namespace", "Node", "ReplicaSet", "Job", "Pod", "Service", "Endpoints", "EndpointSlice", "Ingress"]
ATTACH = {"node": True, "namespace": True, "deployment": True, "job": True, "cronjob": True}
SELECTORS = {
    "node": [{"role": "node", "label": "topology.kubernetes.io/zone=zone-b", "field": "metadata.name!=crs-n3"}],
    "pod": [{"role": "pod", "label": "app in (web,cache),!role", "field": "spec.nodeName=crs-n1"}],
    "service": [{"role": "service", "label": "team=shop", "field": "metadata.name!=cache"}],
    "endpoints": [{"role": "endpoints", "field": "metadata.name=web"}, {"role": "service", "label": "app=web"},
                  {"role": "pod", "field": "spec.nodeName=crs-n1"}],
    "endpointslice": [{"role": "endpointslice", "label": "kubernetes.io/service-name in (web,manual)"},
                      {"role": "service", "label": "app=web"}, {"role": "pod", "label": "app=cache"}],
    "ingress": [{"role": "ingress", "label": "probe=yes"}],
}


def sections():
    for role, selectors in SELECTORS.items():
        yield role, {"role": role}
        yield role + "-attach", {"role": role, "attach_metadata": ATTACH}
        yield role + "-ns", {"role": role, "namespaces": {"names": ["pay", "lab"]}}
        yield role + "-sel", {"role": role, "selectors": selectors}
    yield "pod-attach-nodesel", {
        "role": "pod", "attach_metadata": {"node": True}, "namespaces": {"names": ["shop", "pay"]},
        "selectors": [{"role": "node", "label": "topology.kubernetes.io/zone=zone-a"}, {"role": "pod", "label": "app"}]}


def clean(thing):
    """What a server fills in itself, and would refuse from another."""
    thing.get("spec", {}).pop("clusterIPs", None)
    if thing["kind"] == "Service" and thing["spec"].get("clusterIP") not in (None, "None"):
        thing["spec"].pop("clusterIP")
    if thing["kind"] == "Namespace":
        del thing["spec"], thing["status"]
    if thing["kind"] == "Job":
        thing["spec"] = {"template": {**thing["spec"]["template"], "metadata": {}}}
    return thing


cluster = Cluster()
kubeconfig = scratch() / "kubeconfig"
things = [json.loads(line) for line in (ROOT / "tests/golden/kubernetes/objects.jsonl").read_text("utf-8").splitlines()]
things = [clean(thing) for thing in things if thing["kind"] in ORDER and
          not (thing["metadata"]["name"] == "kubernetes" and thing["metadata"].get("namespace") == "default") and
          not (thing["kind"] == "EndpointSlice" and thing["metadata"]["name"].startswith("kubernetes"))]
things.sort(key=lambda thing: ORDER.index(thing["kind"]))
for thing in things:
    put(thing)

jobs = [{"job_name": name, "kubernetes_sd_configs": [{**section, "kubeconfig_file": str(kubeconfig)}],
         "relabel_configs": [{"action": "labelmap", "regex": "__meta_kubernetes_(.+)"}]}
        for name, section in sections()]
path = scratch() / "prometheus.yml"
path.write_text(json.dumps({"scrape_configs": jobs}), encoding="ascii")
dropin = scratch() / "targetallocator.json"
dropin.write_text(json.dumps({"allocation_strategy": "consistent-hashing", "filter_strategy": "relabel-config",
                              "config": {"scrape_configs": jobs}}), encoding="ascii")
allocator = Allocator("--config-file", dropin, "--kubeconfig", kubeconfig, "--collectors", "a,b,c", listen="127.0.0.1:8080")


def discovered(text):
    """Labels before relabeling, without those that are empty: neither program shows them."""
    return sorted(json.dumps({k: v for k, v in entry["discoveredLabels"].items() if v != ""}, sort_keys=True)
                  for entry in json.loads(text or "null") or [])


def served(name):
    """Of all collectors: labels by address. Seeds are the scrape config's and not served."""
    entries = []
    for collector in "abc":
        _, body = allocator.get(f"/jobs/{name}/targets?collector_id={collector}")
        entries += [json.dumps({"__address__": group["targets"][0],
                                **{k: v for k, v in group["labels"].items() if v != ""}}, sort_keys=True)
                    for group in json.loads(body)]
    return sorted(entries)


def without_seeds(entries):
    """What an allocator serves of it: neither the labels of the scrape config, nor what has no address."""
    for entry in map(json.loads, entries):
        if "__address__" in entry:
            yield json.dumps({k: v for k, v in entry.items() if k == "__address__" or k.startswith("__meta_") or
                              not k.startswith("__") and k != "job"}, sort_keys=True)


def look(job):
    """What both programs find now. promtool waits for its whole time, so several do so at once."""
    name = job["job_name"]
    command = [server("promtool"), "check", "service-discovery", "--timeout=3s", path, name]
    theirs = subprocess.run(command, capture_output=True, text=True, check=False)
    return name, theirs, Allocator.run("check", "service-discovery", path, name, "--timeout", "30s")


def compare(when):
    total = 0
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        results = list(pool.map(look, jobs))
    for name, theirs, mine in results:
        want, got = discovered(theirs.stdout), discovered(mine.out)
        want, got = sorted(set(want)), sorted(set(got))
        total += len(want)
        if not ok(got == want, f"{when}: {name}: the same {len(want)} targets as Prometheus"):
            diag("only promtool:\n" + "\n".join(sorted(set(want) - set(got))[:3]))
            diag("only otel-ta:\n" + "\n".join(sorted(set(got) - set(want))[:3]))
            diag(theirs.stderr[-800:] + mine.err)
        ok(sorted(set(served(name))) == sorted(without_seeds(got)), f"{when}: {name}: and they are served")
    return total


def settle():
    """A last change that everybody sees: when it is served, all before it are."""
    marker = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "marker", "labels": {"mark": str(rng.random())}},
              "status": {"addresses": [{"type": "InternalIP", "address": "10.9.9.9"}]}}
    put(marker)
    wait_for("the last change", lambda: marker["metadata"]["labels"]["mark"] in
             allocator.get("/jobs/node/targets?collector_id=a")[1] + allocator.get("/jobs/node/targets?collector_id=b")[1] +
             allocator.get("/jobs/node/targets?collector_id=c")[1], timeout_s=30)


def change():
    """One object comes, changes or goes."""
    thing = rng.choice([t for t in things if t["kind"] not in ("Namespace",)])
    now = call("GET", path_of(thing))
    if now is None:
        put(thing)
    elif rng.random() < 0.3:
        remove(thing)
    else:
        labels = {**(thing["metadata"].get("labels") or {}), "step": str(rng.randrange(1000))}
        put({**thing, "metadata": {**thing["metadata"], "labels": labels}})


settle()
ok(compare("at rest") > 300, "enough to compare")
for round_ in range(ROUNDS):
    for _ in range(CHANGES):
        change()
    settle()
    compare(f"after {CHANGES * (round_ + 1)} changes")
done()

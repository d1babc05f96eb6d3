#!/usr/bin/env python3
"""Upstream's configuration file in a pod: the collectors are the pods of its selector, as they come, fail and go."""

import datetime
import json
import os
import pathlib
import subprocess

from rig import Allocator, Cluster, Poller, done, enter_sandbox, ok, same, scratch, wait_for
from rig.objects import call, path_of, put, remove

enter_sandbox()
NAMESPACE, GRACE_S = "otel", 5
TARGETS = {job: {f"10.{net}.0.{n}:9100" for n in range(60)} for net, job in enumerate(("shop", "pay"))}
LABELS = {"app.kubernetes.io/component": "opentelemetry-collector", "app.kubernetes.io/instance": "otel.many",
          "app.kubernetes.io/managed-by": "opentelemetry-operator", "app.kubernetes.io/part-of": "opentelemetry"}

# The pod's account may do what upstream's documentation grants for pods, and nothing else.
cluster = Cluster()
cluster.kubectl("create", "namespace", NAMESPACE)
cluster.kubectl("create", "serviceaccount", "allocator", "-n", NAMESPACE)
cluster.kubectl("create", "role", "allocator", "-n", NAMESPACE, "--verb=list,watch", "--resource=pods")
cluster.kubectl("create", "rolebinding", "allocator", "-n", NAMESPACE, "--role=allocator",
                f"--serviceaccount={NAMESPACE}:allocator")
account = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
account.mkdir(parents=True)
(account / "token").write_text(cluster.kubectl("create", "token", "allocator", "-n", NAMESPACE).out, encoding="ascii")
(account / "ca.crt").write_bytes((scratch() / "apiserver/apiserver.crt").read_bytes())
(account / "namespace").write_text(NAMESPACE, encoding="ascii")
os.environ.update(KUBERNETES_SERVICE_HOST="127.0.0.1", KUBERNETES_SERVICE_PORT="6443", OTELCOL_NAMESPACE=NAMESPACE)

path = scratch() / "targetallocator.yaml"
selector = "\n".join(f"    {key}: {value}" for key, value in LABELS.items())
found = {"job_name": "found", "kubernetes_sd_configs": [{"role": "pod", "namespaces": {"own_namespace": True}}]}
jobs = json.dumps([found] + [{"job_name": job, "static_configs": [{"targets": sorted(targets)}]}
                             for job, targets in TARGETS.items()])
path.write_text(f"""allocation_strategy: consistent-hashing
collector_not_ready_grace_period: {GRACE_S}s
collector_selector:
  matchlabels:
{selector}
  matchexpressions: []
config:
  scrape_configs: {jobs}
filter_strategy: relabel-config
""", encoding="ascii")
allocator = Allocator("--config-file", path, listen="127.0.0.1:8080")


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod(number, ready=True, node="n1", labels=None):
    """A collector's pod, as scheduler and kubelet leave it."""
    spec = {"containers": [{"name": "otc-container", "image": "collector"}]}
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": f"many-collector-{number}", "namespace": NAMESPACE, "labels": labels or LABELS},
            "spec": {**spec, "nodeName": node} if node else spec,
            "status": {"phase": "Running", "podIP": f"10.9.0.{number}", "startTime": now(), "conditions": [
                {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": now()}]}}


def name(number):
    return f"many-collector-{number}"


def asked(number, job):
    return allocator.get(f"/jobs/{job}/targets?collector_id={name(number)}")


def share(number):
    found = []
    for job in TARGETS:
        status, body = asked(number, job)
        found += [job + " " + target for group in json.loads(body) for target in group["targets"]] if status == 200 else ["?"]
    return found


ALL = sorted(job + " " + target for job, targets in TARGETS.items() for target in targets)


def shared_by(numbers):
    """Every target once, all of these have some, and nobody else has any."""
    shares = {number: share(number) for number in range(6)}
    return (sorted(sum(shares.values(), [])) == (ALL if numbers else []) and
            {number for number, targets in shares.items() if targets} == set(numbers))


def becomes(numbers, what):
    wait_for(what, lambda: shared_by(numbers))
    ok(True, f"{what}: every target once, shared by {numbers}")


becomes([], "no pod")
put(pod(9, labels={"app": "other"}))
put(pod(0, node=None))
put(pod(1))
becomes([1], "the first pod with a node, and the labels")
pollers = [Poller(f"collector 1 of {job}", lambda job=job: asked(1, job)) for job in TARGETS]
for number in (2, 3, 4, 5):
    put(pod(number))
becomes([1, 2, 3, 4, 5], "scaled to five")
remove(pod(0))
for number in (4, 5):
    call("DELETE", path_of(pod(number)) + "?gracePeriodSeconds=3600")
becomes([1, 2, 3], "two terminate")
ok(all("deletionTimestamp" in call("GET", path_of(pod(number)))["metadata"] for number in (4, 5)), "and are still there")

put(pod(3, ready=False))
becomes([1, 2], "one is not ready for longer than its grace")
put(pod(3))
becomes([1, 2, 3], "it is ready again, and was held for a while")

for poller in pollers:
    poller.end()
allocator.kill()
allocator.start()
ok(shared_by([1, 2, 3]), "a new allocator is ready when it knows the collectors")
for number in (1, 2, 3, 4, 5):
    remove(pod(number))
becomes([], "all go")
put(pod(2))
becomes([2], "one comes")
wait_for("pods as targets", lambda: sorted(target for group in json.loads(asked(2, "found")[1])
                                           for target in group["targets"]) == ["10.9.0.2", "10.9.0.9"])
ok(True, "and what is discovered in the pod's own cluster is its, too")
done()

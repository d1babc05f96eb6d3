#!/usr/bin/env python3
"""The webhook in a cluster: kubectl apply of a Collector is enough, and its pods get their shares; under the rights that manifests/base grants."""

import datetime
import http.server
import json
import os
import pathlib
import subprocess
import threading

from rig import COLLECTORS, ROOT, Allocator, Cluster, Poller, cases, done, enter_sandbox, like, ok, same, scratch, wait_for
from rig.cases import ANNOTATION
from rig.objects import call, put, remove

enter_sandbox()
cluster = Cluster()
for namespace in ("otel-ta", "shop", "bank"):
    cluster.kubectl("create", "namespace", namespace)
cluster.kubectl("apply", "-f", ROOT / "manifests/base/rbac.yaml")
account = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
account.mkdir(parents=True)
(account / "token").write_text(cluster.kubectl("create", "token", "otel-ta", "-n", "otel-ta").out, encoding="ascii")
(account / "ca.crt").write_bytes((scratch() / "apiserver/apiserver.crt").read_bytes())
(account / "namespace").write_text("otel-ta", encoding="ascii")
os.environ.update(KUBERNETES_SERVICE_HOST="127.0.0.1", KUBERNETES_SERVICE_PORT="6443")
allocator = Allocator("--shutdown-delay", "0s")
cluster.register_webhook("--url", allocator.webhook, "--cert-dir", allocator.cert_dir)


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def address(namespace, number):
    return f"127.0.{('shop', 'bank').index(namespace) + 1}.{number + 1}"


def pod(namespace, collector, number, ready=True):
    """A collector's pod, as the operator, the scheduler and the kubelet leave it."""
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": f"{collector}-collector-{number}", "namespace": namespace, "labels": {
                "app.kubernetes.io/component": "opentelemetry-collector", "app.kubernetes.io/instance": f"{namespace}.{collector}",
                "app.kubernetes.io/managed-by": "opentelemetry-operator", "app.kubernetes.io/part-of": "opentelemetry"}},
            "spec": {"containers": [{"name": "otc-container", "image": "collector"}], "nodeName": "n1"},
            "status": {"phase": "Running", "podIP": address(namespace, number), "startTime": now(), "conditions": [
                {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": now()}]}}


def targets(net, n=40):
    return [f"10.{net}.0.{i}:9100" for i in range(n)]


def apply(namespace, name, **jobs):
    text = cases.object_collector(name, [cases.static_job(job, of) for job, of in jobs.items()])
    return cluster.apply(text, "-n", namespace)


def ask(namespace, collector, job, number):
    return allocator.get(f"/n/{namespace}/{collector}/jobs/{job}/targets?collector_id={collector}-collector-{number}")


def shares(namespace, collector, job, numbers):
    found = []
    for number in numbers:
        status, body = ask(namespace, collector, job, number)
        if status != 200 or json.loads(body) == []:
            return None
        found += [target for group in json.loads(body) for target in group["targets"]]
    return sorted(found)


def becomes(namespace, collector, job, numbers, want, what):
    wait_for(what, lambda: shares(namespace, collector, job, numbers) == sorted(want))
    ok(True, f"{what}: every target once, shared by {numbers}")


def verbose():
    return allocator.get("/readyz?verbose")


# ---- apply is enough
same(ask("shop", "many", "a", 0)[0], 503, "who knows no Collector at all says so, and no empty list")
apply("shop", "many", a=targets(1))
stored = cluster.get("many", "v1beta1", "shop")
ok(ANNOTATION in stored["metadata"]["annotations"], "the webhook has rewritten it")
wait_for("the job", lambda: ask("shop", "many", "a", 0)[0] == 404)
like(ask("shop", "many", "a", 0)[1], "no collector 'many-collector-0'; there are none yet", "it has no collectors yet")
put(pod("shop", "many", 0))
becomes("shop", "many", "a", [0], targets(1), "its first pod")
poller = Poller("many-collector-0", lambda: ask("shop", "many", "a", 0))
for number in (1, 2):
    put(pod("shop", "many", number))
becomes("shop", "many", "a", [0, 1, 2], targets(1), "scaled to three")
apply("shop", "many", a=targets(1, 50), b=targets(2))
becomes("shop", "many", "a", [0, 1, 2], targets(1, 50), "other targets")
becomes("shop", "many", "b", [0, 1, 2], targets(2), "another job")

# ---- another of that name in another namespace, told apart by path and by the pod's address
apply("bank", "many", a=targets(7))
put(pod("bank", "many", 0))
becomes("bank", "many", "a", [0], targets(7), "a Collector of that name elsewhere")
becomes("shop", "many", "a", [0, 1, 2], targets(1, 50), "and the first as before")


def ask_from(source, collector):
    """As somebody of that address asks, by the documented path."""
    return subprocess.run(["curl", "-s", "-w", "%{http_code}", "--interface", source, allocator.base +
                           f"/jobs/a/targets?collector_id={collector}"], capture_output=True, text=True, check=False).stdout


for namespace, net in (("shop", 1), ("bank", 7)):
    answer = ask_from(address(namespace, 0), "many-collector-0")
    ok(f'"10.{net}.0.' in answer and f'"10.{8 - net}.0.' not in answer, f"a pod of {namespace} is known by its address")
like(ask_from("127.0.9.9", "many-collector-0"), "421$", "who could mean either is told so")

# ---- a fault costs one Collector
damaged = json.dumps({"metadata": {"annotations": {ANNOTATION: '{"v":99}'}}})
cluster.kubectl("delete", "mutatingwebhookconfiguration", "--all")
cluster.kubectl("patch", COLLECTORS["v1beta1"], "many", "-n", "bank", "--type=merge", "-p", damaged)
wait_for("a gap", lambda: "bank/many" in verbose()[1])
like(verbose()[1], r"\[-\]collector bank/many: .*newer version", "a Collector with a fault is named, with the reason")
same(verbose()[0], 200, "which is no reason not to be ready")
becomes("bank", "many", "a", [0], targets(7), "what it had stays")
like(allocator.get("/metrics")[1], r'otel_ta_config_out\{file="bank/many",collector="bank/many",.*\} 1', "a metric has it")
whole = cluster.get("many", "v1beta1", "shop")["metadata"]["annotations"][ANNOTATION]
mended = json.dumps({"metadata": {"annotations": {ANNOTATION: whole}}})
cluster.kubectl("patch", COLLECTORS["v1beta1"], "many", "-n", "bank", "--type=merge", "-p", mended)
wait_for("no gap", lambda: "bank/many" not in verbose()[1])
ok(True, "mended, nothing is out")

# ---- what a Collector may not have done: the annotation is its author's, too
class Inside(http.server.BaseHTTPRequestHandler):
    """An HTTP SD server that is nobody's but this host's."""
    asked = []

    def do_GET(self):
        self.asked.append(self.path)
        self.send_error(500)


inside = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Inside)
threading.Thread(target=inside.serve_forever, daemon=True).start()
(scratch() / "secret.json").write_text('[{"targets": ["secret:1"]}]', encoding="ascii")
hostile = {
    "file": {"file_sd_configs": [{"files": [str(scratch() / "secret.json")]}]},
    "kube": {"kubernetes_sd_configs": [{"role": "pod"}]},
    "token": {"http_sd_configs": [{"url": "http://192.0.2.1/", "bearer_token_file": str(account / "token")}]},
    "number": {"http_sd_configs": [{"url": f"http://127.0.0.1:{inside.server_port}/"}]},
    "name": {"http_sd_configs": [{"url": f"http://localhost:{inside.server_port}/"}]},
    "good": {"static_configs": [{"targets": ["good:1"]}]},
}
text = json.loads(cases.object_collector("evil", [{"job_name": job, "http_sd_configs": [{"url": cases.url_of("evil", job)}]} for job in hostile]))
text["metadata"]["annotations"] = {ANNOTATION: json.dumps({"v": 1, "receivers": {"prometheus": {"jobs": hostile}}})}
cluster.apply(json.dumps(text), "-n", "bank")
put(pod("bank", "evil", 0))
becomes("bank", "evil", "good", [0], ["good:1"], "a Collector with more than it may")
wait_for("both are refused", lambda: allocator.log().count("loopback or link-local") >= 2)
same(Inside.asked, [], "nobody on this host is asked")
same({job: ask("bank", "evil", job, 0)[0] for job in hostile},
     {"file": 404, "kube": 404, "token": 404, "number": 503, "name": 503, "good": 200}, "no file, no object and no token of ours is read for it")
cluster.kubectl("delete", COLLECTORS["v1beta1"], "evil", "-n", "bank")

# ---- an older kind, and back
CRD = "opentelemetrycollectors.opentelemetry.io"
place = next(i for i, version in enumerate(json.loads(cluster.kubectl("get", "crd", CRD, "-o", "json").out)["spec"]["versions"])
             if version["name"] == "v1beta1")


def serve_v1beta1(is_served):
    cluster.kubectl("patch", "crd", CRD, "--type=json", "-p",
                    json.dumps([{"op": "replace", "path": f"/spec/versions/{place}/served", "value": is_served}]))


def scale_by_v1alpha1(n):
    """A change that only the older version tells: another target of job b."""
    live = json.loads(cluster.kubectl("get", COLLECTORS["v1alpha1"], "many", "-n", "shop", "-o", "json").out)
    originals = json.loads(live["metadata"]["annotations"][ANNOTATION])
    originals["receivers"]["prometheus"]["jobs"]["b"]["static_configs"][0]["targets"] = targets(2, n)
    patch = {"metadata": {"annotations": {ANNOTATION: json.dumps(originals)}}}
    cluster.kubectl("patch", COLLECTORS["v1alpha1"], "many", "-n", "shop", "--type=merge", "-p", json.dumps(patch))


serve_v1beta1(False)
wait_for("v1beta1 goes", lambda: "absent" in allocator.log())
scale_by_v1alpha1(41)
becomes("shop", "many", "b", [0, 1, 2], targets(2, 41), "with v1alpha1 alone")
serve_v1beta1(True)
wait_for("v1beta1 is back", lambda: allocator.log().rindex("is followed") > allocator.log().rindex("absent"), timeout_s=90)
becomes("shop", "many", "a", [0, 1, 2], targets(1, 50), "with both")

# ---- the API server goes away and comes back
cluster.apiserver.kill()
wait_for("it is missed", lambda: "cannot be followed" in allocator.log())
ok(shares("shop", "many", "a", [0, 1, 2]) == sorted(targets(1, 50)), "without API server the targets are served")
cluster.apiserver = cluster.start_apiserver()
wait_for("kube-apiserver", lambda: cluster.kubectl("get", "--raw", "/readyz", check=False).out == "ok", timeout_s=120)
remove(pod("shop", "many", 2))
becomes("shop", "many", "a", [0, 1], targets(1, 50), "back, a pod goes")
poller.end()

# ---- gone
cluster.kubectl("delete", COLLECTORS["v1beta1"], "many", "-n", "bank")
wait_for("it is gone", lambda: ask("bank", "many", "a", 0)[0] == 404)
becomes("shop", "many", "a", [0, 1], targets(1, 50), "one is deleted, the other not")
allocator.kill()
allocator.start()
ok(shares("shop", "many", "a", [0, 1]) == sorted(targets(1, 50)), "a new process is ready when it knows all")

# ---- the kind goes and comes
cluster.kubectl("delete", "crd", "opentelemetrycollectors.opentelemetry.io")
wait_for("no kind", lambda: ask("shop", "many", "a", 0)[0] == 503)
allocator.kill()
allocator.start()
same(ask("shop", "many", "a", 0)[0], 503, "without the kind there is nothing to serve, and it is ready")
cluster.kubectl("apply", "--server-side", "-k", ROOT / "manifests/crd")
cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/opentelemetrycollectors.opentelemetry.io")
call("POST", "/apis/opentelemetry.io/v1beta1/namespaces/shop/opentelemetrycollectors",
     {**stored, "metadata": {"name": "many", "namespace": "shop", "annotations": stored["metadata"]["annotations"]}})
wait_for("the kind is back", lambda: shares("shop", "many", "a", [0, 1]) == sorted(targets(1)), timeout_s=90)
ok(True, "it is taken up as it comes")

# ---- no right
cluster.kubectl("delete", "clusterrolebinding", "otel-ta")
allocator.kill()
allocator.start()
like(verbose()[1], r"\[-\]file the cluster: opentelemetrycollectors cannot be watched: .*forbidden", "without rights: ready, and it is said why")
same(ask("shop", "many", "a", 0)[0], 503, "whose jobs are not known is no reason to say that there are none")
done()

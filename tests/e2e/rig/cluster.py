"""etcd and kube-apiserver, and kubectl to talk to them."""

import json
import os
import subprocess
import urllib.error
import urllib.request

from .sandbox import ROOT, Process, scratch, server, wait_for

KIND = "opentelemetrycollectors.opentelemetry.io"
COLLECTORS = {
    "v1alpha1": "opentelemetrycollectors.v1alpha1.opentelemetry.io",
    "v1beta1": "opentelemetrycollectors.v1beta1.opentelemetry.io",
}
ETCD = "http://127.0.0.1:2379"
SERVER = "https://127.0.0.1:6443"
TOKEN = "e2e-admin"

KUBECONFIG = f"""apiVersion: v1
kind: Config
current-context: e2e
clusters:
- name: e2e
  cluster: {{server: {SERVER}, insecure-skip-tls-verify: true}}
contexts:
- name: e2e
  context: {{cluster: e2e, user: admin, namespace: default}}
users:
- name: admin
  user: {{token: {TOKEN}}}
"""


def is_up(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


class Result:
    """What a command said."""

    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def all(self):
        return self.out + self.err


class Cluster:
    """A Kubernetes API with the Collector kind, and nothing that runs pods."""

    def __init__(self):
        folder = scratch()
        self._kubectl = server("kubectl")
        (folder / "kubeconfig").write_text(KUBECONFIG, encoding="ascii")
        (folder / "tokens.csv").write_text(f'{TOKEN},admin,1,"system:masters"\n', encoding="ascii")
        subprocess.run(["openssl", "genrsa", "-out", folder / "sa.key", "2048"], check=True, capture_output=True)
        subprocess.run(["openssl", "rsa", "-in", folder / "sa.key", "-pubout", "-out", folder / "sa.pub"], check=True,
                       capture_output=True)
        self.etcd = Process("etcd", [
            "etcd", "--data-dir", folder / "etcd", "--listen-client-urls", ETCD, "--advertise-client-urls", ETCD,
            "--listen-peer-urls", "http://127.0.0.1:2380", "--initial-advertise-peer-urls", "http://127.0.0.1:2380",
            "--initial-cluster", "default=http://127.0.0.1:2380", "--unsafe-no-fsync",
        ])
        wait_for("etcd", lambda: self.etcd.check_alive() and is_up(ETCD + "/health"))
        self.apiserver = self.start_apiserver()
        wait_for("kube-apiserver", lambda: self.apiserver.check_alive() and self.kubectl(
            "get", "--raw", "/readyz", check=False).out == "ok", timeout_s=120, every_s=0.2)
        wait_for("namespace default", lambda: self.kubectl("get", "namespace", "default", check=False).code == 0)
        self.kubectl("apply", "--server-side", "-k", ROOT / "manifests/crd")
        self.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/" + KIND)

    @staticmethod
    def start_apiserver():
        folder = scratch()
        return Process("kube-apiserver", [
            server("kube-apiserver"), f"--etcd-servers={ETCD}", f"--cert-dir={folder}/apiserver", "--secure-port=6443",
            "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--authorization-mode=RBAC",
            f"--token-auth-file={folder}/tokens.csv", "--service-cluster-ip-range=10.96.0.0/16",
            "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={folder}/sa.pub",
            f"--service-account-signing-key-file={folder}/sa.key",
            "--api-audiences=https://kubernetes.default.svc", "--disable-admission-plugins=ServiceAccount",
        ])

    def kubectl(self, *words, stdin=None, check=True):
        """Runs kubectl; with check, anything but success ends the test."""
        command = [self._kubectl, "--kubeconfig", scratch() / "kubeconfig", *words]
        result = Result(subprocess.run([str(word) for word in command], input=stdin, capture_output=True, text=True,
                                       check=False))
        if check and result.code != 0:
            raise RuntimeError(f"kubectl {' '.join(str(word) for word in words)}: {result.all}")
        return result

    def apply(self, text, *words, check=True):
        return self.kubectl("apply", *words, "-f", "-", stdin=text, check=check)

    def get(self, name, version="v1alpha1", namespace="default"):
        return json.loads(self.kubectl("get", COLLECTORS[version], name, "-n", namespace, "-o", "json",
                                       "--show-managed-fields").out)

    def resource_version(self, name):
        return self.get(name)["metadata"]["resourceVersion"]

    def register_webhook(self, *words):
        """Registers manifests/base/webhook.yaml by scripts/register-webhook, and waits until it is in force."""
        kubectl = scratch() / "bin" / "kubectl"
        if not kubectl.exists():
            kubectl.parent.mkdir()
            kubectl.symlink_to(self._kubectl)
        env = {**os.environ, "KUBECONFIG": str(scratch() / "kubeconfig"),
               "PATH": f"{kubectl.parent}:{os.environ['PATH']}"}
        subprocess.run([str(word) for word in [ROOT / "scripts/register-webhook", "--apply", *words]], check=True,
                       env=env, stdout=subprocess.DEVNULL)
        wait_for("call of the webhook", self._webhook_is_called)

    def _webhook_is_called(self):
        """The API server takes up a new registration a moment later; a dry run shows when."""
        probe = PROBE
        answer = self.apply(probe, "--dry-run=server", "-o", "json")
        return "otel-ta/sd-configs" in json.loads(answer.out)["metadata"].get("annotations", {})


PROBE = """apiVersion: opentelemetry.io/v1beta1
kind: OpenTelemetryCollector
metadata: {name: probe}
spec:
  mode: statefulset
  targetAllocator: {enabled: true}
  config:
    receivers:
      prometheus:
        config:
          scrape_configs: [{job_name: probe, static_configs: [{targets: ['127.0.0.1:1']}]}]
    exporters: {debug: {}}
    service: {pipelines: {metrics: {receivers: [prometheus], exporters: [debug]}}}
"""

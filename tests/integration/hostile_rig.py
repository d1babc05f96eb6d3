"""What the hostile tests share: a server with both listeners, strangers as plain bytes, and an honest client beside them."""

import atexit
import http.client
import json
import os
import pathlib
import re
import resource
import signal
import socket
import ssl
import subprocess
import threading

from discovery_rig import BINARY, kill, ok, same, scratch, wait_for

ASAN = b"__asan_init" in pathlib.Path(BINARY).read_bytes()
PLAIN_BUILD = not ASAN and b"__tsan_init" not in pathlib.Path(BINARY).read_bytes()
UID = "7a5f3f2e-0000-4000-8000-c0ffee000001"
GROUP = "opentelemetry.io"
MANIFEST = """
apiVersion: opentelemetry.io/v1beta1
kind: OpenTelemetryCollector
metadata: {name: c, namespace: ns}
spec:
  targetAllocator: {enabled: true}
  config:
    receivers:
      prometheus:
        config:
          scrape_configs:
          - job_name: a
            static_configs: [{targets: [h:1]}]
          - job_name: many
            static_configs: [{targets: [%s]}]
""" % ", ".join(f"'host-{i:06}.example:9100'" for i in range(30000))


def collector(*jobs, **more):
    """A Collector with these scrape jobs, as the API server sends it."""
    jobs = jobs or ({"job_name": "a", "static_configs": [{"targets": ["h:1"]}]},)
    return {"apiVersion": f"{GROUP}/v1beta1", "kind": "OpenTelemetryCollector", "metadata": {"name": "c", "namespace": "ns"},
            "spec": {"targetAllocator": {"enabled": True},
                     "config": {"receivers": {"prometheus": {"config": {"scrape_configs": list(jobs)}}}}, **more}}


def text_collector(text):
    """One of v1alpha1, whose configuration is text."""
    return {**collector(), "apiVersion": f"{GROUP}/v1alpha1", "spec": {"targetAllocator": {"enabled": True}, "config": text}}


def review(obj, **more):
    kind = {"group": GROUP, "version": obj["apiVersion"].split("/")[1], "kind": "OpenTelemetryCollector"}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": UID, "kind": kind, "name": "c", "namespace": "ns", "operation": "CREATE", "object": obj, **more}}


def raise_file_limit(n):
    """As many descriptors as this process may have, at most n."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    n = n if hard == resource.RLIM_INFINITY else min(n, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (n, hard))
    return n


class Server:
    """The real binary with a plain and a TLS listener; a Collector 'c' with the jobs 'a' (1 target) and 'many' (30,000)."""

    def __init__(self, *more, binary=BINARY, manifest=MANIFEST, **popen):
        self.folder = scratch()
        self.folder.chmod(0o755)
        manifest_path = self.folder / "collector.yaml"
        manifest_path.write_text(manifest, encoding="utf-8")
        self.log_path = self.folder / "log"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [binary, "serve", "-f", manifest_path, "--collectors", "c-0", "--listen", "127.0.0.1:0", "--webhook-listen", "127.0.0.1:0",
                 "--log-format", "json", *more], stderr=log, cwd=self.folder, **popen)
        self.pid = self.process.pid
        atexit.register(kill, self.process)
        if not wait_for(lambda: '"ready"' in self.log() or self.process.poll() is not None, 30) or self.process.poll() is not None:
            raise RuntimeError("did not start:\n" + self.log())
        self.port = {name: int(port) for name, port in re.findall(r'"listener":"(\w+)","address":"127\.0\.0\.1:(\d+)"', self.log())}
        self.tls = ssl.create_default_context()
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE
        # Many times: on a loaded machine one serving thread may have the first snapshot a little later than the others.
        if not wait_for(lambda: all(self.get("/jobs/a/targets?collector_id=c-0")[0] == 200 for _ in range(20)), 120):
            raise RuntimeError("does not serve:\n" + self.log())

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def get(self, path):
        client = http.client.HTTPConnection("127.0.0.1", self.port["http"], timeout=30)
        client.request("GET", path)
        answer = client.getresponse()
        return answer.status, answer.read()

    def webhook(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port["webhook"], context=self.tls, timeout=60)

    def review(self, body, path="/mutate"):
        """HTTP status, and the answer as JSON."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        client = self.webhook()
        client.request("POST", path, body, {"Content-Type": "application/json"})
        answer = client.getresponse()
        return answer.status, json.loads(answer.read().decode("utf-8"))

    def status(self, name):
        """A line of /proc/PID/status."""
        return re.search(rf"^{name}:\s*(\S+)", pathlib.Path(f"/proc/{self.pid}/status").read_text(encoding="ascii"), re.M)[1]

    def peak_mib(self):
        return int(self.status("VmHWM")) // 1024

    def stays_below(self, mib, what):
        """Memory, in a build whose memory means anything."""
        peak = self.peak_mib()
        ok(peak <= mib or not PLAIN_BUILD, f"{what}: at most {mib} MiB of memory (was {peak})")

    def connect(self, listener="http"):
        sock = socket.create_connection(("127.0.0.1", self.port[listener]), timeout=60)
        return sock

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


def read_all(sock):
    """What comes until the peer closes; a reset is a close."""
    got = b""
    try:
        while part := sock.recv(1 << 16):
            got += part
    except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
        pass
    return got


def answers(got):
    """The status codes of all answers in a stream of bytes."""
    return [int(code) for code in re.findall(rb"(?:^|(?<=[\r\n}\]]))HTTP/1\.1 (\d{3}) ", got)]


def say(server, data, listener="http", half_close=False):
    """Sends bytes on a connection of their own; the status codes that come back until the server closes."""
    with server.connect(listener) as sock:
        try:
            sock.sendall(data)
            if half_close:
                sock.shutdown(socket.SHUT_WR)
        except (ConnectionResetError, BrokenPipeError):
            pass
        return answers(read_all(sock))


class Honest:
    """Asks both listeners all the time, on a connection each, and on a new one now and then; remembers what went wrong."""

    def __init__(self, server):
        self.server = server
        self.errors, self.counts = [], {"http": 0, "webhook": 0}
        self.is_over = False
        self.threads = [threading.Thread(target=self.run, args=(n,), daemon=True) for n in self.counts]
        for thread in self.threads:
            thread.start()

    def ask(self, listener, client):
        if listener == "http":
            client.request("GET", "/jobs/a/targets?collector_id=c-0")
            answer = client.getresponse()
            return (answer.status, json.loads(answer.read())[0]["targets"]) == (200, ["h:1"])
        client.request("POST", "/mutate?timeout=10s", json.dumps(review(collector())), {"Content-Type": "application/json"})
        answer = client.getresponse()
        return answer.status == 200 and "patch" in json.loads(answer.read())["response"]

    def run(self, listener):
        client = None
        while not self.is_over:
            try:
                if client is None or self.counts[listener] % 50 == 49:
                    client = self.server.webhook() if listener == "webhook" else http.client.HTTPConnection(
                        "127.0.0.1", self.server.port["http"], timeout=30)
                if not self.ask(listener, client):
                    self.errors.append(f"{listener}: a wrong answer")
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.errors.append(f"{listener}: {error!r}")
                client = None
            self.counts[listener] += 1
            threading.Event().wait(0.002)

    def is_served(self, meanwhile):
        """Both listeners have answered since, and never with an error."""
        before = dict(self.counts)
        went_on = wait_for(lambda: all(self.counts[k] > before[k] + 1 for k in before), 60)
        same((bool(went_on), self.errors[:3]), (True, []), f"{meanwhile}: honest clients see no error")
        self.errors.clear()

    def stop(self):
        self.is_over = True
        for thread in self.threads:
            thread.join(60)

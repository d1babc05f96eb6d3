"""What the discovery tests share: the allocator in drop-in mode on a port of its own, and questions to it."""

import atexit
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from rig.tap import diag, done, like, ok, same  # noqa: E402, F401

BINARY = os.environ.get("OTEL_TA", str(ROOT / "build/otel-ta"))


def scratch(parent=None):
    """A folder that is gone when the test ends."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="otel-ta-test-", dir=parent))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def kill(process):
    if process.poll() is None:
        process.kill()


def wait_for(check, timeout_s=10.0):
    """The first true result of check(), or its last one when the time is over."""
    end = time.monotonic() + timeout_s
    while True:
        result = check()
        if result or time.monotonic() > end:
            return result
        time.sleep(0.01)


def manifest(name, *jobs):
    """A Collector; the jobs are texts, indented as items below scrape_configs."""
    return f"""apiVersion: opentelemetry.io/v1beta1
kind: OpenTelemetryCollector
metadata: {{name: {name}, namespace: shop}}
spec:
  mode: statefulset
  targetAllocator: {{enabled: true}}
  config:
    receivers:
      prometheus:
        config:
          scrape_configs:
{"".join(jobs)}"""


class Allocator:
    """Drop-in mode; with source "--filename" the configuration is a Collector manifest, and there is no webhook."""

    def __init__(self, config, collectors="c-0,c-1,c-2", more=(), source="--config-file"):
        self.folder = scratch()
        self.config_path = self.folder / "targetallocator.yaml"
        self.collectors = collectors.split(",")
        self.configure(config)
        self.log_path = self.folder / "log"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [BINARY, "serve", source, self.config_path, "--collectors", collectors, "--listen", "127.0.0.1:0",
                 "--webhook-listen", "off", "--log-format", "json", *more], stderr=log, cwd=self.folder)
        atexit.register(kill, self.process)
        found = wait_for(lambda: re.search(r'"address":"(127\.0\.0\.1:[1-9]\d*)"', self.log()))
        if not found:
            raise RuntimeError("did not start:\n" + self.log())
        self.base = "http://" + found[1]

    def configure(self, config):
        temporary = self.config_path.with_suffix(".new")
        temporary.write_text(config, encoding="utf-8")
        temporary.rename(self.config_path)

    def reload(self, config):
        self.configure(config)
        self.process.send_signal(signal.SIGHUP)

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def get(self, path):
        try:
            with urllib.request.urlopen(self.base + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def ready(self):
        return wait_for(lambda: self.get("/readyz")[0] == 200)

    def groups(self, job):
        """All targets of a job, from all collectors; None before the first sync."""
        result = []
        for collector in self.collectors:
            status, body = self.get(f"/jobs/{job}/targets?collector_id={collector}")
            if status != 200:
                return None
            result += json.loads(body)
        return result

    def targets(self, job):
        groups = self.groups(job)
        return None if groups is None else sorted(g["targets"][0] for g in groups)

    def shows(self, job, targets, timeout_s=5.0):
        """The job comes to have exactly these targets."""
        return bool(wait_for(lambda: self.targets(job) == sorted(targets), timeout_s))

    def keeps(self, job, targets, for_s=0.4):
        """The job has exactly these targets all the time."""
        end = time.monotonic() + for_s
        while time.monotonic() < end:
            if self.targets(job) != sorted(targets):
                return False
            time.sleep(0.01)
        return True

    def metric(self, name):
        """The sum over all series whose line starts with this."""
        _, text = self.get("/metrics")
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=30)

#!/usr/bin/env python3
"""Real Prometheus servers as clients: together they have every target exactly once, and never lose one.

A Collector manifest is rewritten by the binary, and each of three (later four) Prometheus servers runs the result with
its own POD_NAME, as a Collector would. They scrape real exporters, which count who came.
"""

import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from rig import Exporters, diag, done, enter_sandbox, name_loopback, ok, same, scratch, wait_for  # noqa: E402
from rig.allocator import BINARY  # noqa: E402
from rig.sandbox import Process  # noqa: E402

enter_sandbox()
name_loopback("shop-targetallocator")

FILE_SD = scratch() / "sd.json"
MANIFEST = scratch() / "shop.yaml"
STATIC = [f"127.0.1.{i}:9100" for i in range(1, 13)]
DROPPED = "127.0.2.1:9100"  # by a relabel rule
BY_FILE = [f"127.0.3.{i}:9100" for i in range(1, 9)]
ADDED = "127.0.3.99:9100"


def write_manifest(replicas):
    """The manifest, replaced in one step."""
    text = f"""apiVersion: opentelemetry.io/v1beta1
kind: OpenTelemetryCollector
metadata: {{name: shop}}
spec:
  mode: statefulset
  replicas: {replicas}
  targetAllocator: {{enabled: true}}
  config:
    receivers:
      prometheus:
        config:
          scrape_configs:
          - job_name: static jobs/are here  # a name that must be escaped
            scrape_interval: 1s
            params: {{by: ['${{POD_NAME}}']}}
            static_configs:
            - targets: {json.dumps(STATIC + [DROPPED])}
            relabel_configs:
            - {{source_labels: [__address__], regex: '127\\.0\\.2\\..*', action: drop}}
          - job_name: files
            scrape_interval: 1s
            params: {{by: ['${{POD_NAME}}']}}
            file_sd_configs:
            - files: ['{FILE_SD}']
    service: {{}}
"""
    new = MANIFEST.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    os.replace(new, MANIFEST)


def write_file_sd(targets):
    new = FILE_SD.with_suffix(".new")
    new.write_text(json.dumps([{"targets": targets, "labels": {"team": "storage"}}]), encoding="utf-8")
    os.replace(new, FILE_SD)


def start_allocator():
    return Process("otel-ta", [BINARY, "serve", "-f", MANIFEST, "--listen", "127.0.0.1:80", "--webhook-listen", "off"])


def receiver_config():
    """spec.config.receivers.prometheus.config as the binary rewrites it."""
    out = subprocess.run([BINARY, "rewrite", "-f", MANIFEST, "-o", "json"], check=True, capture_output=True, text=True)
    return json.loads(out.stdout)["spec"]["config"]["receivers"]["prometheus"]["config"]


class Prometheus(Process):
    """One server with the rewritten configuration; what a Collector does with ${POD_NAME} is done here."""

    def __init__(self, number):
        self.pod = f"shop-collector-{number}"
        self.port = 19090 + number
        config = json.loads(json.dumps(receiver_config()).replace("${POD_NAME}", self.pod))
        for job in config["scrape_configs"]:
            for section in job["http_sd_configs"]:
                section["refresh_interval"] = "1s"  # of the default minute, so that the test does not take minutes
        path = scratch() / f"{self.pod}.yml"
        path.write_text(json.dumps(config), encoding="utf-8")
        super().__init__(self.pod, ["prometheus", f"--config.file={path}", f"--storage.tsdb.path={scratch()}/{self.pod}.data",
                                    f"--web.listen-address=127.0.0.1:{self.port}"])

    def targets(self):
        """The addresses of its active targets; a server that is still starting has none."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/targets?state=active", timeout=5) as answer:
                active = json.load(answer)["data"]["activeTargets"]
        except OSError:
            self.check_alive()
            return []
        return [target["discoveredLabels"]["__address__"] for target in active]


def shares(servers):
    return {server.pod: sorted(server.targets()) for server in servers}


def is_exact(servers, targets):
    """Every target on exactly one server, nothing else anywhere, and each server has some?"""
    now = shares(servers)
    return sorted(sum(now.values(), [])) == sorted(targets) and all(now.values())


def wait_exact(servers, targets, name):
    try:
        wait_for("exact shares", lambda: is_exact(servers, targets), timeout_s=60, every_s=0.25)
        ok(True, name)
    except TimeoutError:
        same(shares(servers), {"together": sorted(targets)}, name)


class Watch(threading.Thread):
    """Looks all the time whether a target is missing from all servers."""

    def __init__(self, servers, targets):
        super().__init__(daemon=True)
        self.servers, self.targets, self.lost, self.looks, self.is_over = servers, set(targets), [], 0, threading.Event()
        self.start()

    def run(self):
        while not self.is_over.wait(0.1):
            missing = self.targets - set(sum(shares(self.servers).values(), []))
            self.looks += 1
            if missing:
                self.lost.append(sorted(missing))

    def end(self):
        self.is_over.set()
        self.join()
        return self.lost


def check_scrapes(exporters, targets, servers, name):
    """From now on each target is scraped by the one server that has it."""
    owner = {target: pod for pod, share in shares(servers).items() for target in share}
    before = exporters.scrapes()

    def fresh():
        now = exporters.scrapes()
        new = {t: {by: n - before.get(t, {}).get(by, 0) for by, n in now.get(t, {}).items()} for t in targets}
        new = {t: {by: n for by, n in counts.items() if n > 0} for t, counts in new.items()}
        return all(sum(counts.values()) >= 2 for counts in new.values()) and new

    seen = wait_for("two scrapes of each target", fresh, timeout_s=30)
    same({t: sorted(by) for t, by in seen.items()}, {t: [owner[t]] for t in targets}, name)


exporters = Exporters()
write_manifest(3)
write_file_sd(BY_FILE)
allocator = start_allocator()
servers = [Prometheus(n) for n in range(3)]
everything = STATIC + BY_FILE

wait_exact(servers, everything, "three servers have every target exactly once, and not the dropped one")
ok(all(shares(servers).values()), "each has some: " + ", ".join(str(len(s)) for s in shares(servers).values()))
check_scrapes(exporters, everything, servers, "each target is scraped by its server and by no other")

write_file_sd(BY_FILE + [ADDED])
wait_exact(servers, everything + [ADDED], "a target added to a file appears once")
write_file_sd(BY_FILE)
wait_exact(servers, everything, "and goes when it is taken out")

FILE_SD.write_text('[{"targets": ["127.0.9.9:9100"', encoding="utf-8")  # half-written, in place
wait_for("complaint about the broken file", lambda: str(FILE_SD) in allocator.log() and "error" in allocator.log())
same(sorted(sum(shares(servers).values(), [])), sorted(everything), "a half-written file changes nothing")
write_file_sd(BY_FILE)

servers.append(Prometheus(3))
write_manifest(4)
wait_exact(servers, everything, "a fourth collector joins: again every target exactly once")
ok(shares(servers)["shop-collector-3"], "the newcomer has its share")
check_scrapes(exporters, everything, servers, "and scrapes it, alone")

write_manifest(3)
gone = servers.pop()
wait_exact(servers, everything, "a collector leaves: its targets are with the others")
gone.terminate()
check_scrapes(exporters, everything, servers, "who scrape them")

watch = Watch(servers, everything)
code = allocator.terminate()
same(code, 0, "the allocator stops in order")
time.sleep(5)  # longer than the servers' refresh interval: they ask, and nobody is there
allocator = start_allocator()
wait_for("otel-ta", lambda: allocator.check_alive() and subprocess.run(
    ["curl", "-sf", "-o", os.devnull, "http://127.0.0.1/readyz"], check=False).returncode == 0)
time.sleep(5)  # and ask again
looks = watch.looks
same(watch.end(), [], f"no target was lost while it restarted ({looks} looks)")
wait_exact(servers, everything, "after the restart every target exactly once")

write_manifest(3)
MANIFEST.write_text(MANIFEST.read_text(encoding="utf-8").replace("job_name: files", "job_nam: files"), encoding="utf-8")
wait_for("complaint about the manifest", lambda: "job_nam" in allocator.log())
same(sorted(sum(shares(servers).values(), [])), sorted(everything), "a manifest with a fault changes nothing")
diag(f"{sum(sum(by.values()) for by in exporters.scrapes().values())} scrapes")
done()

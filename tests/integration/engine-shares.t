#!/usr/bin/env python3
"""Collectors come and go and files change while somebody asks all the time: in each answer every target of the job has
exactly one collector, under every strategy."""

import atexit
import json
import pathlib
import re
import signal
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from discovery_rig import BINARY, done, kill, ok, same, scratch, wait_for  # noqa: E402
import urllib.request  # noqa: E402

DIR = scratch()
SETS = [sorted(f"10.{k}.0.{i}:80" for i in range(n)) for k, n in ((0, 40), (0, 60), (1, 25), (0, 10))]


def swap(path, text):
    temporary = path.parent / ("." + path.name)
    temporary.write_text(text, encoding="utf-8")
    temporary.rename(path)


def write_targets(n):
    swap(DIR / "sd.json", json.dumps([{"targets": [t], "labels": {"n": t}} for t in SETS[n]]))


def write_manifest(replicas, strategy):
    swap(DIR / "cr.yaml", f"""
apiVersion: opentelemetry.io/v1beta1
kind: OpenTelemetryCollector
metadata: {{name: x}}
spec:
  mode: statefulset
  replicas: {replicas}
  targetAllocator: {{enabled: true, allocationStrategy: {strategy}}}
  config:
    receivers:
      prometheus:
        config:
          scrape_configs:
          - job_name: j
            file_sd_configs: [{{files: [sd.json]}}]
""")


write_targets(0)
write_manifest(3, "consistent-hashing")
log_path = DIR / "log"
with open(log_path, "wb") as log:
    process = subprocess.Popen([BINARY, "serve", "-f", DIR / "cr.yaml", "--listen", "127.0.0.1:0", "--webhook-listen", "off",
                                "--log-format", "json"], stderr=log)
atexit.register(lambda: kill(process))


def read_log():
    return log_path.read_text(encoding="utf-8", errors="replace")


base = "http://" + wait_for(lambda: re.search(r'"address":"(127\.0\.0\.1:[1-9]\d*)"', read_log()))[1]


def shares():
    with urllib.request.urlopen(base + "/jobs/j/targets", timeout=10) as answer:
        return {c: [g["targets"][0] for g in v["targets"]] for c, v in json.load(answer).items()}


def is_ready():
    try:
        return urllib.request.urlopen(base + "/readyz", timeout=10).status == 200
    except OSError:
        return False


ok(wait_for(is_ready), "ready")
wrong = []
answers = [0]
stop = threading.Event()


def ask():
    while not stop.is_set():
        got = shares()
        every = sorted(t for share in got.values() for t in share)
        answers[0] += 1
        if every not in SETS:
            wrong.append((got, len(every)))


threads = [threading.Thread(target=ask) for _ in range(2)]
for t in threads:
    t.start()
for strategy in ("consistent-hashing", "rendezvous", "bounded-rendezvous", "least-weighted"):
    for replicas, targets in ((1, 1), (5, 2), (2, 3), (4, 0)):
        write_manifest(replicas, strategy)
        process.send_signal(signal.SIGHUP)
        write_targets(targets)
        arrived = wait_for(lambda: len(shares()) == replicas and sorted(t for s in shares().values() for t in s) == SETS[targets])
        ok(arrived, f"{strategy}: {replicas} collectors, {len(SETS[targets])} targets")
stop.set()
for t in threads:
    t.join()
same(wrong[:1], [], f"every target once in each of {answers[0]} answers")

process.terminate()
same(process.wait(timeout=30), 0, "stops in order")
with open(log_path, "wb") as log:
    process = subprocess.Popen([BINARY, "serve", "-f", DIR / "cr.yaml", "--strategy", "consistent-hashing", "--listen", "127.0.0.1:0",
                                "--webhook-listen", "off", "--log-format", "json"], stderr=log)
base = "http://" + wait_for(lambda: re.search(r'"address":"(127\.0\.0\.1:[1-9]\d*)"', read_log()))[1]
wait_for(is_ready)
offline = json.loads(subprocess.run([BINARY, "allocate", "-f", DIR / "cr.yaml", "--strategy", "consistent-hashing", "-o", "json"],
                                    capture_output=True, text=True, check=True).stdout)
owners = {t["target"]: t["collector"] for t in offline["targets"]}
same({t: c for c, share in shares().items() for t in share}, owners, "after a restart, the shares that 'allocate' shows")
process.terminate()
process.wait(timeout=30)
done()

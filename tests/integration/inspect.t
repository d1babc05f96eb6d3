#!/usr/bin/env python3
"""The commands that look without serving: check config, check service-discovery, allocate, explain."""

import http.server
import json
import pathlib
import re
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from discovery_rig import BINARY, done, like, ok, same, scratch  # noqa: E402

DIR = scratch()


def run(*words, text=None):
    return subprocess.run([BINARY, *map(str, words)], input=text, capture_output=True, text=True, timeout=60, check=False)


def write(name, text):
    (DIR / name).write_text(text, encoding="utf-8")
    return DIR / name


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        body = b'[{"targets":["http:1"]}]'
        self.send_response(200 if self.path == "/sd" else 500)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
URL = f"http://127.0.0.1:{server.server_address[1]}"

write("sd.json", json.dumps([{"targets": ["f:1", "f:1"], "labels": {"env": "prod", "empty": "", "__meta_x": "m"}},
                             {"targets": ["gone:1"], "labels": {"env": "dev"}}, {"targets": ["bad/1"]}]))
PROM = write("prometheus.yml", f"""
global: {{scrape_interval: 20s}}
scrape_configs:
- job_name: mixed
  static_configs: [{{targets: ['s:1'], labels: {{env: prod}}}}]
  file_sd_configs: [{{files: [sd.json]}}]
  http_sd_configs: [{{url: '{URL}/sd'}}]
  relabel_configs:
  - {{source_labels: [env], regex: dev, action: drop}}
  - {{source_labels: [__meta_x], target_label: x}}
- job_name: broken
  http_sd_configs: [{{url: '{URL}/no'}}]
""")
CR = write("cr.yaml", """
apiVersion: opentelemetry.io/v1beta1
kind: OpenTelemetryCollector
metadata: {name: shop, namespace: web}
spec:
  mode: statefulset
  replicas: 3
  targetAllocator: {enabled: true}
  config:
    receivers:
      prometheus:
        config:
          scrape_configs:
          - job_name: shop
            static_configs: [{targets: ['target-a:8080', 'target-b:8080', 'target-c:8080', 'drop:1', 'target-a:8080']}]
            relabel_configs:
            - {source_labels: [__address__], regex: 'drop:.*', action: drop}
            - {source_labels: [__address__], regex: '(.*):.*', target_label: host, replacement: '$$1'}
""")

# ---- check service-discovery
r = run("check", "service-discovery", PROM, "mixed")
same(r.returncode, 0, "check service-discovery")
found = json.loads(r.stdout)
by_address = {x["discoveredLabels"]["__address__"]: x for x in found}
same(len(found), 5, "each distinct target once")
seeds = {"job": "mixed", "__scrape_interval__": "20s", "__scrape_timeout__": "10s", "__metrics_path__": "/metrics", "__scheme__": "http",
         "__always_scrape_classic_histograms__": "false", "__convert_classic_histograms_to_nhcb__": "false",
         "__scrape_native_histograms__": "false"}
same(by_address["f:1"]["discoveredLabels"], {"__address__": "f:1", "__meta_filepath": str(DIR / "sd.json"), "__meta_x": "m", "env": "prod",
                                             **seeds}, "discovered labels with those of the scrape config, empty ones left out")
same(by_address["f:1"]["labels"], {"__address__": "f:1", "env": "prod", "x": "m", "instance": "f:1", **seeds}, "final labels")
same(by_address["gone:1"]["labels"], {}, "a dropped target has none")
same(by_address["http:1"]["labels"]["instance"], "http:1", "over HTTP")
r = run("check", "service-discovery", PROM, "nope")
same(r.returncode, 1, "unknown job")
like(r.stderr, r"Job nope not found.*mixed.*broken", "and which there are")
r = run("check", "service-discovery", PROM, "broken")
same((r.returncode, json.loads(r.stdout)), (0, []), "a server that fails: nothing is found")
like(r.stderr, "500", "and said why")
same(json.loads(run("check", "service-discovery", CR, "shop").stdout)[0]["labels"]["host"], "target-a", "of a Collector manifest, $$ is $")

# ---- check config
SOUND = write("sound.yml", PROM.read_text(encoding="utf-8").replace("sd.json", "sound.json"))
write("sound.json", '[{"targets": ["f:1"]}]')
r = run("check", "config", SOUND, CR)
same(r.returncode, 0, "check config")
like(r.stdout, r"sound.yml.*2 scrape jobs.*\n.*cr.yaml.*1 scrape job", "one line a file")
r = run("check", "config", write("bad.yml", "scrape_configs:\n- job_name: a\n  scrape_intervall: 5s\n  relabel_configs: [{regex: '('}]\n"), SOUND)
same(r.returncode, 1, "a file with faults")
like(r.stderr, r"bad.yml:3.*scrape_intervall", "each named with file, line and path")
like(r.stderr, r"scrape_configs\[0\].relabel_configs\[0\]", "the other too")
like(r.stdout, "sound.yml", "the next file is checked all the same")
same(run("check", "config", DIR / "none.yml").returncode, 3, "a file that is not there")

r = run("check", "config", write("odd.yml", "scrape_configs:\n- job_name: a\n- job_name: b\n  target_limit: 3\n  dns_sd_configs: [{names: [x], port: 1, type: A}]\n"))
same(r.returncode, 0, "what is legal and hardly meant")
like(r.stderr, r"odd.yml:2: warning: scrape_configs\[0\]: job 'a' has nothing to discover", "a job without discovery")
like(r.stderr, r"odd.yml:4: warning: scrape_configs\[1\].target_limit: counts in each collector", "a limit that sharding changes")
like(r.stderr, r"job 'b': the allocator cannot run dns_sd_configs", "discovery that this program cannot run")

# Targets that cannot be scraped: promtool is the judge. Each stands in the configuration, and in a file of file_sd.
RULES = {"no rules": "", "a rule that leaves them": "[{target_label: x, replacement: y}]",
         "a rule that mends them": "[{target_label: __address__, replacement: 'ok:1'}]", "a rule that drops them": "[{action: drop}]"}
for target in ["x/y:1", "http://a:1/x", "", None, 12, True, "a b:1", "abc", ["a"]]:
    for rules, text in RULES.items():
        write("targets.yml", f"- targets: {json.dumps(['good:1', target])}\n")
        rules_text = f", relabel_configs: {text}" if text else ""
        for section in (f"static_configs: [{{targets: {json.dumps(['good:1', target])}}}]", "file_sd_configs: [{files: ['t*.yml']}]"):
            path = write("judged.yml", f"scrape_configs: [{{job_name: j, {section}{rules_text}}}]\n")
            theirs = subprocess.run(["promtool", "check", "config", path], capture_output=True, text=True, check=False)
            r = run("check", "config", path)
            same(r.returncode, theirs.returncode, f"{json.dumps(target)} in {section[:8]}, {rules}: as promtool")
r = run("check", "config", write("static.yml", "scrape_configs:\n- job_name: a\n  static_configs:\n  - targets:\n    - b:1\n    - ''\n"))
like(r.stderr, r"static.yml:6: scrape_configs\[0\].static_configs\[0\].targets\[1\]: no address", "the place of a target in the configuration")
write("targets.yml", "- targets: ['b:1', 'x/y:1']\n")
r = run("check", "config", write("files.yml", "scrape_configs:\n- job_name: a\n  file_sd_configs: [{files: [targets.yml, none.json]}]\n"))
like(r.stderr, r"files.yml: job 'a': file_sd_configs\[0\]: .*/targets.yml: target \"x/y:1\": \"x/y:1\" is not a valid hostname", "and in a file")
like(r.stderr, r"warning: job 'a': file_sd_configs\[0\]: there is no file for .*/none.json", "a file that is not there is a warning")
write("targets.yml", "- targets: [")
r = run("check", "config", DIR / "files.yml")
same(r.returncode, 1, "a file that cannot be parsed")
like(r.stderr, r"targets.yml", "is named")

# ---- allocate
r = run("allocate", "-f", CR, "--collectors", "collector-0,collector-1,collector-2", "-o", "json")
same(r.returncode, 0, "allocate")
result = json.loads(r.stdout)
same({t["target"]: t["collector"] for t in result["targets"]},
     {"target-a:8080": "collector-2", "target-b:8080": "collector-1", "target-c:8080": "collector-0"}, "owners of upstream's library")
same([(c["collector"], c["targets"]) for c in result["collectors"]], [("collector-0", 1), ("collector-1", 1), ("collector-2", 1)], "totals")
same(result["targets"][0]["labels"], {"__address__": "target-a:8080"}, "labels as served")
r = run("allocate", "-f", "-", text=CR.read_text(encoding="utf-8"))
like(r.stdout, r"web/shop +shop +target-a:8080 +shop-collector-\d\n", "a table, from standard input, a collector for each replica")
r = run("allocate", "-f", CR, "--collectors", "a@n1,b@n2", "--strategy", "per-node")
like(r.stderr, "3 targets have no collector", "who has no collector is said")
r = run("allocate", "-f", CR, "--strategy", "best")
same(r.returncode, 2, "an unknown strategy")
like(r.stderr, "least-weighted", "and which there are")

# ---- explain
r = run("explain", "-f", CR, "--target", "target-b:8080", "--collectors", "collector-0,collector-1,collector-2")
same(r.returncode, 0, "explain")
like(r.stdout, r"rule 0: drop.*did not match.*rule 1: .*\+ host = \"target-b\".*kept.*collector collector-1 \(consistent-hashing\)", "step by step")
like(run("explain", "-f", CR, "--target", "drop:1").stdout, r"rule 0.*dropped.*=> dropped by rule 0", "why one is not there")
r = run("explain", "-f", CR, "--job", "shop")
same(r.stdout.count("the same as target-a:8080 before it"), 1, "one that another stands for")
same(run("explain", "-f", CR, "--target", "x:1").returncode, 1, "nothing of that address")

# The owners that explain names are those that allocate shows, in a receiver with a name of its own, too.
ADDRESSES = ", ".join(f"'10.0.0.{i}:80'" for i in range(40))
JOBS = "".join(f"          - {{job_name: j{k}, static_configs: [{{targets: [{ADDRESSES}]}}]}}\n" for k in range(4))
EQUAL = write("equal.yaml", """apiVersion: opentelemetry.io/v1beta1
kind: OpenTelemetryCollector
metadata: {name: c, namespace: n}
spec:
  targetAllocator: {enabled: true, allocationStrategy: bounded-rendezvous}
  config:
    receivers:
      prometheus/x:
        config:
          scrape_configs:
""" + JOBS)
allocated = {(t["job"], t["labels"]["__address__"] if "labels" in t and "__address__" in t["labels"] else t["target"]): t["collector"]
             for t in json.loads(run("allocate", "-f", EQUAL, "--collectors", 7, "-o", "json").stdout)["targets"]}
explained = {(m[0], m[1]): m[2] for m in re.findall(r"^job (\S+) of n/c.*?, target (\S+)$.*?^  => kept, .*?collector (\S+) ",
                                                    run("explain", "-f", EQUAL, "--collectors", 7).stdout, re.M | re.S)}
same(len(allocated), 160, "160 targets are allocated")
same(sorted(explained.items() - allocated.items()), [], "and explain names the same owner for each")
same(len(explained), 160, "of all of them")
done()

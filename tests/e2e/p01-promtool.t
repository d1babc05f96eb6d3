#!/usr/bin/env python3
"""`check service-discovery` and promtool of Prometheus 3 agree on generated targets and relabel rules."""

import json
import random
import subprocess

from rig import Allocator, cases, diag, done, enter_sandbox, like, ok, same, scratch
from rig.sandbox import server

enter_sandbox()
SEED, JOBS, GROUPS = 20161, 20, 16
rng = random.Random(SEED)

NAMES = ["app", "env", "instance", "job", "__metrics_path__", "__scheme__", "__param_module", "__meta_x", "tmp",
         "__tmp_y", "größe", "dotted.name", "__scrape_interval__"]
VALUES = ["", "a", "B", "a;b", "web-1", "db.internal:9100", "ÄÖ", "x" * 40, "1", "10.0.0.1", "$1", "/probe"]
REGEXES = ["(.*)", ".+", "a|B", "(a)(.*)", "web-(\\d+)", "[^;]*;(.*)", "(?i)b", "^a$", "", "(.*):(\\d+)", "__meta_(.+)",
           "Ä.*"]
REPLACEMENTS = ["$1", "${1}-x", "", "const", "$2$1", "$$1", "${0}"]
ADDRESSES = ["127.0.0.1", "web-1:80", "db.internal:9100", "[::1]:9", "host.example", "a b", "10.0.0.1:65536", "x/y:1"]


def rule():
    action = rng.choice(["replace", "replace", "replace", "keep", "drop", "labelmap", "labeldrop", "labelkeep",
                         "hashmod", "lowercase", "uppercase", "keepequal", "dropequal"])
    sources = rng.sample(NAMES, rng.randint(0, 2))
    if action == "replace":
        return {"action": action, "source_labels": sources, "regex": rng.choice(REGEXES),
                "target_label": rng.choice(NAMES), "replacement": rng.choice(REPLACEMENTS),
                "separator": rng.choice([";", "", ":"])}
    if action in ("keep", "drop"):
        return {"action": action, "source_labels": sources or ["app"],
                "regex": rng.choice(REGEXES) if rng.random() < 0.3 else rng.choice(["a.*|B", ".*[1-9].*", "|x+"])}
    if action == "labelmap":
        return {"action": action, "regex": rng.choice(["__meta_(.+)", "(a.*)", "(.*)tmp"]), "replacement": "m_$1"}
    if action == "labeldrop":
        return {"action": action, "regex": rng.choice(["tmp|env", "__meta_.*", "größe"])}
    if action == "labelkeep":
        return {"action": action, "regex": "__.*|job|app|instance"}
    if action == "hashmod":
        return {"action": action, "source_labels": sources or ["__address__"], "target_label": "shard",
                "modulus": rng.choice([1, 2, 7, 1000])}
    if action in ("lowercase", "uppercase"):
        return {"action": action, "source_labels": sources or ["app"], "target_label": rng.choice(["app", "env"])}
    return {"action": action, "source_labels": ["app"], "target_label": "env"}


def group():
    labels = {name: rng.choice(VALUES) for name in rng.sample(NAMES, rng.randint(0, 5))}
    labels.pop("__scrape_interval__", None)
    return {"targets": rng.sample(ADDRESSES, rng.randint(1, 4)), "labels": labels}


def job(number):
    groups = [group() for _ in range(GROUPS)]
    made = {"job_name": f"job-{number}", "relabel_configs": [rule() for _ in range(rng.randint(1, 5))]}
    if number % 3 == 0:
        path = scratch() / f"targets-{number}.json"
        path.write_text(json.dumps(groups), encoding="utf-8")
        return {**made, "file_sd_configs": [{"files": [str(path)]}]}
    return {**made, "static_configs": groups}


def canonical(text):
    """The results as a sorted set: neither program promises an order, and promtool repeats what stands in two groups.

    Of an error it prints {}, ours says which.
    """
    entries = [{**entry, "error": "error" in entry} for entry in json.loads(text or "null") or []]
    return sorted({json.dumps(entry, sort_keys=True, ensure_ascii=False) for entry in entries})


config = {"scrape_configs": [job(number) for number in range(JOBS)]}
path = scratch() / "prometheus.yml"
path.write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
pairs = 0
for scrape in config["scrape_configs"]:
    name = scrape["job_name"]
    theirs = subprocess.run([server("promtool"), "check", "service-discovery", "--timeout=1s", path, name],
                            capture_output=True, text=True, check=False)
    mine = Allocator.run("check", "service-discovery", path, name, "--timeout", "1s")
    if theirs.returncode != 0:
        diag(theirs.stderr)
        ok(mine.code != 0, f"{name}: both refuse")
        continue
    want, got = canonical(theirs.stdout), canonical(mine.out)
    pairs += len(want)
    if not ok(got == want, f"{name}: same {len(want)} results"):
        diag(json.dumps(scrape["relabel_configs"], ensure_ascii=False))
        diag("only promtool:\n" + "\n".join(sorted(set(want) - set(got))[:5]))
        diag("only otel-ta:\n" + "\n".join(sorted(set(got) - set(want))[:5]))
        diag(mine.err)
ok(pairs > 500, f"{pairs} pairs of a target and rules were compared (seed {SEED})")

# What the rewrite leaves in the receiver is a configuration that Prometheus accepts.
source = scratch() / "collector.json"
source.write_text(cases.object_collector(jobs=config["scrape_configs"]), encoding="utf-8")
rewritten = Allocator.run("rewrite", "-f", source, "-o", "json")
same(rewritten.code, 0, "a Collector with these jobs is rewritten")
jobs = cases.jobs_of(json.loads(rewritten.out))
same([job["http_sd_configs"] for job in jobs], [[{"url": cases.url_of("many", job["job_name"])}] for job in jobs],
     "each job discovers from the allocator")
path.write_text(json.dumps({"scrape_configs": jobs}, ensure_ascii=False), encoding="utf-8")
checked = subprocess.run([server("promtool"), "check", "config", path], capture_output=True, text=True, check=False)
like(checked.stdout, "SUCCESS", "and promtool accepts the receiver's configuration")
done()

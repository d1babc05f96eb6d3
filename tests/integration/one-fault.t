#!/usr/bin/env python3
"""One fault costs one job, or one Collector, or one file: at start, at reload, after a restart, in drop-in mode; what is out is
named, and the rest goes on."""

import json
import pathlib
import re
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from discovery_rig import BINARY, Allocator, done, like, manifest, ok, same, scratch, wait_for  # noqa: E402

DIR = scratch()
BAD_JOBS = {  # what is wrong with a job
    "regex": "relabel_configs: [{source_labels: [a], regex: '(', action: drop}]", "interval": "scrape_interval: soon",
    "timeout": "{scrape_interval: 1s, scrape_timeout: 2s}", "type": "static_configs: here", "action": "relabel_configs: [{action: dance}]",
    "target": "static_configs: [{targets: ['http://x/y']}]", "file": "file_sd_configs: [{files: ['/x/*/y.json']}]",
    "url": "http_sd_configs: [{url: 'ftp://x/'}]", "auth": "{basic_auth: {username: a}, bearer_token: b}", "scheme": "scheme: [a]",
}
BAD_FRAMES = {  # what is wrong with a Collector
    "strategy": ("targetAllocator: {enabled: true", "targetAllocator: {enabled: true, allocationStrategy: best"),
    "config": ("receivers:", "receivers: 7\n    others:"), "global": ("scrape_configs:", "global: {scrape_interval: soon}\n          scrape_configs:"),
    "list": ("scrape_configs:", "scrape_configs: {a: b}\n          others:"), "replicas": ("mode: statefulset", "mode: statefulset\n  replicas: many"),
    "newer": ("namespace: shop", "namespace: shop, annotations: {otel-ta/sd-configs: '{\"v\":99}'}"),
}


def job(name, target=None, more=""):
    lines = [f"job_name: {name}"]
    if target:
        lines.append(f"static_configs: [{{targets: ['{target}']}}]")
    if more.startswith("{"):
        lines += [part.strip() for part in re.split(r", (?=\w+:)", more[1:-1])]
    elif more:
        lines.append(more)
    return "".join(f"          {'- ' if i == 0 else '  '}{line}\n" for i, line in enumerate(lines))


def swap(path, text):
    path.with_suffix(".new").write_text(text, encoding="utf-8")
    path.with_suffix(".new").rename(path)


def status(ta, path):
    return ta.get(path)[0]


def verbose(ta):
    return ta.get("/readyz?verbose")[1]


x, y = DIR / "x.yaml", DIR / "y.yaml"

# ---- at start: every kind of bad job beside good ones
swap(x, manifest("x", job("good-x", "gx:1"), *(job(f"bad-{name}", None, what) for name, what in BAD_JOBS.items())))
swap(y, manifest("y", job("good-y", "gy:1")))
ta = Allocator(x.read_text(encoding="utf-8"), collectors="c-0", more=("-f", y), source="--filename")
ok(ta.ready(), "it starts, and is ready")
same((ta.targets("good-x"), ta.targets("good-y")), (["gx:1"], ["gy:1"]), "the other jobs are served, those beside the bad ones too")
same([n for n in BAD_JOBS if status(ta, f"/jobs/bad-{n}/targets?collector_id=c-0") != 503], [], "each bad one: 503")
text = verbose(ta)
same([n for n in BAD_JOBS if not re.search(rf"\[-\]job shop/x: prometheus: bad-{n}: .*:\d+: ", text)], [], "readyz names each, with file, line and reason")
same(status(ta, "/readyz?verbose"), 200, "which is no reason not to be ready")
like(ta.get("/jobs/bad-regex/targets?collector_id=c-0")[1], "regex", "and so does the answer")
ok(ta.metric('otel_ta_config_out{') == len(BAD_JOBS), "a metric has one series for each")
like(ta.get("/metrics")[1], r'otel_ta_config_out\{file=".*",collector="shop/x",job="prometheus/bad-regex",reason=".*"\} 1', "with its names")
log = [json.loads(line) for line in ta.log().splitlines() if line.startswith("{")]
same(sum("not served as configured" in line["msg"] for line in log), len(BAD_JOBS), "the log has a line for each")

# ---- changes beside it are followed
swap(y, manifest("y", job("good-y", "gy:2"), job("new-y", "ny:1")))
ok(ta.shows("good-y", ["gy:2"], 10) and ta.shows("new-y", ["ny:1"]), "another file's changes are in use")

# ---- at reload: what was good goes on as it was
swap(ta.config_path, manifest("x", job("good-x", "gx:2"), job("other-x", "ox:1")))
ok(ta.shows("other-x", ["ox:1"], 10), "all is good for a while")
ok(wait_for(lambda: verbose(ta) == "[+]synced\n[+]serving\n"), "and nothing is out")
ok(wait_for(lambda: ta.metric("otel_ta_config_out{") == 0), "no series is left")
ok(wait_for(lambda: "a fault in the configuration is gone" in ta.log()), "the log says so")
for name, what in BAD_JOBS.items():
    swap(ta.config_path, manifest("x", job("good-x", f"{name}:1"), job("other-x", None, what)))
    ta.process.send_signal(signal.SIGHUP)
    ok(ta.shows("good-x", [f"{name}:1"]) and ta.targets("other-x") == ["ox:1"], f"{name}: that job stays as it was, its neighbour changes")
ok(wait_for(lambda: "[-]job shop/x: prometheus: other-x (goes on as it was): " in verbose(ta)), "which readyz says")
swap(ta.config_path, manifest("x", job("good-x", "gx:3")))
ta.process.send_signal(signal.SIGHUP)
ok(wait_for(lambda: status(ta, "/jobs/other-x/targets?collector_id=c-0") == 404), "taken out of the file, it is gone")

# ---- a Collector's frame
for name, (old, new) in BAD_FRAMES.items():
    swap(ta.config_path, manifest("x", job("good-x", f"{name}:1")).replace(old, new, 1))
    swap(y, manifest("y", job("good-y", f"{name}:1")))
    ta.process.send_signal(signal.SIGHUP)
    ok(ta.shows("good-y", [f"{name}:1"]) and ta.targets("good-x") == ["gx:3"], f"{name}: that Collector stays as it was, the other changes")
    ok(wait_for(lambda: "[-]collector shop/x: " in verbose(ta)), f"{name}: it is named")

# ---- a file
for name, text in {"broken": "a: [", "empty": "", "no Collector": "kind: Pod\n", "binary": "\0\1"}.items():
    swap(ta.config_path, text)
    swap(y, manifest("y", job("good-y", f"{len(text)}:1")))
    ta.process.send_signal(signal.SIGHUP)
    ok(ta.shows("good-y", [f"{len(text)}:1"]) and ta.targets("good-x") == ["gx:3"], f"{name}: what the file had stays, the other file changes")
    ok(wait_for(lambda: "[-]file " in verbose(ta)), f"{name}: it is named")
    same(status(ta, "/jobs/unheard-of/targets?collector_id=c-0"), 503, f"{name}: who knows what it has")
ta.config_path.unlink()
swap(y, manifest("y", job("good-y", "gone:1")))
ta.process.send_signal(signal.SIGHUP)
ok(ta.shows("good-y", ["gone:1"]) and ta.targets("good-x") == ["gx:3"], "gone: likewise")
swap(ta.config_path, manifest("x", job("good-x", "gx:4")) + "---\na: [\n---\n" + manifest("z", job("good-z", "gz:1")))
ta.process.send_signal(signal.SIGHUP)
ok(ta.shows("good-x", ["gx:4"]) and ta.shows("good-z", ["gz:1"]), "one document of three is no YAML: the others are read")
swap(ta.config_path, manifest("x", job("good-x", "gx:5")))
ta.process.send_signal(signal.SIGHUP)
ok(wait_for(lambda: verbose(ta) == "[+]synced\n[+]serving\n" and ta.targets("good-x") == ["gx:5"]), "all is good again")
ok(wait_for(lambda: status(ta, "/jobs/good-z/targets?collector_id=c-0") == 404), "and what is not there any more is gone")
same(ta.stop(), 0, "stops in order")

# ---- a restart with all of it
more = []
for name, text in {"frame": manifest("frame", job("f", "f:1")).replace("mode: statefulset", "mode: [x]"), "torn": "a: [", "none": None}.items():
    if text is not None:
        (DIR / f"{name}.yaml").write_text(text, encoding="utf-8")
    more += ["-f", DIR / f"{name}.yaml"]
ta = Allocator(manifest("x", job("good-x", "gx:1"), job("bad-x", None, BAD_JOBS["regex"])), collectors="c-0", more=more, source="--filename")
ok(ta.ready() and ta.targets("good-x") == ["gx:1"], "started with a bad job, a bad Collector, a torn file and one that is not there")
same(status(ta, "/jobs/bad-x/targets?collector_id=c-0"), 503, "the job")
same(status(ta, "/n/shop/frame/jobs/f/targets?collector_id=c-0"), 503, "the Collector")
same(status(ta, "/n/shop/frame/jobs"), 503, "its list")
same(status(ta, "/n/shop/torn/jobs/f/targets?collector_id=c-0"), 503, "who knows who is in the torn file")
ok(wait_for(lambda: sorted(re.findall(r"\[-\](\w+) ", verbose(ta))) == ["collector", "file", "file", "job"]), "readyz names the four")
same(ta.stop(), 0, "stops in order")

# ---- drop-in
DROPIN = "config:\n  scrape_configs:\n  - {job_name: a, static_configs: [{targets: ['a:1']}]}\n"
ta = Allocator(DROPIN + "  - {job_name: b, relabel_configs: [{regex: '('}]}\n  - {job_name: c, consul_sd_configs: [{server: x}]}\n", collectors="c-0")
ok(ta.ready() and ta.targets("a") == ["a:1"], "drop-in: one good job of three")
same([status(ta, f"/jobs/{j}/targets?collector_id=c-0") for j in "bc"], [503, 503], "a bad one, and one that is not run here")
ta.reload(DROPIN.replace("a:1", "a:2") + "  - {job_name: b, static_configs: [{targets: ['b:1']}]}\n")
ok(ta.shows("a", ["a:2"]) and ta.shows("b", ["b:1"]), "mended")
ta.reload(DROPIN.replace("a:1", "a:3") + "  - {job_name: b, scrape_interval: x}\n")
ok(ta.shows("a", ["a:3"]) and ta.targets("b") == ["b:1"], "bad again: it goes on as it was")
ta.reload(DROPIN.replace("a:1", "a:4") + DROPIN.splitlines()[-1].replace("a:1", "a:5") + "\n  - {job_name: b, static_configs: [{targets: ['b:1']}]}\n")
ok(ta.shows("a", ["a:4"]) and ta.targets("b") == ["b:1"], "its name is given twice: the first one has it")
ta.reload("allocation_strategy: best\n" + DROPIN)
ok(wait_for(lambda: "[-]" in verbose(ta) and "best" in verbose(ta)) and ta.targets("b") == ["b:1"], "the frame: all goes on as it was")
same(ta.stop(), 0, "stops in order")


# ---- nothing at all can be served
def run(*words):
    answer = subprocess.run([BINARY, "serve", "--listen", "127.0.0.1:0", "--webhook-listen", "off", *map(str, words)], capture_output=True, text=True,
                            timeout=20, check=False, cwd=DIR)
    return answer.returncode, answer.stderr


swap(x, manifest("x", job("bad", None, BAD_JOBS["regex"])))
(DIR / "d.yaml").write_text("config:\n  scrape_configs:\n  - {job_name: b, relabel_configs: [{regex: '('}]}\n", encoding="utf-8")
for words in (["-f", x], ["-f", DIR / "frame.yaml"], ["-f", DIR / "torn.yaml"], ["-f", x, "-f", DIR / "torn.yaml"],
              ["--config-file", DIR / "d.yaml", "--collectors", "c"]):
    code, said = run(*words)
    same(code, 1, f"{' '.join(pathlib.Path(w).name for w in words)}: exit code 1")
    like(said, r"\.yaml:", "and why")
same(run("-f", DIR / "none.yaml")[0], 3, "no file that could be read: 3")
done()

#!/usr/bin/env python3
"""The memory limit that the owner gives, and what follows from it: all patterns together have a cap; whoever needs one more than that
is told, everybody else goes on."""

import json
import pathlib
import re
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from discovery_rig import BINARY, Allocator, done, like, manifest, ok, same, scratch, wait_for  # noqa: E402

DIR = scratch()


def with_patterns(name, n_patterns, port=1):
    """Each pattern is one that no other rule has, in a job of its own."""
    jobs = [f"""          - job_name: {name}-{i}
            static_configs: [{{targets: ['{name}{i}:{port}']}}]
            relabel_configs: [{{source_labels: [__address__], regex: '({name}|a.*b.*c){{1,2}}.*({i}):.*', action: keep}}]
""" for i in range(n_patterns)]
    return manifest(name, *jobs)


# ---- the flag
for text in ("64MiB", "64Mi", "67108864", "67108864B", "1GiB", "1Ti"):
    p = subprocess.run([BINARY, "serve", f"--memory-limit={text}", "--listen", "nowhere:what"], capture_output=True, text=True, check=False)
    same((p.returncode, "--memory-limit" in p.stderr), (3, False), f"--memory-limit={text} is good")
for text in ("63MiB", "0", "-1GiB", "1", "1.5GiB", "1GB", "GiB", "99999999TiB", "99999999999999999999999", "64 MiB", "off"):
    p = subprocess.run([BINARY, "serve", f"--memory-limit={text}", "--listen", "nowhere:what"], capture_output=True, text=True, check=False)
    same((p.returncode, "is not a size such as 3GiB" in p.stderr), (2, True), f"--memory-limit={text} is not")

# ---- patterns: 16 MiB of 64, 64 KiB and a little for each
few, many = with_patterns("few", 20), with_patterns("many", 400)
(DIR / "many.yaml").write_text(many, encoding="utf-8")
ta = Allocator(few, collectors="c-0", more=("--memory-limit=64MiB", "-f", DIR / "many.yaml"), source="--filename")
ok(ta.ready(), "two Collectors, whose patterns are too many together")
same(ta.targets("few-0"), ["few0:1"], "the one is served")
text = ta.get("/readyz?verbose")[1]
n_out = len(re.findall(r"^\[-\]job shop/many: .*patterns of all Collectors together take the 16 MiB", text, re.M))
ok(100 < n_out < 300, f"of the other {n_out} jobs are out, in words")
same(ta.targets("many-0"), ["many0:1"], "and those before them are served")
same(ta.metric("otel_ta_config_out{"), n_out, "the metric has each of them")
like(ta.get("/jobs/many-399/targets?collector_id=c-0")[1], "--memory-limit", "the answer says what could be done")
same(ta.get("/jobs/many-399/targets?collector_id=c-0")[0], 503, "and is none to drop targets by")
like(ta.log(), r"no room: the patterns of all", "so does the log")

# ---- at a reload
ta.configure(with_patterns("few", 21, 2).replace("'few20:2'", "'few20:2', 'few21:2'"))
ta.process.send_signal(signal.SIGHUP)
ok(ta.shows("few-0", ["few0:2"], 20), "a change of what is there is followed")
ok(wait_for(lambda: "few-20" in ta.get("/readyz?verbose")[1]), "a pattern more is out")
(DIR / "many.new").write_text(with_patterns("many", 10), encoding="utf-8")
(DIR / "many.new").rename(DIR / "many.yaml")
ta.process.send_signal(signal.SIGHUP)
ok(wait_for(lambda: ta.metric("otel_ta_config_out{") == 0, 20), "the other Collector has fewer: all have room, once the old ones are gone")
ok(ta.shows("few-20", ["few20:2"], 20), "which is served")

# ---- jobs: 16 MiB of 64, 4 KiB and a little for each
def jobs(n):
    return manifest("few", *(f"          - {{job_name: j{i}, static_configs: [{{targets: ['j{i}:1']}}]}}\n" for i in range(n)))


ta = Allocator(jobs(6000), collectors="c-0", more=("--memory-limit=64MiB",), source="--filename")
ok(ta.ready(), "6,000 jobs in one file")
n_out = len(re.findall(r"^\[-\]job shop/few: prometheus: j\d+: .*no room: the scrape jobs of all Collectors", ta.get("/readyz?verbose")[1], re.M))
ok(1000 < n_out < 5000, f"{n_out} of them are out, in words")
same(ta.metric("otel_ta_config_out{"), n_out, "the metric has each of them")
same(ta.targets(f"j{6000 - n_out - 1}"), [f"j{6000 - n_out - 1}:1"], "those before them are served")
status, text, *_ = ta.get("/jobs/j5999/targets?collector_id=c-0")
same((status, "--memory-limit" in text), (503, True), "the answer says what could be done, and is none to drop targets by")
like(ta.log(), r"no room: the scrape jobs of all", "so does the log")
ta.configure(jobs(1000).replace("'j999:1'", "'j999:2'"))
ta.process.send_signal(signal.SIGHUP)
ok(wait_for(lambda: ta.metric("otel_ta_config_out{") == 0, 20), "fewer of them have room")
ok(ta.shows("j999", ["j999:2"], 20), "and are followed")

# ---- targets: 16 MiB of 64, some 400 bytes each
def put(name, n):
    (DIR / "new").write_text(json.dumps([{"targets": [f"{name}{i}:1" for i in range(n)]}]), encoding="utf-8")
    (DIR / "new").rename(DIR / f"{name}.json")


def served(job):
    """How many; None: it has no answer."""
    groups = ta.groups(job)
    return None if groups is None else sum(len(g["targets"]) for g in groups)


put("a", 30000)
put("b", 10)
ta = Allocator("config:\n  scrape_configs:\n" + "".join(f"""  - job_name: {name}
    file_sd_configs: [{{files: ['{DIR}/{name}.json'], refresh_interval: 1s}}]
""" for name in "ab"), collectors="c-0", more=("--memory-limit=64MiB",))
ok(ta.ready(), "two files of targets")
same((served("a"), served("b")), (30000, 10), "both have room")
put("b", 30000)
ok(wait_for(lambda: ta.metric("otel_ta_sources_without_room") == 1), "the one grows too long for both")
same(served("b"), 10, "and keeps what it gave")
like(ta.get("/readyz?verbose")[1], r"\[-\]targets: no room: .* take the 16 MiB .*--memory-limit", "said in words")
like(ta.log(), r"no room for the targets of a source", "and in the log")
put("a", 10)
ok(wait_for(lambda: served("b") == 30000, 20), "the other is short again: there is room, by itself")
same((ta.metric("otel_ta_sources_without_room"), "no room" in ta.get("/readyz?verbose")[1]), (0, False), "nothing is missing")

# ---- values of one text: 131,072 of 64 MiB
ta.configure("config:\n  scrape_configs:\n  - job_name: c\n    static_configs:\n    - targets:\n" + "".join(f"      - h{i}:1\n" for i in range(140000)))
ta.process.send_signal(signal.SIGHUP)
ok(wait_for(lambda: "values that there is memory for" in ta.get("/readyz?verbose")[1], 20), "a text of 140,000 values is too big for 64 MiB")
like(ta.get("/readyz?verbose")[1], r"line 1310\d\d, column 9: the document is too big", "said with the place")
same(served("b"), 30000, "what it was before goes on")
done()

#!/usr/bin/env python3
"""file_sd in a running allocator: every way in which files come, change, break and go."""

import json
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from discovery_rig import Allocator, done, ok, same, scratch, wait_for  # noqa: E402

SD = scratch()


def body(*targets, **labels):
    return json.dumps([{"targets": list(targets), "labels": labels}])


def put(path, text):
    """In place, as an editor does."""
    path.write_text(text, encoding="utf-8")


def swap(path, text):
    """By rename, as a careful program does."""
    temporary = path.parent / ("." + path.name + ".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.rename(path)


(SD / "glob").mkdir()
(SD / "map").mkdir()
put(SD / "one.json", body("a:1", "b:1", team="x"))
put(SD / "two.json", body("other:1"))
put(SD / "glob/a.json", body("g:1"))
put(SD / "glob/b.yml", "- targets: [h:1]\n  labels: {code: 0644}\n")
(SD / "odd").mkdir()
os.mkfifo(SD / "odd/pipe.json")
(SD / "odd/folder.json").mkdir()
put(SD / "odd/good.json", body("o:1"))
(SD / "map/..v1").mkdir()
put(SD / "map/..v1/sd.json", body("v1:1"))
os.symlink("..v1", SD / "map/..data")
os.symlink("..data/sd.json", SD / "map/sd.json")

CONFIG = f"""
config:
  scrape_configs:
  - job_name: one
    file_sd_configs: [{{files: ['{SD}/one.json']}}]
  - job_name: two
    file_sd_configs: [{{files: ['{SD}/two.json']}}]
  - job_name: glob
    file_sd_configs: [{{files: ['{SD}/glob/*.json', '{SD}/glob/*.yml']}}]
  - job_name: map
    file_sd_configs: [{{files: ['{SD}/map/*.json']}}]
  - job_name: late
    file_sd_configs: [{{files: ['{SD}/late/sd.json']}}]
  - job_name: odd
    file_sd_configs: [{{files: ['{SD}/odd/*.json']}}]
"""

ta = Allocator(CONFIG)
ok(ta.ready(), "ready although a pipe and a folder have names that match, and a folder is not there")
same(ta.targets("one"), ["a:1", "b:1"], "a file's targets")
same(ta.targets("glob"), ["g:1", "h:1"], "a pattern's targets, JSON and YAML")
labels = {g["targets"][0]: g["labels"] for g in ta.groups("glob")}
same(labels.get("h:1"), {"__address__": "h:1", "__meta_filepath": f"{SD}/glob/b.yml", "code": "0644"}, "discovered labels are served")
same(ta.targets("map"), ["v1:1"], "through a mounted ConfigMap's links")
same(ta.get("/jobs/late/targets?collector_id=c-0")[0], 503, "nobody knows what a folder will hold that is not there")
same(ta.get("/jobs/odd/targets?collector_id=c-0")[0], 503, "nor what a pipe and a folder would say that have names that match")
ok(ta.metric("prometheus_sd_file_read_errors_total") >= 2, "pipe and folder count as read errors")

fds = pathlib.Path(f"/proc/{ta.process.pid}/fd")
same(sum(os.readlink(fd) == "anon_inode:inotify" for fd in fds.iterdir() if fd.is_symlink()), 1, "one inotify instance")

count = 'opentelemetry_allocator_process_target_groups_duration_seconds_count{job_name="two"}'
before = ta.metric(count)
swap(SD / "one.json", body("a:1", "c:1", team="y"))
ok(ta.shows("one", ["a:1", "c:1"]), "renamed into place")
put(SD / "one.json", body("a:1", "d:1"))
ok(ta.shows("one", ["a:1", "d:1"]), "written in place")
same(ta.metric(count), before, "the file beside it was not read again")

with open(SD / "one.json", "w", encoding="utf-8") as half:
    text = body("a:1", "e:1")
    half.write(text[:20])
    half.flush()
    ok(ta.keeps("one", ["a:1", "d:1"]), "half written: what is known stays")
    half.write(text[20:])
ok(ta.shows("one", ["a:1", "e:1"]), "the other half")

put(SD / "one.json", '[{"targets":["z:1"],"labels":{"n":1}}]')
ok(ta.keeps("one", ["a:1", "e:1"]), "a value that is no string: what is known stays")
same(ta.log().count("discovered targets cannot be read") >= 1, True, "and the log says so")
put(SD / "one.json", body("f:1"))
ok(ta.shows("one", ["f:1"]), "good again")

with open(SD / "one.json", "w", encoding="utf-8") as half:
    half.write("[")
    half.flush()
    ta.reload(CONFIG.replace("job_name: one", "job_name: one\n    relabel_configs: [{target_label: x, replacement: y}]"))
    ok(ta.keeps("one", ["f:1"], 0.6), "half written while the rules of its job change: what is known stays")
    ta.reload(CONFIG.replace("job_name: one", "job_name: one\n    relabel_configs: [{source_labels: [__address__], regex: f.*, action: drop}]"))
    ok(ta.shows("one", []), "a rule that drops it")
    ta.reload(CONFIG)
    ok(ta.shows("one", ["f:1"]), "goes again, and it is back, with the file still half written")
ta.reload(CONFIG)
put(SD / "one.json", '[{"targets":["f:1","x/y:1","",null,"g:1"]}]')
ok(ta.shows("one", ["f:1", "g:1"]), "targets that cannot be scraped are left out, the others stay")
put(SD / "one.json", body("f:1"))
ok(ta.shows("one", ["f:1"]), "and all are good again")

(SD / "one.json").unlink()
ok(ta.shows("one", []), "the file is gone, and its targets")
put(SD / "one.json", body("a:1"))
ok(ta.shows("one", ["a:1"]), "it is back")

swap(SD / "glob/c.json", body("i:1"))
ok(ta.shows("glob", ["g:1", "h:1", "i:1"]), "one more file for a pattern")
(SD / "glob/c.json").rename(SD / "glob/c.txt")
ok(ta.shows("glob", ["g:1", "h:1"]), "renamed to what does not match")
put(SD / "glob/b.yml", "")
ok(ta.shows("glob", ["g:1"]), "an empty YAML file has no targets")
put(SD / "glob/a.json", "")
ok(ta.keeps("glob", ["g:1"]), "an empty JSON file is a broken one")

(SD / "map/..v2").mkdir()
put(SD / "map/..v2/sd.json", body("v2:1"))
os.symlink("..v2", SD / "map/..data_tmp")
os.rename(SD / "map/..data_tmp", SD / "map/..data")
ok(ta.shows("map", ["v2:1"]), "a ConfigMap's ..data is swapped")

(SD / "late").mkdir()
put(SD / "late/sd.json", body("l:1"))
ok(ta.shows("late", ["l:1"], 8), "the folder came late")
(SD / "late").rename(SD / "away")
ok(ta.shows("late", [], 8), "the folder went away")
(SD / "away").rename(SD / "late")
ok(ta.shows("late", ["l:1"], 8), "and came back")
put(SD / "late/sd.json", body("m:1"))
ok(ta.shows("late", ["m:1"]), "and is watched again")

# ---- a new configuration
snapshots = ta.metric("otel_ta_snapshots_total")
ta.reload(CONFIG)
ok(ta.keeps("one", ["a:1"]), "the same configuration again: nothing changes")
same(ta.metric("otel_ta_snapshots_total"), snapshots, "and nothing is published")
ta.reload(CONFIG + f"  - job_name: five\n    file_sd_configs: [{{files: ['{SD}/one.json']}}]\n    relabel_configs:\n"
          "    - {source_labels: [__address__], regex: 'a:.*', action: drop}\n")
ok(wait_for(lambda: "five" in json.loads(ta.get("/jobs")[1])), "one more job, on a file that another has too")
ok(ta.shows("five", []), "its rules drop the target")
same(ta.targets("one"), ["a:1"], "for the other job it stays")
swap(SD / "one.json", body("a:1", "n:1"))
ok(ta.shows("five", ["n:1"]) and ta.shows("one", ["a:1", "n:1"]), "one change reaches both")
ta.reload(CONFIG.replace("config:", "allocation_strategy: best\nconfig:", 1))
ok(wait_for(lambda: "best" in ta.log()), "an unknown strategy is refused")
same(ta.targets("five"), ["n:1"], "and the running configuration stays")

# ---- settings that a reload cannot change; --listen is given, which goes before the file
def warnings():
    return [line for line in ta.log().splitlines() if "need a restart" in line]


ta.reload(CONFIG.replace("config:", "listen_addr: :9\nhttps: {enabled: true, ca_file_path: /a, tls_cert_file_path: /b, "
                         "tls_key_file_path: /c}\nallow_insecure_auth_secrets: true\nconfig:", 1))
ok(wait_for(warnings), "they are not taken silently")
ok('"settings":"https.enabled, allow_insecure_auth_secrets"' in warnings()[0], "but named")
ok(wait_for(lambda: "five" not in json.loads(ta.get("/jobs")[1])), "the jobs of that configuration are in use")
ta.reload(CONFIG + "  - job_name: six\n    static_configs: [{targets: [s:1]}]\n")
ok(ta.shows("six", ["s:1"]), "changed back")
same(len(warnings()), 1, "which is nothing to warn of")

# ---- a configuration that is no file: nobody waits for the other end of a pipe
ta.config_path.unlink()
os.mkfifo(ta.config_path)
ta.process.send_signal(signal.SIGHUP)
ok(wait_for(lambda: "targetallocator.yaml: not a regular file" in ta.log()), "a pipe in its place is refused")
same(ta.targets("six"), ["s:1"], "the running configuration stays")
ta.reload(CONFIG + "  - job_name: seven\n    static_configs: [{targets: [s:7]}]\n")
ok(ta.shows("seven", ["s:7"]), "and a file is taken again")

same(ta.stop(), 0, "stops in order")
done()

#!/usr/bin/env python3
"""serve -f FOLDER: the manifests in it, also those that come, go, change, or are swapped as a ConfigMap's are."""

import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from discovery_rig import BINARY, Allocator, done, like, manifest, ok, same, scratch, wait_for  # noqa: E402


def cr(name, target):
    """A Collector with one job of its own name."""
    return manifest(name, f"          - job_name: {name}\n            static_configs: [{{targets: ['{target}']}}]\n")


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.parent / ("." + path.name)
    new.write_text(text, encoding="utf-8")
    new.rename(path)


def serve(folder, *more):
    """An allocator that serves the folder beside a Collector of its own."""
    return Allocator(cr("own", "own:1"), collectors="c-0", more=("-f", folder, *more), source="--filename")


def gone(ta, name):
    return bool(wait_for(lambda: ta.get(f"/jobs/{name}/targets?collector_id=c-0")[0] == 404))


# ---- beside others: files come, change, go
top = scratch()
put(top / "a.yaml", cr("a", "a:1"))
put(top / "kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n")
put(top / "notes.txt", "- [")
put(top / "deeper/d.yaml", cr("d", "d:1"))
ta = serve(top)
ok(ta.shows("a", ["a:1"]) and ta.shows("own", ["own:1"]), "a Collector of a folder is served")
same(ta.get("/jobs/d/targets?collector_id=c-0")[0], 404, "the folders in it are another matter")
same([line for line in ta.get("/readyz?verbose")[1].splitlines() if line.startswith("[-]")], [], "other manifests are no fault")
put(top / "b.json", '{"apiVersion":"opentelemetry.io/v1beta1","kind":"OpenTelemetryCollector","metadata":{"name":"b","namespace":"shop"},'
    '"spec":{"mode":"statefulset","targetAllocator":{"enabled":true},"config":{"receivers":{"prometheus":{"config":{"scrape_configs":'
    '[{"job_name":"b","static_configs":[{"targets":["b:1"]}]}]}}}}}}')
ok(ta.shows("b", ["b:1"]), "a file that comes is served")
put(top / "b.json", (top / "b.json").read_text(encoding="utf-8").replace("b:1", "b:2"))
ok(ta.shows("b", ["b:2"]), "so is its change")
(top / "a.yaml").rename(top / "c.yaml")
ok(ta.keeps("a", ["a:1"], for_s=3.5), "another name changes nothing")
(top / "b.json").unlink()
ok(gone(ta, "b"), "a file that goes takes its Collector along")
ok(ta.keeps("a", ["a:1"]), "no other")

# ---- what cannot be read stays as it was
put(top / "c.yaml", cr("a", "a:1").replace("receivers:", "receivers: ["))
ok(wait_for(lambda: "c.yaml" in ta.get("/readyz?verbose")[1]), "a file with a fault is named")
ok(ta.keeps("a", ["a:1"]), "and its Collector stays")
put(top / "c.yaml", "")
ok(wait_for(lambda: "no OpenTelemetryCollector in this file" in ta.get("/readyz?verbose")[1]) and ta.keeps("a", ["a:1"]),
   "an empty file is one that is being written")
put(top / "c.yaml", cr("a", "a:2"))
ok(ta.shows("a", ["a:2"]), "mended, it is served")
away = top.with_name(top.name + ".away")
top.rename(away)
ok(wait_for(lambda: str(top) in ta.get("/readyz?verbose")[1]), "a folder that is gone is named")
ok(ta.keeps("a", ["a:2"]) and ta.keeps("own", ["own:1"]), "and what it had stays")
put(away / "c.yaml", cr("a", "a:3"))
away.rename(top)
ok(ta.shows("a", ["a:3"], timeout_s=15), "until it is back")
for path in top.glob("*.yaml"):
    path.unlink()
ok(wait_for(lambda: "there is no .yaml" in ta.get("/readyz?verbose")[1]) and ta.keeps("a", ["a:3"]), "an emptied folder is a fault, too")
same(ta.stop(), 0, "it stops")

# ---- -R, and a ConfigMap's links
tree = scratch()
put(tree / "one/1.yaml", cr("one", "one:1"))
put(tree / "..first/m.yaml", cr("m", "m:1"))
(tree / "..data").symlink_to("..first")
(tree / "m.yaml").symlink_to("..data/m.yaml")
ta = serve(tree, "-R")
ok(ta.shows("one", ["one:1"]) and ta.shows("m", ["m:1"]), "-R: folders in it, too; a link to a file is one")
put(tree / "two/deep/2.yaml", cr("two", "two:1"))
ok(ta.shows("two", ["two:1"]), "one that comes")
put(tree / "two/deep/3.yaml", cr("three", "three:1"))
ok(ta.shows("three", ["three:1"]), "is looked into from then on")
put(tree / "..second/m.yaml", cr("m", "m:2"))
(tree / "..new").symlink_to("..second")
(tree / "..new").rename(tree / "..data")
ok(ta.shows("m", ["m:2"]), "a ConfigMap is swapped")
shutil.rmtree(tree / "two")
ok(gone(ta, "two") and gone(ta, "three") and ta.keeps("one", ["one:1"]), "a folder that goes takes its own along, no other's")
same(ta.stop(), 0, "it stops")

# ---- at the start
empty = scratch()
run = subprocess.run([BINARY, "serve", "-f", empty, "--listen", "127.0.0.1:0", "--webhook-listen", "off"], capture_output=True, text=True,
                     timeout=60, check=False)
ok(run.returncode != 0, "nothing at all to serve")
like(run.stderr, r"there is no \.yaml, \.yml or \.json file in it \(-R looks into its folders, too\)", "is said")
done()

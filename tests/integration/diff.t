#!/usr/bin/env python3
"""rewrite -o diff gives what 'git apply' and 'patch' take, rewrite -o json-patch what kubectl takes for the very object; a person on
a terminal sees less of it."""

import json
import os
import pathlib
import pty
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from discovery_rig import BINARY, ROOT, done, like, ok, same, scratch  # noqa: E402

DIR = scratch()
SHOP = (ROOT / "manifests/examples/shop.yaml").read_text(encoding="utf-8")
OTHER = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
LIST = json.dumps({"kind": "List", "apiVersion": "v1", "items": [
    {"apiVersion": "opentelemetry.io/v1beta1", "kind": "OpenTelemetryCollector", "metadata": {"name": name, "namespace": "n"},
     "spec": {"mode": "statefulset", "targetAllocator": {"enabled": name != "off"}, "config": {"receivers": {"prometheus": {"config": {
         "scrape_configs": [{"job_name": "j", "static_configs": [{"targets": [f"{name}:1"]}]}]}}}}}} for name in ("one", "off", "two")]}, indent=1)
SHORT = """apiVersion: opentelemetry.io/v1beta1
kind: OpenTelemetryCollector
metadata: {name: short}
spec:
  mode: statefulset
  targetAllocator: {enabled: true}
  config: {receivers: {prometheus: {config: {scrape_configs: [{job_name: j, static_configs: [{targets: ['s:1']}]}]}}}}"""
FILES = {
    "one.yaml": SHOP,
    "two.yaml": f"---\n{SHOP}---\n{OTHER}---\n{SHOP.replace('name: shop', 'name: shop2')}",
    "edge.yaml": f"{SHORT}\n---\n{SHORT.replace('short', 'next')}\n---\n{SHORT.replace('short', 'last')}",
    "tail.yaml": f"{SHORT}\n---\n{OTHER}",
    "crlf.yaml": SHOP.replace("\n", "\r\n"),
    "list.json": LIST,
    "line.json": json.dumps(json.loads(LIST)),
    "sub/deep.yaml": SHOP,
    "with blank.yaml": SHOP,
    'quote"d.yaml': SHOP,
    "ta\tb.yaml": SHOP,
    "grüße.yaml": SHOP,
}


def run(*words, cwd=DIR, **more):
    return subprocess.run(list(map(str, words)), cwd=cwd, capture_output=True, timeout=60, check=False, **more)


def plant():
    shutil.rmtree(DIR / "tree", ignore_errors=True)
    for name, text in FILES.items():
        path = DIR / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return DIR / "tree"


# --- a diff of each file, of all of them, there and back
for name in FILES:
    tree = plant()
    want = run(BINARY, "rewrite", name, cwd=tree).stdout
    diff = run(BINARY, "rewrite", name, "-o", "diff", cwd=tree).stdout
    applied = run("git", "apply", "-", cwd=tree, input=diff)
    same((applied.returncode, applied.stderr.decode()), (0, ""), f"{name}: git apply takes it")
    same((tree / name).read_bytes(), want, f"{name}: and makes of it what rewrite prints")
    run("git", "apply", "-", cwd=tree, input=run(BINARY, "restore", name, "-o", "diff", cwd=tree).stdout)
    same((tree / name).read_bytes(), FILES[name].encode(), f"{name}: that of restore leads back")
for words in ([*FILES], ["-R", "."], ["-R", "-f", str(DIR / "tree")]):
    for tool in (("git", "apply", "-"), ("patch", "-p1", "--quiet", "--binary")):
        tree = plant()
        names = [name for name in FILES if tool[0] == "git" or not set('"\t') & set(name)]
        diff = run(BINARY, "rewrite", "-o", "diff", *(names if words[0] != "-R" else words), cwd=tree).stdout
        if words[0] == "-R" and tool[0] == "patch":
            continue
        at = "/" if words[-1].startswith("/") else tree
        applied = run(*tool, cwd=at, input=diff)
        same((applied.returncode, applied.stderr.decode()), (0, ""), f"{tool[0]}: all files, {words[0]} {words[-1][:1]}")
        changed = [name for name in names if (tree / name).read_bytes() != FILES[name].encode()]
        same(sorted(changed), sorted(names), f"{tool[0]}: each is changed")
(DIR / "repo").mkdir()
shutil.copytree(plant(), DIR / "repo/in")
run("git", "init", "-q", cwd=DIR / "repo")
diff = run(BINARY, "rewrite", "in/two.yaml", "-o", "diff", cwd=DIR / "repo").stdout
same(run("git", "apply", "--check", "-", cwd=DIR / "repo", input=diff).returncode, 0, "in a repository, too")

# --- what a person sees
def at_terminal(*words):
    master, terminal = pty.openpty()
    process = subprocess.Popen([BINARY, *words], cwd=DIR / "tree", stdin=subprocess.DEVNULL, stdout=terminal, stderr=subprocess.DEVNULL,
                               env={**os.environ, "NO_COLOR": "1"})
    os.close(terminal)
    out = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        out += piece
    os.close(master)
    process.wait(timeout=30)
    return out.decode().replace("\r\n", "\n")


plant()
folded = at_terminal("rewrite", "two.yaml", "-o", "diff")
like(folded, r"\+    otel-ta/sd-configs: '\{.{10,60}… \(\d+ bytes; --show-annotation\)\n", "on a terminal the annotation is folded")
ok(max(map(len, folded.splitlines())) < 140, "and no line is long")
same(at_terminal("rewrite", "two.yaml", "-o", "diff", "--show-annotation"), run(BINARY, "rewrite", "two.yaml", "-o", "diff", cwd=DIR / "tree").stdout.decode(),
     "--show-annotation shows it")
(DIR / "tree/rewritten.yaml").write_bytes(run(BINARY, "rewrite", "two.yaml", cwd=DIR / "tree").stdout)
like(at_terminal("restore", "rewritten.yaml", "-o", "diff"), r"-    otel-ta/sd-configs: '\{.*… \(\d+ bytes", "restore folds the one that goes")
for form in ("json", "json-patch"):
    shown, piped = at_terminal("rewrite", "list.json", "-o", form), run(BINARY, "rewrite", "list.json", "-o", form, cwd=DIR / "tree").stdout.decode()
    ok(shown.count("\n") > 20 > piped.count("\n"), f"{form} is laid out on a terminal only")
    decoder, values = json.JSONDecoder(), []
    for text in (shown, piped):
        values.append([])
        while text.strip():
            value, end = decoder.raw_decode(text.lstrip())
            values[-1].append(value)
            text = text.lstrip()[end:]
    same(values[0], values[1], f"{form}: and says the same")

# --- a JSON patch for each Collector
lines = run(BINARY, "rewrite", "list.json", "two.yaml", "-o", "json-patch", cwd=DIR / "tree").stdout.decode().splitlines()
tests = [{op["path"]: op["value"] for op in json.loads(line) if op["op"] == "test"} for line in lines]
same([test["/metadata/name"] for test in tests], ["one", "two", "shop", "shop2"], "a patch for each that changes, which says for whom it is")
same([test.get("/metadata/namespace") for test in tests], ["n", "n", None, None], "with its namespace, if it has one")
ok(all(op["path"].startswith(("/metadata/", "/spec/", "/kind")) for line in lines for op in json.loads(line)), "paths are those of the object")
done()

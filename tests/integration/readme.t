#!/usr/bin/env python3
"""The README is true: the help in it is the help of the binary, its commands run, its links exist."""

import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from rig.tap import done, ok  # noqa: E402

BINARY = os.environ.get("OTEL_TA", str(ROOT / "build/otel-ta"))
readme = (ROOT / "README.md").read_text(encoding="utf-8")


def help_of(*words):
    return subprocess.run([BINARY, *words], check=True, capture_output=True, text=True).stdout.strip()


ok(f"```\n{help_of('--help')}\n```" in readme, "the overview of the commands is the one that --help prints")

for line in re.findall(r"^otel-ta (?:rewrite|validate|allocate|explain) .*$", readme, re.M):
    command = line.split("#")[0].strip()
    result = subprocess.run(["bash", "-euo", "pipefail", "-c", f"otel-ta() {{ '{BINARY}' \"$@\"; }}; {command}"], cwd=ROOT,
                            capture_output=True, text=True, check=False)
    ok(result.returncode == 0 and result.stdout, f"runs: {command}")

HEADERS = {"h2o": "h2o", "libcurl": "curl/", "libyaml": "yaml.h", "RE2": "re2/", "xxHash": "xxhash.h", "libdeflate": "libdeflate.h",
           "OpenSSL": "openssl/", "jansson": "jansson.h"}
sources = [p for f in ("allocator", "certs", "webhook") for p in sorted((ROOT / f).rglob("*")) if p.suffix in (".c", ".h", ".cc")]
doors = dict(re.findall(r"^\| (\w+) \| (`(?:allocator|certs|webhook)/.*) \|$", readme.split("| its doors |")[1], re.M))
ok(doors.keys() == HEADERS.keys(), "the libraries with doors are those that there are")
linked = re.findall(r"^(?:packages|archived) := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
ok(len(" ".join(linked).split()) + 1 == len(HEADERS), "and those that the Makefile links, besides libcurl, which is loaded")
for library, header in HEADERS.items():
    named = re.findall(r"`((?:allocator|certs|webhook)/[\w./-]*)`", doors.get(library, ""))
    users = [str(p.relative_to(ROOT)) for p in sources if f"#include <{header}" in p.read_text(encoding="utf-8")]
    ok(users and all(any(u == n or (n.endswith("/") and u.startswith(n)) for n in named) for u in users), f"{library}: no door is missing")
    ok(all(any(u == n or (n.endswith("/") and u.startswith(n)) for u in users) for n in named), f"{library}: each door is one")
demo = readme.split("What <code>make run</code> shows")[1].split("```")[1].strip().splitlines()
shown = subprocess.run([ROOT / "scripts/demo", BINARY], cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False).stdout


def plain(line):
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", line).replace(BINARY, "build/otel-ta").replace(f"{ROOT}/", "").rstrip()


missing = {plain(line) for line in demo} - {plain(line) for line in shown.splitlines()} - {"Serving until Ctrl-C."}
ok(not missing, f"make run shows what the README says {missing or ''}")
for folder in sorted({p.parent for p in sources}):
    here = [f for f in (folder, *folder.parents) if (f / "README.md").exists() and f != ROOT]
    ok(here and (here[0] == folder or f"`{folder.name}/`" in (here[0] / "README.md").read_text(encoding="utf-8")),
       f"{folder.relative_to(ROOT)} is in a README of the house")

makefile = (ROOT / "Makefile").read_text(encoding="utf-8")


def anchors(path):
    """The headings of a page, as a link names them."""
    return {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.M)}


for page in (ROOT / "README.md", *sorted((ROOT / ".github").glob("*.md"))):
    text, name = page.read_text(encoding="utf-8"), page.relative_to(ROOT)
    for target in sorted(set(re.findall(r"`make ([a-z0-9]+)[^`]*`", text))):
        ok(re.search(rf"^(?:\.PHONY:.*\b{target}\b|{target}:)", makefile, re.M), f"{name}: make {target} exists")
    for link, anchor in sorted(set(re.findall(r"\]\((?!https:)([^)#]+)#?([^)]*)\)", text))):
        ok((page.parent / link).exists() and (not anchor or anchor in anchors(page.parent / link)), f"{name}: {link} {anchor} exists")
for path in sorted(set(re.findall(r"`((?:allocator|certs|webhook|manifests|scripts|tests|\.ci)/?[\w./-]*)`", readme))):
    ok((ROOT / path.split("*")[0]).exists() or (ROOT / path).parent.exists(), f"{path} exists")
for folder in ("webhook", "allocator", "certs", "manifests", "tests", "scripts"):
    ok(f"`{folder}" in readme, f"the map knows {folder}")
done()

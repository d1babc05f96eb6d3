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

COMMANDS = re.findall(r"^  ([a-z]+(?: [a-z][a-z-]+)?)(?= )", help_of("--help"), re.M)
EVERY_COMMAND_HAS = {"log-level", "log-format", "help"}
described = dict(re.findall(r"^<details><summary>Every flag of <code>([a-z -]+)</code></summary>\n\n```\n(.*?)\n```\n\n</details>$", readme, re.M | re.S))
ok("serve" in COMMANDS and "certs show" in COMMANDS, "the commands are read from the overview")
for command in COMMANDS:
    text = help_of(*command.split(), "--help") if command != "help" else ""
    flags = set(re.findall(r"^  --([a-z0-9-]+)", text, re.M))
    if flags - EVERY_COMMAND_HAS:
        ok(described.pop(command, "") == text, f"the flags of {command} are those that {command} --help prints")
    else:
        ok(command not in described, f"{command} has no flags of its own to list")
ok(not described, f"no flags of commands that do not exist: {', '.join(described)}")

for line in re.findall(r"^otel-ta (?:rewrite|validate|allocate|explain) .*$", readme, re.M):
    command = line.split("#")[0].strip()
    result = subprocess.run(["bash", "-euo", "pipefail", "-c", f"otel-ta() {{ '{BINARY}' \"$@\"; }}; {command}"], cwd=ROOT,
                            capture_output=True, text=True, check=False)
    ok(result.returncode == 0 and result.stdout, f"runs: {command}")

makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
for target in sorted(set(re.findall(r"`make ([a-z0-9]+)[^`]*`", readme))):
    ok(re.search(rf"^(?:\.PHONY:.*\b{target}\b|{target}:)", makefile, re.M), f"make {target} exists")
for link in sorted(set(re.findall(r"\]\(([^)#:]+)\)", readme))):
    ok((ROOT / link).exists(), f"{link} exists")
for path in sorted(set(re.findall(r"`((?:allocator|certs|webhook|manifests|scripts|tests|\.ci)/?[\w./-]*)`", readme))):
    ok((ROOT / path.split("*")[0]).exists() or (ROOT / path).parent.exists(), f"{path} exists")
for folder in ("webhook", "allocator", "certs", "manifests", "tests", "scripts"):
    ok(f"`{folder}" in readme, f"the map knows {folder}")
done()

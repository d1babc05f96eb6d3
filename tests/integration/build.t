#!/usr/bin/env python3
"""The build, tried on a copy of the tree: which variant build/otel-ta is."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from rig.tap import done, same  # noqa: E402

scratch = pathlib.Path(tempfile.mkdtemp(prefix="otel-ta-build-"))
tree = scratch / "tree"
shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns("build", ".git", "__pycache__"))
# What this test was called with is not for the makes that it calls.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "GIT_"))}


def run(*words, cwd=tree):
    result = subprocess.run(list(map(str, words)), cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
    if result.returncode != 0:
        raise SystemExit(f"{words}: exit code {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout.strip()


# --- build/otel-ta is of the variant that was asked for last, however old the variants are
for variant in ("release", "thread"):
    (tree / "build" / variant).mkdir(parents=True)
    (tree / "build" / variant / "otel-ta").write_text(variant, encoding="utf-8")
for words, variant in (((), "release"), (("SANITIZE=thread",), "thread"), ((), "release")):
    run("make", *words, "-o", f"build/{variant}/otel-ta", "build/otel-ta")
    same((tree / "build/otel-ta").read_text(encoding="utf-8"), variant, f"make {' '.join(words)}: build/otel-ta is the {variant} one")
shutil.rmtree(tree / "build")

shutil.rmtree(scratch)
done()

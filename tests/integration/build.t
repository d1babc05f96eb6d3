#!/usr/bin/env python3
"""The build, tried on a copy of the tree: which variant build/otel-ta is, which version it says it is, and
what 'make dist' puts into an archive."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from rig.tap import done, ok, same  # noqa: E402

scratch = pathlib.Path(tempfile.mkdtemp(prefix="otel-ta-build-"))
tree = scratch / "tree"
shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns("build", ".git", "__pycache__"))
# What this test was called with is not for the makes that it calls.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "GIT_"))}
ENVIRONMENT["GIT_COMMITTER_DATE"] = "2021-02-03T04:05:06Z"


def run(*words, cwd=tree):
    result = subprocess.run(list(map(str, words)), cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
    if result.returncode != 0:
        raise SystemExit(f"{words}: exit code {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout.strip()


def git(*words):
    return run("git", "-c", "user.name=x", "-c", "user.email=x", "-c", "commit.gpgsign=false", *words)


def commit(text):
    (tree / "note").write_text(text, encoding="utf-8")
    git("add", "--all")
    git("commit", "--quiet", "--message", text)
    return git("rev-parse", "HEAD")


def version(where=tree):
    """What the program is told: number, commit, whether there are changes."""
    told = run("scripts/version", "--defines", "zlib", "no-such-library", cwd=where)
    found = re.fullmatch(r'-DOTEL_TA_VERSION=\\"(\S+)\\"\n-DOTEL_TA_COMMIT=\\"(\S*)\\"\n-DOTEL_TA_IS_DIRTY=(\w+)\n'
                         r'-DOTEL_TA_LIBRARIES=\{\\"zlib\\",\\"[\d.]+\\"\},', told)
    ok(found and run("scripts/version", cwd=where) == found[1], "scripts/version says the same in both forms")
    return found.groups() if found else told


# --- build/otel-ta is of the variant that was asked for last, however old the variants are
for variant in ("release", "thread", "release-check"):
    (tree / "build" / variant).mkdir(parents=True)
    (tree / "build" / variant / "otel-ta").write_text(variant, encoding="utf-8")
for words, variant in (((), "release"), (("SANITIZE=thread",), "thread"), ((), "release"), (("CHECK=1",), "release-check"), ((), "release")):
    run("make", *words, "-o", f"build/{variant}/otel-ta", "build/otel-ta")
    same((tree / "build/otel-ta").read_text(encoding="utf-8"), variant, f"make {' '.join(words)}: build/otel-ta is the {variant} one")
shutil.rmtree(tree / "build")
same(["-DOTEL_TA_CHECK=1" in run("make", *words, "print-cflags").split() for words in ((), ("CHECK=1",))], [False, True],
     "CHECK=1, and it alone, defines OTEL_TA_CHECK")

# --- the version
record = (tree / ".version").read_text(encoding="utf-8")
for name, form in (("commit", "%H"), ("date", "%cs"), ("tag", "%(describe:tags=true,match=v[0-9]*)")):
    record = re.sub(rf"^{name} [^$\n]*$", f"{name} $Format:{form}$", record, flags=re.M)  # this tree may be an archive itself
(tree / ".version").write_text(record, encoding="utf-8")
same(version(), ("0.1.0", "", "false"), "a tree without git does not know its commit")
git("init", "--quiet")
same(version(), ("0.1.0", "", "true"), "a repository without a commit does not either")
first = commit("one")
same(version(), ("0.1.0", first[:12], "false"), "a commit before the first tag")
(tree / "webhook/extra.c").write_text("", encoding="utf-8")
same(version(), ("0.1.0", first[:12], "true"), "with a file that git does not know, which would be compiled")
git("tag", "v7.8.9")
git("tag", "something")
second = commit("two")
same(version(), ("7.8.9+1", second[:12], "false"), "a commit after a tag")
git("tag", "v7.8.10")
same(version(), ("7.8.10", second[:12], "false"), "a tag")

OBJECT = "build/release/webhook/buildinfo.o"
run("make", OBJECT)
ok(second[:12].encode() in (tree / OBJECT).read_bytes() and b"7.8.10" in (tree / OBJECT).read_bytes(), "the program has version and commit")
same(re.findall(r"CC .*", run("make", OBJECT)), [], "what has not changed is not compiled again")
third = commit("three")
same(re.findall(r"CC +(.*)", run("make", OBJECT)), ["webhook/buildinfo.c"], "a commit makes one object anew")
ok(third[:12].encode() in (tree / OBJECT).read_bytes(), "which has the new one")

# --- the archive
(tree / "note").write_text("not committed", encoding="utf-8")
made = run("make", "dist")
same(made, "build/otel-ta-7.8.10+1.tar.gz", "make dist says what it made")
archive = (tree / made).read_bytes()
(tree / made).unlink()
same((tree / run("make", "dist")).read_bytes() == archive, True, "made again: the same bytes")
run("tar", "-xzf", tree / made, cwd=scratch)
unpacked = scratch / "otel-ta-7.8.10+1"
same(version(unpacked), ("7.8.10+1", third[:12], "false"), "unpacked, it knows version and commit")
here = set(git("ls-files").splitlines())
there = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if not path.is_dir()}
same(sorted(here ^ there), [], "all that is committed is in it")
same(run("scripts/version", "--date", cwd=unpacked), "February 3, 2021", "and the day of the commit")
same((unpacked / "note").read_text(encoding="utf-8"), "three", "as it was committed")
same(os.access(unpacked / "scripts/version", os.X_OK), True, "scripts can be run")
ok(re.search(r"-o build/release/otel-ta ", run("make", "-n", "V=1", "all", cwd=unpacked)), "make all would build the program")
run("make", OBJECT, cwd=unpacked)
ok(third[:12].encode() in (unpacked / OBJECT).read_bytes(), "which has version and commit")

shutil.rmtree(scratch)
done()

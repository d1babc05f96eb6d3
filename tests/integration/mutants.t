#!/usr/bin/env python3
"""scripts/mutants: what it changes and what not, how a list of changes that do nothing is read, what it calls a failure."""

import importlib.machinery
import importlib.util
import pathlib
import stat
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
sys.dont_write_bytecode = True
from rig.tap import done, ok  # noqa: E402

loader = importlib.machinery.SourceFileLoader("mutants", str(ROOT / "scripts/mutants"))
mutants = importlib.util.module_from_spec(importlib.util.spec_from_loader("mutants", loader))
loader.exec_module(mutants)

CHANGED = {
    "if (a == b) {": {"if (a != b) {"},
    "if (a->n < 3 && !b) {": {"if (a->n <= 3 && !b) {", "if (a->n < 3 || !b) {", "if (a->n < 3 && b) {"},
    "if (is_good(a)) {": {"if (!(is_good(a))) {"},
    "x = y << 2 >> 1;": set(),
    "x[i++] = y + 1;": {"x[i] = y + 1;", "x[i++] = y;"},
    "x = y + 10 - 1UL;": {"x = y + 10;"},
    "x = -1;": set(),
    "return true;": {"return false;"},
    "return 0;": {"return -1;"},
    "return -1;": {"return 0;"},
    "return ERR_INVALID;": {"return 0;"},
    "return rc;": set(),
    'puts("a == b"); /* c == d */': set(),
    "c = '<';": set(),
    "assert(a == b && (c < d)); e = f >= g;": {"assert(a == b && (c < d)); e = f > g;"},
    "#if A == B && \\\n    C == D": set(),
    "/* a\n * b == c */": set(),
}
for line, wanted in CHANGED.items():
    found = [change.new for change in mutants.changes_of("a.c", f"int x;\n    {line}\n")]
    ok(set(found) == wanted and len(found) == len(wanted), f"{line!r}: {found}")

TEXT = "x = a ||\n    (b &&\n     c);\nif (is_good(\n        a)) {\n"
changes = list(mutants.changes_of("a.c", TEXT))
ok([change.line for change in changes] == [1, 2, 4], "the line is the one that is changed")
ok(mutants.edited(TEXT, changes[2].edits).endswith("if (!(is_good(\n        a))) {\n"), "a condition of several lines is turned round")

with tempfile.TemporaryDirectory() as folder:
    mutants.SAME = pathlib.Path(folder) / "mutants.txt"
    mutants.SAME.write_text("# about\n\na.c:12\n- x++;\n+ x;\nnobody looks at x\nany more\n\n\nb.c\n- -y\n+ y\nzero\n", encoding="utf-8")
    ok(mutants.read_same() == {("a.c", "x++;", "x;"), ("b.c", "-y", "y")}, "stanzas are read, with or without the number of a line")
    mutants.SAME.write_text("a.c\n- x++;\n+ x;\n", encoding="utf-8")
    try:
        mutants.read_same()
        code = 0
    except SystemExit as end:
        code = end.code
    ok(code == 2, "one without a reason is refused")

    def failure_of(script, limit_s=60):
        program = pathlib.Path(folder) / "program"
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return mutants.failure_of(pathlib.Path(folder), str(program), limit_s)

    ok(failure_of("echo ok 1; echo 1..1") is None, "a test that passes")
    ok(failure_of("echo ok 1; echo not ok 2; sleep 600") == "fails", "a failed check ends it")
    ok(failure_of("echo ok 1; echo 1..1; exit 1") == "fails", "so does its exit code")
    ok(failure_of("echo ok 1; echo 1..2") == "fails", "and a plan that was not kept")
    ok(failure_of("echo ok 1") == "fails", "and an end before the plan")
    ok(failure_of("echo ok 1; echo 1..1; kill -SEGV $$") == "fails", "and a crash")
    ok(failure_of("echo ok 1; sleep 600", 0.2) == "does not end", "one that does not end, is ended")


def drawn(seed):
    return subprocess.run([ROOT / "scripts/mutants", "--list", "-n", "20", "-s", seed], check=True, capture_output=True, text=True).stdout


first = drawn("7")
ok(first.count("\n- ") == 20 and first == drawn("7"), "a seed draws the same changes again")
ok(first != drawn("8"), "another one draws others")
done()

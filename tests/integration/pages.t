#!/usr/bin/env python3
"""The man page, and what the shells complete: made of the option table, read by mandoc, bash, zsh and fish."""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from rig.tap import done, like, ok, same  # noqa: E402

BINARY = os.environ.get("OTEL_TA", str(ROOT / "build/otel-ta"))
PAGE = ROOT / "build/otel-ta.1"
FOLDER = ROOT / "build/completions"
home = pathlib.Path(tempfile.mkdtemp(prefix="otel-ta-pages-"))
scratch = home / "work"
scratch.mkdir()

for tool in ("mandoc", "bash", "zsh", "fish"):
    if shutil.which(tool) is None:
        sys.exit(f"pages.t: there is no {tool}; scripts/setup test installs it")


def output(*words, **more):
    return subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=60, check=False, **more)


# --- the man page
lint = output("mandoc", "-T", "lint", "-W", "warning", PAGE)
same((lint.returncode, lint.stdout + lint.stderr), (0, ""), "mandoc has nothing to warn of")
page = output("mandoc", "-T", "utf8", "-O", "width=120", PAGE).stdout
page = re.sub(".\b", "", page)
overview = output(BINARY, "help").stdout
commands = [words.strip() for words in re.findall(r"^  ((?:check |certs )?[a-z-]+)", overview, re.M)]
ok(len(commands) > 10, f"the overview lists commands: {len(commands)}")
sections = dict(re.findall(r"^   ([a-z][a-z -]+|Every command)\n(.*?)(?=^   \S|^\S)", page, re.M | re.S))
for command in commands:
    usage = output(BINARY, "help", *command.split()).stdout
    section = sections.get(command, "") + sections.get("Every command", "")
    missing = [flag for flag in re.findall(r"^  (?:-\w, |    )(--[a-z-]+)", usage, re.M) if not re.search(re.escape(flag) + r"\b", section)]
    same(missing, [], f"every flag of {command} is in its section")
for name in ("NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES", "SEE ALSO"):
    like(page, rf"(?m)^{name}$", f"the page has {name}")
like(page, r"OTELCOL_NAMESPACE", "the environment is in the page")


# --- what each shell completes
def bash(line):
    words = line.split(" ")
    script = (f'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _otel_ta; printf "%s\\n" "${{COMPREPLY[@]}}"; '
              "complete -p otel-ta >&2")
    words = [part for word in words for part in (re.split("(=)", word) if word.startswith("--") else [word])]
    result = output("bash", "--norc", "-c", script, "bash", FOLDER / "otel-ta.bash", *words, cwd=scratch)
    return result.stdout.split()


ZSH = r"""
PROMPT=''
autoload -Uz compinit && compinit -u -D
source {page}
compadd() {{
    if [[ ${{@[1,(i)(-|--)]}} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
    local -a hits
    builtin compadd -A hits "$@"
    print -rl -- $hits >>{hits}
    builtin compadd "$@"
}}
finish() {{ print -r -- . >>{hits}; exit }}
comppostfuncs=(finish)
"""


def zsh(line):
    hits, setup = home / "hits", home / "setup.zsh"
    hits.write_text("", encoding="utf-8")
    setup.write_text(ZSH.format(page=FOLDER / "_otel-ta", hits=hits), encoding="utf-8")
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(scratch)
        os.execvpe("zsh", ["zsh", "-f", "-i"], {**os.environ, "ZDOTDIR": str(home), "TERM": "dumb"})
    os.write(terminal, f"source {setup}\n{line}\t".encode())
    end = time.monotonic() + 60
    while time.monotonic() < end and not hits.read_text(encoding="utf-8").endswith(".\n"):
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                os.read(terminal, 65536)
            except OSError:  # it has ended
                break
    os.close(terminal)
    os.waitpid(child, 0)
    return [hit.removesuffix("=").removesuffix("+") for hit in hits.read_text(encoding="utf-8").split() if hit != "."]


def fish(line):
    environment = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home)}
    result = output("fish", "-c", 'source $argv[1]; complete -C $argv[2]', FOLDER / "otel-ta.fish", line, env=environment, cwd=scratch)
    return [hit.split("\t")[0] for hit in result.stdout.splitlines()]


(scratch / "here.yaml").touch()
(scratch / "folder").mkdir()
STRATEGIES = {"consistent-hashing", "least-weighted", "per-node", "rendezvous", "bounded-rendezvous"}
first_words = {command.split()[0] for command in commands}
for name, complete in (("bash", bash), ("zsh", zsh), ("fish", fish)):
    same(set(complete("otel-ta ")), first_words, f"{name}: all commands")
    same(complete("otel-ta rew"), ["rewrite"], f"{name}: a command")
    same(set(complete("otel-ta certs ")), {"ca", "show", "rotate"}, f"{name}: the second word of a command")
    same(complete("otel-ta check conf"), ["config"], f"{name}: part of one")
    same(complete("otel-ta explain --tar"), ["--target"], f"{name}: a flag")
    same(complete("otel-ta certs show --cert-d"), ["--cert-dir"], f"{name}: a flag of a command of two words")
    same(complete("otel-ta --webhook-l"), ["--webhook-listen"], f"{name}: a flag of serve, without its name")
    same([hit for hit in complete("otel-ta rewrite --li") if hit == "--listen"], [], f"{name}: no flag of another command")
    same(set(complete("otel-ta rewrite -o ")), {"yaml", "json", "diff", "json-patch"}, f"{name}: the formats of -o")
    same(set(complete("otel-ta allocate --output ")), {"table", "json"}, f"{name}: those of another command")
    same(set(complete("otel-ta serve --strategy ")), STRATEGIES, f"{name}: the strategies")
    same({hit.removeprefix("--strategy=") for hit in complete("otel-ta serve --strategy=p")}, {"per-node"},
         f"{name}: one of them after '='")
    same([hit for hit in complete("otel-ta rewrite -f her") if hit != ""], ["here.yaml"], f"{name}: a file")
    same({hit.rstrip("/") for hit in complete("otel-ta certs ca --cert-dir ")}, {"folder"}, f"{name}: a folder, and no file")
    same(complete("otel-ta check config her"), ["here.yaml"], f"{name}: a file that is no flag's")
    same(complete("otel-ta rewrite her"), ["here.yaml"], f"{name}: nor of rewrite")
    same(complete("otel-ta validate --recu"), ["--recursive"], f"{name}: a switch")
shutil.rmtree(home, ignore_errors=True)
done()

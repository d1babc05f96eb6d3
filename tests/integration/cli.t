#!/usr/bin/env python3
"""The command line as a new user meets it: help, typos, broken input, taken ports, Ctrl-C."""

import contextlib
import json
import os
import pathlib
import pty
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from rig.tap import done, like, ok, same  # noqa: E402

BINARY = os.environ.get("OTEL_TA", str(ROOT / "build/otel-ta"))
SHOP = str(ROOT / "manifests/examples/shop.yaml")
EXAMPLE = str(ROOT / "manifests/examples/collector-with-ta.yaml")
scratch = pathlib.Path(tempfile.mkdtemp(prefix="otel-ta-cli-"))


def run(*words, text=None, timeout=30, **more):
    source = {"input": text} if text is not None else {} if "stdin" in more else {"stdin": subprocess.DEVNULL}
    return subprocess.run([BINARY, *map(str, words)], **source, capture_output=True, text=True, timeout=timeout, check=False, **more)


def write(name, text):
    path = scratch / name
    path.write_text(text, encoding="utf-8")
    return path


def refuses(result, code, pattern, name):
    same(result.returncode, code, f"{name}: exit code {code}")
    like(result.stderr, pattern, f"{name}: says why")
    same(result.stdout, "", f"{name}: nothing on standard output")


# --- help
COMMANDS = ["serve", "rewrite", "restore", "validate", "check config", "check service-discovery", "allocate", "explain",
            "certs ca", "certs show", "certs rotate", "version"]
overview = run("--help")
same(overview.returncode, 0, "--help: exit code 0")
for command in COMMANDS:
    like(overview.stdout, r"\n  " + command + r"\b", f"--help lists {command}")
    own = run(*command.split(), "--help")
    same(own.returncode, 0, f"{command} --help: exit code 0")
    like(own.stdout, r"^Usage: otel-ta " + command, f"{command} --help begins with its usage")
    same(run("help", *command.split()).stdout, own.stdout, f"help {command} says the same")
same(run("version").returncode, 0, "version")
like(run("version").stdout, r"^otel-ta \d+\.\d+\.\d+(\+\d+)? \(commit ([0-9a-f]{12}|unknown)(, dirty)?\)\n$", "version: a line with the commit")
same(run("--version").stdout, run("version").stdout, "--version says the same")
version = json.loads(run("version", "-o", "json").stdout)
same(sorted(version), ["commit", "compiler", "dirty", "libraries", "version"], "version -o json: an object")
same(f"otel-ta {version['version']} (commit {version['commit'] or 'unknown'}{', dirty' if version['dirty'] else ''})\n", run("version").stdout,
     "which says the same")
like(" ".join(version["libraries"]), r"\bopenssl\b", "and names libraries")

# --- typos
refuses(run("rewrit"), 2, r"unknown command 'rewrit'; did you mean 'rewrite'\?", "a typo in a command")
refuses(run("check", "cofig", "x"), 2, r"unknown command 'check cofig'; did you mean 'check config'\?", "a typo in its second word")
refuses(run("certs", "shw"), 2, r"unknown command 'certs shw'; did you mean 'certs show'\?", "a typo in the second word of another")
refuses(run("cert", "show"), 2, r"did you mean 'certs show'\?", "a typo in the first of two words")
refuses(run("certs"), 2, r"'certs ca' 'certs show' 'certs rotate'", "half a command")
refuses(run("certs", "zzz"), 2, r"'certs ca' 'certs show' 'certs rotate'", "half a command and something unlike its other half")
refuses(run("help", "certs", "shw"), 2, r"did you mean 'certs show'\?", "help of a typo")
refuses(run("help", "serve", "more"), 2, r"unexpected argument 'more'", "help with an argument too many")
refuses(run("version", "x"), 2, r"otel-ta version: unexpected argument 'x'", "version with an argument")
for flag in ("--help=1", "--version=1"):
    refuses(run("serve", flag), 2, rf"flag '{flag[:-2]}' takes no value", "a flag with a value that it does not take")
refuses(run("serve", "--strateg", "per-node", "--colectors", "3"), 2, r"unknown flag '--colectors'; did you mean '--collectors'\?",
        "a typo in a flag")
refuses(run("rewrite", "--listen", ":1", "-f", EXAMPLE), 2, r"otel-ta rewrite: unknown flag '--listen'", "a flag of another command")
refuses(run("rewrite", "-x"), 2, r"unknown flag '-x'", "an unknown short flag")
refuses(run("rewrite", "-f"), 2, r"'-f' needs a value", "a flag without its value")
refuses(run("rewrite", "--filename="), 2, r"'--filename' needs a value", "a flag with an empty value")
for command in ("rewrite", "restore", "validate", "allocate", "explain"):
    refuses(run(command), 2, r"give at least one FILE or -f FILE", f"nothing to {command}")
    refuses(run(command, "-f", EXAMPLE, "gone.yaml"), 3, r"gone\.yaml: No such file", f"{command}: an argument is a file")
refuses(run("check", "service-discovery", EXAMPLE, "a", "more"), 2, r"unexpected argument 'more'", "an argument too many")
refuses(run("rewrite", "-f", EXAMPLE, "-o", "xml"), 2, r"'xml' is not yaml, json, diff or json-patch", "an unknown output format")
refuses(run("allocate", "-f", EXAMPLE, "-o", "yaml"), 2, r"'yaml' is not table or json", "an output format of another command")
refuses(run("version", "-o", "table"), 2, r"'table' is not text or json", "and of yet another")
refuses(run("serve", "--url-style", "shard"), 2, r"documented, qualified or shared; did you mean 'shared'\?", "an unknown style")
for words in (("allocate",), ("serve",), ("explain", "-f", EXAMPLE)):
    refuses(run(*words, "--strategy", "least-weigted"), 2, r"per-node.*did you mean 'least-weighted'\?", f"{words[0]}: an unknown strategy")
refuses(run("rewrite", "-f", EXAMPLE, "--url-style", "shared", "--shared-host", "a b"), 2, r"'a b' is not .* URL", "a host with a blank")
for level in ("2", "INFO", "panic"):
    refuses(run("serve", "--zap-log-level", level, "--listen", "nowhere:what"), 3, r"nowhere:what", f"upstream's level {level} is one")
refuses(run("serve", "--zap-log-level=0"), 2, r"'0' is not error, warn", "no level")
refuses(run("serve", "--zap-devel=maybe"), 2, r"true or false", "a switch that is neither on nor off")
refuses(run("serve", "--threads", "+3"), 2, r"a number from 1 to 256", "a number with a sign")
for command, words in (("rewrite", ("-f", "-", "-f", "-")), ("allocate", ("-f", "-", "-f", "-")), ("serve", ("-f", "-", "-f", "-")),
                       ("check config", ("-", "-"))):
    refuses(run(*command.split(), *words, text=""), 2, r"'-' is given twice", f"{command}: standard input twice")
for text, reason in (("-1", "a number from 1 to 65534"), ("0", "a number from 1 to 65534"), ("+3", "a number from 1"), (" 3", "a number from 1"),
                     ("65535", "65534"), (",", "a name is empty"), ("a,,b", "a name is empty"), ("a,", "a name is empty"),
                     ("@node", "a name is empty"), ("a@", "a name is empty"), ("a b", "blanks"), ("a,b,a@n", "twice")):
    refuses(run("allocate", "-f", EXAMPLE, f"--collectors={text}"), 2, f"--collectors: '{re.escape(text)}' is not .*{reason}", f"--collectors '{text}'")
for text, names in (("1", ["collector-with-ta-collector-0"]), ("a", ["a"]), ("a,b@node", ["a", "b"]), ("3x", ["3x"])):
    allocated = json.loads(run("allocate", "-f", EXAMPLE, "--collectors", text, "-o", "json").stdout)
    same([c["collector"] for c in allocated["collectors"]], names, f"--collectors '{text}' is good")
like(run("explain", "-f", SHOP, "--job", "databse").stderr, r"no job 'databse'; did you mean 'database'\?", "explain: a typo in a job")
like(run("explain", "-f", SHOP, "--target", "x").stderr, r"no target 'x' was discovered", "explain: an unknown target")
refuses(run("serve", "--collectors", "99999999"), 2, r"65534", "too many collectors")
refuses(run("serve", "--tls-cert-file", "x"), 2, r"--tls-key-file", "half a key pair")
refuses(run("serve", "--shutdown-delay", "soon"), 2, r"duration", "a duration that is none")
refuses(run("check", "config"), 2, r"FILE", "check config without a file")
refuses(run("check", "service-discovery", "x"), 2, r"FILE and JOB", "check service-discovery without a job")

# --- files
refuses(run("rewrite", "-f", scratch / "none.yaml"), 3, r"none\.yaml: No such file or directory", "a missing file")
refuses(run("validate", "-f", scratch), 3, str(scratch) + r": ", "a folder instead of a file")
broken = write("broken.yaml", "a: [1, 2\nb: 3\n")
refuses(run("rewrite", "-f", broken), 1, r"broken\.yaml:.*line [12]|broken\.yaml:[12]:", "broken YAML")
faulty = write("faulty.yaml", """apiVersion: opentelemetry.io/v1beta1
kind: OpenTelemetryCollector
metadata: {name: faulty}
spec:
  mode: statefulset
  targetAllocator: {enabled: true}
  config:
    receivers:
      prometheus:
        config:
          scrape_configs:
          - job_name: a
            scrape_intervall: 10s
            static_configs: [{targets: ['x:1']}]
          - static_configs: [{targets: ['x:1']}]
          - job_name: b
            scrape_timeout: never
            static_configs: [{targets: ['x:1']}]
            relabel_configs:
            - {source_labels: [x], regex: '(', target_label: y}
            - {source_labels: [x], action: keeep}
          - job_name: a
            file_sd_configs: [{files: ['x.txt']}]
""")
faults = run("validate", "-f", faulty)
same(faults.returncode, 1, "validate: exit code 1")
PLACE = r"faulty\.yaml:%d: .*scrape_configs\[%d\]%s"
for line, index, rest, name in [
        (13, 0, r".*scrape_intervall.*scrape_interval", "an unknown field, with the nearest known one"),
        (15, 1, r".*job_name", "a missing job_name"),
        (17, 2, r"\.scrape_timeout: .*never", "a bad duration"),
        (20, 2, r"\.relabel_configs\[0\]\.regex: ", "a bad regex"),
        (21, 2, r"\.relabel_configs\[1\]\.action: .*keeep", "an unknown action"),
        (22, 3, r".*job name.*a", "a duplicate job"),
        (23, 3, r"\.file_sd_configs\[0\]\.files\[0\]: ", "a bad file name")]:
    like(faults.stderr, PLACE % (line, index, rest), f"validate, all in one pass: {name}")
refuses(run("rewrite", "-f", faulty), 1, r"faulty\.yaml", "rewrite of a manifest that Prometheus would refuse")
same(run("validate", "-f", EXAMPLE).returncode, 0, "the example is valid")

# --- standard input and output
same(run("rewrite", "-f", "-", text=pathlib.Path(EXAMPLE).read_text(encoding="utf-8")).stdout, run("rewrite", "-f", EXAMPLE).stdout,
     "'-' is standard input")


def through_shell(redirection, *words):
    return subprocess.run(["sh", "-c", f'exec "$@" {redirection}', "sh", BINARY, *words], capture_output=True, text=True, timeout=30, check=False)


for words in (("rewrite", "-f", SHOP), ("restore", "-f", EXAMPLE), ("validate", "-f", SHOP), ("allocate", "-f", SHOP),
              ("allocate", "-f", SHOP, "-o", "json"), ("explain", "-f", SHOP), ("check", "config", SHOP),
              ("check", "service-discovery", SHOP, "cache"), ("version",), ("help",), ("help", "serve")):
    refuses(through_shell(">/dev/full", *words), 3, r"(?m)^otel-ta: standard output: No space left on device\n\Z", f"{words}: a full disk")
    refuses(through_shell(">&-", *words), 3, r"(?m)^otel-ta: standard output: Bad file descriptor\n\Z", f"{words}: closed standard output")
wrong = write("wrong.yaml", "scrape_configs: [{job_name: a, foo: 1}]")
for words in (("check", "config", "-o", "json", wrong), ("validate", "-o", "json", wrong)):
    same(run(*words).returncode, 1, f"{words}: faults are the result")
    refuses(through_shell(">/dev/full", *words), 3, r"(?m)^otel-ta: standard output: No space left on device\n\Z", f"{words}: faults and a full disk")
refuses(through_shell("<&-", "rewrite", "-f", "-"), 3, r"standard input: Bad file descriptor", "closed standard input")
same(through_shell("2>&-", "rewrite", "-f", scratch / "none.yaml").returncode, 3, "closed standard error: the exit code says it")
gone = subprocess.run(["bash", "-c", f"'{BINARY}' explain -f '{SHOP}' | true; exit ${{PIPESTATUS[0]}}"], capture_output=True, text=True, check=False)
ok(gone.returncode in (0, 128 + signal.SIGPIPE) and gone.stderr == "", "a reader who leaves: silence")
empty = write("empty.yaml", "")
same((run("rewrite", "-f", empty).returncode, run("rewrite", "-f", empty).stdout), (0, ""), "rewrite of nothing is nothing")
refuses(run("validate", "-f", empty), 1, r"empty\.yaml: there is no OpenTelemetryCollector", "validate of nothing")
like(run("allocate", "-f", empty).stderr, r"warning: there are no jobs", "allocate of nothing says so")
refuses(run("explain", "-f", empty), 1, r"there are no jobs", "explain of nothing")
for words in (("serve", "--config-file"), ("check", "config")):
    refuses(run(*words, scratch), 3, rf"^otel-ta: {scratch}: Is a directory\n$", f"{words[0]}: a folder instead of a file")

# --- as kubectl, promtool and linkerd have it
shop, example = (pathlib.Path(path).read_text(encoding="utf-8") for path in (SHOP, EXAMPLE))
tree = scratch / "tree"
for name, text in (("b.yml", shop), ("a.yaml", example), ("deep/er/c.json", '{"kind": "Secret"}'), ("note.txt", "no: ["), (".hidden.yaml", "no: [")):
    (tree / name).parent.mkdir(parents=True, exist_ok=True)
    (tree / name).write_text(text, encoding="utf-8")
(tree / "deep/round").symlink_to(tree)
for command in ("rewrite", "validate", "allocate"):
    want = run(command, "-f", tree / "a.yaml", "-f", tree / "b.yml")
    same(want.returncode, 0, f"{command}: two files")
    for words in ((tree / "a.yaml", tree / "b.yml"), ("-f", tree), (tree,), ("-f", f"{tree}/")):
        got = run(command, *words)
        same((got.returncode, got.stdout, got.stderr), (0, want.stdout, want.stderr), f"{command} {words}: the same")
    with open(SHOP, encoding="utf-8") as stdin:
        same(run(command, stdin=stdin).stdout, run(command, "-f", "-", text=shop).stdout, f"{command} < file")
    same(run(command, text=shop).stdout, run(command, "-", text=shop).stdout, f"a pipe to {command}")
for words in (("-R", "-f", tree), ("--recursive", tree), ("-Rf", tree)):
    same(run("rewrite", *words).stdout.count("kind: OpenTelemetryCollector"), 2, f"rewrite {words[0]}: both")
    like(run("rewrite", *words, "-o", "json").stdout, r'"Secret"', f"rewrite {words[0]}: and what is deeper")
refuses(run("rewrite", "-f", tree / "deep"), 3, r"/deep: there is no \.yaml, \.yml or \.json file in it \(-R looks", "a folder without manifests")
refuses(run("rewrite", "-R", "-f", tree / "deep/er/none"), 3, r"none: No such file", "a folder that is not there")
for words in (("-o=json",), ("-ojson",), ("-o", "json"), ("--output=json",), ("--output", "json")):
    same(run("allocate", SHOP, *words).stdout, run("allocate", SHOP, "-o", "json").stdout, f"allocate {words}")
refuses(run("allocate", SHOP, "-o=jsn"), 2, r"--output: 'jsn' is not table or json; did you mean 'json'\?", "-o=jsn")
same(run("rewrite", f"-f={SHOP}").returncode, 0, "-f=FILE")

# --- JSON of every command that reports
def report(*words, code=0, **more):
    result = run(*words, "-o", "json", **more)
    same(result.returncode, code, f"{words}: exit code {code}")
    return json.loads(result.stdout)


valid = report("validate", SHOP, EXAMPLE)
same((valid["valid"], [f["jobs"] for f in valid["files"]], [f["severity"] for f in valid["faults"]]), (True, [3, 1], ["warning"]), "validate -o json")
invalid = report("validate", faulty, code=1)
same((invalid["valid"], {f["line"] for f in invalid["faults"]} >= {13, 15, 17, 20, 21, 22, 23}), (False, True), "with the place of each fault")
same({tuple(sorted(f)) for f in invalid["faults"]}, {("file", "line", "path", "severity", "text")}, "and all there is to know of it")
for name, text, what in (("torn.yaml", "a: [", "did not find"), ("none.yaml", "kind: Secret\n", "there is no OpenTelemetryCollector")):
    odd = report("validate", "-", code=1, text=text)
    same((odd["valid"], odd["faults"][0]["file"], what in odd["faults"][0]["text"]), (False, "<stdin>", True), f"validate -o json: {name}")
checked = report("check", "config", SHOP)
same((checked["valid"], checked["files"][0]["jobs"], checked["faults"]), (True, 3, []), "check config -o json")
checked = report("check", "config", SHOP, write("bad.yml", "scrape_configs: [{job_name: a, foo: 1}]\n"), scratch / "gone.yml", code=3)
same((checked["valid"], [f["valid"] for f in checked["files"]], len(checked["faults"])), (False, [True, False, False], 3), "of several files, each")
explained = report("explain", SHOP, "--job", "database", "--collectors", "3")
same([(t["target"], t["verdict"]) for t in explained if t["verdict"] != "kept"], [("10.0.2.5:9187", "dropped")], "explain -o json")
ok({t["collector"] for t in explained if t["verdict"] == "kept"} <= {f"shop-collector-{i}" for i in range(3)}, "with collectors")
same((explained[-1]["rule"], explained[-1]["rules"][0]["effect"], explained[-1]["labels"]["team"]), (0, "dropped", "storage"), "rules and labels")
same(report("check", "service-discovery", SHOP, "cache"), json.loads(run("check", "service-discovery", SHOP, "cache").stdout), "check service-discovery -o json")
refuses(run("explain", SHOP, "--summary", "-o", "json"), 2, r"--summary and -o json exclude each other", "a sum as JSON")
(scratch / "authority").mkdir()
run("certs", "ca", "--cert-dir", scratch / "authority")
certificates = report("certs", "show", "--cert-dir", scratch / "authority")
same([c["role"] for c in certificates], ["authority", "leaf"], "certs show -o json")
same(sorted(certificates[0]), ["from", "issuer", "names", "next", "role", "sha256", "until"], "with everything that it shows")

# --- help: eighty columns, headings, an example
for words in ([], ["check"], ["certs"], *(command.split() for command in COMMANDS)):
    page = run(*words, "--help").stdout
    same([line for line in page.splitlines() if len(line) > 80], [], f"{' '.join(words)} --help fits 80 columns")
    same(run("help", *words).stdout, page, f"help {' '.join(words)} says the same")
    if words:
        like(page, r"(?m)^Examples?:\n  .*otel-ta " + " ".join(words), f"{' '.join(words)} --help has an example")
for group, others in (("check", "certs ca"), ("certs", "check config")):
    page = run(group, "--help").stdout
    like(page, rf"^Usage: otel-ta {group} COMMAND", f"{group} --help is a page of its own")
    ok(others not in page and "rewrite" not in page, f"{group} --help is about nothing else")
like(run("serve", "--help").stdout, r"(?s)Flags:.*Listeners:.*Certificates:.*Allocation:.*Rewriting:.*General:", "serve --help has headings")

# --- colour
def at_terminal(*words, **environment):
    """What comes when standard output and error are a terminal."""
    master, terminal = pty.openpty()
    process = subprocess.Popen([BINARY, *map(str, words)], stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal,
                               env={**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, "TERM": "xterm", **environment})
    os.close(terminal)
    out = b""
    with contextlib.suppress(OSError):  # the end of a pseudo-terminal
        while piece := os.read(master, 65536):
            out += piece
    os.close(master)
    process.wait(timeout=30)
    return out.decode().replace("\r\n", "\n")


DIFF = ("rewrite", "-f", EXAMPLE, "-o", "diff")
same("\x1b" in run(*DIFF).stdout, False, "no colour in a pipe")
same("\x1b" in run(*DIFF, "--color=always").stdout, True, "--color=always: there as well")
same("\x1b" in at_terminal(*DIFF), True, "colour on a terminal")
for words, environment in ((("--color=never",), {}), ((), {"NO_COLOR": "1"}), ((), {"TERM": "dumb"}), (("--color", "auto"), {"NO_COLOR": "x"})):
    same("\x1b" in at_terminal(*DIFF, *words, **environment), False, f"no colour with {words} {environment}")
    same("\x1b" in at_terminal("serve", "-f", EXAMPLE, "--listen", "127.0.0.1:99999", *words, **environment), False, "nor in a log")
same("\x1b" in at_terminal(*DIFF, "--color=always", NO_COLOR="1", TERM="dumb"), True, "a flag wins")
refuses(run(*DIFF, "--color=sometimes"), 2, r"'sometimes' is not auto, always or never", "a word that --color does not know")

# --- certs: who only looks writes nothing
folder = scratch / "not-ours"
folder.mkdir()
refuses(run("certs", "show", "--cert-dir", folder), 3, rf"^otel-ta certs: {folder}: there are no certificates\n$", "certs show of another folder")
refuses(run("certs", "rotate", "--cert-dir", folder), 3, rf"{folder}: there is no certificate authority", "certs rotate of another folder")
same(list(folder.iterdir()), [], "which stays empty")
for command in ("show", "ca", "rotate"):
    refuses(run("certs", command, "--cert-dir", scratch / "none"), 3, r"/none: ", f"certs {command} of a folder that is not there")
    refuses(run("certs", command, "--cert-dir", EXAMPLE), 3, r"collector-with-ta\.yaml: ", f"certs {command} of a file")
refuses(run("certs", "show"), 2, r"--cert-dir DIR", "certs without a folder")
like(run("certs", "ca", "--cert-dir", folder).stdout, r"^-----BEGIN CERTIFICATE-----", "certs ca makes an authority before the server needs it")
shown = run("certs", "show", "--cert-dir", folder)
for pattern in (r"^authority  CN=otel-ta-ca-", r"\n  issuer   CN=", r"\n  valid    20\S+ until 20", r"\n  SHA-256  ([0-9A-F]{2}:){31}",
                r"\n  next     gets a successor from 20", r"\nleaf       none yet: a server makes it\n$"):
    like(shown.stdout, pattern, f"certs show: {pattern}")
refuses(through_shell(">/dev/full", "certs", "show", "--cert-dir", folder), 3, r"No space left", "certs show: a full disk")

# --- serve: what cannot run
taken = socket.create_server(("127.0.0.1", 0))
address = "127.0.0.1:%d" % taken.getsockname()[1]
refuses(run("serve", "--listen", address, "--webhook-listen", "off"), 3, address + r".*in use", "a taken port")
refuses(run("serve", "--listen", "127.0.0.1:0", "--webhook-listen", "127.0.0.1:0", "--tls-cert-file", scratch / "tls.crt",
            "--tls-key-file", scratch / "tls.key"), 3, r"tls\.crt: No such file", "a missing certificate")
write("tls.crt", "nonsense")
write("tls.key", "nonsense")
refuses(run("serve", "--listen", "127.0.0.1:0", "--webhook-listen", "127.0.0.1:0", "--cert-dir", scratch), 3, r"tls\.crt: no PEM certificate",
        "a certificate that is none")
refuses(run("serve", "--listen", "nowhere:what"), 3, r"nowhere:what", "an address that is none")
refuses(run("serve", "-f", EXAMPLE, "--strategy", "round-robin"), 2, r"round-robin.*consistent-hashing", "an unknown strategy")
refuses(run("serve", "-f", faulty, "--listen", "127.0.0.1:99999"), 3, PLACE % (17, 2, r"\.scrape_timeout"), "a manifest with faults")
strategy = write("targetallocator.yaml", "allocation_strategy: nope\nallocation_fallback_strategy: per-nod\nconfig: {scrape_configs: [{job_name: a}]}\n")
refuses(run("serve", "--config-file", strategy, "--collectors", "1", "--listen", "127.0.0.1:0"), 1,
        r"targetallocator\.yaml:1: allocation_strategy: unknown value \"nope\".*targetallocator\.yaml:2: allocation_fallback_strategy: .*'per-node'",
        "unknown strategies, with file and line")
dropin = write("targetallocator.yaml", """collector_selector: {matchlabels: {a: b}}
allocation_strategy: consistent-hashing
config:
  scrape_configs:
  - job_name: pods
    kubernetes_sd_configs: [{role: pod}]
prometheus_cr: {enabled: true}
""")
refused = run("serve", "--config-file", dropin, "--listen", "127.0.0.1:0")
refuses(refused, 1, r"collector_selector", "a drop-in configuration that needs Kubernetes")
like(refused.stderr, r"kubernetes_sd_configs", "each part is named: kubernetes_sd_configs")
like(refused.stderr, r"prometheus_cr", "each part is named: prometheus_cr")

# --- serve: without standard streams, files and sockets must not take their numbers
def open_files(pid):
    """What the numbers name; one that goes away meanwhile is left out."""
    found = {}
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found[int(link.name)] = os.readlink(link)
    return found


server = subprocess.Popen(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", BINARY, "serve", "-f", EXAMPLE, "--listen", "127.0.0.1:0",
                           "--webhook-listen", "off"])
while server.poll() is None and not any(name.startswith("socket:") for name in open_files(server.pid).values()):
    time.sleep(0.01)
files = open_files(server.pid)
same([files.get(fd) for fd in range(3)], ["/dev/null"] * 3, "closed standard streams: their numbers are not given to others")
server.terminate()
same(server.wait(timeout=30), 0, "closed standard streams: it ends in order")

# --- serve: Ctrl-C
for number in (signal.SIGINT, signal.SIGTERM):
    server = subprocess.Popen([BINARY, "serve", "-f", EXAMPLE, "--listen", "127.0.0.1:0", "--webhook-listen", "off", "--log-format", "logfmt"],
                              stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        if "msg=ready" in line:
            break
    server.send_signal(number)
    rest = server.communicate(timeout=30)[1]
    same(server.returncode, 0, f"{number.name} ends it in order")
    ok("level=error" not in rest, f"{number.name}: without an error line")


# --- serve: what it listens on, and how it stops
def log_until(server, part, lines):
    for line in server.stderr:
        lines.append(line)
        if part in line:
            return line
    return "".join(lines)


lone = write("lone.yaml", "config: {scrape_configs: [{job_name: a}]}\n")
for address, bound in ((":0", r"\[::\]:\d+|0\.0\.0\.0:\d+"), ("127.0.0.1:0", r"127\.0\.0\.1:\d+"), ("0.0.0.0:0", r"0\.0\.0\.0:\d+"),
                       ("localhost:0", r"127\.0\.0\.1:\d+|\[::1\]:\d+")):
    server = subprocess.Popen([BINARY, "serve", "--config-file", lone, "--collectors", "1", "--listen", address, "--log-format", "logfmt"],
                              stderr=subprocess.PIPE, text=True)
    like(log_until(server, "msg=listening", []), rf"listener=http address={bound}\n", f"--listen {address}: what is bound is logged")
    log_until(server, "msg=ready", [])
    server.send_signal(signal.SIGINT)
    like(log_until(server, "stopping", []), r"msg=\"stopping in 15s; again stops at once\" signal=SIGINT", "away from a terminal the delay is said")
    server.send_signal(signal.SIGINT)
    log_until(server, "stopping at once", [])
    server.communicate(timeout=30)

master, terminal = pty.openpty()
server = subprocess.Popen([BINARY, "serve", "--config-file", lone, "--collectors", "1", "--listen", "127.0.0.1:0"], stdin=subprocess.DEVNULL,
                          stderr=terminal)
os.close(terminal)
said = ""
while "ready" not in said:
    said += os.read(master, 4096).decode()
started = time.monotonic()
server.send_signal(signal.SIGINT)
same(server.wait(timeout=30), 0, "on a terminal SIGINT ends it in order")
ok(time.monotonic() - started < 10, "and at once, although the delay is 15 s")
os.close(master)

subprocess.run(["rm", "-rf", str(scratch)], check=True)
done()

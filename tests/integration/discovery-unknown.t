#!/usr/bin/env python3
"""Unknown is not empty: whatever is wrong with a source from the start, and whichever carrier it has, nobody is told that
there are no targets; once it was read, what is known stays."""

import http.server
import json
import os
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from discovery_rig import Allocator, done, ok, same, scratch, wait_for  # noqa: E402

SD = scratch()
GOOD = '[{"targets":["good:1"]}]'
BAD = {  # name: how it is from the start
    "cut.json": '[{"targets":["a:1"]', "empty.json": "", "map.json": "{}", "null-group.json": "[null]", "text.json": '"x"', "number.json": "[1]",
    "wrong-label.json": '[{"targets":["a:1"],"labels":{"n":1}}]', "unknown-field.json": '[{"targets":["a:1"],"source":"x"}]',
    "binary.json": "\0\1\2", "cut.yml": "- targets: [a:1\n", "tabs.yaml": "-\ttargets:\n\t- a:1\n", "map.yml": "targets: [a:1]\n",
    "unknown-field.yml": "- targets: [a:1]\n  source: x\n", "twice.yml": "- targets: [a:1]\n  targets: [b:1]\n", "null-group.yml": "- null\n",
    "folder.json": None, "pipe.json": None, "dangling.json": None, "loop.json": None, "absent.json": None, "away/file.json": None,
}
EMPTY = {"none.json": "[]", "zero.yml": "", "null.yml": "null\n"}  # as Prometheus reads them: read, and without targets
for name, text in {**BAD, **EMPTY}.items():
    if text is not None:
        (SD / name).write_text(text, encoding="utf-8")
(SD / "folder.json").mkdir()
os.mkfifo(SD / "pipe.json")
os.symlink(SD / "nowhere", SD / "dangling.json")
os.symlink("loop.json", SD / "loop.json")
(SD / "pair").mkdir()
(SD / "pair/a.json").write_text(GOOD, encoding="utf-8")
(SD / "pair/b.json").write_text("[{", encoding="utf-8")
(SD / "nothing").mkdir()

hold = threading.Event()
answers = {
    "/500": (500, "application/json", GOOD), "/404": (404, "application/json", GOOD), "/204": (204, "application/json", ""),
    "/cut": (200, "application/json", '[{"targets":["a:1"]'), "/type": (200, "text/plain", GOOD), "/shape": (200, "application/json", "{}"),
    "/empty-body": (200, "application/json", ""), "/hang": (200, "application/json", GOOD),
}


class Endpoint(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802
        if self.path == "/hang" and not hold.is_set():
            hold.wait(30)
        status, kind, text = answers[self.path]
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
server.handle_error = lambda *_: None
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{server.server_port}"


def job(name):
    return name.replace("/", "-")


jobs = "".join(f"  - job_name: {job(n)}\n    file_sd_configs: [{{files: ['{SD}/{n}']}}]\n" for n in [*BAD, *EMPTY])
jobs += "".join(f"  - job_name: http{job(n)}\n    http_sd_configs: [{{url: '{base}{n}', refresh_interval: 500ms}}]\n" for n in answers)
jobs += f"""  - job_name: dead
    http_sd_configs: [{{url: 'http://127.0.0.1:1/', refresh_interval: 1h}}]
  - job_name: pair
    file_sd_configs: [{{files: ['{SD}/pair/*.json']}}]
  - job_name: nothing
    file_sd_configs: [{{files: ['{SD}/nothing/*.json']}}]
  - job_name: away
    file_sd_configs: [{{files: ['{SD}/away/*.json']}}]
  - job_name: mixed
    static_configs: [{{targets: [s:1]}}]
    file_sd_configs: [{{files: ['{SD}/absent.json']}}]
"""
ta = Allocator("config:\n  scrape_configs:\n" + jobs, collectors="c-0")
ok(ta.ready(), "ready: everything was tried")


def status(name):
    return ta.get(f"/jobs/{name}/targets?collector_id=c-0")[0]


unknown = [job(n) for n in BAD] + ["http" + job(n) for n in answers] + ["dead", "pair", "away", "mixed"]
same([n for n in unknown if status(n) != 503], [], f"{len(unknown)} sources that say nothing: 503")
same([n for n in unknown if ta.get(f"/jobs/{n}/targets")[0] != 503], [], "of all collectors too")
same([n for n in [*EMPTY, "nothing"] if ta.targets(n) != []], [], "what was read and has no targets is empty")

# ---- good at last
(SD / "folder.json").rmdir()
for name in ("pipe.json", "dangling.json", "loop.json"):
    (SD / name).unlink()
(SD / "away").mkdir()
for name in BAD:
    text = GOOD if name.endswith("json") else "- targets: [good:1]\n"
    (SD / name).with_suffix(".new").write_text(text, encoding="utf-8")
    (SD / name).with_suffix(".new").rename(SD / name)
(SD / "pair/b.json").write_text('[{"targets":["b:1"]}]', encoding="utf-8")
for name in answers:
    answers[name] = (200, "application/json", GOOD)
hold.set()
same([n for n in unknown if n not in ("dead", "pair", "mixed") and not ta.shows(n, ["good:1"], 10)], [], "each shows what it says when it is read")
ok(ta.shows("pair", ["b:1", "good:1"]), "two files of a pattern")
ok(ta.shows("mixed", ["good:1", "s:1"]), "beside a static list")

# ---- and bad again
for name in BAD:
    (SD / name).write_text("[{", encoding="utf-8")
for name in answers:
    answers[name] = (500, "application/json", GOOD)
ok(wait_for(lambda: ta.metric("prometheus_sd_file_read_errors_total") > 30, 5), "all are spoiled")
same([n for n in unknown if n not in ("dead", "pair", "mixed") and ta.targets(n) != ["good:1"]], [], "what is known stays")
log = [json.loads(line) for line in ta.log().splitlines()]
ok(any("cut.json" in line.get("source", "") for line in log), "the log names what cannot be read")
same(ta.stop(), 0, "stops in order")
done()

#!/usr/bin/env python3
"""AdmissionReviews nobody should send: each gets its answer, memory stays bounded, and others are served meanwhile.
tests/README.md has the table; what is not here is in webhook.t and in tests/golden/admission."""

import base64
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from discovery_rig import done, like, same  # noqa: E402
from hostile_rig import UID, Honest, Server, collector, review, text_collector  # noqa: E402

JOB = {"job_name": "a", "static_configs": [{"targets": ["h:1"]}]}
HEAD = "receivers:\n  prometheus:\n    config:\n      scrape_configs:\n"
server = Server()
honest = Honest(server)


def raw(obj, mark, text):
    """The review with these bytes in place of the string 'mark'."""
    return json.dumps(review(obj)).encode().replace(json.dumps(mark).encode(), text if isinstance(text, bytes) else text.encode())


def reply(name, body, uid=UID):
    status, answer = server.review(body)
    same((status, answer.get("response", {}).get("uid")), (200, uid), f"{name}: HTTP 200, uid echoed")
    return answer.get("response", {})


def patched(name, body, pattern=r"targetallocator:80/jobs/a/targets", uid=UID):
    response = reply(name, body, uid)
    same((response.get("allowed"), "patch" in response), (True, True), f"{name}: patched")
    like(base64.b64decode(response.get("patch", "")).decode(), pattern, f"{name}: with what was asked for")


def passed(name, body, warning):
    response = reply(name, body)
    same((response.get("allowed"), "patch" in response), (True, False), f"{name}: allowed as it is")
    like("\n".join(response.get("warnings", [])), warning, f"{name}: with a warning")


def denied(name, body, message):
    response = reply(name, body)
    same((response.get("allowed"), response.get("status", {}).get("code")), (False, 422), f"{name}: denied, 422")
    like(response.get("status", {}).get("message", ""), message, f"{name}: says why")


def refused(name, body, status=400):
    got, answer = server.review(body)
    same((got, answer.get("kind"), answer.get("code")), (status, "Status", status), f"{name}: HTTP {status} with a Status")


# --- depth: passed over where nothing is looked at, left alone where something is
for levels in ("[" * 5000 + "]" * 5000, '{"a":' * 5000 + "1" + "}" * 5000):
    patched(f"5,000 levels of {levels[0]} beside the jobs", raw(collector({**JOB, "params": "@"}), "@", levels))
    passed(f"5,000 levels of {levels[0]} in a discovery section", raw(collector({**JOB, "file_sd_configs": "@"}), "@", levels), "256 levels")
for body in (b"[" * (16 << 20), (b'{"a":' * (4 << 20))[:16 << 20], b'{"request":{"uid":"' + b"\\\\" * (8 << 20)):
    refused(f"16 MiB that begin with {body[:20]}", body[:16 << 20])

# --- wide: the work follows the size of a review, not its square
wide = collector()
wide["spec"]["config"]["receivers"].update({f"prometheus/{i}": {"config": {"scrape_configs": [JOB]}} for i in range(10000)})
keys = "x: &x\n" + "".join(f"  k{i}: 1\n" for i in range(20000))
merged = keys + HEAD + "".join(f"      - {{<<: *x, job_name: {name}, static_configs: []}}\n" for name in "abcdefgh")
for name, body in (("10,000 receivers", review(wide)), ("8 jobs that merge 20,000 keys", review(text_collector(merged)))):
    began = time.monotonic()
    patched(name, body)
    took = time.monotonic() - began
    same(took < 5, True, f"{name}: answered in {took:.2f} s, not in minutes")

# --- escapes
less = '"' + "\\u003c" * (1 << 20) + '"'
patched("6 MB of \\u003c as a target", raw(collector({**JOB, "static_configs": [{"targets": ["@"]}]}), "@", less))
patched("6 MB of \\u003c as a job's name", raw(collector({**JOB, "job_name": "@"}), "@", less), r"jobs/(%3C){1000}")
noted = collector()
noted["metadata"]["annotations"] = {"note": "@"}
denied("6 MB of \\u003c as an annotation: no room for ours", raw(noted, "@", less), "more than 262144")

# --- duplicate keys: the last one counts, as for the API server; in YAML they are a fault, as for the Collector
text = json.dumps(review(collector()))
patched("uid twice", text.replace('"uid":', '"uid": "first", "uid":').encode())
patched("object twice", text.replace('"object":', '"object": {"spec": 1}, "object":').encode())
patched("job_name twice", text.replace('"job_name":', '"job_name": "first", "job_name":').encode())
denied("a key twice in a text", review(text_collector(HEAD + "      - {job_name: a, job_name: b, static_configs: []}\n")), "job_name")

# --- NUL
denied("\\u0000 in a job's name", review(collector({**JOB, "job_name": "a\0b"})), "holds a NUL character")
denied("\\u0000 in a target", review(collector({**JOB, "static_configs": [{"targets": ["g", "h\0i"]}]})),
       r"static_configs\[0\]\.targets\[1\]: holds a NUL character")
patched("\\u0000 in the uid", text.replace(UID, "a\\u0000b").encode(), uid="a\0b")
passed("a NUL byte in a string", text.replace('"job_name": "a"', '"job_name": "a\0"').encode(), "control character")
refused("a NUL byte between values", text.replace('"object":', '\0"object":').encode())

# --- what is no UTF-8 comes out as U+FFFD, if it comes out
for name, data in {"0xff": b"\xff", "overlong": b"\xc0\xaf", "a surrogate": b"\xed\xa0\x80", "cut": b"\xe2\x82", "half a pair": b"\\ud800",
                   "a pair the wrong way round": b"\\udc00\\ud800"}.items():
    patched(f"{name} in a job's name", raw(collector({**JOB, "job_name": "@"}), "@", b'"a' + data + b'"'), r"jobs/a[%\\u]")
    patched(f"{name} where nobody looks", raw(collector(extra="@"), "@", b'"' + data + b'"'))
    got = server.review(text.encode().replace(UID.encode(), data))[1]["response"]["uid"]
    same(got.strip("\ufffd"), "", f"{name} as uid")

# --- YAML inside of the text: bounded before it is built
bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12))
merges = "".join(f"m{i}: &m{i} {{<<: [{','.join([f'*m{i - 1}'] * 10) if i else '{a: b}'}]}}\n" for i in range(12))
jobs = "receivers: {prometheus: {config: {scrape_configs: [{job_name: a, static_configs: %s}]}}}\n"
denied("ten to the twelfth through aliases", review(text_collector(bomb + jobs % "*a11")), "aliases counted in full")
denied("ten to the twelfth through merges", review(text_collector(merges + jobs % "[*m11]")), "aliases counted in full")
denied("one list 2,000 times", review(text_collector(
    HEAD + f"      - {{job_name: a, static_configs: &s [{{targets: [{','.join(f'h{i}' for i in range(50000))}]}}]}}\n" +
    "".join(f"      - {{job_name: j{i}, static_configs: *s}}\n" for i in range(2000)))), "aliases counted in full")
denied("an alias inside of its own anchor", review(text_collector("receivers: &r {prometheus: {config: {scrape_configs: *r}}}\n")),
       "is inside the value that it names")
denied("30,000 levels of text", review(text_collector(jobs % ("[" * 30000 + "]" * 30000))), "nested too deeply")
denied("more text than an API server takes", review(text_collector(jobs % "[]" + "#x\n" * (1 << 20))), "more than 3145728")

# --- numbers
digits = "123456789012345678901234567890"
patched("30 digits where nobody looks", raw(collector({**JOB, "sample_limit": "@"}, replicas="@"), "@", digits))
patched("1e400 where nobody looks", raw(collector({**JOB, "sample_limit": "@"}), "@", "1e400"))
passed("30 digits as a job's name", raw(collector({**JOB, "job_name": "@"}), "@", digits), "stays with the collectors: its name is a number")
denied("30 digits as a discovery section", raw(collector({**JOB, "file_sd_configs": "@"}), "@", digits), "must be a list")

# --- names
denied("an empty job name", review(collector({**JOB, "job_name": ""})), "job_name: is required")
denied("no job name", review(collector({"static_configs": []})), "job_name: is required")
denied("a job name that is null", review(collector({**JOB, "job_name": None})), "job_name: is required")
nameless = collector()
nameless["metadata"]["name"] = ""
patched("an empty name of the object: the request's counts", review(nameless))
passed("no name at all", review(nameless, name=""), "its name is not known yet")
del nameless["metadata"]
passed("no metadata", review(nameless), "has no metadata")
refused("an empty uid", text.replace(UID, "").encode())

# --- 100,000 jobs
empty = [{"job_name": f"job-{i}", "static_configs": []} for i in range(100000)]
denied("100,000 jobs", review(collector(*empty)), "more than 2097152 bytes")
denied("100,000 jobs of one name", review(collector(*[JOB] * 100000)), "found multiple scrape configs")
lines = "".join(f"      - {{job_name: j{i},static_configs: []}}\n" for i in range(65000))
denied("65,000 jobs, what a text has room for", review(text_collector(HEAD + lines)), "in the annotation, more than 131072")
patched("100,000 receivers", text.replace('"prometheus":', "".join(
    f'"prometheus/{i}": {{"config": {{"scrape_configs": []}}}}, ' for i in range(100000)) + '"prometheus":').encode())

honest.is_served("all these reviews")
server.stays_below(448, "all these reviews, one at a time")
honest.stop()
same(server.stop(), 0, "stops in order")
done()

#!/usr/bin/env python3
"""A request whose collector_id is an unexpanded variable is answered by its source address, where that is a collector's."""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from discovery_rig import BINARY, Allocator, done, like, ok, same  # noqa: E402

CONFIG = """
config:
  scrape_configs:
  - job_name: j
    static_configs: [{targets: [a:1, b:1, c:1, d:1, e:1, f:1]}]
"""
FORMS = ["$POD_NAME", "${POD_NAME}", "$%7Benv:POD_NAME%7D"]


def ask(ta, collector):
    return ta.get(f"/jobs/j/targets?collector_id={collector}")


ta = Allocator(CONFIG, "c-0@n=10.1.2.3,c-1=127.0.0.1,c-2")
ok(ta.ready(), "ready")
share = ask(ta, "c-1")
like(share[1], "targets", "the collector at this address has targets")
for form in FORMS:
    same(ask(ta, form), share, f"{form}: its share")
same(ta.metric("otel_ta_unexpanded_collector_requests_total"), len(FORMS), "counted")
same(ta.metric("otel_ta_collector_by_address_requests_total"), len(FORMS), "and so are those that the address resolved")
ok(ask(ta, "c-0")[1] != share[1], "a name goes before the address")

for collectors, why in [("c-0=10.1.2.3,c-1", "nobody has this address"), ("c-0=127.0.0.1,c-1=127.0.0.1", "two have it"),
                        ("c-0,c-1", "none has one")]:
    ta = Allocator(CONFIG, collectors)
    ok(ta.ready(), "ready")
    status, body = ask(ta, FORMS[0])
    same(status, 400, f"{why}: refused")
    like(body, r"\$\{POD_NAME\}", "with a hint")
    same(ta.metric("otel_ta_unexpanded_collector_requests_total"), 1, "and counted")
    same(ta.metric("otel_ta_collector_by_address_requests_total"), 0, "as not resolved")

for wrong in ["c=", "c=host", "c=10.0.0", "=10.0.0.1", "c=fd00::zz"]:
    run = subprocess.run([BINARY, "serve", "--config-file", "x", "--collectors", wrong], capture_output=True, text=True, timeout=20)
    same(run.returncode, 2, f"--collectors {wrong}: wrong usage")
    like(run.stderr, "IP-ADDRESS", "says what is expected")
done()

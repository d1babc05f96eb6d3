#!/usr/bin/env python3
"""What a person meets who asks without knowing: links that work, names that are near, a way to ask."""

import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from discovery_rig import BINARY, Allocator, done, like, ok, same, scratch  # noqa: E402


def manifest(name, ns, *jobs):
    jobs = ", ".join(f"{{job_name: {json.dumps(j)}, static_configs: [{{targets: ['{name}:1']}}]}}" for j in jobs)
    return f"""---
apiVersion: opentelemetry.io/v1beta1
kind: OpenTelemetryCollector
metadata: {{name: {name}{ns}}}
spec: {{mode: statefulset, targetAllocator: {{enabled: true}}, config: {{receivers: {{prometheus: {{config: {{scrape_configs: [{jobs}]}}}}}}}}}}
"""


def open_url(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return answer.status, dict(answer.headers), answer.read().decode()


def crawl(ta):
    """All pages that links lead to from '/', and those that are broken."""
    seen, todo, broken = set(), ["/"], []
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        try:
            _, headers, body = open_url(ta.base + path, Accept="text/html,*/*;q=0.8")
        except OSError as error:
            broken.append((path, str(error)))
            continue
        found = re.findall(r'href="([^"]*)"', body) if "html" in headers.get("Content-Type", "") else re.findall(r'"_link":"([^"]*)"', body)
        todo += [link.replace("&amp;", "&").replace("&#39;", "'") for link in found]
    return seen, broken


ta = Allocator(manifest("bare", "", "a <b>&'c'/%", "two") + manifest("web", ", namespace: shop", "w") + manifest("web", ", namespace: test", "w"),
               collectors="c-0", source="--filename")
ok(ta.ready(), "three Collectors, one of them without a namespace")
seen, broken = crawl(ta)
same(broken, [], f"{len(seen)} links, none is broken")
same(sorted(p for p in seen if re.fullmatch(r"/n/[^/]+/[^/]+/", p)), ["/n/-/bare/", "/n/shop/web/", "/n/test/web/"], "each Collector has a page")
ok("/n/-/bare/jobs/a+%3Cb%3E%26%27c%27%2F%25/targets" in seen, "and each job, whatever its name")
same("<b>" in open_url(ta.base + "/n/-/bare/", Accept="text/html")[2], False, "a name is not obeyed")
same(ta.get("/n//bare/jobs/two/targets?collector_id=c-0")[0], 200, "an empty segment is no namespace either")
for path, status, said in (
        ("/jobs/tow/targets?collector_id=c-0", 404, "no job 'tow'; did you mean 'two'\\? Ask /n/-/bare/jobs/two/targets"),
        ("/n/shop/wep/jobs/w/targets?collector_id=c-0", 404, "no Collector 'wep' in namespace 'shop'; did you mean shop/web\\?"),
        ("/n/shop/web/jobs/w/targets?collector_id=c-O", 404, "no collector 'c-O'; did you mean 'c-0'\\?"),
        ("/n/nowhere/", 404, "no Collector"), ("/jobs", 421, "/n/<namespace>/<collector>")):
    code, text = ta.get(path)
    same(code, status, f"{path}: {status}")
    like(text, said, f"{path}: says what to do")
same(ta.stop(), 0, "stops in order")

ta = Allocator("config: {scrape_configs: [{job_name: one, static_configs: [{targets: [x]}]}]}\n", collectors="c-0")
ok(ta.ready(), "drop-in")
same(crawl(ta)[1], [], "no broken link")
for path, said in (("/jobs/oen/targets?collector_id=c-0", "no job 'oen'; did you mean 'one'?"), ("/jobs/one/targets?collector_id=c0", "no collector 'c0'; did you mean 'c-0'?")):
    code, headers, body = open_url(ta.base + path)
    same((code, body), (200, "[]\n"), f"{path}: as the Go allocator")
    ok(headers.get("Warning", "").startswith(f'299 otel-ta "{said}'), f"{path}: but with a warning: {headers.get('Warning')}")
ok("job is not known: answered with no targets" in ta.log(), "and a line in the log")
same(ta.stop(), 0, "stops in order")

env = {k: v for k, v in os.environ.items() if k != "KUBERNETES_SERVICE_HOST"}
for words in ([], ["--log-format", "json"]):
    answer = subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=20, check=False, env=env, cwd=scratch(), stdin=subprocess.DEVNULL)
    same(answer.returncode, 2, f"otel-ta {' '.join(words)}: nothing to serve: 2")
    like(answer.stderr, r"(?s)Usage:.*nothing to serve", "with help")
done()

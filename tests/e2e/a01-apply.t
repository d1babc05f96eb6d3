#!/usr/bin/env python3
"""kubectl apply of the documentation's example: stored rewritten, and a second apply changes nothing."""

from rig import COLLECTORS, Allocator, Cluster, cases, done, enter_sandbox, like, ok, same

enter_sandbox()
cluster = Cluster()
allocator = Allocator()
cluster.register_webhook("--url", allocator.webhook, "--cert-dir", allocator.cert_dir)

NAME = "collector-with-ta"
URL = cases.url_of(NAME, cases.EXAMPLE_JOB)
ORIGINAL = cases.config_text(cases.example())

applied = cluster.kubectl("apply", "-f", cases.EXAMPLE)
like(applied.out, "collector-with-ta created", "the example of the documentation is accepted")
warnings = [line for line in applied.err.splitlines() if line.startswith("Warning:")]
same(len(warnings), 2, "a warning tells the user that something was rewritten, another that each collector means itself")
like(applied.err, r"0\.0\.0\.0:8888", "by the target of the example")
stored = cluster.get(NAME)
text = stored["spec"]["config"]
same(cases.without_http_sd(text, URL), cases.without_static(ORIGINAL),
     "the discovery section became the documented URL, and every other byte of the text is the user's")
same(cases.originals_of(stored), {cases.EXAMPLE_JOB: {"static_configs": [{"targets": ["0.0.0.0:8888"]}]}},
     "the annotation keeps what was taken out")
ok(stored["spec"]["targetAllocator"]["enabled"] is True, "nothing else of the spec is touched")

again = cluster.kubectl("apply", "-f", cases.EXAMPLE)
second = cluster.get(NAME)
same(second["metadata"]["resourceVersion"], stored["metadata"]["resourceVersion"],
     "a second apply writes nothing: same resourceVersion")
same(second["metadata"]["generation"], 1, "and same generation")
same(again.err, "", "and without a warning")

diff = cluster.kubectl("diff", "-f", cases.EXAMPLE, check=False)
same((diff.code, diff.out, diff.err), (0, "", ""), "kubectl diff of the manifest is empty")

empty = cluster.kubectl("patch", COLLECTORS["v1alpha1"], NAME, "--type=merge", "-p", "{}")
like(empty.out, "no change", "the empty patch of drift repair changes nothing either")

live = cluster.kubectl("get", COLLECTORS["v1alpha1"], NAME, "-o", "yaml").out
replaced = cluster.kubectl("replace", "-f", "-", stdin=live)
like(replaced.out, "replaced", "get | replace is accepted")
third = cluster.get(NAME)
same((third["spec"], cases.originals_of(third)), (stored["spec"], cases.originals_of(stored)),
     "and everything stays as it was")
refused = cluster.kubectl("apply", "-f", cases.EXAMPLE, check=False)
like(refused.err, "resourceVersion", "kubectl now has our annotation in last-applied: its own next apply fails")
cluster.kubectl("replace", "-f", cases.EXAMPLE)
repaired = cluster.kubectl("apply", "-f", cases.EXAMPLE, check=False)
same(repaired.code, 0, "until the original is replaced once, as with every mutating webhook")
fourth = cluster.get(NAME)
same((fourth["spec"], cases.originals_of(fourth)), (stored["spec"], cases.originals_of(stored)),
     "which the webhook rewrites again")
done()

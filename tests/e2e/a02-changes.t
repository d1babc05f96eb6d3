#!/usr/bin/env python3
"""Changes of a rewritten Collector: targets, one field, an added job, a removed job, the annotation."""

import json

from rig import COLLECTORS, Allocator, Cluster, cases, done, enter_sandbox, like, ok, same

enter_sandbox()
cluster = Cluster()
allocator = Allocator()
cluster.register_webhook("--url", allocator.webhook, "--cert-dir", allocator.cert_dir)


def patch(name, operations, version="v1beta1"):
    return cluster.kubectl("patch", COLLECTORS[version], name, "--type=json", "-p", json.dumps(operations))


JOBS = "/spec/config/receivers/prometheus/config/scrape_configs"
FIRST, SECOND = "127.0.1.1:9100", "127.0.1.2:9100"
cluster.apply(cases.object_collector(jobs=[cases.static_job("first", [FIRST], metrics_path="/m")]))
before = cluster.get("many", "v1beta1")
same(cases.jobs_of(before), [{"job_name": "first", "scrape_interval": "1s", "metrics_path": "/m",
                              "http_sd_configs": [{"url": cases.url_of("many", "first")}]}],
     "a configuration that is an object is rewritten as an object")

cluster.apply(cases.object_collector(jobs=[cases.static_job("first", [FIRST, SECOND], metrics_path="/m")]))
after = cluster.get("many", "v1beta1")
same(cases.originals_of(after), {"first": {"static_configs": [{"targets": [FIRST, SECOND]}]}},
     "changed targets are in the annotation")
same(after["spec"], before["spec"], "and the spec is the same")
same(after["metadata"]["generation"], before["metadata"]["generation"], "so the generation does not move")
ok(after["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"], "but the resourceVersion does")

patch("many", [{"op": "replace", "path": f"{JOBS}/0/scrape_interval", "value": "7s"}])
after = cluster.get("many", "v1beta1")
same(cases.jobs_of(after)[0]["scrape_interval"], "7s", "a JSON patch of one field works")
same(cases.originals_of(after), {"first": {"static_configs": [{"targets": [FIRST, SECOND]}]}},
     "and the originals stay")

added = cases.static_job("added/1", ["127.0.1.3:9100"])
patch("many", [{"op": "add", "path": f"{JOBS}/-", "value": added}])
after = cluster.get("many", "v1beta1")
same(cases.jobs_of(after)[1]["http_sd_configs"], [{"url": cases.url_of("many", "added%2F1")}],
     "a job added by patch is rewritten")
ok("static_configs" not in cases.jobs_of(after)[1], "and its targets are gone from the spec")
same(cases.originals_of(after), {"first": {"static_configs": [{"targets": [FIRST, SECOND]}]},
                                 "added/1": {"static_configs": [{"targets": ["127.0.1.3:9100"]}]}},
     "the annotation has both jobs")

cluster.kubectl("annotate", COLLECTORS["v1beta1"], "many", cases.ANNOTATION + "-")
same(cluster.get("many", "v1beta1")["metadata"]["resourceVersion"], after["metadata"]["resourceVersion"],
     "an annotation that a user removes comes back: nothing is written")

patch("many", [{"op": "remove", "path": f"{JOBS}/0"}])
after = cluster.get("many", "v1beta1")
same([job["job_name"] for job in cases.jobs_of(after)], ["added/1"], "a job removed by patch is gone")
same(cases.originals_of(after), {"added/1": {"static_configs": [{"targets": ["127.0.1.3:9100"]}]}},
     "and so are its originals")

# The same for a configuration that is text.
cluster.kubectl("apply", "-f", cases.EXAMPLE)
text = cases.example()
more = text.replace("          - job_name: 'otel-collector'\n",
                    "          - job_name: other # mine\n"
                    "            static_configs: [{targets: [\"127.0.1.9:9100\"]}]\n"
                    "          - job_name: 'otel-collector'\n")
applied = cluster.apply(more)
like(applied.out, "configured", "an applied manifest with one more job in its text is accepted")
stored = cluster.get("collector-with-ta")
same(cases.originals_of(stored), {"other": {"static_configs": [{"targets": ["127.0.1.9:9100"]}]},
                                  "otel-collector": {"static_configs": [{"targets": ["0.0.0.0:8888"]}]}},
     "the annotation has both jobs")
like(stored["spec"]["config"], r"- job_name: other # mine\n *http_sd_configs:", "its comment is still there")
same(stored["spec"]["config"].count("http_sd_configs"), 2, "and both are rewritten")
done()

#!/usr/bin/env python3
"""A configuration that cannot be rewritten safely is refused, and kubectl shows where and why."""

from rig import Allocator, Cluster, cases, done, enter_sandbox, like, ok, same

enter_sandbox()
cluster = Cluster()
allocator = Allocator()
cluster.register_webhook("--url", allocator.webhook, "--cert-dir", allocator.cert_dir)


def refused(manifest, pattern, what):
    result = cluster.apply(manifest, check=False)
    ok(result.code != 0, f"{what}: refused")
    like(result.err, pattern, f"{what}: with the place and the reason")


twice = [cases.static_job("same", ["127.0.1.1:9100"]), cases.static_job("same", ["127.0.1.2:9100"])]
refused(cases.object_collector("twice", jobs=twice), r"scrape_configs\[1\].*job_name.*same", "duplicate job_name")
refused(cases.object_collector("nameless", jobs=[{"static_configs": [{"targets": ["127.0.1.1:9100"]}]}]),
        r"scrape_configs\[0\].*job_name", "no job_name")
text = cases.example()
refused(text.replace("            scrape_interval: 10s\n", "            scrape_interval: 10s\n           bad: [\n"),
        r"spec\.config.*line", "text that is no YAML")
orphan = [{"job_name": "lost", "http_sd_configs": [{"url": cases.url_of("orphan", "lost")}]}]
refused(cases.object_collector("orphan", jobs=orphan), r"lost", "a rewritten job that lost its originals")

# Nothing of it is stored, and a user who opts out is not stopped.
same(cluster.kubectl("get", "opentelemetrycollectors", "-o", "name").out, "", "nothing is stored")
cluster.apply(cases.object_collector("twice", jobs=twice, labels={"otel-ta/inject": "false"}))
same(cases.jobs_of(cluster.get("twice", "v1beta1")), twice, "opted out, the same configuration is none of our business")
done()

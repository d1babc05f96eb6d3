#!/usr/bin/env python3
"""Switched off, opted out or no longer opted in: the original text comes back, to the byte."""

from rig import COLLECTORS, Allocator, Cluster, cases, done, enter_sandbox, ok, same

enter_sandbox()
cluster = Cluster()
allocator = Allocator()
cluster.register_webhook("--url", allocator.webhook, "--cert-dir", allocator.cert_dir)

NAME = "collector-with-ta"
ORIGINAL = cases.config_text(cases.example())


def is_original(what):
    stored = cluster.get(NAME)
    same(stored["spec"]["config"], ORIGINAL, f"{what}: the original text is back")
    same(cases.originals_of(stored), None, f"{what}: and the annotation is gone")


def is_rewritten(what):
    stored = cluster.get(NAME)
    ok(cases.url_of(NAME, cases.EXAMPLE_JOB) in stored["spec"]["config"], f"{what}: rewritten")
    ok(cases.originals_of(stored), f"{what}: and the annotation is there")


def label(value):
    cluster.kubectl("label", "--overwrite", COLLECTORS["v1alpha1"], NAME, value)


def enable(value):
    cluster.kubectl("patch", COLLECTORS["v1alpha1"], NAME, "--type=merge", "-p",
                    '{"spec":{"targetAllocator":{"enabled":%s}}}' % value)


cluster.kubectl("apply", "-f", cases.EXAMPLE)
is_rewritten("enabled")
cluster.apply(cases.example().replace("enabled: true", "enabled: false"))
is_original("disabled by apply")
cluster.kubectl("apply", "-f", cases.EXAMPLE)
is_rewritten("enabled again")

enable("false")
is_original("disabled by patch")
label("otel-ta/inject=true")
is_rewritten("disabled, but opted in by label")
label("otel-ta/inject-")
is_original("label taken away")
enable("true")
is_rewritten("enabled by patch")

label("otel-ta/inject=false")
is_original("opted out by label")
label("otel-ta/inject-")
is_rewritten("no longer opted out")

# The same for a configuration that is an object.
cluster.apply(cases.object_collector())
cluster.apply(cases.object_collector(enabled=False))
stored = cluster.get("many", "v1beta1")
same(cases.jobs_of(stored), [cases.static_job("first", ["127.0.1.1:9100"])], "an object comes back too")
same(cases.originals_of(stored), None, "without the annotation")
done()

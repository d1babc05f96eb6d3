"""Collectors that several tests start from, and the two views of a stored one."""

import json
import pathlib
import re

from .sandbox import ROOT

ANNOTATION = "otel-ta/sd-configs"
EXAMPLE = ROOT / "manifests/examples/collector-with-ta.yaml"
EXAMPLE_JOB = "otel-collector"
EXAMPLE_SD = "        static_configs:\n        - targets: [ '0.0.0.0:8888' ]\n"


def example():
    """The example of OpenTelemetry's documentation of the Target Allocator, v1alpha1."""
    return pathlib.Path(EXAMPLE).read_text(encoding="utf-8")


def config_text(manifest):
    """The text of `spec.config: |` in a v1alpha1 manifest, as YAML reads it."""
    block = manifest.split("  config: |\n", 1)[1]
    return "".join(line[4:] if line.strip() else line.lstrip(" ") for line in block.splitlines(keepends=True))


def object_collector(name="many", jobs=None, enabled=True, labels=None):
    """A v1beta1 Collector whose configuration is an object, as JSON text for kubectl."""
    jobs = jobs or [static_job("first", ["127.0.1.1:9100"])]
    return json.dumps({
        "apiVersion": "opentelemetry.io/v1beta1", "kind": "OpenTelemetryCollector",
        "metadata": {"name": name, **({"labels": labels} if labels else {})},
        "spec": {
            "mode": "statefulset", "targetAllocator": {"enabled": enabled},
            "config": {
                "receivers": {"prometheus": {"config": {"scrape_configs": jobs}}}, "exporters": {"debug": {}},
                "service": {"pipelines": {"metrics": {"receivers": ["prometheus"], "exporters": ["debug"]}}},
            },
        },
    })


def static_job(name, targets, **more):
    return {"job_name": name, "scrape_interval": "1s", "static_configs": [{"targets": targets}], **more}


def jobs_of(stored):
    """The scrape jobs of a stored Collector whose configuration is an object."""
    return stored["spec"]["config"]["receivers"]["prometheus"]["config"]["scrape_configs"]


def originals_of(stored):
    """What the annotation keeps of the default receiver: {job: discovery sections}, or None."""
    text = stored["metadata"].get("annotations", {}).get(ANNOTATION)
    return None if text is None else json.loads(text)["receivers"]["prometheus"]["jobs"]


def url_of(collector, job):
    return f"http://{collector}-targetallocator:80/jobs/{job}/targets?collector_id=${{POD_NAME}}"


def without_static(text):
    """The example's text without its discovery section."""
    assert text.count(EXAMPLE_SD) == 1
    return text.replace(EXAMPLE_SD, "")


def without_http_sd(text, url):
    """`text` without its one http_sd_configs section of that URL; None if there is not exactly one."""
    section = re.compile(r"^ *http_sd_configs:\n *- url: (['\"]?)" + re.escape(url) + r"\1\n", re.M)
    return section.sub("", text) if len(section.findall(text)) == 1 else None

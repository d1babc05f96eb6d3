#!/usr/bin/env python3
"""Upstream-shaped targets: 41 labels, of which address, pod name, pod uid, pod IP and target_id differ.

targets.py FOLDER TARGETS PER_JOB     writes job-<n>.json

The label set has the size and the sharing of the Go allocator's own benchmark (operator 0.158); the values are our own.
"""

import json
import os
import re
import sys

PREFIX = "__meta_kubernetes_"
SHARED = {
    "namespace": "shop", "service_name": "checkout", "service_label_app": "checkout", "service_labelpresent_app": "true",
    "service_annotationpresent_kubectl_kubernetes_io_last_applied_configuration": "true",
    "service_annotation_kubectl_kubernetes_io_last_applied_configuration": json.dumps(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"labels": {"app": "checkout"}, "name": "checkout", "namespace": "shop"},
         "spec": {"ports": [{"name": "http-metrics", "port": 9006, "targetPort": 9006}], "selector": {"app": "checkout"},
                  "type": "ClusterIP", "clusterIP": "None"}}, separators=(",", ":")) + "\n",
    "pod_controller_kind": "ReplicaSet", "pod_controller_name": "checkout-6b549885f8", "pod_phase": "Running", "pod_ready": "true",
    "pod_host_ip": "172.18.0.2", "pod_node_name": "node-0001", "pod_label_app": "checkout", "pod_labelpresent_app": "true",
    "pod_label_pod_template_hash": "6b549885f8", "pod_labelpresent_pod_template_hash": "true",
    "endpointslice_name": "checkout-qgwxf", "endpointslice_port": "9006", "endpointslice_port_name": "http-metrics",
    "endpointslice_port_protocol": "TCP", "endpointslice_address_type": "IPv4", "endpointslice_address_target_kind": "Pod",
    "endpointslice_endpoint_conditions_ready": "true", "endpointslice_endpoint_conditions_serving": "true",
    "endpointslice_endpoint_conditions_terminating": "false", "endpointslice_label_app": "checkout",
    "endpointslice_labelpresent_app": "true", "endpointslice_label_kubernetes_io_service_name": "checkout",
    "endpointslice_labelpresent_kubernetes_io_service_name": "true",
    "endpointslice_label_endpointslice_kubernetes_io_managed_by": "endpointslice-controller.k8s.io",
    "endpointslice_labelpresent_endpointslice_kubernetes_io_managed_by": "true",
    "endpointslice_label_service_kubernetes_io_headless": "", "endpointslice_labelpresent_service_kubernetes_io_headless": "true",
    "endpointslice_annotation_endpoints_kubernetes_io_last_change_trigger_time": "2026-01-01T12:00:00Z",
    "endpointslice_annotationpresent_endpoints_kubernetes_io_last_change_trigger_time": "true",
}


def _group(address, pod, uid, number, stamp):
    labels = {PREFIX + name: value for name, value in SHARED.items()}
    labels.update({"somelabel": stamp, PREFIX + "pod_ip": address, PREFIX + "pod_uid": uid, PREFIX + "pod_name": pod,
                   PREFIX + "endpointslice_address_target_name": pod, "target_id": number})
    return {"targets": [f"{address}:9006"], "labels": labels}


# A million targets are 3 GB of text: what they share is rendered once, and cut where the marks are.
_PIECES = re.split(r"\\u0001(\d)", json.dumps(_group("\0010", "\0011", "\0012", "\0013", "\0014"), separators=(",", ":")))
_FIELDS = [int(mark) for mark in _PIECES[1::2]]


def target_text(i, stamp="somevalue"):
    """The group of target i as JSON; 'stamp' is the value of its label somelabel."""
    values = (f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}", f"checkout-6b549885f8-{i:07x}", f"676ebee7-14f8-481e-a937-{i:012x}",
              str(i), stamp)
    pieces = _PIECES.copy()
    pieces[1::2] = [values[field] for field in _FIELDS]
    return "".join(pieces)


BYTES_PER_TARGET = 3000


def job_text(first, last, stamp="somevalue"):
    return "[" + ",".join(target_text(i, stamp) for i in range(first, last)) + "]"


def write_jobs(folder, n_targets, per_job):
    """One file a job; returns the number of jobs and of bytes."""
    os.makedirs(folder, exist_ok=True)
    total, n_jobs = 0, -(-n_targets // per_job)
    for job in range(n_jobs):
        text = job_text(job * per_job, min(n_targets, (job + 1) * per_job))
        total += len(text)
        with open(f"{folder}/job-{job}.json", "w", encoding="utf-8") as file:
            file.write(text)
    return n_jobs, total


def write_configuration(path, jobs):
    """An allocator's configuration with one file_sd job for each (name, file)."""
    with open(path, "w", encoding="utf-8") as file:
        file.write("config:\n  scrape_configs:\n" + "".join(
            f"  - job_name: {name}\n    file_sd_configs: [{{files: ['{source}']}}]\n" for name, source in jobs))
    return path


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__.split("\n\n")[1])
    print("%d jobs, %d bytes" % write_jobs(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))

"""Upstream-shaped targets: 41 labels, of which address, pod name, pod uid, pod IP and target_id differ.

The label set has the size and the sharing of the Go allocator's own benchmark (operator 0.158); the values are our own.
"""

import json
import os

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


def target(i):
    address = f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"
    pod = f"checkout-6b549885f8-{i:07x}"
    labels = {PREFIX + name: value for name, value in SHARED.items()}
    labels["somelabel"] = "somevalue"
    labels.update({PREFIX + "pod_ip": address, PREFIX + "pod_uid": f"676ebee7-14f8-481e-a937-{i:012x}", PREFIX + "pod_name": pod,
                   PREFIX + "endpointslice_address_target_name": pod, "target_id": str(i)})
    return {"targets": [f"{address}:9006"], "labels": labels}


def write_jobs(folder, n_targets, per_job):
    """One file a job; returns the number of jobs and of bytes."""
    os.makedirs(folder, exist_ok=True)
    total, n_jobs = 0, -(-n_targets // per_job)
    for job in range(n_jobs):
        text = json.dumps([target(i) for i in range(job * per_job, min(n_targets, (job + 1) * per_job))], separators=(",", ":"))
        total += len(text)
        with open(f"{folder}/job-{job}.json", "w", encoding="utf-8") as file:
            file.write(text)
    return n_jobs, total

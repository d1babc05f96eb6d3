"""Objects of a cluster, written straight to the API server: no controller runs, so status is written, too."""

import json
import ssl
import urllib.error
import urllib.request

from .cluster import SERVER, TOKEN

PLURALS = {"Endpoints": "endpoints", "Ingress": "ingresses"}
WITHOUT_NAMESPACE = {"Node", "Namespace"}
CONTEXT = ssl.create_default_context()
CONTEXT.check_hostname, CONTEXT.verify_mode = False, ssl.CERT_NONE


def call(method, path, body=None, content_type="application/json"):
    """The answer; None where there is nothing of that name."""
    request = urllib.request.Request(SERVER + path, method=method, headers={
        "Authorization": f"Bearer {TOKEN}", "Content-Type": content_type},
        data=None if body is None else json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=30, context=CONTEXT) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()[:500]}") from error


def path_of(thing, with_name=True):
    group = thing["apiVersion"]
    meta = thing["metadata"]
    kind = thing["kind"]
    path = f"/api/{group}" if "/" not in group else f"/apis/{group}"
    if kind not in WITHOUT_NAMESPACE:
        path += f"/namespaces/{meta['namespace']}"
    path += "/" + PLURALS.get(kind, kind.lower() + "s")
    return path + "/" + meta["name"] if with_name else path


def put(thing):
    """Creates it or brings it to this state, status included."""
    meta = {key: value for key, value in thing["metadata"].items()
            if key in ("name", "namespace", "labels", "annotations", "ownerReferences")}
    body = {**thing, "metadata": meta}
    body.pop("status", None)
    applied = call("PATCH", path_of(thing) + "?fieldManager=rig&force=true", body, "application/apply-patch+yaml")
    if "status" in thing:
        call("PATCH", path_of(thing) + "/status", {"status": thing["status"]}, "application/merge-patch+json")
    return applied


def remove(thing):
    return call("DELETE", path_of(thing) + "?gracePeriodSeconds=0")

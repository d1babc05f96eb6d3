#!/usr/bin/env python3
"""Certificate files replaced as a mounted Secret replaces them: no call of the API server is missed."""

import json
import os
import ssl
import subprocess
import threading

from rig import Allocator, Cluster, cases, diag, done, enter_sandbox, ok, same, scratch, wait_for

enter_sandbox()
MOUNT = scratch() / "mount"
MOUNT.mkdir()


def openssl(*words):
    subprocess.run(["openssl", *[str(word) for word in words]], check=True, capture_output=True)


def make(generation):
    """A CA and a leaf of it, in a folder like those that kubelet makes."""
    folder = MOUNT / f"..{generation}"
    folder.mkdir()
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    ca, ca_key = scratch() / f"{generation}.crt", scratch() / f"{generation}.key"
    openssl("req", "-x509", *new_key, "-keyout", ca_key, "-out", ca, "-subj", f"/CN={generation}", "-days", "2")
    request, names = scratch() / "leaf.csr", scratch() / "names"
    names.write_text("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n", encoding="ascii")
    openssl("req", *new_key, "-keyout", folder / "tls.key", "-out", request, "-subj", "/CN=leaf")
    openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-out", folder / "tls.crt",
            "-days", "1", "-extfile", names)
    return ca.read_text(encoding="ascii")


def publish(generation):
    """The swap that kubelet does: one rename of the link ..data."""
    link = MOUNT / "..data_tmp"
    link.symlink_to(f"..{generation}")
    os.rename(link, MOUNT / "..data")


def serving(ca):
    """Is the certificate that a new connection gets signed by this CA?"""
    try:
        ssl.get_server_certificate(("127.0.0.1", 9443), ca_certs=str(scratch() / f"{ca}.crt"), timeout=5)
        return True
    except ssl.SSLCertVerificationError:
        return False


bundle = make("first") + make("second")
make("third")
publish("first")
for name in ("tls.crt", "tls.key"):
    (MOUNT / name).symlink_to(f"..data/{name}")
(scratch() / "bundle").write_text(bundle, encoding="ascii")

cluster = Cluster()
allocator = Allocator("--tls-cert-file", MOUNT / "tls.crt", "--tls-key-file", MOUNT / "tls.key", own_certs=False)
cluster.register_webhook("--url", allocator.webhook, "--ca-file", scratch() / "bundle")
ok(serving("first"), "the mounted certificate is served")

calls = {"rewritten": 0, "missed": 0}
stop = threading.Event()


def call():
    while not stop.is_set():
        answer = cluster.apply(cases.object_collector("call"), "--dry-run=server", "-o", "json")
        done_so = "rewritten" if cases.originals_of(json.loads(answer.out)) else "missed"
        calls[done_so] += 1


caller = threading.Thread(target=call, daemon=True)
caller.start()
wait_for("calls", lambda: calls["rewritten"] >= 3)
publish("second")
wait_for("the new certificate", lambda: serving("second"), timeout_s=60)
ok(True, "the new certificate is served after the swap")
after = calls["rewritten"]
wait_for("calls after the swap", lambda: calls["rewritten"] >= after + 3)

# A pair that does not fit together is not taken: the Secret is half there.
(MOUNT / "..half").mkdir()
(MOUNT / "..half/tls.crt").write_bytes((MOUNT / "..third/tls.crt").read_bytes())
(MOUNT / "..half/tls.key").write_bytes((MOUNT / "..second/tls.key").read_bytes())
publish("half")
seen = len(allocator.log())
wait_for("a word about the pair in the log", lambda: "tls.key" in allocator.log()[seen:] or "match" in allocator.log()[seen:])
ok(serving("second"), "a key that does not belong to the certificate leaves the old pair in use")
stop.set()
caller.join()
diag(calls)
same(calls["missed"], 0, "no call was missed all the while")
done()

#!/usr/bin/env python3
"""Certificate files replaced as a mounted Secret replaces them: no call of the API server is missed."""

import os
import ssl

from rig import Allocator, Calls, Cluster, diag, done, enter_sandbox, ok, same, scratch, wait_for
from rig.certificates import make_leaf

enter_sandbox()
MOUNT = scratch() / "mount"
MOUNT.mkdir()


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


bundle = "".join(make_leaf(name, MOUNT / f"..{name}") for name in ("first", "second"))
make_leaf("third", MOUNT / "..third")
publish("first")
for name in ("tls.crt", "tls.key"):
    (MOUNT / name).symlink_to(f"..data/{name}")
(scratch() / "bundle").write_text(bundle, encoding="ascii")

cluster = Cluster()
allocator = Allocator("--tls-cert-file", MOUNT / "tls.crt", "--tls-key-file", MOUNT / "tls.key", own_certs=False)
cluster.register_webhook("--url", allocator.webhook, "--ca-file", scratch() / "bundle")
ok(serving("first"), "the mounted certificate is served")

calls = Calls(cluster)
publish("second")
wait_for("the new certificate", lambda: serving("second"), timeout_s=60)
ok(True, "the new certificate is served after the swap")
calls.wait_for_more(3)

# A pair that does not fit together is not taken: the Secret is half there.
(MOUNT / "..half").mkdir()
(MOUNT / "..half/tls.crt").write_bytes((MOUNT / "..third/tls.crt").read_bytes())
(MOUNT / "..half/tls.key").write_bytes((MOUNT / "..second/tls.key").read_bytes())
publish("half")
seen = len(allocator.log())
wait_for("a word about the pair in the log", lambda: "tls.key" in allocator.log()[seen:] or "match" in allocator.log()[seen:])
ok(serving("second"), "a key that does not belong to the certificate leaves the old pair in use")
calls.stop()
diag(calls.count)
same(calls.count["missed"], 0, "no call was missed all the while")
done()

#!/usr/bin/env python3
"""One replica takes over from another, as in a rolling update: the API server misses no call.

A forwarder stands in for the Service: it sends new connections to the replica that is in it now, and like kube-proxy
leaves open ones where they are.  The old replica is told to stop first, and leaves the Service a second later.
"""

import socket
import threading
import time

from rig import Allocator, Calls, Cluster, diag, done, enter_sandbox, ok, same, scratch, wait_for
from rig.certificates import make_leaf

enter_sandbox()
make_leaf("authority", scratch() / "tls")
FILES = ["--tls-cert-file", scratch() / "tls/tls.crt", "--tls-key-file", scratch() / "tls/tls.key"]


class Forwarder:
    def __init__(self, port, to_port):
        self.to_port = to_port
        self._listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self._listener.accept()
            server = socket.create_connection(("127.0.0.1", self.to_port))
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    @staticmethod
    def _copy(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            other.close()


cluster = Cluster()
old = Allocator("--shutdown-delay", "4s", *FILES, listen="127.0.0.1:8081", webhook_port=9441, own_certs=False)
forwarder = Forwarder(9443, 9441)
cluster.register_webhook("--url", "https://127.0.0.1:9443/mutate", "--ca-file", scratch() / "authority.crt")
calls = Calls(cluster)

new = Allocator(*FILES, listen="127.0.0.1:8082", webhook_port=9442, own_certs=False)
started = time.monotonic()
old.process.popen.terminate()
wait_for("word that the old one is not ready", lambda: old.get("/readyz")[0] == 503)
calls.wait_for_more(3)
same(old.process.popen.poll(), None, "told to stop, the old replica is not ready and answers on")
forwarder.to_port = 9442
code = old.process.popen.wait(30)
same(code, 0, "then it ends by itself")
ok(time.monotonic() - started >= 4, "not before its shutdown delay is over")
calls.wait_for_more(5)
calls.stop()
diag(calls.count)
same(calls.count["missed"], 0, "no call was missed")
ok("review" in new.log(), "and the new replica answers now")
done()

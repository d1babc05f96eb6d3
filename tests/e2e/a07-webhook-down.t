#!/usr/bin/env python3
"""failurePolicy Ignore: a webhook that is dead, hangs or has a foreign certificate stops nobody, and is made up for."""

import shutil
import signal
import time

from rig import COLLECTORS, Allocator, Cluster, cases, done, enter_sandbox, like, ok, same

enter_sandbox()
cluster = Cluster()
allocator = Allocator()
cluster.register_webhook("--url", allocator.webhook, "--cert-dir", allocator.cert_dir)
BETA = COLLECTORS["v1beta1"]


def passes_untouched(name, what):
    result = cluster.apply(cases.object_collector(name), check=False)
    like(result.out, f"{name} created", f"{what}: kubectl apply works")
    same(cases.originals_of(cluster.get(name, "v1beta1")), None, f"{what}: nothing is rewritten")


cluster.kubectl("apply", "-f", cases.EXAMPLE)
allocator.kill()
passes_untouched("while-dead", "webhook killed")
again = cluster.kubectl("apply", "-f", cases.EXAMPLE, check=False)
same(again.code, 0, "the example can still be applied")

allocator.start()
cluster.kubectl("patch", BETA, "while-dead", "--type=merge", "-p", "{}")
same(cases.jobs_of(cluster.get("while-dead", "v1beta1"))[0]["http_sd_configs"],
     [{"url": cases.url_of("while-dead", "first")}],
     "started again with the same certificate authority: an empty patch makes up for it")

allocator.process.popen.send_signal(signal.SIGSTOP)
started = time.monotonic()
passes_untouched("while-hung", "webhook hangs")
ok(time.monotonic() - started < 20, "after the registered timeout")
allocator.process.popen.send_signal(signal.SIGCONT)

allocator.kill()
shutil.rmtree(allocator.cert_dir)
allocator.start()
passes_untouched("while-foreign", "certificate of an unknown authority")
cluster.register_webhook("--url", allocator.webhook, "--cert-dir", allocator.cert_dir)
ok(True, "registered again with the new authority, it is called again")
done()

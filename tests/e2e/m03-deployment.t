#!/usr/bin/env python3
"""The Deployment's own command line, run as its security context says, answers its probes and stops in its grace time."""

import json
import os
import pathlib
import subprocess
import time
import urllib.error
import urllib.request

from rig import Cluster, ROOT, diag, done, enter_sandbox, ok, same, scratch, wait_for
from rig.allocator import BINARY
from rig.sandbox import Process

enter_sandbox()
cluster = Cluster()
made = cluster.kubectl("create", "--dry-run=client", "-o", "json", "-f", ROOT / "manifests/base/deployment.yaml").out
pod = json.loads(made)["spec"]["template"]["spec"]
container = pod["containers"][0]
ports = {port["name"]: port["containerPort"] for port in container["ports"]}

# The mounted Secret, readable by the group that fsGroup gives.
tls = scratch() / "tls"
tls.mkdir(mode=0o755)
subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                tls / "tls.key", "-out", tls / "tls.crt", "-subj", "/CN=otel-ta", "-addext",
                "subjectAltName=DNS:otel-ta.otel-ta.svc", "-days", "2"], check=True, capture_output=True)
os.chmod(tls / "tls.key", 0o444)
os.chmod(scratch(), 0o755)
arguments = [word.replace(container["volumeMounts"][0]["mountPath"], str(tls)) for word in container["args"]]
ok(str(tls) in " ".join(arguments), "the arguments name files of the mounted Secret")

# readOnlyRootFilesystem, runAsUser, no capability, no new privileges.  In a user namespace there is only one user.
subprocess.run(["mount", "-o", "remount,bind,ro", "/"], check=True)
users = sum(int(line.split()[2]) for line in pathlib.Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines())
context = pod["securityContext"]
identity = [f"--reuid={context['runAsUser']}", f"--regid={context['runAsGroup']}", "--clear-groups"] if users > 1 else []
program = scratch() / "otel-ta"
program.write_bytes(pathlib.Path(BINARY).read_bytes())
program.chmod(0o755)
process = Process("otel-ta", ["setpriv", *identity, "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", program,
                              *arguments])


def status(path, port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except (urllib.error.URLError, ConnectionError):
        return 0


for name in ("startupProbe", "livenessProbe", "readinessProbe"):
    probe = container[name]["httpGet"]
    patience = container["startupProbe"]["periodSeconds"] * container["startupProbe"]["failureThreshold"]
    wait_for(name, lambda p=probe: process.check_alive() and status(p["path"], ports[p["port"]]) == 200, patience)
    ok(True, f"{name}: {probe['path']} on {probe['port']} answers 200")
shaken = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{ports['https-webhook']}", "-servername",
                         "otel-ta.otel-ta.svc", "-verify_return_error", "-verify_hostname", "otel-ta.otel-ta.svc",
                         "-CAfile", tls / "tls.crt"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
same(shaken.returncode, 0, "the webhook's port serves that certificate for the Service's name")

ready = container["readinessProbe"]["httpGet"]
started = time.monotonic()
process.popen.terminate()
wait_for("not ready", lambda: status(ready["path"], ports[ready["port"]]) == 503, 10)
ok(True, "after SIGTERM it says that it is not ready, and still answers")
code = process.popen.wait(pod["terminationGracePeriodSeconds"])
diag(f"ended after {time.monotonic() - started:.1f} s")
same(code, 0, "and ends by itself within the grace time, with exit code 0")
done()

#!/usr/bin/env python3
"""What somebody on the same machine can get out of a running server: no core, no trace, no text of a key. (The key itself
is in OpenSSL's hands, and in what its decoder frees.)"""

import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from discovery_rig import BINARY, done, ok, same, scratch  # noqa: E402
from hostile_rig import ASAN, PLAIN_BUILD, Server, collector, review  # noqa: E402

IS_ROOT = os.geteuid() == 0
NOBODY = {"user": 65534, "group": 65534, "extra_groups": []} if IS_ROOT else {}
keys = scratch()
keys.chmod(0o755)
subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", keys / "tls.key", "-out", keys / "tls.crt", "-days", "2",
                "-subj", "/CN=localhost"], check=True, capture_output=True)
(keys / "tls.key").chmod(0o644)


def memory_of(pid):
    """All bytes of a process that it could have written."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if found:
                start, end = (int(x, 16) for x in found.groups())
                try:
                    mem.seek(start)
                    yield mem.read(end - start)
                except OSError:
                    pass


def lines_in_memory(pid, pem):
    """How many whole lines of base64 of this text are there."""
    lines = {line.encode() for line in pem.splitlines() if len(line) == 64}
    return len({line for part in memory_of(pid) for line in lines if line in part}), len(lines)


def user_can_read(path):
    """Asked by a process of the server's user."""
    child = os.fork()
    if child == 0:
        try:
            if IS_ROOT:
                os.setgroups([])
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
            with open(path, "rb"):
                os._exit(0)
        except PermissionError:
            os._exit(1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 1


shutil.copy(BINARY, keys / "otel-ta")  # where everybody can run it
server = Server("--tls-cert-file", keys / "tls.crt", "--tls-key-file", keys / "tls.key", binary=keys / "otel-ta", **NOBODY,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE)[1:] * 2))
same(server.review(review(collector()))[0], 200, "it serves, with a key from a file")
server.process.send_signal(signal.SIGHUP)  # reads everything again
same(server.review(review(collector()))[0], 200, "and goes on after a reload")

threads = list(pathlib.Path(f"/proc/{server.pid}/task").iterdir())
modes = {re.search(r"Seccomp:\t(\d)", (t / "status").read_text(encoding="ascii"))[1] for t in threads}
limits = pathlib.Path(f"/proc/{server.pid}/limits").read_text(encoding="ascii")
if ASAN:  # its leak checker traces the process: it is not confined
    ok(modes == {"0"}, "a build with ASan keeps everything")
else:
    ok(len(threads) > 3 and modes == {"2"}, f"system calls of all {len(threads)} threads are filtered")
    same(re.search(r"Max core file size +(\d+) +(\d+)", limits).groups(), ("0", "0"), "no core dumps, and no way back")
    same(os.stat(f"/proc/{server.pid}/mem").st_uid, 0, "/proc/PID belongs to root: not dumpable")
    same(user_can_read(f"/proc/{server.pid}/environ"), False, "its own user cannot look into it")
if IS_ROOT and PLAIN_BUILD:  # a sanitizer maps terabytes
    secret = (keys / "tls.key").read_text(encoding="ascii")
    same(lines_in_memory(os.getpid(), secret)[0] > 0, True, "this search finds a key where there is one")
    same(lines_in_memory(server.pid, secret)[0], 0, "no line of the key's PEM is in the server's memory")
server.process.send_signal(signal.SIGABRT)
code = server.process.wait(30)
same(code, -signal.SIGABRT, "a crash ends it")
same([f.name for f in server.folder.iterdir() if "core" in f.name], [], "without a core file")
done()

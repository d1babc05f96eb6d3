"""A place of its own for one test: network, processes, mounts.

The test starts itself again under unshare(1).  Its network is an empty one with nothing but
loopback, so every port is free (80 too) and nothing reaches the outside; its processes die
with it; its scratch folder is memory and its /etc/hosts a private copy.  The machine is not
changed.  Root is not needed where the kernel allows user namespaces.
"""

import atexit
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
INSIDE = "OTEL_TA_E2E_SANDBOX"
SERVERS = "OTEL_TA_E2E_CACHE"


def _unshare(folder):
    command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        command += ["--user", "--map-root-user"]
    trial = subprocess.run(command + ["true"], capture_output=True, text=True, check=False)
    if trial.returncode != 0:
        print("Bail out! the end-to-end tests need network, mount and PID namespaces, as root or in a "
              f"user namespace: {trial.stderr.strip()}", flush=True)
        sys.exit(3)
    os.environ[INSIDE] = folder
    return subprocess.call(command + [sys.executable, *sys.argv])


def _outside():
    """Runs this program again inside, and cleans up what even the kernel would leave."""
    folder = tempfile.mkdtemp(prefix="otel-ta-e2e-")
    os.environ[SERVERS] = subprocess.run([ROOT / "tests/e2e/build-servers", "--dir"], check=True, capture_output=True,
                                         text=True).stdout.strip()
    try:
        code = _unshare(folder)
    except KeyboardInterrupt:
        code = 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(code)


def _run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def enter_sandbox():
    """Returns only inside; must be the first thing a test does."""
    if INSIDE not in os.environ:
        _outside()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # The environment of whoever runs the tests must not steer the tools under test.
    for name in ("KUBECONFIG", "POD_NAME", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        os.environ.pop(name, None)
    os.environ["HOME"] = str(scratch())
    _run("mount", "-t", "tmpfs", "-o", "mode=0700", "tmpfs", str(scratch()))
    _run("ip", "link", "set", "lo", "up")
    name_loopback()
    atexit.register(_keep_if_asked)


def _keep_if_asked():
    kept = os.environ.get("OTEL_TA_E2E_KEEP")
    if kept:
        # A test may have made its root read-only.
        subprocess.run(["mount", "-o", "remount,bind,rw", "/"], stderr=subprocess.DEVNULL, check=False)
        shutil.copytree(scratch(), pathlib.Path(kept) / pathlib.Path(sys.argv[0]).stem, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("etcd"))


def scratch():
    return pathlib.Path(os.environ[INSIDE])


def server(name):
    """The path of a program that build-servers made."""
    path = f"{os.environ[SERVERS]}/{name}"
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"{path}: run tests/e2e/build-servers first")
    return path


def name_loopback(*names):
    """Gives 127.0.0.1 these names too, in this sandbox only."""
    hosts = scratch() / "hosts"
    first = not hosts.exists()
    with open(hosts, "a", encoding="ascii") as file:
        file.write("".join(f"127.0.0.1 {name}\n" for name in (["localhost"] if first else []) + list(names)))
    if first:
        _run("mount", "--bind", str(hosts), "/etc/hosts")


def wait_for(what, check, timeout_s=60, every_s=0.05):
    """Returns the first true result of check(); raises when there is none in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {what} within {timeout_s} s")
        time.sleep(every_s)


class Process:
    """A server of the rig, its log in the scratch folder."""

    def __init__(self, name, command, env=None, log=None):
        self.name = name
        self.log_path = scratch() / (log or f"{name}.log")
        with open(self.log_path, "ab") as log_file:
            self.popen = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log_file,
                                          stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def check_alive(self):
        code = self.popen.poll()
        if code is not None:
            raise RuntimeError(f"{self.name} ended with exit code {code}:\n" + "\n".join(self.log().splitlines()[-30:]))
        return True

    def kill(self):
        self.popen.kill()
        self.popen.wait()

    def terminate(self, timeout_s=60):
        """Asks it to stop, and returns its exit code."""
        self.popen.terminate()
        return self.popen.wait(timeout_s)

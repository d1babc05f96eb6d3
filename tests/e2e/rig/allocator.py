"""Our own program, as webhook and as allocator."""

import os
import subprocess
import urllib.error
import urllib.request

from .cluster import Result, is_up
from .sandbox import ROOT, Process, scratch, wait_for

BINARY = os.environ.get("OTEL_TA", str(ROOT / "build/otel-ta"))


class Allocator:
    """`otel-ta serve`, by default with certificates of its own making in --cert-dir."""

    def __init__(self, *flags, listen="127.0.0.1:80", webhook_port=9443, own_certs=True):
        self.base = f"http://{listen}"
        self.webhook = f"https://127.0.0.1:{webhook_port}/mutate"
        self.cert_dir = scratch() / "certs"
        self.command = [BINARY, "serve", "--listen", listen, "--webhook-listen", f"127.0.0.1:{webhook_port}",
                        *flags]
        if own_certs:
            self.command += ["--cert-dir", self.cert_dir]
        self.process = None
        self.start()

    def start(self):
        self.process = Process(f"otel-ta-{self.base.rsplit(':', 1)[1]}", self.command)
        wait_for("otel-ta", lambda: self.process.check_alive() and is_up(self.base + "/readyz"))

    def kill(self):
        self.process.kill()

    def log(self):
        return self.process.log()

    def get(self, path):
        """GET of the allocator's API: status and body."""
        try:
            with urllib.request.urlopen(self.base + path, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    @staticmethod
    def run(*words, stdin=None):
        """Another command of the same program, offline."""
        return Result(subprocess.run([BINARY, *[str(word) for word in words]], input=stdin, capture_output=True,
                                     text=True, check=False))

"""What the measuring programs share: the program under test, CPU clocks, one HTTP connection, nginx, statistics, the report.

CPU is the CPU clock of the whole process (clock_getcpuclockid: what utime + stime add up to, in nanoseconds instead of
ticks). On a machine with two cores or more a server is pinned to core 0 and whoever drives it to core 1.
"""

import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = str(ROOT / "build/otel-ta")
HAS_CORES = (os.cpu_count() or 1) > 1
SERVER_CORES = "0"
# Ended from outside, a measurement still stops its servers and removes its files.
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
SERVE = ["--log-format", "logfmt", "--shutdown-delay", "0s"]


def take_client_core():
    """The calling process, and what it starts without other word, runs on core 1."""
    if HAS_CORES:
        os.sched_setaffinity(0, {1})


def pinned(command, cores=SERVER_CORES):
    return ["taskset", "-c", cores, *command] if HAS_CORES else command


def cpu_s(pid):
    return time.clock_gettime((~pid << 3) | 2)


def memory(pid, name):
    return int(re.search(name + r":\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) * 1024


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def place_for(n_bytes):
    """A directory with room for so much: in memory when half of what is free there is enough, else on disk; None: nowhere."""
    available = int(re.search(r"MemAvailable:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text(encoding="utf-8")).group(1)) * 1024
    if os.path.isdir("/dev/shm") and n_bytes < min(available, shutil.disk_usage("/dev/shm").free) // 2:
        return "/dev/shm"
    return tempfile.gettempdir() if n_bytes < shutil.disk_usage(tempfile.gettempdir()).free * 0.9 else None


def big_folder(n_bytes):
    place = place_for(n_bytes)
    if place is None:
        sys.exit(f"{os.path.basename(sys.argv[0])}: {n_bytes >> 20} MiB of targets fit neither into memory nor into {tempfile.gettempdir()}")
    return tempfile.TemporaryDirectory(prefix="otel-ta-bench-", dir=place)


def sizes_with_room(report, text, bytes_each):
    """The numbers of a list like "10000,1000000" whose targets fit somewhere; the report says which do not."""
    sizes = [int(size) for size in text.split(",")]
    fitting = [size for size in sizes if place_for(size * bytes_each) is not None]
    for size in set(sizes) - set(fitting):
        report.warn(f"{size} targets fit neither into memory nor into {tempfile.gettempdir()}: left out")
    return fitting


def replace(path, data):
    """The file has new content, by rename: nobody sees half of it."""
    with open(path + ".new", "wb", buffering=0) as file:
        file.write(data)
    os.rename(path + ".new", path)


class Program:
    """otel-ta serve, logging into a file."""

    def __init__(self, binary, *flags, cores=SERVER_CORES):
        self.log = tempfile.NamedTemporaryFile("rb", prefix="otel-ta-bench-log-")
        self.text = ""
        self.started = time.monotonic()
        with open(self.log.name, "ab") as log:
            self.popen = subprocess.Popen(pinned([binary, "serve", *flags, *SERVE], cores), stderr=log)
        self.pid = self.popen.pid

    def wait_for(self, pattern):
        while True:
            self.text += self.log.read().decode()
            found = re.search(pattern, self.text)
            if found:
                return found
            if self.popen.poll() is not None:
                sys.exit(f"{os.path.basename(sys.argv[0])}: the program ended:\n{self.text}")
            time.sleep(0.002)

    def address(self, listener):
        host, port = self.wait_for(rf"listener={listener} address=(\S+)").group(1).rsplit(":", 1)
        return host, int(port)

    def wait_complete(self):
        self.wait_for("every job had its first result")

    def cpu(self):
        return cpu_s(self.pid)

    def memory(self, name):
        return memory(self.pid, name)

    def settle(self, quiet_s=0.2):
        """Waits until it has had next to nothing to do for a while."""
        while True:
            before = self.cpu()
            time.sleep(quiet_s)
            if self.cpu() - before < quiet_s * 0.02:
                return

    def stop(self):
        self.popen.terminate()
        self.popen.wait()
        self.log.close()


class Nginx:
    """One worker with the given server block, '@port@' and '@folder@' filled in."""

    def __init__(self, folder, http):
        self.port = free_port()
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/nginx.conf", "w", encoding="utf-8") as file:
            file.write(f"""daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; default_type application/json; keepalive_requests 100000000; etag off; server_tokens off;
{http.replace('@port@', str(self.port)).replace('@folder@', folder)}
}}
""")
        # The worker gives up root: all of the way to its files must be readable for it.
        os.chmod(folder, 0o755)
        self.log = open(f"{folder}/start.log", "wb")
        environment = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin")
        self.popen = subprocess.Popen(pinned(["nginx", "-c", f"{folder}/nginx.conf", "-p", folder]), stdout=self.log, stderr=self.log,
                                      env=environment)
        deadline = time.monotonic() + 20
        while not (self.is_listening() and self.workers()):  # it listens before it has a worker
            if self.popen.poll() is not None or time.monotonic() > deadline:
                sys.exit("nginx does not start:\n" + pathlib.Path(f"{folder}/start.log").read_text(encoding="utf-8"))
            time.sleep(0.02)
        self.pid = int(self.workers()[0])

    def is_listening(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def workers(self):
        return pathlib.Path(f"/proc/{self.popen.pid}/task/{self.popen.pid}/children").read_text(encoding="utf-8").split()

    def stop(self):
        self.popen.send_signal(signal.SIGTERM)
        self.popen.wait(timeout=20)
        self.log.close()


class Connection:
    """One kept-alive HTTP/1.1 connection; get() returns (status, body). 'wrap' puts TLS on the socket."""

    def __init__(self, host, port, wrap=lambda sock: sock):
        sock = socket.create_connection((host, port), timeout=60)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = wrap(sock)
        self.host = f"{host}:{port}"
        self.buffer = bytearray(1 << 16)

    def get(self, path):
        return self.ask(f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\n\r\n".encode())

    def ask(self, request):
        self.sock.sendall(request)
        n, end = 0, -1
        while end < 0:
            n += self._receive(n)
            end = self.buffer.find(b"\r\n\r\n", 0, n)
        head = bytes(self.buffer[:end]).lower()
        length = re.search(rb"\r\ncontent-length: *(\d+)", head)
        if length is None:
            sys.exit(f"an answer without Content-Length: {head!r}")
        size = end + 4 + int(length.group(1))
        if len(self.buffer) < size:
            self.buffer.extend(bytes(size - len(self.buffer)))
        while n < size:
            n += self._receive(n)
        return int(head[9:12]), bytes(self.buffer[end + 4:size])

    def _receive(self, at):
        got = self.sock.recv_into(memoryview(self.buffer)[at:])
        if got == 0:
            sys.exit("the server closed the connection")
        return got

    def close(self):
        self.sock.close()


# ---- statistics


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * q))]


def median_interval(values):
    """Median and the bounds of its bootstrap 95 % interval."""
    dice = random.Random(1)
    medians = sorted(statistics.median(dice.choices(values, k=len(values))) for _ in range(1000))
    return statistics.median(values), medians[25], medians[974]


def variation(values):
    return statistics.stdev(values) / statistics.mean(values) if len(values) > 1 else 0.0


# ---- the report


def steal_ticks():
    fields = pathlib.Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()[1:9]
    return int(fields[7]), sum(map(int, fields))


class Report:
    """Rows for people on stderr as they come, everything as one JSON object on stdout at the end."""

    def __init__(self, name, **facts):
        self.steal = steal_ticks()
        self.out = {"bench": name, **facts, "cores": os.cpu_count(), "load_average_before": round(os.getloadavg()[0], 2), "rows": []}

    def row(self, text, **values):
        print(text, file=sys.stderr, flush=True)
        self.out["rows"].append(values)

    def warn(self, text):
        print("  ! " + text, file=sys.stderr, flush=True)
        self.out.setdefault("warnings", []).append(text)

    def end(self):
        stolen, total = (after - before for after, before in zip(steal_ticks(), self.steal))
        self.out["steal_percent"] = round(100 * stolen / max(total, 1), 2)
        if self.out["steal_percent"] > 2:
            self.warn(f"{self.out['steal_percent']} % of the CPU time was stolen by other machines: measure again")
        json.dump(self.out, sys.stdout, indent=1)
        print()

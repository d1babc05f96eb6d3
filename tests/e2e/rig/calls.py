"""Writes that go on while something else happens, and how many of them the webhook missed."""

import json
import threading

from . import cases
from .sandbox import wait_for


class Calls:
    """Dry-run writes of a Collector, one after the other, until stop(); returns once three have been answered."""

    def __init__(self, cluster):
        self.count = {"rewritten": 0, "missed": 0}
        self._cluster = cluster
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self.wait_for_more(3)

    def _run(self):
        while not self._is_over.is_set():
            answer = self._cluster.apply(cases.object_collector("call"), "--dry-run=server", "-o", "json")
            self.count["rewritten" if cases.originals_of(json.loads(answer.out)) else "missed"] += 1

    def wait_for_more(self, n):
        after = sum(self.count.values()) + n
        wait_for(f"{n} more writes", lambda: sum(self.count.values()) >= after)

    def stop(self):
        self._is_over.set()
        self._thread.join()

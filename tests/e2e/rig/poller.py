"""Somebody who asks for targets all the time, as collectors do."""

import json
import threading

from .tap import ok, same


class Poller(threading.Thread):
    """Calls ask(), which gives a status and a body, until end(), which tells what was no list of some targets."""

    def __init__(self, what, ask):
        super().__init__(daemon=True)
        self.what, self.ask, self.odd, self.n, self.over = what, ask, [], 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.01):
            status, body = self.ask()
            self.n += 1
            if status != 200 or json.loads(body) == []:
                self.odd.append((status, body))

    def end(self):
        self.over.set()
        self.join()
        ok(self.n > 0, f"{self.what} has asked {self.n} times")
        same(self.odd[:3], [], "and never got an empty list or an error")

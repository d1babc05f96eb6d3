"""The rig of the end-to-end tests: real servers on a private loopback, and a TAP writer.

A test is a program `tests/e2e/<letter><number>-<what>.t`: `a` admission, `d` discovery,
`m` manifests.  It calls enter_sandbox() first; everything it starts afterwards, and
everything it writes into scratch(), is gone when it ends, however it ends.
"""

from . import cases
from .allocator import Allocator
from .calls import Calls
from .cluster import COLLECTORS, KIND, Cluster
from .collector import Collector, Exporters, wait_until_shared
from .poller import Poller
from .sandbox import ROOT, enter_sandbox, name_loopback, scratch, wait_for
from .tap import diag, done, like, ok, same

__all__ = [
    "Allocator", "COLLECTORS", "Calls", "Cluster", "Collector", "Exporters", "KIND", "Poller", "ROOT", "cases", "diag", "done",
    "enter_sandbox", "like", "name_loopback", "ok", "same", "scratch", "wait_for", "wait_until_shared",
]

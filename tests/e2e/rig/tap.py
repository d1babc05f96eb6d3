"""Results in the Test Anything Protocol, as prove reads them."""

import json
import re
import sys

_state = {"count": 0, "failed": 0}


def diag(text):
    for line in str(text).splitlines():
        print("# " + line, flush=True)


def ok(condition, name):
    _state["count"] += 1
    if not condition:
        _state["failed"] += 1
    print(f"{'ok' if condition else 'not ok'} {_state['count']} - {name}", flush=True)
    return bool(condition)


def _show(value):
    return value if isinstance(value, str) else json.dumps(value, indent=1, sort_keys=True, default=sorted)


def same(got, want, name):
    if not ok(got == want, name):
        diag("got:")
        diag(_show(got))
        diag("want:")
        diag(_show(want))


def like(text, pattern, name):
    if not ok(re.search(pattern, text, re.S), name):
        diag(f"this has no match for {pattern!r}:")
        diag(text)


def done():
    print(f"1..{_state['count']}", flush=True)
    sys.exit(1 if _state["failed"] else 0)

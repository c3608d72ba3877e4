#!/usr/bin/env python3
"""tests/scenario/test_usage_unusual.py: days of a plugin's own meters that are
far from those before are told to the operator (spec/metering.md, 16).
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder, wait_until)

MANIFEST = dict(
    meters={"probe.note": {"kind": "count", "unit": "note",
                           "max_per_call": 1000000},
            "probe.page": {"kind": "count", "unit": "page",
                           "max_per_call": 1000000}},
    routes=[{"method": "POST", "path": "/notes", "caller": ["resident"]}])
LUA = """
local p = require("linli").plugin()
p:post("/notes", function(call)
    call:meter("probe." .. call.body.what, call.body.count,
        {at = call.body.back and call.now - call.body.back})
    return 201, {}
end)
return p
"""
HOUR_MS = 3600000
# 2031-03-01 is a Saturday.
MORNING = "2031-03-01T09:00:00+08:00"


class Bench(Daemon):
    """A linlid whose clock is ours, with a plugin that meters."""

    def __init__(self):
        super().__init__(options=["--clock=virtual"])

    def __enter__(self):
        self.made = temporary_folder()
        path = self.made.__enter__()
        super().__enter__()
        self.enable(plugin_folder(path, probe_manifest(**MANIFEST),
                                  main__lua=LUA))
        self.linli_ok("clock", "set", MORNING)
        return self

    def __exit__(self, *what):
        try:
            return super().__exit__(*what)
        finally:
            self.made.__exit__(*what)

    def note(self, count, what="note", back=None):
        body = {"what": what, "count": count}
        if back is not None:
            body["back"] = back
        answer = self.call("probe", "/notes", body, as_="resident:zhang-three",
                           key=os.urandom(8).hex())
        tap.equal(answer.status, 201, answer)

    def day_after(self):
        self.linli_ok("clock", "advance", "24h")

    def days(self, count, each=100, **more):
        for _ in range(count):
            self.note(each, **more)
            self.day_after()

    def told(self):
        """The alerts, oldest first."""
        items = self.linli_ok("alerts", "--json").json["items"]
        return [a for a in reversed(items)
                if a["kind"] == "linli.usage.unusual"]

    def told_days(self):
        return [(a["data"]["meter"], a["data"]["day"], a["data"]["is"])
                for a in self.told()]


def test_a_day_far_above_is_told_once():
    with Bench() as d:
        d.days(10)
        tap.equal(d.told(), [])
        d.note(5000)
        # Nothing before the day is over; then at once, at local midnight.
        d.linli_ok("clock", "set", "2031-03-11T23:59:59+08:00")
        tap.equal(d.told(), [])
        d.linli_ok("clock", "advance", "1s")
        alert, = d.told()
        tap.equal(alert["at"], "2031-03-11T16:00:00.000Z")
        tap.equal((alert["plugin"], alert["state"]), ("probe", "open"))
        tap.equal(alert["data"], {
            "meter": "probe.note", "day": "2031-03-11", "is": "above",
            "quantity": "5000", "median": "100", "spread": "0",
            "least": "50", "most": "150", "days": 10})
        # Also when it has been seen to, and after a restart.
        tap.equal(d.http("POST", "/v1/c/demo/admin/alerts/%s/close" %
                         alert["id"], {"reason": "asked them"},
                         as_="operator:o").status, 200)
        d.stop()
        d.start()
        d.note(100)
        d.day_after()
        tap.equal(len(d.told()), 1)
        tap.equal(d.told()[0]["state"], "closed")


def test_other_meters_and_quiet_days():
    """Each meter by itself; few days say nothing; little is never unusual."""
    with Bench() as d:
        for _ in range(8):
            d.note(100)
            d.note(2, what="page")
            d.day_after()
        d.note(100)
        d.note(11, what="page")
        d.day_after()
        tap.equal(d.told(), [])
        d.note(100)
        d.note(13, what="page")
        d.day_after()
        tap.equal(d.told_days(), [("probe.page", "2031-03-10", "above")])


def test_what_comes_late_changes_the_day_of_then():
    """A claim that is laid back into a day that was judged is judged too."""
    with Bench() as d:
        d.days(10)
        d.note(100)
        d.note(7000, back=60 * HOUR_MS)
        d.day_after()
        tap.equal(d.told_days(), [("probe.note", "2031-03-08", "above")])


def test_an_end_is_told_once():
    with Bench() as d:
        d.days(10)
        d.linli_ok("clock", "advance", "240h")
        tap.equal(d.told_days(), [("probe.note", "2031-03-11", "below")])
        tap.equal(d.told()[0]["at"], "2031-03-11T16:00:00.000Z")


def test_what_was_missed_is_found():
    """The clock goes on while linlid is down, or jumps."""
    with Bench() as d:
        d.days(10)
        d.note(9000)
        d.linli_ok("clock", "set", "2031-03-14T09:00:00+08:00")
        wait_until(lambda: len(d.told()) == 2)
        tap.equal(d.told_days(), [("probe.note", "2031-03-11", "above"),
                                  ("probe.note", "2031-03-12", "below")])


if __name__ == "__main__":
    tap.main()

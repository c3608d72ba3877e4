#!/usr/bin/env python3
"""tests/scenario/test_timer_queue.py: a queue of more timers than are looked up at
once, moved and cancelled while it waits, under a virtual clock.
"""

import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder)

MAIN = """
local linli = require "linli"
local p = linli.plugin()

-- {{key, at}, ...}; at absent: cancelled
p:post("/run", function(call)
  for _, wish in ipairs(call.body) do
    if wish.at then
      call:timer { key = wish.key, at = wish.at, run = "ring",
                   with = { key = wish.key } }
    else
      call:cancel(wish.key)
    end
  end
  return 204
end)

p:get("/rung", function(call)
  local rung, items, after = linli.array()
  repeat
    items, after = call.db.ring:list { limit = 100, cursor = after }
    for _, item in ipairs(items) do rung[#rung + 1] = item end
  until not after
  return 200, rung
end)

p:timer("ring", function(call, with)
  call.db.ring:insert { key = with.key, now = call.now, due = call.due }
end)
return p
"""

MANIFEST = {
    "collections": {"ring": {}}, "timers": ["ring"],
    "routes": [{"method": "POST", "path": "/run", "caller": ["resident"]},
               {"method": "GET", "path": "/rung", "caller": ["resident"]}]}


class Queue:
    """What the timers are to be, beside what they are."""

    def __init__(self, d):
        self.d, self.due, self.rung = d, {}, {}
        self.now = d.http("GET", "/v1/dev/clock", headers=self._admin()
                          ).json["ms"]
        self.wishes = 0

    def _admin(self):
        return {"Authorization": "Bearer " + self.d.ready["admin_token"]}

    def wish(self, wishes):
        """Set, move and cancel: {key: in how many ms, or None}."""
        self.wishes += 1
        rows = [{"key": key} if ms is None
                else {"key": key, "at": self.now + ms}
                for key, ms in wishes.items()]
        answer = self.d.call("probe", "/run", rows, key="w%d" % self.wishes)
        tap.equal(answer.status, 204, answer)
        for key, ms in wishes.items():
            self.due.pop(key, None)
            if ms is not None:
                self.due[key] = self.now + ms

    def go(self, ms):
        """The clock goes on; what is due rings at its own time."""
        answer = self.d.http("POST", "/v1/dev/clock/advance", {"ms": ms},
                             headers=self._admin())
        tap.equal(answer.status, 200, answer)
        self.now += ms
        for key in [k for k, at in self.due.items() if at <= self.now]:
            self.rung.setdefault(key, []).append(self.due.pop(key))
        found = {}
        for row in self.d.call("probe", "/rung", method="GET").json:
            tap.equal(row["now"], row["due"], "rings at its time: %r" % row)
            found.setdefault(row["key"], []).append(row["due"])
        for rings in found.values():
            rings.sort()
        tap.equal(found, self.rung, "what has rung")


def queue_of(d, parent):
    """A queue of the probe plugin."""
    manifest = probe_manifest(**MANIFEST)
    d.enable(plugin_folder(parent, manifest, main__lua=MAIN))
    return Queue(d)


def test_one_that_is_moved_behind_all():
    with temporary_folder() as parent, \
            Daemon(options=["--clock=virtual"]) as d:
        queue = queue_of(d, parent)
        queue.wish({"t%03d" % n: 1000 + n for n in range(90)})
        queue.go(1000)  # one rings; those that come next are looked up
        queue.wish({"t001": 5000, "t002": None, "t003": 500})
        queue.go(100)
        queue.go(5000)
        tap.equal(queue.due, {}, "what is left")


def test_at_random():
    dice = random.Random(7)
    with temporary_folder() as parent, \
            Daemon(options=["--clock=virtual"]) as d:
        queue = queue_of(d, parent)
        for _ in range(25):
            queue.wish({"t%03d" % dice.randrange(150):
                        dice.choice((None, 0, 1, dice.randrange(3000)))
                        for _ in range(dice.randrange(60))})
            queue.go(dice.choice((0, 1, dice.randrange(900))))


if __name__ == "__main__":
    tap.main()

#!/usr/bin/env python3
# test-timeout-s: 120
"""tests/scenario/test_timers.py: spec/timers.md, live."""

import contextlib
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder, wait_until)

START = "2030-01-01T00:00:00Z"
NOW = 1893456000000
MANIFEST = dict(
    collections={"ring": {"indexes": {"by_at": {"fields": ["at", "n"]}}}},
    timers=["ring", "chain", "broken", "tick"],
    routes=[{"method": "POST", "path": "/set", "caller": ["resident"]},
            {"method": "POST", "path": "/cancel", "caller": ["resident"]},
            {"method": "GET", "path": "/rings", "caller": ["resident"]},
            {"method": "GET", "path": "/set", "caller": ["resident"]}])
LUA = """
local linli = require("linli")
local p = linli.plugin()
local function note(call, with)
    call.db.ring:insert{n = with.n, at = call.due, now = call.now,
        kind = call.kind, caller = call.caller.kind}
end
local function set(call)
    local keys = {}
    for i, t in ipairs(call.body.timers) do
        keys[i] = call:timer{at = t.at, run = t.run or "ring", key = t.key,
                             with = t.with or {n = i}}
    end
    if call.body.fail then error("nothing of this") end
    return 200, {keys = linli.array(keys)}
end
p:post("/set", set)
p:get("/set", function(call)
    call:timer{at = call.now, run = "ring"}
    return 200
end)
p:post("/cancel", function(call)
    return 200, {was = call:cancel(call.body.key)}
end)
p:get("/rings", function(call)
    local items, cursor, all = nil, nil, {}
    repeat
        items, cursor = call.db.ring:list{index = "by_at", limit = 100,
                                          cursor = cursor}
        for _, item in ipairs(items) do all[#all + 1] = item end
    until not cursor
    return 200, {items = linli.array(all)}
end)
p:timer("ring", note)
p:timer("chain", function(call, with)
    note(call, with)
    if with.n > 0 then
        call:timer{at = call.due + 1000, run = "chain",
                   with = {n = with.n - 1}}
    end
end)
p:timer("tick", function(call, with)
    note(call, with)
    if with.busy then
        local n = 0
        for i = 1, 2000000 do n = n + i end
    end
    if with.n > 0 then
        call:timer{at = call.due + 1000, run = "tick", key = with.key,
                   with = {n = with.n - 1, key = with.key}}
    elseif with.key then
        call:cancel(with.key)
    end
end)
p:timer("broken", function(call, with)
    linli.log.warn("attempt " .. with.name .. " " .. call.now)
    if call.now < with.good_at then error("not yet") end
    note(call, {n = 1})
end)
return p
"""


class Clock:
    """A daemon with the plugin and a clock of ours."""

    def __init__(self, d, folder):
        self.d = d
        self.folder = folder
        self.count = 0

    def post(self, path, body):
        """A call that must end well; its JSON."""
        self.count += 1
        answer = self.d.call("alarm", path, body,
                             key="k%d-%s" % (self.count, os.urandom(4).hex()))
        tap.equal(answer.status, 200, answer)
        return answer.json

    def set(self, *timers):
        """Sets timers; their keys."""
        return self.post("/set", {"timers": list(timers)})["keys"]

    def cancel(self, key):
        """Whether there was one."""
        return self.post("/cancel", {"key": key})["was"]

    def advance(self, duration):
        """The clock goes on."""
        self.d.linli_ok("clock", "advance", duration)

    def rings(self, member=None):
        """What has rung, by when it was due."""
        answer = self.d.call("alarm", "/rings", method="GET")
        tap.equal(answer.status, 200, answer)
        items = answer.json["items"]
        return [i[member] for i in items] if member else items

    def logged(self, code):
        """Whether a line of the log says so."""
        return any(code in line.get("msg", "") for line in self.d.log_lines())

    def attempts(self, name):
        """When a broken one was tried: ms since the start."""
        words = [line["msg"].split() for line in self.d.log_lines()
                 if line["code"] == "plugin.log"]
        return [int(w[2]) - NOW for w in words
                if w[:2] == ["attempt", name]]


@contextlib.contextmanager
def clock(options=("--clock=virtual",)):
    """A daemon with the plugin; the virtual clock stands at START."""
    with temporary_folder() as folder:
        plugin = plugin_folder(folder, probe_manifest("alarm", **MANIFEST),
                               main__lua=LUA)
        with Daemon(options=list(options)) as d:
            if options:
                d.linli_ok("clock", "set", START)
            d.enable(plugin)
            yield Clock(d, plugin)


def at(seconds, **more):
    """A timer so long after the start."""
    return dict(more, at=NOW + int(seconds * 1000))


def test_a_timer_rings_once():
    with clock() as c:
        keys = c.set(at(10), at(10), at(20, key="mine"))
        tap.equal(len(set(keys)), 3)
        tap.equal(keys[2], "mine")
        c.advance("9s")
        tap.equal(c.rings(), [])
        c.advance("1s")
        rings = c.rings()
        tap.equal([(r["n"], r["at"], r["now"]) for r in rings],
                  [(1, NOW + 10000, NOW + 10000), (2, NOW + 10000,
                                                   NOW + 10000)])
        tap.equal((rings[0]["kind"], rings[0]["caller"]),
                  ("timer", "system"))
        c.advance("1d")
        tap.equal(c.rings("n"), [1, 2, 3])
        # Each saw the instant at which it was due, not the end of the day.
        tap.equal(c.rings("now"), c.rings("at"))


def test_the_same_key_replaces():
    with clock() as c:
        c.set(at(10, key="k", **{"with": {"n": 1}}))
        c.set(at(30, key="k", **{"with": {"n": 2}}))
        c.advance("20s")
        tap.equal(c.rings(), [])
        c.set(at(25, key="k", **{"with": {"n": 3}}))
        c.advance("1h")
        tap.equal([(r["n"], r["at"] - NOW) for r in c.rings()], [(3, 25000)])
        # Within one call too; and who has rung may be set again.
        c.set(at(4000, key="k", **{"with": {"n": 4}}),
              at(5000, key="k", **{"with": {"n": 5}}))
        c.advance("2h")
        tap.equal(c.rings("n"), [3, 5])


def test_cancel():
    with clock() as c:
        c.set(at(10, key="k"))
        tap.equal([c.cancel("k"), c.cancel("k"), c.cancel("none")],
                  [True, False, False])
        c.advance("1m")
        tap.equal(c.rings(), [])
        c.set(at(70, key="k"))
        c.advance("1m")
        tap.equal(c.cancel("k"), False)
        tap.equal(c.rings("at"), [NOW + 70000])


def test_a_call_that_fails_sets_nothing():
    with clock() as c:
        answer = c.d.call("alarm", "/set", {"timers": [at(1)], "fail": True},
                          key="f")
        tap.equal((answer.status, answer.code), (500, "plugin/error"))
        answer = c.d.call("alarm", "/set", method="GET")
        tap.equal((answer.status, answer.code), (500, "plugin/error"))
        tap.equal(c.logged("db/read-only"), True)
        answer = c.d.call("alarm", "/set", {"timers": [at(1, run="nobody")]},
                          key="g")
        tap.equal(answer.status, 500, answer)
        tap.equal(c.logged("db/undeclared"), True)
        c.advance("1h")
        tap.equal(c.rings(), [])


def test_cancelled_or_rung_never_both():
    """Calls cancel while the timers of that instant ring."""
    with clock() as c:
        keys = ["k%d" % i for i in range(60)]
        for i, key in enumerate(keys):
            c.set(at(10, key=key, **{"with": {"n": i}}))
        was = {}

        def cancel(some):
            for key in some:
                was[key] = c.cancel(key)
        threads = [threading.Thread(target=cancel, args=(keys[i::4],))
                   for i in range(4)]
        for t in threads[:2]:
            t.start()
        c.advance("10s")
        for t in threads[2:]:
            t.start()
        for t in threads:
            t.join()
        rung = c.rings("n")
        tap.equal(len(set(rung)), len(rung), "rung twice")
        for i, key in enumerate(keys):
            tap.equal(was[key], i not in rung, key)


def test_restarts():
    with clock() as c:
        c.set(at(10), at(5000))
        c.d.kill()
        c.d.restart()
        c.advance("10s")
        tap.equal(c.rings("at"), [NOW + 10000])
        c.d.stop()
        c.d.restart()
        tap.equal(c.cancel("none"), False)
        c.advance("2h")
        tap.equal(c.rings("at"), [NOW + 10000, NOW + 5000000])


def test_what_fell_due_while_it_was_down():
    """By the real clock: late, but there."""
    with clock(()) as c:
        now = int(time.time() * 1000)
        c.set({"at": now - 5000, "with": {"n": 0}})
        wait_until(lambda: c.rings(), 5.0)
        c.set({"at": now + 600, "with": {"n": 1}},
              {"at": now + 3000, "with": {"n": 2}})
        c.d.kill()
        time.sleep(1.0)
        c.d.restart()
        wait_until(lambda: len(c.rings()) >= 2, 2.0)
        tap.equal(c.rings("n"), [0, 1])
        wait_until(lambda: len(c.rings()) >= 3, 5.0)
        tap.equal(c.rings("n"), [0, 1, 2])
        for ring in c.rings():
            tap.equal(ring["now"] >= ring["at"], True, ring)


def test_order():
    with clock() as c:
        steps = [7, 3, 9, 1, 8, 2, 6, 4, 5]
        c.set(*[at(s, **{"with": {"n": s}}) for s in steps])
        c.set(*[at(100 + s / 1000, **{"with": {"n": 100 + s}})
                for s in steps])
        c.advance("1h")
        tap.equal(c.rings("n"), sorted(steps) + [100 + s
                                                 for s in sorted(steps)])
        tap.equal(c.rings("now"), c.rings("at"))


def test_what_timers_set_has_its_turn():
    with clock() as c:
        c.set(at(1, run="chain", **{"with": {"n": 59}}))
        c.advance("30s")
        tap.equal(len(c.rings()), 30)
        c.advance("1d")
        tap.equal(c.rings("at"), [NOW + s * 1000 for s in range(1, 61)])
        tap.equal(c.rings("now"), c.rings("at"))


def test_one_that_sets_itself_anew():
    """The key of a timer that rings is free for its own handler."""
    with clock() as c:
        c.set(at(1, run="tick", key="t", **{"with": {"n": 9, "key": "t"}}))
        c.advance("5s")
        tap.equal(c.rings("at"), [NOW + s * 1000 for s in range(1, 6)])
        c.d.kill()
        c.d.restart()
        c.advance("1h")
        tap.equal(c.rings("at"), [NOW + s * 1000 for s in range(1, 11)])
        tap.equal(c.cancel("t"), False)
    with clock(()) as c:  # by the real clock, too
        now = int(time.time() * 1000)
        c.set({"at": now, "run": "tick", "key": "t",
               "with": {"n": 2, "key": "t"}})
        wait_until(lambda: len(c.rings()) >= 3, 10.0)
        tap.equal(c.rings("n"), [2, 1, 0])


def test_replaced_while_it_rings():
    """Either it rings first and then what replaced it, or the latter
    alone."""
    with clock(()) as c:
        for i in range(12):
            key, now = "r%d" % i, int(time.time() * 1000)
            c.set({"at": now + 30, "run": "tick", "key": key,
                   "with": {"n": 0, "busy": True, "key": "none"}})
            time.sleep(0.03 + i * 0.003)
            later = int(time.time() * 1000) + 100
            c.set({"at": later, "run": "ring", "key": key,
                   "with": {"n": 100 + i}})
            wait_until(lambda: 100 + i in c.rings("n"), 5.0)
            tap.equal(c.rings("n").count(100 + i), 1, "it rings once")
        tap.equal(c.rings("n").count(0) <= 12, True)


def test_many():
    with clock() as c:
        for i in range(5):
            c.set(*[at(10 + i, **{"with": {"n": i * 100 + k}})
                    for k in range(100)])
        c.advance("1m")
        tap.equal(c.rings("n"), list(range(500)))


def test_a_failure_is_tried_again():
    with clock() as c:
        c.set(at(10, run="broken", **{"with": {"name": "a",
                                               "good_at": NOW + 17000}}))
        c.advance("10s")
        tap.equal(c.attempts("a"), [10000])
        c.advance("3s")
        tap.equal(c.attempts("a"), [10000, 11000, 13000])
        # A restart forgets neither the failures nor the pause.
        c.d.kill()
        c.d.restart()
        c.advance("1h")
        tap.equal(c.attempts("a"), [10000, 11000, 13000, 17000])
        ring, = c.rings()
        tap.equal((ring["at"] - NOW, ring["now"] - NOW), (10000, 17000))
        tap.equal(c.d.linli_ok("alerts", "--json").json["items"], [])


def test_a_dead_one_is_left_with_an_alert():
    with clock() as c:
        c.set(at(0, run="broken", key="dead",
                 **{"with": {"name": "b", "good_at": NOW * 2}}))
        c.advance("7d")
        pauses = [0] + [sum(1000 * 2 ** i for i in range(n))
                        for n in range(1, 10)]
        tap.equal(c.attempts("b"), pauses)
        alert, = c.d.linli_ok("alerts", "--json").json["items"]
        tap.equal((alert["kind"], alert["plugin"], alert["state"]),
                  ("linli.dead_timer", "alarm", "open"))
        tap.equal(alert["data"], {"id": "dead", "run": "broken",
                                  "code": "plugin/error", "attempts": 10})
        # It is left, not gone: whoever knows its key may set it again.
        c.d.kill()
        c.d.restart()
        c.advance("1d")
        tap.equal(len(c.attempts("b")), 10)
        c.set(at(700000, key="dead", **{"with": {"n": 9}}))
        # With that it is dead no more.
        alert, = c.d.linli_ok("alerts", "--json").json["items"]
        tap.equal((alert["state"], alert["closed_by"]), ("closed", "linli"))
        c.advance("2d")
        tap.equal(c.rings("n"), [9])


def test_a_disabled_plugin_has_them_later():
    with clock() as c:
        c.set(at(10), at(20))
        c.d.linli_ok("plugin", "disable", "alarm")
        c.advance("15s")
        c.d.kill()
        c.d.restart()
        c.d.enable(c.folder)
        wait_until(lambda: c.rings(), 5.0)
        tap.equal([(r["at"] - NOW, r["now"] - NOW) for r in c.rings()],
                  [(10000, 15000)])
        c.advance("1m")
        tap.equal([(r["at"] - NOW, r["now"] - NOW) for r in c.rings()],
                  [(10000, 15000), (20000, 20000)])


if __name__ == "__main__":
    tap.main()

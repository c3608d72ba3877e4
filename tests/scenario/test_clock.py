#!/usr/bin/env python3
# test-timeout-s: 120
"""tests/scenario/test_clock.py: what a virtual clock means to plugins: the
time that their calls see, and that everything due on the way is done at its
instant (spec/timers.md, section 3). The commands are test_dev.py's."""

import contextlib
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_device import KEY_HEX, Device  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder, wait_until)

NOW = 1893456000000  # 2030-01-01T00:00:00Z
HOUR = 3600000
DAY = 24 * HOUR
MANIFEST = dict(
    collections={
        "log": {},
        "short": {"retention": {"days": 2}},
        "leave": {"retention": {"days": 1, "from": "left_at"}}},
    timers=["step", "hourly"],
    events={"publishes": ["gates.step"], "handles": ["gates.step"]},
    routes=[{"method": "POST", "path": "/do", "caller": ["resident"]},
            {"method": "GET", "path": "/log", "caller": ["resident"]},
            {"method": "GET", "path": "/kept", "caller": ["resident"]},
            {"method": "POST", "path": "/gates/:gate/entry",
             "caller": ["device"], "bound": "gate",
             "fallback": {"status": 204}}])
LUA = """
local linli = require("linli")
local p = linli.plugin()
local function note(call, what)
    local log = call.db.log:get("log") or {id = "log", seen = linli.array()}
    log.seen[#log.seen + 1] = {what, call.now}
    call.db.log:put(log)
end
p:post("/do", function(call)
    local b = call.body
    if b.timers then
        for _, t in ipairs(b.timers) do
            call:timer{at = t.at, run = t.run or "step", with = t}
        end
    end
    if b.put then call.db[b.put]:put(b.doc) end
    if b.note then note(call, b.note) end
    return 200, {now = call.now}
end)
p:get("/log", function(call)
    return 200, call.db.log:get("log") or {seen = linli.array()}
end)
p:get("/kept", function(call)
    local ids = linli.array()
    for _, name in ipairs{"short", "leave"} do
        for _, doc in ipairs((call.db[name]:list{})) do
            ids[#ids + 1] = doc.id
        end
    end
    return 200, {ids = ids}
end)
p:timer("step", function(call, t)
    note(call, "timer " .. t.name)
    if t.publish then call:event("gates.step", {name = t.name}) end
end)
p:timer("hourly", function(call, t)
    note(call, "hour " .. t.left)
    if t.left > 0 then
        call:timer{at = call.due + linli.hour, run = "hourly",
                   with = {left = t.left - 1}}
    end
end)
p:event("gates.step", function(call, event)
    note(call, "event " .. event.data.name)
    call:timer{at = call.now + 500, run = "step",
               with = {name = event.data.name .. "+"}}
end)
p:post("/gates/:gate/entry", function(call)
    if not call.late then call.host.probe_wait(10000) end
    note(call, "entry " .. call.body.plate)
    return 204
end)
return p
"""


class Gates:
    """A daemon with the plugin; its clock stands at NOW."""

    def __init__(self, d):
        self.d = d

    def do(self, **body):
        """A call; when it believes to be."""
        answer = self.d.call("gates", "/do", body, key=os.urandom(8).hex())
        tap.equal(answer.status, 200, answer)
        return answer.json["now"]

    def log(self):
        """What has happened, in order: [what, ms since NOW]."""
        seen = self.d.call("gates", "/log", method="GET").json["seen"]
        return [[what, when - NOW] for what, when in seen]

    def kept(self):
        """Documents that are there."""
        return self.d.call("gates", "/kept", method="GET").json["ids"]

    def advance(self, duration):
        """The clock goes on."""
        return self.d.linli_ok("clock", "advance", duration)


@contextlib.contextmanager
def gates():
    """See Gates."""
    with temporary_folder() as folder:
        plugin = plugin_folder(folder, probe_manifest("gates", **MANIFEST),
                               main__lua=LUA)
        with Daemon(options=["--clock=virtual"],
                    config={"worker": {"drafts": True}}) as d:
            d.linli_ok("clock", "set", str(NOW))
            path = os.path.join(folder, "seed.json")
            with open(path, "w", encoding="utf-8") as f:
                f.write('{"communities":[{"id":"demo"}],"devices":[{"id":'
                        '"g1","community":"demo","plugin":"gates","key_hex":'
                        '"%s","bound_to":"north"}],"plugins":[{"path":"%s",'
                        '"community":"demo"}]}' % (KEY_HEX, plugin))
            d.linli_ok("seed", path)
            yield Gates(d)


def test_it_stands():
    with gates() as g:
        tap.equal(g.do(note="a"), NOW)
        time.sleep(0.1)
        tap.equal(g.do(note="b"), NOW)
        g.advance("90s")
        tap.equal(g.do(), NOW + 90000)
        for end in (g.d.stop, g.d.kill):
            end()
            g.d.restart()
            tap.equal(g.do(), NOW + 90000)
        tap.equal(g.log(), [["a", 0], ["b", 0]])


def test_an_advance_stops_at_each_instant():
    """Timers, the events they publish, and the timers that those set: each
    at its own time, and all of it before the advance is over."""
    with gates() as g:
        g.do(timers=[{"at": NOW + 3000, "name": "c", "publish": True},
                     {"at": NOW + 1000, "name": "a", "publish": True},
                     {"at": NOW + 1500, "name": "b"},
                     {"at": NOW + 9000, "name": "d"}])
        g.advance("5s")
        want = [["timer a", 1000], ["event a", 1000], ["timer c", 3000],
                ["event c", 3000], ["timer c+", 3500]]
        seen = g.log()
        # "b" and "a+" are due at one instant: in any order.
        tap.equal([s for s in seen if s[1] != 1500], want)
        tap.equal(sorted(s for s in seen if s[1] == 1500),
                  [["timer a+", 1500], ["timer b", 1500]])
        tap.equal([s[1] for s in seen], sorted(s[1] for s in seen))


def test_a_jump():
    """What is due is done then, and sees the time that it is."""
    with gates() as g:
        g.do(timers=[{"at": NOW + 1000, "name": "a"},
                     {"at": NOW + 2000, "name": "b"}])
        g.d.linli_ok("clock", "set", str(NOW + HOUR))
        wait_until(lambda: len(g.log()) == 2, 5.0)
        tap.equal(sorted(g.log()), [["timer a", HOUR], ["timer b", HOUR]])


def test_a_year_in_hours():
    with gates() as g:
        g.do(timers=[{"at": NOW, "run": "hourly", "left": 400}])
        began = time.monotonic()
        g.advance("365d")
        took = time.monotonic() - began
        tap.comment("401 instants in %.1f s" % took)
        tap.equal(g.log(), [["hour %d" % (400 - i), i * HOUR]
                            for i in range(401)])


def test_a_device_waits_for_real():
    """The fallback comes by the time of people; the event by the clock."""
    with gates() as g:
        gate = Device(g.d, "g1")
        began = time.monotonic()
        answer = gate.send("/gates/north/entry", {"plate": "A1"},
                           ts=NOW // 1000)
        tap.equal(answer.status, 204, answer)
        tap.equal(0.5 < time.monotonic() - began < 1.5, True)
        time.sleep(0.3)
        tap.equal(g.log(), [])
        g.advance("1s")
        tap.equal(g.log(), [["entry A1", 0]])


def test_documents_go_when_their_time_is_over():
    with gates() as g:
        g.do(put="short", doc={"id": "s1"})
        g.do(put="leave", doc={"id": "stays"})
        g.do(put="leave", doc={"id": "l1", "left_at": NOW + 12 * HOUR})
        g.advance("1d")
        g.do(put="short", doc={"id": "s1"})  # counts from the last write
        g.do(put="short", doc={"id": "s2"})
        tap.equal(g.kept(), ["s1", "s2", "l1", "stays"])
        g.advance("12h")
        tap.equal(g.kept(), ["s1", "s2", "stays"])
        g.d.kill()
        g.d.restart()
        g.advance("35h")
        tap.equal(g.kept(), ["s1", "s2", "stays"])
        g.advance("1h")
        tap.equal(g.kept(), ["stays"])
        g.advance("3650d")
        tap.equal(g.kept(), ["stays"])


def test_one_advance_at_a_time():
    with gates() as g:
        g.do(timers=[{"at": NOW, "run": "hourly", "left": 300}])
        codes = []

        def go():
            codes.append(g.d.linli("clock", "advance", "400h"))
        threads = [threading.Thread(target=go) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        ended = sum(run.code == 0 for run in codes)
        for run in codes:
            if run.code != 0:
                tap.contains(run.err, "error[runtime/busy]")
        tap.equal(g.do(), NOW + ended * 400 * HOUR)
        tap.equal(len(g.log()), 301)


def test_a_stop_in_the_middle():
    """What was done is done; the rest waits for the next process."""
    with gates() as g:
        g.do(timers=[{"at": NOW, "run": "hourly", "left": 2000}])
        runs = []
        thread = threading.Thread(target=lambda: runs.append(
            g.d.linli("clock", "advance", "3000h")))
        thread.start()
        time.sleep(0.7)
        g.d.stop()
        thread.join()
        tap.equal(runs[0].code != 0, True)
        g.d.restart()
        g.advance("2000h")
        tap.equal(g.log(), [["hour %d" % (2000 - i), i * HOUR]
                            for i in range(2001)])


if __name__ == "__main__":
    tap.main()

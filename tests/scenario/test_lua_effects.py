#!/usr/bin/env python3
"""tests/scenario/test_lua_effects.py: call:try_code, call:meter and what
routes may not do, against the real host.

The shapes of arguments and answers are tested with a fake host
(tests/unit/test_lua_effects.c).
"""

import contextlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder)

NOW = 1893456000000  # 2030-01-01T00:00:00Z
MANIFEST = dict(
    collections={"note": {}},
    timers=["ring"],
    events={"publishes": ["probe.done"]},
    alerts=["probe.odd"],
    meters={"probe.used": {"kind": "count", "unit": "use",
                           "max_per_call": 10},
            "probe.other": {"kind": "count", "unit": "use"}},
    problems={"probe/no": {"status": 409,
                           "title": {"zh-CN": "不行", "en": "No"}}},
    routes=[{"method": "POST", "path": "/run", "caller": ["resident"]},
            {"method": "POST", "path": "/safe", "caller": ["resident"],
             "safe": True},
            {"method": "GET", "path": "/look", "caller": ["resident"]},
            {"method": "POST", "path": "/relaxed", "caller": ["resident"],
             "ack": "relaxed"}])
MAIN = """
local linli = require "linli"
local p = linli.plugin()
local writes = {
  insert = function(call) call.db.note:insert {} end,
  put = function(call) call.db.note:put { id = "n" } end,
  patch = function(call) call.db.note:patch("n", {}) end,
  delete = function(call) call.db.note:delete("n") end,
  timer = function(call) call:timer { at = call.now, run = "ring" } end,
  cancel = function(call) call:cancel("k") end,
  event = function(call) call:event("probe.done", {}) end,
  meter = function(call) call:meter("probe.used", 1) end,
  alert = function(call) call:alert("probe.odd", {}) end,
}

-- Each step is {what, arguments}; what it gave, or why it could not.
local function run(call)
  local said = linli.array()
  for i, step in ipairs(call.body) do
    if step.write then
      local ok, why = pcall(writes[step.write], call)
      said[i] = ok and "done" or why
    elseif step.code then
      said[i] = call:try_code(table.unpack(step.code))
    elseif step.meter then
      local ok, word = pcall(call.meter, call, step.meter, step.n,
                             step.options)
      said[i] = ok and word or word:match("call:meter: ([%w/-]+)") or word
    elseif step.fail then
      call:fail("probe/no", linli.json.encode(said))
    elseif step.error then
      error("as it was told")
    end
  end
  return call.body[#call.body].status or 200, said
end

p:post("/run", run)
p:post("/safe", run)
p:post("/relaxed", run)
p:get("/look", function(call)
  local said = {}
  for name, write in pairs(writes) do
    local ok, why = pcall(write, call)
    said[name] = ok and "done" or why
  end
  call.db.note:get("n")
  return 200, said
end)
p:timer("ring", function() end)
return p
"""
WRITES = ("insert", "put", "patch", "delete", "timer", "cancel", "event",
          "meter", "alert")


class Probe:
    """A daemon at NOW, with the plugin."""

    def __init__(self, daemon):
        self.d = daemon
        self.count = 0

    def ask(self, *steps, path="/run"):
        """One call of these steps."""
        self.count += 1
        return self.d.call("probe", path, list(steps),
                           key="key-%d" % self.count)

    def said(self, *steps, path="/run"):
        """What each of them gave."""
        answer = self.ask(*steps, path=path)
        tap.equal(answer.status, 200, answer)
        return answer.json

    def tries(self, given, name="door:b1", expected="1234", **more):
        """One try in a call of its own."""
        said, = self.said({"code": [name, given, expected]}, **more)
        return said

    def advance(self, by):
        self.d.linli_ok("clock", "advance", by)

    def used(self, meter="probe.used", *more):
        """What the operator sees of a meter."""
        totals = self.d.linli_ok("usage", "--plugin", "probe", "--json",
                                 *more).json["totals"]
        return {t["meter"]: (t["quantity"], t["count"])
                for t in totals}.get(meter)


@contextlib.contextmanager
def probe():
    with temporary_folder() as folder, \
            Daemon(options=["--clock=virtual"]) as d:
        d.linli_ok("clock", "set", "2030-01-01T00:00:00Z")
        d.enable(plugin_folder(folder, probe_manifest(**MANIFEST),
                               main__lua=MAIN))
        yield Probe(d)


# -- codes -----------------------------------------------------------------

def test_five_wrong_tries_lock_for_ten_minutes():
    with probe() as p:
        for i in range(5):
            tap.equal(p.tries("%d" % i), "wrong")
        tap.equal(p.tries("1234"), "locked")
        tap.equal(p.tries("0"), "locked")
        tap.equal(p.tries("1234", name="door:b2"), "ok", "another name")
        p.advance("9m59s")
        tap.equal(p.tries("1234"), "locked")
        p.advance("1s")
        tap.equal(p.tries("1234"), "ok")
        # All five again, from nothing.
        for i in range(5):
            tap.equal(p.tries("%d" % i), "wrong")
        tap.equal(p.tries("1234"), "locked")
        p.advance("10m")
        tap.equal(p.tries("0"), "wrong", "it counts anew after the lock")
        tap.equal(p.tries("1234"), "ok")


def test_a_right_code_sets_the_count_back():
    with probe() as p:
        for _ in range(3):
            for i in range(4):
                tap.equal(p.tries("%d" % i), "wrong")
            tap.equal(p.tries("1234"), "ok")


def test_what_was_tried_stays_whatever_becomes_of_the_call():
    with probe() as p:
        wrong = {"code": ["door:b1", "0", "1234"]}
        answer = p.ask(wrong, {"fail": True})
        tap.equal((answer.status, answer.code, answer.json["detail"]),
                  (409, "probe/no", '["wrong"]'))
        tap.equal(p.ask(wrong, {"error": True}).code, "plugin/error")
        tap.equal(p.ask(wrong, {"status": 503}).status, 503)
        p.d.kill()
        p.d.restart()
        tap.equal(p.tries("0"), "wrong")
        tap.equal(p.ask(wrong, {"fail": True}).json["detail"], '["wrong"]')
        tap.equal(p.tries("1234"), "locked")
        p.d.kill()
        p.d.restart()
        tap.equal(p.tries("1234"), "locked", "a lock outlives it too")
        p.advance("10m")
        tap.equal(p.tries("1234"), "ok")


def test_in_a_call_the_same_is_tried_once():
    with probe() as p:
        same = {"code": ["door:b1", "0", "1234"]}
        tap.equal(p.said(*[same] * 7), ["wrong"] * 7)
        for i in range(1, 5):
            tap.equal(p.tries("%d" % i), "wrong")
        tap.equal(p.tries("1234"), "locked", "that was five, not eleven")
        tap.equal(p.said(*[{"code": ["door:b2", "%d" % i, "1234"]}
                           for i in range(6)]), ["wrong"] * 5 + ["locked"])


def test_another_expected_code_is_another_try():
    with probe() as p:
        tap.equal(p.said(*[{"code": ["door:b1", "0", expected]}
                           for expected in ("1234", "0", "1234", "5678")]),
                  ["wrong", "ok", "wrong", "wrong"])


def test_codes_on_every_route_and_their_bounds():
    with probe() as p:
        tap.equal(p.tries("0", path="/safe"), "wrong")
        tap.equal(p.tries("0", path="/relaxed"), "wrong")
        for i in range(3):
            tap.equal(p.tries("%d" % i, path="/safe"), "wrong")
        tap.equal(p.tries("1234", path="/safe"), "locked")
        tap.equal(p.tries("1234"), "locked", "they are counted together")
        # Lengths; and a code that is empty opens nothing.
        long = "x" * 128
        tap.equal(p.tries(long, name=long, expected=long), "ok")
        tap.equal(p.tries("", name="n", expected=""), "wrong")
        for code in ([long + "x", "1", "1"], ["", "1", "1"],
                     ["n", long + "x", "1"], ["n", "1", long + "x"]):
            answer = p.ask({"code": code})
            tap.equal(answer.code, "plugin/error", code)
            tap.contains(p.d.log_lines()[-1]["msg"], "call:try_code: db/query")


# -- usage -----------------------------------------------------------------

def use(n, meter="probe.used", **options):
    """A step that counts."""
    return {"meter": meter, "n": n, "options": options}


def test_an_event_id_counts_once():
    with probe() as p:
        first = use(2, event_id="e1", at=NOW - 1000)
        tap.equal(p.said(first, first), ["recorded", "duplicate"])
        tap.equal(p.said(first, use(2, event_id="e1")), ["duplicate"] * 2,
                  "the same, with its time or without")
        tap.equal(p.said(use(3, event_id="e1"),
                         use(2, event_id="e1", at=NOW)),
                  ["db/conflict"] * 2, "another quantity, another time")
        tap.equal(p.said(use(2, "probe.other", event_id="e1")), ["recorded"],
                  "an id is its meter's own")
        # Who fails claims none.
        answer = p.ask(use(1, event_id="e2"), {"fail": True})
        tap.equal(answer.json["detail"], '["recorded"]')
        tap.equal(p.said(use(4, event_id="e2")), ["recorded"])
        tap.equal(p.used(), ("6", 2))
        p.d.kill()
        p.d.restart()
        tap.equal(p.said(first, use(4, event_id="e2"),
                         use(1, event_id="e2")),
                  ["duplicate", "duplicate", "db/conflict"])
        tap.equal(p.used(), ("6", 2))


def test_a_correction_reverses_once():
    with probe() as p:
        tap.equal(p.said(use(-2, reverses="e1")), ["db/conflict"],
                  "there is nothing to reverse")
        tap.equal(p.said(use(2, event_id="e1"), use(5, event_id="e2")),
                  ["recorded"] * 2)
        p.advance("100h")
        tap.equal(p.said(use(-1, reverses="e1"), use(2, reverses="e1"),
                         use(-2, "probe.other", reverses="e1")),
                  ["db/conflict"] * 3)
        tap.equal(p.said(use(-2, reverses="e1", at=NOW),
                         use(-2, reverses="e1", event_id="e3")),
                  ["db/query"] * 2)
        tap.equal(p.said(use(-2)), ["db/limit"], "it names no record")
        answer = p.ask(use(-2, reverses="e1"), {"fail": True})
        tap.equal(answer.json["detail"], '["recorded"]')
        tap.equal(p.used(), ("7", 2))
        back = use(-2, reverses="e1")
        tap.equal(p.said(back, back), ["recorded", "duplicate"])
        tap.equal(p.said(back), ["duplicate"])
        p.d.kill()
        p.d.restart()
        tap.equal(p.said(back), ["duplicate"])
        tap.equal(p.said(use(2, event_id="e1")), ["duplicate"],
                  "what was taken back is not counted again")
        tap.equal(p.used(), ("5", 3))
        # It lies at the time of its record, however long ago.
        tap.equal(p.used("probe.used", "--from", str(NOW), "--to",
                         str(NOW + 900000)), ("5", 3))
        tap.equal(p.d.linli_ok("reconcile", "--json").json["ok"], True)


# -- what routes may not do ------------------------------------------------

def test_routes_that_change_nothing():
    with probe() as p:
        steps = [{"write": name} for name in WRITES]
        tap.equal(p.said(*steps, path="/run")[1], "done")
        for path, code in (("/safe", "db/read-only"),
                           ("/relaxed", "db/relaxed-route")):
            for name, said in zip(WRITES, p.said(*steps, path=path)):
                tap.contains(said, name + ": " + code, path)
                tap.contains(said, "POST " + path, name)
        answer = p.d.call("probe", "/look", method="GET")
        tap.equal((answer.status, sorted(answer.json)),
                  (200, sorted(WRITES)))
        for name, said in answer.json.items():
            tap.contains(said, name + ": db/read-only", name)
        tap.equal(p.used(), ("1", 1), "what /run counted, and nothing else")


if __name__ == "__main__":
    tap.main()

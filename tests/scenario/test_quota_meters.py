#!/usr/bin/env python3
# test-timeout-s: 180
"""tests/scenario/test_quota_meters.py: spec/metering.md, M3a, M3b, M13a, live:
max, unique and last, egress and storage."""

import concurrent.futures
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import wait_until  # noqa: E402
from outside import Outside, answer  # noqa: E402
from sold import SUSPENSE, hard, sold  # noqa: E402

HOUR = 3600000
METERS = {
    "probe.peak": {"kind": "count", "unit": "bed", "aggregate": "max",
                   "max_per_call": 50},
    "probe.people": {"kind": "count", "unit": "person",
                     "aggregate": "unique"},
    "probe.level": {"kind": "sum", "unit": "litre", "aggregate": "last",
                    "max_per_call": 1000}}
MANIFEST = dict(
    meters=METERS, collections={"note": {}},
    answers=["got"], egress=["http://good.test"],
    problems={"probe/no": {"status": 409, "title": {"zh-CN": "不行",
                                                    "en": "No"}}},
    routes=[{"method": "POST", "path": path,
             "caller": ["resident", "staff"]}
            for path in ("/run", "/note", "/fetch")])
LUA = """
local linli = require("linli")
local p = linli.plugin()
p:post("/run", function(call)
  local said = linli.array()
  for i, m in ipairs(call.body) do
    local at = m.ago and call.now - m.ago or nil
    local ok, word = pcall(call.meter, call, m.meter, m.n,
      {event_id = m.id, at = at, reverses = m.reverses})
    if not ok and word:match("plan/") then error(word, 0) end
    said[i] = ok and word or word:match("call:meter: ([%w/-]+)") or word
  end
  return 200, said
end)
p:post("/note", function(call)
  call.db.note:put { id = call.body.id, text = call.body.text }
  return 200, {}
end)
p:post("/fetch", function(call)
  return call:await(linli.fetch(call.body), "got", {})
end)
p:answer("got", function() return 200, {} end)
return p
"""


def told(s, *reports, **more):
    """What the plugin heard."""
    got = s.run(list(reports), **more)
    tap.equal(got.status, 200, got)
    return got.json


def peak(n, **more):
    """A report of each meter."""
    return dict({"meter": "probe.peak", "n": n}, **more)


def level(n, **more):
    """The same."""
    return dict({"meter": "probe.level", "n": n}, **more)


def person(ident, **more):
    """The same."""
    return dict({"meter": "probe.people", "n": 1, "id": ident}, **more)


def clock(s, text):
    """Sets the virtual clock."""
    s.d.linli_ok("clock", "set", text)


def test_the_greatest_of_a_period():
    with sold(LUA, options=["--clock=virtual"], **MANIFEST) as s:
        clock(s, "2030-03-30T00:00:00Z")
        s.publish("a")
        s.publish("b")
        sub = s.subscribe("wang", "a")
        told(s, peak(3), peak(2), peak(5))
        told(s, peak(5))
        told(s, peak(4))
        tap.equal(s.used("probe.peak", sub), 5)
        records = [int(r["qty"]) for r in s.records()
                   if r["meter"] == "probe.peak"]
        tap.equal(records, [3, 2])
        # Another version begins anew, and so does a period; what is told late
        # counts where it belongs.
        s.act(sub, "upgrade", plan="b")
        told(s, peak(2))
        tap.equal(s.by_version("probe.peak"),
                  {(sub, "a@1"): 5, (sub, "b@1"): 2})
        clock(s, "2030-04-01T00:00:00+08:00")
        told(s, peak(4))
        told(s, peak(3, ago=HOUR))
        tap.equal(s.by_version("probe.peak"),
                  {(sub, "a@1"): 5, (sub, "b@1"): 3 + 4})


def test_different_ones_are_counted():
    with sold(LUA, options=["--clock=virtual"], **MANIFEST) as s:
        clock(s, "2030-03-30T00:00:00Z")
        s.publish("a", limits=[hard("probe.people", 3)])
        sub = s.subscribe("wang", "a")
        tap.equal(told(s, person("x"), person("y"), person("x")),
                  ["recorded", "recorded", "duplicate"])
        tap.equal(told(s, person("y"), person("z")),
                  ["duplicate", "recorded"])
        tap.equal(s.used("probe.people", sub), 3)
        # The limit is of those that are new.
        tap.equal(told(s, person("x")), ["duplicate"])
        tap.equal(s.run([person("w")]).json["code"], "plan/limit-reached")
        s.restart()
        tap.equal(told(s, person("z")), ["duplicate"])
        tap.equal(s.run([person("w")]).status, 402)
        clock(s, "2030-04-01T00:00:00+08:00")
        tap.equal(told(s, person("x"), person("w")), ["recorded"] * 2)
        tap.equal(s.used("probe.people", sub), 5)


def test_what_was_said_last():
    with sold(LUA, **MANIFEST) as s:
        tap.equal(told(s, level(10)), ["recorded"])
        told(s, level(7))
        told(s, level(90, ago=HOUR))  # older: it changes nothing
        tap.equal(s.used("probe.level"), 7)
        told(s, level(0))
        tap.equal(s.used("probe.level"), 0)
        told(s, level(25), level(12))
        tap.equal(s.by_sub("probe.level"), {"sub_0": 12})
        tap.equal(s.d.linli_ok("reconcile", "--json").json["ok"], True)


def test_reports_at_once():
    with sold(LUA, **MANIFEST) as s:
        s.publish("a")
        s.subscribe("wang", "a")
        s.d.token("resident:wang")
        keys = [s.key() for _ in range(60)]

        def report(i):
            return s.d.call("probe", "/run", [
                peak(1 + i % 20), person("p%d" % (i % 7))],
                as_="resident:wang", key=keys[i]).status
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            tap.equal(list(pool.map(report, range(60))), [200] * 60)
        tap.equal((s.used("probe.peak"), s.used("probe.people")), (20, 7))


def test_what_is_refused():
    with sold(LUA, **MANIFEST) as s:
        for report, code in (
                (peak(0), "db/limit"), (peak(51), "db/limit"),
                (peak(-1), "db/limit"), (peak(1, id="x"), "db/query"),
                (peak(-1, reverses="x"), "db/query"),
                (level(-1), "db/limit"), (level(1001), "db/limit"),
                (level(1, id="x"), "db/query"),
                ({"meter": "probe.people", "n": 1}, "db/query"),
                (person("x", n=2), "db/limit"),
                (person("x", ago=100 * HOUR), "db/limit")):
            tap.equal(told(s, report), [code], report)
        # A report is bounded, not what a call says in all.
        tap.equal(told(s, peak(50), peak(50), level(1000), level(1000)),
                  ["recorded"] * 4)


def test_storage_is_counted_each_midnight():
    with sold(LUA, options=["--clock=virtual"], **MANIFEST) as s:
        meter = "linli.storage_byte_days"
        clock(s, "2030-03-30T15:00:00Z")  # 23:00 in Shanghai
        s.run({"id": "a", "text": "x" * 100}, path="/note")
        tap.equal(s.used(meter), 0)
        s.d.linli_ok("clock", "advance", "2h")
        held = s.used(meter)
        tap.equal(100 < held < 200, True, held)
        s.publish("a")
        sub = s.subscribe("community", "a")
        s.d.linli_ok("clock", "advance", "48h")
        tap.equal(s.by_sub(meter), {"sub_0": held, sub: 2 * held})
        # Killed and begun anew it is no other day; the days that are missed
        # are what is there.
        s.d.kill()
        s.d.start()
        s.d.linli_ok("clock", "advance", "1h")
        tap.equal(s.used(meter), 3 * held)
        clock(s, "2030-04-06T01:00:00+08:00")
        wait_until(lambda: s.used(meter) == 7 * held)
        days = [r["time"] for r in s.records() if r["meter"] == meter]
        tap.equal(days, ["2030-%sT15:59:59.999Z" % day for day in (
            "03-30", "03-31", "04-01", "04-02", "04-03", "04-04", "04-05")])


def test_bytes_that_go_out_and_come_back():
    with Outside({"/hello": answer(200, b"y" * 321)}) as there:
        egress = {"test_addresses": {"good.test:80": there.address}}
        with sold(LUA, config={"egress": egress}, **MANIFEST) as s:
            s.publish("a", limits=[hard("linli.egress_bytes", 400)])
            sub = s.subscribe("wang", "a")

            def fetch(as_="resident:wang", **request):
                return s.run(dict({"url": "http://good.test/hello"},
                                  **request), path="/fetch", as_=as_)
            tap.equal(fetch().status, 200)
            tap.equal(s.used("linli.egress_bytes", sub), 321)
            tap.equal(fetch(method="POST", body="z" * 100).status, 200)
            tap.equal(s.used("linli.egress_bytes", sub), 321 * 2 + 100)
            # Nothing is left of it; staff is counted and goes on.
            got = fetch()
            tap.equal((got.status, got.json["code"]),
                      (402, "plan/limit-reached"), got)
            tap.equal(fetch(as_="staff:li").status, 200)
            tap.equal(s.by_sub("linli.egress_bytes"),
                      {sub: 742, SUSPENSE: 321})


if __name__ == "__main__":
    tap.main()

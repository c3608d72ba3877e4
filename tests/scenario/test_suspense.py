#!/usr/bin/env python3
# test-timeout-s: 120
"""tests/scenario/test_suspense.py: use of a sold plugin that no subscription
owns is seen, and an operator says whose it was: spec/metering.md, section 12.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder)
from test_invoices import (LUA, METERS, START, advance, lines,  # noqa: E402
                           invoices, op, publish, show, subscribe)

CHARGES = [{"id": "api", "kind": "unit", "meter": "probe.api",
            "unit_fen": "2"}]


def suspense(d):
    """What is in suspense: the sum of the meter."""
    totals = op(d, "GET", "/usage?subscription=sub_1&meter=probe.api"
                ).json["totals"]
    return totals[0]["quantity"] if totals else "0"


def record(d):
    """The number of the one record of the meter in suspense."""
    items = op(d, "GET", "/usage?subscription=sub_1&meter=probe.api"
               ).json["items"]
    got = op(d, "GET", "/usage/%d/records" % items[0]["bucket"]).json["items"]
    return got[0]["lsn"], got[0]


def attribute(d, lsn, sub, status, reason="they were at the desk"):
    """An operator says whose it was."""
    return op(d, "POST", "/usage/records/%d/attribute" % lsn,
              {"subscription": sub, "reason": reason}, status).json


def test_out_of_suspense():
    with temporary_folder() as parent, Daemon(
            options=["--clock=virtual"]) as d:
        d.linli_ok("clock", "set", START)
        d.enable(plugin_folder(parent, probe_manifest(
            "probe", meters=METERS,
            routes=[{"method": "POST", "path": "/use",
                     "caller": ["resident", "staff"]}]), main__lua=LUA))
        publish(d, charges=CHARGES, tax={"mode": "none"}, limits=[
            {"meter": "probe.api", "kind": "hard", "max": "100"}])
        sub = subscribe(d)
        got = d.http("POST", "/v1/c/demo/probe/use", {"of": {"api": 70}},
                     as_="staff:s1", key="k1")
        tap.equal(got.status, 200, got)
        tap.equal(suspense(d), "70")
        lsn, before = record(d)
        tap.equal(attribute(d, lsn, "sub_99", 404)["code"],
                  "request/not-found")
        attribute(d, 999999, sub, 404)
        attribute(d, lsn, sub, 422, reason="")
        attribute(d, lsn, "r1", 422)
        made = attribute(d, lsn, sub, 201)
        tap.equal((made["quantity"], made["plan"], made["duplicate"]),
                  ("70", "basic@1", False))
        tap.equal(attribute(d, lsn, sub, 200)["duplicate"], True)
        # The record is as it was; another takes it back, a third is theirs.
        tap.equal(record(d), (lsn, before))
        tap.equal(suspense(d), "0")
        totals = op(d, "GET", "/usage?subscription=%s&meter=probe.api" % sub
                    ).json["totals"]
        tap.equal([t["quantity"] for t in totals], ["70"])
        # It counts for their limit, and is on their invoice.
        for n, status in ((31, 402), (30, 200)):
            got = d.http("POST", "/v1/c/demo/probe/use", {"of": {"api": n}},
                         as_="resident:r1", key="k-%d" % n)
            tap.equal(got.status, status, got)
        other = subscribe(d, "r2")
        attribute(d, lsn, other, 409)
        tap.equal(attribute(d, lsn + 100, sub, 404)["code"],
                  "request/not-found")
        got = op(d, "GET", "/usage?subscription=" + sub).json["items"]
        mine = op(d, "GET", "/usage/%d/records" % [
            i["bucket"] for i in got if i["meter"] == "probe.api"][0]
                  ).json["items"]
        tap.equal(attribute(d, mine[0]["lsn"], other, 409)["code"],
                  "usage/owned")
        advance(d, "26d")
        made, = [i for i in invoices(d, "?subscription=" + sub)
                 if i["number"]]
        tap.equal(lines(show(d, made["id"]).json["invoice"]),
                  {"api:usage": 200})
        tap.equal(op(d, "GET", "/reconcile").json["ok"], True)


def test_only_when_it_was_in_force():
    with temporary_folder() as parent, Daemon(
            options=["--clock=virtual"]) as d:
        d.linli_ok("clock", "set", START)
        d.enable(plugin_folder(parent, probe_manifest(
            "probe", meters=METERS,
            routes=[{"method": "POST", "path": "/use",
                     "caller": ["staff"]}]), main__lua=LUA))
        publish(d, charges=CHARGES)
        d.http("POST", "/v1/c/demo/probe/use", {"of": {"api": 5}},
               as_="staff:s1", key="k1")
        advance(d, "1h")
        sub = subscribe(d)
        lsn, _ = record(d)
        tap.equal(attribute(d, lsn, sub, 409)["code"], "usage/outside")
        tap.equal(suspense(d), "5")


def test_only_what_will_be_billed():
    """Who has had the last invoice gets nothing that is billed to nobody; and
    nothing so old that no invoice looks at it any more."""
    with temporary_folder() as parent, Daemon(
            options=["--clock=virtual"]) as d:
        d.linli_ok("clock", "set", START)
        d.enable(plugin_folder(parent, probe_manifest(
            "probe", meters=METERS,
            routes=[{"method": "POST", "path": "/use",
                     "caller": ["staff"]}]), main__lua=LUA))
        publish(d, charges=CHARGES, tax={"mode": "none"})
        sub, other = subscribe(d), subscribe(d, "r2")
        d.http("POST", "/v1/c/demo/probe/use", {"of": {"api": 5}},
               as_="staff:s1", key="k1")
        lsn, _ = record(d)
        advance(d, "1h")
        op(d, "POST", "/subscriptions/%s/cancel" % sub,
           {"now": True, "reason": "moved"})
        advance(d, "4d")
        tap.equal(attribute(d, lsn, sub, 409)["code"], "usage/outside")
        advance(d, "420d")
        tap.equal(attribute(d, lsn, other, 409)["code"], "usage/outside")
        tap.equal(suspense(d), "5")
        tap.equal(op(d, "GET", "/reconcile").json["ok"], True)


def test_a_correction_is_of_whose_it_was():
    """Staff takes back what was counted for a resident: also as a percentage,
    where another's would have nothing to take back."""
    lua = """
local p = require('linli').plugin()
p:post('/use', function(call)
  call:meter('probe.pay', 500, {event_id = call.body.id})
  return 200, {}
end)
p:post('/undo', function(call)
  return 200, {is = call:meter('probe.pay', -500, {reverses = call.body.id})}
end)
return p
"""
    with temporary_folder() as parent, Daemon(
            options=["--clock=virtual"]) as d:
        d.linli_ok("clock", "set", START)
        d.enable(plugin_folder(parent, probe_manifest(
            "probe", meters=METERS,
            routes=[{"method": "POST", "path": path,
                     "caller": ["resident", "staff"]}
                    for path in ("/use", "/undo")]), main__lua=lua))
        publish(d, charges=[{"id": "pay", "kind": "percentage",
                             "meter": "probe.pay", "rate_bp": 1000}],
                tax={"mode": "none"})
        sub = subscribe(d)
        for n, (who, path, event) in enumerate((
                ("resident:r1", "/use", "a"), ("resident:r1", "/use", "b"),
                ("staff:s1", "/use", "c"), ("staff:s1", "/undo", "a"))):
            got = d.http("POST", "/v1/c/demo/probe" + path, {"id": event},
                         as_=who, key="k%d" % n)
            tap.equal(got.status, 200, got)
        for of, want in ((sub, "500"), ("sub_1", "500")):
            totals = op(d, "GET", "/usage?subscription=%s&meter=probe.pay" % of
                        ).json["totals"]
            tap.equal([t["quantity"] for t in totals], [want], of)
        advance(d, "26d")
        made, = [i for i in invoices(d) if i.get("number")]
        tap.equal(made["total_fen"], 50)
        tap.equal(op(d, "GET", "/reconcile").json["ok"], True)


def test_a_correction_after_the_last_invoice():
    """No invoice is to come that would have it: it is not forgotten."""
    lua = """
local p = require('linli').plugin()
p:post('/use', function(call)
  call:meter('probe.api', 7, {event_id = call.body.id})
  return 200, {}
end)
p:post('/undo', function(call)
  return 200, {is = call:meter('probe.api', -7, {reverses = call.body.id})}
end)
return p
"""
    with temporary_folder() as parent, Daemon(
            options=["--clock=virtual"]) as d:
        d.linli_ok("clock", "set", START)
        d.enable(plugin_folder(parent, probe_manifest(
            "probe", meters=METERS,
            routes=[{"method": "POST", "path": path,
                     "caller": ["resident", "staff"]}
                    for path in ("/use", "/undo")]), main__lua=lua))
        publish(d, charges=CHARGES, tax={"mode": "none"})
        sub = subscribe(d)

        def call(who, path, event):
            got = d.http("POST", "/v1/c/demo/probe" + path, {"id": event},
                         as_=who, key=path + event)
            tap.equal(got.status, 200, got)

        def look():
            got = op(d, "GET", "/reconcile").json
            tap.equal(got["ok"], True, got)
            return got["unbilled"], got["stranded"]

        for event in ("a", "b", "c"):
            call("resident:r1", "/use", event)
        advance(d, "26d")  # that of January is final
        call("staff:s1", "/undo", "a")
        tap.equal(look(), (1, []))  # the next one has it
        op(d, "POST", "/subscriptions/%s/cancel" % sub,
           {"now": True, "reason": "moved"})
        advance(d, "4d")
        made = [i for i in invoices(d) if i.get("number")]
        tap.equal([i["total_fen"] for i in made], [42, -14])
        tap.equal(look(), (0, []))
        call("staff:s1", "/undo", "b")
        late = [{"row": "invoice " + made[0]["id"], "what":
                 "-7 of `probe.api` came after the last invoice that could "
                 "bill it"}]
        tap.equal(look(), (1, late))
        tap.contains(d.linli_ok("reconcile").out, late[0]["what"])
        # An operator gives it back.
        got = op(d, "POST", "/invoices/%s/credit" % made[0]["id"], {
            "lines": [{"key": "api:usage", "fen": 14}],
            "reason": "taken back"}).json
        tap.equal(got["credited_fen"], 14)
        tap.equal(look(), (1, late))


if __name__ == "__main__":
    tap.main()

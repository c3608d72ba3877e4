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


if __name__ == "__main__":
    tap.main()

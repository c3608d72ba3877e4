#!/usr/bin/env python3
# test-timeout-s: 240
"""tests/scenario/test_plan_preview.py: what past usage would have cost under a
plan (spec/metering.md, section 16)."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from test_invoices import (CHARGES, advance, invoices, lines, op,  # noqa: E402
                           publish, shop, show, subscribe, use)


def offer(name="maybe", charges=None, **plan):
    """One that is not published."""
    return {"name": name, "plugin": "probe",
            "plan": dict({"interval": "month", "anchor": "calendar",
                          "tax": {"mode": "inclusive", "rate_bp": 600},
                          "charges": CHARGES if charges is None else charges},
                         **plan)}


def preview(d, plan, since, to, status=200, **more):
    """What it would have cost."""
    return op(d, "POST", "/plans/preview",
              dict({"plan": plan, "from": since, "to": to}, **more), status)


def test_it_is_what_the_invoice_was():
    """Of a subscription, by its own plan: the same lines, to the fen."""
    with shop(start="2030-01-01T02:00:00Z") as d:
        publish(d, charges=[dict(CHARGES[0], timing="arrears")] + CHARGES[1:])
        sub = subscribe(d)
        use(d, api=1500, gb=10, pay=20000)
        use(d, pay=333)
        advance(d, "35d")
        use(d, api=7)
        billed = show(d, invoices(d)[-1]["id"]).json["invoice"]
        tap.equal(len(billed["lines"]) >= 6, True, billed["lines"])
        got = preview(d, "basic@1", "2030-01-01", "2030-02-01",
                      subscription=sub).json
        tap.equal((got["plan"], got["published"], got["usage_of"],
                   got["zone"]), ("basic@1", True, sub, "Asia/Shanghai"))
        period, = got["periods"]
        tap.equal(lines(period), lines(billed))
        for name in ("items", "net_fen", "tax_fen", "total_fen", "prices"):
            tap.equal(period[name], billed[name], name)
        tap.equal([got[n] for n in ("net_fen", "tax_fen", "total_fen")],
                  [billed[n] for n in ("net_fen", "tax_fen", "total_fen")])
        # Two months, of the second five days.
        two = preview(d, "basic", "2030-01-01", "2030-02-06",
                      subscription=sub).json
        tap.equal(lines(two["periods"][0]), lines(period))
        tap.equal(lines(two["periods"][1]),
                  {"api:t1:unit": 21, "fee:fee": round(3100 * 5 / 28)})
        tap.equal(two["total_fen"],
                  sum(p["total_fen"] for p in two["periods"]))


def test_before_anything_is_sold():
    """Of a plugin that was free, under a plan that nobody has published."""
    with shop(start="2030-01-01T02:00:00Z") as d:
        use(d, "r1", api=600)
        use(d, "r2", api=600, pay=5000)
        got = preview(d, offer(), "2030-01-01", "2030-02-01").json
        tap.equal((got["plan"], got["published"], got["usage_of"]),
                  ("maybe@1", False, "sub_0"))
        tap.equal(lines(got["periods"][0]),
                  {"fee:fee": 3100, "api:t1:unit": 3000, "api:t2:unit": 100,
                   "pay:pct": 30, "pay:fixed": 10})
        tap.equal(op(d, "GET", "/plans").json["items"], [])
        # What is sold from then on is not of it.
        publish(d, name="maybe")
        subscribe(d, plan="maybe")
        use(d, "r1", api=1000)
        again = preview(d, offer(), "2030-01-01", "2030-02-01").json
        tap.equal(again["plan"], "maybe@2")
        tap.equal(lines(again["periods"][0]), lines(got["periods"][0]))
        tap.equal(again["watermark"] > got["watermark"], True)


def test_from_the_command_line():
    with shop(start="2030-01-01T02:00:00Z") as d:
        publish(d)
        sub = subscribe(d)
        use(d, api=1500)
        whole = ("--from", "2030-01-01", "--to", "2030-02-01")
        by_name = d.linli_ok("plan", "preview", "basic@1", sub, *whole)
        tap.contains(by_name.out, "2030-01-01  2030-02-01")
        tap.contains(by_name.out, "63.50")
        tap.contains(by_name.out, "api:t2:unit")
        cheap = json.dumps(offer(charges=[
            {"id": "api", "kind": "unit", "meter": "probe.api",
             "unit_fen": "1"}]))
        got = d.linli_ok("plan", "preview", "-", sub, *whole, "--json",
                         stdin=cheap)
        tap.equal(got.json["total_fen"], 1500)
        bad = d.linli("plan", "preview", "-", sub, "--from", "2030-01-01",
                      stdin=cheap)
        tap.equal(bad.code, 2, bad)


def test_what_cannot_be_previewed():
    with shop(start="2030-01-01T02:00:00Z") as d:
        publish(d)
        sub = subscribe(d)

        def refused(code, plan="basic", since="2030-01-01", to="2030-02-01",
                    **more):
            got = preview(d, plan, since, to, 422, **more)
            tap.equal(got.code, code, got)
        refused("request/invalid", plan="none")
        refused("request/invalid", plan=None)
        refused("request/invalid", since="2030-01")
        refused("request/invalid", to="2030-01-01")
        refused("request/invalid", to="2034-01-01")
        refused("request/invalid", subscription="sub_99")
        refused("request/invalid", seats="0")
        refused("request/invalid", more=1)
        refused("pricing/meter", plan=offer(charges=[
            {"id": "x", "kind": "unit", "meter": "probe.no",
             "unit_fen": "1"}]))
        refused("pricing/zone", plan=offer(tz="No/Where"))
        # Nothing of it is there, and who is no operator sees nothing.
        tap.equal(preview(d, "basic", "2029-01-01", "2029-02-01",
                          subscription=sub).json["total_fen"], 3100)
        got = d.http("POST", "/v1/c/demo/admin/plans/preview",
                     {"plan": "basic"}, as_="resident:r1")
        tap.equal(got.status, 403)


if __name__ == "__main__":
    tap.main()

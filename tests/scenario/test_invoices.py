#!/usr/bin/env python3
# test-timeout-s: 300
"""tests/scenario/test_invoices.py: invoices, live: from the preview to what
follows if nobody pays. spec/metering.md, section 11."""

import contextlib
import csv
import hashlib
import io
import itertools
import json
import os
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import Daemon, plugin_folder, probe_manifest  # noqa: E402
from linli_test import temporary_folder  # noqa: E402

ADMIN = "/v1/c/demo/admin"
KEYS = itertools.count()
START = "2030-01-10T02:00:00Z"
LUA = """
local p = require('linli').plugin()
p:post('/use', function(call)
  for name, n in pairs(call.body.of) do
    call:meter('probe.' .. name, n, {at = call.body.at})
  end
  return 200, {}
end)
return p
"""
METERS = {"probe." + name: {"kind": "count", "unit": name,
                            "max_per_call": 10000000}
          for name in ("gb", "api", "pay")}
CHARGES = [
    {"id": "fee", "kind": "flat", "amount_fen": 3100},
    {"id": "api", "kind": "graduated", "meter": "probe.api",
     "tiers": [{"up_to": "1000", "unit_fen": "3"},
               {"up_to": None, "unit_fen": "0.5"}]},
    {"id": "gb", "kind": "volume", "meter": "probe.gb",
     "tiers": [{"up_to": "10", "unit_fen": "100"},
               {"up_to": None, "unit_fen": "50"}]},
    {"id": "pay", "kind": "percentage", "meter": "probe.pay", "rate_bp": 60,
     "fixed_fen": 10}]


@contextlib.contextmanager
def shop(start=START, config=None):
    """A daemon that sells a plugin by the month; its clock is ours."""
    with temporary_folder() as parent, Daemon(
            options=["--clock=virtual"], config=config) as d:
        d.linli_ok("clock", "set", start)
        d.enable(plugin_folder(parent, probe_manifest(
            "probe", meters=METERS,
            routes=[{"method": "POST", "path": "/use",
                     "caller": ["resident"]}]), main__lua=LUA))
        yield d


def op(d, method, path, body=None, status=200, headers=None, key=None):
    """An operator's request, that has to end so; its Answer."""
    got = d.http(method, ADMIN + path, body, headers, "operator:o1", key=key)
    tap.equal(got.status, status, "%s %s: %s" % (method, path, got.text))
    return got


def publish(d, name="basic", charges=None, **plan):
    """A plan."""
    op(d, "POST", "/plans", {
        "name": name, "plugin": "probe",
        "title": {"zh-CN": "基础版", "en": "Basic"},
        "share": {"platform_bp": 1000},
        "plan": dict({"interval": "month", "anchor": "calendar",
                      "tax": {"mode": "inclusive", "rate_bp": 600},
                      "charges": CHARGES if charges is None else charges},
                     **plan)}, 201)


def subscribe(d, who="r1", **more):
    """A subscription; its id."""
    return op(d, "POST", "/subscriptions", dict(
        {"plan": "basic", "payers": [{"kind": "resident", "id": who}]},
        **more), 201, key="key-" + who).json["id"]


def use(d, who="r1", at=None, **of):
    """Somebody uses so much."""
    body = {"of": of}
    if at is not None:
        body["at"] = at
    got = d.http("POST", "/v1/c/demo/probe/use", body, as_="resident:" + who,
                 key="use-%d" % next(KEYS))
    tap.equal(got.status, 200, got)


def advance(d, duration):
    """The clock goes on, and everything is done on the way."""
    d.linli_ok("clock", "advance", duration)


def invoices(d, query=""):
    """All of them, the oldest first."""
    return op(d, "GET", "/invoices" + query).json["items"][::-1]


def show(d, invoice, suffix="", **headers):
    """One."""
    return op(d, "GET", "/invoices/%s%s" % (invoice, suffix), headers={
        k.replace("_", "-"): v for k, v in headers.items()})


def lines(body):
    """Its lines: amount by key."""
    return {line["key"]: line["amount_fen"] for line in body["lines"]}


def judge(body):
    """What has to hold of every invoice."""
    spent = [line for line in body["lines"] if line["part"] != "invoice"]
    tap.equal(sum(i["net_fen"] for i in body["items"]), body["net_fen"])
    tap.equal(sum(i["tax_fen"] for i in body["items"]), body["tax_fen"])
    tap.equal(sum(line["net_fen"] for line in spent), body["net_fen"])
    tap.equal(sum(line["tax_fen"] for line in spent), body["tax_fen"])
    tap.equal(body["net_fen"] + body["tax_fen"], body["total_fen"])
    tap.equal(sum(p["fen"] for p in body["payers"]), body["total_fen"])
    amounts = sum(line["amount_fen"] for line in body["lines"])
    tap.equal(amounts, body["net_fen"] if body["tax_mode"] == "exclusive"
              else body["total_fen"])
    tap.equal(len({line["key"] for line in body["lines"]}),
              len(body["lines"]), "keys")


def test_a_preview_is_the_invoice():
    with shop() as d:
        publish(d)
        sub = subscribe(d)
        use(d, api=1500, gb=10, pay=20000)
        use(d, pay=10000)
        first = op(d, "GET", "/subscriptions/%s/preview" % sub).json
        judge(first)
        want = {"api:t1:unit": 3000, "api:t2:unit": 250,
                "gb:t1:unit": 1000, "pay:pct": 180, "pay:fixed": 20}
        tap.equal(lines(first), want)
        advance(d, "22d")
        made = invoices(d)
        tap.equal([(i["state"], i["k"]) for i in made],
                  [("overdue", 0), ("draft", 1)])
        advance(d, "3d")
        made = invoices(d)
        tap.equal([(i["state"], i["number"]) for i in made],
                  [("overdue", "INV-000001"), ("final", "INV-000002")])
        body = show(d, made[0]["id"]).json["invoice"]
        judge(body)
        tap.equal(lines(body), {"fee:fee": 2200})  # 22 of 31 days
        whole = show(d, made[1]["id"]).json
        body = whole["invoice"]
        judge(body)
        tap.equal(lines(body), dict(want, **{"fee:fee": 3100}))
        tap.equal(whole["hash"], hashlib.sha256(json.dumps(
            body, ensure_ascii=False, separators=(",", ":")).encode(
            )).hexdigest())
        tap.equal([u["meter"] for u in body["uses"]],
                  ["linli.call", "linli.cpu_us", "probe.api", "probe.gb",
                   "probe.pay"])


if __name__ == "__main__":
    tap.main()

#!/usr/bin/env python3
# test-timeout-s: 240
"""tests/scenario/test_month.py: a month in the life.

A household has its home cleaned. January: ten days of trial, five of the basic
plan, the rest of the better one, to which they move in the middle; two people
use one allowance. One visit is told late, but before the invoice is final, and
one after. They pay half each, are credited a visit that was not good, and get
it back; the vendor is settled with. February follows, with January's late
visit as a line of its own. All on the virtual clock, each sum worked out here
by hand, and at the end everything agrees: API, CSV and HTML, the ledger, the
export, and reconcile.
"""

import csv
import datetime
import io
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import Daemon, plugin_folder, probe_manifest  # noqa: E402
from linli_test import temporary_folder  # noqa: E402

ADMIN = "/v1/c/demo/admin"
CLEAN = dict(
    meters={"clean.visit": {"kind": "count", "unit": "visit",
                            "max_per_call": 20}},
    routes=[{"method": "POST", "path": "/visits", "caller": ["resident"]}])
CLEAN_LUA = """
local p = require("linli").plugin()
p:post("/visits", function(call)
    call:meter("clean.visit", call.body.count,
        {event_id = call.body.id, at = call.body.at})
    return 201, {}
end)
return p
"""
# 100 fen a day in January, and 5.00 yuan a visit beyond four.
BASIC = {"name": "basic", "plugin": "clean",
         "title": {"zh-CN": "基础版", "en": "Basic"},
         "share": {"platform_bp": 1000, "channel_bp": 60},
         "plan": {"currency": "CNY", "tz": "Asia/Shanghai",
                  "interval": "month", "anchor": "calendar",
                  "trial_days": 10, "trial_usage": "free",
                  "tax": {"mode": "exclusive", "rate_bp": 600},
                  "charges": [{"id": "base", "kind": "flat",
                               "amount_fen": 3100},
                              {"id": "visits", "kind": "unit",
                               "meter": "clean.visit", "unit_fen": "500",
                               "included": "4"}]}}
# 200 fen a day in January, and 3.00 yuan a visit beyond ten.
PLUS = dict(BASIC, name="plus", title={"zh-CN": "优享版", "en": "Plus"},
            plan=dict(BASIC["plan"], charges=[
                {"id": "base", "kind": "flat", "amount_fen": 6200},
                {"id": "visits", "kind": "unit", "meter": "clean.visit",
                 "unit_fen": "300", "included": "10"}]))


def local(text):
    """An instant, from a day and an hour in Shanghai."""
    return text.replace(" ", "T") + ":00+08:00"


def ms(text):
    """The same, in ms since 1970."""
    return int(datetime.datetime.fromisoformat(local(text)).timestamp()) * 1000


class Month:
    """A daemon on the virtual clock, and what people do."""

    def __init__(self, d):
        self.d = d

    def clock(self, text):
        """Lets time pass until then, with all that falls due on the way."""
        then = ms(text) // 1000
        now = self.d.linli_ok("clock", "get", "--json").json["ms"]
        self.d.linli_ok("clock", "advance", "%ds" % (then - now / 1000))
        there = self.d.linli_ok("clock", "get", "--json").json["ms"]
        tap.equal(there, then * 1000, text)

    def op(self, method, path, body=None, status=200, key=None):
        """What the operator asks; its JSON."""
        answer = self.d.http(method, ADMIN + path, body, as_="operator:o1",
                             key=key)
        tap.equal(answer.status, status, (path, answer.text))
        return answer.json

    def text(self, path):
        """The same, as text."""
        answer = self.d.http("GET", ADMIN + path, as_="operator:o1")
        tap.equal(answer.status, 200, (path, answer.text))
        return answer.text

    def visit(self, who, count, event, at=None):
        """A resident's visits; when they were, if not now."""
        body = {"count": count, "id": event}
        if at is not None:
            body["at"] = ms(at)
        token = self.d.token("resident:" + who, claims={"household": "h1"})
        answer = self.d.http(
            "POST", "/v1/c/demo/clean/visits", body, key=event,
            headers={"Authorization": "Bearer " + token})
        tap.equal(answer.status, 201, answer)

    def invoices(self, state=None):
        """Those there are, the oldest first."""
        query = "" if state is None else "?state=" + state
        return self.op("GET", "/invoices" + query)["items"][::-1]

    def lines(self, invoice):
        """{key: fen}."""
        body = self.op("GET", "/invoices/" + invoice)["invoice"]
        return {line["key"]: line["amount_fen"] for line in body["lines"]}

    def pay(self, invoice, amount, ref, channel="wechat"):
        """A payment."""
        self.op("POST", "/invoices/%s/payments" % invoice, {
            "amount_fen": amount, "channel": channel, "ref": ref}, 201)

    def ledger(self):
        """{account: balance}, which sum to zero."""
        items = self.op("GET", "/ledger")["items"]
        accounts = {i["account"]: i["balance_fen"] for i in items}
        tap.equal(sum(accounts.values()), 0, accounts)
        return accounts


def fen(text):
    """Yuan as they are printed, in fen."""
    return int(text.replace(",", "").replace(".", ""))


def same_sums(m, invoice, total_fen):
    """API, CSV and HTML say the same of an invoice, to the fen; its JSON."""
    one = m.op("GET", "/invoices/" + invoice)
    body = one["invoice"]
    tap.equal(one["total_fen"], total_fen, invoice)
    sums = [sum(line[s] for line in body["lines"])
            for s in ("net_fen", "tax_fen")]
    tap.equal(sums + [sum(sums)],
              [body[s] for s in ("net_fen", "tax_fen", "total_fen")])
    tap.equal(sum(p["fen"] for p in body["payers"]), total_fen)
    rows = list(csv.DictReader(io.StringIO(
        m.text("/invoices/%s.csv" % invoice))))
    for kind, count in (("line", len(body["lines"])),
                        ("charge", len(body["items"])), ("total", 1)):
        own = [r for r in rows if r["type"] == kind]
        tap.equal((len(own), sum(int(r["total_fen"]) for r in own)),
                  (count, total_fen), kind)
    tap.equal({r["key"]: int(r["net_fen"]) for r in rows
               if r["type"] == "line"},
              {line["key"]: line["net_fen"] for line in body["lines"]})
    for lang in ("zh", "en"):
        html = m.text("/invoices/%s.html?lang=%s" % (invoice, lang)).replace(
            "\u2212\u00a5", "-")
        tap.contains(html, one["number"])
        shown = [fen(t) for t in re.findall(r"-?[\d,]+\.\d\d", html)]
        for want in [total_fen] + [line["amount_fen"]
                                   for line in body["lines"]]:
            tap.equal(want in shown, True, (lang, want, shown))
    return one


def january(m):
    """Trial, upgrade in the middle, one allowance for two."""
    m.d.linli_ok("clock", "set", local("2030-01-01 00:00"))
    for plan in (BASIC, PLUS):
        tap.equal(m.op("POST", "/plans", plan, 201)["version"], 1)
    sub = m.op("POST", "/subscriptions", {
        "plan": "basic",
        "payers": [{"kind": "resident", "id": "r1", "bp": 5000},
                   {"kind": "resident", "id": "r2", "bp": 5000}],
        "beneficiaries": [{"kind": "household", "id": "h1"}]},
        201, key="contract-1")
    tap.equal((sub["id"], sub["state"]), ("sub_16", "trial"))
    m.clock("2030-01-05 09:00")
    # In advance, from the first day that is no trial: 21 of 31 days.
    tap.equal(m.lines("inv_1"), {"base:fee": 2100})
    same_sums(m, "inv_1", 2226)
    m.visit("r1", 3, "trial")  # free
    m.pay("inv_1", 1113, "r1-january")
    m.pay("inv_1", 1113, "r2-january")
    tap.equal(m.op("GET", "/invoices/inv_1")["state"], "paid")
    m.clock("2030-01-12 09:00")
    m.visit("r1", 3, "basic-1")
    m.visit("r2", 3, "basic-2")  # four of the six are in the allowance
    m.clock("2030-01-16 00:00")
    m.op("POST", "/subscriptions/sub_16/upgrade",
         {"plan": "plus", "reason": "they asked for more"})
    m.clock("2030-01-20 09:00")
    m.visit("r1", 8, "plus-1")
    m.visit("r2", 5, "plus-2")  # ten of the thirteen
    preview = m.op("GET", "/subscriptions/sub_16/preview")
    tap.equal(preview["net_fen"], -1600 + 3200 + 1000 + 900)


def first_of_february(m):
    """The draft, what comes late, and what comes too late."""
    m.clock("2030-02-01 10:00")
    tap.equal([(i["id"], i["state"]) for i in m.invoices()],
              [("inv_1", "paid"), ("inv_2", "draft")])
    tap.equal(m.lines("inv_2")["visits:usage#2"], 900)
    m.visit("r1", 1, "late", "2030-01-31 20:00")
    lines = {"base:credit": -1600,       # 16 days of basic, given back
             "base:charge": 3200,        # 16 days of plus
             "visits:usage#1": 1000,     # two beyond four, at 5.00
             "visits:usage#2": 1200,     # four beyond ten, at 3.00
             "base:fee": 6200}           # February, in advance
    tap.equal(m.lines("inv_2"), lines, "the draft has it")
    body = m.op("GET", "/invoices/inv_2")["invoice"]
    plans = {line["key"]: line["plan"] for line in body["lines"]}
    tap.equal((plans["base:credit"], plans["base:charge"]),
              ("basic@1", "plus@1"))
    m.clock("2030-02-02 12:00")
    m.op("POST", "/invoices/inv_2/finalize", {"reason": "they move away"})
    final = same_sums(m, "inv_2", 10600)
    tap.equal((final["number"], m.lines("inv_2")), ("INV-000002", lines))
    m.visit("r2", 1, "too-late", "2030-01-31 21:00")
    tap.equal(m.op("GET", "/invoices/inv_2"), final, "it never changes")
    m.clock("2030-02-03 09:00")
    m.pay("inv_2", 5300, "r1-february")
    m.pay("inv_2", 5300, "r2-february")


def a_bad_visit(m):
    """One visit is credited, and its money given back."""
    m.clock("2030-02-05 09:00")
    hash_before = m.op("GET", "/invoices/inv_2")["hash"]
    m.op("POST", "/invoices/inv_2/credit", {
        "lines": [{"key": "visits:usage#2", "fen": 318}],
        "reason": "the kitchen was left out"})
    tap.equal(m.ledger()["credit:sub_16"], -318, "3.00 yuan and their tax")
    m.op("POST", "/invoices/inv_2/refunds", {
        "payment": "pay_3", "amount_fen": 318, "ref": "back-1",
        "reason": "the kitchen was left out"}, 201)
    one = m.op("GET", "/invoices/inv_2")
    tap.equal((one["hash"], one["total_fen"], one["credited_fen"],
               len(one["credit_notes"])), (hash_before, 10600, 318, 1))


def february(m):
    """January's visit that came too late is a line of its own."""
    m.clock("2030-02-10 09:00")
    m.visit("r1", 7, "february-1")
    m.visit("r2", 5, "february-2")
    m.clock("2030-03-05 09:00")  # its grace has ended by itself
    tap.equal(m.lines("inv_3"),
              {"base:fee": 6200, "visits:usage": 600,
               "visits:usage@2030-01#2": 300})
    final = same_sums(m, "inv_3", 7526)
    tap.equal((final["number"], final["state"]), ("INV-000003", "final"))
    m.pay("inv_3", 7526, "r1-march", channel="bank")


def settlements(m):
    """The vendor's part, month by month, after what was given back."""
    for period, paid, base, platform, channel in (
            ("2030-01", 2226, 2100, 210, 13),
            ("2030-02", 10600 - 318, 9700, 970, 58)):
        made = m.op("POST", "/settlements",
                    {"plugin": "clean", "period": period}, 201)
        tap.equal((made["paid_fen"], made["base_fen"], made["platform_fen"],
                   made["channel_fen"], made["vendor_fen"]),
                  (paid, base, platform, channel, base - platform - channel),
                  period)
        rows = list(csv.DictReader(io.StringIO(
            m.text("/settlements/%s?format=csv" % made["id"]))))
        tap.equal(sum(int(r["vendor_fen"]) for r in rows),
                  made["vendor_fen"])


def everything_agrees(m):
    """The ledger, the export, and reconcile."""
    accounts = m.ledger()
    tap.equal((accounts["receivable:sub_16"], accounts["credit:sub_16"],
               accounts["tax"], accounts["cash:wechat"],
               accounts["cash:bank"]),
              (0, 0, -(126 + 600 - 18 + 426), 2226 + 10600 - 318, 7526))
    exported = list(csv.DictReader(io.StringIO(m.d.linli_ok(
        "usage", "export", "--format", "csv").out)))
    visits = [r for r in exported if r["meter"] == "clean.visit"]
    tap.equal({r["subscription"] for r in visits}, {"sub_16"})
    used = {}
    for row in visits:
        month = row["plan"], row["time"][:7]
        used[month] = used.get(month, 0) + int(row["qty"])
    tap.equal(used, {("basic", "2030-01"): 3 + 6, ("plus", "2030-01"): 15,
                     ("plus", "2030-02"): 12})
    found = m.d.linli_ok("reconcile", "--json").json
    tap.equal((found["ok"], found["records"], found["breaks"]),
              (True, len(exported), []))
    tap.equal((found["bills"], found["invoices"], found["settlements"]),
              (3, 3, 2), "all of it was looked at")
    # Days with so many visits are told (section 16); nothing else is wrong.
    alerts = m.op("GET", "/alerts?state=open")["items"]
    tap.equal({a["kind"] for a in alerts}, {"linli.usage.unusual"})


def test_a_month():
    with temporary_folder() as folder:
        plugin = plugin_folder(folder, probe_manifest("clean", **CLEAN),
                               main__lua=CLEAN_LUA)
        with Daemon(options=["--clock=virtual"]) as d:
            d.enable(plugin)
            m = Month(d)
            january(m)
            first_of_february(m)
            a_bad_visit(m)
            february(m)
            settlements(m)
            everything_agrees(m)
            # And the same after a power cut.
            before = m.ledger(), m.invoices()
            d.kill()
            d.start()
            tap.equal((m.ledger(), m.invoices()), before)
            everything_agrees(m)


if __name__ == "__main__":
    tap.main()

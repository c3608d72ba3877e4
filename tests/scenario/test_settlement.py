#!/usr/bin/env python3
# test-timeout-s: 180
"""tests/scenario/test_settlement.py: spec/metering.md, section 13: statements
for vendors, closed once, from the API and from the command line.
"""

import csv
import hashlib
import io
import os
import sqlite3
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from test_money import (ADMIN, OPERATOR, bill, community, equal,  # noqa: E402
                        ledger, post)

FIRST = "2030-01-10T08:00:00+08:00"
SUMS = ("paid_fen", "base_fen", "platform_fen", "channel_fen", "vendor_fen")


def get(d, path, status=200):
    """One admin answer."""
    got = d.http("GET", ADMIN + path, as_=OPERATOR)
    equal(got.status, status, "%s: %s" % (path, got.text))
    return got


def pay(d, invoice, fen, ref):
    """A payment."""
    return post(d, "/invoices/inv_%d/payments" % invoice,
                {"amount_fen": fen, "channel": "wechat", "ref": ref}, 201)


def refund(d, invoice, payment, fen, ref):
    """A refund."""
    return post(d, "/invoices/inv_%d/refunds" % invoice,
                {"payment": payment, "amount_fen": fen, "ref": ref,
                 "reason": "returned"}, 201)


def settle(d, period, status=201, plugin="probe"):
    """Closes a month."""
    return post(d, "/settlements", {"plugin": plugin, "period": period},
                status)


def test_a_month_is_closed_once():
    """JSON, CSV and HTML say the same; what is closed stays."""
    with community(["--clock=virtual"]) as d:
        bill(d, 1, 10600, 600)
        d.linli_ok("clock", "set", FIRST)
        equal(settle(d, "2030-01", 409)["code"], "settlement/open")
        equal(settle(d, "2030-01", 404, "other")["code"], "settlement/none")
        for wrong in ("2030-1", "2030-13", "2030-00", "2030-01-01", "", "x"):
            settle(d, wrong, 422)
        pay(d, 1, 4000, "w1")
        pay(d, 1, 6600, "w2")
        d.linli_ok("clock", "set", "2030-01-31T23:59:59+08:00")
        refund(d, 1, "pay_2", 1, "r0")
        # The month ends at local midnight, not at that of UTC.
        d.linli_ok("clock", "set", "2030-02-01T00:00:00+08:00")
        refund(d, 1, "pay_2", 99, "r1")
        made = settle(d, "2030-01")
        equal((made["id"], made["number"], made["moves"]),
              ("set_1", "SET-000001", 3))
        equal([made[s] for s in SUMS], [10599, 9999, 1503, 60, 8436])
        equal(settle(d, "2030-01", 200), made)
        equal(settle(d, "2029-12", 409)["code"], "settlement/later")
        check_documents(d, made)
        # February: what came back, of both months the same as at once.
        d.linli_ok("clock", "set", "2030-03-05T00:00:00+08:00")
        refund(d, 1, "pay_2", 500, "r2")
        later = settle(d, "2030-02")
        equal((later["number"], later["moves"], later["vendor_before_fen"]),
              ("SET-000002", 1, made["vendor_fen"]))
        equal(get(d, "/settlements/set_1").json["lines_sha256"],
              made["lines_sha256"])
        items = get(d, "/settlements?plugin=probe").json["items"]
        equal([i["number"] for i in items], ["SET-000002", "SET-000001"])
        equal(get(d, "/settlements?plugin=x").json["items"], [])
        d.linli_ok("clock", "set", "2030-04-01T00:00:00+08:00")
        third = settle(d, "2030-03")
        equal(made["vendor_fen"] + later["vendor_fen"] + third["vendor_fen"],
              -ledger(d)["due:vendor:probe"])
        get(d, "/settlements/set_9", 404)


def check_documents(d, made):
    """All three are of the same moves, and to the fen."""
    path = "/settlements/" + made["id"]
    page = get(d, path + "?limit=2").json
    lines = page["lines"]
    equal(len(lines), 2)
    page = get(d, path + "?cursor=" + page["next_cursor"]).json
    lines += page["lines"]
    equal((len(lines), page["next_cursor"]), (3, None))
    text = get(d, path + "?format=csv").text
    rows = list(csv.DictReader(io.StringIO(text)))
    for s in SUMS:
        equal(sum(li[s] for li in lines), made[s], s)
        equal(sum(int(r[s]) for r in rows), made[s], s)
    for line in lines:
        equal(line["platform_fen"] + line["channel_fen"] + line["vendor_fen"],
              line["base_fen"])
    state = bytes(32)
    for row in text.split("\r\n")[1:-1]:
        state = hashlib.sha256(state + row.encode()).digest()
    equal(state.hex(), made["lines_sha256"])
    html = get(d, path + "?format=html")
    equal(html.headers["content-type"], "text/html; charset=utf-8")
    for want in ("SET-000001", "105.99", "84.36", made["lines_sha256"]):
        if want not in html.text:
            raise AssertionError("%s is not in %s" % (want, html.text))
    get(d, path + "?format=pdf", 422)
    get(d, path + "?cursor=1", 400)


def test_shares_by_the_plan():
    """Two plugins' terms, and a plugin's moves in its own statements alone."""
    with community(["--clock=virtual"]) as d:
        bill(d, 1, 10000, 0, (1000, 0, 0))
        bill(d, 2, 5000, 0, (0, 0, 0))
        d.stop()
        db = sqlite3.connect(os.path.join(d.data, "linli.db"))
        with db:
            db.execute("UPDATE bill SET plugin = 'other' WHERE invoice = 2")
        db.close()
        d.start()
        d.linli_ok("clock", "set", FIRST)
        pay(d, 1, 10000, "w1")
        pay(d, 2, 5000, "w2")
        d.linli_ok("clock", "set", "2030-02-01T00:00:00+08:00")
        done = d.linli_ok("--json", "settle", "2030-01")
        by = {i["plugin"]: i for i in done.json["items"]}
        equal([by["probe"][s] for s in SUMS], [10000, 10000, 1000, 0, 9000])
        equal([by["other"][s] for s in SUMS], [5000, 5000, 0, 0, 5000])
        again = d.linli_ok("settle", "2030-01", "probe").out
        for want in ("SET-00000", "probe", "2030-01", "100.00", "90.00"):
            if want not in again:
                raise AssertionError(again)
        equal(d.linli("settle", "2030-02").code, 1)
        equal(d.linli("settle").code, 2)


if __name__ == "__main__":
    tap.main()

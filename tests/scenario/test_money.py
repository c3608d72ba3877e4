#!/usr/bin/env python3
# test-timeout-s: 180
"""tests/scenario/test_money.py: spec/metering.md, section 12, live: payments,
refunds and wallets over HTTP, and what the ledger says of them.

Bills are written into the file while linlid is down, as invoices write them:
how an invoice becomes final is tests/scenario/test_invoices.py.
"""

import contextlib
import os
import sqlite3
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import Daemon, plugin_folder, probe_manifest  # noqa: E402
from linli_test import temporary_folder  # noqa: E402
from test_invoices import (advance, invoices, publish, shop,  # noqa: E402
                           show, subscribe, use)

ADMIN = "/v1/c/demo/admin"
OPERATOR = "operator:o1"


def equal(got, want, what=""):
    """Fail unless they are the same."""
    if got != want:
        raise AssertionError("%s: got %r, want %r" % (what, got, want))


@contextlib.contextmanager
def community(options=()):
    """A daemon with one plugin in the community demo."""
    with temporary_folder() as parent, Daemon(options=list(options)) as d:
        d.enable(plugin_folder(
            parent, probe_manifest("probe"),
            main__lua="local p = require('linli').plugin()\n"
            "p:post('/run', function() return 200, {} end)\nreturn p"))
        yield d


def bill(d, invoice, total, tax, terms=(1500, 3, 60)):
    """An invoice of subscription 16 is final."""
    d.stop()
    db = sqlite3.connect(os.path.join(d.data, "linli.db"))
    number = "INV-%06d" % invoice
    with db:
        db.execute("INSERT INTO bill VALUES(?,?,?,?,16,?,?,?,?,?,?)",
                   (invoice, "demo", number, "probe", total, tax) + terms +
                   (1700000000000,))
        entry = db.execute("SELECT coalesce(max(id), 0) + 1 FROM ledger_entry"
                           ).fetchone()[0]
        db.execute("INSERT INTO ledger_entry VALUES(?,?,?,?,?,?,?)",
                   (entry, "demo", "invoice", number, 1700000000000, "linli",
                    ""))
        for n, (name, fen) in enumerate((("receivable:sub_16", total),
                                         ("revenue:probe", tax - total),
                                         ("tax", -tax))):
            db.execute("INSERT OR IGNORE INTO ledger_account(community, name) "
                       "VALUES('demo', ?)", (name,))
            db.execute("INSERT INTO ledger_posting SELECT ?, ?, id, ? FROM "
                       "ledger_account WHERE community = 'demo' AND name = ?",
                       (entry, n, fen, name))
    db.close()
    d.start()


def post(d, path, body, status):
    """One admin request; its JSON."""
    got = d.http("POST", ADMIN + path, body, as_=OPERATOR)
    equal(got.status, status, "%s %r: %s" % (path, body, got.text))
    return got.json


def ledger(d):
    """Every account's balance, which sum to zero."""
    got = d.http("GET", ADMIN + "/ledger", as_=OPERATOR)
    equal(got.status, 200, got)
    accounts = {i["account"]: i["balance_fen"] for i in got.json["items"]}
    equal(sum(accounts.values()), 0, accounts)
    return accounts


def test_payments():
    """In parts, too much, twice, and what is none."""
    with community() as d:
        bill(d, 1, 10600, 600)
        pay = {"amount_fen": 4000, "channel": "wechat", "ref": "w1"}
        got = post(d, "/invoices/inv_1/payments", pay, 201)
        equal((got["id"], got["duplicate"], got["due_fen"]),
              ("pay_1", False, 6600))
        got = post(d, "/invoices/inv_1/payments", pay, 200)
        equal((got["id"], got["duplicate"], got["due_fen"]),
              ("pay_1", True, 6600))
        got = post(d, "/invoices/inv_1/payments",
                   dict(pay, amount_fen=4001), 409)
        equal(got["code"], "ledger/ref-used")
        equal(ledger(d)["receivable:sub_16"], 6600)
        for wrong in ({"amount_fen": 0}, {"amount_fen": "1"}, {"channel": "A"},
                      {"channel": "a:b"}, {"ref": ""}, {"ref": "a\nb"},
                      {"ref": "x" * 129}, {"paid_at": "tomorrow"},
                      {"paid_at": "2999-01-01T00:00:00Z"}, {"more": 1}):
            post(d, "/invoices/inv_1/payments", dict(pay, **wrong), 422)
        post(d, "/invoices/inv_2/payments", dict(pay, ref="w9"), 404)
        for path in ("inv_0", "inv_01", "inv_", "1", "inv_1/x"):
            got = d.http("POST", ADMIN + "/invoices/%s/payments" % path, pay,
                         as_=OPERATOR)
            equal(got.status, 404, path)
        equal(d.http("POST", ADMIN + "/invoices/inv_1/payments", pay,
                     as_="resident:r1").status, 403)
        got = post(d, "/invoices/inv_1/payments",
                   {"amount_fen": 7000, "channel": "bank", "ref": "w1",
                    "paid_at": "2026-01-02T03:04:05Z"}, 201)
        equal((got["paid_fen"], got["credit_fen"], got["due_fen"]),
              (6600, 400, 0))
        d.stop()
        d.start()
        equal(ledger(d), {"receivable:sub_16": 0, "revenue:probe": 0,
                          "tax": -600, "cash:wechat": 4000, "cash:bank": 7000,
                          "credit:sub_16": -400, "due:operator": -1503,
                          "due:channel": -60, "due:vendor:probe": -8437})
        page = d.http("GET", ADMIN + "/invoices/inv_1/payments?limit=1",
                      as_=OPERATOR).json
        equal((page["items"][0]["ref"], page["next_cursor"]), ("w1", "1"))
        page = d.http("GET", ADMIN + "/invoices/inv_1/payments?cursor=1",
                      as_=OPERATOR).json
        equal((page["items"][0]["channel"], page["items"][0]["paid_at"],
               page["next_cursor"]),
              ("bank", "2026-01-02T03:04:05.000Z", None))


def test_refunds():
    """Out of credit first; then it is owed again, and shares come back."""
    with community() as d:
        bill(d, 1, 10600, 600)
        post(d, "/invoices/inv_1/payments",
             {"amount_fen": 11000, "channel": "wechat", "ref": "w1"}, 201)
        back = {"payment": "pay_1", "amount_fen": 300, "reason": "坏了",
                "ref": "r1"}
        got = post(d, "/invoices/inv_1/refunds", back, 201)
        equal((got["id"], got["credit_fen"], got["owed_fen"], got["due_fen"]),
              ("ref_1", 300, 0, 0))
        equal(post(d, "/invoices/inv_1/refunds", back, 200)["duplicate"], True)
        post(d, "/invoices/inv_1/refunds", dict(back, amount_fen=1), 409)
        post(d, "/invoices/inv_1/refunds", dict(back, ref="r2", reason=""),
             422)
        post(d, "/invoices/inv_1/refunds", dict(back, ref="r2",
                                                payment="pay_2"), 404)
        got = post(d, "/invoices/inv_1/refunds",
                   dict(back, ref="r2", amount_fen=10701), 409)
        equal(got["code"], "ledger/too-much")
        for n in range(20):
            post(d, "/invoices/inv_1/refunds",
                 dict(back, ref="s%d" % n, amount_fen=535), 201)
        accounts = ledger(d)
        equal((accounts["cash:wechat"], accounts["due:vendor:probe"],
               accounts["due:operator"], accounts["due:channel"],
               accounts["receivable:sub_16"], accounts["revenue:probe"]),
              (0, 0, 0, 0, 10600, -10000))
        items = d.http("GET", ADMIN + "/invoices/inv_1/refunds",
                       as_=OPERATOR).json["items"]
        equal((len(items), items[0]["reason"], items[0]["by"]),
              (21, "坏了", OPERATOR))


def test_wallets():
    """Used by priority, then expiry; what is left is prepaid; what expired is
    written off at night."""
    with shop() as d:
        publish(d, tax={"mode": "none"}, charges=[
            {"id": "api", "kind": "unit", "meter": "probe.api",
             "unit_fen": "1"}])
        path = "/subscriptions/%s/wallet" % subscribe(d)
        tops = ({"amount_fen": 100, "ref": "t1", "priority": 2},
                {"amount_fen": 200, "ref": "t2", "priority": 1},
                {"amount_fen": 300, "ref": "t3", "priority": 1,
                 "expires": "2030-02-20T00:00:00Z", "channel": "wechat"},
                {"amount_fen": 400, "ref": "t4",
                 "expires": "2030-01-20T00:00:00Z"})
        for n, top in enumerate(tops):
            got = post(d, path, top, 201)
        equal((got["id"], got["balance_fen"], got["duplicate"]),
              ("top_4", 1000, False))
        equal(post(d, path, tops[0], 200)["duplicate"], True)
        equal(post(d, path, dict(tops[0], priority=3), 409)["code"],
              "ledger/ref-used")
        for wrong in ({"amount_fen": -1}, {"priority": -1}, {"priority": "x"},
                      {"expires": "2029-01-01T00:00:00Z"}, {"expires": 5}):
            post(d, path, dict(tops[0], ref="new", **wrong), 422)
        post(d, "/subscriptions/sub_99/wallet", tops[0], 404)
        use(d, api=450)
        advance(d, "26d")  # the invoice is final
        made, = [i for i in invoices(d) if i["number"]]
        equal((made["state"], show(d, made["id"]).json["paid_fen"]),
              ("paid", 450))
        page = d.http("GET", ADMIN + path, as_=OPERATOR).json
        equal(page["balance_fen"], 150)
        equal([(i["id"], i["left_fen"]) for i in page["items"]],
              [("top_1", 100), ("top_2", 50), ("top_3", 0), ("top_4", 0)])
        accounts = ledger(d)
        equal((accounts["wallet:sub_16"], accounts["writeoff"],
               accounts["cash:prepaid"], accounts["cash:wechat"]),
              (-150, -400, 700, 300))
        equal(d.http("GET", ADMIN + "/reconcile", as_=OPERATOR).json["ok"],
              True)


def test_many_at_once():
    """The same payment from many at once is one; killed, it is there."""
    with community() as d:
        bill(d, 1, 10000, 0, (1000, 0, 0))
        answers = []

        def one(n):
            answers.append(d.http(
                "POST", ADMIN + "/invoices/inv_1/payments",
                {"amount_fen": 100, "channel": "wechat",
                 "ref": "w%d" % (n % 10)}, as_=OPERATOR))
        threads = [threading.Thread(target=one, args=(n,)) for n in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        equal(sorted({a.status for a in answers}), [200, 201])
        equal(sum(a.status == 201 for a in answers), 10)
        d.kill()
        d.start()
        accounts = ledger(d)
        equal((accounts["cash:wechat"], accounts["due:vendor:probe"]),
              (1000, -900))


if __name__ == "__main__":
    tap.main()

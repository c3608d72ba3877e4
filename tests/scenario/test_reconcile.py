#!/usr/bin/env python3
# test-timeout-s: 400
"""tests/scenario/test_reconcile.py: spec/metering.md, section 15: everything
that billing keeps is damaged, one thing after the other, in the file while
linlid is down; each break is named, and nothing becomes final after it.
"""

import contextlib
import json
import os
import shutil
import sqlite3
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import wait_until  # noqa: E402
from test_invoices import (advance, invoices, op, publish, shop,  # noqa: E402
                           subscribe, use)

NIGHT = "1d"


def a_quarter(d):
    """Three months of two subscriptions, with all that can happen to them."""
    publish(d)
    publish(d, "plus", charges=[{"id": "fee", "kind": "flat",
                                 "amount_fen": 6200, "timing": "advance"}])
    one = subscribe(d)
    two = subscribe(d, "r2")
    op(d, "POST", "/subscriptions/%s/wallet" % two,
       {"amount_fen": 500, "ref": "top-1", "priority": 1}, 201)
    op(d, "POST", "/subscriptions/%s/wallet" % two,
       {"amount_fen": 300, "ref": "top-2", "expires": "2030-02-20T00:00:00Z"},
       201)
    use(d, api=1500, gb=10, pay=20000)
    use(d, "r2", api=10)
    advance(d, "10d")
    op(d, "POST", "/subscriptions/%s/pause" % two, {"reason": "away"})
    advance(d, "5d")
    op(d, "POST", "/subscriptions/%s/resume" % two, {"reason": "back"})
    advance(d, "7d")  # 1 February
    mine, = [i["id"] for i in invoices(d)
             if i["subscription"] == one and i["state"] == "draft"]
    op(d, "POST", "/invoices/%s/finalize" % mine, {"reason": "now"})
    use(d, at=1895997600000, api=100, pay=300)  # 30 January: it is late
    advance(d, "3d")  # the other is final too
    use(d, api=5, pay=700)
    pay(d, "inv_1", 1000, "w1")
    pay(d, "inv_1", 2000, "w2")
    refund(d, "inv_1", "pay_2", 100, "r1")
    op(d, "POST", "/subscriptions/%s/upgrade" % two,
       {"plan": "plus", "reason": "more"})
    use(d, "r2", api=1)
    advance(d, "31d")  # 7 March: February's are final
    final = [i for i in invoices(d) if i["number"]]
    tap.equal(len(final), 6)
    late = op(d, "GET", "/invoices?subscription=" + one).json["items"]
    keys = [line["key"] for line in op(
        d, "GET", "/invoices/" + late[0]["id"]).json["invoice"]["lines"]]
    tap.equal(any("@2030-01" in key for key in keys), True, keys)
    op(d, "POST", "/invoices/%s/credit" % mine,
       {"lines": [{"key": "api:t1:unit", "fen": 50}], "reason": "sorry"})
    op(d, "POST", "/settlements", {"plugin": "probe", "period": "2030-02"},
       201)
    op(d, "POST", "/subscriptions/%s/cancel" % one, {"reason": "moves"})
    pay(d, mine, 100, "w3")


def pay(d, invoice, fen, ref):
    """A payment."""
    op(d, "POST", "/invoices/%s/payments" % invoice,
       {"amount_fen": fen, "channel": "wechat", "ref": ref}, 201)


def refund(d, invoice, payment, fen, ref):
    """A refund."""
    op(d, "POST", "/invoices/%s/refunds" % invoice,
       {"payment": payment, "amount_fen": fen, "ref": ref, "reason": "no"},
       201)


def reconcile(d):
    """What it finds."""
    return op(d, "GET", "/reconcile").json


def one_alert(d, state):
    """The alert of a break, which comes to be so."""
    def there():
        items = op(d, "GET", "/alerts?kind=linli.reconcile").json["items"]
        tap.equal(len(items) <= 1, True, items)
        return [i for i in items if i["state"] == state]
    wait_until(there)
    return there()[0]


@contextlib.contextmanager
def damaged(d, sql, keep):
    """The database with something changed; then it is put back."""
    d.stop()
    here = os.path.join(d.data, "linli.db")
    shutil.copy(keep, here)
    db = sqlite3.connect(here)
    with db:
        for statement in sql.split(";"):
            db.execute(statement)
    tap.equal(db.total_changes > 0, True, sql)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    d.start()
    yield


# What is changed, what it breaks, and a row that has to be named.
DAMAGE = (
    ("UPDATE ledger_posting SET fen = fen + 1 WHERE entry = 1 AND n = 0",
     "entries", "ledger_entry 1"),
    ("DELETE FROM ledger_posting WHERE entry = 2", "entries",
     "ledger_entry 2"),
    ("UPDATE ledger_posting SET fen = fen * 2 WHERE entry = "
     "(SELECT id FROM ledger_entry WHERE kind = 'payment' LIMIT 1)",
     "receivable", "demo receivable:sub_16"),
    ("UPDATE ledger_posting SET fen = fen + 7 WHERE account IN (SELECT id "
     "FROM ledger_account WHERE name = 'due:vendor:probe') AND entry = "
     "(SELECT min(id) FROM ledger_entry WHERE kind = 'share');"
     "UPDATE ledger_posting SET fen = fen - 7 WHERE account IN (SELECT id "
     "FROM ledger_account WHERE name = 'due:operator') AND entry = "
     "(SELECT min(id) FROM ledger_entry WHERE kind = 'share')",
     "due", "demo due:vendor:probe"),
    ("UPDATE bill_payment SET fen = fen + 1 WHERE id = 1", "cash",
     "demo cash:wechat"),
    ("UPDATE wallet_grant SET fen = fen + 1 WHERE id = 1", "wallets",
     "demo wallet:sub_17"),
    ("UPDATE wallet_use SET fen = 999999 WHERE id = 1", "wallets",
     "wallet_grant top_1"),
    ("UPDATE bill SET tax = tax + 1 WHERE invoice = 1", "revenue",
     "demo tax"),
    ("UPDATE bill_move SET vendor = vendor + 1 WHERE id = 1", "moves",
     "bill_move 1"),
    ("UPDATE bill_refund SET fen = 5000", "refunds", "bill_payment pay_2"),
    ("UPDATE bill SET number = 'INV-000009' WHERE invoice = 1", "bills",
     "invoice inv_1"),
    ("DELETE FROM bill WHERE invoice = 1", "bills", "invoice inv_1"),
    ("UPDATE invoice SET paid = paid + 1 WHERE id = 1", "paid",
     "invoice inv_1"),
    ("UPDATE invoice SET state = 1 WHERE id = 1", "paid", "invoice inv_1"),
    ("UPDATE invoice SET body = CAST(replace(CAST(body AS TEXT), "
     "'\"amount_fen\":', '\"amount_fen\":1') AS BLOB) WHERE id = 1",
     "totals", "invoice inv_1"),
    ("UPDATE invoice SET body = CAST('no' AS BLOB) WHERE id = 1", "totals",
     "invoice inv_1"),
    ("UPDATE credit_note SET total = total + 1", "credit_notes", "invoice "),
    ("UPDATE invoice SET number = 9 WHERE number = 2", "numbers",
     "demo INV numbers"),
    ("UPDATE settlement SET number = 2", "numbers", "demo SET numbers"),
    ("UPDATE bill SET platform_bp = 2000 WHERE invoice = 1", "shares",
     "bill inv_1"),
    ("UPDATE bill_move SET base = base - 1, vendor = vendor - 1 WHERE id = 1",
     "shares", "bill inv_"),
    ("UPDATE invoice SET hash = zeroblob(32) WHERE id = 2", "invoices",
     "invoice inv_2"),
    # Rated again it is another: what was used, and the plan it was rated by.
    ("UPDATE invoice SET body = CAST(replace(CAST(body AS TEXT), "
     "'\"quantity\":\"1500\",\"records\"', "
     "'\"quantity\":\"1501\",\"records\"') AS BLOB) "
     "WHERE body IS NOT NULL", "invoices", "invoice inv_"),
    ("UPDATE plan_version SET body = CAST(replace(CAST(body AS TEXT), "
     "'\"unit_fen\":\"3\"', '\"unit_fen\":\"4\"') AS BLOB)",
     "invoices", "invoice inv_"),
    ("UPDATE invoice_use SET quantity = quantity + 1 WHERE "
     "meter = 'probe.api'", "use", "invoice inv_"),
    ("DELETE FROM invoice_use WHERE meter = 'probe.gb'", "use",
     "invoice inv_"),
    ("UPDATE settlement SET vendor = vendor + 1", "settlements",
     "settlement set_1"),
    ("UPDATE settlement SET hash = zeroblob(32)", "settlements",
     "settlement set_1"),
    ("UPDATE settlement SET since = 5", "settlements", "settlement set_1"),
)


def test_every_break_is_named():
    with shop() as d:
        a_quarter(d)
        found = reconcile(d)
        tap.equal((found["ok"], found["breaks"]), (True, []))
        tap.equal((found["invoices"], found["settlements"]), (6, 1))
        tap.equal(found["rated_again"], 6)
        d.stop()
        keep = os.path.join(d.data, "keep.db")
        db = sqlite3.connect(os.path.join(d.data, "linli.db"))
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        shutil.copy(os.path.join(d.data, "linli.db"), keep)
        d.start()
        tap.equal({k for _, k, _ in DAMAGE}, set(
            "entries receivable due cash wallets revenue moves refunds bills "
            "paid totals credit_notes numbers shares invoices use "
            "settlements".split()), "each is damaged")
        unseen = []
        for sql, check, row in DAMAGE:
            with damaged(d, sql, keep):
                found = reconcile(d)
                named = [b for b in found["breaks"] if b["check"] == check and
                         b["row"].startswith(row)]
                if found["ok"] or not named:
                    unseen.append((sql, found["breaks"]))
        tap.equal(unseen, [], "each is named")


def test_nothing_is_final_after_a_break():
    with shop() as d:
        publish(d)
        subscribe(d)
        use(d, api=1500)
        advance(d, "26d")  # the first is final
        pay(d, "inv_1", 1000, "w1")
        d.stop()
        path = os.path.join(d.data, "linli.db")
        db = sqlite3.connect(path)
        with db:
            db.execute("UPDATE bill_move SET vendor = vendor + 1")
        db.close()
        d.start()
        advance(d, NIGHT)  # it is found at night
        alert = one_alert(d, "open")
        tap.equal(alert["data"]["breaks"][0]["check"], "due")
        advance(d, "27d")
        tap.equal([i["state"] for i in invoices(d)][-1], "draft")
        draft = invoices(d)[-1]["id"]
        got = op(d, "POST", "/invoices/%s/finalize" % draft,
                 {"reason": "now"}, 409)
        tap.equal(got.code, "invoice/stopped")
        done = d.linli("reconcile")
        tap.equal(done.code, 1)
        tap.contains(done.out, "due: demo due:vendor:probe: ")
        d.stop()  # a restart does not forget it
        d.start()
        op(d, "POST", "/invoices/%s/finalize" % draft, {"reason": "now"}, 409)
        d.stop()
        db = sqlite3.connect(path)
        with db:
            db.execute("UPDATE bill_move SET vendor = vendor - 1")
        db.close()
        d.start()
        tap.equal(reconcile(d)["ok"], True)
        one_alert(d, "closed")
        advance(d, "1h")
        tap.equal([i["state"] for i in invoices(d)][-1] in
                  ("final", "overdue"), True, invoices(d))


def test_a_break_is_not_told_to_neighbours():
    with shop() as d:
        publish(d)
        subscribe(d)
        use(d, api=1500)
        advance(d, "26d")
        pay(d, "inv_1", 1000, "w1")
        d.stop()
        db = sqlite3.connect(os.path.join(d.data, "linli.db"))
        with db:
            db.execute("UPDATE bill_move SET vendor = vendor + 1")
        db.close()
        d.start()
        seed = os.path.join(d.data, "seed.json")
        with open(seed, "w", encoding="utf-8") as file:
            json.dump({"communities": [{"id": "other", "name": "Other",
                                        "zone": "Asia/Shanghai"}]}, file)
        d.linli_ok("seed", seed)
        found = reconcile(d)
        tap.equal(found["ok"], False)
        tap.equal({b["row"] for b in found["breaks"]}, {None}, found)
        told = json.dumps([found, one_alert(d, "open")])
        tap.equal("due:vendor" in told, False, told)
        done = d.linli("reconcile")
        tap.equal(done.code, 1)
        tap.contains(done.out, "due: the log of linlid names the row")
        with open(os.path.join(d.data, "linlid.log"),
                  encoding="utf-8") as file:
            log = file.read()
        tap.contains(log, "due: demo due:vendor:probe: ")


if __name__ == "__main__":
    tap.main()

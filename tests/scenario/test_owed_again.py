#!/usr/bin/env python3
# test-timeout-s: 180
"""tests/scenario/test_owed_again.py: what happens to invoices that are closed:
money that goes back, and money that nobody expected any more.
spec/metering.md, sections 11 and 12."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tap  # noqa: E402
from test_invoices import advance, agree, invoices, op, pay  # noqa: E402
from test_invoices import publish, shop, show, state, subscribe  # noqa: E402


def ledger(d):
    """Every account that is not zero; all of them sum to zero."""
    accounts = {a["account"]: a["balance_fen"]
                for a in op(d, "GET", "/ledger").json["items"]}
    tap.equal(sum(accounts.values()), 0, accounts)
    return {name: fen for name, fen in accounts.items() if fen}


def refund(d, invoice, payment, fen, ref):
    """Money goes back."""
    return op(d, "POST", "/invoices/%s/refunds" % invoice, {
        "payment": payment, "amount_fen": fen, "reason": "charged back",
        "ref": ref}, 201).json


def seen(d, invoice):
    """Its state and its sums."""
    got = show(d, invoice).json
    return [got[k] for k in ("state", "paid_fen", "due_fen", "due")]


def test_what_was_taken_back_is_owed_again():
    with shop() as d:
        publish(d)
        sub = subscribe(d)
        advance(d, "3d")
        first = invoices(d)[0]["id"]
        paid = pay(d, first, 2200, "a").json["id"]
        tap.equal(seen(d, first), ["paid", 2200, 0, "2030-01-28"])
        advance(d, "60d")
        got = refund(d, first, paid, 2000, "back")
        tap.equal([got["owed_fen"], got["due_fen"]], [2000, 2000])
        again = ["final", 200, 2000, "2030-03-29"]  # fifteen days from then
        tap.equal(seen(d, first), again)
        d.stop()
        d.start()
        tap.equal(seen(d, first), again)
        tap.equal(op(d, "GET", "/invoices?state=final").json["items"][-1][
            "id"], first)
        for other in invoices(d)[1:]:
            if other.get("due_fen", 0) > 0:
                pay(d, other["id"], other["due_fen"], other["id"])
        tap.equal([state(d, sub), ledger(d)["receivable:" + sub]],
                  ["active", 2000])
        advance(d, "16d")
        tap.equal([seen(d, first)[0], state(d, sub)], ["overdue", "active"])
        advance(d, "15d")
        tap.equal(state(d, sub), "suspended")
        for other in invoices(d):
            if other.get("due_fen", 0) > 0:
                pay(d, other["id"], other["due_fen"], "b" + other["id"])
        tap.equal([seen(d, first)[0], state(d, sub)], ["paid", "active"])
        tap.equal("receivable:" + sub in ledger(d), False)
        tap.contains([h["what"] for h in show(d, first).json["history"]],
                     "owed-again")
        agree(d)


def test_what_was_written_off_comes_after_all():
    with shop() as d:
        publish(d)
        sub = subscribe(d)
        advance(d, "3d")
        first = invoices(d)[0]["id"]
        pay(d, first, 200, "a")
        op(d, "POST", "/invoices/%s/write-off" % first, {"reason": "gone"})
        books = ledger(d)
        tap.equal([books["writeoff"], books.get("receivable:" + sub)],
                  [2000, None])
        got = pay(d, first, 500, "b").json
        tap.equal(seen(d, first)[:2], ["written-off", 700])
        books = ledger(d)
        tap.equal([books["writeoff"], books.get("receivable:" + sub)],
                  [1500, None])
        refund(d, first, got["id"], 100, "back")
        agree(d)
        books = ledger(d)
        tap.equal([books["writeoff"], books.get("receivable:" + sub)],
                  [1600, None])
        op(d, "POST", "/invoices/%s/credit" % first, {
            "lines": [{"key": "fee:fee", "fen": 600}], "reason": "sorry"})
        books = ledger(d)
        tap.equal([books["writeoff"], books.get("receivable:" + sub)],
                  [1000, None])
        d.stop()
        d.start()
        pay(d, first, 1100, "c")  # 100 too much
        books = ledger(d)
        tap.equal([books.get(a) for a in (
            "writeoff", "receivable:" + sub, "credit:" + sub)],
                  [None, None, -100])
        tap.equal(seen(d, first)[:3], ["paid", 1600, 0])
        agree(d)
        # Taken back, and given up once more.
        refund(d, first, "pay_3", 1100, "all")
        tap.equal(seen(d, first)[:3], ["final", 600, 1000])
        op(d, "POST", "/invoices/%s/write-off" % first, {"reason": "gone"})
        tap.equal(ledger(d)["writeoff"], 1000)
        agree(d)


def test_nothing_is_paid_of_less_than_nothing():
    with shop() as d:
        publish(d, charges=[{"id": "fee", "kind": "flat", "amount_fen": 3100,
                             "timing": "advance"}])
        sub = subscribe(d)
        op(d, "POST", "/subscriptions/%s/cancel" % sub, {"now": True, "reason": "no"})
        advance(d, "4d")
        less = invoices(d)[1]
        tap.equal([less["state"], less["total_fen"] < 0], ["paid", True])
        before = ledger(d)
        got = op(d, "POST", "/invoices/%s/payments" % less["id"], {
            "channel": "bank", "ref": "x", "amount_fen": 100}, 409)
        tap.equal(got.code, "ledger/too-much")
        tap.equal(ledger(d), before)
        agree(d)


def test_who_ends_at_once_pays_nothing():
    """No instant was theirs, so neither was the day."""
    with shop() as d:
        publish(d, charges=[{"id": "fee", "kind": "flat", "amount_fen": 3100,
                             "timing": "advance"}])
        sub = subscribe(d)
        op(d, "POST", "/subscriptions/%s/cancel" % sub, {"now": True, "reason": "no"})
        advance(d, "4d")
        tap.equal([i["total_fen"] for i in invoices(d)], [2200, -2200])
        other = subscribe(d, who="r2")
        tap.equal(other == sub, False)
        advance(d, "17d")  # 14 hours before the month ends
        advance(d, "14h")
        op(d, "POST", "/subscriptions/%s/cancel" % other, {"now": True, "reason": "no"})
        advance(d, "4d")
        got = [i["total_fen"] for i in invoices(d, "?subscription=" + other)]
        tap.equal(sum(got), 1800)  # 18 days of January, none of February
        agree(d)


def test_small_credits_take_no_more_tax_than_there_is():
    """Nine fen of 71, whose tax is 4, have half a fen of it and a bit."""
    with shop() as d:
        publish(d, charges=[{"id": "fee", "kind": "flat", "amount_fen": 100}])
        subscribe(d)
        advance(d, "26d")
        first = invoices(d)[0]
        tap.equal([first["total_fen"], first["tax_fen"]], [71, 4])
        path = "/invoices/%s/credit" % first["id"]
        for _ in range(7):
            op(d, "POST", path, {"lines": [{"key": "fee:fee", "fen": 9}],
                                 "reason": "small"})
        got = op(d, "POST", path, {"all": True, "reason": "the rest"}).json
        tap.equal([n["credit_note"]["tax_fen"] for n in got["credit_notes"]],
                  [-1, -1, -1, -1, 0, 0, 0, 0])
        tap.equal(sum(n["credit_note"]["total_fen"]
                      for n in got["credit_notes"]), -71)
        agree(d)


def test_a_household_sees_what_it_pays():
    with shop() as d:
        publish(d)
        sub = subscribe(d, payers=[{"kind": "household", "id": "h1"}])
        other = subscribe(d, who="r2")
        advance(d, "3d")

        def own(path, household, who, status=200):
            claims = {"household": household} if household else None
            got = d.http("GET", "/v1/c/demo/me/invoices" + path, headers={
                "Authorization": "Bearer " + d.token("resident:" + who,
                                                     claims=claims)})
            tap.equal(got.status, status, got)
            return got.json
        first = [i["id"] for i in invoices(d, "?subscription=" + sub)]
        theirs = [i["id"] for i in invoices(d, "?subscription=" + other)]
        for household, who, want in (
                ("h1", "r1", first), ("h1", "r2", first + theirs),
                ("h2", "r2", theirs), (None, "r1", []), ("r2", "r3", []),
                (None, "h1", [])):  # a name is of its kind alone
            tap.equal([i["id"] for i in own("", household, who)["items"]],
                      want, (household, who))
            for invoice in first + theirs:
                own("/" + invoice, household, who,
                    200 if invoice in want else 404)


if __name__ == "__main__":
    tap.main()

#!/usr/bin/env python3
# test-timeout-s: 240
"""tests/scenario/test_payments.py: spec/payments.md, live."""

import contextlib
import hashlib
import hmac
import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, failing_start,  # noqa: E402
                        plugin_folder, probe_manifest, temporary_folder,
                        wait_until)

NOW = 1893456000000  # 2030-01-01T00:00:00Z
WINDOW = 15 * 60 * 1000
SUM = 500
CALLBACK = "/v1/callbacks/payment/sim"
SUCCESS = (200, {"code": "SUCCESS"})


class Payer:
    """A daemon with tests/plugins/payer."""

    def __init__(self, d):
        self.d = d

    def post(self, path, want, body):
        """A call of the payer; its JSON."""
        answer = self.d.call("payer", path, body, key=os.urandom(8).hex())
        tap.equal(answer.status, want, answer)
        return answer.json

    def order(self, **more):
        """The id of a payment that can be paid."""
        pay = self.post("/orders", 201, dict({"amount_fen": SUM}, **more))
        tap.equal(pay["state"], "creating", pay)
        self.wait(pay["id"], lambda p: p["state"] != "creating")
        return pay["id"]

    def refund(self, payment, fen, want=201, **more):
        """What asking for a refund answers."""
        return self.post("/refunds", want, dict(
            {"payment": payment, "amount_fen": fen}, **more))

    def seen(self, payment):
        """What the plugin sees of it, and what it was told, in order."""
        answer = self.d.call("payer", "/orders/" + payment, method="GET")
        tap.equal(answer.status, 200, answer)
        return answer.json

    def told(self, payment):
        """The states that the handler was called with."""
        return [note["state"] for note in self.seen(payment)["heard"]]

    def wait(self, payment, condition):
        """Polls until the plugin sees it so; returns what it sees."""
        last = wait_until(lambda: self.last_if(payment, condition), 10)
        if not last:
            raise AssertionError("still %r" % self.seen(payment))
        return last

    def last_if(self, payment, condition):
        """What it sees, if that is as wanted."""
        pay = self.seen(payment)["payment"]
        return pay if condition(pay) else None

    def wait_told(self, payment, *states):
        """The handler has been called with these, once each."""
        wait_until(lambda: len(self.told(payment)) >= len(states), 10)
        tap.equal(self.told(payment), list(states), self.seen(payment))

    def trigger(self, *words, want=0):
        """`linli trigger`; the answers as [(status, body)]."""
        done = self.d.linli("trigger", *words, "--json")
        tap.equal(done.code, want, done)
        return [(a["status"], a["body"]) for a in done.json]

    def paid(self, payment, *words):
        """A notice that must be taken."""
        for answer in self.trigger("payment.paid", payment, *words):
            tap.equal(answer, SUCCESS)

    def refunded(self, refund, *words):
        """The same, of a refund."""
        for answer in self.trigger("refund.done", refund, *words):
            tap.equal(answer, SUCCESS)

    def admin(self, path="", want=200, as_="operator:o", community="demo"):
        """What an operator reads below /admin/payments."""
        answer = self.d.http("GET", "/v1/c/%s/admin/payments%s"
                             % (community, path), as_=as_,
                             community=community)
        tap.equal(answer.status, want, answer)
        return answer.json

    def record(self, payment):
        """The operator's view of one."""
        return self.admin("/" + payment)

    def alerts(self, kind):
        """Data of the alerts of a kind, newest first."""
        answer = self.d.http("GET", "/v1/c/demo/admin/alerts?kind=" + kind,
                             as_="operator:o")
        tap.equal(answer.status, 200, answer)
        return [item["data"] for item in answer.json["items"]]

    def advance(self, duration):
        """The clock goes on."""
        self.d.linli_ok("clock", "advance", duration)

    def behave(self, want=200, method="PUT", **settings):
        """How the simulator behaves."""
        answer = self.d.http(
            method, "/v1/dev/sim/payment",
            settings if method == "PUT" else None,
            headers={"Authorization":
                     "Bearer " + self.d.ready["admin_token"]})
        tap.equal(answer.status, want, answer)
        return answer.json

    def notice(self, body, at=None, secret=None, method="POST",
               headers=None):
        """A notice that the test signs itself; (status, body)."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        with open(os.path.join(self.d.data, "sim.secret"), "rb") as f:
            secret = secret or f.read()
        t = str(int(time.time()) if at is None else at)
        mac = hmac.new(secret, t.encode() + b"." + body,
                       hashlib.sha256).hexdigest()
        if headers is None:
            headers = {"Linli-Sim-Signature": "t=%s,v1=%s" % (t, mac)}
        answer = self.d.http(method, CALLBACK, body, headers=headers)
        return answer.status, answer.json


@contextlib.contextmanager
def payer(virtual=False, **more):
    """A host with the payer."""
    options = ["--clock=virtual"] if virtual else []
    with Daemon(options=options, **more) as d:
        if virtual:
            d.linli_ok("clock", "set", str(NOW))
        d.enable(d.source("tests/plugins/payer"))
        yield Payer(d)


def outcomes(record):
    """{transaction: what it came to}."""
    return {t["id"]: t["outcome"] for t in record["transactions"]}


def backs(record):
    """[(transaction, sum, automatic, state)] of the refunds."""
    return [(r["transaction_id"], r["amount_fen"], r["automatic"],
             r["state"]) for r in record["refunds"]]


def paid_notice(payment, transaction="t1", fen=SUM):
    """The body of a notice."""
    return {"type": "payment.paid", "payment_id": payment,
            "transaction_id": transaction, "amount_fen": fen,
            "at": "2030-01-01T00:00:00Z"}


def test_a_payment_and_its_notice_five_times():
    with payer() as p:
        payment = p.order(**{"with": {"car": "京A12345"}, "about_me": True})
        pay = p.seen(payment)["payment"]
        tap.equal((pay["state"], pay["pay_params"], pay["paid_fen"]),
                  ("pending", {"sim": payment}, 0))
        p.paid(payment, "--times", "5")
        p.wait_told(payment, "paid")
        heard = p.seen(payment)["heard"][0]
        tap.equal((heard["kind"], heard["with"]),
                  ("payment", {"car": "京A12345"}))
        record = p.record(payment)
        tap.equal(len(record["subject"]), 32)
        tap.equal((record["state"], record["paid_fen"], record["plugin"],
                   record["channel"], record["adapter"]),
                  ("paid", SUM, "payer", "wechat", "sim"))
        tap.equal(outcomes(record), {"sim-" + payment: "accepted"})
        tap.equal(backs(record), [])


def test_the_notice_before_the_create_call_returned():
    with payer() as p:
        p.behave(notify_before_return=True)
        bought = p.post("/purchases", 200, {"amount_fen": SUM})
        pay = bought["payment"]
        tap.equal((pay["state"], pay["pay_params"]),
                  ("paid", {"sim": pay["id"]}))
        p.paid(pay["id"], "--times", "4")
        p.wait_told(pay["id"], "paid")
        tap.equal(outcomes(p.record(pay["id"])),
                  {"sim-" + pay["id"]: "accepted"})


def test_who_pays_is_told_how():
    with payer() as p:
        bought = p.post("/purchases", 200, {"amount_fen": SUM})
        pay = bought["payment"]
        tap.equal((pay["state"], pay["pay_params"]),
                  ("pending", {"sim": pay["id"]}))
        p.paid(pay["id"])
        p.wait_told(pay["id"], "paid")


def test_late_it_goes_back_once():
    with payer(virtual=True) as p:
        payment = p.order()
        p.advance("899999ms")
        tap.equal(p.seen(payment)["payment"]["state"], "pending")
        p.advance("1ms")
        p.wait_told(payment, "expired")
        p.paid(payment, "--times", "5")
        p.paid(payment)
        record = p.record(payment)
        tap.equal((record["state"], record["paid_fen"]), ("expired", 0))
        tap.equal(outcomes(record), {"sim-" + payment: "late"})
        tap.equal(backs(record),
                  [("sim-" + payment, SUM, True, "pending")])
        p.refunded(record["refunds"][0]["id"], "--times", "2")
        record = p.record(payment)
        tap.equal((record["state"], backs(record)[0][3]),
                  ("expired", "done"))
        p.advance("1h")
        p.wait_told(payment, "expired")


def test_up_to_the_last_millisecond_it_is_in_time():
    with payer(virtual=True) as p:
        payment = p.order(pay_by=NOW + WINDOW)
        p.advance("899999ms")
        p.paid(payment)
        p.advance("1h")
        p.wait_told(payment, "paid")
        tap.equal(backs(p.record(payment)), [])


def test_a_wrong_amount_pays_nothing():
    with payer(virtual=True) as p:
        payment = p.order()
        p.paid(payment, "--amount", "499", "--times", "3")
        record = p.record(payment)
        tap.equal((record["state"], record["flagged"], record["held_fen"],
                   record["paid_fen"]), ("flagged", True, 499, 0))
        tap.equal(backs(record), [])
        held = "sim-%s-499" % payment
        tap.equal(outcomes(record), {held: "flagged"})
        tap.equal(p.alerts("linli.payment_flagged"), [
            {"reason": "amount", "payment": payment, "transaction": held,
             "amount_fen": 499, "expected_fen": SUM}])
        tap.equal([i["id"] for i in p.admin("?state=flagged")["items"]],
                  [payment])
        tap.equal(p.told(payment), [])
        # The right sum still pays, and what is held stays held.
        p.paid(payment)
        p.wait_told(payment, "paid")
        tap.equal([(i["id"], i["state"]) for i in
                   p.admin("?state=flagged")["items"]], [(payment, "paid")])


def test_a_flagged_payment_expires_for_its_plugin():
    with payer(virtual=True) as p:
        payment = p.order()
        p.paid(payment, "--amount", "1")
        p.advance("15m")
        p.wait_told(payment, "expired")
        tap.equal([(i["id"], i["held_fen"]) for i in
                   p.admin("?state=flagged")["items"]], [(payment, 1)])


def test_one_transaction_with_two_sums():
    with payer() as p:
        payment = p.order()
        p.paid(payment, "--transaction", "t1")
        p.paid(payment, "--transaction", "t1", "--amount", "7")
        record = p.record(payment)
        tap.equal(outcomes(record), {"t1": "accepted"})
        tap.equal([a["reason"] for a in
                   p.alerts("linli.payment_flagged")], ["conflict"])


def test_a_second_transaction_goes_back():
    with payer() as p:
        payment = p.order()
        p.paid(payment, "--transaction", "t1")
        p.paid(payment, "--transaction", "t2", "--times", "3")
        p.paid(payment, "--transaction", "t1")
        record = p.record(payment)
        tap.equal(outcomes(record), {"t1": "accepted", "t2": "second"})
        tap.equal(backs(record), [("t2", SUM, True, "pending")])
        p.refunded(record["refunds"][0]["id"])
        p.wait_told(payment, "paid")
        record = p.record(payment)
        tap.equal((record["state"], record["refunded_fen"]), ("paid", 0))
        tap.equal(backs(record)[0][3], "done")
        # What was settled stays so, also after it has gone back.
        refund = p.refund(payment, SUM)
        p.refunded(refund["id"])
        p.paid(payment, "--transaction", "t3")
        tap.equal(outcomes(p.record(payment))["t3"], "second")


def test_refunds():
    with payer() as p:
        payment = p.order()
        tap.equal("payments/not-paid" in p.refund(payment, 1, 409)["error"],
                  True)
        p.paid(payment)
        first = p.refund(payment, 200, reason="半小时未停", key="k1")
        tap.equal((first["state"], first["amount_fen"], first["payment"]),
                  ("pending", 200, payment))
        tap.equal(p.refund(payment, 200, key="k1")["id"], first["id"])
        for fen, key, code in ((100, "k1", "payments/key-reused"),
                               (301, "k2", "payments/too-much")):
            error = p.refund(payment, fen, 409, key=key)["error"]
            tap.equal(code in error, True, error)
        second = p.refund(payment, 300, key="k2")
        # In the other order, and more than once.
        p.refunded(second["id"], "--times", "3")
        p.wait_told(payment, "paid", "partially_refunded")
        p.refunded(first["id"])
        p.wait_told(payment, "paid", "partially_refunded", "refunded")
        heard = p.seen(payment)["heard"]
        tap.equal([h.get("refund") for h in heard],
                  [None, second["id"], first["id"]])
        tap.equal([h["refunded_fen"] for h in heard], [0, 300, SUM])
        error = p.refund(payment, 1, 409)["error"]
        tap.equal("payments/too-much" in error, True, error)
        error = p.refund("p1-00000000000000000000", 1, 409)["error"]
        tap.equal("payments/not-found" in error, True, error)


def test_the_refund_notice_before_its_answer():
    with payer() as p:
        p.behave(refund_notify_first=True, refund_delay_ms=300)
        payment = p.order()
        p.paid(payment)
        refund = p.refund(payment, 200)
        p.wait_told(payment, "paid", "partially_refunded")
        p.refunded(refund["id"])
        time.sleep(0.5)  # the answer comes, and says it once more
        p.wait_told(payment, "paid", "partially_refunded")


def test_the_refund_answer_before_its_notice():
    with payer() as p:
        p.behave(refund_delay_ms=1)
        payment = p.order()
        p.paid(payment)
        refund = p.refund(payment, SUM)
        p.wait_told(payment, "paid", "refunded")
        p.refunded(refund["id"], "--times", "2")
        tap.equal(p.told(payment), ["paid", "refunded"])
        # By the payment alone, as some providers tell it.
        tap.equal(p.notice({"type": "refund.done", "payment_id": payment}),
                  SUCCESS)
        # Another sum than that of the refund is a matter for people.
        tap.equal(p.notice({"type": "refund.done", "amount_fen": 3,
                            "refund_id": refund["id"]}), SUCCESS)
        tap.equal([a["reason"] for a in
                   p.alerts("linli.refund_disputed")], ["amount"])
        tap.equal(p.record(payment)["refunded_fen"], SUM)


def test_signatures():
    with payer() as p:
        secret = os.path.join(p.d.data, "sim.secret")
        tap.equal(os.stat(secret).st_mode & 0o777, 0o600)
        payment = p.order()
        body, now = paid_notice(payment), int(time.time())
        refused = [p.notice(body, secret=b"x" * 64),
                   p.notice(body, at=now - 310), p.notice(body, at=now + 310),
                   p.notice(body, at="now"), p.notice(body, headers={}),
                   p.notice(body, headers={"Linli-Sim-Signature": "t=1"}),
                   p.trigger("payment.paid", payment, "--bad-signature",
                             want=1)[0]]
        for status, answer in refused:
            tap.equal((status, answer["code"]), (401, "FAIL"), answer)
            tap.equal(answer["message"].startswith("payments/signature"),
                      True, answer)
        tap.equal(p.record(payment)["transactions"], [])
        tap.equal(p.notice(body, at=now - 290), SUCCESS)
        p.wait_told(payment, "paid")
        # The secret is kept; notices of a life before are still good.
        p.d.stop()
        p.d.restart()
        tap.equal(p.notice(body), SUCCESS)


def test_notices_that_make_no_sense():
    with payer() as p:
        payment = p.order()
        good = paid_notice(payment)
        bad = [b"{", b"[]", b'"x"', {}, dict(good, type="payment.gone"),
               dict(good, amount_fen=0), dict(good, amount_fen=-5),
               dict(good, amount_fen=5.5), dict(good, amount_fen="500"),
               dict(good, transaction_id=""), dict(good, payment_id=7),
               dict(good, transaction_id="x" * 65),
               dict(good, transaction_id="a\n"),
               {"type": "refund.done", "amount_fen": 5}]
        for body in bad:
            status, answer = p.notice(body)
            tap.equal((status, answer["code"]), (400, "FAIL"), (body, answer))
        status, answer = p.notice(b"", method="GET")
        tap.equal((status, answer["code"]), (405, "FAIL"), answer)
        status, answer = p.notice(b" " * 70000)
        tap.equal((status, answer["code"]), (413, "FAIL"), answer)
        tap.equal(p.d.http("POST", "/v1/callbacks/payment/paypal",
                           good).status, 404)
        tap.equal(p.d.http("POST", "/v1/callbacks/", good).status, 404)
        tap.equal(p.record(payment)["transactions"], [])


def test_a_notice_that_names_nothing():
    with payer() as p:
        payment = p.order()
        other = payment[:-1] + ("0" if payment[-1] != "0" else "1")
        for name in ("nosuch", other, "p999-" + "0" * 20):
            for status, answer in p.trigger("payment.paid", name, "--times",
                                            "3", want=1):
                tap.equal((status, answer["code"]), (404, "FAIL"), answer)
        (status, _), = p.trigger("refund.done", payment + "-r1", want=1)
        tap.equal(status, 404)
        told = p.alerts("linli.payment_unknown")
        tap.equal([a["payment"] for a in told if "refund" not in a],
                  ["p999-" + "0" * 20, other, "nosuch"])
        tap.equal([a["refund"] for a in told if "refund" in a],
                  [payment + "-r1"])


def test_the_answer_waits_for_no_plugin():
    with payer() as p:
        payment = p.order(**{"with": {"hang": True}})
        other = p.order()
        spinning = threading.Thread(
            target=p.d.call, args=("payer", "/spin", {}),
            kwargs={"key": "spin"})
        spinning.start()
        wait_until(lambda: False, 0.3)
        p.paid(payment, "--times", "2")  # its handler hangs too
        p.paid(other)
        tap.equal(spinning.is_alive(), True, "the plugin hung meanwhile")
        tap.equal(p.record(payment)["state"], "paid")
        spinning.join()
        p.wait_told(other, "paid")


def test_a_plugin_that_is_disabled_is_told_later():
    with payer() as p:
        payment = p.order()
        p.d.linli_ok("plugin", "disable", "payer")
        p.paid(payment, "--transaction", "t1")
        p.paid(payment, "--transaction", "t2")
        p.d.stop()
        p.d.restart()  # never served in this life
        p.paid(payment, "--transaction", "t3")
        record = p.record(payment)
        tap.equal(outcomes(record),
                  {"t1": "accepted", "t2": "second", "t3": "second"})
        p.d.enable(p.d.source("tests/plugins/payer"))
        p.wait_told(payment, "paid")


def test_it_hears_things_in_their_order():
    with payer() as p:
        payment = p.order()
        p.paid(payment)
        first, second = p.refund(payment, 100), p.refund(payment, 400)
        third = p.order()
        p.d.linli_ok("plugin", "disable", "payer")
        p.refunded(second["id"])
        p.paid(third)
        p.refunded(first["id"])
        p.d.kill()
        p.d.restart()
        p.d.enable(p.d.source("tests/plugins/payer"))
        p.wait_told(payment, "paid", "partially_refunded", "refunded")
        heard = p.seen(payment)["heard"]
        tap.equal([h.get("refund") for h in heard],
                  [None, second["id"], first["id"]])
        p.wait_told(third, "paid")


def test_a_handler_that_fails_hears_it_all_the_same():
    with payer(virtual=True) as p:
        good_at = NOW + 24 * 3600 * 1000
        payment = p.order(**{"with": {"good_at": good_at}})
        p.paid(payment)
        p.advance("12h")
        tap.equal((p.told(payment), len(p.alerts("linli.dead_payment"))),
                  ([], 1))
        p.advance("12h")  # it would be well, and is not tried again
        tap.equal(p.told(payment), [])
        p.refunded(p.refund(payment, 100)["id"])
        p.wait_told(payment, "paid", "partially_refunded")
        tap.equal(p.alerts("linli.dead_payment&state=open"), [])


def test_a_call_that_fails_asks_for_nothing():
    with payer() as p:
        answer = p.d.call("payer", "/orders", {"amount_fen": SUM,
                                               "fail": True}, key="k")
        tap.equal(answer.status, 500, answer)
        tap.equal(p.admin()["items"], [])


def test_what_a_payment_must_be():
    with payer() as p:
        for bad in ({"amount_fen": 0}, {"amount_fen": 10 ** 10 + 1},
                    {"title": ""}, {"title": "x" * 128},
                    {"title": "a\nb"}, {"channel": "WeChat"},
                    {"channel": "x" * 33}, {"pay_by": 1}):
            error = p.post("/orders", 409, dict({"amount_fen": SUM}, **bad))
            tap.equal("payments/invalid" in error["error"], True, error)
        tap.equal(p.admin()["items"], [])


def test_channels_without_an_adapter():
    config = {"payment": {"adapters": {"wechat": "sim"}}}
    with payer(config=config) as p:
        p.order()
        error = p.post("/orders", 409, {"amount_fen": 1, "channel": "alipay"})
        tap.equal("payments/no-adapter" in error["error"], True, error)
        tap.equal('{"adapters": {"alipay"' in error["error"], True, error)


def test_the_simulator_is_for_development():
    with temporary_folder() as folder:
        path = os.path.join(folder, "linli.conf.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"payment": {"adapters": {"wechat": "sim"}}}, f)
        done = failing_start(["--config=" + path], mode="production")
        tap.equal("config/development-only" in done.err, True, done)
    with Daemon(mode="production") as d:
        tap.equal(os.path.exists(os.path.join(d.data, "sim.secret")), False)
        answer = d.http("POST", CALLBACK, {})
        tap.equal(answer.status, 404)
        with open(os.path.join(d.data, "linlid.json"),
                  encoding="utf-8") as f:
            token = json.load(f)["admin_token"]
        answer = d.http("PUT", "/v1/dev/sim/payment", {},
                        headers={"Authorization": "Bearer " + token})
        tap.equal(answer.status, 404, answer)


def test_how_the_simulator_behaves():
    with payer() as p:
        start = {"notify_before_return": False, "refund_notify_first": False,
                 "refund_delay_ms": 0}
        tap.equal(p.behave(method="GET"), start)
        tap.equal(p.behave(refund_delay_ms=5),
                  dict(start, refund_delay_ms=5))
        tap.equal(p.behave(), start)
        for bad in ({"refund_delay_ms": -1}, {"refund_delay_ms": "1"},
                    {"notify_before_return": 1}, {"other": True}):
            p.behave(want=422, **bad)
        answer = p.d.http("PUT", "/v1/dev/sim/payment", {},
                          as_="operator:o")
        tap.equal(answer.status, 401, answer)


def test_what_the_manifest_declares():
    with temporary_folder() as folder, Daemon() as d:
        lua = ('local p = require("linli").plugin()\n'
               'p:post("/run", function(call)\n'
               '  return 200, {ok = pcall(call.payment, call, "p1")}\n'
               'end)\n%s\nreturn p\n')
        handler = "p:payment(function() end)"
        manifest = dict(probe_manifest(), payments=True)
        done = d.enable_fails(plugin_folder(folder, manifest,
                                            main__lua=lua % ""))
        tap.equal("p:payment" in done.err, True, done)
        done = d.enable_fails(plugin_folder(folder, probe_manifest(),
                                            main__lua=lua % handler))
        tap.equal('"payments": true' in done.err, True, done)
        d.enable(plugin_folder(folder, manifest, main__lua=lua % handler))
        tap.equal(d.call("probe", "/run", {}).json, {"ok": True})
        d.enable(plugin_folder(folder, probe_manifest(), main__lua=lua % ""))
        tap.equal(d.call("probe", "/run", {}).json, {"ok": False})


def test_pages():
    with payer(virtual=True) as p:
        ids = []
        for _ in range(5):
            ids.append(p.order())
            p.advance("1s")
        ids.append(p.order())
        ids.append(p.order())  # at one instant
        p.paid(ids[2])
        got, cursor = [], ""
        for _ in range(10):
            page = p.admin("?limit=2" + cursor)
            got += [i["id"] for i in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = "&cursor=" + page["next_cursor"]
        tap.equal(len(got), 7)
        tap.equal(got[2:], ids[4::-1])
        tap.equal(sorted(got[:2]), sorted(ids[5:]))
        tap.equal([i["id"] for i in p.admin("?state=paid")["items"]],
                  [ids[2]])
        tap.equal(len(p.admin("?state=pending")["items"]), 6)
        for bad in ("?state=odd", "?limit=0", "?other=1"):
            p.admin(bad, want=422)
        p.admin("?cursor=x", want=400)
        p.admin("/p1-00000000000000000000", want=404)
        p.admin("/nosuch", want=404)
        p.admin("", want=403, as_="resident:r1")
        # Another community's are nobody's business.
        p.d.enable(p.d.source("tests/plugins/payer"), community="other")
        tap.equal(p.admin(community="other")["items"], [])
        p.admin("/" + ids[0], want=404, community="other")


if __name__ == "__main__":
    tap.main()

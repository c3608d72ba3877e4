#!/usr/bin/env python3
# test-timeout-s: 600
"""tests/faults/test_payments.py: payments over kill -9.

A provider repeats a notice until it is taken, a client its call under its
key. Whenever linlid dies, the money ends the same, and the plugin is told
each thing once. LINLI_FAULTS=long, as `make check-fault` sets it, makes more
of them.
"""

import contextlib
import hashlib
import hmac
import http.client
import json
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from ledger import config  # noqa: E402
from linli_test import Daemon, wait_until  # noqa: E402

LONG = os.environ.get("LINLI_FAULTS") == "long"
PAYMENTS = 1000 if LONG else 160
PAYERS = 4
SUM, BACK = 500, 200
PATIENCE_S = 60


class Payer(threading.Thread):
    """One resident and their provider: neither gives up."""

    def __init__(self, d, name, count):
        super().__init__()
        self.d, self.name_, self.count = d, name, count
        self.token = d.token("resident:" + name, ttl_s=86400)
        with open(os.path.join(d.data, "sim.secret"), "rb") as f:
            self.secret = f.read()
        self.payments, self.problem = [], None

    def send(self, path, body, headers):
        """One request; None if nobody is there to answer it."""
        with contextlib.suppress(OSError, http.client.HTTPException,
                                 ValueError):
            c = http.client.HTTPConnection(self.d.host, self.d.port,
                                           timeout=10)
            try:
                c.request("POST", path, body, headers)
                answer = c.getresponse()
                return answer.status, json.loads(answer.read())
            finally:
                c.close()
        return None

    def until(self, wanted, path, body, headers):
        """The same, until the answer is of this status."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            answer = self.send(path, body, headers())
            if answer is not None and answer[0] == wanted:
                return answer[1]
            if answer is not None and answer[0] < 500 and \
                    answer[0] not in (404, 409, 423):
                raise AssertionError("%s: %r" % (path, answer))
            time.sleep(0.02)
        raise AssertionError("%s: nobody answers" % path)

    def call(self, path, body, key):
        """A call of the payer's."""
        return self.until(201, "/v1/c/demo/payer" + path, json.dumps(body),
                          lambda: {"Authorization": "Bearer " + self.token,
                                   "Content-Type": "application/json",
                                   "Idempotency-Key": key})

    def notice(self, times=1, **body):
        """A notice of the provider's, so many times."""
        text = json.dumps(body).encode()

        def headers():
            t = b"%d" % time.time()
            mac = hmac.new(self.secret, t + b"." + text, hashlib.sha256)
            return {"Linli-Sim-Signature": "t=%s,v1=%s"
                    % (t.decode(), mac.hexdigest())}
        for _ in range(times):
            self.until(200, "/v1/callbacks/payment/sim", text, headers)

    def pay(self, n):
        """One payment, from the order to the refund."""
        key = "%s-%d" % (self.name_, n)
        payment = self.call("/orders", {"amount_fen": SUM}, key)["id"]
        self.payments.append(payment)
        for transaction in ("t1", "t2", "t1"):
            self.notice(2, type="payment.paid", payment_id=payment,
                        transaction_id=transaction, amount_fen=SUM)
        self.notice(1, type="payment.paid", payment_id=payment,
                    transaction_id="t3", amount_fen=SUM + 1)
        refund = self.call("/refunds", {"payment": payment, "key": "k",
                                        "amount_fen": BACK}, key + "-back")
        self.notice(2, type="refund.done", refund_id=refund["id"],
                    amount_fen=BACK)

    def run(self):
        try:
            for n in range(self.count):
                self.pay(n)
        except BaseException as e:  # pylint: disable=broad-except
            self.problem = e


def check(d, payment):
    """What must have become of each, however often linlid died."""
    answer = d.http("GET", "/v1/c/demo/admin/payments/" + payment,
                    as_="operator:o")
    tap.equal(answer.status, 200, answer)
    record = answer.json
    tap.equal({t["id"]: t["outcome"] for t in record["transactions"]},
              {"t1": "accepted", "t2": "second", "t3": "flagged"}, record)
    tap.equal(sorted((r["transaction_id"], r["amount_fen"], r["state"])
                     for r in record["refunds"]),
              [("t1", BACK, "done"), ("t2", SUM, "pending")], record)
    tap.equal((record["state"], record["refunded_fen"], record["held_fen"]),
              ("partially_refunded", BACK, SUM + 1))


def told(d, payment):
    """What the plugin's handler was called with."""
    heard = d.call("payer", "/orders/" + payment, method="GET").json["heard"]
    return sorted(note["state"] for note in heard)


def test_killed_at_any_time():
    random.seed(os.environ.get("LINLI_SEED") or None)
    with Daemon(config=config("payer")) as d:
        payers = [Payer(d, "r%d" % i, PAYMENTS // PAYERS)
                  for i in range(PAYERS)]
        for payer in payers:
            payer.start()
        kills = 0
        while any(payer.is_alive() for payer in payers):
            time.sleep(random.uniform(0.02, 0.3))
            d.kill()
            d.restart()
            kills += 1
        for payer in payers:
            payer.join()
            if payer.problem is not None:
                raise payer.problem
        payments = [x for payer in payers for x in payer.payments]
        tap.comment("%d payments over %d kills" % (len(payments), kills))
        tap.equal(len(set(payments)), PAYMENTS)
        want = ["paid", "partially_refunded"]
        for payment in payments:
            check(d, payment)
            wait_until(lambda p=payment: len(told(d, p)) >= 2, 20)
            tap.equal(told(d, payment), want)


def test_killed_at_each_step():
    """The step was answered; a moment later the machine is off."""
    with Daemon(config=config("payer")) as d:
        payer = Payer(d, "r1", 0)

        def off():
            d.kill()
            d.restart()
            wait_until(lambda: d.http("GET", "/readyz").status == 200, 20)
        payment = payer.call("/orders", {"amount_fen": SUM}, "k1")["id"]
        off()
        for transaction, fen in (("t1", SUM), ("t1", SUM), ("t2", SUM),
                                 ("t2", SUM), ("t3", SUM + 1)):
            payer.notice(type="payment.paid", payment_id=payment,
                         transaction_id=transaction, amount_fen=fen)
            off()
        refund = payer.call("/refunds", {"payment": payment, "key": "k",
                                         "amount_fen": BACK}, "k2")["id"]
        off()
        for _ in range(2):
            payer.notice(type="refund.done", refund_id=refund)
            off()
        check(d, payment)
        wait_until(lambda: len(told(d, payment)) >= 2, 20)
        tap.equal(told(d, payment), ["paid", "partially_refunded"])


if __name__ == "__main__":
    tap.main()

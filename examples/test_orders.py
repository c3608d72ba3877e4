"""examples/test_orders.py: the small shop in Lua, over HTTP."""

import json
import os
import re
import shlex
import threading

import tap
from linli_test import Daemon

FOLDER = "examples/orders-lua"
MINUTE = 60000


class Shop(Daemon):
    """A linlid with the example in it, and a clock that stands."""

    def __init__(self):
        super().__init__(options=["--clock=virtual"])

    def __enter__(self):
        super().__enter__()
        self.enable(self.source(FOLDER))
        return self

    def put(self, item, left, price_fen):
        """An item as the staff has it."""
        answer = self.call("orders", "/items/" + item,
                           {"left": left, "price_fen": price_fen},
                           method="PUT", as_="staff:li",
                           key="%s-%d" % (item, left))
        tap.equal(answer.status, 200, answer)

    def left(self, item):
        """How many there are."""
        answer = self.call("orders", "/items", method="GET")
        return {row["id"]: row["left"] for row in answer.json["items"]}[item]

    def order(self, item, count, key, as_="resident:wang"):
        """The answer to an order."""
        return self.call("orders", "/orders", {"item": item, "count": count},
                         as_=as_, key=key)

    def orders(self, as_="resident:wang"):
        """[(item, count, state)] of a resident, the newest first."""
        answer = self.call("orders", "/orders", method="GET", as_=as_)
        return [(o["item"], o["count"], o["state"])
                for o in answer.json["items"]]

    def pay(self, order, key, as_="resident:wang"):
        """The answer to a payment."""
        return self.call("orders", "/orders/%s/pay" % order, as_=as_, key=key)


def test_orders_are_paid_or_cancelled():
    with Shop() as d:
        d.put("egg", 10, 350)
        first = d.order("egg", 3, "a")
        tap.equal((first.status, first.json["fen"]), (201, 1050), first)
        # The same key is the same order.
        again = d.order("egg", 3, "a")
        tap.equal((again.status, again.json), (201, first.json))
        second = d.order("egg", 2, "b")
        tap.equal(d.left("egg"), 5)
        tap.equal(d.order("egg", 6, "c").code, "orders/sold-out")
        tap.equal(d.order("tea", 1, "d").code, "orders/no-item")
        d.linli_ok("clock", "advance", "14m")
        paid = d.pay(first.json["id"], "pay")
        tap.equal((paid.status, paid.json["state"]), (200, "paid"), paid)
        tap.equal(d.pay(first.json["id"], "pay2").code, "orders/not-open")
        tap.equal(d.pay(second.json["id"], "pay3", "resident:li").code,
                  "orders/not-open")
        d.linli_ok("clock", "advance", "1m")
        tap.equal(d.left("egg"), 7)
        tap.equal(d.pay(second.json["id"], "pay4").code, "orders/not-open")
        tap.equal(sorted(d.orders()), [("egg", 2, "cancelled"),
                                       ("egg", 3, "paid")])
        tap.equal(d.orders("resident:li"), [])
        check_told(d, first.json["id"])


def check_told(d, order):
    """One event, and one sum on the meter."""
    told = d.http("GET", "/v1/c/demo/events?wait=0", as_="operator:demo")
    tap.equal([(e["type"], e["data"]) for e in told.json["items"]],
              [("orders.paid", {"id": order, "fen": 1050})], told)
    used = d.http("GET", "/v1/c/demo/admin/usage?plugin=orders"
                         "&meter=orders.gmv_fen", as_="operator:demo")
    tap.equal([(t["quantity"], t["count"]) for t in used.json["totals"]],
              [("1050", 1)], used)


def test_ten_are_sold_of_ten():
    with Shop() as d:
        d.put("tea", 10, 100)
        answers = [None] * 40
        people = ["resident:p%d" % n for n in range(8)]
        for as_ in people:
            d.token(as_)

        def buy(n):
            answers[n] = d.order("tea", 1, "k%d" % n, people[n % 8])
        threads = [threading.Thread(target=buy, args=(n,))
                   for n in range(len(answers))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        statuses = sorted(answer.status for answer in answers)
        tap.equal(statuses, [201] * 10 + [409] * 30)
        tap.equal(d.left("tea"), 0)
        d.linli_ok("clock", "advance", "15m")
        tap.equal(d.left("tea"), 10)


def test_what_the_readme_says():
    """Each of its commands, in order."""
    with open(os.path.join(tap.source_folder(), FOLDER, "README.md"),
              encoding="utf-8") as f:
        lines = "".join(re.findall(r"```sh\n(.*?)```", f.read(), re.S)
                        ).splitlines()
    with Daemon(options=["--clock=virtual"]) as d:
        def run(line):
            words = [d.source(w) if w == FOLDER else w
                     for w in shlex.split(line)[1:]]
            return d.linli_ok(*words).out
        said = [run(line) for line in lines if "ORDER" not in line]
        tap.equal([json.loads(out)["items"][0]["left"] for out in said
                   if '"items"' in out], [7, 10])
        order = json.loads(run(lines[2]))["id"]  # that one was cancelled
        pay = next(line for line in lines if "ORDER" in line)
        tap.contains(run(pay.replace("ORDER", order)), "paid")
        tap.contains(run(lines[-1]), "orders.gmv_fen")


if __name__ == "__main__":
    tap.main()

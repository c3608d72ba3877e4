#!/usr/bin/env python3
"""tests/scenario/test_shop.py: naive plugins, many callers, nothing lost.

The shop (tests/plugins/shop in Lua, tests/plugins/shop-c in C) reads,
subtracts and writes as if it were alone. Every case is run with both: they
answer alike.
"""

import concurrent.futures
import contextlib
import datetime
import functools
import os
import random
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import Daemon, shop_in_c, temporary_folder  # noqa: E402

PARALLEL = 50  # connections at once
LANGUAGES = ("lua", "c")


class Shop(Daemon):
    """A daemon with the shop in it."""

    def __init__(self, folder, **more):
        super().__init__(**more)
        self.shop_folder = folder
        self.keys = 0

    def start(self):
        super().start()
        self.enable(self.shop_folder)

    def key(self):
        """One that nobody has used."""
        self.keys += 1
        return "key-%d" % self.keys

    def ask(self, method, path, body=None, key=None, connection=None):
        """One request; every one that writes has a key."""
        if key is None and method != "GET":
            key = self.key()
        return self.call("shop", path, body, method, key=key,
                         connection=connection)

    def ok(self, *request, status=200):
        """The JSON of an answer that must have the status."""
        answer = self.ask(*request)
        tap.equal(answer.status, status, "%r: %r" % (request, answer))
        return answer.json

    def together(self, requests):
        """The answers to all the requests, sent at the same time."""
        requests = [(*r, *(None,) * (3 - len(r))) if len(r) < 4 else r
                    for r in requests]
        requests = [r if len(r) == 4 else (*r, self.key()) for r in requests]
        gate = threading.Barrier(min(len(requests), PARALLEL))
        self.token("resident:r1")

        def part(mine):
            connection = self.connect()
            with contextlib.closing(connection):
                connection.connect()
                gate.wait()
                return [self.ask(*request, connection=connection)
                        for request in mine]
        with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
            parts = list(pool.map(part, [requests[i::gate.parties]
                                         for i in range(gate.parties)]))
        answers = [None] * len(requests)
        for i, answers_of_part in enumerate(parts):
            answers[i::gate.parties] = answers_of_part
        return answers


def in_each(workers=(2,), options=(), **config):
    """A case that runs body(shop) in both languages."""
    def decorate(body):
        def run(language, count):
            with temporary_folder() as parent:
                folder = (shop_in_c(parent) if language == "c"
                          else Daemon.source("tests/plugins/shop"))
                settings = dict(config, rate_limit="off", worker={
                    "count_lua": count, "count_native": count})
                with Shop(folder, config=settings, options=options) as shop:
                    body(shop)
        for language in LANGUAGES:
            for count in workers:
                name = "%s_%s" % (body.__name__, language)
                if len(workers) > 1:
                    name += "_%d" % count
                # tap sorts by line: each its own code, at the body's.
                case = functools.partial(run, language, count)
                case.__code__ = body.__code__
                globals()[name] = case
        return None
    return decorate


def statuses(answers):
    """How many there are of each status and code."""
    counts = {}
    for answer in answers:
        what = answer.status if answer.code is None else answer.code
        counts[what] = counts.get(what, 0) + 1
    return counts


# -- what nobody may lose -----------------------------------------------------

@in_each(workers=(1, 3))
def test_stock_runs_out(shop):
    shop.ok("POST", "/stock/tea", {"stock": 10})
    answers = shop.together(
        [("POST", "/orders", {"sku": "tea", "qty": 1})] * 50)
    tap.equal(statuses(answers), {201: 10, "shop/sold-out": 40})
    tap.equal(shop.ok("GET", "/stock/tea"), {"id": "tea", "stock": 0})
    tap.equal(shop.ok("GET", "/orders/count?sku=tea"), {"count": 10})
    orders = shop.ok("GET", "/orders")["items"]
    made = [a.json for a in answers if a.status == 201]
    tap.equal(orders, sorted(made, key=lambda order: order["id"]))


@in_each(workers=(1, 3))
def test_increments(shop):
    answers = shop.together([("POST", "/counters/visits/increment")] * 200)
    tap.equal(statuses(answers), {200: 200})
    tap.equal(sorted(a.json["value"] for a in answers),
              list(range(1, 201)), "each value once")
    tap.equal(shop.ok("GET", "/counters/visits")["value"], 200)


@in_each()
def test_both_or_neither(shop):
    shop.ok("POST", "/stock/cup", {"stock": 5})
    shop.ok("POST", "/stock/pot", {"stock": 3})
    answers = shop.together(
        [("POST", "/baskets", {"first": "cup", "second": "pot"}),
         ("POST", "/baskets", {"first": "pot", "second": "cup"})] * 10)
    tap.equal(statuses(answers), {201: 3, "shop/sold-out": 17})
    tap.equal(shop.ok("GET", "/stock/cup")["stock"], 2)
    tap.equal(shop.ok("GET", "/stock/pot")["stock"], 0)
    tap.equal(shop.ok("GET", "/orders/count"), {"count": 6})
    answer = shop.ask("POST", "/baskets", {"first": "cup", "second": "none"})
    tap.equal(answer.code, "shop/not-found")
    tap.equal(shop.ok("GET", "/stock/cup")["stock"], 2)


@in_each()
def test_two_ways_to_say_no(shop):
    answer = shop.ask("POST", "/notes/a/returned", None, "k1")
    tap.equal((answer.status, answer.json), (409, {"said": "no"}))
    tap.equal(shop.ok("GET", "/notes/a"), {"id": "a"})
    again = shop.ask("POST", "/notes/a/returned", None, "k1")
    tap.equal((again.status, again.body), (409, answer.body))
    tap.equal(again.headers["idempotency-replayed"], "true")

    for _ in range(2):
        answer = shop.ask("POST", "/notes/b/failed", None, "k1")
        tap.equal((answer.status, answer.code), (409, "shop/no"))
        tap.equal(answer.json["detail"], "and nothing is left of it")
        tap.equal("idempotency-replayed" in answer.headers, False)
        tap.equal(shop.ask("GET", "/notes/b").status, 404)
    # The key of one that failed is free, for another body too.
    shop.ok("POST", "/stock/tea", {"stock": 1})
    tap.equal(shop.ask("POST", "/orders", {"sku": "tea", "qty": 2},
                       "k2").code, "shop/sold-out")
    tap.equal(shop.ask("POST", "/orders", {"sku": "tea", "qty": 1},
                       "k2").status, 201)
    tap.equal(shop.ask("POST", "/orders", {"sku": "tea", "qty": 2},
                       "k2").code, "request/key-reused")


@in_each()
def test_one_key_many_times(shop):
    request = ("POST", "/counters/once/increment", {"a": 1}, "the-key")
    answers = shop.together([request] * 20)
    first = next(a for a in answers if a.status == 200)
    tap.equal(first.json, {"id": "once", "value": 1})
    fresh = 0
    for answer in answers:
        if answer.status == 409:
            tap.equal(answer.code, "request/in-progress")
        else:
            tap.equal((answer.status, answer.body), (200, first.body))
            fresh += "idempotency-replayed" not in answer.headers
    tap.equal(fresh, 1, "answers that are no repeats")

    def repeat():
        answer = shop.ask(*request)
        tap.equal((answer.status, answer.body), (200, first.body))
        tap.equal(answer.headers["idempotency-replayed"], "true")
        tap.equal(answer.headers["content-type"],
                  first.headers["content-type"])
        other = shop.ask(*request[:2], {"a": 2}, "the-key")
        tap.equal((other.status, other.code), (422, "request/key-reused"))
        # Another route, or another caller, has keys of its own.
        answer = shop.call("shop", "/counters/once/increment", {"a": 1},
                           as_="resident:r2", key=shop.key())
        tap.equal("idempotency-replayed" in answer.headers, False)
    repeat()
    shop.stop()
    shop.restart()
    repeat()
    shop.kill()
    shop.restart()
    repeat()
    tap.equal(shop.ok("GET", "/counters/once")["value"], 4)


# -- indexes ------------------------------------------------------------------

@in_each()
def test_unique(shop):
    answers = shop.together([("PUT", "/members/%d" % i, {"email": "a@b.c"})
                             for i in range(20)])
    tap.equal(statuses(answers), {200: 1, "shop/email-taken": 19})
    for answer in answers:
        if answer.status == 409:
            tap.equal(answer.json["detail"], "exists email")
    winner = next(a for a in answers if a.status == 200).json["id"]
    # It may keep its address, and give it up; none is no address.
    path = "/members/" + winner
    shop.ok("PUT", path, {"email": "a@b.c", "name": "Li"})
    tap.equal(shop.ask("PUT", "/members/x", {"email": "a@b.c"}).status, 409)
    shop.ok("PUT", path, {"email": "d@e.f"})
    shop.ok("PUT", "/members/x", {"email": "a@b.c"})
    for name in ("y", "z"):
        shop.ok("PUT", "/members/" + name, {})
        shop.ok("PUT", "/members/%s0" % name, {"email": None})
    shop.stop()
    shop.restart()
    tap.equal(shop.ask("PUT", path, {"email": "a@b.c"}).code,
              "shop/email-taken")


def pages(shop, where, limit):
    """Items of all pages, one after the other."""
    items, cursor = [], ""
    while cursor is not None:
        page = shop.ok("GET", "/orders?limit=%d%s%s" % (
            limit, where, cursor and "&cursor=" + cursor))
        tap.equal(len(page["items"]) <= limit, True)
        items += page["items"]
        cursor = page.get("next_cursor")
    return items


def fill(shop, sku, count):
    """So many orders."""
    answers = shop.together([("POST", "/orders", {"sku": sku, "qty": i})
                             for i in range(count)])
    tap.equal(statuses(answers), {201: count})
    return [a.json for a in answers]


@in_each()
def test_pages_while_others_write(shop):
    for sku in ("a", "b", "c"):
        shop.ok("POST", "/stock/" + sku, {"stock": 10 ** 6})
    old = fill(shop, "b", 60)
    done = threading.Event()

    def write():
        while not done.is_set():
            shop.ok("POST", "/orders", {"sku": random.choice("abc"),
                                        "qty": random.randrange(70)},
                    status=201)
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write) for _ in range(2)]
        try:
            for where in ("&sku=b", "", "&sku=b&descending=", "&descending="):
                items = pages(shop, where, 7)
                key = ((lambda o: (o["qty"], o["id"])) if "sku" in where
                       else lambda o: o["id"])
                tap.equal(items, sorted(items, key=key,
                                        reverse="descending" in where))
                ids = [order["id"] for order in items]
                tap.equal(len(ids), len(set(ids)), "none comes twice")
                missing = {order["id"] for order in old} - set(ids)
                tap.equal(missing, set(), "what was there before, %r" % where)
        finally:
            done.set()
        for writer in writers:
            writer.result()


@in_each()
def test_count_and_pages(shop):
    for sku in ("a", "b"):
        shop.ok("POST", "/stock/" + sku, {"stock": 10 ** 6})
    fill(shop, "a", 101)
    fill(shop, "b", 30)
    for where, count in (("?sku=a", 101), ("?sku=b", 30), ("?sku=c", 0),
                         ("", 131)):
        tap.equal(shop.ok("GET", "/orders/count" + where), {"count": count})
    for limit, count in ((100, 2), (50, 3), (101 // 2, 3)):
        page = shop.ok("GET", "/orders?sku=a&limit=%d" % limit)
        tap.equal(len(page["items"]), limit)
        tap.equal(len(pages(shop, "&sku=a", limit)), 101)
        tap.equal(-(-101 // limit), count)
    # Of another list, another order, made up, cut.
    cursor = shop.ok("GET", "/orders?sku=a&limit=10")["next_cursor"]
    shop.ok("GET", "/orders?sku=a&limit=20&cursor=" + cursor)
    for wrong in ("?sku=b&cursor=" + cursor, "?cursor=" + cursor,
                  "?sku=a&descending=&cursor=" + cursor,
                  "?sku=a&cursor=" + cursor[:-4],
                  "?sku=a&cursor=" + cursor[:-1] + "A" * 8,
                  "?sku=a&cursor=!", "?sku=a&cursor=" + "A" * 2000):
        answer = shop.ask("GET", "/orders" + wrong)
        tap.equal((answer.status, answer.code), (400, "request/cursor"),
                  wrong)
    # A cursor outlives the process.
    shop.stop()
    shop.restart()
    tap.equal(len(shop.ok("GET", "/orders?sku=a&limit=100&cursor="
                          + cursor)["items"]), 91)


class Room:
    """Intervals, looked at one by one."""

    def __init__(self):
        self.taken = []

    def meets(self, begin, end):
        return sorted((b, e) for b, e in self.taken if b < end and e > begin)


def interval(rng):
    """Somewhere; up to longest_ms of the manifest, 1000."""
    begin = rng.randrange(-3000, 30000)
    return begin, begin + rng.choice((1, 1, 10, 100, 500, 999, 1000))


@in_each()
def test_overlaps(shop):
    rng = random.Random(4)
    rooms = {"r": Room(), "r2": Room(), "s": Room()}
    for _ in range(150):
        name = rng.choice(list(rooms))
        begin, end = interval(rng)
        met = rooms[name].meets(begin, end)
        answer = shop.ask("POST", "/bookings",
                          {"room": name, "from": begin, "to": end})
        tap.equal(answer.code if met else answer.status,
                  "shop/overlap" if met else 201, (name, begin, end))
        if not met:
            rooms[name].taken.append((begin, end))
    for _ in range(100):
        name = rng.choice(list(rooms))
        begin = rng.randrange(-5000, 32000)
        end = begin + rng.choice((1, 10, 1000, 20000))
        found = shop.ok("POST", "/bookings/search",
                        {"room": name, "from": begin, "to": end})["items"]
        tap.equal([(b["from"], b["to"]) for b in found],
                  rooms[name].meets(begin, end), (name, begin, end))


@in_each()
def test_bookings_at_once(shop):
    rng = random.Random(5)
    for room in ("p", "q"):
        wishes = [interval(rng) for _ in range(60)]
        answers = shop.together([
            ("POST", "/bookings", {"room": room, "from": b, "to": e})
            for b, e in wishes])
        got = Room()
        for wish, answer in zip(wishes, answers):
            if answer.status == 201:
                tap.equal(got.meets(*wish), [], "booked twice")
                got.taken.append(wish)
        for wish, answer in zip(wishes, answers):
            if answer.status != 201:
                tap.equal(answer.code, "shop/overlap")
                tap.equal(got.meets(*wish) != [], True, "refused for nothing")


# -- bounds and mistakes ------------------------------------------------------

@in_each(storage={"plugin_rows": 5})
def test_quota(shop):
    answers = shop.together([("PUT", "/notes/%d" % i, {}) for i in range(20)])
    tap.equal(statuses(answers), {200: 5, "db/quota": 15})
    there = [i for i, a in enumerate(answers) if a.status == 200]
    refused = next(a for a in answers if a.status != 200)
    tap.equal((refused.status, refused.json["retryable"]), (507, False))
    shop.ok("PUT", "/notes/%d" % there[0], {"text": "no more documents"})
    tap.equal(shop.ask("PUT", "/notes/new", {}).status, 507)
    tap.equal(shop.ask("POST", "/counters/c/increment").status, 507)
    tap.equal(shop.ask("GET", "/notes/new").status, 404)
    shop.ok("DELETE", "/notes/%d" % there[0])
    shop.ok("PUT", "/notes/new", {})
    tap.equal(shop.ask("PUT", "/notes/newer", {}).status, 507)
    shop.stop()
    shop.restart()
    tap.equal(shop.ask("PUT", "/notes/newer", {}).status, 507)
    tap.equal(shop.ok("DELETE", "/notes/new"), {"deleted": True})
    tap.equal(shop.ok("DELETE", "/notes/new"), {"deleted": False})
    shop.ok("PUT", "/notes/newer", {})


@in_each(storage={"plugin_bytes": 4096})
def test_quota_in_bytes(shop):
    for i in range(4):
        shop.ok("PUT", "/notes/%d" % i, {"text": "x" * 900})
    tap.equal(shop.ask("PUT", "/notes/4", {"text": "x" * 900}).code,
              "db/quota")
    shop.ok("PUT", "/notes/0", {"text": "x" * 100})
    shop.ok("PUT", "/notes/4", {"text": "x" * 900})


@in_each()
def test_mistakes_of_the_plugin(shop):
    for what, code, said in (
            ("collection", None, "nothing"),
            ("index", "db/undeclared", "by_nothing"),
            ("key", "db/key", "order.by_sku"), ("eq", "db/key", "eq"),
            ("document", "db/document", "doc_bytes"),
            ("id", "db/document", "id"),
            ("interval", "db/key", "longest_ms"),
            ("empty", None, "leave"),
            ("query", "db/query", "limit")):
        key = shop.key()
        for _ in range(2):
            answer = shop.ask("POST", "/wrong/" + what, None, key)
            tap.equal((answer.status, answer.code), (500, "plugin/error"))
            tap.equal("detail" in answer.json, False, answer)
            line = next(line for line in shop.log_lines()
                        if line.get("trace_id") == answer.json["trace_id"])
            tap.contains(line["msg"], said, what)
            if code is not None:
                tap.contains(line["msg"], code, what)
                tap.contains(shop.linli_ok("explain", code).out, "Fix: ")
        tap.equal(shop.ask("GET", "/notes/wrong").status, 404,
                  "what it wrote before")


@in_each()
def test_all_of_it_outlives_the_process(shop):
    shop.ok("POST", "/stock/tea", {"stock": 100})
    fill(shop, "tea", 13)
    shop.ok("PUT", "/notes/a", {"text": "邻里", "n": [1, 2.5, None, {}]})
    paths = ("/stock/tea", "/orders?sku=tea", "/orders", "/notes/a",
             "/orders/count?sku=tea")
    before = [shop.ok("GET", path) for path in paths]
    shop.stop()
    shop.restart()
    tap.equal([shop.ok("GET", path) for path in paths], before)
    shop.ok("DELETE", "/notes/a")
    shop.kill()
    shop.restart()
    tap.equal(shop.ask("GET", "/notes/a").status, 404)
    tap.equal([shop.ok("GET", path) for path in paths[:3]], before[:3])


# -- time and usage -----------------------------------------------------------

@in_each(options=["--clock=virtual"])
def test_retention(shop):
    def gone(path):
        return shop.ask("GET", path).status == 404

    def advance(hours):  # and all that falls due has been done
        shop.linli_ok("clock", "advance", "%dh" % hours)
    shop.ok("PUT", "/notes/old", {})
    text = shop.linli_ok("clock", "get").out.strip().replace("Z", "+00:00")
    now = int(datetime.datetime.fromisoformat(text).timestamp() * 1000)
    shop.ok("PUT", "/visits/left", {"left_at": now})
    shop.ok("PUT", "/visits/later", {"left_at": now + 10 * 3600000})
    shop.ok("PUT", "/visits/still", {})
    advance(23)
    shop.ok("GET", "/notes/old")
    shop.ok("PUT", "/notes/new", {})
    shop.ok("PUT", "/notes/old2", {})
    advance(2)
    tap.equal(gone("/notes/old"), True, "a day after the last write")
    shop.ok("PUT", "/notes/old2", {"text": "written again"})
    shop.ok("GET", "/visits/left")
    shop.stop()
    shop.restart()
    shop.ok("GET", "/notes/new")
    advance(24)
    tap.equal(gone("/notes/new"), True)
    tap.equal(gone("/visits/left"), True, "two days after it left")
    shop.ok("GET", "/visits/later")
    advance(10)
    tap.equal(gone("/visits/later"), True)
    tap.equal(gone("/notes/old2"), True)
    advance(24 * 365)
    shop.ok("GET", "/visits/still")


@in_each()
def test_usage(shop):
    """Each committed call is counted once, and nothing else is."""
    shop.ok("POST", "/stock/tea", {"stock": 10})
    answers = shop.together(
        [("POST", "/orders", {"sku": "tea", "qty": 1})] * 30
        + [("POST", "/counters/c/increment")] * 40
        + [("POST", "/notes/%d/returned" % i) for i in range(5)]
        + [("POST", "/notes/%d/failed" % i) for i in range(10, 15)]
        + [("POST", "/wrong/key"), ("GET", "/stock/tea"),
           ("GET", "/stock/none"), ("POST", "/orders", {"sku": 1})]
        + [("POST", "/counters/c/increment", None, "one-key")] * 10)

    def committed():
        return 1 + sum(a.code is None and a.status < 500
                       and "idempotency-replayed" not in a.headers
                       for a in answers)

    def counted():
        usage = shop.linli_ok("usage", "--plugin", "shop", "--json").json
        return {t["meter"]: t["quantity"] for t in usage["totals"]}
    tap.equal(counted()["linli.call"], str(committed()))
    tap.equal(committed(), 1 + 10 + 40 + 5 + 1 + 1)
    shop.kill()
    shop.restart()
    tap.equal(counted()["linli.call"], str(committed()))
    answers.append(shop.ask("POST", "/counters/c/increment", None, "one-key"))
    tap.equal(answers[-1].headers["idempotency-replayed"], "true")
    answers.append(shop.ask("GET", "/counters/c"))
    tap.equal(counted()["linli.call"], str(committed()))
    tap.equal(answers[-1].json["value"], 41)
    tap.equal(shop.linli_ok("reconcile", "--json").json["ok"], True)


if __name__ == "__main__":
    tap.main()

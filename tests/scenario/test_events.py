#!/usr/bin/env python3
# test-timeout-s: 120
"""tests/scenario/test_events.py: spec/events.md, live.

Events from a plugin to another, in order and once; what fails; and those
who listen, over a route of a plugin and over the community's own path.
"""

import contextlib
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder, wait_until)

START = "2030-01-01T00:00:00Z"
NOW = 1893456000000
SHOP = dict(
    events={"publishes": ["shop.paid", "shop.gate", "shop.noise"]},
    routes=[{"method": "POST", "path": "/emit", "caller": ["resident"]},
            {"method": "GET", "path": "/gates/:gate/commands",
             "caller": ["staff"],
             "feed": {"event": "shop.gate", "where": {"gate": "gate"}}}])
SHOP_LUA = """
local p = require("linli").plugin()
p:post("/emit", function(call)
    for _, e in ipairs(call.body.events) do
        call:event(e.type or "shop.paid", e.data)
    end
    if call.body.fail then call:fail("shop/no") end
    return 200, {}
end)
return p
"""
# Keeps a list in one document, so that whoever is late or early is seen.
POST = dict(
    collections={"log": {}},
    events={"handles": ["shop.paid"]},
    routes=[{"method": "GET", "path": "/log", "caller": ["resident"]}])
POST_LUA = """
local linli = require("linli")
local p = linli.plugin()
p:event("shop.paid", function(call, event)
    linli.log.warn("attempt " .. tostring(event.data.n) .. " " .. call.now)
    if (event.data.good_at or 0) > call.now then error("not yet") end
    local log = call.db.log:get("log") or {id = "log", seen = linli.array()}
    log.seen[#log.seen + 1] = {seq = event.seq, n = event.data.n,
        type = event.type, plugin = event.plugin, at = event.at,
        now = call.now, kind = call.kind, caller = call.caller.kind}
    call.db.log:put(log)
end)
p:get("/log", function(call)
    return 200, call.db.log:get("log") or {seen = linli.array()}
end)
return p
"""


class Bus:
    """A daemon with both plugins."""

    def __init__(self, d, shop, post):
        self.d, self.shop, self.post = d, shop, post
        self.count = 0

    def emit(self, *events, fail=False, status=200):
        """Events of one call."""
        self.count += 1
        answer = self.d.call("shop", "/emit",
                             {"events": list(events), "fail": fail},
                             key="%s-%d" % (os.urandom(6).hex(), self.count))
        tap.equal(answer.status, status, answer)

    def paid(self, *numbers, **more):
        """One event each, in one call."""
        self.emit(*[{"data": dict(more, n=n)} for n in numbers])

    def seen(self):
        """What the other plugin has seen, in its order."""
        answer = self.d.call("post", "/log", method="GET")
        tap.equal(answer.status, 200, answer)
        return answer.json["seen"]

    def numbers(self):
        """Of what it has seen."""
        return [e["n"] for e in self.seen()]

    def wait_for(self, numbers, timeout_s=10.0):
        """They are seen, in this order, and nothing else is."""
        wait_until(lambda: len(self.numbers()) >= len(numbers), timeout_s,
                   0.05)
        time.sleep(0.1)
        tap.equal(self.numbers(), numbers)

    def attempts(self, n):
        """When an event was tried: ms since the start."""
        words = [line["msg"].split() for line in self.d.log_lines()
                 if line["code"] == "plugin.log"]
        return [int(w[2]) - NOW for w in words if w[:2] == ["attempt",
                                                            str(n)]]

    def listen(self, query="", as_="app:a1", path="/v1/c/demo/events"):
        """An answer of the community's own feed."""
        return self.d.http("GET", path + ("?" + query if query else ""),
                           as_=as_)


@contextlib.contextmanager
def bus(*options):
    """A daemon with both plugins; a virtual clock stands at START."""
    with temporary_folder() as folder:
        shop = plugin_folder(folder, probe_manifest(
            "shop", problems={"shop/no": {"status": 409, "title": {
                "zh-CN": "不", "en": "No"}}}, **SHOP), main__lua=SHOP_LUA)
        post = plugin_folder(folder, probe_manifest("post", **POST),
                             main__lua=POST_LUA)
        with Daemon(options=list(options)) as d:
            if options:
                d.linli_ok("clock", "set", START)
            d.enable(shop)
            d.enable(post)
            yield Bus(d, shop, post)


# -- from plugin to plugin -------------------------------------------------

def test_an_event_reaches_its_handler():
    with bus("--clock=virtual") as b:
        b.paid(1)
        b.emit({"type": "shop.noise", "data": None})
        b.paid(2)
        b.wait_for([1, 2])
        first, second = b.seen()
        tap.equal({k: first[k] for k in ("type", "plugin", "at", "now",
                                         "kind", "caller")},
                  {"type": "shop.paid", "plugin": "shop",
                   "at": NOW, "now": NOW,
                   "kind": "event", "caller": "system"})
        tap.equal(second["seq"] - first["seq"], 2)
        # Nothing of a call that does not commit.
        b.emit({"data": {"n": 9}}, fail=True, status=409)
        b.paid(3)
        b.wait_for([1, 2, 3])


def test_many_publishers_one_order():
    with bus() as b:
        def publish(base):
            for i in range(10):
                b.paid(base + 2 * i, base + 2 * i + 1)
        threads = [threading.Thread(target=publish, args=(100 * k,))
                   for k in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        wait_until(lambda: len(b.seen()) >= 120, 20.0, 0.1)
        seen = b.seen()
        seqs = [e["seq"] for e in seen]
        tap.equal(seqs, sorted(set(seqs)), "order")
        tap.equal(sorted(e["n"] for e in seen),
                  sorted(100 * k + i for k in range(6) for i in range(20)))
        for k in range(6):  # each in the order of its own calls
            own = [e["n"] for e in seen if e["n"] // 100 == k]
            tap.equal(own, list(range(100 * k, 100 * k + 20)))
        # Who listens sees the same, in the same order.
        after, told = 0, []
        while True:
            page = b.listen("after=%d&limit=50" % after).json
            if not page["items"]:
                break
            told += [(e["seq"], e["data"]["n"]) for e in page["items"]]
            after = page["next_after"]
        tap.equal(told, [(e["seq"], e["n"]) for e in seen])


def test_a_host_that_is_killed():
    with bus() as b:
        sent = []

        def publish():
            with contextlib.suppress(Exception):
                for n in range(1000):
                    b.paid(n)
                    sent.append(n)
        thread = threading.Thread(target=publish)
        thread.start()
        time.sleep(0.5)
        b.d.kill()
        thread.join()
        b.d.restart()
        # All that was answered is done; the one that was not may be.
        wait_until(lambda: len(b.seen()) >= len(sent), 20.0, 0.1)
        time.sleep(0.3)
        numbers = b.numbers()
        tap.equal(numbers, list(range(len(numbers))))
        tap.equal(len(numbers) - len(sent) in (0, 1), True,
                  (len(numbers), len(sent)))


def test_disabled_and_late():
    with bus() as b:
        b.paid(1)
        b.wait_for([1])
        b.d.linli_ok("plugin", "disable", "post")
        b.paid(2, 3)
        b.d.stop()
        b.d.restart()
        b.paid(4)
        b.d.enable(b.post)
        b.wait_for([1, 2, 3, 4])


def test_who_comes_later_begins_then():
    with temporary_folder() as folder:
        with bus() as b:
            b.paid(1)
            late = plugin_folder(folder, probe_manifest("late", **dict(
                POST, collections={"log": {}})), main__lua=POST_LUA)
            b.d.enable(late)
            b.paid(2)
            b.wait_for([1, 2])

            def seen():
                return [e["n"] for e in b.d.call(
                    "late", "/log", method="GET").json["seen"]]
            wait_until(seen, 5.0)
            tap.equal(seen(), [2])


def test_a_new_version_begins_with_what_is_new():
    """What its predecessor did not handle is not handled by it either."""
    with bus() as b:
        b.paid(1)
        for n in (2, 3):
            b.emit({"type": "shop.noise", "data": {"n": n}})
        b.wait_for([1])
        b.d.stop()
        b.d.restart()
        folder = os.path.dirname(b.post)
        plugin_folder(folder, probe_manifest("post", version="2.0.0", **dict(
            POST, events={"handles": ["shop.paid", "shop.noise"]})),
            main__lua=POST_LUA.replace("p:get(", """
p:event("shop.noise", function(call, event)
    local log = call.db.log:get("log")
    log.seen[#log.seen + 1] = {seq = event.seq, n = event.data.n}
    call.db.log:put(log)
end)
p:get("""))
        b.emit({"type": "shop.noise", "data": {"n": 4}})
        b.d.enable(b.post)
        b.d.stop()
        b.d.restart()
        b.emit({"type": "shop.noise", "data": {"n": 5}})
        b.paid(6)
        b.wait_for([1, 5, 6])
        b.d.stop()
        b.d.restart()
        b.paid(7)
        b.wait_for([1, 5, 6, 7])


# -- what fails ------------------------------------------------------------

def test_a_failure_holds_up_the_rest():
    with bus("--clock=virtual") as b:
        b.paid(1, good_at=NOW + 7000)
        b.paid(2)
        wait_until(lambda: b.attempts(1), 5.0)
        time.sleep(0.3)
        tap.equal((b.numbers(), b.attempts(1)), ([], [0]))
        b.d.linli_ok("clock", "advance", "3s")
        tap.equal((b.numbers(), b.attempts(1)), ([], [0, 1000, 3000]))
        b.d.kill()  # forgets neither the failures nor the pause
        b.d.restart()
        time.sleep(0.3)
        tap.equal(b.attempts(1), [0, 1000, 3000])
        b.d.linli_ok("clock", "advance", "1h")
        b.wait_for([1, 2])
        tap.equal(b.attempts(1), [0, 1000, 3000, 7000])
        tap.equal(b.d.linli_ok("alerts", "--json").json["items"], [])


def test_a_dead_event_is_left_with_an_alert():
    with bus("--clock=virtual") as b:
        b.paid(1, good_at=2 * NOW)
        b.paid(2)
        b.paid(3, good_at=2 * NOW)
        b.d.linli_ok("clock", "advance", "1h")
        pauses = [sum(1000 * 2 ** i for i in range(n)) for n in range(10)]
        tap.equal(b.attempts(1), pauses)
        tap.equal(b.numbers(), [2])
        tap.equal(len(b.attempts(3)), 10)
        alerts = b.d.linli_ok("alerts", "--json").json["items"]
        tap.equal([(a["kind"], a["plugin"]) for a in alerts],
                  2 * [("linli.dead_event", "post")])
        tap.equal({k: alerts[1]["data"][k] for k in ("code", "attempts")},
                  {"code": "plugin/error", "attempts": 10})
        b.paid(4)
        b.wait_for([2, 4])
        b.d.stop()
        b.d.restart()
        b.d.linli_ok("clock", "advance", "1d")
        tap.equal(len(b.attempts(1)), 10)


def test_a_failure_by_the_real_clock():
    with bus() as b:
        b.paid(1, good_at=int(time.time() * 1000) + 800)
        b.paid(2)
        b.wait_for([1, 2])


# -- who listens -----------------------------------------------------------

def test_the_communitys_own_feed():
    with bus("--clock=virtual") as b:
        page = b.listen().json
        tap.equal(page, {"items": [], "next_after": 0})
        b.paid(1, 2, 3)
        page = b.listen("limit=2").json
        tap.equal([e["data"]["n"] for e in page["items"]], [1, 2])
        first = page["items"][0]
        tap.equal(sorted(first), ["at", "data", "plugin", "seq", "type"])
        tap.equal([first[k] for k in ("type", "plugin", "at")],
                  ["shop.paid", "shop", "2030-01-01T00:00:00.000Z"])
        page = b.listen("after=%d" % page["next_after"],
                        as_="operator:o1").json
        tap.equal([e["data"]["n"] for e in page["items"]], [3])
        tap.equal(b.listen("after=%d" % page["next_after"]).json,
                  {"items": [], "next_after": page["next_after"]})


def test_who_may_listen():
    with bus() as b:
        for as_ in ("resident:r1", "staff:s1"):
            answer = b.listen(as_=as_)
            tap.equal((answer.status, answer.code), (403, "auth/forbidden"))
        for path in ("/v1/c/palace/events", "/v1/c/nowhere/events"):
            answer = b.listen(path=path)
            tap.equal((answer.status, answer.code),
                      (404, "request/not-found"))
        answer = b.d.http("GET", "/v1/c/demo/events")
        tap.equal((answer.status, answer.code), (401, "auth/missing"))
        answer = b.d.http("POST", "/v1/c/demo/events", {}, as_="app:a1")
        tap.equal((answer.status, answer.headers["allow"]), (405, "GET"))
        for query in ("wait=26", "wait=-1", "after=x", "limit=0", "limit=101",
                      "a=b", "after", "after=1&after=5", "wait=%"):
            answer = b.listen(query)
            tap.equal((answer.status, answer.code), (422, "request/invalid"),
                      query)
        b.paid(1)  # percent-encoded as anywhere
        tap.equal(len(b.listen("after=%30&limit=%31").json["items"]), 1)


def test_a_long_poll():
    with bus() as b:
        began = time.monotonic()
        tap.equal(b.listen("wait=1").json["items"], [])
        took = time.monotonic() - began
        tap.equal(0.9 <= took < 3, True, "waited %.2f s" % took)
        answers = []

        def wait():
            answers.append((b.listen("wait=20").json, time.monotonic()))
        threads = [threading.Thread(target=wait) for _ in range(8)]
        for t in threads:
            t.start()
        time.sleep(0.3)
        sent = time.monotonic()
        b.paid(1)
        for t in threads:
            t.join()
        for page, when in answers:
            tap.equal([e["data"]["n"] for e in page["items"]], [1])
            tap.equal(when - sent < 2, True, "told after %.2f s"
                      % (when - sent))
        # Whoever has gone is not missed.
        for _ in range(5):
            with b.d.socket() as s:
                s.sendall(("GET /v1/c/demo/events?after=%d&wait=20 HTTP/1.1"
                           "\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n"
                           % (page["next_after"], b.d.token("app:a1"))
                           ).encode())
                time.sleep(0.05)
        b.paid(2)
        tap.equal(b.listen("after=%d&wait=5" % page["next_after"])
                  .json["items"][0]["data"]["n"], 2)


def test_a_page_ends_before_what_does_not_fit():
    """Forty great events: a page has fewer, and the next goes on."""
    with bus() as b:
        text = "x" * 60000
        for n in range(40):
            b.emit({"type": "shop.gate",
                    "data": {"gate": "n", "n": n, "text": text}})

        def commands(query):
            return b.d.call("shop", "/gates/n/commands?" + query,
                            method="GET", as_="staff:s1")
        for ask in (b.listen, commands):
            after, told, pages = 0, [], 0
            while len(told) < 40:
                answer = ask("after=%d&limit=100&wait=5" % after)
                tap.equal(answer.status, 200, answer.code
                          if answer.status != 200 else "")
                page = answer.json
                tap.equal(page["next_after"], page["items"][-1]["seq"])
                told += [e["data"]["n"] for e in page["items"]]
                after, pages = page["next_after"], pages + 1
            tap.equal(told, list(range(40)))
            tap.equal(1 < pages < 10, True, pages)


def test_a_stop_answers_who_listens():
    with bus() as b:
        answers = []
        thread = threading.Thread(
            target=lambda: answers.append(b.listen("wait=20")))
        thread.start()
        time.sleep(0.3)
        began = time.monotonic()
        b.d.stop()
        thread.join()
        tap.equal(time.monotonic() - began < 5, True)
        tap.equal((answers[0].status, answers[0].json["items"]), (200, []))


def test_a_feed_of_a_plugin():
    with bus() as b:
        def commands(gate, query=""):
            return b.d.call("shop", "/gates/%s/commands%s" % (gate, query),
                            method="GET", as_="staff:s1")
        b.emit({"type": "shop.gate", "data": {"gate": "n", "do": 1}},
               {"type": "shop.gate", "data": {"gate": "s", "do": 2}},
               {"type": "shop.gate", "data": {"do": 3}},
               {"type": "shop.gate", "data": [4]},
               {"type": "shop.paid", "data": {"gate": "n", "n": 5}},
               {"type": "shop.gate", "data": {"gate": "n", "do": 6}})
        page = commands("n").json
        tap.equal([e["data"]["do"] for e in page["items"]], [1, 6])
        tap.equal([e["data"]["do"] for e in commands("s").json["items"]],
                  [2])
        tap.equal(commands("x").json["items"], [])
        answers = []
        thread = threading.Thread(target=lambda: answers.append(commands(
            "n", "?wait=20&after=%d" % page["next_after"])))
        thread.start()
        time.sleep(0.3)
        b.emit({"type": "shop.gate", "data": {"gate": "s", "do": 7}})
        time.sleep(0.3)
        tap.equal(answers, [])  # that was not for this gate
        b.emit({"type": "shop.gate", "data": {"gate": "n", "do": 8}})
        thread.join()
        tap.equal([e["data"]["do"] for e in answers[0].json["items"]], [8])
        answer = b.d.call("shop", "/gates/n/commands", method="GET")
        tap.equal((answer.status, answer.code), (403, "auth/forbidden"))
        answer = commands("n", "?wait=99")
        tap.equal((answer.status, answer.code), (422, "request/invalid"))


def test_events_are_kept_for_thirty_days():
    with bus("--clock=virtual") as b:
        b.paid(1)
        b.wait_for([1])
        b.d.linli_ok("clock", "advance", "20d")
        b.paid(2)
        b.wait_for([1, 2])
        b.d.linli_ok("clock", "advance", "9d")
        tap.equal([e["data"]["n"] for e in b.listen().json["items"]], [1, 2])
        b.d.linli_ok("clock", "advance", "2d")
        tap.equal([e["data"]["n"] for e in b.listen().json["items"]], [2])
        b.d.linli_ok("clock", "advance", "30d")
        tap.equal(b.listen().json["items"], [])
        # Numbers go on where they were, also when none is left.
        b.d.kill()
        b.d.restart()
        b.paid(3)
        b.wait_for([1, 2, 3])
        seqs = [e["seq"] for e in b.seen()]
        tap.equal(seqs, sorted(set(seqs)))


def test_more_go_than_one_commit_takes():
    with bus("--clock=virtual") as b:
        for _ in range(13):
            b.emit(*900 * [{"type": "shop.noise", "data": 1}])
        b.d.linli_ok("clock", "advance", "31d")
        tap.equal(b.listen().json["items"], [])


if __name__ == "__main__":
    tap.main()

#!/usr/bin/env python3
# test-timeout-s: 240
"""tests/scenario/test_notify.py: spec/notify.md, live: messages to residents,
by which channel, once.
"""

import contextlib
import json
import os
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from outside import Outside, answer, silent  # noqa: E402
from linli_test import (Daemon, failing_start, plugin_folder,  # noqa: E402
                        probe_manifest, temporary_folder, wait_until)

START = "2030-01-01T00:00:00Z"
NOW = 1893456000000
DAY = 86400000
PLUGIN = "tests/plugins/notices"
MESSAGES = "/v1/dev/sim/messages"
RULE = "/v1/dev/sim/notify"
SEED = {
    "communities": [{"id": "demo"}],
    "households": [{"id": "h1", "community": "demo"}],
    "residents": [
        {"id": "r1", "community": "demo", "household": "h1"},
        {"id": "r2", "community": "demo", "locale": "en"},
        {"id": "r3", "community": "demo", "locale": "zh-CN"}]}
PASS = {"template": "pass_expires", "with": {"date": "2030-02-01"}}
ZH = "您的月卡将于2030-02-01到期"
EN = "Your pass ends on 2030-02-01"


class Notices:
    """A daemon with the plugin."""

    def __init__(self, d):
        self.d = d
        self.count = 0

    def admin(self, method, path, body=None):
        """A request with the admin token."""
        return self.d.http(method, path, body, headers={
            "Authorization": "Bearer " + self.d.ready["admin_token"]})

    def pid(self, resident="r1"):
        """The plugin's name for a resident."""
        answer = self.d.call("notices", "/me", method="GET",
                             as_="resident:" + resident)
        tap.equal(answer.status, 200, answer)
        return answer.json["id"]

    def post(self, path, body, as_="resident:r1"):
        """A call to the plugin, under a key of its own."""
        self.count += 1
        return self.d.call("notices", path, body, as_=as_, key="t%d-%s" % (
            self.count, os.urandom(4).hex()))

    def send(self, *messages):
        """Sends messages; their ids."""
        answer = self.post("/send", {"messages": list(messages)})
        tap.equal(answer.status, 200, answer)
        return answer.json["ids"]

    def refused(self, **message):
        """What the plugin is told of a message that cannot be."""
        answer = self.post("/send", {"messages": [message], "tell": True})
        tap.equal(answer.status, 200, answer)
        return answer.json["ids"][0]

    def rule(self, channel, status, to=None):
        """How a channel ends from now on."""
        body = {"channel": channel, "status": status}
        if to is not None:
            body["to"] = to
        answer = self.admin("PUT", RULE, body)
        tap.equal((answer.status, answer.json), (200, dict(
            body, to=to)), answer)

    def items(self, to=None):
        """What the simulator was asked for."""
        path = MESSAGES
        if to is not None:
            path += "?to=" + urllib.parse.quote(to)
        answer = self.admin("GET", path)
        tap.equal(answer.status, 200, answer)
        return answer.json["items"]

    def seen(self, to=None):
        """The same in short: channel, attempt, accepted."""
        return [(i["channel"], i["attempt"], i["accepted"])
                for i in self.items(to)]

    def expect(self, want, to=None):
        """Waits until just this was seen."""
        wait_until(lambda: self.seen(to) == want, 15)
        tap.equal(self.seen(to), want)

    def advance(self, duration):
        """The clock goes on, and what falls due is done."""
        self.d.linli_ok("clock", "advance", duration)

    def alerts(self, kind="linli.unreachable"):
        """The operator's."""
        answer = self.d.http("GET", "/v1/c/demo/admin/alerts?kind=" + kind,
                             as_="operator:op")
        tap.equal(answer.status, 200, answer)
        return answer.json["items"]

    def messages(self, query=""):
        """The operator's view of them, all pages."""
        items, cursor = [], ""
        while cursor is not None:
            answer = self.d.http(
                "GET", "/v1/c/demo/admin/messages?%s%s" % (query, cursor),
                as_="operator:op")
            tap.equal(answer.status, 200, answer)
            items += answer.json["items"]
            cursor = answer.json["next_cursor"]
            cursor = None if cursor is None else "&cursor=" + cursor
        return items

    def usage(self):
        """How many messages were counted."""
        answer = self.d.http("GET", "/v1/c/demo/admin/usage",
                             as_="operator:op")
        tap.equal(answer.status, 200, answer)
        return sum(int(row["quantity"]) for row in answer.json["items"]
                   if row["meter"] == "linli.notification")

    def counted(self, want):
        """So many are, which is durable a moment after they were accepted."""
        wait_until(lambda: self.usage() == want)
        tap.equal(self.usage(), want)


@contextlib.contextmanager
def notices(virtual=True, **more):
    """A daemon with a seed and the plugin; the virtual clock is at START."""
    options = ["--clock=virtual"] if virtual else []
    with Daemon(options=options, **more) as d:
        if virtual:
            d.linli_ok("clock", "set", START)
        path = os.path.join(d.folder, "seed.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(SEED, f)
        d.linli_ok("seed", path)
        d.enable(d.source(PLUGIN))
        yield Notices(d)


def test_both_languages():
    with notices() as n:
        tap.equal(n.items(), [])
        ids = n.send(dict(PASS, to=n.pid("r1")), dict(PASS, to=n.pid("r2")),
                     dict(PASS, to=n.pid("r3"), locale="en"),
                     dict(PASS, to=n.pid("r4")))
        tap.equal(len(set(ids)), 4)
        n.expect([("push", 1, True)] * 4)
        tap.equal(sorted((i["to"], i["text"]) for i in n.items()),
                  [("r1", ZH), ("r2", EN), ("r3", EN), ("r4", ZH)])
        tap.equal(n.items("r2"), [
            {"at": "2030-01-01T00:00:00.000Z", "channel": "push", "to": "r2",
             "text": EN, "attempt": 1, "accepted": True}])
        tap.equal(n.items("r"), [])
        n.counted(4)
        n.send({"to": n.pid("r2"), "template": "due", "with": {
            "plate": "粤B{fen}", "fen": -12}})
        n.expect([("push", 1, True), ("sms", 1, True)], "r2")
        tap.equal(n.items("r2")[1]["text"], "粤B{fen} owes -12 fen {-12}")


def test_a_channel_that_fails_is_tried_again():
    with notices() as n:
        n.rule("push", "fail")
        n.send(dict(PASS, to=n.pid()))
        n.expect([("push", 1, False)])
        n.advance("999ms")
        n.expect([("push", 1, False)])
        n.advance("1ms")
        n.expect([("push", 1, False), ("push", 2, False)])
        n.rule("push", "ok")
        n.advance("2s")
        n.expect([("push", 1, False), ("push", 2, False), ("push", 3, True)])
        n.advance("1d")
        tap.equal(len(n.items()), 3)
        tap.equal(n.items()[2]["at"], "2030-01-01T00:00:03.000Z")
        n.counted(1)
        tap.equal(n.alerts(), [])


def test_a_channel_that_goes_on_failing_falls_to_the_next():
    with notices() as n:
        n.rule("sms", "fail", "r1")
        n.send({"to": n.pid("r1"), "template": "hello"},
               {"to": n.pid("r2"), "template": "hello"})
        n.expect([("sms", 1, True)], "r2")
        n.advance("1h")
        n.expect([("sms", 1, False), ("sms", 2, False), ("sms", 3, False),
                  ("push", 1, True)], "r1")
        tap.equal([i["text"] for i in n.items("r2")], ["Hello"])
        # One of whom nothing was said since all were spoken of goes by that.
        n.rule("sms", "ok")
        n.send({"to": n.pid("r1"), "template": "hello"})
        n.expect([("sms", 1, False), ("sms", 2, False), ("sms", 3, False),
                  ("push", 1, True), ("sms", 1, True)], "r1")
        n.counted(3)


def test_an_unreachable_channel_falls_at_once():
    with notices() as n:
        n.rule("sms", "unreachable")
        n.rule("push", "unreachable", "r1")
        n.send({"to": n.pid(), "template": "hello"})
        n.expect([("sms", 1, False), ("push", 1, False), ("voice", 1, True)])
        tap.equal([i["at"] for i in n.items()],
                  ["2030-01-01T00:00:00.000Z"] * 3)
        n.counted(1)
        tap.equal(n.alerts(), [])


def test_nobody_is_reached():
    with notices() as n:
        for channel in ("push", "sms"):
            n.rule(channel, "fail")
        pid = n.pid()
        ids = n.send(dict(PASS, to=pid))
        n.advance("1d")
        n.expect([("push", i, False) for i in range(1, 4)]
                 + [("sms", i, False) for i in range(1, 9)])
        tap.equal(n.usage(), 0)
        alerts = n.alerts()
        tap.equal(len(alerts), 1)
        tap.equal((alerts[0]["plugin"], alerts[0]["subject"],
                   alerts[0]["state"]), ("notices", pid, "open"))
        tap.equal(len(alerts[0]["trace_id"]), 32)
        data = alerts[0]["data"]
        tap.equal((data["id"], data["template"], data["code"]),
                  (ids[0], "pass_expires", "notify/failed"))
        tap.equal([(a["channel"], a["attempt"], a["code"])
                   for a in data["attempts"]],
                  [(c, a, "notify/failed") for c, a, _ in n.seen()])
        # It is over: nothing comes of it later.
        n.rule("push", "ok")
        n.advance("30d")
        tap.equal(len(n.items()), 11)
        tap.equal(n.alerts("linli.dead_errand"), [])


def test_reminders_go_out_once():
    """Over restarts and kill -9 between, whatever fails."""
    with notices() as n:
        n.rule("push", "fail")
        at = [NOW + DAY, NOW + 7 * DAY]
        answer = n.post("/remind", {"at": at, "date": "2030-02-01"})
        tap.equal(answer.status, 204, answer)
        n.advance("12h")
        n.d.stop()
        n.d.restart()
        n.advance("12h")  # the first rings, push has failed once
        n.expect([("push", 1, False)])
        n.d.kill()
        n.d.restart()
        n.expect([("push", 1, False)])
        n.advance("1s")
        n.d.kill()
        n.d.restart()
        n.advance("1h")
        once = [("push", 1, False), ("push", 2, False), ("push", 3, False),
                ("sms", 1, True)]
        n.expect(once)
        n.rule("push", "ok")
        n.d.kill()
        n.d.restart()
        n.advance("10d")
        n.expect(once + [("push", 1, True)])
        n.d.stop()
        n.d.restart()
        n.advance("60d")
        tap.equal(n.seen(), once + [("push", 1, True)])
        tap.equal({i["text"] for i in n.items()}, {ZH})
        n.counted(2)


def test_killed_at_any_moment():
    """By a real clock: a message is shown once, and not lost, if its call
    was answered."""
    with notices(virtual=False) as n:
        pid, sent = n.pid(), []
        for i in range(8):
            for k in range(4):
                n.send(dict(PASS, to=pid, key="k%d-%d" % (i, k),
                            **{"with": {"date": "%d/%d" % (i, k)}}))
                sent.append("您的月卡将于%d/%d到期" % (i, k))
            n.d.kill()
            n.d.restart()
        wait_until(lambda: len(n.items()) >= len(sent), 15)
        tap.equal(sorted(i["text"] for i in n.items()), sorted(sent))
        tap.equal(set(n.seen()), {("push", 1, True)})
        n.counted(len(sent))


def test_a_key_is_one_message():
    with notices() as n:
        pid = n.pid()
        first = n.send(dict(PASS, to=pid, key="k"))
        n.expect([("push", 1, True)])
        again = n.send(dict(PASS, to=pid, key="k"),
                       dict(PASS, to=pid, key="k", **{"with": {
                           "date": "later"}}))
        tap.equal(again, first * 2)
        twice = n.send(dict(PASS, to=pid, key="two"),
                       dict(PASS, to=pid, key="two"))
        tap.equal(twice[0], twice[1])
        n.expect([("push", 1, True)] * 2)
        n.d.kill()
        n.d.restart()
        tap.equal(n.send(dict(PASS, to=pid, key="k")), first)
        for other in (dict(PASS, to=n.pid("r2")),
                      {"to": pid, "template": "hello"}):
            told = n.refused(**dict(other, key="k"))
            tap.equal("notify/key-reused" in told, True, told)
        # The name of another message is no key of it.
        tap.equal(n.send(dict(PASS, to=pid, key=first[0])) != first, True)
        n.expect([("push", 1, True)] * 3)
        n.advance("1d")
        n.counted(3)


def test_a_call_that_fails_sends_nothing():
    with notices() as n:
        pid = n.pid()
        answer = n.post("/send", {"messages": [dict(PASS, to=pid, key="k")],
                                  "fail": True})
        tap.equal((answer.status, answer.code), (409, "notices/no"))
        n.advance("1d")
        tap.equal(n.items(), [])
        n.send(dict(PASS, to=pid, key="k"))
        n.expect([("push", 1, True)])


def test_what_cannot_be_sent():
    with notices() as n:
        me = n.d.call("notices", "/me", method="GET").json
        pid = me["id"]
        long = "x" * 256
        rows = (
            (dict(PASS, template="nosuch"), "db/undeclared"),
            (dict(PASS, template=""), "db/undeclared"),
            (dict(PASS, to="r1"), "db/document"),
            (dict(PASS, to="0" * 32), "notify/unknown-resident"),
            (dict(PASS, to=me["household"]), "notify/unknown-resident"),
            (dict(PASS, to=pid.upper()), "db/document"),
            ({"template": "pass_expires"}, "notify/with"),
            (dict(PASS, **{"with": {}}), "notify/with"),
            (dict(PASS, **{"with": {"date": "1", "plate": "2"}}),
             "notify/with"),
            (dict(PASS, **{"with": {"date": True}}), "notify/with"),
            (dict(PASS, **{"with": {"date": 1.5}}), "notify/with"),
            (dict(PASS, **{"with": {"date": {}}}), "notify/with"),
            (dict(PASS, **{"with": {"date": "a\nb"}}), "notify/with"),
            (dict(PASS, **{"with": {"date": long + "x"}}), "notify/with"),
            (dict(PASS, **{"with": ["date"]}), "notify/with"),
            ({"template": "hello", "with": {"date": "1"}}, "notify/with"),
            (dict(PASS, locale="de"), "db/query"),
            (dict(PASS, key="k" * 129), "db/query"),
            ({"template": "long", "with": {c: long for c in "abcdefghi"}},
             "notify/too-long"),
        )
        for message, code in rows:
            told = n.refused(**dict({"to": pid}, **message))
            tap.equal(code in told, True, "%r: %r" % (message, told))
        for wrong in ({"template": "hello", "subject": pid},
                      {"to": 7, "template": "hello"}, {"to": pid}):
            told = n.refused(**wrong)
            tap.equal("call:notify:" in told, True, told)
        n.send({"to": pid, "template": "long", "with": dict(
            {c: long for c in "abcdefgh"}, i="")},
            dict(PASS, to=pid, key="k" * 128))
        wait_until(lambda: len(n.items()) == 2, 15)
        tap.equal(sorted(n.seen()), [("push", 1, True), ("voice", 1, True)])
        # A route that changes nothing sends nothing.
        answer = n.post("/safe", {"messages": [dict(PASS, to=pid)],
                                  "tell": True})
        tap.equal("db/read-only" in answer.json["ids"][0], True, answer)
        # Not caught it is the plugin's error, and its code is in the log.
        answer = n.post("/send", {"messages": [dict(PASS, to="0" * 32)]})
        tap.equal((answer.status, answer.code), (500, "plugin/error"))
        tap.equal(any("notify/unknown-resident" in line.get("msg", "")
                      for line in n.d.log_lines()), True)
        n.advance("1d")
        n.counted(2)
        tap.equal(len(n.items()), 2)


def test_delivery_goes_on_without_the_plugin():
    with notices() as n:
        n.rule("push", "fail")
        n.send(dict(PASS, to=n.pid()))
        n.expect([("push", 1, False)])
        n.d.linli_ok("plugin", "disable", "notices", "--community", "demo")
        n.advance("1s")
        n.expect([("push", 1, False), ("push", 2, False)])
        n.d.kill()
        n.d.restart()
        n.advance("2s")
        n.expect([("push", 1, False), ("push", 2, False), ("push", 3, False),
                  ("sms", 1, True)])
        n.counted(1)


def test_what_operators_see():
    with notices() as n:
        tap.equal(n.messages("limit=1"), [])
        pid = n.pid()
        first = n.send(dict(PASS, to=pid))[0]
        n.expect([("push", 1, True)])
        n.rule("push", "unreachable")
        n.rule("sms", "unreachable")
        lost = [n.send({"to": pid, "template": "due", "with": {
            "plate": "A", "fen": i}})[0] for i in range(3)]
        wait_until(lambda: len(n.alerts()) == 3, 15)
        n.rule("push", "fail")
        n.advance("1d")
        open_one = n.send(dict(PASS, to=pid, locale="en"))[0]
        wait_until(lambda: len(n.items()) == 5, 15)
        for limit in ("", "limit=1", "limit=2", "limit=1000"):
            for state, ids in (("accepted", [first]), ("queued", [open_one]),
                               ("failed", lost[::-1]), ("", [
                                   open_one] + lost[::-1] + [first])):
                query = limit + ("&state=" + state if state else "")
                tap.equal([m["id"] for m in n.messages(query.lstrip("&"))],
                          ids, query)
        tap.equal(n.messages("state=queued&plugin=notices"), [{
            "id": open_one, "plugin": "notices",
            "at": "2030-01-02T00:00:00.000Z", "subject": pid,
            "template": "pass_expires", "locale": "en",
            "channels": ["push", "sms"], "state": "queued",
            "trace_id": n.messages("state=queued")[0]["trace_id"],
            "attempts": [{"at": "2030-01-02T00:00:00.000Z", "attempt": 1,
                          "channel": "push", "code": "notify/failed"}]}])
        tap.equal(n.messages("plugin=nosuch"), [])
        for query in ("state=lost", "limit=0", "who=1"):
            answer = n.d.http("GET", "/v1/c/demo/admin/messages?" + query,
                              as_="operator:op")
            tap.equal((answer.status, answer.code), (422, "request/invalid"))
        for cursor in ("x", "1", "1.", ".1", "1.2.3", "-1.2"):
            answer = n.d.http(
                "GET", "/v1/c/demo/admin/messages?cursor=" + cursor,
                as_="operator:op")
            tap.equal((answer.status, answer.code), (400, "request/cursor"))
        answer = n.d.http("GET", "/v1/c/demo/admin/messages",
                          as_="resident:r1")
        tap.equal(answer.status, 403)


def test_manifests_that_are_refused():
    good = {"channels": ["sms"], "text": {"zh-CN": "{a}", "en": "{a}"}}
    rows = (dict(good, channels=[]), dict(good, channels=["fax"]),
            dict(good, channels=["sms", "sms"]), {"channels": ["sms"]},
            dict(good, text={"zh-CN": "{a}"}),
            dict(good, text={"zh-CN": "{a}", "en": ""}),
            dict(good, text={"zh-CN": "{a}", "en": "a"}),
            dict(good, text={"zh-CN": "{a}", "en": "{a}{b}"}),
            dict(good, text={"zh-CN": "{a}", "en": "{a"}))
    with temporary_folder() as folder, Daemon() as d:
        for row in rows:
            plugin = plugin_folder(folder, probe_manifest(
                notifications={"it": row}), main__lua="")
            done = d.enable_fails(plugin)
            tap.equal("manifest/invalid" in done.err, True, done)
            tap.equal("/notifications/it" in done.err, True, done)


def test_the_simulator_is_asked_rightly():
    with notices() as n:
        for body in ({}, {"channel": "sms"}, {"status": "ok"},
                     {"channel": "fax", "status": "ok"},
                     {"channel": "sms", "status": "down"},
                     {"channel": "sms", "status": "ok", "to": ""},
                     {"channel": "sms", "status": "ok", "to": 7},
                     {"channel": "sms", "status": "ok", "to": "r" * 129},
                     {"channel": "sms", "status": "ok", "who": "r1"}, []):
            answer = n.admin("PUT", RULE, body)
            tap.equal((answer.status, answer.code),
                      (422, "request/invalid"), body)
        tap.equal(n.admin("PUT", RULE, "{").code, "request/json")
        tap.equal(n.admin("GET", MESSAGES + "?who=r1").code,
                  "request/invalid")
        tap.equal(n.admin("POST", MESSAGES, {}).headers["allow"], "GET")
        tap.equal(n.admin("GET", RULE).headers["allow"], "PUT")
        for path in (MESSAGES, RULE):
            tap.equal(n.d.http("GET", path).code, "auth/missing")
            tap.equal(n.d.http("GET", path, as_="operator:op").code,
                      "auth/invalid")
    with Daemon(mode="production") as d:
        for method, path in (("GET", MESSAGES), ("PUT", RULE)):
            answer = d.http(method, path, {} if method == "PUT" else None,
                            headers={"Authorization": "Bearer " + json.load(
                                open(os.path.join(d.data, "linlid.json"),
                                     encoding="utf-8"))["admin_token"]})
            tap.equal((answer.status, answer.code),
                      (404, "request/not-found"))


def test_a_gateway():
    """Each message is a POST under its id; the status is the outcome."""
    with Outside({}) as there, temporary_folder() as folder:
        said = there.paths
        said["/sms"] = answer(202, {"queued": True})
        path = os.path.join(folder, "sms.key")
        with open(path, "w", encoding="utf-8") as f:
            f.write("k3y\nnot this\n")
        url = "http://%s/sms" % there.address
        config = {"notify": {"sms": {"url": url, "key_file": path},
                             "push": {"url": url.replace("sms", "push")}}}
        with notices(config=config) as n:
            ids = n.send({"to": n.pid("r2"), "template": "hello"})
            wait_until(lambda: n.usage() == 1, 15)
            tap.equal((n.usage(), n.items()), (1, []))
            first = there.requests[0]
            tap.equal((first.method, first.path), ("POST", "/sms"))
            key = first.headers["idempotency-key"]
            tap.equal(len(key), 32)
            tap.equal(json.loads(first.body), {
                "id": key, "channel": "sms", "community": "demo", "to": "r2",
                "locale": "en", "text": "Hello", "attempt": 1})
            tap.equal((first.headers["authorization"],
                       first.headers["content-type"]),
                      ("Bearer k3y", "application/json"))
            # 404, 410 and 422: not this resident; then the next channel.
            said["/sms"], said["/push"] = answer(410), answer(503)
            n.send({"to": n.pid("r2"), "template": "hello"})
            wait_until(lambda: len(there.requests) == 3, 15)
            tap.equal([r.path for r in there.requests],
                      ["/sms", "/sms", "/push"])
            tap.equal("authorization" in there.requests[2].headers, False)
            tap.equal(there.requests[1].headers["idempotency-key"],
                      there.requests[2].headers["idempotency-key"])
            # Anything else: not now. An advance waits for the answers.
            n.advance("1s")
            said["/push"] = b""
            n.advance("2s")
            tap.equal([r.path for r in there.requests],
                      ["/sms", "/sms", "/push", "/push", "/push"])
            n.expect([("voice", 1, True)])
            tap.equal([m["attempts"][-1]["channel"] for m in n.messages()],
                      ["voice", "sms"])
            tap.equal(n.messages()[1]["id"], ids[0])
            # One that is under way when linlid ends is sent again later.
            said["/sms"] = silent
            n.send({"to": n.pid("r2"), "template": "hello"})
            wait_until(lambda: len(there.requests) == 6, 15)
            n.d.stop()
            said["/sms"] = answer(200)
            n.d.restart()
            wait_until(lambda: n.usage() == 3, 15)
            n.counted(3)
            tap.equal(there.requests[5].body, there.requests[6].body)
            tap.equal(any("k3y" in line for line in open(os.path.join(
                n.d.data, "linlid.log"), encoding="utf-8")), False)


def test_gateways_that_are_none():
    rows = (({"url": "ftp://a.b/"}, "/notify/sms"),
            ({"url": "http://u:p@a.b/"}, "/notify/sms"),
            ({"key_file": "k"}, "/notify/sms"),
            ({"url": "http://a.b/", "key": "k"}, "/notify/sms"),
            ({"url": "http://a.b/", "key_file": "nosuch"}, "nosuch"),
            ({"url": "http://a.b/", "key_file": "empty"}, "no key"),
            ({"url": "http://a.b/", "key_file": "blank"}, "no key"))
    with temporary_folder() as folder:
        data = os.path.join(folder, "data")
        os.mkdir(data, 0o700)
        for name, text in (("empty", ""), ("blank", "a b\n")):
            with open(os.path.join(data, name), "w", encoding="utf-8") as f:
                f.write(text)
        path = os.path.join(folder, "conf.json")
        for gateway, says in rows:
            with open(path, "w", encoding="utf-8") as f:
                json.dump({"notify": {"sms": gateway}}, f)
            done = failing_start(["--config=" + path], data=data,
                                 mode="production")
            tap.equal("config/invalid" in done.err and says in done.err,
                      True, "%r: %r" % (gateway, done))
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"notify.sms": {"url": "https://a.b/sms"}}, f)
        with Daemon(mode="production", data=data,
                    options=["--config=" + path]):
            pass


def test_channels_without_a_provider():
    config = {"notify": {"push": "none", "sms": "none"}}
    with notices(config=config) as n:
        n.send(dict(PASS, to=n.pid()), {"to": n.pid(), "template": "hello"})
        n.expect([("voice", 1, True)])
        wait_until(n.alerts, 5)
        alerts = n.alerts()
        tap.equal(len(alerts), 1)
        data = alerts[0]["data"]
        tap.equal((data["template"], data["code"]),
                  ("pass_expires", "notify/no-provider"))
        tap.equal("notify.sms" in data["fix"], True, data)
    with temporary_folder() as folder:
        path = os.path.join(folder, "conf.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"notify": {"sms": "sim"}}, f)
        done = failing_start(["--config=" + path], mode="production")
        tap.equal("config/development-only" in done.err, True, done)



if __name__ == "__main__":
    tap.main()

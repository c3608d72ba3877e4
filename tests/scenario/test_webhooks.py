#!/usr/bin/env python3
# test-timeout-s: 240
"""tests/scenario/test_webhooks.py: spec/webhooks.md, live.

A receiver written from Standard Webhooks 1.0.0, without a look at Linli's
code, takes what is sent, verifies it and answers as it is told.
"""

import base64
import contextlib
import hashlib
import hmac
import http.server
import json
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
SHOP = dict(
    events={"publishes": ["shop.paid", "shop.noise"]},
    routes=[{"method": "POST", "path": "/emit", "caller": ["resident"]}])
SHOP_LUA = """
local p = require("linli").plugin()
p:post("/emit", function(call)
    for _, e in ipairs(call.body.events) do
        call:event(e.type or "shop.paid", e.data)
    end
    return 200, {}
end)
return p
"""
PRIVATE = "R35ident-data-4711"  # in an event's data: never in a message


def signature(secret, message_id, timestamp, body):
    """What Standard Webhooks 1.0.0 has a sender write, by the text of its
    specification: the key is the base64 behind whsec_, the content is
    id.timestamp.body, the signature v1, and base64 of its HMAC-SHA256."""
    tap.equal(secret[:6], "whsec_")
    key = base64.b64decode(secret[6:], validate=True)
    content = b"%s.%s.%s" % (message_id.encode(), timestamp.encode(), body)
    mac = hmac.new(key, content, hashlib.sha256).digest()
    return "v1," + base64.b64encode(mac).decode()


class Receiver:
    """An HTTP server that keeps what it gets, and answers 204 unless it is
    told: statuses, one for each request, the last again and again."""

    def __init__(self, *statuses):
        self.statuses = list(statuses) or [204]
        self.got = []
        self.hold = threading.Event()  # set: it answers
        self.hold.set()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """One request."""

            protocol_version = "HTTP/1.1"

            def do_POST(self):
                """Keeps it and answers."""
                length = int(self.headers.get("content-length", "0"))
                body = self.rfile.read(length)
                receiver.got.append(({k.lower(): v for k, v
                                      in self.headers.items()}, body,
                                     self.path))
                receiver.hold.wait(30)
                status = receiver.statuses[0]
                if len(receiver.statuses) > 1:
                    receiver.statuses.pop(0)
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    self.send_header("content-length", "0")
                    if status in (301, 307):
                        self.send_header("location", "/elsewhere")
                    self.end_headers()

            def log_message(self, *_):
                """Says nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()
        return self

    def __exit__(self, *_):
        self.hold.set()
        self.server.shutdown()
        self.server.server_close()

    def wait_for(self, count, timeout_s=15.0):
        """That many have come, and, as it seems, no more."""
        wait_until(lambda: len(self.got) >= count, timeout_s)
        time.sleep(0.15)
        tap.equal(len(self.got), count, [g[1] for g in self.got])
        return self.got

    def ids(self):
        """Of the messages, in the order they came."""
        return [headers["webhook-id"] for headers, _, _ in self.got]


def verified(message, *secrets, now=None):
    """The body of a message whose signature is one of these keys'."""
    headers, body, _ = message
    message_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    tap.equal(abs(int(timestamp) - (now or time.time())) < 300, True,
              timestamp)
    given = headers["webhook-signature"].split(" ")
    tap.equal(given, [signature(s, message_id, timestamp, body)
                      for s in secrets])
    tap.equal(headers["content-type"], "application/json")
    return json.loads(body)


class Community:
    """A daemon with a plugin that publishes, and a receiver at good.test."""

    def __init__(self, d, receiver):
        self.d, self.receiver, self.count = d, receiver, 0

    def emit(self, *numbers, type_="shop.paid"):
        """One call with an event for each."""
        self.count += 1
        answer = self.d.call(
            "shop", "/emit",
            {"events": [{"type": type_, "data": {"n": n, "who": PRIVATE}}
                        for n in numbers]},
            key="%s-%d" % (os.urandom(6).hex(), self.count))
        tap.equal(answer.status, 200, answer)

    def ask(self, method, path="", body=None, as_="operator:o1", **more):
        """The operator's paths."""
        return self.d.http(method, "/v1/c/demo/admin/webhooks" + path, body,
                           as_=as_, **more)

    def add(self, name="main", types=("shop.*",), url="http://good.test/hook",
            **more):
        """Sets one; its key if it is new."""
        answer = self.ask("PUT", "/" + name,
                          dict(more, url=url, types=list(types)))
        tap.equal(answer.status in (200, 201), True, answer)
        return answer.json.get("secret")

    def one(self, name="main"):
        """What the operator is told of one; None without it."""
        items = self.ask("GET").json["items"]
        return next((i for i in items if i["id"] == name), None)

    def alerts(self, kind):
        """Their data."""
        answer = self.d.http("GET", "/v1/c/demo/admin/alerts?kind=" + kind,
                             as_="operator:o1")
        return [a["data"] for a in answer.json["items"]]

    def settled(self, name="main"):
        """Nothing of it is on its way."""
        wait_until(lambda: self.one(name)["pending"] == 0, 15.0)
        tap.equal(self.one(name)["pending"], 0)


@contextlib.contextmanager
def community(*statuses, options=(), config=None):
    """Both, running."""
    with temporary_folder() as folder, Receiver(*statuses) as receiver:
        shop = plugin_folder(folder, probe_manifest("shop", **SHOP),
                             main__lua=SHOP_LUA)
        if config is None:
            config = {"egress": {"test_addresses": {
                "good.test:80": "127.0.0.1:%d" % receiver.port}}}
        with Daemon(options=list(options), config=config) as d:
            if "--clock=virtual" in options:
                d.linli_ok("clock", "set", START)
            d.enable(shop)
            yield Community(d, receiver)


def test_the_published_example():
    """The example of the specification's own libraries."""
    tap.equal(signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                        "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
                        b'{"test": 2432232314}'),
              "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")


def test_told_signed_and_thin():
    with community() as c:
        c.emit(0)  # before there is an endpoint
        secret = c.add()
        c.emit(1)
        c.emit(7, type_="shop.noise")
        c.emit(2, 3)
        messages = c.receiver.wait_for(4)
        feed = c.d.http("GET", "/v1/c/demo/events?after=0",
                        as_="app:a1").json["items"]
        said = sorted((verified(m, secret) for m in messages),
                      key=lambda body: body["data"]["seq"])
        tap.equal([b["type"] for b in said],
                  ["shop.paid", "shop.noise", "shop.paid", "shop.paid"])
        for body, event in zip(said, feed[1:]):
            tap.equal(body, {"type": event["type"], "timestamp": event["at"],
                             "data": {"seq": event["seq"],
                                      "community": "demo",
                                      "plugin": "shop"}})
            read = c.d.http("GET", "/v1/c/demo/events?after=%d&limit=1"
                            % (body["data"]["seq"] - 1), as_="app:a1")
            tap.equal(read.json["items"], [event])
        tap.equal(len(set(c.receiver.ids())), 4)
        for headers, body, path in messages:
            tap.equal(path, "/hook")
            tap.equal(PRIVATE in body.decode() + str(headers), False)
        c.settled()
        one = c.one()
        tap.equal((one["after"], one["last"]["status"], one["last"]["code"]),
                  (feed[-1]["seq"], 204, None))
        tap.equal("secret" in one, False)


def test_types_choose():
    with community() as c:
        c.add("paid", ["shop.paid"], "http://good.test/paid")
        c.add("noise", ["other.*", "shop.noise"], "http://good.test/noise")
        c.add("none", ["sho.*", "shop-2.*"], "http://good.test/none")
        c.emit(1)
        c.emit(2, type_="shop.noise")
        tap.equal(sorted(path for _, _, path in c.receiver.wait_for(2)),
                  ["/noise", "/paid"])


def test_a_failure_is_sent_again_with_its_id():
    with community(500, 307, 204, options=["--clock=virtual"]) as c:
        secret = c.add()
        c.emit(1)
        c.d.linli_ok("clock", "advance", "500ms")
        tap.equal(len(c.receiver.got), 1)
        tap.equal(c.one()["last"]["status"], 500)
        tap.equal(c.one()["last"]["code"], "webhook/refused")
        c.d.linli_ok("clock", "advance", "1s")
        tap.equal(len(c.receiver.got), 2)
        c.d.linli_ok("clock", "advance", "2s")
        c.d.linli_ok("clock", "advance", "1h")
        tap.equal(len(c.receiver.got), 3)
        tap.equal(len(set(c.receiver.ids())), 1)
        tap.equal(len({body for _, body, _ in c.receiver.got}), 1)
        tap.equal({path for _, _, path in c.receiver.got}, {"/hook"})
        stamps = [int(h["webhook-timestamp"]) for h, _, _ in c.receiver.got]
        tap.equal([s - stamps[0] for s in stamps], [0, 1, 3])
        for message, stamp in zip(c.receiver.got, stamps):
            verified(message, secret, now=stamp)
        c.settled()


def test_given_up_after_twenty():
    with community(503, options=["--clock=virtual"]) as c:
        c.add()
        c.emit(1)
        c.d.linli_ok("clock", "advance", "2d")
        tap.equal(len(c.receiver.got), 20)
        dead = c.alerts("linli.dead_errand")
        tap.equal(len(dead), 1)
        tap.equal((dead[0]["run"], dead[0]["code"], dead[0]["id"]),
                  ("webhook", "webhook/refused", c.receiver.ids()[0]))
        tap.equal(c.one()["pending"], 0)
        # The next is told as if nothing had been.
        c.receiver.statuses = [200]
        c.emit(2)
        c.d.linli_ok("clock", "advance", "1s")
        tap.equal(len(c.receiver.got), 21)


def test_one_that_was_given_up_is_sent_again():
    """By an operator: under the same id, and it counts for nothing more."""
    with community(503, options=["--clock=virtual"]) as c:
        secret = c.add()
        c.emit(1)
        c.d.linli_ok("clock", "advance", "2d")
        c.d.kill()
        c.d.restart()
        job, = c.d.linli_ok("jobs", "--json").json["items"]
        tap.equal({k: job[k] for k in ("id", "plugin", "kind", "run",
                                       "attempts", "code")},
                  {"id": c.receiver.ids()[0], "plugin": "-",
                   "kind": "errand", "run": "webhook", "attempts": 20,
                   "code": "webhook/refused"})
        # Others are on their way: what was settled once is not again.
        c.emit(2)
        c.d.linli_ok("clock", "advance", "1s")
        c.d.linli_ok("jobs", "retry", "-", job["id"])
        c.d.linli_ok("clock", "advance", "2d")
        tap.equal(len(c.receiver.got), 60)
        tap.equal(c.one()["pending"], 0)
        waiting = c.d.linli_ok("jobs", "--json").json["items"]
        tap.equal(len(waiting), 2)
        c.emit(3)
        c.d.linli_ok("clock", "advance", "1s")
        tap.equal(c.one()["pending"], 1)
        c.receiver.statuses = [204]
        c.d.linli_ok("jobs", "retry", "-", job["id"])
        c.d.linli_ok("clock", "advance", "10ms")
        message = c.receiver.got[-1]
        tap.equal(message[0]["webhook-id"], job["id"])
        verified(message, secret, now=int(message[0]["webhook-timestamp"]))
        tap.equal(c.one()["pending"], 1)
        dropped, = c.d.linli_ok("jobs", "--json").json["items"]
        c.d.linli_ok("jobs", "drop", "-", dropped["id"], "--reason", "late")
        c.d.linli_ok("clock", "advance", "1h")
        tap.equal(c.one()["pending"], 0)
        tap.equal(c.d.linli_ok("jobs", "--state", "all",
                               "--json").json["items"], [])
        tap.equal(c.d.linli_ok("alerts", "--state", "open",
                               "--json").json["items"], [])


def test_no_more_than_sixteen_wait():
    with community(503, options=["--clock=virtual"]) as c:
        c.add()
        for first in range(0, 40, 10):
            c.emit(*range(first, first + 10))
        c.d.linli_ok("clock", "advance", "100ms")
        tap.equal(len(set(c.receiver.ids())), 16)
        tap.equal(c.one()["pending"], 16)
        c.receiver.statuses = [204]
        c.d.linli_ok("clock", "advance", "2h")
        tap.equal(len(set(c.receiver.ids())), 40)
        tap.equal(c.one()["pending"], 0)
        tap.equal(c.alerts("linli.dead_errand"), [])


def test_gone_is_no_more():
    with community(410) as c:
        secret = c.add()
        c.emit(1)
        c.receiver.wait_for(1)
        wait_until(lambda: c.one()["disabled"] is not None, 10.0)
        tap.equal(c.one()["disabled"], "gone")
        tap.equal([a["id"] for a in c.alerts("linli.webhook_gone")], ["main"])
        c.emit(2)
        c.receiver.wait_for(1)
        # Enabled again: what is published from then on, with the same key.
        c.receiver.statuses = [200]
        tap.equal(c.add(), None)
        tap.equal(c.one()["disabled"], None)
        c.emit(3)
        messages = c.receiver.wait_for(2)
        feed = c.d.http("GET", "/v1/c/demo/events?after=0",
                        as_="app:a1").json["items"]
        tap.equal(verified(messages[1], secret)["data"]["seq"],
                  feed[-1]["seq"])


def test_disabled_and_deleted():
    with community() as c:
        c.add(disabled=True)
        c.emit(1)
        c.add()
        c.emit(2)
        c.receiver.wait_for(1)
        c.add(types=["shop.noise"])
        c.emit(3)
        c.emit(4, type_="shop.noise")
        c.receiver.wait_for(2)
        # On its way when it is deleted: its end disturbs nobody.
        c.receiver.hold.clear()
        c.emit(5, type_="shop.noise")
        c.receiver.wait_for(3)
        tap.equal(c.ask("DELETE", "/main").status, 200)
        tap.equal(c.ask("DELETE", "/main").code, "request/not-found")
        c.receiver.hold.set()
        c.emit(6, type_="shop.noise")
        c.receiver.wait_for(3)
        tap.equal(c.ask("GET").json["items"], [])
        # Made anew it is another: with another key, from now on.
        secret = c.add()
        c.emit(7)
        verified(c.receiver.wait_for(4)[3], secret)


def test_two_signatures_after_a_rotation():
    with community(options=["--clock=virtual"]) as c:
        first = c.add()
        second = c.ask("POST", "/main/rotate").json["secret"]
        tap.equal(first == second, False)
        c.emit(1)
        c.d.linli_ok("clock", "advance", "23h")
        c.emit(2)
        c.d.linli_ok("clock", "advance", "2h")
        c.emit(3)
        c.d.linli_ok("clock", "advance", "1s")
        messages = c.receiver.wait_for(3)
        stamps = [int(h["webhook-timestamp"]) for h, _, _ in messages]
        verified(messages[0], second, first, now=stamps[0])
        verified(messages[1], second, first, now=stamps[1])
        verified(messages[2], second, now=stamps[2])
        out = c.d.linli_ok("webhook", "rotate", "main").out
        tap.equal(out.startswith("whsec_"), True)


def test_kill_loses_none():
    """Killed again and again while messages are on their way: each event is
    told, always under one id, and no id is two events'."""
    with community() as c:
        secret = c.add()
        for n in range(6):
            if n % 2 == 0:
                c.receiver.hold.clear()
            c.emit(3 * n, 3 * n + 1, 3 * n + 2)
            wait_until(lambda: len(c.receiver.got) > 3 * n, 5.0)
            c.d.kill()
            c.receiver.hold.set()
            c.d.restart()
        wait_until(lambda: c.one()["pending"] == 0
                   and len(set(c.receiver.ids())) == 18, 20.0)
        seqs = {}
        for message in c.receiver.got:
            seq = verified(message, secret)["data"]["seq"]
            seqs.setdefault(message[0]["webhook-id"], set()).add(seq)
        feed = c.d.http("GET", "/v1/c/demo/events?after=0",
                        as_="app:a1").json["items"]
        tap.equal(sorted(s for found in seqs.values() for s in found),
                  [e["seq"] for e in feed])
        tap.equal(len(feed), 18)


def test_where_it_may_go():
    with Receiver() as other:
        config = {"egress": {"allow_private": [
            {"plugin": "shop", "host": "plugin.test", "address": "127.0.0.1"},
            {"plugin": "~", "host": "mine.test", "address": "127.0.0.1"}]}}
        with community(config=config) as c:
            port = other.port
            c.add("loopback", url="http://127.0.0.1:%d/" % port)
            c.add("name", url="http://localhost:%d/" % port)
            c.add("mapped", url="http://[::ffff:127.0.0.1]:%d/" % port)
            c.add("plugins", url="http://plugin.test:%d/" % port)
            c.add("mine", url="http://mine.test:%d/allowed" % port)
            c.emit(1)
            wait_until(lambda: all(i["last"] for i in
                                   c.ask("GET").json["items"]), 20.0)
            tap.equal([path for _, _, path in other.got], ["/allowed"])
            for name in ("loopback", "name", "mapped", "plugins"):
                last = c.one(name)["last"]
                tap.equal((last["status"], last["code"].split("/")[0]),
                          (0, "egress"), name)
            tap.equal(c.one("mine")["last"]["code"], None)


def test_what_is_refused():
    with community() as c:
        good = {"url": "http://good.test/", "types": ["*"]}
        for wrong in ({"url": "ftp://good.test/"}, {"url": "good.test"},
                      {"url": ""}, {"url": 5}, {"types": []},
                      {"types": "shop.*"}, {"types": ["shop"]},
                      {"types": ["Shop.*"]}, {"types": ["shop.*.x"]},
                      {"types": ["*"] * 33}, {"disabled": "no"},
                      {"url": "http://good.test/" + "x" * 2048},
                      {"secret": "whsec_mine"}):
            answer = c.ask("PUT", "/main", dict(good, **wrong))
            tap.equal(answer.code, "request/invalid", wrong)
        tap.equal(c.ask("PUT", "/Main", good).status, 404)
        tap.equal(c.ask("POST", "/main/rotate").status, 404)
        tap.equal(c.ask("PATCH", "/main", good).status, 405)
        tap.equal(c.ask("PUT", "/main", good, as_="app:a1").status, 403)
        tap.equal(c.ask("GET", as_="staff:s1").status, 403)
        for n in range(32):
            c.add("e%d" % n)
        tap.equal(c.ask("PUT", "/more", good).code, "request/invalid")
        tap.equal(len(c.ask("GET").json["items"]), 32)


def test_key_and_url_are_sealed():
    with community() as c:
        secret = c.d.linli_ok("webhook", "add", "main",
                              "http://good.test/hook?token=S3cr3tToken",
                              "--types", "shop.paid,shop.noise").out.strip()
        c.emit(1)
        verified(c.receiver.wait_for(1)[0], secret)
        listed = c.d.linli_ok("webhook", "list").out
        tap.contains(listed, "S3cr3tToken")
        tap.equal(secret in listed, False)
        again = c.d.linli_ok("webhook", "add", "main",
                             "http://good.test/hook?token=S3cr3tToken").out
        tap.equal("whsec_" in again, False)
        c.d.stop()
        key = base64.b64decode(secret[6:])
        for name in os.listdir(c.d.data):
            path = os.path.join(c.d.data, name)
            if not os.path.isfile(path):
                continue
            with open(path, "rb") as f:
                data = f.read()
            tap.equal([secret[6:].encode() in data, key in data,
                       b"S3cr3tToken" in data], [False] * 3, name)
        c.d.restart()
        c.emit(2)
        verified(c.receiver.wait_for(2)[1], secret)
        c.d.linli_ok("webhook", "delete", "main")
        c.emit(3)
        c.receiver.wait_for(2)


if __name__ == "__main__":
    tap.main()

#!/usr/bin/env python3
# test-timeout-s: 240
"""tests/scenario/test_sinks.py: usage records sent to systems of others, live:
receivers that fail, are slow, die, refuse, and a linlid that is killed between
an answer and its cursor (spec/metering.md, 14).
"""

import contextlib
import csv
import http.server
import io
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

MANIFEST = dict(
    meters={"probe.note": {"kind": "count", "unit": "note",
                           "max_per_call": 10}},
    routes=[{"method": "POST", "path": "/notes", "caller": ["resident"]}])
LUA = """
local p = require("linli").plugin()
p:post("/notes", function(call)
    call:meter("probe.note", call.body.count)
    return 201, {}
end)
return p
"""
SECRET = "Bearer s3cret-4711"
WAIT_S = 30.0
DIE = "the connection is closed without an answer"


class Receiver:
    """An HTTP server whose answers `reply` makes: called with the number of
    the request, from 0, its headers and its body, it returns a status, or
    (status, JSON), or DIE. What was answered 2xx is `taken`."""

    def __init__(self, reply=lambda n, headers, body: 200):
        self.reply = reply
        self.got, self.taken = [], []
        self.after = lambda n: None  # the answer has been written
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """One request."""

            protocol_version = "HTTP/1.1"

            def do_POST(self):
                """Keeps it and answers."""
                length = int(self.headers.get("content-length", "0"))
                body = self.rfile.read(length).decode()
                headers = {k.lower(): v for k, v in self.headers.items()}
                number = len(receiver.got)
                receiver.got.append((headers, body, self.path))
                reply = receiver.reply(number, headers, body)
                if reply == DIE:
                    self.close_connection = True
                    return
                status, said = reply if isinstance(reply, tuple) else (
                    reply, {})
                if status // 100 == 2:
                    receiver.taken.append((headers, body))
                text = json.dumps(said).encode()
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    self.send_header("content-length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text)
                    self.wfile.flush()
                receiver.after(number)

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
        self.server.shutdown()
        self.server.server_close()

    def events(self):
        """The CloudEvents that were taken, in the order they came."""
        found = []
        for headers, body in self.taken:
            if headers["content-type"].startswith("application/cloudevents-"):
                found += json.loads(body)
            else:
                found += [json.loads(line) for line in body.splitlines()]
        return found


class Bench:
    """A daemon with a plugin that meters, and a receiver at good.test."""

    def __init__(self, d, receiver, folder):
        self.d, self.receiver, self.folder = d, receiver, folder

    def note(self, calls=1):
        """So many calls, of three records each."""
        for _ in range(calls):
            answer = self.d.call("probe", "/notes", {"count": 1},
                                 key=os.urandom(8).hex())
            tap.equal(answer.status, 201, answer)

    def ask(self, method, path="", body=None, as_="operator:o1"):
        """The operator's paths."""
        return self.d.http(method, "/v1/c/demo/admin/sinks" + path, body,
                           as_=as_)

    def add(self, fmt="cloudevents", name="main",
            url="http://good.test/in?x=1", **more):
        """A new one."""
        answer = self.ask("POST", "", dict(more, name=name, url=url,
                                           format=fmt))
        tap.equal(answer.status, 201, answer)
        return answer.json

    def one(self, name="main"):
        """What the operator is told of one; None without it."""
        items = self.ask("GET").json["items"]
        return next((i for i in items if i["name"] == name), None)

    def alerts(self, kind, state="open"):
        """Their data."""
        answer = self.d.http("GET", "/v1/c/demo/admin/alerts?kind=%s&state=%s"
                             % (kind, state), as_="operator:o1")
        return [a["data"] for a in answer.json["items"]]

    def exported(self):
        """All that there is, as the export has it."""
        return [json.loads(line) for line in
                self.d.linli_ok("usage", "export").out.splitlines()]

    def settled(self, name="main"):
        """Everything has been taken; all of it."""
        found = self.exported()
        last = found[-1]["data"]["lsn"]
        wait_until(lambda: self.one(name)["after"] == last, WAIT_S)
        tap.equal(self.one(name)["after"], last, self.one(name))
        return found


@contextlib.contextmanager
def bench(reply=lambda n, headers, body: 200, config=None, **more):
    """Both, running."""
    with temporary_folder() as folder, Receiver(reply) as receiver:
        plugin = plugin_folder(folder, probe_manifest(**MANIFEST),
                               main__lua=LUA)
        if config is None:
            config = {"egress": {"test_addresses": {
                "good.test:80": "127.0.0.1:%d" % receiver.port}}}
        with Daemon(config=config, **more) as d:
            d.enable(plugin)
            yield Bench(d, receiver, folder)


def once(events):
    """Without the repetitions: of each id the first."""
    seen = {}
    for event in events:
        tap.equal(seen.setdefault(event["id"], event), event,
                  "the same id is the same event")
    return list(seen.values())


def test_sent_as_they_come():
    with bench() as b:
        b.note(3)
        added = b.add(header={"name": "authorization", "value": SECRET})
        b.settled()
        b.note(2)
        found = b.settled()
        tap.equal(b.receiver.events(), found)
        for headers, body, path in b.receiver.got:
            tap.equal((headers["authorization"], headers["content-type"],
                       path), (SECRET, "application/x-ndjson", "/in?x=1"))
            tap.equal("resident" in body, False)
        one = b.one()
        tap.equal((one["parked"], one["header"], one["last"]["status"],
                   one["last"]["code"], one["last"]["attempts"]),
                  (None, "authorization", 200, None, 0))
        tap.equal(SECRET in json.dumps([one, added]), False)
        # What it has not, after a restart, is what comes then.
        count = len(b.receiver.got)
        b.d.stop()
        b.d.restart()
        b.note(1)
        tap.equal(b.receiver.events()[:len(found)], found)
        tap.equal(b.settled(), b.receiver.events())
        tap.equal(len(b.receiver.got) > count, True)
        path = os.path.join(b.d.data, "linli.db")
        with open(path, "rb") as file:
            tap.equal(b"s3cret-4711" in file.read(), False)


def test_formats():
    with bench() as b:
        b.note(2)
        for fmt, media in (("cloudevents-batch",
                            "application/cloudevents-batch+json"),
                           ("openmeter",
                            "application/cloudevents-batch+json"),
                           ("csv", "text/csv"),
                           ("lago", "application/json")):
            b.receiver.taken.clear()
            b.add(fmt, name=fmt)
            found = b.settled(fmt)
            headers, body = b.receiver.taken[-1]
            tap.equal(headers["content-type"], media)
            ids = [e["id"] for e in found]
            if fmt == "csv":
                got = [r["id"] for r in csv.DictReader(io.StringIO(body))]
            elif fmt == "lago":
                got = [e["transaction_id"] for e in json.loads(body)["events"]]
            else:
                got = [e["id"] for e in json.loads(body)]
            tap.equal(got, ids, fmt)
            tap.equal(b.ask("DELETE", "/" + fmt).status, 200)


def test_a_receiver_that_fails_is_slow_or_dies():
    def reply(number, _headers, _body):
        if number == 2:
            time.sleep(1.0)
        return {0: 503, 1: DIE, 3: 429}.get(number, 200)

    with bench(reply) as b:
        b.note(2)
        b.add()
        wait_until(lambda: b.one()["last"] is not None, WAIT_S)
        b.note(2)
        found = b.settled()
        b.note(2)
        found = b.settled()
        tap.equal(b.receiver.events(), found, "in order, each once")
        tap.equal(len(b.receiver.got) >= 5, True)
        tap.equal(b.alerts("linli.sink_failing"), [])


def test_one_that_fails_for_long_is_told():
    state = {"status": 500}
    with bench(lambda *_: state["status"]) as b:
        b.note(1)
        b.add()
        wait_until(lambda: b.alerts("linli.sink_failing"), WAIT_S)
        said = b.alerts("linli.sink_failing")
        tap.equal([(a["sink"], a["code"], a["status"], a["after"],
                    a["attempts"]) for a in said],
                  [("main", "sink/busy", 500, 0, 5)])
        state["status"] = 204
        # An operator need not wait for the next attempt.
        tap.equal(b.ask("POST", "/main/resume", {}).status, 200)
        tap.equal(b.receiver.events() or b.settled(), b.exported())
        wait_until(lambda: not b.alerts("linli.sink_failing"), WAIT_S)
        tap.equal(len(b.alerts("linli.sink_failing", "closed")), 1)


def test_killed_before_and_behind_the_answer():
    with bench() as b:
        b.note(2)
        b.add("cloudevents-batch")
        b.settled()
        killed = threading.Event()

        def kill(_number):
            killed.set()
            with contextlib.suppress(OSError):
                os.kill(b.d.process.pid, 9)

        for before in (True, False, True, False):
            killed.clear()
            if before:
                b.receiver.reply = lambda n, h, body: (kill(n), 200)[1]
                b.receiver.after = lambda n: None
            else:
                b.receiver.reply = lambda n, h, body: 200
                b.receiver.after = kill
            b.note(2)
            tap.equal(killed.wait(WAIT_S), True)
            b.receiver.reply = lambda n, h, body: 200
            b.receiver.after = lambda n: None
            b.d.kill()
            b.d.restart()
            found = b.settled()
            tap.equal(once(b.receiver.events()), found, "nothing is missing")
        # What was sent before its answer was known has come again.
        tap.equal(len(b.receiver.events()) > len(found), True)


def test_a_refusal_parks():
    state = {"status": 200}
    with bench(lambda *_: state["status"]) as b:
        b.note(1)
        b.add()
        first = b.settled()
        state["status"] = 400
        b.note(1)
        wait_until(lambda: b.one()["parked"], WAIT_S)
        count = len(b.receiver.got)
        tap.equal((b.one()["parked"], b.one()["last"]["status"],
                   b.one()["after"]),
                  ("sink/refused", 400, first[-1]["data"]["lsn"]))
        tap.equal([a["after"] for a in b.alerts("linli.sink_parked")],
                  [first[-1]["data"]["lsn"]])
        b.note(1)
        b.d.stop()
        b.d.restart()
        b.note(1)
        time.sleep(1.5)
        tap.equal(len(b.receiver.got), count, "nothing is sent")
        done = b.d.linli_ok("sink", "list")
        tap.contains(done.out, "parked")
        # It goes on where it was, with nothing left out.
        state["status"] = 200
        b.d.linli_ok("sink", "resume", "main")
        tap.equal(b.settled(), b.receiver.events())
        tap.equal(b.alerts("linli.sink_parked"), [])
        tap.equal(b.one()["parked"], None)


class Lago:
    """Takes events as Lago does: all of a request or, if one is there
    already, none. `numbered`: its refusal says which."""

    def __init__(self, numbered):
        self.numbered, self.ids, self.refused = numbered, [], 0
        self.lock = threading.Lock()

    def __call__(self, _number, headers, body):
        with self.lock:
            tap.equal(headers["content-type"], "application/json")
            ids = [e["transaction_id"] for e in json.loads(body)["events"]]
            there = {str(i): {"transaction_id": ["value_already_exist"]}
                     for i, key in enumerate(ids) if key in self.ids}
            if len(ids) > 100 or there:
                self.refused += 1
                details = there if self.numbered else (
                    {"transaction_id": ["value_already_exist"]}
                    if len(ids) == 1 else {})
                return 422, {"status": 422, "error": "Unprocessable Entity",
                             "code": "validation_errors",
                             "error_details": details}
            self.ids += ids
            return 200


def test_lago_has_some_already():
    for numbered in (True, False):
        lago = Lago(numbered)
        with bench(lago) as b:
            b.note(40)
            ids = [e["id"] for e in b.exported()]
            tap.equal(len(ids), 120)
            # As after a kill: some of them came, and nobody knows.
            lago.ids = ids[3:9] + ids[50:51] + ids[118:]
            b.add("lago")
            b.settled()
            tap.equal(sorted(lago.ids), sorted(ids), "each once")
            tap.equal(lago.refused > 0, True)
            if numbered:
                tap.equal(lago.refused, 2, "one for each batch")
            tap.equal(b.one()["parked"], None)


def test_lago_refuses_one():
    lago = Lago(True)
    bad = []

    def reply(number, headers, body):
        if any(e["transaction_id"] in bad
               for e in json.loads(body)["events"]):
            return 422, {"error_details": {"0": {"code": ["bad"]}}}
        return lago(number, headers, body)

    with bench(reply) as b:
        b.note(4)
        ids = [e["id"] for e in b.exported()]
        bad.append(ids[7])
        b.add("lago")
        wait_until(lambda: b.one()["parked"], WAIT_S)
        tap.equal((lago.ids, b.one()["after"]), (ids[:7], 7),
                  "all before it, none behind")
        bad.clear()
        tap.equal(b.ask("POST", "/main/resume", {}).status, 200)
        b.settled()
        tap.equal(lago.ids, ids)


def test_too_large_is_halved():
    with bench(lambda n, h, body: 413 if body.count("\n") > 7 else 200) as b:
        b.note(10)
        b.add()
        tap.equal(b.settled(), b.receiver.events())
        tap.equal(b.one()["parked"], None)


def test_where_one_may_send_to():
    with bench(config={}) as b:
        b.note(1)
        b.add(url="http://127.0.0.1:%d/" % b.receiver.port)
        wait_until(lambda: b.one()["last"], WAIT_S)
        tap.equal((b.one()["last"]["code"], b.one()["last"]["status"]),
                  ("egress/refused", 0))
        tap.equal(b.receiver.got, [])


def test_operators_paths():
    with bench() as b:
        tap.equal(b.ask("GET").json, {"items": []})
        good = {"name": "main", "url": "http://good.test/", "format": "csv"}
        for change in ({"name": "Main"}, {"name": ""}, {"url": "ftp://x/"},
                       {"format": "xml"}, {"after": -1}, {"after": "1"},
                       {"more": 1}, {"header": {"name": "Authorization",
                                                "value": "x"}},
                       {"header": {"name": "host", "value": "x"}},
                       {"header": {"name": "x-key", "value": "a\nb"}},
                       {"header": {"name": "x-key"}}):
            answer = b.ask("POST", "", dict(good, **change))
            tap.equal((answer.status, answer.code), (422, "request/invalid"),
                      change)
        tap.equal(b.ask("GET").json, {"items": []})
        for as_ in ("resident:r1", "staff:s1"):
            tap.equal(b.ask("POST", "", good, as_=as_).code, "auth/forbidden")
        b.add(url="http://good.test/")
        answer = b.ask("POST", "", good)
        tap.equal((answer.status, answer.code), (409, "sink/exists"))
        for method, path in (("DELETE", "/other"), ("POST", "/other/resume")):
            answer = b.ask(method, path, {} if method == "POST" else None)
            tap.equal((answer.status, answer.code),
                      (404, "request/not-found"))
        for i in range(7):
            b.add(name="s%d" % i)
        tap.equal(b.ask("POST", "", dict(good, name="s9")).status, 422)
        b.note(1)
        found = b.settled()
        # Deleted, and made again where it had come to: nothing twice.
        place = b.ask("DELETE", "/main").json["after"]
        tap.equal(place, found[-1]["data"]["lsn"])
        b.note(1)
        time.sleep(1.2)
        b.receiver.taken.clear()
        for i in range(7):
            b.ask("DELETE", "/s%d" % i)
        b.receiver.taken.clear()
        out = b.d.linli_ok("sink", "add", "main", "http://good.test/",
                           "--after", str(place), "--secret", "x-key",
                           "--json", stdin="k1\n").json
        tap.equal((out["header"], out["format"]), ("x-key", "cloudevents"))
        tap.equal(b.settled()[place:], b.receiver.events())
        tap.equal(b.receiver.got[-1][0]["x-key"], "k1")
        # A place that this database does not have.
        b.add(name="far", after=1000000)
        wait_until(lambda: b.one("far")["parked"], WAIT_S)
        tap.equal(b.one("far")["parked"], "sink/place")


if __name__ == "__main__":
    tap.main()

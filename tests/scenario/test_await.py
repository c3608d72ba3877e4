#!/usr/bin/env python3
# test-timeout-s: 240
"""tests/scenario/test_await.py: spec/await.md, live, with a server that the
tests hold in hand."""

import contextlib
import http.server
import json
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder, wait_until)

MANIFEST = dict(
    egress=["http://good.test"], collections={"note": {}}, payments=True,
    answers=["tell", "note", "paid"], jobs=["ask"],
    routes=[{"method": "POST", "path": "/ask", "caller": ["resident"]},
            {"method": "POST", "path": "/ask/twice", "caller": ["resident"]},
            {"method": "POST", "path": "/ask/other", "caller": ["resident"]},
            {"method": "POST", "path": "/ask/job", "caller": ["resident"]},
            {"method": "POST", "path": "/pay", "caller": ["resident"]},
            {"method": "GET", "path": "/note/:id", "caller": ["resident"]}],
    problems={"probe/no": {"status": 409,
                           "title": {"zh-CN": "不行", "en": "No"}},
              "probe/closed": {"status": 503,
                               "title": {"zh-CN": "关门", "en": "Closed"}}})
LUA = """
local linli = require("linli")
local p = linli.plugin()
local function fetch(path)
    return linli.fetch{method = "GET", url = "http://good.test" .. path,
                       timeout_ms = 60000}
end
p:post("/ask", function(call)
    call.db.note:put{id = "first-" .. call.body.id, n = 1}
    return call:await(fetch(call.body.path or "/x"), "tell", call.body)
end)
p:post("/ask/twice", function(call)
    call:await(fetch("/x"), "tell")
    return call:await(fetch("/x"), "tell")
end)
p:post("/ask/other", function(call)
    call:await(fetch("/x"), "tell")
    return 200, {}
end)
p:post("/ask/job", function(call)
    call:job{run = "ask", with = call.body}
    return 202
end)
p:post("/pay", function(call)
    local pay = call:pay{amount_fen = 1, title = "x", channel = "any"}
    return call:await(linli.paid((call.body.of or "") .. pay.id), "paid")
end)
p:answer("paid", function(call, payment)
    return 200, {state = payment.state}
end)
p:payment(function() end)
p:job("ask", function(call, with)
    return call:await(fetch("/job"), "note", with)
end)
p:answer("tell", function(call, answer, state)
    if state.fail then call:fail(state.fail) end
    if state.broken then error("as ever") end
    call.db.note:put{id = state.id, resident = call.resident.id}
    return 201, {ok = answer.ok, status = answer.status, body = answer.body,
                 error = answer.error, kind = call.kind,
                 caller = call.caller, resident = call.resident.id,
                 locale = call.locale, id = state.id}, {etag = "7"}
end)
p:answer("note", function(call, answer, state)
    call.db.note:put{id = state.id, ok = answer.ok,
                     caller = call.caller.kind}
end)
p:get("/note/:id", function(call)
    return 200, call.db.note:get(call.params.id) or {}
end)
return p
"""


class Server:
    """An HTTP server that answers when the gate is open."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.keys = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """GET: the path, as text."""

            def do_GET(self):  # noqa: N802 (the library's name)
                """Waits for the gate."""
                outer.keys.append(self.headers["Idempotency-Key"])
                outer.gate.wait(30)
                body = self.path.encode()
                with contextlib.suppress(OSError):
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_):
                """Nothing."""

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.http.server_address[1]
        self.thread = threading.Thread(target=self.http.serve_forever,
                                       daemon=True)
        self.thread.start()

    def close(self):
        """Ends it."""
        self.gate.set()
        self.http.shutdown()
        self.http.server_close()


@contextlib.contextmanager
def probe():
    """A daemon with the plugin, and the server it may ask."""
    server = Server()
    config = {"egress": {"test_addresses": {
        "good.test:80": "127.0.0.1:%d" % server.port}}}
    try:
        with temporary_folder() as folder:
            plugin = plugin_folder(folder, probe_manifest(**MANIFEST),
                                   main__lua=LUA)
            with Daemon(config=config) as d:
                d.enable(plugin)
                d.probe_folder = plugin
                yield d, server
    finally:
        server.close()


def ask(d, body, path="/ask", **more):
    """POST to the probe."""
    more.setdefault("key", os.urandom(8).hex())
    return d.call("probe", path, body, **more)


def note(d, key):
    """What a step has written."""
    return d.call("probe", "/note/" + key, method="GET").json


def later(call):
    """Runs it in a thread; a function that gives what it returned."""
    box = []
    thread = threading.Thread(target=lambda: box.append(call()))
    thread.start()

    def result():
        thread.join(40)
        return box[0]
    return result


def test_the_second_step_answers():
    with probe() as (d, server):
        got = ask(d, {"id": "a", "path": "/hello"},
                  headers={"Accept-Language": "zh-CN"})
        tap.equal(got.status, 201, got)
        said = got.json
        resident = said.pop("resident")
        tap.equal(said, {
            "ok": True, "status": 200, "body": "/hello", "kind": "answer",
            "caller": {"kind": "resident", "id": resident, "roles": []},
            "locale": "zh-CN", "id": "a"})
        tap.equal(got.headers["etag"], '"7"')
        tap.equal(note(d, "a"), {"id": "a", "resident": resident})
        tap.equal(len(server.keys), 1)


def test_a_job_may_await_and_nobody_is_answered():
    with probe() as (d, _):
        tap.equal(ask(d, {"id": "j"}, "/ask/job").status, 202)
        wait_until(lambda: note(d, "j") != {})
        tap.equal(note(d, "j"), {"id": "j", "ok": True, "caller": "system"})


def test_slow_answers_hold_up_no_payment():
    with probe() as (d, server):
        server.gate.clear()
        for i in range(100):
            tap.equal(ask(d, {"id": "j%d" % i}, "/ask/job").status, 202)
        wait_until(lambda: len(server.keys) == 8)
        got = ask(d, {}, "/pay")
        tap.equal((got.status, got.json), (200, {"state": "pending"}))


def test_a_disabled_plugin_sends_nothing_more():
    with probe() as (d, server):
        server.gate.clear()
        for i in range(12):
            tap.equal(ask(d, {"id": "j%d" % i}, "/ask/job").status, 202)
        wait_until(lambda: len(server.keys) == 8)
        d.linli_ok("plugin", "disable", "probe", "--community", "demo")
        server.gate.set()
        d.enable(d.probe_folder)
        wait_until(lambda: all(note(d, "j%d" % i) != {} for i in range(12)),
                   timeout_s=20)
        tap.equal(sorted(note(d, "j%d" % i)["ok"] for i in range(12)),
                  [False] * 4 + [True] * 8)
        tap.equal(len(server.keys), 8)


def test_a_refusal_is_an_answer():
    with probe() as (d, _):
        got = ask(d, {"id": "a", "fail": "probe/no"},
                  headers={"Accept-Language": "zh-CN"})
        tap.equal((got.status, got.code, got.json["title"]),
                  (409, "probe/no", "不行"))
        got = ask(d, {"id": "a", "fail": "probe/closed"})
        tap.equal((got.status, got.code), (503, "probe/closed"))
        tap.equal(note(d, "a"), {})
        tap.equal(note(d, "first-a"), {"id": "first-a", "n": 1})


def test_too_long_is_202_and_a_link():
    with probe() as (d, server):
        server.gate.clear()
        got = ask(d, {"id": "a"}, key="k1", timeout_s=40)
        tap.equal((got.status, got.json["state"]), (202, "pending"), got)
        link = got.json["href"]
        tap.equal(got.headers["location"], link)
        tap.equal(d.http("GET", link, as_="resident:r1").status, 202)
        tap.equal(d.http("GET", link, as_="resident:r2").status, 404)
        tap.equal(d.http("GET", link).status, 401)
        again = ask(d, {"id": "a"}, key="k1")
        tap.equal((again.status, again.json), (202, got.json))
        server.gate.set()
        wait_until(lambda: d.http("GET", link, as_="resident:r1").status
                   != 202, timeout_s=20)
        done = d.http("GET", link, as_="resident:r1")
        tap.equal((done.status, done.json["id"], done.headers["etag"]),
                  (201, "a", '"7"'))
        tap.equal(d.http("GET", link, as_="resident:r2").status, 404)
        again = ask(d, {"id": "a"}, key="k1")
        tap.equal((again.status, again.json, again.headers["etag"]),
                  (201, done.json, '"7"'))
        tap.equal(again.headers["idempotency-replayed"], "true")


def test_one_key_has_one_effect():
    with probe() as (d, server):
        server.gate.clear()
        first = later(lambda: ask(d, {"id": "a"}, key="k", timeout_s=40))
        wait_until(lambda: server.keys != [])
        others = [ask(d, {"id": "a"}, key="k") for _ in range(5)]
        tap.equal([(o.status, o.code) for o in others],
                  [(409, "request/in-progress")] * 5)
        server.gate.set()
        got = first()
        tap.equal(got.status, 201, got)
        tap.equal(ask(d, {"id": "a"}, key="k").json, got.json)
        tap.equal(len(server.keys), 1)


def test_a_kill_between_the_steps_loses_nothing():
    with probe() as (d, server):
        server.gate.clear()

        def dropped():
            try:
                return ask(d, {"id": "a"}, key="k", timeout_s=40)
            except OSError:
                return None
        first = later(dropped)
        wait_until(lambda: server.keys != [])
        d.kill()
        tap.equal(first(), None)
        d.start()
        wait_until(lambda: len(server.keys) > 1, timeout_s=20)
        server.gate.set()
        wait_until(lambda: note(d, "a") != {}, timeout_s=20)
        got = ask(d, {"id": "a"}, key="k")
        tap.equal((got.status, got.json["id"]), (201, "a"))
        tap.equal(len(set(server.keys)), 1, "one id, however often")


def test_a_stop_answers_who_waits():
    with probe() as (d, server):
        server.gate.clear()
        first = later(lambda: ask(d, {"id": "a"}, key="k", timeout_s=40))
        wait_until(lambda: server.keys != [])
        d.stop()
        tap.equal(first().status, 202)
        server.gate.set()
        d.start()
        wait_until(lambda: note(d, "a") != {}, timeout_s=20)


def test_what_is_wrong_is_told():
    with probe() as (d, _):
        for path, words, body in (
                ("/ask/twice", "a call awaits one answer", {}),
                ("/ask/other", "it returns what call:await returned", {}),
                ("/pay", "was not begun by this call", {"of": "expire:"})):
            got = ask(d, body, path, timeout_s=40)
            tap.equal((got.status, got.code), (500, "plugin/error"))
            tap.contains(json.dumps(d.log_lines()), words)


def test_a_broken_second_step_is_tried_again():
    with probe() as (d, _):
        got = ask(d, {"id": "a", "broken": True}, timeout_s=40)
        tap.equal(got.status, 202, got)
        errors = [line for line in d.log_lines()
                  if "as ever" in line.get("msg", "")]
        tap.equal(len(errors) >= 3, True, len(errors))


if __name__ == "__main__":
    tap.main()

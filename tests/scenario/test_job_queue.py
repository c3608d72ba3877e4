#!/usr/bin/env python3
# test-timeout-s: 120
"""tests/scenario/test_job_queue.py: spec/timers.md, section 4, live."""

import contextlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder, wait_until)

NOW = 1893456000000  # 2030-01-01T00:00:00Z
MANIFEST = dict(
    collections={"note": {}}, timers=["ring"],
    jobs=["write", "broken", "shy"],
    routes=[{"method": "POST", "path": "/ask", "caller": ["resident"]},
            {"method": "GET", "path": "/note/:id", "caller": ["resident"]}])
LUA = """
local linli = require("linli")
local p = linli.plugin()
p:post("/ask", function(call)
    local keys = {}
    for i, job in ipairs(call.body.jobs) do keys[i] = call:job(job) end
    if call.body.cancel then call:cancel(call.body.cancel) end
    if call.body.fail then call:fail("probe/no") end
    return 202, {keys = keys}
end)
p:get("/note/:id", function(call)
    return 200, call.db.note:get(call.params.id) or {}
end)
p:timer("ring", function() end)
p:job("write", function(call, with)
    local note = call.db.note:get(with.id) or {id = with.id, times = 0}
    note.times = note.times + 1
    note.kind, note.due, note.now = call.kind, call.due, call.now
    note.caller, note.text = call.caller.kind, with.text
    call.db.note:put(note)
end)
p:job("broken", function(call, with)
    call.db.note:put{id = with.id}
    error("as ever")
end)
p:job("shy", function() return 1 end)
return p
"""
PROBLEMS = {"probe/no": {"status": 409,
                         "title": {"zh-CN": "不行", "en": "No"}}}


class Jobs:
    """A daemon with the probe and a clock of ours."""

    def __init__(self, d):
        self.d = d

    def ask(self, want, *asked, **more):
        """What /ask answers."""
        answer = self.d.call("probe", "/ask", dict(more, jobs=list(asked)),
                             key=os.urandom(8).hex())
        tap.equal(answer.status, want, answer)
        return answer

    def note(self, key):
        """A note that a job has written, or {}."""
        answer = self.d.call("probe", "/note/" + key, method="GET")
        tap.equal(answer.status, 200, answer)
        return answer.json

    def advance(self, duration):
        """The clock goes on."""
        self.d.linli_ok("clock", "advance", duration)


@contextlib.contextmanager
def jobs():
    """A host with the probe, its clock at NOW."""
    with temporary_folder() as folder:
        plugin = plugin_folder(
            folder, probe_manifest(problems=PROBLEMS, **MANIFEST),
            main__lua=LUA)
        with Daemon(options=["--clock=virtual"]) as d:
            d.linli_ok("clock", "set", "2030-01-01T00:00:00Z")
            d.enable(plugin)
            yield Jobs(d)


def test_it_runs_at_once_in_a_call_of_its_own():
    with jobs() as j:
        j.ask(202, {"run": "write", "with": {"id": "a", "text": "早"}})
        j.advance("0s")
        tap.equal(j.note("a"),
                  {"id": "a", "times": 1, "kind": "job", "due": NOW,
                   "now": NOW, "caller": "system", "text": "早"})


def test_it_may_wait_and_be_replaced_and_be_cancelled():
    with jobs() as j:
        j.ask(202, {"run": "write", "with": {"id": "a"}, "key": "k",
                     "at": NOW + 60000},
            {"run": "write", "with": {"id": "b"}, "key": "k",
             "at": NOW + 120000},
            {"run": "write", "with": {"id": "c"}, "key": "gone",
             "at": NOW + 1000}, cancel="gone")
        j.advance("119s")
        tap.equal(j.note("b"), {})
        j.advance("1s")
        tap.equal((j.note("a"), j.note("b")["times"], j.note("c")),
                  ({}, 1, {}))


def test_a_call_that_fails_has_asked_for_nothing():
    with jobs() as j:
        j.ask(409, {"run": "write", "with": {"id": "a"}}, fail=True)
        j.advance("1h")
        tap.equal(j.note("a"), {})


def test_one_that_fails_dies_with_an_alert():
    with jobs() as j:
        j.ask(202, {"run": "broken", "with": {"id": "a"}, "key": "b"},
            {"run": "shy", "key": "s"})
        j.advance("2d")
        tap.equal(j.note("a"), {})
        alerts = j.d.http("GET", "/v1/c/demo/admin/alerts",
                          as_="operator:o1").json["items"]
        tap.equal(sorted((a["kind"], a["data"]["run"], a["data"]["attempts"])
                         for a in alerts),
                  [("linli.dead_job", "broken", 10),
                   ("linli.dead_job", "shy", 10)])


def test_it_survives_and_runs_once():
    with jobs() as j:
        j.ask(202, *({"run": "write", "with": {"id": "n%d" % i},
                       "at": NOW + 1000} for i in range(20)))
        j.d.kill()
        j.d.start()
        wait_until(lambda: j.d.call("probe", "/note/n1",
                                    method="GET").status == 200)
        j.advance("1s")
        tap.equal([j.note("n%d" % i)["times"] for i in range(20)], [1] * 20)


def test_what_is_wrong_is_told():
    with jobs() as j:
        for asked, words in (
                ({"run": "ring"}, 'declares no job "ring"'),
                ({"run": "write", "at": -1}, "`at` is -1"),
                ({"run": "write", "when": 1}, "when"),
                ({"with": {}}, "run")):
            got = j.ask(500, asked)
            tap.equal(got.code, "plugin/error")
            tap.equal([words in line.get("msg", "")
                       for line in j.d.log_lines()][-1], True, words)


if __name__ == "__main__":
    tap.main()

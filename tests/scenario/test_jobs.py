#!/usr/bin/env python3
# test-timeout-s: 180
"""tests/scenario/test_jobs.py: spec/jobs.md and spec/alerts.md, live: what
plugins did not manage to do, and what an operator is told and does about it.
"""

import contextlib
import os
import re
import signal
import sqlite3
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder, wait_until)

OPERATOR = "operator:olga"
ADMIN = "/v1/c/demo/admin"
DEAD_AFTER = "1h"  # ten attempts: 1 + 2 + ... + 256 s


class Bench:
    """A linlid with the stubborn plugin, on a virtual clock."""

    def __init__(self, d):
        self.d = d

    def nag(self, *keys, **more):
        """Sets timers."""
        answer = self.d.call("stubborn", "/nags", dict(more, keys=keys),
                             key="k" + os.urandom(6).hex())
        tap.equal(answer.status, 201, answer)

    def mend(self):
        """From now on the timers do what they are for."""
        answer = self.d.call("stubborn", "/mend", {}, key="mend")
        tap.equal(answer.status, 200, answer)

    def done(self):
        """What they have done."""
        answer = self.d.call("stubborn", "/done", method="GET")
        tap.equal(answer.status, 200, answer)
        return answer.json["items"]

    def advance(self, duration):
        """The clock goes on."""
        self.d.linli_ok("clock", "advance", duration)

    def kill(self):
        """As a power cut would."""
        self.d.kill()
        self.d.restart()

    def get(self, path, as_=OPERATOR, **more):
        """An admin read."""
        return self.d.http("GET", ADMIN + path, as_=as_, **more)

    def post(self, path, body=None, as_=OPERATOR, **more):
        """What an operator does."""
        return self.d.http("POST", ADMIN + path, body, as_=as_, **more)

    def jobs(self, query=""):
        """All of a list, page after page."""
        items, cursor = [], ""
        while cursor is not None:
            answer = self.get("/jobs?" + query + cursor)
            tap.equal(answer.status, 200, answer)
            items += answer.json["items"]
            cursor = answer.json["next_cursor"]
            cursor = None if cursor is None else "&cursor=" + cursor
        return items

    def ids(self, query=""):
        """Their ids."""
        return [job["id"] for job in self.jobs(query)]

    def alerts(self, *words):
        """What `linli alerts` lists, newest first."""
        return self.d.linli_ok("alerts", "--json", *words).json["items"]

    def rows(self, sql):
        """What stands in the database, of a linlid that does not run."""
        db = sqlite3.connect(os.path.join(self.d.data, "linli.db"))
        try:
            with db:
                return db.execute(sql).fetchall()
        finally:
            db.close()


@contextlib.contextmanager
def bench(**more):
    """The bench, enabled."""
    with Daemon(options=["--clock=virtual"], **more) as d:
        d.enable(d.source("tests/plugins/stubborn"))
        yield Bench(d)


def refused(answer, status, code):
    """It was refused so."""
    tap.equal((answer.status, answer.code), (status, code), answer)


def test_dies_is_listed_and_is_retried():
    with bench() as b:
        b.nag("a")
        waiting, = b.jobs()
        tap.equal((waiting["state"], waiting["id"]), ("waiting", "a"))
        b.advance("10s")
        failing, = b.jobs("state=waiting")
        tap.equal((failing["attempts"], failing["code"]),
                  (4, "plugin/error"))
        tap.equal(b.jobs("state=dead"), [])
        tap.equal(b.alerts(), [])
        b.advance(DEAD_AFTER)
        dead, = b.jobs("state=dead")
        tap.equal({k: dead[k] for k in (
            "id", "plugin", "kind", "run", "state", "due", "attempts",
            "code", "subject")},
                  {"id": "a", "plugin": "stubborn", "kind": "timer",
                   "run": "nag", "state": "dead", "due": None,
                   "attempts": 10, "code": "plugin/error", "subject": None})
        tap.equal(dead["dead_at"] > dead["at"], True, dead)
        tap.equal("with" in dead, False)
        alert, = b.alerts()
        tap.equal((alert["kind"], alert["state"], alert["plugin"],
                   alert["data"]),
                  ("linli.dead_timer", "open", "stubborn",
                   {"id": "a", "run": "nag", "code": "plugin/error",
                    "attempts": 10}))
        # The log says more, under its trace.
        tap.equal(len([line for line in b.d.log_lines()
                       if line.get("trace_id") == alert["trace_id"]]) > 0,
                  True)
        # Neither a stop nor a kill changes what is dead, nor tells it twice.
        b.d.stop()
        b.d.restart()
        b.kill()
        b.advance("1d")
        tap.equal(b.jobs("state=dead"), [dead])
        tap.equal(b.alerts(), [alert])
        # The cause is not mended: it dies again, and is told again.
        after = b.post("/jobs/stubborn/a/retry")
        tap.equal((after.status, after.json["state"], after.json["attempts"],
                   after.json["code"]), (200, "waiting", 0, None), after)
        tap.equal(after.json["due"] is not None, True)
        tap.equal([a["state"] for a in b.alerts()], ["closed"])
        b.advance(DEAD_AFTER)
        tap.equal([a["state"] for a in b.alerts()], ["open", "closed"])
        b.mend()
        done = b.d.linli_ok("jobs", "retry", "stubborn", "a")
        tap.equal(done.out, "stubborn a: waiting (demo)\n")
        b.advance("1s")
        tap.equal(b.done(), ["n1 1"])
        tap.equal(b.jobs(), [])
        first, second = b.alerts()
        tap.equal((first["state"], first["closed_by"], first["reason"]),
                  ("closed", "operator:linli", "retried"))
        tap.equal(second["closed_by"], OPERATOR)
        refused(b.post("/jobs/stubborn/a/retry"), 404, "request/not-found")


def test_dropped():
    with bench() as b:
        b.nag("a", "b/ü %", mine=True)
        b.advance(DEAD_AFTER)
        path = "/jobs/stubborn/b%2F%C3%BC%20%25"
        for body in ({}, {"reason": ""}, {"reason": " \n"}, {"reason": 1},
                     {"reason": "x" * 501}, {"reason": "x", "more": 1}):
            refused(b.post(path + "/drop", body), 422, "request/invalid")
        refused(b.post(path + "/drop"), 400, "request/json")
        refused(b.post(path + "/drop", "reason=x", headers={
            "Content-Type": "text/plain"}), 400, "request/content-type")
        shown = b.get(path)
        tap.equal((shown.status, shown.json["id"], shown.json["with"]),
                  (200, "b/ü %", {"n": 2, "secret": "of a resident"}))
        tap.equal(len(shown.json["subject"]), 32)
        answer = b.post(path + "/drop", {"reason": "住户已搬走"})
        tap.equal((answer.status, answer.json), (
            200, {"id": "b/ü %", "plugin": "stubborn", "kind": "timer",
                  "run": "nag", "state": "dropped", "reason": "住户已搬走"}))
        b.kill()
        tap.equal(b.ids(), ["a"])
        refused(b.post(path + "/drop", {"reason": "again"}), 404,
                "request/not-found")
        note, = b.alerts("--kind", "linli.job_dropped")
        tap.equal((note["state"], note["closed_by"], note["reason"],
                   note["subject"], note["data"]),
                  ("closed", OPERATOR, "住户已搬走", shown.json["subject"],
                   {"id": "b/ü %", "kind": "timer", "run": "nag",
                    "code": "plugin/error", "attempts": 10}))
        tap.equal([a["data"]["id"] for a in b.alerts("--state", "open")],
                  ["a"])
        done = b.d.linli_ok("jobs", "drop", "stubborn", "a", "--reason", "no")
        tap.equal(done.out, "stubborn a: dropped (demo)\n")
        tap.equal((b.ids(), b.alerts("--state", "open")), ([], []))
        # Its key is free again. Between its attempts it waits.
        b.nag("a")
        assert wait_until(lambda: b.ids("state=waiting") == ["a"]), b.jobs()


def test_what_has_not_failed_is_left_alone():
    with bench() as b:
        now = b.d.linli_ok("clock", "get", "--json").json["ms"]
        b.nag("later", at=now + 60000)
        for path, body in (("/retry", {}), ("/drop", {"reason": "why not"})):
            refused(b.post("/jobs/stubborn/later" + path, body), 409,
                    "job/not-failed")
        b.advance("62s")  # three times by now
        waiting, = b.jobs("state=waiting")
        tap.equal(waiting["attempts"], 2)
        b.mend()
        # It need not wait for its pause.
        tap.equal(b.post("/jobs/stubborn/later/retry", {}).status, 200)
        tap.equal(wait_until(b.done), ["n1 1"])
        tap.equal(b.jobs(), [])


def test_a_job():
    with bench() as b:
        for n in (1, 2):
            answer = b.d.call("stubborn", "/settle", {"n": n, "key": "j%d" % n},
                              key="s%d" % n)
            tap.equal(answer.status, 201, answer)
        b.nag("t")
        b.advance(DEAD_AFTER)
        b.kill()
        tap.equal([(j["id"], j["kind"], j["run"], j["code"])
                   for j in b.jobs("state=dead&kind=job")],
                  [("j1", "job", "settle", "plugin/error"),
                   ("j2", "job", "settle", "plugin/error")])
        tap.equal([a["data"]["id"] for a in
                   b.alerts("--kind", "linli.dead_job")], ["j2", "j1"])
        b.mend()
        b.d.linli_ok("jobs", "retry", "stubborn", "j2")
        b.advance("1s")
        tap.equal(b.done(), ["n2 2"])
        listed = b.d.linli_ok("jobs", "--kind", "job", "--json").json
        tap.equal([j["id"] for j in listed["items"]], ["j1"])
        shown = b.d.linli_ok("jobs", "show", "stubborn", "j1").json
        tap.equal((shown["kind"], shown["with"]), ("job", {"n": 1}))


def test_a_disabled_plugin():
    """Its dead are listed and can be handled; what is tried again waits."""
    with bench() as b:
        b.nag("a", "b")
        b.advance(DEAD_AFTER)
        b.d.linli_ok("plugin", "disable", "stubborn")
        b.d.stop()  # a kill might forget that it is disabled
        b.d.restart()
        tap.equal(b.ids("state=dead"), ["a", "b"])
        for _ in range(2):  # asked twice, it is one
            tap.equal(b.post("/jobs/stubborn/a/retry").status, 200)
        b.d.linli_ok("jobs", "drop", "stubborn", "b", "--reason", "r")
        b.advance("1h")
        tap.equal([(j["id"], j["attempts"]) for j in b.jobs()], [("a", 0)])
        b.kill()
        b.d.enable(b.d.source("tests/plugins/stubborn"))
        b.mend()
        b.advance("1d")
        tap.equal(b.done(), ["n1 1"])


def test_pages_and_filters():
    with bench() as b:
        keys = ["k%02d" % i for i in range(25)]
        b.nag(*keys)
        b.advance(DEAD_AFTER)
        now = b.d.linli_ok("clock", "get", "--json").json["ms"]
        late = ["l%02d" % i for i in range(5)]
        for i, key in enumerate(late):
            b.nag(key, at=now + 60000 * (i + 1))
        tap.equal(sorted(b.ids("state=dead")), keys)
        tap.equal(b.ids("state=waiting"), late)
        tap.equal(b.ids("state=running"), [])
        both = b.ids()
        tap.equal((sorted(both), both[25:]), (keys + late, late))
        for limit in (1, 7, 100):
            tap.equal(b.ids("limit=%d" % limit), both, limit)
            tap.equal(b.ids("state=dead&limit=%d" % limit), both[:25], limit)
        tap.equal(b.ids("plugin=stubborn&kind=timer"), both)
        tap.equal(b.ids("plugin=other"), [])
        for kind in ("device", "job", "errand", "answer"):
            tap.equal(b.ids("kind=" + kind), [])
        # A page goes on behind its last, whatever has gone meanwhile.
        first = b.get("/jobs?state=dead&limit=10").json
        gone = first["items"][9]["id"]
        b.d.linli_ok("jobs", "drop", "stubborn", gone, "--reason", "r")
        rest = b.ids("state=dead&cursor=" + first["next_cursor"])
        tap.equal([j["id"] for j in first["items"]] + rest, both[:25])
        for query in ("state=open", "kind=x", "limit=0", "limit=101",
                      "state=dead&state=dead", "who=me"):
            refused(b.get("/jobs?" + query), 422, "request/invalid")
        for cursor in ("", "1", "1.2.00.00", "1.0.0.00", "1.0.zz.00",
                       "1.0.00.00.00", "-1.0.00.00", "1.0.%s.00" % ("0" * 130)):
            refused(b.get("/jobs?cursor=" + cursor), 400, "request/cursor")
        # By the command.
        listed = b.d.linli_ok("jobs", "--json").json["items"]
        tap.equal([j["id"] for j in listed],
                  [i for i in both[:25] if i != gone])
        words = ("jobs", "--state", "all", "--plugin", "stubborn")
        lines = b.d.linli_ok(*words).out.splitlines()
        tap.equal((len(lines), lines[0].split()[0]), (30, "PLUGIN"))
        tap.equal(lines[-1].split()[:5],
                  ["stubborn", "l04", "timer", "nag", "waiting"])
        done = b.d.linli("jobs", "--state", "odd")
        tap.equal(done.code, 1, done)
        tap.contains(done.err, "error[request/invalid]")


def test_who_may():
    """Operators of this very community, and nobody else."""
    with bench() as b:
        b.nag("a")
        b.advance(DEAD_AFTER)
        number = b.alerts()[0]["id"]
        reads = ("/jobs", "/jobs/stubborn/a", "/alerts")
        acts = (("/jobs/stubborn/a/retry", {}),
                ("/jobs/stubborn/a/drop", {"reason": "r"}),
                ("/alerts/%d/close" % number, {"reason": "r"}))
        for who in ("resident:r1", "staff:s1", "app:a1"):
            for path in reads:
                refused(b.get(path, as_=who), 403, "auth/forbidden")
            for path, body in acts:
                refused(b.post(path, body, as_=who), 403, "auth/forbidden")
        for path in reads:
            refused(b.get(path, as_=None), 401, "auth/missing")
            refused(b.get(path, community="other"), 404,
                    "request/not-found")
        for path, body in acts:
            refused(b.post(path, body, community="other"), 404,
                    "request/not-found")
        # Another community has a plugin of that name, and nothing dead.
        b.d.enable(b.d.source("tests/plugins/stubborn"), community="other")
        other = {"as_": OPERATOR, "community": "other"}
        there = "/v1/c/other/admin"
        tap.equal(b.d.http("GET", there + "/jobs", **other).json["items"], [])
        tap.equal(b.d.http("GET", there + "/alerts",
                           **other).json["items"], [])
        for path, body in acts:
            refused(b.d.http("POST", there + path, body, **other), 404,
                    "request/not-found")
        for path in ("/jobs/", "/jobs/stubborn", "/jobs/stubborn/",
                     "/jobs/none/a", "/jobs/stubborn/none",
                     "/jobs/stubborn/%zz", "/jobs/stubborn/" + 129 * "x"):
            refused(b.get(path), 404, "request/not-found")
        refused(b.post("/jobs/stubborn/a/again"), 404, "request/not-found")
        answer = b.post("/jobs")
        refused(answer, 405, "request/method")
        tap.equal(answer.headers["allow"], "GET")
        answer = b.get("/jobs/stubborn/a/retry")
        refused(answer, 405, "request/method")
        tap.equal(answer.headers["allow"], "POST")
        tap.equal([j["state"] for j in b.jobs()], ["dead"])
        tap.equal([a["state"] for a in b.alerts()], ["open"])


def test_a_kill_between():
    """However often linlid is killed while a timer dies and is retried, it
    dies once and is told once."""
    with bench() as b:
        for i in range(6):
            key = "k%d" % i
            b.nag(key)
            killer = threading.Timer(0.02 * i, b.d.process.kill)
            killer.start()
            b.d.linli("clock", "advance", DEAD_AFTER)
            killer.join()
            b.d.kill()
            b.d.restart()
            b.advance(DEAD_AFTER)
            tap.equal(b.ids("state=dead"), [key])
            alert, = b.alerts("--state", "open")
            tap.equal(alert["data"]["id"], key)
            b.post("/jobs/stubborn/%s/drop" % key, {"reason": "next"})
            tap.equal(b.alerts("--state", "open"), [])


def test_those_of_before():
    """A database of the version before: what had died is there, and alerts
    are open and can be closed; killed on the way, it is one or the other."""
    with bench() as b:
        b.nag("a", "b")
        b.advance(DEAD_AFTER)
        b.d.stop()
        path = os.path.join(b.d.data, "linli.db")
        to_version_1(path)
        for i in range(8):
            b.d.process = None
            start = threading.Thread(target=restart_or_not, args=(b.d,))
            delay = threading.Event()
            start.start()
            while b.d.process is None:
                delay.wait(0.001)
            delay.wait(0.004 * i)
            b.d.process.kill()
            start.join()
            b.d.process.wait()
            b.d.process = None
            tap.equal(b.rows("PRAGMA integrity_check"), [("ok",)])
            version, = b.rows("PRAGMA user_version")[0]
            columns = [row[1] for row in b.rows("PRAGMA table_info(alert)")]
            tap.equal("closed_by" in columns, version >= 2)
            if version >= 2:
                b.rows("PRAGMA wal_checkpoint(TRUNCATE)")
                to_version_1(path)
        b.d.restart()
        dead = b.jobs("state=dead")
        tap.equal([(j["id"], j["attempts"]) for j in dead],
                  [("a", 10), ("b", 10)])
        alerts = b.alerts()
        tap.equal([(a["state"], a["closed_at"]) for a in alerts],
                  [("open", None), ("open", None)])
        b.mend()
        b.d.linli_ok("jobs", "retry", "stubborn", "a")
        b.advance("1s")
        tap.equal(b.done(), ["n1 1"])
        for alert in alerts:
            b.d.linli_ok("alerts", "close", str(alert["id"]), "--reason", "r")
        tap.equal(b.alerts("--state", "open"), [])


def restart_or_not(d):
    """A start that may be killed."""
    with contextlib.suppress(AssertionError):
        d.restart()


def to_version_1(path):
    """The tables of the first version alone, as they were."""
    with open(Daemon.source("runtime/store/schema.sql"),
              encoding="utf-8") as f:
        first = set(re.findall(r"CREATE TABLE (\w+)", f.read()))
    db = sqlite3.connect(path)
    for name, in db.execute("SELECT name FROM sqlite_schema WHERE "
                            "type = 'table'").fetchall():
        if name not in first and not name.startswith("sqlite_"):
            db.execute("DROP TABLE " + name)
    with db:
        db.executescript("""
            BEGIN;
            CREATE TABLE old(
              id INTEGER PRIMARY KEY, community TEXT NOT NULL,
              kind TEXT NOT NULL, plugin TEXT NOT NULL, at INTEGER NOT NULL,
              subject TEXT, trace_id TEXT NOT NULL, state TEXT NOT NULL,
              data BLOB NOT NULL) STRICT;
            INSERT INTO old SELECT id, community, kind, plugin, at, subject,
              trace_id, state, data FROM alert;
            DROP TABLE alert;
            CREATE TABLE series(
              id INTEGER PRIMARY KEY, space INTEGER NOT NULL,
              meter TEXT NOT NULL, UNIQUE(space, meter)) STRICT;
            INSERT INTO series SELECT id, space, meter FROM usage_series;
            DROP TABLE usage_series;
            ALTER TABLE series RENAME TO usage_series;
            DROP INDEX IF EXISTS doc_subject;
            CREATE TABLE keys(
              id INTEGER PRIMARY KEY, space INTEGER NOT NULL,
              subject TEXT NOT NULL, wrapped BLOB,
              UNIQUE(space, subject)) STRICT;
            INSERT INTO keys SELECT id, space, subject, wrapped
              FROM subject_key;
            DROP TABLE subject_key;
            ALTER TABLE keys RENAME TO subject_key;
            ALTER TABLE old RENAME TO alert;
            CREATE INDEX alert_community ON alert(community, id);
            DELETE FROM entry WHERE ix IN
              (SELECT id FROM ix WHERE name = 'by_due') AND
              substr(key, 1, 1) = x'01';
            UPDATE ix SET spec = '{"fields":["due","seq"],"sparse":true}'
              WHERE name = 'by_due';
            UPDATE doc SET body = CAST(replace(CAST(body AS TEXT),
              '"dead_at"', '"was"') AS BLOB) WHERE subject IS NULL AND
              collection IN (SELECT id FROM collection WHERE name = '~work');
            PRAGMA user_version = 1;
            COMMIT;""")
    db.close()


def test_alerts_are_closed():
    with bench() as b:
        b.nag("a", "b")
        b.advance(DEAD_AFTER)
        one, two = b.alerts()
        path = "/alerts/%d/close" % one["id"]
        for body in ({}, {"reason": ""}, {"reason": "r", "x": 1}, []):
            refused(b.post(path, body), 422, "request/invalid")
        for _ in range(2):
            answer = b.post(path, {"reason": "已电话通知"})
            tap.equal((answer.status, answer.json["state"],
                       answer.json["closed_by"], answer.json["reason"]),
                      (200, "closed", OPERATOR, "已电话通知"), answer)
        closed = answer.json
        refused(b.post(path, {"reason": "another"}), 409, "alert/closed")
        refused(b.post(path, {"reason": "已电话通知"}, as_="operator:o2"),
                409, "alert/closed")
        b.kill()
        tap.equal(b.alerts(), [closed, two])
        tap.equal(b.alerts("--state", "open"), [two])
        tap.equal(b.alerts("--state", "closed"), [closed])
        for number in ("0", "x", "99", "1/2"):
            refused(b.post("/alerts/%s/close" % number, {"reason": "r"}),
                    404, "request/not-found")
        # Two at once: one of them was first.
        answers = []

        def close(who):
            answers.append(b.post("/alerts/%d/close" % two["id"],
                                  {"reason": who}, as_="operator:" + who))
        for who in ("x", "y"):
            b.d.token("operator:" + who)
        threads = [threading.Thread(target=close, args=(w,)) for w in "xy"]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        tap.equal(sorted(a.status for a in answers), [200, 409], answers)
        # The job is dead all the same: an alert is what was told of it.
        tap.equal(b.ids("state=dead"), ["a", "b"])
        # Dead again, it is told again.
        b.post("/jobs/stubborn/a/retry")
        b.advance(DEAD_AFTER)
        tap.equal(len(b.alerts("--state", "open")), 1)
        done = b.d.linli("alerts", "close", "1")
        tap.equal(done.code, 2, done)
        tap.contains(done.err, "--reason is missing")


BUSY_LUA = """
local p = require("linli").plugin()
p:post("/set", function(call)
    call:timer{at = call.now, run = "busy", key = "b"}
    return 201, {}
end)
p:timer("busy", function(call)
    local n = 0
    while true do n = n + 1 end
end)
return p
"""


def test_what_is_in_hand_is_left_alone():
    """By the real clock: a timer that burns until its limit, again and
    again."""
    with temporary_folder() as folder, Daemon() as d:
        d.enable(plugin_folder(folder, probe_manifest(
            timers=["busy"], limits={"wall_ms": 3000, "burst_ms": 1000},
            routes=[{"method": "POST", "path": "/set",
                     "caller": ["resident"]}]), main__lua=BUSY_LUA))
        tap.equal(d.call("probe", "/set", {}, key="s").status, 201)
        b = Bench(d)
        job, = wait_until(lambda: b.jobs("state=running"), 10.0)
        tap.equal((job["id"], job["state"], job["due"] is None),
                  ("b", "running", False))
        for verb, body in (("retry", {}), ("drop", {"reason": "r"})):
            def refused_as_running(verb=verb, body=body):
                answer = b.post("/jobs/probe/b/" + verb, body)
                return answer.code == "job/running"
            tap.equal(wait_until(refused_as_running, 20.0), True, verb)
        d.linli_ok("plugin", "disable", "probe")


CRASH_LUA = """
local linli = require("linli")
local p = linli.plugin()
p:post("/run", function(call)
    while call.body.hang do call.db.note:get("x") end
    return 200, {}
end)
return p
"""
CRASH = dict(
    collections={"note": {}},
    limits={"wall_ms": 20000, "burst_ms": 5000})


def crash(d):
    """One call whose process is killed."""
    def kill():
        for pid in wait_until(d.workers):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    killer = threading.Timer(0.15, kill)
    killer.start()
    answer = d.call("probe", "/run", {"hang": True})
    killer.join()
    return answer


def breaker(d):
    """Its state."""
    return d.plugins_json()["items"][0]["breaker"]


def open_breaker(d):
    """Crashes until it is open."""
    for _ in range(20):
        if breaker(d) == "open":
            return
        crash(d)
    raise AssertionError("it does not open")


def alerts(d, *words):
    """What `linli alerts` lists."""
    return d.linli_ok("alerts", "--json", *words).json["items"]


def test_a_breaker_tells():
    with temporary_folder() as folder, Daemon() as d:
        plugin = plugin_folder(folder, probe_manifest(**CRASH),
                               main__lua=CRASH_LUA)
        d.enable(plugin)
        open_breaker(d)
        alert, = wait_until(lambda: alerts(d))
        tap.equal((alert["kind"], alert["plugin"], alert["state"]),
                  ("linli.breaker_open", "probe", "open"))
        tap.equal({k: alert["data"][k] for k in ("plugin", "version",
                                                 "crashes")},
                  {"plugin": "probe", "version": "1.0.0", "crashes": 5})
        # It is told once, and closed by what closes it.
        answer = wait_until(lambda: d.call("probe", "/run", {}).status == 200,
                            20.0, 0.2)
        tap.equal((answer, breaker(d)), (True, "closed"))
        alert, = wait_until(lambda: alerts(d, "--state", "closed"))
        tap.equal((alert["kind"], alert["closed_by"]),
                  ("linli.breaker_open", "linli"))
        # The next opening is another alert; a killed linlid knows nothing of
        # it, and closes it when the plugin is enabled again.
        open_breaker(d)
        wait_until(lambda: alerts(d, "--state", "open"))
        d.kill()
        d.restart()
        tap.equal(wait_until(lambda: not alerts(d, "--state", "open")), True)
        tap.equal([a["kind"] for a in alerts(d)],
                  2 * ["linli.breaker_open"])


def test_a_plugin_that_does_not_load():
    with temporary_folder() as folder, Daemon() as d:
        plugin = plugin_folder(folder, probe_manifest(**CRASH),
                               main__lua=CRASH_LUA)
        d.enable(plugin)
        d.stop()
        main = os.path.join(plugin, "main.lua")
        with open(main, "a", encoding="utf-8") as f:
            f.write("this is no Lua")
        for _ in range(2):  # told once, however often it starts
            d.restart()
            alert, = wait_until(lambda: alerts(d))
            tap.equal((alert["kind"], alert["plugin"], alert["state"]),
                      ("linli.plugin_failed", "probe", "open"))
            tap.contains(alert["data"]["message"] + alert["data"]["where"],
                         "main.lua")
            d.stop()
        with open(main, "w", encoding="utf-8") as f:
            f.write(CRASH_LUA)
        os.rename(plugin, plugin + ".away")
        d.restart()
        alert, = alerts(d, "--state", "open")
        d.stop()
        os.rename(plugin + ".away", plugin)
        d.restart()
        alert, = wait_until(lambda: alerts(d, "--state", "closed"))
        tap.equal(alert["kind"], "linli.plugin_failed")
        tap.equal(d.call("probe", "/run", {}).status, 200)


if __name__ == "__main__":
    tap.main()

#!/usr/bin/env python3
"""tests/scenario/test_operator.py: what was counted and raised, copies of the
database and their return, by `linli` against a live linlid.
"""

import json
import os
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        program, run, temporary_folder)

MANIFEST = dict(
    collections={"note": {"indexes": {"by_text": {"fields": ["text"]}}}},
    meters={"probe.note": {"kind": "count", "unit": "note",
                           "max_per_call": 10}},
    alerts=["probe.alarm"],
    routes=[{"method": "POST", "path": "/notes", "caller": ["resident"]},
            {"method": "GET", "path": "/notes", "caller": ["resident"],
             "billed": False}])
HOUR = 3600000
LUA = """
local p = require("linli").plugin()
p:post("/notes", function(call)
    local note = call.db.note:insert{text = call.body.text}
    call:meter("probe.note", call.body.count)
    if call.body.alarm then
        call:alert("probe.alarm", {text = call.body.text})
    end
    return 201, note
end)
p:get("/notes", function(call)
    local items = call.db.note:list{index = "by_text"}
    local texts = {}
    for i, note in ipairs(items) do texts[i] = note.text end
    return 200, {texts = texts}
end)
return p
"""


class Bench:
    """A linlid with the plugin above; use it in a `with`."""

    def __enter__(self):
        self.folder = temporary_folder()
        self.path = self.folder.__enter__()
        self.plugin = plugin_folder(self.path, probe_manifest(**MANIFEST),
                                    main__lua=LUA)
        self.d = Daemon(options=["--clock=virtual"])
        self.d.__enter__()
        self.d.enable(self.plugin)
        return self

    def __exit__(self, *what):
        try:
            return self.d.__exit__(*what)
        finally:
            self.folder.__exit__(*what)

    def note(self, text, key, count=1, alarm=False):
        """One call that writes, meters and perhaps raises an alert."""
        answer = self.d.call("probe", "/notes", {
            "text": text, "count": count, "alarm": alarm}, key=key)
        tap.equal(answer.status, 201, answer)

    def here(self, name):
        """A path in the folder of the case."""
        return os.path.join(self.path, name)


def texts(d):
    """What is stored."""
    return d.call("probe", "/notes", method="GET").json["texts"]


def totals(d, *words):
    """{meter: (quantity, count)} of linli usage, but for CPU time."""
    return {t["meter"]: (t["quantity"], t["count"]) for t in
            d.linli_ok("usage", "--json", *words).json["totals"]
            if t["meter"] != "linli.cpu_us"}


def test_usage():
    with Bench() as b:
        tap.equal(b.d.linli_ok("usage", "--json").json,
                  {"items": [], "totals": []})
        # On the hour, where a slot begins.
        now = b.d.linli_ok("clock", "get", "--json").json["ms"]
        begun = str(now - now % HOUR + HOUR)
        b.d.linli_ok("clock", "set", begun)
        b.note("a", "k1", 3)
        b.note("a", "k1", 3)  # the same again is no call
        b.d.linli_ok("clock", "advance", "1h")
        b.note("b", "k2", 4)
        texts(b.d)  # not billed
        tap.equal(totals(b.d), {"linli.call": ("2", 2),
                                "probe.note": ("7", 2)})
        now = b.d.linli_ok("clock", "get").out.strip()
        tap.equal(totals(b.d, "--to", now), {"linli.call": ("1", 1),
                                             "probe.note": ("3", 1)})
        tap.equal(totals(b.d, "--from", begun)["probe.note"][0], "7")
        tap.equal(totals(b.d, "--from", now)["probe.note"][0], "4")
        tap.equal(totals(b.d, "--plugin", "other"), {})
        lines = b.d.linli_ok("usage").out.splitlines()
        tap.equal(sorted(line.split()[1:] for line in lines[1:]
                         if "cpu_us" not in line),
                  [["linli.call", "2", "2"], ["probe.note", "7", "2"]])
        # Every number can be followed down to its calls.
        calls = set()
        for item in b.d.linli_ok("usage", "--json").json["items"]:
            found = b.d.http(
                "GET", "/v1/c/demo/admin/usage/%d/records" % item["bucket"],
                as_="operator:o").json["items"]
            tap.equal(sum(int(r["quantity"]) for r in found),
                      int(item["quantity"]))
            calls.update(r["call_id"] for r in found)
        tap.equal(len(calls), 2)
        done = b.d.linli_ok("reconcile", "--json").json
        tap.equal((done["records"] >= 4, done["ok"]), (True, True))
        answer = b.d.http("GET", "/v1/c/demo/admin/usage", as_="resident:r1")
        tap.equal((answer.status, answer.code), (403, "auth/forbidden"))


def test_alerts():
    with Bench() as b:
        for i in range(3):
            b.note("alarm %d" % i, "k%d" % i, alarm=True)
        items = b.d.linli_ok("alerts", "--json").json["items"]
        tap.equal([i["data"]["text"] for i in items],
                  ["alarm 2", "alarm 1", "alarm 0"])
        tap.equal({(i["kind"], i["plugin"]) for i in items},
                  {("probe.alarm", "probe")})
        tap.equal(b.d.linli_ok("alerts", "--kind", "probe.other",
                               "--json").json["items"], [])
        tap.contains(b.d.linli_ok("alerts").out, '{"text":"alarm 1"}')


DEVICE_LUA = """
local p = require("linli").plugin()
p:post("/beat", function(call)
    return 200, {id = call.caller.id, kind = call.caller.kind,
                 bound_to = call.caller.bound_to, said = call.body.n}
end)
p:get("/beat", function(call)
    return 200, {plate = call.query.plate}
end)
p:put("/tag", function(call)
    return 200, {if_match = call.if_match or "none"}, {etag = "8"}
end)
return p
"""
DEVICE_ROUTES = [{"method": "POST", "path": "/beat", "caller": ["device"]},
                 {"method": "GET", "path": "/beat", "caller": ["device"]},
                 {"method": "PUT", "path": "/tag", "caller": ["resident"]}]
KEY = "00ff" * 8


def test_seed_and_what_it_brings():
    """A seed's device is believed by what `linli call` signs, also when the
    clock has been moved by a year."""
    with temporary_folder() as folder, \
            Daemon(options=["--clock=virtual"]) as d:
        path = os.path.join(folder, "seed.json")
        plugin = plugin_folder(folder, probe_manifest(routes=DEVICE_ROUTES),
                               main__lua=DEVICE_LUA)
        seed = {"communities": [{"id": "demo"}],
                "devices": [{"id": "gate-1", "community": "demo",
                             "plugin": "probe", "key_hex": KEY,
                             "bound_to": "g1"}],
                "plugins": [{"path": plugin, "community": "demo"}]}
        with open(path, "w", encoding="utf-8") as f:
            json.dump(seed, f)
        done = d.linli_ok("seed", path, "--json").json
        tap.equal(done, {"documents": 2, "plugins": 1})
        as_gate = ("--as", "device:gate-1", "--device-key", KEY)
        for _ in range(2):
            done = d.linli_ok("call", "POST", "probe/beat", "-d", '{"n":7}',
                              *as_gate)
            tap.equal(done.json, {"id": "gate-1", "kind": "device",
                                  "bound_to": "g1", "said": 7})
            done = d.linli_ok(
                "call", "GET", "probe/beat?plate=%E6%B2%AAA%20B&x=1",
                *as_gate)
            tap.equal(done.json, {"plate": "沪A B"})
            d.linli_ok("clock", "advance", "365d")
        fails(d.linli("call", "GET", "probe/beat", "--as", "device:gate-1",
                      "--device-key", "11" * 16), "auth/device", 1)
        # The same option that a resident's app would use.
        done = d.linli_ok("call", "PUT", "probe/tag", "--as", "resident:r1",
                          "--if-match", "7", "-i")
        tap.contains(done.out.lower(), '\netag: "8"')
        tap.contains(done.out, '{"if_match":"7"}')
        fails(d.linli("seed", plugin + "/main.lua"), "request/json", 1)


def restore(copy, data, *words):
    """`linli restore`: returns its Run."""
    return run([program("linli"), "restore", copy, "--data", data]
               + list(words))


def fails(done, code, exit_code=2):
    """The run failed so."""
    tap.equal(done.code, exit_code, done)
    tap.contains(done.err, "error[%s]" % code)


def test_backup_and_restore():
    with Bench() as b:
        copy, data = b.here("copy.db"), b.here("restored")
        key = os.path.join(b.d.data, "linli.key")
        b.note("before", "k1")
        done = b.d.linli_ok("backup", copy, "--json").json
        tap.equal((done["path"], done["bytes"]),
                  (os.path.realpath(copy), os.path.getsize(copy)))
        b.note("after", "k2")
        fails(b.d.linli("backup", copy), "store/backup", 1)
        fails(b.d.linli("backup", b.here("none/copy.db")), "cli/file")
        fails(b.d.linli("backup", b.path), "store/backup", 1)
        # Not over what is there, nor under a linlid that runs, nor without
        # its key.
        fails(run([program("linli"), "restore", copy]), "usage")
        fails(restore(copy, b.d.data), "data/locked")
        fails(restore(copy, data), "store/key")
        fails(restore(copy, data, "--key", b.here("none")), "store/key")
        other = sqlite3.connect(b.here("other.db"))
        other.execute("CREATE TABLE t(a)")
        other.commit()
        other.close()
        fails(restore(b.here("other.db"), data, "--key", key),
              "store/foreign")
        tap.equal(os.path.exists(os.path.join(data, "linli.db")), False)
        done = restore(copy, data, "--key", key, "--json")
        tap.equal(done.code, 0, done)
        tap.equal(done.json["commit"] > 0, True)
        fails(restore(copy, data, "--key", key), "store/restore")
        with Daemon(data=data, options=["--clock=virtual"]) as again:
            again.enable(b.plugin)
            tap.equal(texts(again), ["before"])
            tap.equal(totals(again)["probe.note"], ("1", 1))
            again.linli_ok("reconcile")
        tap.equal(texts(b.d), ["after", "before"])


def test_a_copy_that_was_changed():
    """What does not add up is not restored, and reconcile names it."""
    with Bench() as b:
        copy, data = b.here("copy.db"), b.here("restored")
        key = os.path.join(b.d.data, "linli.key")
        b.note("a", "k1")
        b.d.linli_ok("backup", copy)
        bad = sqlite3.connect(copy)
        bad.execute("UPDATE usage_bucket SET quantity = quantity + 1")
        bad.commit()
        bad.close()
        fails(restore(copy, data, "--key", key), "store/corrupt")
        b.d.stop()
        live = sqlite3.connect(os.path.join(b.d.data, "linli.db"))
        live.execute("UPDATE usage_bucket SET quantity = quantity + 1 "
                     "WHERE id = 1")
        live.commit()
        live.close()
        b.d.restart()
        done = b.d.linli("reconcile", "--json")
        tap.equal((done.code, done.json["ok"], done.json["first_bad"]), (
            1, False, {"bucket": 1, "what": "its quantity is not that of its "
                       "records"}))


if __name__ == "__main__":
    tap.main()

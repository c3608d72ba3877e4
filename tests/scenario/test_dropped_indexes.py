#!/usr/bin/env python3
"""tests/scenario/test_dropped_indexes.py: what a version leaves undeclared.

Indexes that it does not declare any more are kept for the calls of the
version before, refuse nothing, and go with it (spec/db.md, D9).
"""

import os
import sqlite3
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder, wait_until)

INDEXES_MAX = 16

MAIN = """
local linli = require "linli"
local p = linli.plugin()

p:post("/insert", function(call)
  local made, why, index = call.db.car:insert(call.body)
  return 200, { made = made ~= nil, why = why, index = index }
end)

p:post("/list", function(call)
  local spin = call.body.spin or 0
  for i = 1, spin do end
  return 200, { count = #call.db.car:list { index = call.body.index } }
end)
return p
"""


def write(parent, version, letter, folder):
    """A version whose indexes are named a0, a1, … : a0 is unique."""
    indexes = {"%s%d" % (letter, n): {"fields": ["plate", "n%d" % n]}
               for n in range(1, INDEXES_MAX)}
    indexes[letter + "0"] = {"fields": ["plate" if letter == "a" else "seat"],
                             "unique": True, "sparse": True}
    manifest = probe_manifest(
        version=version, limits={"wall_ms": 20000, "burst_ms": 10000},
        collections={"car": {"indexes": indexes}},
        routes=[{"method": "POST", "path": path, "caller": ["resident"]}
                for path in ("/insert", "/list")])
    where = os.path.join(parent, folder)
    os.makedirs(where, exist_ok=True)
    return plugin_folder(where, manifest, main__lua=MAIN)


def entries(d):
    """Names of the indexes in the file, and how many entries are of others."""
    db = sqlite3.connect(os.path.join(d.data, "linli.db"))
    names = sorted(row[0] for row in db.execute(
        "SELECT ix.name FROM ix JOIN collection c ON c.id = ix.collection"
        " WHERE c.name = 'car'"))
    stray = db.execute("SELECT count(*) FROM entry WHERE ix NOT IN"
                       " (SELECT id FROM ix)").fetchone()[0]
    db.close()
    return names, stray


def insert(d, key, **fields):
    answer = d.call("probe", "/insert", fields, key=key)
    tap.equal(answer.status, 200, answer)
    return answer.json


def list_by(d, index, key, spin=0):
    return d.call("probe", "/list", {"index": index, "spin": spin}, key=key)


def test_indexes_of_the_version_before_go():
    wanted = {letter: sorted("%s%d" % (letter, n) for n in range(INDEXES_MAX))
              for letter in "ab"}
    with temporary_folder() as parent, Daemon() as d:
        first = write(parent, "1.0.0", "a", "first")
        second = write(parent, "2.0.0", "b", "second")
        d.enable(first)
        tap.equal(insert(d, "k1", id="one", plate="A1")["made"], True)
        tap.equal(insert(d, "k2", id="two", plate="A1"),
                  {"made": False, "why": "exists", "index": "a0"})

        # A call of the first version runs while the second takes its place.
        answers = []
        slow = threading.Thread(target=lambda: answers.append(
            list_by(d, "a1", "k3", spin=40_000_000)))
        slow.start()
        d.enable(second)
        slow.join()
        tap.equal((answers[0].status, answers[0].json), (200, {"count": 1}),
                  answers)

        tap.equal(insert(d, "k4", id="two", plate="A1")["made"], True,
               "what only the first version forbade")
        tap.equal(list_by(d, "b1", "k5").json, {"count": 2})
        answer = list_by(d, "a1", "k6")
        tap.equal((answer.status, answer.code), (500, "plugin/error"), answer)
        wait_until(lambda: entries(d) == (wanted["b"], 0))
        tap.equal(entries(d), (wanted["b"], 0))

        # Back again: they are made anew, and hold what they can.
        d.enable(first)
        tap.equal(list_by(d, "a1", "k7").json, {"count": 2})
        tap.equal(insert(d, "k8", id="three", plate="A1")["made"], False)
        wait_until(lambda: entries(d) == (wanted["a"], 0))
        d.stop()
        d.restart()
        tap.equal(list_by(d, "a1", "k9").json, {"count": 2})
        tap.equal(entries(d), (wanted["a"], 0))


if __name__ == "__main__":
    tap.main()

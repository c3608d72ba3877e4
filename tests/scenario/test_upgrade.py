#!/usr/bin/env python3
"""tests/scenario/test_upgrade.py: versions that change an index take each
other's place while calls write and list by it.
"""

import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder)

MAIN = """
local linli = require "linli"
local p = linli.plugin()

-- One more of a number; how many there are of it, by the index and by hand.
p:post("/run", function(call)
  local db, seen, count, items, after = call.db.note, 0, 0
  db:insert { n = call.body.n, key = call.body.key }
  repeat
    items, after = db:list { index = "by_n", eq = { call.body.n }, limit = 20,
                             cursor = after }
    seen = seen + #items
  until not after
  repeat
    items, after = db:list { limit = 100, cursor = after }
    for _, item in ipairs(items) do
      if item.n == call.body.n then count = count + 1 end
    end
  until not after
  return 200, { seen = seen, count = count }
end)

-- A key that is taken.
p:post("/take", function(call)
  local made, why = call.db.taken:insert { key = call.body.key }
  return made and 201 or 409, { why = why }
end)
return p
"""

ROUTES = [{"method": "POST", "path": path, "caller": ["resident"]}
          for path in ("/run", "/take")]
VERSIONS = 8
CALLERS = 4


def versions(parent):
    """Folders of plugins whose index changes from one to the next."""
    for number in range(VERSIONS):
        fields = [["n"], ["n", "key"], ["n", "none"]][number % 3]
        unique = {"fields": ["key"] + ["none"] * (number % 2), "unique": True}
        yield plugin_folder(
            os.path.join(parent, str(number)), probe_manifest(
                version="1.0.%d" % number, routes=ROUTES,
                limits={"wall_ms": 20000}, collections={
                    "note": {"indexes": {"by_n": {"fields": fields}}},
                    "taken": {"indexes": {"by_key": unique}}}),
            main__lua=MAIN)


def test_calls_while_indexes_change():
    found, stop = [], threading.Event()

    def write(d, caller):
        for i in range(10000):
            if stop.is_set():
                return
            key = "%d-%d" % (caller, i)
            answer = d.call("probe", "/run", {"n": i % 3, "key": key},
                            key="r" + key)
            if answer.status != 200 or (
                    answer.json["seen"] != answer.json["count"]):
                found.append("run %s: %r" % (key, answer))
            # Each key twice: the second finds the first.
            for again in range(2):
                answer = d.call("probe", "/take", {"key": key},
                                key="t%d%s" % (again, key))
                if answer.status != (409 if again else 201):
                    found.append("take %s again=%d: %r" % (key, again, answer))

    with temporary_folder() as parent, \
            Daemon(config={"rate_limit": "off"}) as d:
        folders = list(versions(parent))
        d.enable(folders[0])
        d.token("resident:r1")
        threads = [threading.Thread(target=write, args=(d, n))
                   for n in range(CALLERS)]
        for thread in threads:
            thread.start()
        try:
            for folder in folders[1:]:
                stop.wait(0.2)
                d.enable(folder)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    if found:
        raise tap.Findings("%d: %s" % (len(found), "\n".join(found[:5])))


if __name__ == "__main__":
    tap.main()

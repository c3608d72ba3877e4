#!/usr/bin/env python3
"""tests/scenario/test_lua_db.py: call.db against the real host.

The shapes of arguments and answers are tested with a fake host
(tests/unit/test_lua_db.c); here both sides meet.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder)

COLLECTIONS = {
    "booking": {"indexes": {
        "by_state": {"fields": ["state", "n"]},
        "by_plate": {"fields": ["plate"], "unique": True, "sparse": True},
        "by_space": {"fields": ["space"], "interval": {
            "from": "from", "to": "to", "longest_ms": 100}}}},
    "pass": {}}

MAIN = """
local linli = require "linli"
local p = linli.plugin()
local tests = {}

function tests.documents(call, db)
  local made = db:insert { state = "new", n = 1, list = linli.array(),
                           none = linli.null, deep = { { x = 1.5 } } }
  assert(#made.id > 0 and made.none == linli.null)
  local doc = db:get(made.id)
  assert(doc.deep[1].x == 1.5 and math.type(doc.n) == "integer")
  assert(linli.json.encode(doc.list) == "[]")
  assert(db:get("nobody") == nil)
  local no, why, index = db:insert { id = made.id }
  assert(no == nil and why == "exists" and index == "")
  assert(db:patch(made.id, { none = 1, list = linli.null }).list == nil)
  no, why, index = db:patch("nobody", {})
  assert(no == nil and why == "not-found")
  assert(db:put { id = made.id, plate = "A1" }.state == nil)
  no, why, index = db:put { id = "other", plate = "A1" }
  assert(no == nil and why == "exists" and index == "by_plate")
  assert(db:delete(made.id) == true and db:delete(made.id) == false)
end

function tests.queries(call, db)
  for n = 1, 5 do
    db:put { id = "q" .. n, state = n % 2 == 0 and "even" or "odd", n = n }
  end
  assert(db:find("by_state", "odd").id == "q1")
  assert(db:find("by_state", "odd", 5).id == "q5")
  assert(db:find("by_state", "none") == nil)
  local page, after = db:list { index = "by_state", eq = { "odd" },
                                descending = true, limit = 2 }
  assert(#page == 2 and page[1].id == "q5" and page[2].id == "q3")
  page, after = db:list { index = "by_state", eq = { "odd" },
                          descending = true, limit = 2, cursor = after }
  assert(#page == 1 and page[1].id == "q1" and after == nil)
  assert(db:count { index = "by_state", eq = { "even" } } == 2)
  assert(db:count { index = "by_state", eq = { "odd" }, from = { 2 },
                    to = { 5 } } == 1)
  assert(#db:list() == 5 and #db:list {} == 5)
  assert(linli.json.encode((call.db.pass:list())) == "[]")
end

function tests.intervals(call, db)
  db:put { id = "i1", space = "s", from = 10, to = 20 }
  db:put { id = "i2", space = "s", from = 20, to = 30 }
  assert(db:overlaps("by_space", "s", 15, 16).id == "i1")
  assert(db:overlaps("by_space", "s", 30, 40) == nil)
  assert(#db:overlapping("by_space", "s", 0, 100) == 2)
  assert(linli.json.encode(db:overlapping("by_space", "t", 0, 9)) == "[]")
  -- Without both ends there is no entry; and the ends are in the key.
  db:put { id = "i3", space = "s" }
  assert(#db:overlapping("by_space", "s", 0, 100) == 2)
  assert(db:count { index = "by_space", eq = { "s" } } == 2)
  local late = db:list { index = "by_space", eq = { "s" }, from = { 11 } }
  assert(#late == 1 and late[1].id == "i2")
  assert(db:find("by_space", "s", 10, 20).id == "i1")
  assert(not pcall(db.put, db, { id = "i4", space = "s", from = 1 }))
end

local function refusal(f, ...)
  local ok, why = pcall(f, ...)
  assert(not ok)
  return why
end

function tests.refusals(call, db)
  local said = linli.array()
  said[1] = refusal(db.find, db, "nosuch", 1)
  said[2] = refusal(db.insert, db, { id = 7 })
  said[3] = refusal(db.insert, db, { state = { 1 } })
  said[4] = refusal(db.list, db, { limit = 1000 })
  said[5] = refusal(function() call:meter("probe.nosuch", 1) end)
  for i = 1, 16 do
    db:put { id = "large" .. i, space = "l", from = 1, to = 2,
             text = ("x"):rep(65000) }
  end
  assert(#db:list { index = "by_space", eq = { "l" } } == 15)
  said[6] = refusal(db.overlapping, db, "by_space", "l", 0, 9)
  said[7] = refusal(db.overlaps, db, "by_space", 1, 2)
  return said
end

function tests.cursor(call, db)
  pcall(db.list, db, { cursor = "made up" })
  return "unreached"
end

p:post("/run", function(call)
  return 200, { result = tests[call.body](call, call.db.booking) }
end)
return p
"""


def test_each_method():
    manifest = probe_manifest(collections=COLLECTIONS)
    del manifest["routes"][0]["safe"]
    with temporary_folder() as parent, Daemon() as d:
        d.enable(plugin_folder(parent, manifest, main__lua=MAIN))
        for what in ("documents", "queries", "intervals"):
            answer = d.call("probe", "/run", '"%s"' % what, key=what)
            tap.equal((answer.status, answer.json), (200, {}),
                      "%s: %s" % (what, d.log_lines()[-1]))
        answer = d.call("probe", "/run", '"refusals"', key="refusals")
        tap.equal(answer.status, 200, d.log_lines()[-1])
        for said, begins in zip(answer.json["result"], (
                "call.db.booking:find: db/undeclared: ",
                "call.db.booking:insert: db/document: ",
                "call.db.booking:insert: db/key: ",
                "call.db.booking:list: db/query: ",
                "main.lua:74: call:meter: db/undeclared: ",
                "call.db.booking:overlapping: db/limit: the documents that "
                "overlap are more than 983040 bytes: ask for less time",
                "call.db.booking:overlaps: db/query: by_space wants a value "
                "for each of its fields (space) before from and to; there "
                "are 0")):
            tap.equal(said[:len(begins)], begins)
            tap.comment(said)
        answer = d.call("probe", "/run", '"cursor"', key="cursor")
        tap.equal((answer.status, answer.code), (400, "request/cursor"))


if __name__ == "__main__":
    tap.main()

#!/usr/bin/env python3
"""tests/scenario/test_turns.py: many calls that change one document go one by
one instead of dooming each other (spec/db.md, D20a)."""

import concurrent.futures
import contextlib
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import Daemon, plugin_folder, temporary_folder  # noqa: E402

MAIN = """
local linli = require "linli"
local p = linli.plugin()

local function add(call, id)
    local it = call.db.counter:get(id) or { id = id, n = 0 }
    it.n = it.n + 1
    call.db.counter:put(it)
    return it.n
end

p:post("/add/:id", function(call)
    print("run of " .. call.params.id)
    return 200, { n = add(call, call.params.id) }
end)

p:post("/both/:first/:second", function(call)
    add(call, call.params.first)
    return 200, { n = add(call, call.params.second) }
end)

-- Reads, thinks for long in short thoughts, and writes.
p:post("/slow/:id", function(call)
    local it = call.db.counter:get(call.params.id)
    for i = 1, call.body.thoughts do
        for _ = 1, 500000 do end
        call.db.counter:get("other")
    end
    it.n = it.n + 1
    call.db.counter:put(it)
    return 200, { n = it.n }
end)

p:get("/n/:id", function(call)
    return 200, { n = call.db.counter:get(call.params.id).n }
end)

return p
"""

ROUTES = (("POST", "/add/:id"), ("POST", "/both/:first/:second"),
          ("POST", "/slow/:id"), ("GET", "/n/:id"))
MANIFEST = {
    "id": "turns", "version": "1.0.0", "abi": 1, "runtime": "lua",
    "main": "main.lua", "collections": {"counter": {}},
    "limits": {"wall_ms": 20000, "cpu_ms": 10000, "burst_ms": 50},
    "routes": [{"method": m, "path": p, "caller": ["resident"]}
               for m, p in ROUTES]}


@contextlib.contextmanager
def turns():
    """A daemon with the plugin, and two workers for it."""
    with temporary_folder() as parent:
        folder = plugin_folder(parent, MANIFEST, main__lua=MAIN)
        with Daemon(config={"rate_limit": "off",
                            "worker": {"count_lua": 2}}) as d:
            d.enable(folder)
            d.token("resident:r1")
            yield d


def check(holds, what):
    """Fail the case unless it holds."""
    if not holds:
        raise AssertionError(what)


def post(d, connection, path, key, body=None):
    """One call that writes."""
    return d.call("turns", path, body, "POST", key=key,
                  connection=connection)


def in_parallel(d, paths, parallel):
    """The answers to posts, each of so many connections in a row."""
    gate = threading.Barrier(parallel)

    def part(first):
        with contextlib.closing(d.connect()) as connection:
            connection.connect()
            gate.wait()
            return [post(d, connection, paths[i], "k%d" % i)
                    for i in range(first, len(paths), parallel)]
    with concurrent.futures.ThreadPoolExecutor(parallel) as pool:
        return [a for p in pool.map(part, range(parallel)) for a in p]


def count(d, name):
    """The counter's."""
    return d.call("turns", "/n/" + name, method="GET").json["n"]


def runs(d, name):
    """How often the handler began for a counter."""
    with open(os.path.join(d.data, "linlid.log"), encoding="utf-8") as f:
        return f.read().count("run of " + name)


def test_turns_at_one_document():
    """200 calls on one counter run little more than 200 times: the first
    moment's are doomed, as nobody knows yet."""
    with turns() as d:
        answers = in_parallel(d, ["/add/hot"] * 200, 20)
        tap.equal([a.status for a in answers], [200] * 200)
        tap.equal(sorted(a.json["n"] for a in answers),
                  list(range(1, 201)))
        tap.equal(count(d, "hot"), 200)
        tap.comment("%d runs" % runs(d, "hot"))
        check(runs(d, "hot") >= 200, "each ran")
        check(runs(d, "hot") < 300, "%d runs" % runs(d, "hot"))
        # Alone nobody waits, nor is doomed.
        answers = in_parallel(d, ["/add/c%d" % i for i in range(200)], 20)
        tap.equal([a.json["n"] for a in answers], [1] * 200)
        tap.equal(runs(d, "c"), 200)


def test_no_two_wait_for_each_other():
    """Two documents in both orders, and others in a ring."""
    with turns() as d:
        names = ["a", "b", "c"]
        paths = ["/both/%s/%s" % (names[i % 3], names[(i + 1 + i % 2) % 3])
                 for i in range(300)]
        answers = in_parallel(d, paths, 24)
        tap.equal([a.status for a in answers], [200] * 300)
        tap.equal(sum(count(d, n) for n in names), 600)


def test_a_slow_turn_ends():
    """A call that thinks for seconds over a document others want holds them
    for one burst limit, and is counted once itself, or not at all."""
    with turns() as d:
        ended = threading.Event()
        added = []

        def add(n):
            with contextlib.closing(d.connect()) as connection:
                connection.connect()
                i = 0
                while not ended.is_set():
                    answer = post(d, connection, "/add/hot",
                                  "k%d-%d" % (n, i))
                    tap.equal(answer.status, 200)
                    added.append(time.monotonic())
                    i += 1
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            adders = [pool.submit(add, n) for n in range(8)]
            time.sleep(0.5)
            with contextlib.closing(d.connect()) as connection:
                connection.connect()
                began = time.monotonic()
                slow = post(d, connection, "/slow/hot", "slow",
                            {"thoughts": 500})
                took = time.monotonic() - began
            ended.set()
            for adder in adders:
                adder.result()
        check(slow.status == 200 or slow.code == "runtime/conflict",
               repr(slow))
        meanwhile = sum(began < at < began + took for at in added)
        longest = max(b - a for a, b in zip(added, added[1:]))
        tap.comment("%d calls in its %.1f s, none for %.0f ms at most"
                 % (meanwhile, took, longest * 1000))
        check(took > 0.2, "it was slow: %.2f s" % took)
        check(longest < took / 2, "they waited for %.2f s" % longest)
        tap.equal(count(d, "hot"), len(added) + (slow.status == 200))


if __name__ == "__main__":
    tap.main()

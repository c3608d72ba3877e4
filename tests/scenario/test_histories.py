#!/usr/bin/env python3
"""tests/scenario/test_histories.py: calls are strictly serializable.

Random histories, a few hundred of them in `make check`, 10,000 in
`make check-histories` (LINLI_HISTORIES=N), without a kill and with linlid and
workers killed in between. LINLI_SEED=N begins elsewhere. One that is wrong is
played again in ever smaller versions, and told.

test-timeout-s: 3600
"""

import concurrent.futures
import contextlib
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from histories import COLLECTIONS, PLUGIN, History, manifest  # noqa: E402
from history_driver import Player  # noqa: E402
from linli_test import (Daemon, plugin_folder, program,  # noqa: E402
                        temporary_folder)

HISTORIES = int(os.environ.get("LINLI_HISTORIES", "500"))
SEED = int(os.environ.get("LINLI_SEED", "1"))
SHRINK_S = int(os.environ.get("LINLI_SHRINK_S", "60"))


def folder_of(parent):
    """The plugin as a package."""
    path = Daemon.source("tests/plugins/histories/main.lua")
    with open(path, encoding="utf-8") as f:
        return plugin_folder(parent, manifest(), main__lua=f.read())


def config(workers):
    return {"rate_limit": "off",
            "worker": {"drafts": True, "count_lua": workers}}


def slow_disk():
    """The environment of a linlid whose disk is slow; a sanitizer has to be
    loaded first."""
    with open(os.path.join(tap.build_folder(), "config.mk"),
              encoding="utf-8") as f:
        sanitized = any(line.split()[:2] == ["sanitize", "="]
                        and len(line.split()) > 2 for line in f)
    return {} if sanitized else {"LD_PRELOAD": program(
        "plugins-c/slow_sync.so")}


def compare_events(got, want):
    """What was published is what was committed, in its order."""
    for i, (one, other) in enumerate(zip(got, want)):
        tap.equal(one, other, "event %d of all commits" % i)
    tap.equal(len(got), len(want), "events of all commits")


def play(histories, workers, env=None, **how):
    """Play on a new daemon; (histories that are wrong, player)."""
    wrong, told = [], []
    with temporary_folder() as parent, \
            Daemon(config=config(workers), env=env) as d:
        folder = folder_of(parent)
        player = Player(d, lambda: d.enable(folder), **how)
        for history in player.play(histories):
            if not history.judge():
                wrong.append(history)
            told += [(t.place, t.told) for t in history.sent if t.told]
        if not wrong:
            want = [event for _, events in sorted(told) for event in events]
            compare_events(player.events(), want)
    return wrong, player


def smaller(history):
    """The clients of a history with one thing less."""
    clients = history.clients
    for c, client in enumerate(clients[:-1]):
        yield clients[:c] + clients[c + 1:]
        for t, (route, script) in enumerate(client):
            if len(client) > 1:
                yield (clients[:c] + [client[:t] + client[t + 1:]]
                       + clients[c + 1:])
            for s in range(len(script["steps"])):
                steps = script["steps"][:s] + script["steps"][s + 1:]
                one = (route, dict(script, steps=steps))
                yield (clients[:c] + [client[:t] + [one] + client[t + 1:]]
                       + clients[c + 1:])


def shrink(history, workers):
    """The smallest history found that still goes wrong, when it is played
    COLLECTIONS times at once."""
    end = time.monotonic() + SHRINK_S
    best, todo = history, smaller(history)
    while time.monotonic() < end:
        clients = next(todo, None)
        if clients is None:
            break
        if len(clients) < 2:
            continue
        wrong, _ = play((History(history.seed, clients)
                         for _ in range(2 * COLLECTIONS)), workers)
        if wrong:
            best = wrong[0]
            todo = smaller(best)
    return best


def run(count, workers, seed, **how):
    """Play and judge so many histories."""
    begun = time.monotonic()
    wrong, player = play((History.random(seed + i) for i in range(count)),
                         workers, seed=seed, **how)
    seconds = time.monotonic() - begun
    tap.comment("%d histories, %d calls in %.1f s, %d workers; killed: "
                "%r, answered again: %d" % (
                    count, player.answers, seconds, workers,
                    player.killed, player.replayed))
    if not wrong:
        return
    tap.comment("%d of %d are wrong; the first has seed %d"
                % (len(wrong), count, wrong[0].seed))
    best = wrong[0] if how.get("kills") else shrink(wrong[0], workers)
    raise tap.Findings("\n".join(best.wrong))


def test_one_worker():
    run(HISTORIES * 4 // 10, 1, SEED)


def test_three_workers():
    run(HISTORIES * 3 // 10, 3, SEED + 1000000)


def test_workers_killed():
    run(HISTORIES // 10, 3, SEED + 2000000, every=100,
        kills=["worker", "worker", "worker", "linlid"])


def test_linlid_killed():
    run(HISTORIES * 2 // 10, 2, SEED + 3000000, kills=["linlid"],
        every=200, env=slow_disk())


def test_a_long_call_among_short_ones():
    """Others commit while it waits; after a few runs it has the lock."""
    def add(wait_ms):
        return {"docs": "c00", "status": 200, "steps": [
            ["get", "k"], ["wait", wait_ms], ["add", "k", 1]]}
    with temporary_folder() as parent, Daemon(config=config(2)) as d:
        d.enable(folder_of(parent))
        done = threading.Event()

        def hurry(name):
            count = 0
            with contextlib.closing(d.connect()) as connection:
                while not done.is_set():
                    answer = d.call(PLUGIN, "/run", add(0), key="%s-%d" % (
                        name, count), connection=connection)
                    tap.equal(answer.status, 200, answer)
                    count += 1
            return count
        d.token("resident:r1")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            others = [pool.submit(hurry, str(i)) for i in range(4)]
            try:
                for i in range(10):
                    answer = d.call(PLUGIN, "/run", add(50), key="long-%d" % i)
                    tap.equal(answer.status, 200, answer)
            finally:
                done.set()
        count = 10 + sum(other.result() for other in others)
        answer = d.call(PLUGIN, "/look", add(0) | {"steps": [["get", "k"]]})
        tap.equal(answer.json["read"][0]["n"], count)


if __name__ == "__main__":
    tap.main()

"""tests/hostile/test_life.py: the end of linlid while plugins resist, and
many lives of workers. LINLI_ROUNDS says how many; 200 if it does not.

test-timeout-s: 120
test-alone: yes
"""

import os
import signal
import threading
import time

import tap
from arena import SLACK_MS, SLOW, Arena, both
from linli_test import processes

ROUNDS = int(os.environ.get("LINLI_ROUNDS", "200"))
AT_ONCE = 4
KILLS_PER_CALLER = 3  # a minute, per route; then 429
RESISTING = ("spins-deaf", "sleeps", "stops", "reads-for-ever")


def alive(pids):
    """Those of the processes that have not ended."""
    table = processes()
    return [p for p in pids if p in table and table[p][2] != "Z"]


def resist(d, burst_ms):
    """Calls that will not end, in workers of their own; their pids."""
    folder = d.native_folder(burst_ms, 20000)
    for name in RESISTING:
        community = "r-" + name
        d.enable(folder, community=community)
        d.token("resident:r1", community)
        threading.Thread(target=ignore_errors, args=(
            d.call, "hostile-c", "/run/" + name, {}, "POST", "resident:r1",
            community), daemon=True).start()
    time.sleep(0.3)
    return d.workers()


def ignore_errors(call, *arguments):
    """A call whose server is about to go."""
    try:
        call(*arguments)
    except OSError:
        pass


@both
def test_kill(user):
    """kill -9 of linlid: no worker is left after 100 ms, whatever it does."""
    with Arena(user, watched=False, neighbour=False) as d:
        pids = resist(d, 10000)
        if len(pids) < len(RESISTING):
            raise AssertionError("%d workers" % len(pids))
        begin = time.monotonic()
        os.kill(d.pid, signal.SIGKILL)
        left = pids
        while left and time.monotonic() - begin < 5:
            left = alive(pids)
        took_ms = (time.monotonic() - begin) * 1000
        d.kill()
        tap.comment("%s: gone after %.0f ms" % (user, took_ms))
        if left or took_ms > 100 * SLOW:
            raise AssertionError("after %.0f ms alive: %r" % (took_ms, left))


@both
def test_stop(user):
    """SIGTERM: what does not end by itself ends at its limit, and linlid
    ends well."""
    with Arena(user, watched=False, neighbour=False) as d:
        pids = resist(d, 1000)
        begin = time.monotonic()
        tap.equal(d.stop(), 0, "exit status")
        took_s = time.monotonic() - begin
        tap.comment("%s: ended after %.1f s" % (user, took_s))
        tap.equal(alive(pids), [], "workers")
        if took_s > 5 * SLOW:
            raise AssertionError("ended after %.1f s" % took_s)


@both
def test_workers_killed(user):
    """Workers that somebody kills: the calls are answered all the same."""
    with Arena(user) as d:
        d.enable(d.native_folder(200, 5000))
        for n in range(3):
            for worker in d.plugin_state("hostile-c")["workers"]:
                os.kill(worker["pid"], signal.SIGKILL)
            answer = d.call("hostile-c", "/innocent", {"ms": 1, "n": n})
            tap.equal((answer.status, answer.json), (200, {"n": n}))


@both
def test_burst_kills_count(user):
    """Whoever makes a worker hang three times in a minute is asked to wait;
    others are not."""
    with Arena(user) as d:
        d.enable(d.native_folder(20, 1000))
        for n in range(KILLS_PER_CALLER):
            answer = d.call("hostile-c", "/run/spins", {}, as_="resident:x")
            tap.equal((n, answer.status), (n, 504))
        answer = d.call("hostile-c", "/run/spins", {}, as_="resident:x")
        tap.equal((answer.status, answer.code),
                  (429, "request/rate-limited"))
        for who, path in (("resident:x", "/innocent"),
                          ("resident:y", "/run/wrong-context")):
            answer = d.call("hostile-c", path, {"ms": 1, "n": 1}, as_=who)
            tap.equal((who, answer.status), (who, 200))


@both
def test_rounds(user):
    """Start, hang, kill, again and again: nothing is left behind."""
    found = []

    def go(d, lane, rounds):
        community = "lane-%d" % lane
        for n in range(rounds):
            who = "resident:l%d" % (n // KILLS_PER_CALLER)
            d.token(who, community)
            begin = time.monotonic()
            answer = d.call("hostile-c", "/run/spins", {}, as_=who,
                            community=community)
            took_ms = (time.monotonic() - begin) * 1000
            if answer.status != 504 or took_ms > (WALL_MS + SLACK_MS) * SLOW:
                found.append("lane %d, round %d: %r after %.0f ms"
                             % (lane, n, answer, took_ms))

    burst_ms, WALL_MS = 5, 1000
    with Arena(user) as d:
        folder = d.native_folder(burst_ms, WALL_MS)
        for lane in range(AT_ONCE):
            d.enable(folder, community="lane-%d" % lane)
        threads = [threading.Thread(target=go, args=(
            d, lane, ROUNDS // AT_ONCE)) for lane in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if found:
            raise tap.Findings("\n".join(found[:10]))
        restarts = sum(d.plugin_state("hostile-c", "lane-%d" % n)["restarts"]
                       for n in range(AT_ONCE))
        tap.comment("%s: %d rounds, %d restarts" % (user, ROUNDS, restarts))
        if restarts < ROUNDS // AT_ONCE * AT_ONCE - AT_ONCE:
            raise AssertionError("%d restarts" % restarts)


if __name__ == "__main__":
    tap.main()

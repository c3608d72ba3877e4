#!/usr/bin/env python3
# test-timeout-s: 1800
# test-alone: yes
"""tests/faults/test_kill.py: kill -9 under load.

Whatever was acknowledged is there once, with everything that belongs to it,
and nothing is there by half: tests/faults/ledger.py says what that means.
LINLI_FAULTS=long, as `make check-fault` sets it, kills a hundred times.
"""

import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from ledger import Audit, Book, config, restart, settle  # noqa: E402
from linli_test import Daemon, wait_until  # noqa: E402

LONG = os.environ.get("LINLI_FAULTS") == "long"
KILLS = 100 if LONG else 8
STOPS = 20 if LONG else 3
WORKER_KILLS = 3       # of each plugin: five in a minute open its breaker
FIRST_ANSWER_S = 1.0   # what a user is promised
PATIENCE = 5           # what a machine that is busy may make of it
WORKER_S = 5.0


def kill_under_load(daemon, book):
    """One life: clients call, and at some moment linlid is no more."""
    workers = daemon.workers()
    book.begin(daemon)
    time.sleep(random.choice((0.02, 0.1, 0.5, 1.0)) * random.uniform(0.5, 1.5))
    daemon.kill()
    book.end(broken=True)
    if not wait_until(lambda: not daemon._alive(workers), WORKER_S):
        raise AssertionError("workers outlive linlid: %r" % workers)


def check_operator(daemon, entries, reads):
    """What the operator is shown is what the file holds."""
    tap.equal(daemon.linli_ok("reconcile", "--json").json["ok"], True)
    totals = {(t["plugin"], t["meter"]): (t["quantity"], t["count"])
              for t in daemon.linli_ok("usage", "--json").json["totals"]
              if t["meter"] != "linli.cpu_us"}
    tap.equal(totals, {("tally", "linli.call"): (str(entries), entries),
                       ("tally", "tally.entry"): (str(entries), entries),
                       ("listener", "linli.call"): (str(reads), reads)},
              "usage")


def test_kill():
    random.seed(os.environ.get("LINLI_SEED") or None)
    book, waits = Book(), []
    with Daemon(config=config("tally", "listener")) as d:
        for _ in range(KILLS):
            kill_under_load(d, book)
            Audit(d.data).check(book)
            waits.append(restart(d, book))
            book.replay(d, 3)
        book.finish_open(d)
        settle(d, book)
        d.stop()
        audit = Audit(d.data)
        audit.check(book)
        audit.check_over()
        reads = len(audit.usage["listener", "linli.call"])
        d.restart()
        check_operator(d, len(book.known), reads)
        book.replay(d, 20)
    tap.equal(book.sent.keys(), book.known.keys(), "never acknowledged")
    tap.comment("%d kills, %d entries, %d billed reads, %d commits" % (
        KILLS, len(book.known), reads, audit.commit))
    tap.comment("first answer after a restart: at most %.0f ms, half of them "
                "within %.0f ms" % (max(waits) * 1e3,
                                    sorted(waits)[len(waits) // 2] * 1e3))
    if max(waits) > FIRST_ANSWER_S * PATIENCE:
        raise AssertionError("the first answer came after %.1f s" % max(waits))


def test_stop_under_load():
    """SIGTERM: what was taken is answered, and what was answered is there."""
    book = Book()
    with Daemon(config=config("tally", "listener")) as d:
        for _ in range(STOPS):
            book.begin(d)
            time.sleep(random.uniform(0.1, 0.6))
            d.stop()
            book.end(broken=True)
            Audit(d.data).check(book)
            d.restart()
            book.replay(d, 3)
        book.finish_open(d)
        settle(d, book)
        d.stop()
        Audit(d.data).check_over()
    tap.comment("%d stops, %d entries" % (STOPS, len(book.known)))


def test_workers_are_killed():
    """A plugin's process dies in the middle of its calls: each that is
    answered has its effects once, and linlid goes on."""
    book = Book()
    with Daemon(config=config("tally", "listener")) as d:
        for _ in range(WORKER_KILLS):
            book.begin(d)
            time.sleep(random.uniform(0.1, 0.6))
            for pid in d.workers():
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.3)
            book.end()
        book.finish_open(d)
        settle(d, book)
        d.stop()
        audit = Audit(d.data)
        audit.check(book)
        audit.check_over()
    tap.comment("%d entries; clients were told: %s" % (
        len(book.known), dict(book.refusals)))


if __name__ == "__main__":
    tap.main()

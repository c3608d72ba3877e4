#!/usr/bin/env python3
# test-timeout-s: 1800
# test-alone: yes
"""tests/faults/test_timers.py: timers over a kill.

Each fires once, by when it is due and then by when it was set.
LINLI_FAULTS=long, as `make check-fault` sets it, sets 100 000 of them.
"""

import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from ledger import Audit, config  # noqa: E402
from linli_test import Daemon  # noqa: E402

LONG = os.environ.get("LINLI_FAULTS") == "long"
TIMERS = 100000 if LONG else 5000
AT_ONCE = 500          # set by one call
INSTANTS = TIMERS // 50
ADVANCE_S = 900.0


def set_alarms(daemon, first, due):
    """Sets timers number first and up at these times, in that order."""
    for i in range(0, len(due), AT_ONCE):
        answer = daemon.call("alarms", "/alarms", {
            "from": first + i, "at": due[i:i + AT_ONCE]}, key="set-%d"
            % (first + i))
        tap.equal((answer.status, answer.json),
                  (201, {"set": len(due[i:i + AT_ONCE])}), answer)


def fired(daemon):
    """{id: what its handler wrote}; linlid must not run."""
    audit = Audit(daemon.data)
    tap.equal(audit.documents["alarms", "~work"], {}, "timers that wait")
    return audit.documents["alarms", "fired"]


def check_each_once(found, due):
    """As many as were set, each with one run at its time."""
    tap.equal(len(found), len(due), "timers that fired")
    for alarm in found.values():
        tap.equal((alarm["times"], alarm["due"]), (1, due[alarm["n"]]), alarm)


def check_order(found, due):
    """By the places that one worker gave: due, then set."""
    order = sorted(found.values(), key=lambda alarm: alarm["place"])
    got = [alarm["n"] for alarm in order]
    want = sorted(range(len(due)), key=lambda n: (due[n], n))
    wrong = [i for i, (a, b) in enumerate(zip(got, want)) if a != b]
    if wrong:
        at = wrong[0]
        raise AssertionError("%d of %d out of order, first at %d: %r, want %r"
                             % (len(wrong), len(due), at, order[at:at + 3],
                                want[at:at + 3]))


def advance(daemon, ms):
    """Moves the clock; every timer that is due by then has run."""
    answer = daemon.http(
        "POST", "/v1/dev/clock/advance", {"ms": ms}, timeout_s=ADVANCE_S,
        headers={"Authorization": "Bearer " + daemon.ready["admin_token"]})
    tap.equal(answer.status, 200, answer)


def test_by_the_real_clock():
    with Daemon(config=config("alarms")) as d:
        time.sleep(0.5)  # idle: whoever waits for nothing must be woken
        now = int(time.time() * 1000)
        due = [now + 300 * i for i in range(5)]
        set_alarms(d, 0, due)
        d.kill()
        d.restart()
        late = now + 3600 * 1000
        set_alarms(d, len(due), [late])
        time.sleep(1.5)
        d.stop()
        found = Audit(d.data).documents
        check_each_once(found["alarms", "fired"], due)
        for alarm in found["alarms", "fired"].values():
            if not 0 <= alarm["now"] - alarm["due"] < 1500:
                raise AssertionError("late: %r" % alarm)
        tap.equal(list(found["alarms", "~work"]), ["n5"], "waiting")


def test_many_over_a_kill():
    with Daemon(config=config("alarms"), options=["--clock=virtual"]) as d:
        now = d.linli_ok("clock", "get", "--json").json["ms"]
        due = [now + 1000 * random.randint(1, INSTANTS)
               for _ in range(TIMERS)]
        start = time.monotonic()
        set_alarms(d, 0, due)
        tap.comment("%d timers set in %.1f s" % (
            TIMERS, time.monotonic() - start))
        d.kill()
        start = time.monotonic()
        d.restart()
        tap.comment("started again in %.2f s" % (time.monotonic() - start))
        start = time.monotonic()
        advance(d, 1000 * INSTANTS + 1000)
        seconds = time.monotonic() - start
        tap.comment("%d timers fired in %.1f s, %.0f a second, at %d instants"
                    % (TIMERS, seconds, TIMERS / seconds, len(set(due))))
        d.stop()
        found = fired(d)
        check_each_once(found, due)
        check_order(found, due)


if __name__ == "__main__":
    tap.main()

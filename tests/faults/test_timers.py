#!/usr/bin/env python3
# test-alone: yes
"""tests/faults/test_timers.py: timers over a kill.

Each fires once.
"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from ledger import Audit, config  # noqa: E402
from linli_test import Daemon  # noqa: E402

AT_ONCE = 500          # set by one call


def set_alarms(daemon, first, due):
    """Sets timers number first and up at these times, in that order."""
    for i in range(0, len(due), AT_ONCE):
        answer = daemon.call("alarms", "/alarms", {
            "from": first + i, "at": due[i:i + AT_ONCE]}, key="set-%d"
            % (first + i))
        tap.equal((answer.status, answer.json),
                  (201, {"set": len(due[i:i + AT_ONCE])}), answer)


def check_each_once(found, due):
    """As many as were set, each with one run at its time."""
    tap.equal(len(found), len(due), "timers that fired")
    for alarm in found.values():
        tap.equal((alarm["times"], alarm["due"]), (1, due[alarm["n"]]), alarm)


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


if __name__ == "__main__":
    tap.main()

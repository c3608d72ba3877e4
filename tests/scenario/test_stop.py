"""linlid is told to go, again and again."""

import signal
import time

import tap
from linli_test import STOP_S, Daemon

TIMES = 5


def test_signals_that_do_not_stop_coming():
    """An impatient terminal or supervisor does not make it crash."""
    for i in range(TIMES):
        with Daemon() as d:
            process = d.process
            number = signal.SIGINT if i % 2 else signal.SIGTERM
            end = time.monotonic() + STOP_S
            while process.poll() is None and time.monotonic() < end:
                process.send_signal(number)
                time.sleep(0.0002)
            tap.equal(process.returncode, 0, "exit status of linlid")


tap.main()
